// SPDX-License-Identifier: Apache-2.0
#include "sim/host_port/faulty_port.h"

#include <algorithm>
#include <utility>

#include "nicroscope/registers.h"

namespace nicroscope::sim {

namespace {

constexpr std::uint32_t kTooLong = 0x2'0000;
// Memory lets the device read whole lines of which a part is mapped.
constexpr BusAddress kLine = 64;

constexpr std::uint32_t kStatus = regs::kBarCommon + regs::kCommonDeviceStatus;

enum Field : unsigned { kDesc, kDriver, kDevice };

constexpr bool has(std::uint16_t flags, std::uint16_t flag) { return (flags & flag) != 0; }

constexpr std::uint16_t available(bool wrap) { return wrap ? regs::kDescFAvail : regs::kDescFUsed; }

constexpr bool is_used(std::uint16_t flags) {
  return has(flags, regs::kDescFAvail) == has(flags, regs::kDescFUsed);
}

struct NamedKind {
  std::string_view name;
  FaultKind kind;
};

constexpr std::array<NamedKind, 11> kKinds{{
    {"none", FaultKind::none},
    {"zero_length", FaultKind::zero_length},
    {"bad_length", FaultKind::bad_length},
    {"wrong_direction", FaultKind::wrong_direction},
    {"indirect", FaultKind::indirect},
    {"unmapped", FaultKind::unmapped},
    {"loop", FaultKind::loop},
    {"too_long", FaultKind::too_long},
    {"ring_unmapped", FaultKind::ring_unmapped},
    {"ring_read_only", FaultKind::ring_read_only},
    {"event_unmapped", FaultKind::event_unmapped},
}};

}  // namespace

std::optional<FaultKind> fault_kind(std::string_view name) noexcept {
  for (const NamedKind& each : kKinds) {
    if (each.name == name) return each.kind;
  }
  return std::nullopt;
}

FaultyPort::FaultyPort(DevicePort& port, const FaultOptions& options)
    : port_(port), options_(options), armed_(options.kind != FaultKind::none) {}

// ---- what passes
// ---------------------------------------------------------------------------------

std::uint32_t FaultyPort::config_read(unsigned offset, unsigned size) {
  return port_.config_read(offset, size);
}

void FaultyPort::config_write(unsigned offset, unsigned size, std::uint32_t value) {
  port_.config_write(offset, size, value);
}

void FaultyPort::config_read_through(unsigned offset, unsigned size, ReadCallback done) {
  port_.config_read_through(offset, size, std::move(done));
}

MsiMessage FaultyPort::msi_message(unsigned vector) const noexcept {
  return port_.msi_message(vector);
}

void FaultyPort::on_msi(MsiCallback callback) { port_.on_msi(std::move(callback)); }

void FaultyPort::bar_read(std::uint32_t offset, unsigned size, ReadCallback done) {
  access();
  if (offset != kStatus) {
    port_.bar_read(offset, size, std::move(done));
    return;
  }
  port_.bar_read(offset, size, [this, done = std::move(done)](std::uint32_t value) {
    if (struck_ && (value & regs::kStatusNeedsReset) != 0) end();
    done(value);
  });
}

void FaultyPort::bar_write(std::uint32_t offset, unsigned size, std::uint32_t value) {
  access();
  if (offset >= regs::kBarCommon && offset < regs::kBarCommon + regs::kBarCommonBytes) {
    common_write(offset - regs::kBarCommon, size, value);
  }
  // A device that runs takes receive buffers as they come. To see a whole ring of them at once it
  // has to start late.
  if (offset == kStatus && (value & regs::kStatusDriverOk) != 0 && armed_ && !options_.transmit &&
      (options_.kind == FaultKind::loop || options_.kind == FaultKind::too_long)) {
    held_status_ = value;
    return;
  }
  port_.bar_write(offset, size, value);
}

void FaultyPort::access() {
  if (!options_.transmit) consider();
  if (held_status_) port_.bar_write(kStatus, 1, *std::exchange(held_status_, std::nullopt));
}

FrameId FaultyPort::received_frame(unsigned pair, std::uint64_t nth) {
  if (!options_.transmit && pair == 0) {
    ++frames_;
    consider();
  }
  return port_.received_frame(pair, nth);
}

void FaultyPort::transmitted_frame(unsigned pair, std::uint64_t nth, FrameId id) {
  port_.transmitted_frame(pair, nth, id);
  if (options_.transmit && pair == 0) {
    consider();
    ++frames_;
  }
}

void FaultyPort::common_write(std::uint32_t offset, unsigned size, std::uint32_t value) {
  if (offset == regs::kCommonDeviceStatus && value == 0) {
    if (struck_) end();
    ring_ = {};
  } else if (offset == regs::kCommonQueueSelect) {
    selected_ = value;
  } else if (selected_ != (options_.transmit ? 1U : 0U)) {
    return;
  } else if (offset == regs::kCommonQueueSize) {
    ring_.size = value;
  } else if (offset >= regs::kCommonQueueDesc && offset < regs::kCommonQueueDevice + 8 &&
             size == 4) {
    ring_.words[(offset - regs::kCommonQueueDesc) / 4] = value;
  } else if (offset == regs::kCommonQueueEnable && value == 1) {
    ring_.chain.assign(ring_.size, 1);
    ring_.enabled = !port_.memory().at(ring_.address(kDesc), ring_.size * regs::kDescBytes).empty();
  }
}

// ---- the ring
// ------------------------------------------------------------------------------------

volatile virtio::PackedDescriptor& FaultyPort::slot(unsigned index) {
  const auto ring = port_.memory().at(ring_.address(kDesc), ring_.size * regs::kDescBytes);
  return reinterpret_cast<volatile virtio::PackedDescriptor*>(ring.data())[index];
}

void FaultyPort::advance(Position& position, unsigned slots) const noexcept {
  position.slot += slots;
  if (position.slot >= ring_.size) {
    position.slot -= ring_.size;
    position.wrap = !position.wrap;
  }
}

// A descriptor was written on this lap if its AVAIL flag is that of the lap, whoever wrote it last
// (virtio 1.2, 2.8.1).
void FaultyPort::follow() {
  for (unsigned n = 0; n < ring_.size; ++n) {
    const auto& first = slot(ring_.avail.slot);
    if (has(first.flags, regs::kDescFAvail) != ring_.avail.wrap) break;
    ring_.newest = ring_.avail;
    unsigned slots = 1;
    Position last = ring_.avail;
    while (has(slot(last.slot).flags, regs::kDescFNext) && !is_used(slot(last.slot).flags) &&
           slots < ring_.size) {
      advance(last, 1);
      ++slots;
    }
    if (first.id < ring_.size) ring_.chain[first.id] = slots;
    advance(ring_.avail, slots);
    ring_.outstanding += slots;
  }
  while (ring_.outstanding != 0) {
    const auto& head = slot(ring_.used.slot);
    if (!is_used(head.flags) || has(head.flags, regs::kDescFUsed) != ring_.used.wrap) break;
    const unsigned slots = head.id < ring_.size ? ring_.chain[head.id] : 1;
    ring_.outstanding -= std::min(slots, ring_.outstanding);
    advance(ring_.used, slots);
  }
}

// ---- the fault
// -----------------------------------------------------------------------------------

void FaultyPort::consider() {
  if (!armed_ || !ring_.enabled) return;
  follow();
  if (frames_ >= options_.after && strike()) struck_ = true;
}

bool FaultyPort::strike() {
  switch (options_.kind) {
    case FaultKind::none:
      return false;
    case FaultKind::loop:
      // A driver that does not know of its mistake ends a receive chain with the next buffer.
      if (!options_.transmit && ring_.outstanding != ring_.size) return false;
      return spoil_all();
    case FaultKind::too_long:
      return make_one_chain();
    case FaultKind::ring_unmapped:
      take_away(ring_.address(kDesc), ring_.size * regs::kDescBytes, DmaDirection::to_device);
      return true;
    case FaultKind::ring_read_only:
      take_away(ring_.address(kDesc), ring_.size * regs::kDescBytes, DmaDirection::from_device);
      return true;
    case FaultKind::event_unmapped: {
      const BusAddress first = std::min(ring_.address(kDriver), ring_.address(kDevice));
      const BusAddress last = std::max(ring_.address(kDriver), ring_.address(kDevice));
      const BusAddress end = (last + regs::kEventBytes + kLine - 1) / kLine * kLine;
      take_away(first, end - first, DmaDirection::bidirectional);
      return true;
    }
    default:
      return spoil_newest();
  }
}

bool FaultyPort::spoil_newest() {
  auto& head = slot(ring_.newest.slot);
  if (ring_.outstanding == 0 || is_used(head.flags)) return false;
  const std::uint16_t flags = head.flags;
  switch (options_.kind) {
    case FaultKind::zero_length:
      head.len = 0;
      return true;
    case FaultKind::bad_length:
      head.len = kTooLong;
      return true;
    case FaultKind::wrong_direction:
      head.flags = static_cast<std::uint16_t>(options_.transmit ? flags | regs::kDescFWrite
                                                                : flags & ~regs::kDescFWrite);
      return true;
    case FaultKind::indirect:
      head.flags = static_cast<std::uint16_t>(flags | regs::kDescFIndirect);
      return true;
    default:
      head.addr = port_.memory().base() + port_.memory().bytes().size();
      return true;
  }
}

bool FaultyPort::spoil_all() {
  Position place = ring_.used;
  for (unsigned n = 0; n < ring_.outstanding; ++n) {
    auto& descriptor = slot(place.slot);
    const std::uint16_t flags = descriptor.flags;
    if (!is_used(flags)) descriptor.flags = static_cast<std::uint16_t>(flags | regs::kDescFNext);
    advance(place, 1);
  }
  return ring_.outstanding != 0;
}

// Only where the device has met nothing of the ring but what it has used: otherwise the chain would
// begin behind its back. A driver that goes on sending would end the chain: it is made again then.
bool FaultyPort::make_one_chain() {
  if (!options_.transmit) return ring_.outstanding == ring_.size && spoil_all();
  if (!struck_) {
    if (ring_.outstanding == 0 || ring_.used.slot != ring_.newest.slot) return false;
    chain_ = ring_.newest;
  }
  const auto& head = slot(chain_.slot);
  Position place = chain_;
  for (unsigned n = 0; n < ring_.size; ++n) {
    auto& descriptor = slot(place.slot);
    if (n != 0) {
      descriptor.addr = static_cast<std::uint64_t>(head.addr);
      descriptor.len = static_cast<std::uint32_t>(head.len);
      descriptor.id = static_cast<std::uint16_t>(head.id);
    }
    descriptor.flags = static_cast<std::uint16_t>(available(place.wrap) | regs::kDescFNext);
    advance(place, 1);
  }
  return true;
}

void FaultyPort::take_away(BusAddress address, std::size_t size, DmaDirection direction) {
  if (give_back_) return;
  port_.memory().dma_unmap(address, size, direction);
  give_back_ = [this, address, size, direction] {
    port_.memory().dma_map(address, size, direction);
  };
}

void FaultyPort::end() {
  armed_ = false;
  if (give_back_) std::exchange(give_back_, nullptr)();
}

}  // namespace nicroscope::sim
