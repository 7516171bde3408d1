// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "sim/experiment/load_run.h"

namespace nicroscope::sim {

/// A published figure, and the run that says what a cost profile makes of it.
struct ProfileCheck {
  std::string what;
  double published = 0;
  std::string source;
  bool fitted = false;  ///< a figure of the profile was chosen for it
  LoadOptions run;
  std::function<double(const LoadResult& result)> predicted;
};

/// What can be checked of one of the program's profiles; none where nothing was published.
[[nodiscard]] std::vector<ProfileCheck> profile_checks(const std::string& profile);

/// Published figures of such a machine that no run of this program can be held against, a line each
/// with the reason.
[[nodiscard]] std::vector<std::string> profile_unchecked(const std::string& profile);

}  // namespace nicroscope::sim
