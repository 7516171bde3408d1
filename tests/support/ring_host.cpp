// SPDX-License-Identifier: Apache-2.0
#include "tests/support/ring_host.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace nicroscope::test {

namespace {
constexpr unsigned kCommand = 0x04;
constexpr unsigned kMemoryAndBusMaster = 0x6;
constexpr unsigned kRxVector = 1;
constexpr unsigned kTxVector = 2;
constexpr std::size_t kHeader = sizeof(virtio::NetHeader);
}  // namespace

RingHost::RingHost(sim::Simulation& simulation, const Options& options)
    : simulation_(simulation), options_(options), free_(simulation.memory().base()) {}

BusAddress RingHost::allocate(std::size_t bytes, std::size_t alignment) {
  free_ = (free_ + alignment - 1) / alignment * alignment;
  const BusAddress place = free_;
  free_ += bytes;
  return place;
}

template <typename T>
T& RingHost::at(BusAddress address) {
  return *reinterpret_cast<T*>(simulation_.memory().at(address, sizeof(T)).data());
}

virtio::PackedDescriptor& RingHost::slot(Ring& ring, unsigned index) {
  return at<virtio::PackedDescriptor>(ring.desc + index * sizeof(virtio::PackedDescriptor));
}

std::uint32_t RingHost::read(std::uint32_t offset, unsigned size) {
  bool done = false;
  std::uint32_t value = 0;
  simulation_.port().bar_read(offset, size, [&](std::uint32_t word) {
    value = word;
    done = true;
  });
  const auto result = simulation_.run_until(simulation_.timeline().now() + std::chrono::seconds{1},
                                            [&] { return done; });
  if (!result.ok()) error_ = result.message;
  return value;
}

void RingHost::write(std::uint32_t offset, unsigned size, std::uint32_t value) {
  simulation_.port().bar_write(offset, size, value);
}

std::uint64_t RingHost::counter(unsigned number) {
  const std::uint32_t offset =
      regs::kBarVendor + regs::kVendorCounters + number * regs::kCounterBytes;
  const std::uint64_t low = read(offset, 4);
  return low | std::uint64_t{read(offset + 4, 4)} << 32;
}

void RingHost::make_ring(Ring& ring, unsigned index, unsigned size) {
  ring.index = index;
  ring.size = size;
  const std::size_t bytes = size * sizeof(virtio::PackedDescriptor);
  ring.desc = allocate(bytes, 16);
  ring.driver = allocate(4, 4);
  ring.device = allocate(4, 4);
  auto& memory = simulation_.memory();
  memory.dma_map(ring.desc, bytes, DmaDirection::bidirectional);
  memory.dma_map(ring.driver, 4, DmaDirection::to_device);
  memory.dma_map(ring.device, 4, DmaDirection::from_device);
  ring.buffer.resize(size);
  ring.chain.assign(size, 1);
  ring.free_slots = size;
  for (unsigned id = 0; id < size; ++id) ring.free_ids.push_back(size - 1 - id);
}

void RingHost::configure(Ring& ring, unsigned vector) {
  const std::uint32_t common = regs::kBarCommon;
  write(common + regs::kCommonQueueSelect, 2, ring.index);
  write(common + regs::kCommonQueueSize, 2, ring.size);
  write(common + regs::kCommonQueueMsixVector, 2, vector);
  const auto address = [&](unsigned field, BusAddress value) {
    write(common + field, 4, static_cast<std::uint32_t>(value));
    write(common + field + 4, 4, static_cast<std::uint32_t>(value >> 32));
  };
  address(regs::kCommonQueueDesc, ring.desc);
  address(regs::kCommonQueueDriver, ring.driver);
  address(regs::kCommonQueueDevice, ring.device);
  write(common + regs::kCommonQueueEnable, 2, 1);
}

std::string RingHost::start() {
  auto& port = simulation_.port();
  port.config_write(kCommand, 2, kMemoryAndBusMaster);
  unsigned capability = port.config_read(0x34, 1);
  while (capability != 0 && port.config_read(capability, 1) != 0x11) {
    capability = port.config_read(capability + 1, 1);
  }
  if (capability == 0) return "no MSI-X capability";
  port.config_write(capability + 2, 2, 0x8000);
  port.on_msi([this](unsigned) {
    ++interrupts_;
    poll();
  });

  const std::uint32_t status = regs::kBarCommon + regs::kCommonDeviceStatus;
  write(status, 1, 0);
  if (read(status, 1) != 0) return "the device does not come out of reset";
  write(status, 1, regs::kStatusAcknowledge | regs::kStatusDriver);
  std::uint64_t features = 1ULL << regs::kFeatureVersion1 | 1ULL << regs::kFeatureRingPacked |
                           1ULL << regs::kFeatureAccessPlatform;
  if (options_.mergeable) features |= 1ULL << regs::kFeatureMrgRxbuf;
  if (options_.event_idx) features |= 1ULL << regs::kFeatureEventIdx;
  for (unsigned half = 0; half < 2; ++half) {
    write(regs::kBarCommon + regs::kCommonDriverFeatureSelect, 4, half);
    write(regs::kBarCommon + regs::kCommonDriverFeature, 4,
          static_cast<std::uint32_t>(features >> (32 * half)));
  }
  const std::uint32_t agreed =
      regs::kStatusAcknowledge | regs::kStatusDriver | regs::kStatusFeaturesOk;
  write(status, 1, agreed);
  if (read(status, 1) != agreed) return "the device refuses the features";

  for (unsigned vector = 0; vector < 3; ++vector) {
    const auto message = port.msi_message(vector);
    const std::uint32_t entry = regs::kBarMsixTable + vector * regs::kMsixEntryBytes;
    write(entry + regs::kMsixEntryAddrLo, 4, static_cast<std::uint32_t>(message.address));
    write(entry + regs::kMsixEntryAddrHi, 4, static_cast<std::uint32_t>(message.address >> 32));
    write(entry + regs::kMsixEntryData, 4, message.data);
    write(entry + regs::kMsixEntryControl, 4, 0);
  }

  make_ring(rx_, 0, options_.rx_size);
  make_ring(tx_, 1, options_.tx_size);
  for (unsigned id = 0; id < rx_.size; ++id) {
    const std::size_t bytes = options_.rx_buffer_bytes;
    rx_.buffer[id] = allocate(bytes + 64, 64) + options_.rx_buffer_offset;
    simulation_.memory().dma_map(rx_.buffer[id], bytes, DmaDirection::from_device);
  }
  for (unsigned id = 0; id < tx_.size; ++id) {
    tx_.buffer[id] = allocate(10240, 64);
    simulation_.memory().dma_map(tx_.buffer[id], 10240, DmaDirection::to_device);
  }
  configure(rx_, kRxVector);
  configure(tx_, kTxVector);
  rx_.free_ids.clear();
  for (unsigned id = 0; id < rx_.size; ++id) post_receive(id);
  write(status, 1, agreed | regs::kStatusDriverOk);
  if (read(status, 1) != (agreed | regs::kStatusDriverOk)) return "the device does not start";
  kick(rx_);
  return error_;
}

void RingHost::advance_avail(Ring& ring) {
  if (++ring.next_avail == ring.size) {
    ring.next_avail = 0;
    ring.avail_wrap = !ring.avail_wrap;
  }
}

void RingHost::post_receive(unsigned id) {
  auto& entry = slot(rx_, rx_.next_avail);
  entry.addr = rx_.buffer[id];
  entry.len = options_.rx_buffer_bytes;
  entry.id = static_cast<std::uint16_t>(id);
  entry.flags = static_cast<std::uint16_t>(regs::kDescFWrite |
                                           (rx_.avail_wrap ? regs::kDescFAvail : regs::kDescFUsed));
  advance_avail(rx_);
}

bool RingHost::send(std::span<const std::byte> frame, std::size_t piece) {
  const std::size_t total = frame.size() + kHeader;
  const auto slots = static_cast<unsigned>((total + piece - 1) / piece);
  if (tx_.free_slots < slots || tx_.free_ids.empty()) return false;
  const unsigned id = tx_.free_ids.back();
  tx_.free_ids.pop_back();
  tx_.free_slots -= slots;
  tx_.chain[id] = slots;
  const auto memory = simulation_.memory().at(tx_.buffer[id], total);
  std::memset(memory.data(), 0, kHeader);
  std::memcpy(memory.data() + kHeader, frame.data(), frame.size());
  const unsigned head = tx_.next_avail;
  std::uint16_t head_flags = 0;
  for (unsigned i = 0; i < slots; ++i) {
    auto& entry = slot(tx_, tx_.next_avail);
    entry.addr = tx_.buffer[id] + i * piece;
    entry.len = static_cast<std::uint32_t>(std::min(piece, total - i * piece));
    entry.id = static_cast<std::uint16_t>(id);
    const auto flags =
        static_cast<std::uint16_t>((i + 1 < slots ? regs::kDescFNext : 0) |
                                   (tx_.avail_wrap ? regs::kDescFAvail : regs::kDescFUsed));
    if (i == 0) {
      head_flags = flags;
    } else {
      entry.flags = flags;
    }
    advance_avail(tx_);
  }
  slot(tx_, head).flags = head_flags;  // the head last: from here on the device may see the chain
  kick(tx_);
  return true;
}

void RingHost::kick(Ring& ring) {
  const auto& suppression = at<virtio::EventSuppression>(ring.device);
  if ((suppression.flags & 3) == regs::kEventFlagsDisable) return;
  write(regs::kBarNotify + ring.index * regs::kNotifyMultiplier, 2, ring.index);
}

bool RingHost::next_used(Ring& ring, Used& used) {
  const auto& entry = slot(ring, ring.next_used);
  const bool avail = (entry.flags & regs::kDescFAvail) != 0;
  const bool is_used = (entry.flags & regs::kDescFUsed) != 0;
  if (avail != is_used || is_used != ring.used_wrap) return false;
  used = {entry.id, entry.len};
  if (used.id >= ring.size) {
    error_ = fmt::format("queue {}: used id {} of {}", ring.index, used.id, ring.size);
    return false;
  }
  ring.next_used += ring.chain[used.id];
  if (ring.next_used >= ring.size) {
    ring.next_used -= ring.size;
    ring.used_wrap = !ring.used_wrap;
  }
  return true;
}

void RingHost::poll() {
  Used used{};
  while (error_.empty() && next_used(tx_, used)) {
    tx_.free_slots += tx_.chain[used.id];
    tx_.free_ids.push_back(used.id);
    ++sent_;
  }
  poll_receive();
}

void RingHost::poll_receive() {
  Used used{};
  bool posted = false;
  while (error_.empty() && next_used(rx_, used)) {
    Received frame;
    frame.time = simulation_.timeline().now();
    const auto first = simulation_.memory().at(rx_.buffer[used.id], used.len);
    virtio::NetHeader header;
    std::memcpy(&header, first.data(), kHeader);
    frame.buffers = options_.mergeable ? header.num_buffers : 1;
    frame.bytes.assign(first.begin() + kHeader, first.end());
    if (options_.refill) post_receive(used.id);
    for (unsigned i = 1; i < frame.buffers; ++i) {
      if (!next_used(rx_, used)) {
        error_ = fmt::format("buffer {} of {} is not there", i, frame.buffers);
        return;
      }
      const auto more = simulation_.memory().at(rx_.buffer[used.id], used.len);
      frame.bytes.insert(frame.bytes.end(), more.begin(), more.end());
      if (options_.refill) post_receive(used.id);
    }
    posted = true;
    received_.push_back(std::move(frame));
    if (on_receive) on_receive(received_.back());
  }
  if (posted && options_.refill) kick(rx_);
}

}  // namespace nicroscope::test
