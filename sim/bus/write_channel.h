// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "sim/bus/bus_core.h"

namespace nicroscope::sim {

/// Where a write goes that becomes visible: from the first byte with a strobe to the last one.
struct VisibleWrite {
  BusAddress address;
  std::uint32_t bytes;
  const std::byte* data;  ///< what is written, from `address` on; anything where there is no strobe
};

/// Called for every write to memory when it is about to become visible, and memory is still as it
/// was. A plain pointer: it is on the fast path.
struct WriteWatcher {
  void (*call)(void* context, const VisibleWrite& write) = nullptr;
  void* context = nullptr;
};

/// Called after a write to [begin, end) became visible. A plain pointer: it is on the fast path.
struct WriteHook {
  BusAddress begin;
  BusAddress end;
  void (*call)(void* context, const VisibleWrite& write);
  void* context;
  bool is_memory = true;  ///< false: a window that is no memory, such as the one for MSI
};

/// The write half of the memory: AXI4 AW, W and B.
class WriteChannel {
 public:
  explicit WriteChannel(BusCore& core);

  void add_hook(const WriteHook& hook) { hooks_.push_back(hook); }
  /// One at most; no call takes it away. Between bursts only.
  void set_watcher(const WriteWatcher& watcher) noexcept { watcher_ = watcher; }

  // ---- AW
  [[nodiscard]] bool aw_ready() const noexcept { return aw_ready_; }
  /// AW was accepted at `now`. Throws SimulationFailure as ReadChannel::request.
  void request(Cycle now, unsigned id, BusAddress address, unsigned len, unsigned size,
               unsigned burst);

  // ---- W
  /// From when on a beat of data is taken.
  [[nodiscard]] Cycle w_ready_from() const noexcept { return w_ready_from_; }
  /// A beat was accepted at `now`, after the AW of the same cycle if there was one. Data ahead of
  /// their address are kept.
  void data(Cycle now, const std::byte* data, std::uint64_t strobe, bool last);

  // ---- B: the response that is offered from due() on, until popped
  [[nodiscard]] Cycle due() const noexcept { return due_; }
  [[nodiscard]] unsigned id() const noexcept { return id_; }
  [[nodiscard]] unsigned resp() const noexcept { return resp_; }
  void pop(Cycle now);

  [[nodiscard]] bool idle() const noexcept { return outstanding_ == 0 && early_.empty(); }
  [[nodiscard]] unsigned outstanding() const noexcept { return outstanding_; }

  void make_visible(const BusEvent& event);
  /// Adversary only: the choices of this cycle, a function of `dice` alone.
  void choose(Cycle now, std::uint64_t dice);

 private:
  static constexpr unsigned kMaxOutstanding = 256;
  static constexpr unsigned kMaxBeats = 256;

  struct Burst {
    BusAddress first;  // of the first beat, aligned
    unsigned id;
    unsigned beats;
    unsigned got = 0;
    bool direct = false;  // into memory beat by beat, as each one comes
    bool refused = false;
    bool written = false;  // a strobe was set
    // Bytes whose strobe was set, [low, high); where the last word of all is among them high is 0.
    BusAddress low = ~BusAddress{0};
    BusAddress high = 0;
    Cycle visible = 0;    // when its last part becomes visible
    unsigned hidden = 0;  // beats that are not visible yet
    bool in_use = false;
    alignas(64) std::array<std::byte, kMaxBurstBytes> data;
    std::array<std::uint64_t, kMaxBeats> strobe;
  };
  struct Response {
    Cycle due;
    std::uint8_t resp;
  };
  struct EarlyBeat {
    std::array<std::byte, 64> data;
    std::uint64_t strobe;
    bool last;
  };

  void check(BusAddress first, unsigned bytes, unsigned size, unsigned burst) const;
  [[nodiscard]] bool writable(BusAddress begin, BusAddress end) const noexcept;
  [[nodiscard]] const WriteHook* window(BusAddress address) const noexcept;
  void accept(Cycle now, const std::byte* data, std::uint64_t strobe, bool last);
  void store(BusAddress address, const std::byte* data, std::uint64_t strobe) noexcept;
  void complete(Cycle now, std::uint32_t index);
  void complete_pcie(Cycle now, std::uint32_t index);
  void complete_adversary(Cycle now, std::uint32_t index);
  void respond(Cycle now, const Burst& burst, Cycle due);
  void run_hooks(const Burst& burst);
  void release(std::uint32_t index);
  void offer_earliest(Cycle now);
  std::uint32_t allocate();

  BusCore& core_;
  std::vector<WriteHook> hooks_;
  WriteWatcher watcher_;
  std::vector<std::unique_ptr<Burst>> bursts_;
  std::vector<std::uint32_t> free_;
  RingQueue<std::uint32_t> order_;  // bursts that wait for data, in the order of their AW
  RingQueue<EarlyBeat> early_;
  IdQueues<Response> responses_;
  std::array<Cycle, kAxiIds> last_due_{};
  std::uint64_t full_strobe_;
  Cycle latency_;

  Cycle due_ = kNoCycle;
  unsigned id_ = 0;
  std::uint8_t resp_ = kRespOkay;
  Cycle w_ready_from_ = 0;
  bool aw_ready_ = true;
  unsigned outstanding_ = 0;
};

}  // namespace nicroscope::sim
