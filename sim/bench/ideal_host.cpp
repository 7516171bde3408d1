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

// AVAIL and USED as the driver sets them for a lap (virtio 1.2, 2.8.1).
constexpr std::uint16_t available_flags(bool wrap) {
  return wrap ? regs::kDescFAvail : regs::kDescFUsed;
}

}  // namespace

IdealHost::IdealHost(Simulation& simulation, const Traffic& traffic, const HostOptions& options)
    : simulation_(simulation),
      traffic_(traffic),
      options_(options),
      next_free_(simulation.memory().base()),
      control_(simulation, allocate(ControlQueue::kBytes)),
      rx_(options.pairs),
      tx_(options.pairs) {
  for (unsigned pair = 0; pair < options.pairs; ++pair) {
    lay_out(rx_[pair], pair, kHeader + traffic.longest());
    lay_out(tx_[pair], pair, 0);
  }
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

// A ring, its event areas and a buffer of `buffer_bytes` for each slot.
void IdealHost::lay_out(Ring& ring, unsigned pair, std::uint64_t buffer_bytes) {
  constexpr std::uint64_t kRingBytes = kRingSlots * sizeof(virtio::PackedDescriptor);
  HostArena& memory = simulation_.memory();
  ring.host = this;
  ring.pair = pair;
  ring.descriptors = allocate(kRingBytes);
  ring.slots = reinterpret_cast<virtio::PackedDescriptor*>(  // NOLINT
      memory.at(ring.descriptors, kRingBytes).data());
  ring.events = allocate(2 * sizeof(virtio::EventSuppression));
  auto* events = reinterpret_cast<virtio::EventSuppression*>(  // NOLINT
      memory.at(ring.events, 2 * sizeof(virtio::EventSuppression)).data());
  events[0].flags = options_.interrupts ? regs::kEventFlagsEnable : regs::kEventFlagsDisable;
  ring.device_events = &events[1];
  ring.stride = round_up(buffer_bytes);
  ring.buffers = allocate(kRingSlots * ring.stride);
}

// The frames to send lie in memory once for all, each behind its header.
void IdealHost::write_frames() {
  frame_stride_ = round_up(kHeader + traffic_.longest());
  frames_ = allocate(traffic_.distinct() * frame_stride_);
  for (std::uint64_t n = 0; n < traffic_.distinct(); ++n) {
    const auto frame = traffic_.frame(n);
    const auto buffer =
        simulation_.memory().at(frames_ + n * frame_stride_ + kHeader, frame.size());
    std::memcpy(buffer.data(), frame.data(), frame.size());
  }
}

std::string IdealHost::start() {
  std::vector<QueueAreas> queues;
  const auto add = [&](unsigned index, const Ring& ring) {
    queues.push_back({index, kRingSlots, ring.descriptors, ring.events,
                      ring.events + sizeof(virtio::EventSuppression),
                      options_.interrupts ? static_cast<std::uint16_t>(index) : regs::kNoVector});
  };
  const unsigned pairs = static_cast<unsigned>(rx_.size());
  for (unsigned pair = 0; pair < pairs; ++pair) {
    if (options_.direction != Direction::tx) add(receive_queue(pair), rx_[pair]);
    if (options_.direction != Direction::rx) add(transmit_queue(pair), tx_[pair]);
  }
  std::uint64_t features = kFeatures;
  if (pairs > 1) {
    features |= kManyPairs;
    queues.push_back(control_.areas());
  }
  if (std::string problem = bring_up(simulation_, features, queues); !problem.empty()) {
    return problem;
  }
  if (pairs > 1) {
    if (std::string problem = control_.spread(pairs); !problem.empty()) return problem;
  }
  for (unsigned pair = 0; pair < pairs; ++pair) {
    if (options_.direction != Direction::tx) {
      watch(rx_[pair], on_receive_ring);
      for (std::uint16_t slot = 0; slot < kRingSlots; ++slot) post_receive(rx_[pair], slot, true);
      kick(rx_[pair], receive_queue(pair));
    }
    if (options_.direction != Direction::rx) {
      watch(tx_[pair], on_transmit_ring);
      if (options_.send_when_told) continue;
      for (std::uint16_t slot = 0; slot < kRingSlots; ++slot) post_transmit(tx_[pair], slot, true);
      kick(tx_[pair], transmit_queue(pair));
    }
  }
  return {};
}

void IdealHost::send_one() {
  Ring& ring = tx_.front();
  const auto slot = static_cast<std::uint16_t>(ring.posted % kRingSlots);
  post_transmit(ring, slot, ring.posted / kRingSlots % 2 == 0);
  kick(ring, transmit_queue(ring.pair));
}

void IdealHost::watch(Ring& ring, void (*hook)(void*, const VisibleWrite&)) {
  simulation_.bus().add_write_hook(
      {.begin = ring.descriptors,
       .end = ring.descriptors + kRingSlots * sizeof(virtio::PackedDescriptor),
       .call = hook,
       .context = &ring});
}

void IdealHost::post_receive(Ring& ring, std::uint16_t slot, bool wrap) noexcept {
  ring.slots[slot] = {
      .addr = ring.buffers + slot * ring.stride,
      .len = static_cast<std::uint32_t>(ring.stride),
      .id = slot,
      .flags = static_cast<std::uint16_t>(regs::kDescFWrite | available_flags(wrap))};
  ++ring.posted;
}

void IdealHost::post_transmit(Ring& ring, std::uint16_t slot, bool wrap) noexcept {
  const IdealHost& host = *ring.host;
  const std::uint64_t n =
      (ring.posted++ * host.tx_.size() + ring.pair) % host.traffic_.distinct();
  ring.slots[slot] = {.addr = host.frames_ + n * host.frame_stride_,
                      .len = static_cast<std::uint32_t>(kHeader + host.traffic_.frame(n).size()),
                      .id = slot,
                      .flags = available_flags(wrap)};
}

void IdealHost::kick(const Ring& ring, unsigned virtqueue) {
  if (ring.device_events->flags == regs::kEventFlagsDisable) return;
  simulation_.port().bar_write(regs::kBarNotify + virtqueue * regs::kNotifyMultiplier, 4,
                               virtqueue);
}

bool IdealHost::used(const Ring& ring) noexcept {
  const std::uint16_t flags = ring.slots[ring.next].flags;
  const bool avail_bit = (flags & regs::kDescFAvail) != 0;
  const bool used_bit = (flags & regs::kDescFUsed) != 0;
  return avail_bit == used_bit && used_bit == ring.wrap;
}

void IdealHost::advance(Ring& ring) noexcept {
  if (++ring.next == kRingSlots) {
    ring.next = 0;
    ring.wrap = !ring.wrap;
  }
}

void IdealHost::on_receive_ring(void* context, const VisibleWrite& /*write*/) {
  Ring& ring = *static_cast<Ring*>(context);
  IdealHost& host = *ring.host;
  while (used(ring)) {
    const std::uint16_t slot = ring.next;
    host.check_received(ring, ring.slots[slot]);
    const bool next_lap = !ring.wrap;
    advance(ring);
    post_receive(ring, slot, next_lap);
  }
  host.kick(ring, receive_queue(ring.pair));
}

void IdealHost::on_transmit_ring(void* context, const VisibleWrite& /*write*/) {
  Ring& ring = *static_cast<Ring*>(context);
  IdealHost& host = *ring.host;
  while (used(ring)) {
    const std::uint16_t slot = ring.next;
    if (ring.slots[slot].id != slot) host.complaint_ = "a transmit buffer came back out of order";
    const bool next_lap = !ring.wrap;
    advance(ring);
    if (!host.options_.send_when_told) post_transmit(ring, slot, next_lap);
  }
  host.kick(ring, transmit_queue(ring.pair));
}

// A frame is one of those sent, whole, and behind the one before it in its queue; frames may be
// missing between the two. Its number follows from the place that it has among the distinct ones.
void IdealHost::check_received(Ring& ring, const virtio::PackedDescriptor& element) {
  ++received_;
  if (element.len < kHeader || element.len > ring.stride) {
    complaint_ = "a received frame has an impossible length";
    return;
  }
  const auto buffer =
      simulation_.memory().at(ring.buffers + element.id % kRingSlots * ring.stride, element.len);
  const auto index = traffic_.recognize(buffer.subspan(kHeader));
  if (!index) {
    complaint_ = "a received frame differs from those sent";
    return;
  }
  const std::uint64_t distinct = traffic_.distinct();
  const std::uint64_t behind = (*index + distinct - ring.reached % distinct) % distinct;
  ring.reached += behind + 1;
  reached_ = std::max(reached_, ring.reached);
}

}  // namespace nicroscope::sim
