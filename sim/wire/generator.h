// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <utility>
#include <vector>

#include "sim/base/random.h"
#include "sim/wire/frame.h"

namespace nicroscope::sim {

/// How a generator's frames lie in time, at one mean rate.
enum class Spacing : std::uint8_t {
  constant,  ///< one gap
  poisson,   ///< exponential gaps
  bursts,    ///< some at once, then a pause
};

/// How frames come, and where they go.
struct GeneratorPhase {
  Spacing spacing = Spacing::constant;
  double frames_per_second = 1000;  ///< mean; what the link cannot carry is late
  unsigned burst = 32;              ///< frames of a burst
  /// 0: frames come at their rate. Else at most so many are on the way at once, and one that comes
  /// back is what makes the next one due, as in a game of question and answer.
  unsigned outstanding = 0;
  std::uint32_t destination_address = 0;  ///< IPv4, host order
  std::uint16_t destination_port = 9;
  Duration length = Duration::max();  ///< where there are others: until they have their turn
};

struct GeneratorOptions : GeneratorPhase {
  std::vector<unsigned> sizes{64};  ///< bytes with FCS, in turn; 64 to 9,026
  unsigned flows = 1;               ///< that frames belong to in turn: UDP ports from 10000 on
  unsigned destination_ports = 1;   ///< that flows are for in turn, from destination_port on
  /// What the load changes between, over and over from its start; none: it stays as above. A phase
  /// of questions and answers ends with the last answer, and the next is that much shorter.
  std::vector<GeneratorPhase> phases;
  Time start{0};                                                     ///< no frame is due before
  Time end = Time::max();                                            ///< nor from here on
  std::uint64_t frames = std::numeric_limits<std::uint64_t>::max();  ///< at most
  std::uint64_t seed = 1;                                            ///< of poisson gaps
  std::array<std::uint8_t, 6> destination{};
  std::array<std::uint8_t, 6> source{};
  std::uint32_t source_address = 0;  ///< IPv4, host order
};

/// UDP datagrams in IPv4 in Ethernet, offered at a rate, each made when its turn comes and stamped
/// with its number and when it was due. Checksums are right.
class Generator final : public FrameSource {
 public:
  static constexpr std::uint16_t kFirstPort = 10000;  ///< of flows

  explicit Generator(const GeneratorOptions& options);

  [[nodiscard]] const WireFrame* peek() override;
  void begun(Time now) override;
  void pop() override;

  /// Called with the number of every frame, from 1, and the time at which it starts on the wire.
  void on_begun(std::function<void(std::uint64_t number, Time now)> function) {
    on_begun_ = std::move(function);
  }

  /// With `outstanding`: a frame has come back. Those of earlier phases do not count.
  void returned(Time now, std::uint64_t sequence) noexcept;

  /// Makes no more frames. One that the wire has looked at still goes out.
  void stop() noexcept { options_.frames = made_; }
  /// That have passed.
  [[nodiscard]] std::uint64_t sent() const noexcept { return sent_; }
  /// None is left, and the last has passed.
  [[nodiscard]] bool ended() noexcept { return peek() == nullptr; }

 private:
  struct Template {
    std::vector<std::byte> bytes;
    std::uint64_t sum = 0;  ///< of the datagram with its pseudo header, without what varies
  };

  void next_phase();
  void make();
  void advance();

  GeneratorOptions options_;
  Random random_;
  std::vector<Template> templates_;  ///< of a phase after that of another, by size
  WireFrame next_;
  Time due_;
  double elapsed_ps_ = 0;  ///< from the phase's start to the frame that is next
  std::size_t phase_ = 0;
  Time phase_start_;
  Time phase_end_;
  std::uint64_t first_ = 0;  ///< frame of the phase
  std::uint64_t made_ = 0;
  std::uint64_t sent_ = 0;
  std::uint64_t returned_ = 0;  ///< of the phase
  std::function<void(std::uint64_t, Time)> on_begun_;
  bool loaded_ = false;
};

}  // namespace nicroscope::sim
