// SPDX-License-Identifier: Apache-2.0
#include "tests/support/model_queue.h"

#include <cstring>

#include "nicroscope/registers.h"
#include "nicroscope/virtio.h"

namespace nicroscope::test {

// ---- ModelBus
// ------------------------------------------------------------------------------------

std::byte* ModelBus::reach(BusAddress address, std::size_t size, bool write) {
  if (!master_enabled) return nullptr;
  if (allowed_ && !allowed_(address, size, write)) return nullptr;
  const auto bytes = memory_.at(address, size);
  return bytes.empty() ? nullptr : bytes.data();
}

bool ModelBus::read(BusAddress address, std::byte* to, std::size_t size) {
  const std::byte* const from = reach(address, size, false);
  if (from != nullptr) std::memcpy(to, from, size);
  return from != nullptr;
}

bool ModelBus::write(BusAddress address, const std::byte* from, std::size_t size) {
  std::byte* const to = reach(address, size, true);
  if (to != nullptr) std::memcpy(to, from, size);
  return to != nullptr;
}

// ---- ModelQueue
// ----------------------------------------------------------------------------------

std::size_t ModelQueue::Chain::bytes() const {
  std::size_t sum = 0;
  for (const Piece& piece : pieces) sum += piece.length;
  return sum;
}

void ModelQueue::enable(const Layout& layout) {
  layout_ = layout;
  avail_ = used_ = signalled_ = 0;
  popped_.clear();
  error_.reset();
}

void ModelQueue::disable() { layout_ = {}; }

// The wrap counters start at 1 and turn over with each lap.
bool ModelQueue::wrap(std::uint64_t position) const noexcept {
  return position / layout_.size % 2 == 0;
}

std::uint16_t ModelQueue::slot(std::uint64_t position) const noexcept {
  return static_cast<std::uint16_t>(position % layout_.size);
}

void ModelQueue::fail(std::uint8_t code, std::uint64_t position, BusAddress address) {
  if (!error_) error_ = Error{code, slot(position), address};
}

std::optional<ModelQueue::Chain> ModelQueue::pop() {
  if (!enabled() || error_) return std::nullopt;
  Chain chain;
  chain.position = avail_;
  for (std::uint64_t at = avail_;; ++at) {
    virtio::PackedDescriptor d{};
    const BusAddress where = layout_.desc + std::uint64_t{slot(at)} * sizeof(d);
    if (!bus_.read(where, reinterpret_cast<std::byte*>(&d), sizeof(d))) {
      fail(regs::kErrorDmaRead, at, where);
      return std::nullopt;
    }
    const bool avail = (d.flags & regs::kDescFAvail) != 0;
    const bool used = (d.flags & regs::kDescFUsed) != 0;
    if (avail != wrap(at) || used == wrap(at)) {
      if (at != avail_) fail(regs::kErrorIncompleteChain, at, where);
      return std::nullopt;
    }
    if ((d.flags & regs::kDescFIndirect) != 0) fail(regs::kErrorIndirect, at, where);
    const bool write = (d.flags & regs::kDescFWrite) != 0;
    const bool behind_written = !chain.pieces.empty() && chain.pieces.back().write;
    const bool right =
        kind_ == Kind::both ? write || !behind_written : write == (kind_ == Kind::written);
    if (!right) fail(regs::kErrorWrongDirection, at, where);
    if (d.len == 0) fail(regs::kErrorZeroLength, at, where);
    if (chain.slots == layout_.size) fail(regs::kErrorChainTooLong, at, where);
    if (error_) return std::nullopt;
    chain.pieces.push_back({d.addr, d.len, write});
    chain.id = d.id;
    ++chain.slots;
    if ((d.flags & regs::kDescFNext) == 0) break;
  }
  avail_ += chain.slots;
  popped_.push_back(chain.slots);
  return chain;
}

void ModelQueue::unpop(std::size_t chains) {
  for (; chains != 0; --chains) {
    avail_ -= popped_.back();
    popped_.pop_back();
  }
}

void ModelQueue::push(const std::vector<Used>& used) {
  popped_.clear();
  std::vector<std::uint64_t> positions;
  for (const Used& u : used) {
    positions.push_back(used_);
    used_ += u.slots;
  }
  for (std::size_t i = used.size(); i-- != 0;) {
    virtio::PackedDescriptor d{};
    d.id = used[i].id;
    d.len = used[i].length;
    d.flags = wrap(positions[i]) ? regs::kDescFAvail | regs::kDescFUsed : 0;
    const BusAddress where = layout_.desc + std::uint64_t{slot(positions[i])} * sizeof(d);
    // The address field is not written (2.8.8).
    if (!bus_.write(where + 8, reinterpret_cast<const std::byte*>(&d) + 8, 8)) {
      fail(regs::kErrorDmaWrite, positions[i], where);
    }
  }
}

bool ModelQueue::wants_interrupt(bool event_idx) {
  virtio::EventSuppression event{};
  if (!bus_.read(layout_.driver, reinterpret_cast<std::byte*>(&event), sizeof(event))) {
    fail(regs::kErrorDmaRead, used_, layout_.driver);
    return false;
  }
  const std::uint64_t from = signalled_;
  signalled_ = used_;
  if (event.flags == regs::kEventFlagsEnable) return true;
  if (event.flags != regs::kEventFlagsDesc || !event_idx) return false;
  // The wish names a slot and a lap's parity; it is met if a lap of that parity put it among the
  // positions that were used since the last look.
  const std::uint16_t offset = event.desc & 0x7fffU;
  const bool parity = (event.desc & 0x8000U) != 0;
  for (std::uint64_t at = from; at < used_; ++at) {
    if (slot(at) == offset && wrap(at) == parity) return true;
  }
  return false;
}

void ModelQueue::write_device_event(std::uint16_t flags, std::uint64_t position) {
  virtio::EventSuppression event{};
  event.flags = flags;
  if (flags == regs::kEventFlagsDesc) {
    event.desc = static_cast<std::uint16_t>(slot(position) | (wrap(position) ? 0x8000U : 0U));
  }
  if (!bus_.write(layout_.device, reinterpret_cast<const std::byte*>(&event), sizeof(event))) {
    fail(regs::kErrorDmaWrite, position, layout_.device);
  }
}

}  // namespace nicroscope::test
