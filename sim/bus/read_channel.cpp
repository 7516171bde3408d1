// SPDX-License-Identifier: Apache-2.0
#include "sim/bus/read_channel.h"

#include <fmt/format.h>

#include <bit>
#include <cstring>

#include "sim/base/failure.h"

namespace nicroscope::sim {

namespace {
// What a refused read returns.
alignas(64) constexpr std::array<std::byte, kMaxBurstBytes> kNothing{};
// How far the adversary delays a beat, and the next one after it, in cycles.
constexpr Cycle kAdversaryDelay = 120;
constexpr Cycle kAdversaryGap = 3;
}  // namespace

ReadChannel::ReadChannel(BusCore& core)
    : core_(core),
      tag_free_(std::max(core.options.tags, 1U), 0),
      latency_(core.clock.cycles_for(core.options.read_latency)) {}

void ReadChannel::request(Cycle now, unsigned id, BusAddress address, unsigned len, unsigned size,
                          unsigned burst) {
  const BusAddress first = address & ~BusAddress{core_.beat_bytes - 1};
  const unsigned beats = len + 1;
  const unsigned bytes = beats * core_.beat_bytes;
  check(first, bytes, size, burst);
  ++outstanding_;
  ar_ready_ = outstanding_ < kMaxOutstanding;
  // What ends at the last address has no end that can be compared, and nothing is mapped there.
  const bool wraps = first + bytes < first;
  if (!core_.bus_master || wraps ||
      !core_.memory.readable(address, first + bytes, core_.beat_bytes)) {
    core_.fault(now, address, first + bytes - address, false);
    answer_fault(now, id, beats);
  } else if (core_.options.adversary) {
    answer_adversary(now, id, first, beats);
  } else if (core_.options.timing == BusTiming::ideal) {
    answer_direct(now, id, first, beats);
  } else {
    answer_pcie(now, id, first, beats);
  }
}

void ReadChannel::check(BusAddress address, unsigned bytes, unsigned size, unsigned burst) const {
  const char* broken = nullptr;
  if (size != static_cast<unsigned>(std::countr_zero(core_.beat_bytes))) {
    broken = "ARSIZE is not the width of the bus";
  } else if (burst != 1) {
    broken = "ARBURST is not INCR";
  } else if ((address & 4095) + bytes > 4096) {
    broken = "the burst crosses 4 KiB";
  }
  if (broken != nullptr) {
    throw SimulationFailure(
        fmt::format("AXI read of {} bytes at {:#x}: {}", bytes, address, broken));
  }
}

// Memory is sampled as each beat is sent.
void ReadChannel::answer_direct(Cycle now, unsigned id, BusAddress first, unsigned beats) {
  const Cycle jitter = core_.clock.cycles_for(Duration{core_.jitter()});
  add(now, id,
      {now + latency_ + jitter, core_.memory.pointer(first), kDirect,
       static_cast<std::uint16_t>(beats), kRespOkay, true});
}

void ReadChannel::answer_fault(Cycle now, unsigned id, unsigned beats) {
  const auto answer = [&](unsigned count, std::uint8_t response, bool last) {
    add(now, id,
        {now + latency_, kNothing.data(), kDirect, static_cast<std::uint16_t>(count), response,
         last});
  };
  const unsigned good = core_.refuse_late ? beats - 1 : 0;
  if (good != 0) answer(good, kRespOkay, false);
  answer(beats - good, core_.refusal, true);
}

// The request goes up in pieces of at most MRRS bytes, each of which holds a tag; memory is sampled
// half-way; completions come down in pieces of at most MPS bytes that end at multiples of RCB.
void ReadChannel::answer_pcie(Cycle now, unsigned id, BusAddress first, unsigned beats) {
  const BusOptions& options = core_.options;
  const std::uint32_t burst = stage(first);
  const std::byte* data = staging_[burst]->data.data();
  const std::int64_t start = core_.ps(now);
  const BusAddress end = first + std::uint64_t{beats} * core_.beat_bytes;
  BusAddress position = first;
  while (position < end) {
    const BusAddress request_end = std::min(
        end, (position / options.max_read_request_bytes + 1) * options.max_read_request_bytes);
    const std::int64_t sent = core_.link.send_up(take_tag(start), PcieLink::kRequestOverhead);
    const std::int64_t latency = options.read_latency.count() + core_.jitter();
    core_.schedule(core_.cycle_at(sent + latency / 2), false, burst,
                   static_cast<unsigned>(position - first) / core_.beat_bytes,
                   static_cast<unsigned>(request_end - position) / core_.beat_bytes);
    std::int64_t arrived = sent + latency;
    while (position < request_end) {
      const BusAddress limit = position + options.max_payload_bytes;
      const BusAddress boundary =
          limit / options.read_completion_boundary_bytes * options.read_completion_boundary_bytes;
      const BusAddress chunk_end = std::min(request_end, boundary);
      const auto bytes = static_cast<unsigned>(chunk_end - position);
      arrived = core_.link.send_down(arrived, bytes + PcieLink::kCompletionOverhead);
      add(now, id,
          {core_.cycle_at(arrived), data + (position - first), burst,
           static_cast<std::uint16_t>(bytes / core_.beat_bytes), kRespOkay, chunk_end == end});
      position = chunk_end;
    }
    tag_free_[next_tag_] = arrived;
    next_tag_ = (next_tag_ + 1) % tag_free_.size();
  }
}

// Every beat has a time of its own and is sampled at any time from the request to it.
void ReadChannel::answer_adversary(Cycle now, unsigned id, BusAddress first, unsigned beats) {
  const std::uint32_t burst = stage(first);
  const std::byte* data = staging_[burst]->data.data();
  Cycle due = now + latency_ + core_.random.below(kAdversaryDelay);
  for (unsigned beat = 0; beat < beats; ++beat) {
    due = std::max(due + core_.random.below(kAdversaryGap), last_due_[id]);
    core_.schedule(now + core_.random.below(due - now + 1), false, burst, beat, 1);
    add(now, id,
        {due, data + std::size_t{beat} * core_.beat_bytes, burst, 1, kRespOkay, beat + 1 == beats});
  }
}

std::uint32_t ReadChannel::stage(BusAddress first) {
  if (free_staging_.empty()) {
    free_staging_.push_back(static_cast<std::uint32_t>(staging_.size()));
    staging_.push_back(std::make_unique<Staging>());
  }
  const std::uint32_t burst = free_staging_.back();
  free_staging_.pop_back();
  staging_[burst]->address = first;
  return burst;
}

// When a request that is ready now finds a free tag.
std::int64_t ReadChannel::take_tag(std::int64_t ready) {
  return std::max(ready, tag_free_[next_tag_]);
}

void ReadChannel::sample(const BusEvent& event) {
  Staging& staging = *staging_[event.burst];
  const std::size_t offset = std::size_t{event.first} * core_.beat_bytes;
  std::memcpy(staging.data.data() + offset, core_.memory.pointer(staging.address + offset),
              std::size_t{event.beats} * core_.beat_bytes);
}

void ReadChannel::add(Cycle now, unsigned id, Segment segment) {
  segment.due = last_due_[id] = std::max({segment.due, last_due_[id], now + 1});
  segments_.push(id, segment);
  if (!core_.options.adversary && !started_ && due_ > now && segment.due < due_) offer(id);
}

void ReadChannel::offer(unsigned id) {
  const Segment& segment = segments_.front(id);
  id_ = id;
  due_ = segment.due;
  data_ = segment.data;
  left_ = segment.beats;
  resp_ = segment.resp;
  last_segment_ = segment.last;
  started_ = false;
}

void ReadChannel::finish_segment(Cycle now) {
  const Segment done = segments_.front(id_);
  segments_.pop(id_);
  if (done.last) {
    --outstanding_;
    ar_ready_ = true;
    if (done.burst != kDirect) free_staging_.push_back(done.burst);
  }
  started_ = false;
  due_ = kNoCycle;
  if (core_.options.adversary) return;
  const unsigned next = segments_.earliest();
  if (next == kAxiIds) return;
  offer(next);
  due_ = std::max(due_, now + 1);
}

void ReadChannel::choose(Cycle now, std::uint64_t dice) {
  ar_ready_ = (dice & 3) != 0 && outstanding_ < kMaxOutstanding;
  if (due_ <= now || (dice & 0xc) == 0) return;  // an offer stands until taken; now and then none
  const unsigned id = segments_.any_due(now, dice >> 8);
  if (id == kAxiIds) return;
  offer(id);
  due_ = now;
}

}  // namespace nicroscope::sim
