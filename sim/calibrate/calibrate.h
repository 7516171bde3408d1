// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

namespace nicroscope::sim {

/// One thing that was timed on the machine at hand.
struct Measured {
  std::string name;
  double ns = 0;       ///< the lower quartile of the rounds: others disturb upwards only
  double low_ns = 0;   ///< the fastest round
  double high_ns = 0;  ///< the median
  std::string how;
};

/// Times what can be timed without the kernel's help: system calls, switches of process, copies,
/// checksums, memory, atomics, allocation. Takes about two seconds of wall time. The machine should
/// have nothing else to do.
[[nodiscard]] std::vector<Measured> measure_machine();

/// The cost profile (TOML) that follows: what was measured, with its source, and all else the
/// default profile's figure by the ratio of the clocks, but for what no clock drives.
[[nodiscard]] std::string profile_text(const std::string& name, const std::vector<Measured>& all);

}  // namespace nicroscope::sim
