// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

namespace nicroscope::uml {

/// What the guests run where nothing else is asked for: sim/linux/scripts/default.sh.
[[nodiscard]] std::string_view default_script() noexcept;
/// What they run to be measured: sim/linux/scripts/bench.sh, which says what is to be set before.
[[nodiscard]] std::string_view bench_script() noexcept;

}  // namespace nicroscope::uml
