// SPDX-License-Identifier: Apache-2.0
#include "driver/virtqueue.h"

#include "driver/barriers.h"
#include "nicroscope/registers.h"

namespace nicroscope::driver {

namespace {

constexpr std::uint16_t kWrapBit = 1U << 15U;

constexpr std::size_t events_offset(std::uint16_t size) {
  return std::size_t{size} * sizeof(virtio::PackedDescriptor);
}

/// Whether the step from `old_index` to `new_index` passed `event` (2.8.14.1; Linux:
/// vring_need_event).
constexpr bool vring_need_event(std::uint16_t event, std::uint16_t new_index,
                                std::uint16_t old_index) {
  return static_cast<std::uint16_t>(new_index - event - 1) <
         static_cast<std::uint16_t>(new_index - old_index);
}

}  // namespace

Virtqueue::Virtqueue(kernel::Kernel& kernel, std::uint16_t index, std::uint16_t size,
                     bool event_idx)
    : kernel_(kernel), index_(index), size_(size), event_idx_(event_idx), num_free_(size) {
  ring_ =
      kernel_.dma().dma_alloc_coherent(events_offset(size) + 2 * sizeof(virtio::EventSuppression));
  chains_.resize(size);
  for (std::uint16_t id = 0; id < size; ++id) {
    chains_[id].next_free = static_cast<std::uint16_t>(id + 1);
  }
}

Virtqueue::~Virtqueue() { kernel_.dma().dma_free_coherent(ring_); }

// ---- places
// --------------------------------------------------------------------------------------

kernel::dma_addr_t Virtqueue::driver_address() const noexcept {
  return ring_.bus + events_offset(size_);
}

kernel::dma_addr_t Virtqueue::device_address() const noexcept {
  return driver_address() + sizeof(virtio::EventSuppression);
}

volatile virtio::PackedDescriptor& Virtqueue::slot(std::uint16_t i) const noexcept {
  return reinterpret_cast<volatile virtio::PackedDescriptor*>(ring_.cpu)[i];
}

volatile virtio::EventSuppression& Virtqueue::driver_event() const noexcept {
  return *reinterpret_cast<volatile virtio::EventSuppression*>(ring_.cpu + events_offset(size_));
}

const volatile virtio::EventSuppression& Virtqueue::device_event() const noexcept {
  return *(&driver_event() + 1);
}

// ---- available buffers
// ---------------------------------------------------------------------------

std::optional<std::uint16_t> Virtqueue::add(std::span<const VirtqueueBuffer> chain) {
  if (chain.empty() || chain.size() > num_free_ || broken_) return std::nullopt;
  const auto count = static_cast<std::uint16_t>(chain.size());
  kernel_.spend(kernel::cost::virtqueue_add, count);

  const std::uint16_t id = free_id_;
  free_id_ = chains_[id].next_free;
  chains_[id].slots = count;
  num_free_ = static_cast<std::uint16_t>(num_free_ - count);
  num_added_ = static_cast<std::uint16_t>(num_added_ + count);

  const std::uint16_t head = next_avail_;
  std::uint16_t head_flags = 0;
  for (std::uint16_t n = 0; n < count; ++n) {
    const VirtqueueBuffer& buffer = chain[n];
    auto flags = avail_wrap_ ? regs::kDescFAvail : regs::kDescFUsed;
    if (buffer.device_writes) flags = static_cast<std::uint16_t>(flags | regs::kDescFWrite);
    if (n + 1 != count) flags = static_cast<std::uint16_t>(flags | regs::kDescFNext);
    volatile virtio::PackedDescriptor& d = slot(next_avail_);
    d.addr = buffer.address;
    d.len = buffer.length;
    d.id = id;
    if (n == 0) {
      head_flags = flags;  // last of all: it makes the whole chain available
    } else {
      d.flags = flags;
    }
    if (++next_avail_ == size_) {
      next_avail_ = 0;
      avail_wrap_ = !avail_wrap_;
    }
  }
  virtqueue_store_flags_packed(slot(head).flags, head_flags);
  return id;
}

bool Virtqueue::kick_prepare() {
  kernel_.spend(kernel::cost::virtqueue_kick_prepare);
  virtio_mb();  // the descriptors are visible before the device's wish is read
  const std::uint16_t added = num_added_;
  num_added_ = 0;
  const std::uint16_t flags = virtqueue_fetch_flags_packed(device_event().flags) & 3U;
  if (flags != regs::kEventFlagsDesc) return flags != regs::kEventFlagsDisable;
  const std::uint16_t wish = device_event().desc;
  auto event = static_cast<std::uint16_t>(wish & ~kWrapBit);
  if (((wish & kWrapBit) != 0) != avail_wrap_) event = static_cast<std::uint16_t>(event - size_);
  return vring_need_event(event, next_avail_, static_cast<std::uint16_t>(next_avail_ - added));
}

// ---- used buffers
// --------------------------------------------------------------------------------

bool Virtqueue::is_used(std::uint16_t i, bool wrap) const noexcept {
  const std::uint16_t flags = virtqueue_fetch_flags_packed(slot(i).flags);
  const bool avail = (flags & regs::kDescFAvail) != 0;
  const bool used = (flags & regs::kDescFUsed) != 0;
  return avail == used && used == wrap;
}

bool Virtqueue::more_used() const noexcept { return !broken_ && is_used(last_used_, used_wrap_); }

std::optional<UsedBuffer> Virtqueue::get_buf() {
  if (!more_used()) return std::nullopt;
  kernel_.spend(kernel::cost::virtqueue_get_buf);
  const UsedBuffer used{slot(last_used_).id, slot(last_used_).len};
  if (used.id >= size_ || chains_[used.id].slots == 0) {
    broken_ = true;
    return std::nullopt;
  }
  Chain& chain = chains_[used.id];
  num_free_ = static_cast<std::uint16_t>(num_free_ + chain.slots);
  unsigned next = unsigned{last_used_} + chain.slots;
  if (next >= size_) {
    next -= size_;
    used_wrap_ = !used_wrap_;
  }
  last_used_ = static_cast<std::uint16_t>(next);
  chain = {0, free_id_};
  free_id_ = used.id;

  // With an event index the wish moves along with what was seen (Linux: virtqueue_get_buf).
  if (driver_flags_ == regs::kEventFlagsDesc) driver_event().desc = used_position();
  return used;
}

// ---- interrupts
// ----------------------------------------------------------------------------------

std::uint16_t Virtqueue::used_position() const noexcept {
  return static_cast<std::uint16_t>(last_used_ | (used_wrap_ ? kWrapBit : 0U));
}

void Virtqueue::set_driver_flags(std::uint16_t flags) noexcept {
  driver_flags_ = flags;
  virtqueue_store_flags_packed(driver_event().flags, flags);
}

void Virtqueue::disable_cb() {
  if (driver_flags_ == regs::kEventFlagsDisable) return;
  kernel_.spend(kernel::cost::virtqueue_callback);
  set_driver_flags(regs::kEventFlagsDisable);
}

std::uint16_t Virtqueue::enable_cb_prepare() {
  kernel_.spend(kernel::cost::virtqueue_callback);
  const std::uint16_t wish = used_position();
  if (event_idx_) driver_event().desc = wish;
  set_driver_flags(event_idx_ ? regs::kEventFlagsDesc : regs::kEventFlagsEnable);
  virtio_mb();  // the device sees the wish before the ring is looked at again
  return wish;
}

bool Virtqueue::poll(std::uint16_t used) const noexcept {
  return !broken_ && is_used(static_cast<std::uint16_t>(used & ~kWrapBit), (used & kWrapBit) != 0);
}

bool Virtqueue::enable_cb() { return !poll(enable_cb_prepare()); }

bool Virtqueue::enable_cb_delayed() {
  const unsigned outstanding = unsigned{size_} - num_free_;
  if (!event_idx_ || outstanding == 0) return enable_cb();
  kernel_.spend(kernel::cost::virtqueue_callback);
  unsigned at = last_used_ + outstanding * 3 / 4;
  bool wrap = used_wrap_;
  if (at >= size_) {
    at -= size_;
    wrap = !wrap;
  }
  driver_event().desc = static_cast<std::uint16_t>(at | (wrap ? kWrapBit : 0U));
  set_driver_flags(regs::kEventFlagsDesc);
  virtio_mb();
  return !more_used();
}

// ---- the end
// -------------------------------------------------------------------------------------

void Virtqueue::detach_unused(const std::function<void(std::uint16_t id)>& visit) {
  for (std::uint16_t id = 0; id < size_; ++id) {
    Chain& chain = chains_[id];
    if (chain.slots == 0) continue;
    num_free_ = static_cast<std::uint16_t>(num_free_ + chain.slots);
    chain = {0, free_id_};
    free_id_ = id;
    visit(id);
  }
}

}  // namespace nicroscope::driver
