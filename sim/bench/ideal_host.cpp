// SPDX-License-Identifier: Apache-2.0
#include "sim/bench/ideal_host.h"

#include <cstring>
#include <vector>

#include "nicroscope/registers.h"
#include "sim/bench/bring_up.h"

namespace nicroscope::sim {
namespace {

constexpr unsigned kReceiveQueue = 0;  // virtio 1.2, 5.1.2
constexpr unsigned kTransmitQueue = 1;
constexpr std::uint64_t kAlignment = 64;  // of buffers and rings: a cache line
constexpr std::uint64_t kHeader = sizeof(virtio::NetHeader);

constexpr std::uint64_t kFeatures =
    std::uint64_t{1} << regs::kFeatureVersion1 | std::uint64_t{1} << regs::kFeatureRingPacked |
    std::uint64_t{1} << regs::kFeatureAccessPlatform |
    std::uint64_t{1} << regs::kFeatureOrderPlatform | std::uint64_t{1} << regs::kFeatureMrgRxbuf;

constexpr std::uint64_t round_up(std::uint64_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

// AVAIL and USED as the driver sets them for a lap (virtio 1.2, 2.8.1).
constexpr std::uint16_t available_flags(bool wrap) {
  return wrap ? regs::kDescFAvail : regs::kDescFUsed;
}

}  // namespace

IdealHost::IdealHost(Simulation& simulation, const Traffic& traffic, Direction direction)
    : simulation_(simulation),
      traffic_(traffic),
      direction_(direction),
      next_free_(simulation.memory().base()) {
  // Receive buffers are one a slot; transmit buffers hold the frames once for all.
  lay_out(rx_, kRingSlots, kHeader + traffic.longest());
  lay_out(tx_, traffic.distinct(), kHeader + traffic.longest());
  for (std::uint64_t n = 0; n < traffic.distinct(); ++n) {
    const auto frame = traffic.frame(n);
    const auto buffer =
        simulation.memory().at(tx_.buffers + n * tx_.stride + kHeader, frame.size());
    std::memcpy(buffer.data(), frame.data(), frame.size());
  }
  HostArena& memory = simulation.memory();
  memory.dma_map(memory.base(), static_cast<std::size_t>(next_free_ - memory.base()),
                 DmaDirection::bidirectional);
}

BusAddress IdealHost::allocate(std::uint64_t bytes) {
  const BusAddress address = next_free_;
  next_free_ += round_up(bytes);
  return address;
}

void IdealHost::lay_out(Ring& ring, std::uint64_t buffer_count, std::uint64_t buffer_bytes) {
  constexpr std::uint64_t kRingBytes = kRingSlots * sizeof(virtio::PackedDescriptor);
  HostArena& memory = simulation_.memory();
  ring.descriptors = allocate(kRingBytes);
  ring.slots = reinterpret_cast<virtio::PackedDescriptor*>(  // NOLINT
      memory.at(ring.descriptors, kRingBytes).data());
  ring.events = allocate(2 * sizeof(virtio::EventSuppression));
  auto* events = reinterpret_cast<virtio::EventSuppression*>(  // NOLINT
      memory.at(ring.events, 2 * sizeof(virtio::EventSuppression)).data());
  events[0].flags = regs::kEventFlagsDisable;
  ring.device_events = &events[1];
  ring.stride = round_up(buffer_bytes);
  ring.buffers = allocate(buffer_count * ring.stride);
}

std::string IdealHost::start() {
  std::vector<QueueAreas> queues;
  const auto areas = [](unsigned index, const Ring& ring) {
    return QueueAreas{index, kRingSlots, ring.descriptors, ring.events,
                      ring.events + sizeof(virtio::EventSuppression)};
  };
  if (direction_ != Direction::tx) queues.push_back(areas(kReceiveQueue, rx_));
  if (direction_ != Direction::rx) queues.push_back(areas(kTransmitQueue, tx_));
  if (std::string problem = bring_up(simulation_, kFeatures, queues); !problem.empty()) {
    return problem;
  }
  const auto watch = [this](const Ring& ring, auto hook) {
    simulation_.bus().add_write_hook(
        {.begin = ring.descriptors,
         .end = ring.descriptors + kRingSlots * sizeof(virtio::PackedDescriptor),
         .call = hook,
         .context = this});
  };
  if (direction_ != Direction::tx) {
    watch(rx_, on_receive_ring);
    for (std::uint16_t slot = 0; slot < kRingSlots; ++slot) post_receive(slot, true);
    simulation_.port().bar_write(regs::kBarNotify + kReceiveQueue * regs::kNotifyMultiplier, 4,
                                 kReceiveQueue);
  }
  if (direction_ != Direction::rx) {
    watch(tx_, on_transmit_ring);
    for (std::uint16_t slot = 0; slot < kRingSlots; ++slot) post_transmit(slot, true);
    simulation_.port().bar_write(regs::kBarNotify + kTransmitQueue * regs::kNotifyMultiplier, 4,
                                 kTransmitQueue);
  }
  return {};
}

void IdealHost::post_receive(std::uint16_t slot, bool wrap) noexcept {
  rx_.slots[slot] = {
      .addr = rx_.buffers + slot * rx_.stride,
      .len = static_cast<std::uint32_t>(rx_.stride),
      .id = slot,
      .flags = static_cast<std::uint16_t>(regs::kDescFWrite | available_flags(wrap))};
  ++rx_.posted;
}

void IdealHost::post_transmit(std::uint16_t slot, bool wrap) noexcept {
  const std::uint64_t n = tx_.posted++;
  tx_.slots[slot] = {.addr = tx_.buffers + n % traffic_.distinct() * tx_.stride,
                     .len = static_cast<std::uint32_t>(kHeader + traffic_.frame(n).size()),
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
  ++ring.done;
  if (++ring.next == kRingSlots) {
    ring.next = 0;
    ring.wrap = !ring.wrap;
  }
}

void IdealHost::on_receive_ring(void* self, const VisibleWrite& /*write*/) {
  auto& host = *static_cast<IdealHost*>(self);
  Ring& ring = host.rx_;
  while (used(ring)) {
    const std::uint16_t slot = ring.next;
    host.check_received(ring.slots[slot]);
    const bool next_lap = !ring.wrap;
    advance(ring);
    host.post_receive(slot, next_lap);
  }
  host.kick(ring, kReceiveQueue);
}

void IdealHost::on_transmit_ring(void* self, const VisibleWrite& /*write*/) {
  auto& host = *static_cast<IdealHost*>(self);
  Ring& ring = host.tx_;
  while (used(ring)) {
    const std::uint16_t slot = ring.next;
    if (ring.slots[slot].id != slot) host.complaint_ = "a transmit buffer came back out of order";
    const bool next_lap = !ring.wrap;
    advance(ring);
    host.post_transmit(slot, next_lap);
  }
  host.kick(ring, kTransmitQueue);
}

void IdealHost::check_received(const virtio::PackedDescriptor& element) {
  const auto expected = traffic_.frame(rx_.done);
  const auto buffer =
      simulation_.memory().at(rx_.buffers + element.id % kRingSlots * rx_.stride, rx_.stride);
  if (element.len != kHeader + expected.size()) {
    complaint_ = "a received frame has another length than the one sent";
  } else if (std::memcmp(buffer.data() + kHeader, expected.data(), expected.size()) != 0) {
    complaint_ = "a received frame differs from the one sent";
  }
}

}  // namespace nicroscope::sim
