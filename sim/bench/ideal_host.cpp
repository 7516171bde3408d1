// SPDX-License-Identifier: Apache-2.0
#include "sim/bench/ideal_host.h"

#include <algorithm>
#include <cstring>

#include "nicroscope/registers.h"
#include "sim/bench/bring_up.h"

namespace nicroscope::sim {
namespace {

// Virtqueues of a pair (virtio 1.2, 5.1.2).
constexpr unsigned receive_queue(unsigned pair) { return 2 * pair; }
constexpr unsigned transmit_queue(unsigned pair) { return 2 * pair + 1; }

constexpr std::uint64_t kAlignment = 64;  // of buffers and rings: a cache line
constexpr std::uint64_t kHeader = sizeof(virtio::NetHeader);

constexpr std::uint64_t kFeatures =
    std::uint64_t{1} << regs::kFeatureVersion1 | std::uint64_t{1} << regs::kFeatureRingPacked |
    std::uint64_t{1} << regs::kFeatureAccessPlatform |
    std::uint64_t{1} << regs::kFeatureOrderPlatform | std::uint64_t{1} << regs::kFeatureMrgRxbuf;

constexpr std::uint64_t kManyPairs = std::uint64_t{1} << regs::kFeatureCtrlVq |
                                     std::uint64_t{1} << regs::kFeatureMq |
                                     std::uint64_t{1} << regs::kFeatureRss;

constexpr std::uint64_t round_up(std::uint64_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

}  // namespace

IdealHost::IdealHost(Simulation& simulation, const Traffic& traffic, const HostOptions& options)
    : simulation_(simulation),
      traffic_(traffic),
      options_(options),
      next_free_(simulation.memory().base()),
      control_(simulation, allocate(ControlQueue::kBytes)),
      stride_(round_up(kHeader + traffic.longest())) {
  pairs_.reserve(options.pairs);  // hooks point into it
  for (unsigned n = 0; n < options.pairs; ++n) pairs_.push_back(make_pair(n));
  write_frames();
  HostArena& memory = simulation.memory();
  memory.dma_map(memory.base(), static_cast<std::size_t>(next_free_ - memory.base()),
                 DmaDirection::bidirectional);
}

BusAddress IdealHost::allocate(std::uint64_t bytes) {
  const BusAddress address = next_free_;
  next_free_ += round_up(bytes);
  return address;
}

IdealHost::Pair IdealHost::make_pair(unsigned number) {
  const auto ring = [&](unsigned virtqueue) {
    return PackedRing(simulation_, allocate(PackedRing::bytes(kRingSlots)), virtqueue, kRingSlots,
                      options_.interrupts);
  };
  return {.host = this,
          .number = number,
          .rx = ring(receive_queue(number)),
          .tx = ring(transmit_queue(number)),
          .buffers = allocate(kRingSlots * stride_)};
}

// The frames to send lie in memory once for all, each behind its header.
void IdealHost::write_frames() {
  frames_ = allocate(traffic_.distinct() * stride_);
  for (std::uint64_t n = 0; n < traffic_.distinct(); ++n) {
    const auto frame = traffic_.frame(n);
    const auto buffer = simulation_.memory().at(frames_ + n * stride_ + kHeader, frame.size());
    std::memcpy(buffer.data(), frame.data(), frame.size());
  }
}

std::string IdealHost::start() {
  std::vector<QueueAreas> queues;
  for (const Pair& pair : pairs_) {
    if (options_.direction != Direction::tx) queues.push_back(pair.rx.areas());
    if (options_.direction != Direction::rx) queues.push_back(pair.tx.areas());
  }
  std::uint64_t features = kFeatures;
  const auto count = static_cast<unsigned>(pairs_.size());
  if (count > 1) {
    features |= kManyPairs;
    queues.push_back(control_.areas());
  }
  if (std::string problem = bring_up(simulation_, features, queues); !problem.empty()) {
    return problem;
  }
  if (count > 1) {
    if (std::string problem = control_.spread(count); !problem.empty()) return problem;
  }
  for (Pair& pair : pairs_) {
    if (options_.direction != Direction::tx) {
      pair.rx.watch(on_receive_ring, &pair);
      for (std::uint16_t id = 0; id < kRingSlots; ++id) post_receive(pair, id);
      pair.rx.kick();
    }
    if (options_.direction != Direction::rx) {
      pair.tx.watch(on_transmit_ring, &pair);
      if (options_.send_when_told) continue;
      for (std::uint16_t id = 0; id < kRingSlots; ++id) post_transmit(pair, id);
      pair.tx.kick();
    }
  }
  return {};
}

void IdealHost::send_one() {
  Pair& pair = pairs_.front();
  post_transmit(pair, static_cast<std::uint16_t>(pair.posted % kRingSlots));
  pair.tx.kick();
}

void IdealHost::post_receive(Pair& pair, std::uint16_t id) noexcept {
  const std::uint64_t stride = pair.host->stride_;
  pair.rx.add({pair.buffers + id * stride, static_cast<std::uint32_t>(stride), true}, id);
}

void IdealHost::post_transmit(Pair& pair, std::uint16_t id) noexcept {
  const IdealHost& host = *pair.host;
  const std::uint64_t n =
      (pair.posted++ * host.pairs_.size() + pair.number) % host.traffic_.distinct();
  pair.tx.add({host.frames_ + n * host.stride_,
               static_cast<std::uint32_t>(kHeader + host.traffic_.frame(n).size()), false},
              id);
}

void IdealHost::on_receive_ring(void* context, const VisibleWrite& /*write*/) {
  Pair& pair = *static_cast<Pair*>(context);
  while (const auto used = pair.rx.take()) {
    pair.host->check_received(pair, *used);
    if (!pair.host->complaint_.empty()) return;
    post_receive(pair, used->id);
  }
  pair.rx.kick();
}

void IdealHost::on_transmit_ring(void* context, const VisibleWrite& /*write*/) {
  Pair& pair = *static_cast<Pair*>(context);
  while (const auto used = pair.tx.take()) {
    if (used->id >= kRingSlots) {
      pair.host->complaint_ = "a used element is impossible";
      return;
    }
    if (!pair.host->options_.send_when_told) post_transmit(pair, used->id);
  }
  pair.tx.kick();
}

// A frame is one of those sent, whole, and behind the one before it in its queue; frames may be
// missing between the two. Its number follows from the place that it has among the distinct ones.
void IdealHost::check_received(Pair& pair, const PackedRing::Used& used) {
  ++received_;
  if (used.length < kHeader || used.length > stride_ || used.id >= kRingSlots) {
    complaint_ = "a used element is impossible";
    return;
  }
  const auto buffer = simulation_.memory().at(pair.buffers + used.id * stride_, used.length);
  const auto index = traffic_.recognize(buffer.subspan(kHeader));
  if (!index) {
    complaint_ = "a received frame differs from those sent";
    return;
  }
  const std::uint64_t distinct = traffic_.distinct();
  const std::uint64_t behind = (*index + distinct - pair.reached % distinct) % distinct;
  pair.reached += behind + 1;
  reached_ = std::max(reached_, pair.reached);
  if (options_.on_received) options_.on_received();
}

}  // namespace nicroscope::sim
