// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string_view>

namespace nicroscope::sim {

/// Simulation speed of the fastest other open NIC, in frames per second per point of
/// yardstick_score. Measured on Verilator 5.006, g++ 12 -O3, one thread, no assertions, a plain C++
/// harness with an AXI memory and every payload checked, medians of three runs; the NIC's core
/// alone, without a MAC. Sizes are without FCS. Of Corundum's mqnic_core_axi (2023-12-02) and
/// Taxi's cndm_micro_core (2026-08) the better one is given in each case.
struct SpeedReference {
  std::string_view profile;
  std::string_view direction;
  unsigned size;
  double frames_per_score;
  std::string_view source;
};

inline constexpr std::string_view kCorundum = "Corundum mqnic_core_axi";
inline constexpr std::string_view kTaxi = "Taxi cndm_micro_core";
/// Not measured, but put together from what was, in the peer's favour: cycles a second of the
/// 64-bit one in the same direction (317,000, 331,000, 309,000, 332,000 and 316,000 at a score of
/// 48,000), divided by cycles a frame. These are for 60 bytes 12.5 one way, which the peer takes at
/// 64 bits and at 512, and 7.7 both ways, as at 512; for 1500 bytes at 128 bits the beats of a
/// frame and one cycle, 95, and half a frame's beats and one both ways, 48. Sending 60 bytes at 512
/// bits stands as receiving them: at 64 bits the former is slower.
inline constexpr std::string_view kEstimate = "Corundum mqnic_core_axi, estimated";

inline constexpr SpeedReference kSpeedReferences[] = {
    {"edge10", "rx", 60, 0.526, kCorundum},    {"edge10", "tx", 60, 0.516, kCorundum},
    {"edge10", "both", 60, 0.855, kEstimate},  {"edge10", "rx", 1500, 0.0492, kTaxi},
    {"edge10", "tx", 1500, 0.0354, kCorundum}, {"edge10", "both", 1500, 0.0685, kCorundum},
    {"dc25", "rx", 60, 0.526, kEstimate},      {"dc25", "tx", 60, 0.516, kEstimate},
    {"dc25", "both", 60, 0.855, kEstimate},    {"dc25", "rx", 1500, 0.0726, kEstimate},
    {"dc25", "tx", 1500, 0.0728, kEstimate},   {"dc25", "both", 1500, 0.137, kEstimate},
    {"dc100", "rx", 60, 0.406, kCorundum},     {"dc100", "tx", 60, 0.406, kEstimate},
    {"dc100", "both", 60, 0.622, kCorundum},   {"dc100", "rx", 1500, 0.180, kCorundum},
    {"dc100", "tx", 1500, 0.179, kCorundum},   {"dc100", "both", 1500, 0.279, kCorundum},
};

[[nodiscard]] constexpr std::optional<SpeedReference> speed_reference(std::string_view profile,
                                                                      std::string_view direction,
                                                                      unsigned size) {
  for (const SpeedReference& row : kSpeedReferences) {
    if (row.profile == profile && row.direction == direction && row.size == size) return row;
  }
  return std::nullopt;
}

}  // namespace nicroscope::sim
