// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/base/random.h"
#include "sim/simulation.h"
#include "sim/trace/hash_sink.h"
#include "sim/wire/pcap_sink.h"
#include "tests/cosim/random_commands.h"
#include "tests/cosim/random_plan.h"
#include "tests/cosim/scoreboard.h"
#include "tests/cosim/statistics.h"
#include "tests/golden/frame_builder.h"
#include "tests/support/coverage.h"
#include "tests/support/net_agent.h"

namespace nicroscope::test {

struct RandomOptions {
  std::string profile = "edge10";
  std::uint64_t seed = 1;
  std::uint64_t frames = 1000;  ///< both ways together, at least
  std::uint64_t without = 0;    ///< features that are not taken
  std::string pcap;             ///< file for the frames that the NIC sends, or none
  bool no_skip = false;         ///< simulate idle time too
  sim::Variant variant = sim::Variant::checked;
};

/// One simulated NIC, driven at random: sessions between device resets, each with other features,
/// rings and buffers; in each some rounds of traffic, with commands and resets among it. After a
/// round all is accounted for.
class RandomRun final : public sim::FrameSource {
 public:
  RandomRun(const RandomOptions& options, Coverage& coverage);
  ~RandomRun() override;

  /// An empty text, or what was found wrong, when, and in which session.
  [[nodiscard]] std::string run();

  [[nodiscard]] std::uint64_t frames() const noexcept { return frames_; }
  [[nodiscard]] std::uint64_t commands() const noexcept { return commands_; }
  [[nodiscard]] std::uint64_t offered() const noexcept { return offered_; }
  /// Of all events of the device and all frames on the wire.
  [[nodiscard]] std::uint64_t trace_hash() const noexcept { return hash_.value(); }
  [[nodiscard]] std::uint64_t skipped_cycles() const {
    return simulation_->counters().cycles_skipped;
  }
  [[nodiscard]] std::uint64_t statistics_answers() const noexcept { return statistics_.answers(); }
  [[nodiscard]] const Scoreboard& scoreboard() const noexcept { return scoreboard_; }

  [[nodiscard]] const sim::WireFrame* peek() override;
  void pop() override;

 private:
  [[nodiscard]] std::string session();
  [[nodiscard]] std::string round(bool last);
  [[nodiscard]] std::string act();
  [[nodiscard]] std::string reset_queue();
  void command();
  void mask_some();
  [[nodiscard]] std::string quiesce();
  [[nodiscard]] std::string balance();
  [[nodiscard]] std::string statistics();
  [[nodiscard]] std::string reset_device();
  void send_burst(std::uint64_t session);
  [[nodiscard]] golden::Bytes next_frame();
  [[nodiscard]] golden::Mac read_mac();
  [[nodiscard]] std::string problem() const;
  [[nodiscard]] std::string counters();
  void log(const std::string& what);
  [[nodiscard]] bool percent(unsigned chance) { return random_.below(100) < chance; }

  RandomOptions options_;
  Coverage& coverage_;
  sim::Random random_;
  Scoreboard scoreboard_;
  Statistics statistics_;
  sim::HashSink hash_;
  std::unique_ptr<sim::Simulation> simulation_;
  std::unique_ptr<sim::PcapWriter> pcap_;
  std::optional<sim::PcapSink> pcap_sink_;
  std::unique_ptr<NetAgent> agent_;
  std::uint64_t offered_ = 0;
  std::uint64_t frames_ = 0;
  std::uint64_t commands_ = 0;
  std::uint64_t session_ = 0;
  RandomPlan plan_;
  golden::FrameMix mix_;
  golden::TransmitMix transmit_mix_;
  ControlState control_;
  std::deque<std::string> log_;  // the last commands and resets
  std::vector<golden::TcpFlow> flows_;
  std::uint64_t run_left_ = 0;  // frames to come of flow run_
  std::size_t run_ = 0;
  bool moderated_ = false;
  std::uint64_t unkind_losses_ = 0;  // frames lost for want of room, so far
  bool pairs_cut_ = false;           // frames that waited for a pair out of use may be lost

  // to the NIC
  std::uint64_t receive_left_ = 0;
  golden::Bytes frame_;
  sim::WireFrame wire_frame_;
  bool loaded_ = false;
  Time next_start_{0};
  // from the NIC
  std::uint64_t send_left_ = 0;
  bool sending_ = false;
  golden::TransmitFrame transmit_;
  bool transmit_ready_ = false;
};

}  // namespace nicroscope::test
