// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace nicroscope::sim {

/// Measures how fast this machine is, now, at the kind of work that a Verilated model does: many
/// distinct short functions called in turn, each doing dependent integer work on a few words of a
/// state larger than the first-level cache. The score is in passes per second of processor time
/// over `seconds` of it. Simulation speeds divided by the score taken beside them compare across
/// machines and days; it is scaled like the score of the reference figures (reference.h).
[[nodiscard]] double yardstick_score(double seconds);

/// Processor time that this process has used, in seconds.
[[nodiscard]] double processor_seconds();

}  // namespace nicroscope::sim
