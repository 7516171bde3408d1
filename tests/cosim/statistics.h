// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "tests/cosim/scoreboard.h"
#include "tests/support/net_agent.h"

namespace nicroscope::test {

/// Judges the answers to VIRTIO_NET_CTRL_STATS_GET (virtio 1.3, 5.1.6.5.10) by what the driver and
/// the wire saw since the device was started.
class Statistics {
 public:
  /// The device starts.
  void start(NetAgent& agent);
  void received(const ReceivedFrame& frame);
  /// A queue was reset: frames were lost that no other count tells of.
  void losing() { lossy_ = true; }

  /// Asks for the statistics of all virtqueues; false if there is no room for the command. In the
  /// answer has to be what is seen already, and nothing may be less than before.
  [[nodiscard]] bool ask(NetAgent& agent);
  /// Nothing was under way when they were asked for, and nothing has come since: judges every
  /// number of the last answer.
  void judge(NetAgent& agent, const Scoreboard& scoreboard);

  [[nodiscard]] const std::string& error() const noexcept { return error_; }
  [[nodiscard]] std::uint64_t answers() const noexcept { return answers_; }

 private:
  static constexpr std::size_t kFields = 6;
  // notifications, packets, bytes, interrupts, drops, and overruns or malformed
  using Fields = std::array<std::uint64_t, kFields>;
  struct Received {
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;
  };
  struct Expected {
    unsigned pairs = 0;
    std::vector<std::uint64_t> kicks;  // by virtqueue
    std::vector<Received> received;    // by pair
    std::uint64_t commands = 0;        // this one included
    std::uint64_t commands_ok = 0;
  };

  void answered(const NetAgent& agent, const Expected& expected, std::uint8_t ack,
                std::span<const std::byte> answer);
  void judge_traffic(const NetAgent& agent, const Scoreboard& scoreboard);
  void judge_drops(NetAgent& agent, const Scoreboard& scoreboard);
  void equal(const std::string& what, std::uint64_t is, std::uint64_t should_be);
  void between(const std::string& what, std::uint64_t is, std::uint64_t least, std::uint64_t most);

  std::vector<Received> received_;
  std::vector<Fields> last_;             // answer, by virtqueue
  std::vector<std::uint64_t> counters_;  // of the device, at the start
  bool lossy_ = false;
  std::uint64_t answers_ = 0;
  std::string error_;
};

}  // namespace nicroscope::test
