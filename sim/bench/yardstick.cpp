// SPDX-License-Identifier: Apache-2.0
#include "sim/bench/yardstick.h"

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <utility>
#include <vector>

namespace nicroscope::sim {
namespace {

// 256 KiB of state and 6,144 distinct steps: the reference figures were taken beside this amount of
// work, so the sizes must not change.
constexpr std::size_t kStateWords = 32768;
constexpr std::size_t kGroups = 48;
constexpr std::size_t kStepsPerGroup = 128;

using State = std::vector<std::uint64_t>;
using Step = void (*)(std::uint64_t* state);

constexpr std::size_t spread(std::size_t step, std::size_t operand) {
  const auto hash = static_cast<std::uint32_t>(step * 2654435761U + operand * 40503U);
  return (hash >> 17U) % kStateWords;
}

template <std::size_t I>
[[gnu::noinline]] void mix(std::uint64_t* state) {
  constexpr std::size_t kLeft = spread(I, 1);
  constexpr std::size_t kRight = spread(I, 2);
  constexpr std::size_t kResult = spread(I, 3);
  const std::uint64_t left = state[kLeft];
  const std::uint64_t right = state[kRight];
  const std::uint64_t blend = ((left << (I % 31 + 1)) ^ (right >> (I % 29 + 1))) + I;
  const bool odd_path = ((blend >> (I % 64)) & 1U) != 0;
  // A data-dependent branch, as every `if` of a model is.
  if (odd_path) {
    state[kResult] = blend ^ right;
  } else {
    state[kResult] = blend + left;
  }
}

template <std::size_t Group, std::size_t... Is>
[[gnu::noinline]] void run_group(std::uint64_t* state, std::index_sequence<Is...> /*steps*/) {
  (mix<Group * kStepsPerGroup + Is>(state), ...);
}

template <std::size_t... Groups>
void run_pass(std::uint64_t* state, std::index_sequence<Groups...> /*groups*/) {
  (run_group<Groups>(state, std::make_index_sequence<kStepsPerGroup>{}), ...);
}

}  // namespace

double processor_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

double yardstick_score(double seconds) {
  State state(kStateWords);
  for (std::size_t i = 0; i < state.size(); ++i) state[i] = i * 0x9e3779b97f4a7c15ULL;
  constexpr int kPassesPerLook = 64;
  std::uint64_t passes = 0;
  const double begin = processor_seconds();
  double elapsed = 0;
  do {
    for (int i = 0; i < kPassesPerLook; ++i) {
      run_pass(state.data(), std::make_index_sequence<kGroups>{});
    }
    passes += kPassesPerLook;
    elapsed = processor_seconds() - begin;
  } while (elapsed < seconds);
  return static_cast<double>(passes) / elapsed;
}

}  // namespace nicroscope::sim
