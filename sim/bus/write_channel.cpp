// SPDX-License-Identifier: Apache-2.0
#include "sim/bus/write_channel.h"

#include <fmt/format.h>

#include <bit>
#include <cstring>

#include "sim/base/failure.h"

namespace nicroscope::sim {

namespace {
// How far the adversary delays the last visibility and the response, in cycles.
constexpr Cycle kAdversaryDelay = 150;
// Bytes that the link's sending side holds before it stops the NIC.
constexpr std::int64_t kLinkBuffer = 4096;
}  // namespace

WriteChannel::WriteChannel(BusCore& core)
    : core_(core),
      full_strobe_(core.beat_bytes == 64 ? ~std::uint64_t{0}
                                         : (std::uint64_t{1} << core.beat_bytes) - 1),
      latency_(core.clock.cycles_for(core.options.write_latency)) {}

void WriteChannel::request(Cycle now, unsigned id, BusAddress address, unsigned len, unsigned size,
                           unsigned burst) {
  const BusAddress first = address & ~BusAddress{core_.beat_bytes - 1};
  const unsigned beats = len + 1;
  const unsigned bytes = beats * core_.beat_bytes;
  check(first, bytes, size, burst);
  const std::uint32_t index = allocate();
  Burst& entry = *bursts_[index];
  entry.first = first;
  entry.id = id;
  entry.beats = beats;
  entry.got = 0;
  entry.refused = false;
  entry.written = false;
  entry.low = ~BusAddress{0};
  entry.high = 0;
  entry.visible = now;
  // Beat by beat into memory is possible only where no strobe can reach outside what is mapped.
  entry.direct = core_.options.timing == BusTiming::ideal && !core_.options.adversary &&
                 core_.bus_master && watcher_.call == nullptr && writable(first, first + bytes);
  order_.push(index);
  ++outstanding_;
  aw_ready_ = outstanding_ < kMaxOutstanding;
  while (!early_.empty() && !order_.empty()) {
    const EarlyBeat beat = early_.front();
    early_.pop();
    accept(now, beat.data.data(), beat.strobe, beat.last);
  }
}

void WriteChannel::check(BusAddress first, unsigned bytes, unsigned size, unsigned burst) const {
  const char* broken = nullptr;
  if (size != static_cast<unsigned>(std::countr_zero(core_.beat_bytes))) {
    broken = "AWSIZE is not the width of the bus";
  } else if (burst != 1) {
    broken = "AWBURST is not INCR";
  } else if ((first & 4095) + bytes > 4096) {
    broken = "the burst crosses 4 KiB";
  }
  if (broken != nullptr) {
    throw SimulationFailure(
        fmt::format("AXI write of {} bytes at {:#x}: {}", bytes, first, broken));
  }
}

void WriteChannel::data(Cycle now, const std::byte* data, std::uint64_t strobe, bool last) {
  if (!order_.empty()) {
    accept(now, data, strobe, last);
    return;
  }
  EarlyBeat& beat = early_.push({});
  std::memcpy(beat.data.data(), data, core_.beat_bytes);
  beat.strobe = strobe;
  beat.last = last;
}

void WriteChannel::accept(Cycle now, const std::byte* data, std::uint64_t strobe, bool last) {
  const std::uint32_t index = order_.front();
  Burst& burst = *bursts_[index];
  const BusAddress address = burst.first + BusAddress{burst.got} * core_.beat_bytes;
  if (last != (burst.got + 1 == burst.beats)) {
    throw SimulationFailure(fmt::format("AXI write of {} beats at {:#x}: WLAST is {} on beat {}",
                                        burst.beats, burst.first, last, burst.got));
  }
  if (strobe != 0) {
    burst.written = true;
    burst.low = std::min(burst.low, address + static_cast<unsigned>(std::countr_zero(strobe)));
    burst.high = address + static_cast<unsigned>(std::bit_width(strobe));
  }
  if (burst.direct) {
    store(address, data, strobe);
  } else {
    std::memcpy(burst.data.data() + std::size_t{burst.got} * core_.beat_bytes, data,
                core_.beat_bytes);
    burst.strobe[burst.got] = strobe;
  }
  ++burst.got;
  if (!last) return;
  order_.pop();
  complete(now, index);
}

void WriteChannel::store(BusAddress address, const std::byte* data, std::uint64_t strobe) noexcept {
  std::byte* to = core_.memory.pointer(address);
  if (strobe == full_strobe_) {
    if (core_.beat_bytes == 16) {  // the common width as one move
      std::memcpy(to, data, 16);
    } else {
      std::memcpy(to, data, core_.beat_bytes);
    }
    return;
  }
  while (strobe != 0) {  // a run of bytes at a time
    const int from = std::countr_zero(strobe);
    const int count = std::countr_one(strobe >> from);
    std::memcpy(to + from, data + from, static_cast<std::size_t>(count));
    const int end = from + count;
    strobe = end == 64 ? 0 : strobe >> end << end;
  }
}

// What ends at the last address has no end that can be compared, and nothing is mapped there.
bool WriteChannel::writable(BusAddress begin, BusAddress end) const noexcept {
  return begin < end && core_.memory.writable(begin, end);
}

const WriteHook* WriteChannel::window(BusAddress address) const noexcept {
  for (const WriteHook& hook : hooks_) {
    if (!hook.is_memory && address >= hook.begin && address < hook.end) return &hook;
  }
  return nullptr;
}

// The last beat has come: decide when the data become visible and when the response comes.
void WriteChannel::complete(Cycle now, std::uint32_t index) {
  Burst& burst = *bursts_[index];
  if (burst.direct) {
    run_hooks(burst);
    respond(now, burst, now + latency_);
    release(index);
    return;
  }
  const bool allowed = core_.bus_master && (!burst.written || writable(burst.low, burst.high) ||
                                            window(burst.low) != nullptr);
  if (!allowed) {
    core_.fault(now, burst.low, burst.high - burst.low, true);
    burst.refused = true;
    respond(now, burst, now + latency_);
    release(index);
    return;
  }
  burst.hidden = burst.beats;
  if (core_.options.adversary) {
    complete_adversary(now, index);
  } else if (core_.options.timing == BusTiming::pcie) {
    complete_pcie(now, index);
  } else {
    core_.schedule(now + latency_, true, index, 0, burst.beats);
    respond(now, burst, now + latency_);
  }
}

// Packets of at most MPS bytes go up; a full sending side stops the NIC's data.
void WriteChannel::complete_pcie(Cycle now, std::uint32_t index) {
  const Burst& burst = *bursts_[index];
  const unsigned payload = core_.options.max_payload_bytes;
  const std::int64_t start = core_.ps(now);
  std::int64_t sent = start;
  auto left = static_cast<unsigned>(burst.written ? burst.high - burst.low : 0);
  do {
    const unsigned bytes = std::min(left, payload);
    sent = core_.link.send_up(start, bytes + PcieLink::kRequestOverhead);
    left -= bytes;
  } while (left != 0);
  const auto room = static_cast<std::int64_t>(1e12 * kLinkBuffer / core_.link.bytes_per_second());
  const std::int64_t backlog = core_.link.up_backlog(start);
  if (backlog > room) w_ready_from_ = core_.cycle_at(start + backlog - room);
  const Cycle visible = core_.cycle_at(sent + core_.options.write_latency.count());
  core_.schedule(visible, true, index, 0, burst.beats);
  respond(now, burst, visible);
}

// Each beat becomes visible at a time of its own before the response, but writes of one id to one
// address stay in order.
void WriteChannel::complete_adversary(Cycle now, std::uint32_t index) {
  Burst& burst = *bursts_[index];
  Cycle floor = now;
  for (std::uint32_t other = 0; other < bursts_.size(); ++other) {
    const Burst& earlier = *bursts_[other];
    if (other == index || !earlier.in_use || earlier.hidden == 0 || earlier.id != burst.id)
      continue;
    if (earlier.low < burst.high && burst.low < earlier.high) {
      floor = std::max(floor, earlier.visible);
    }
  }
  const Cycle end = floor + 1 + core_.random.below(latency_ + kAdversaryDelay);
  for (unsigned beat = 0; beat < burst.beats; ++beat) {
    const Cycle due = floor + core_.random.below(end - floor + 1);
    burst.visible = std::max(burst.visible, due);
    core_.schedule(due, true, index, beat, 1);
  }
  respond(now, burst, end + core_.random.below(kAdversaryDelay / 4));
}

void WriteChannel::respond(Cycle now, const Burst& burst, Cycle due) {
  due = last_due_[burst.id] = std::max({due, last_due_[burst.id], now + 1});
  responses_.push(burst.id, {due, burst.refused ? core_.refusal : kRespOkay});
  if (!core_.options.adversary && due_ > now && due < due_) offer_earliest(now);
}

void WriteChannel::make_visible(const BusEvent& event) {
  Burst& burst = *bursts_[event.burst];
  if (burst.written && window(burst.low) == nullptr) {
    if (watcher_.call != nullptr && burst.hidden == burst.beats) {
      watcher_.call(watcher_.context,
                    {burst.low, static_cast<std::uint32_t>(burst.high - burst.low),
                     burst.data.data() + (burst.low - burst.first)});
    }
    for (unsigned beat = event.first; beat < unsigned{event.first} + event.beats; ++beat) {
      const std::size_t offset = std::size_t{beat} * core_.beat_bytes;
      store(burst.first + offset, burst.data.data() + offset, burst.strobe[beat]);
    }
  }
  burst.hidden -= event.beats;
  if (burst.hidden != 0) return;
  run_hooks(burst);
  release(event.burst);
}

void WriteChannel::run_hooks(const Burst& burst) {
  if (!burst.written) return;
  for (std::size_t i = 0; i < hooks_.size(); ++i) {  // a hook may add another
    const WriteHook hook = hooks_[i];
    if (burst.low >= hook.end || burst.high <= hook.begin) continue;
    const std::byte* data = hook.is_memory ? core_.memory.pointer(burst.low)
                                           : burst.data.data() + (burst.low - burst.first);
    hook.call(hook.context, {burst.low, static_cast<std::uint32_t>(burst.high - burst.low), data});
  }
}

void WriteChannel::pop(Cycle now) {
  responses_.pop(id_);
  --outstanding_;
  aw_ready_ = true;
  due_ = kNoCycle;
  if (!core_.options.adversary) offer_earliest(now);
}

void WriteChannel::offer_earliest(Cycle now) {
  const unsigned id = responses_.earliest();
  if (id == kAxiIds) return;
  id_ = id;
  due_ = std::max(responses_.front(id).due, now + 1);
  resp_ = responses_.front(id).resp;
}

void WriteChannel::choose(Cycle now, std::uint64_t dice) {
  aw_ready_ = (dice & 3) != 0 && outstanding_ < kMaxOutstanding;
  w_ready_from_ = (dice & 0xc) != 0 ? now : now + 1;
  if (due_ <= now || (dice & 0x30) == 0) return;
  const unsigned id = responses_.any_due(now, dice >> 8);
  if (id == kAxiIds) return;
  id_ = id;
  resp_ = responses_.front(id).resp;
  due_ = now;
}

std::uint32_t WriteChannel::allocate() {
  if (free_.empty()) {
    free_.push_back(static_cast<std::uint32_t>(bursts_.size()));
    bursts_.push_back(std::make_unique<Burst>());
  }
  const std::uint32_t index = free_.back();
  free_.pop_back();
  bursts_[index]->in_use = true;
  return index;
}

void WriteChannel::release(std::uint32_t index) {
  bursts_[index]->in_use = false;
  free_.push_back(index);
}

}  // namespace nicroscope::sim
