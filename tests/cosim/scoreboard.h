// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "sim/wire/frame.h"
#include "tests/cosim/receive_config.h"
#include "tests/golden/gro.h"
#include "tests/golden/segment.h"
#include "tests/support/coverage.h"
#include "tests/support/net_agent.h"

namespace nicroscope::test {

/// Judges every frame in both directions against the golden models.
///
/// Reception: while a command is on its way to the device, and for frames that were in the device
/// before, the settings before and after the command are both right, and where hash and queue come
/// from several of them (key, types, table), a mixture. So settings have numbers; a frame may be
/// treated by any that was in force from its first bit to its delivery.
///
/// Transmission: frames of one queue leave in order, each exactly as the golden segmenter says.
class Scoreboard final : public sim::FrameSink {
 public:
  /// `least_frame`: what the device pads frames to.
  Scoreboard(Coverage& coverage, std::size_t least_frame)
      : coverage_(coverage), least_frame_(least_frame) {}

  // ---- settings
  /// The device starts with these.
  void start(Time now, const ReceiveConfig& config, const golden::TransmitFeatures& transmit,
             unsigned pairs);
  /// A command that leads to `config` is about to be issued.
  void changing(const ReceiveConfig& config);
  /// It was carried out: frames that begin from now on get these.
  void changed(Time now) { settled_.push_back({now, first_ + configs_.size() - 1}); }
  [[nodiscard]] const ReceiveConfig& config() const { return configs_.back(); }
  /// A device or queue reset was asked for: what is inside may be lost.
  void losing() { lossy_ = true; }
  /// A reset is over: what was pending is lost, and what is still to leave may have holes.
  void reset_done(std::optional<unsigned> virtqueue);

  // ---- what happens
  void on_frame(const sim::PassedFrame& frame) override;
  void received(const ReceivedFrame& frame);
  /// The driver made this available.
  void queued(unsigned pair, const virtio::NetHeader& header, golden::View frame);

  /// With nothing under way: all frames to be sent were sent, the rest is lost. Afterwards the
  /// counts below are final.
  [[nodiscard]] std::string settle();

  void complain(const std::string& what) {
    if (error_.empty()) error_ = what;
  }
  [[nodiscard]] const std::string& error() const noexcept { return error_; }
  [[nodiscard]] std::uint64_t passed() const noexcept { return passed_; }
  [[nodiscard]] std::uint64_t passed_bad() const noexcept { return passed_bad_; }
  [[nodiscard]] std::uint64_t sent() const noexcept { return sent_; }  ///< on the wire
  [[nodiscard]] std::uint64_t sent_bytes() const noexcept { return sent_bytes_; }
  [[nodiscard]] std::uint64_t refused() const noexcept { return refused_; }  ///< bad chains
  [[nodiscard]] std::uint64_t delivered() const noexcept { return checker_.frames(); }
  [[nodiscard]] std::uint64_t merged() const noexcept { return checker_.merged(); }
  [[nodiscard]] std::uint64_t acceptable() const noexcept { return acceptable_; }
  /// Bounds of what the filters kept out.
  [[nodiscard]] std::uint64_t filtered_least() const noexcept { return filtered_least_; }
  [[nodiscard]] std::uint64_t filtered_most() const noexcept { return filtered_most_; }
  [[nodiscard]] std::uint64_t undelivered() const noexcept { return undelivered_; }
  [[nodiscard]] bool ever_lossy() const noexcept { return ever_lossy_; }
  [[nodiscard]] std::uint64_t offloads() const noexcept { return offloads_; }
  [[nodiscard]] std::uint64_t super_frames() const noexcept { return super_frames_; }
  [[nodiscard]] std::uint64_t segments() const noexcept { return segments_; }

  /// Of one transmit queue since the device was started, without what the device pads.
  struct Sent {
    std::uint64_t frames = 0;
    std::uint64_t bytes = 0;
    std::uint64_t refused = 0;  ///< chains
  };
  /// The last one has frames of queues that were reset before these had left.
  [[nodiscard]] const std::vector<Sent>& sent_by_queue() const noexcept { return sent_by_queue_; }

 private:
  struct Chain {
    std::vector<golden::Bytes> frames;  // not yet sent
    std::vector<std::size_t> lengths;   // of these, without padding
    std::size_t check;                  // where a checksum of 0 may be 0xffff
  };

  void fail(const std::string& what, golden::View frame);
  void lose();
  [[nodiscard]] const ReceiveConfig& at(std::uint64_t number) const {
    return configs_[number - first_];
  }
  void on_sent(golden::View frame);
  Coverage& coverage_;
  std::size_t least_frame_;
  std::deque<ReceiveConfig> configs_;
  std::uint64_t first_ = 0;  // number of configs_.front()
  struct Settled {
    Time from;
    std::uint64_t number;  // of the oldest settings that a frame can meet that begins then
  };
  std::deque<Settled> settled_;
  golden::TransmitFeatures transmit_;
  golden::GroChecker checker_;
  std::vector<std::deque<Chain>> chains_;  // by pair
  std::deque<Chain> stale_;                // of queues that were reset
  bool running_ = false;
  bool lossy_ = false;
  bool ever_lossy_ = false;
  std::string error_;
  std::uint64_t passed_ = 0;
  std::uint64_t passed_bad_ = 0;
  std::uint64_t sent_ = 0;
  std::uint64_t sent_bytes_ = 0;
  std::uint64_t refused_ = 0;
  std::uint64_t acceptable_ = 0;
  std::uint64_t filtered_least_ = 0;
  std::uint64_t filtered_most_ = 0;
  std::uint64_t undelivered_ = 0;
  std::uint64_t offloads_ = 0;
  std::uint64_t super_frames_ = 0;
  std::uint64_t segments_ = 0;
  std::vector<Sent> sent_by_queue_;
};

}  // namespace nicroscope::test
