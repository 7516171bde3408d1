// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

namespace nicroscope::kernel {

/// A file of profiles/, put into the program when it is built.
struct BuiltinProfile {
  std::string_view name;  ///< the file's, without its ending
  std::string_view text;
};
extern const std::span<const BuiltinProfile> kBuiltinProfiles;  ///< by name

}  // namespace nicroscope::kernel
