// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "sim/bus/bus_core.h"

namespace nicroscope::sim {

/// The read half of the memory: AXI4 AR and R.
class ReadChannel {
 public:
  explicit ReadChannel(BusCore& core);

  // ---- AR
  [[nodiscard]] bool ar_ready() const noexcept { return ar_ready_; }
  /// AR was accepted at `now`. Throws SimulationFailure where it breaks a rule of AXI4 or of the
  /// NIC's own promises (full-width INCR bursts).
  void request(Cycle now, unsigned id, BusAddress address, unsigned len, unsigned size,
               unsigned burst);

  // ---- R: the beat that is offered from due() on, until popped
  [[nodiscard]] Cycle due() const noexcept { return due_; }
  [[nodiscard]] const std::byte* data() const noexcept { return data_; }
  [[nodiscard]] unsigned id() const noexcept { return id_; }
  [[nodiscard]] unsigned resp() const noexcept { return resp_; }
  [[nodiscard]] bool last() const noexcept { return left_ == 1 && last_segment_; }
  /// The offered beat was taken at `now`.
  void pop(Cycle now) {
    started_ = true;
    data_ += core_.beat_bytes;
    due_ = now + 1;
    if (--left_ == 0) finish_segment(now);
  }

  [[nodiscard]] bool idle() const noexcept { return outstanding_ == 0; }
  [[nodiscard]] unsigned outstanding() const noexcept { return outstanding_; }

  void sample(const BusEvent& event);
  /// Adversary only: the choices of this cycle, a function of `dice` alone.
  void choose(Cycle now, std::uint64_t dice);

 private:
  static constexpr unsigned kMaxOutstanding = 256;
  static constexpr std::uint32_t kDirect = ~std::uint32_t{0};

  // Beats that arrive together: a completion of the link, a burst, or under the adversary one beat.
  struct Segment {
    Cycle due;
    const std::byte* data;
    std::uint32_t burst;  // staging buffer to free at the end of the burst, kDirect if none
    std::uint16_t beats;
    std::uint8_t resp;
    bool last;
  };
  struct Staging {
    alignas(64) std::array<std::byte, kMaxBurstBytes> data;
    BusAddress address;
  };

  void check(BusAddress address, unsigned bytes, unsigned size, unsigned burst) const;
  void answer_direct(Cycle now, unsigned id, BusAddress first, unsigned beats);
  void answer_fault(Cycle now, unsigned id, unsigned beats);
  void answer_pcie(Cycle now, unsigned id, BusAddress first, unsigned beats);
  void answer_adversary(Cycle now, unsigned id, BusAddress first, unsigned beats);
  std::uint32_t stage(BusAddress first);
  std::int64_t take_tag(std::int64_t ready);
  void add(Cycle now, unsigned id, Segment segment);
  void offer(unsigned id);
  void finish_segment(Cycle now);

  BusCore& core_;
  IdQueues<Segment> segments_;
  std::array<Cycle, kAxiIds> last_due_{};  // of the newest segment of each id
  std::vector<std::unique_ptr<Staging>> staging_;
  std::vector<std::uint32_t> free_staging_;
  std::vector<std::int64_t> tag_free_;  // a ring: when the request that took this place is done
  std::size_t next_tag_ = 0;
  Cycle latency_;

  Cycle due_ = kNoCycle;
  const std::byte* data_ = nullptr;
  unsigned id_ = 0;
  unsigned left_ = 0;
  std::uint8_t resp_ = kRespOkay;
  bool last_segment_ = false;
  bool started_ = false;  // some of the offered segment was taken: it cannot be changed any more
  bool ar_ready_ = true;
  unsigned outstanding_ = 0;
};

}  // namespace nicroscope::sim
