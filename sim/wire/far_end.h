// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <utility>
#include <vector>

#include "sim/wire/frame.h"
#include "sim/wire/histogram.h"
#include "sim/wire/stamp.h"
#include "sim/wire/wire_port.h"

namespace nicroscope::sim {

/// What lies behind the NIC's wire: stations with one hardware address that answer ARP for every
/// address they are asked for, a load that they send, and a sink that knows the load's frames again
/// when they come back.
class FarEnd final : public FrameSource, public FrameSink {
 public:
  /// Takes the wire's source and one of its sinks. `flows`: of the load.
  FarEnd(WirePort& wire, const std::array<std::uint8_t, 6>& address, unsigned flows = 1);
  FarEnd(const FarEnd&) = delete;
  FarEnd& operator=(const FarEnd&) = delete;
  ~FarEnd() override;

  /// Sends this, too; null for nothing. It must outlive the load's last frame.
  void set_load(FrameSource* load) noexcept;

  /// Called for every frame of the load that comes back, with the time.
  using OnReturned = std::function<void(Time now, const Stamp& stamp)>;
  void on_returned(OnReturned function) { on_returned_ = std::move(function); }

  // ---- what came back
  /// Frames of the load whose due time is in [from, to) count for latencies.
  void measure(Time from, Time to) noexcept;
  [[nodiscard]] std::uint64_t returned() const noexcept { return returned_; }
  /// From when a frame was due to its last symbol on the way back, in nanoseconds.
  [[nodiscard]] const Histogram& latency() const noexcept { return latency_; }
  /// Other frames than the load's, ARP among them.
  [[nodiscard]] std::uint64_t others() const noexcept { return others_; }
  /// A frame came damaged, or out of the order of its flow.
  [[nodiscard]] std::uint64_t misplaced() const noexcept { return misplaced_; }

  // ---- for the wire
  [[nodiscard]] const WireFrame* peek() override;
  void begun(Time now) override;
  void pop() override;
  void on_frame(const PassedFrame& frame) override;

 private:
  enum class Held : std::uint8_t { none, answer, load };

  void answer_arp(std::span<const std::byte> question);

  WirePort& wire_;
  const std::array<std::uint8_t, 6> address_;
  FrameSource* load_ = nullptr;
  std::deque<std::vector<std::byte>> answers_;
  WireFrame answer_;
  Held held_ = Held::none;
  Time from_{0};
  Time to_ = Time::max();
  std::vector<std::uint64_t> next_;  ///< least number that may come, a flow each
  OnReturned on_returned_;
  Histogram latency_;
  std::uint64_t returned_ = 0;
  std::uint64_t others_ = 0;
  std::uint64_t misplaced_ = 0;
};

}  // namespace nicroscope::sim
