// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace nicroscope::kernel {

/// The text of profiles/default.toml, put into the program when it is built.
extern const std::string_view kDefaultProfile;

}  // namespace nicroscope::kernel
