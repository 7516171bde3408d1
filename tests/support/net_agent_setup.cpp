// SPDX-License-Identifier: Apache-2.0
// The driver's way in and out: probe, queues, resets (virtio 1.2, 3.1.1, 2.6.1, 4.1.4.3, 4.1.5.1).
#include <fmt/format.h>

#include <algorithm>

#include "tests/support/net_agent.h"

namespace nicroscope::test {

namespace {
constexpr unsigned kCommand = 0x04;
constexpr unsigned kMemoryAndBusMaster = 0x6;
constexpr unsigned kCapabilities = 0x34;
constexpr unsigned kMsixCapability = 0x11;
constexpr unsigned kMsixEnable = 0x8000;
constexpr std::uint32_t kStatus = regs::kBarCommon + regs::kCommonDeviceStatus;
constexpr Duration kPatience = std::chrono::milliseconds{5};
constexpr std::size_t kTransmitPlace = 72 * 1024;  // a super-frame in pieces
constexpr std::size_t kReceiveAlignment = 64;
}  // namespace

NetAgent::NetAgent(sim::Simulation& simulation, std::uint64_t seed)
    : simulation_(simulation), random_(seed), arena_(simulation.memory()) {
  auto& port = simulation.port();
  port.config_write(kCommand, 2, kMemoryAndBusMaster);
  unsigned capability = port.config_read(kCapabilities, 1);
  while (capability != 0 && port.config_read(capability, 1) != kMsixCapability) {
    capability = port.config_read(capability + 1, 1);
  }
  port.config_write(capability + 2, 2, kMsixEnable);
  port.on_msi([this](unsigned vector) { on_msi(vector); });
}

std::string NetAgent::run_for(Duration time, const std::function<bool()>& done) {
  const auto result = simulation_.run_until(simulation_.timeline().now() + time, done);
  if (!result.ok()) return result.message;
  if (!error_.empty()) return error_;
  if (!simulation_.bus().faults().empty()) {
    const sim::DmaFault& fault = simulation_.bus().faults().front();
    return fmt::format("a DMA access to {:#x} was refused", fault.address);
  }
  return {};
}

std::uint32_t NetAgent::read(std::uint32_t offset, unsigned size) {
  bool done = false;
  std::uint32_t value = 0;
  simulation_.port().bar_read(offset, size, [&](std::uint32_t word) {
    value = word;
    done = true;
  });
  const Time give_up = simulation_.timeline().now() + kPatience;
  while (!done && error_.empty() && simulation_.timeline().now() < give_up) {
    const std::string problem =
        run_for(give_up - simulation_.timeline().now(), [&] { return done; });
    if (!problem.empty()) fail(problem);
  }
  if (!done) fail(fmt::format("a read of register {:#x} is not answered", offset));
  return value;
}

void NetAgent::write(std::uint32_t offset, unsigned size, std::uint32_t value) {
  simulation_.port().bar_write(offset, size, value);
}

std::uint64_t NetAgent::counter(unsigned number) {
  const std::uint32_t offset =
      regs::kBarVendor + regs::kVendorCounters + number * regs::kCounterBytes;
  const std::uint64_t low = read(offset, 4);
  return low | std::uint64_t{read(offset + 4, 4)} << 32;
}

std::string NetAgent::wait_until(std::uint32_t offset, unsigned size, std::uint32_t value) {
  const Time give_up = simulation_.timeline().now() + kPatience;
  while (error_.empty() && simulation_.timeline().now() < give_up) {
    if (read(offset, size) == value) return {};
  }
  if (error_.empty()) fail(fmt::format("register {:#x} does not become {}", offset, value));
  return error_;
}

std::uint64_t NetAgent::offered() {
  std::uint64_t features = 0;
  for (unsigned half = 0; half < 2; ++half) {
    write(regs::kBarCommon + regs::kCommonDeviceFeatureSelect, 4, half);
    features |= std::uint64_t{read(regs::kBarCommon + regs::kCommonDeviceFeature, 4)}
                << (32 * half);
  }
  return features;
}

std::string NetAgent::negotiate() {
  write(kStatus, 1, 0);
  if (!wait_until(kStatus, 1, 0).empty()) return error_;
  write(kStatus, 1, regs::kStatusAcknowledge | regs::kStatusDriver);
  for (unsigned half = 0; half < 2; ++half) {
    write(regs::kBarCommon + regs::kCommonDriverFeatureSelect, 4, half);
    write(regs::kBarCommon + regs::kCommonDriverFeature, 4,
          static_cast<std::uint32_t>(plan_.features >> (32 * half)));
  }
  const std::uint32_t agreed =
      regs::kStatusAcknowledge | regs::kStatusDriver | regs::kStatusFeaturesOk;
  write(kStatus, 1, agreed);
  if (read(kStatus, 1) != agreed) {
    return fmt::format("the device refuses the features {:#x}", plan_.features);
  }
  return error_;
}

void NetAgent::mask(unsigned vector, bool masked) {
  if (masked) vectors_.at(vector).reset();
  write(regs::kBarMsixTable + vector * regs::kMsixEntryBytes + regs::kMsixEntryControl, 4,
        masked ? 1 : 0);
}

void NetAgent::set_up_vectors() {
  for (unsigned vector = 0; vector < 2 * pairs_ + 1; ++vector) {
    const auto message = simulation_.port().msi_message(vector);
    const std::uint32_t entry = regs::kBarMsixTable + vector * regs::kMsixEntryBytes;
    write(entry + regs::kMsixEntryAddrLo, 4, static_cast<std::uint32_t>(message.address));
    write(entry + regs::kMsixEntryAddrHi, 4, static_cast<std::uint32_t>(message.address >> 32));
    write(entry + regs::kMsixEntryData, 4, message.data);
    mask(vector, false);
  }
}

// Of a receive buffer with `left` bytes to go, in `pieces` descriptors; none may pass 64 KiB.
std::size_t NetAgent::piece_bytes(std::size_t left, std::size_t pieces) {
  const std::size_t most = std::min<std::size_t>(left - pieces + 1, 999);
  return left > 60000 ? most : 1 + random_.below(most);
}

void NetAgent::make_queue(unsigned index) {
  Queue& queue = queues_.at(index);
  const unsigned size = plan_.queues[index].size;
  queue = {};
  queue.index = index;
  queue.generation = ++generation_;
  queue.ring = std::make_unique<PackedRing>(arena_, index, size, random_.next());
  queue.in_device.resize(size);
  if (is_control(index)) {
    queue.places.push_back(arena_.reserve(kTransmitPlace));
    return;
  }
  if (is_transmit(index)) {
    for (unsigned n = 0; n < size; ++n) queue.places.push_back(arena_.reserve(kTransmitPlace));
    return;
  }
  for (unsigned n = 0; n < size / plan_.rx_pieces; ++n) {
    Buffer buffer;
    std::size_t left = plan_.rx_buffer_bytes;
    for (unsigned piece = plan_.rx_pieces; piece != 0; --piece) {
      const std::size_t bytes = piece == 1 ? left : piece_bytes(left, piece);
      const BusAddress place = arena_.allocate(index, bytes, DmaDirection::from_device,
                                               kReceiveAlignment, plan_.rx_buffer_offset);
      buffer.pieces.push_back({place, static_cast<std::uint32_t>(bytes), true});
      left -= bytes;
    }
    queue.spare.push_back(std::move(buffer));
  }
}

void NetAgent::configure(unsigned index) {
  const std::uint32_t common = regs::kBarCommon;
  Queue& queue = queues_.at(index);
  const PackedRing& ring = *queue.ring;
  write(common + regs::kCommonQueueSelect, 2, index);
  queue.doorbell = read(common + regs::kCommonQueueNotifyOff, 2);
  write(common + regs::kCommonQueueSize, 2, ring.size());
  write(common + regs::kCommonQueueMsixVector, 2, plan_.queues[index].vector);
  const auto address = [&](unsigned field, BusAddress value) {
    write(common + field, 4, static_cast<std::uint32_t>(value));
    write(common + field + 4, 4, static_cast<std::uint32_t>(value >> 32));
  };
  address(regs::kCommonQueueDesc, ring.descriptors());
  address(regs::kCommonQueueDriver, ring.driver_area());
  address(regs::kCommonQueueDevice, ring.device_area());
  write(common + regs::kCommonQueueEnable, 2, 1);
}

std::string NetAgent::start(const AgentPlan& plan) {
  plan_ = plan;
  pairs_ = static_cast<unsigned>(plan.queues.size() / 2);
  queues_.clear();
  queues_.resize(plan.queues.size());
  kicks_.assign(plan.queues.size(), 0);
  vectors_.assign(2 * std::size_t{pairs_} + 1, 0);
  commands_ = commands_ok_ = 0;
  if (const std::string problem = negotiate(); !problem.empty()) return problem;
  set_up_vectors();
  for (unsigned index = 0; index < queues_.size(); ++index) {
    make_queue(index);
    configure(index);
  }
  const std::uint32_t ready = regs::kStatusAcknowledge | regs::kStatusDriver |
                              regs::kStatusFeaturesOk | regs::kStatusDriverOk;
  write(kStatus, 1, ready);
  if (read(kStatus, 1) != ready) return "the device does not start";
  running_ = true;
  for (Queue& queue : queues_) {
    if (!is_transmit(queue.index) && !is_control(queue.index)) refill(queue);
    if (!rearm(queue)) schedule_poll(queue, Duration{0});
  }
  return error_;
}

std::string NetAgent::stop() {
  running_ = false;
  write(kStatus, 1, 0);
  if (!wait_until(kStatus, 1, 0).empty()) return error_;
  for (Queue& queue : queues_) drain(queue);
  queues_.clear();
  command_.reset();
  arena_.release_all();
  return error_;
}

std::string NetAgent::reset_queue(unsigned virtqueue) {
  const std::uint32_t common = regs::kBarCommon;
  queues_.at(virtqueue).resetting = true;
  write(common + regs::kCommonQueueSelect, 2, virtqueue);
  write(common + regs::kCommonQueueReset, 2, 1);
  if (!wait_until(common + regs::kCommonQueueReset, 2, 0).empty()) return error_;
  if (read(common + regs::kCommonQueueEnable, 2) != 0) return "a queue is enabled after its reset";
  Queue& queue = queues_.at(virtqueue);
  drain(queue);
  if (is_control(virtqueue)) command_.reset();
  arena_.release(virtqueue);
  const unsigned doorbell = queue.doorbell;
  make_queue(virtqueue);
  queue.doorbell = doorbell;  // frames may be sent while the registers are read
  configure(virtqueue);
  if (read(common + regs::kCommonQueueEnable, 2) != 1) return "a queue does not start again";
  if (!is_transmit(virtqueue) && !is_control(virtqueue)) refill(queue);
  if (!rearm(queue)) schedule_poll(queue, Duration{0});
  return error_;
}

}  // namespace nicroscope::test
