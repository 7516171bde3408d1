// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "nicroscope/virtio.h"
#include "stack/kernel/kernel.h"

namespace nicroscope::driver {

/// One piece of a buffer as the device sees it.
struct VirtqueueBuffer {
  kernel::dma_addr_t address;
  std::uint32_t length;
  bool device_writes;
};

/// A chain that the device is done with.
struct UsedBuffer {
  std::uint16_t id;      ///< what add() returned for it
  std::uint32_t length;  ///< bytes that the device says it wrote
};

/// The driver's side of a packed virtqueue (virtio 1.2, 2.8), of any size from 1 to 32,768.
///
/// The ring is in coherent memory. A chain takes consecutive slots and has an id; the device
/// returns chains in any order. Each side has a wrap counter, 1 at first, that turns over at the
/// end of the ring; a descriptor is available if its AVAIL flag equals the driver's counter and its
/// USED flag does not, used if both equal the device's.
class Virtqueue {
 public:
  /// Takes the memory of the ring; valid() says whether there was enough. `event_idx`:
  /// VIRTIO_F_EVENT_IDX was negotiated.
  Virtqueue(kernel::Kernel& kernel, std::uint16_t index, std::uint16_t size, bool event_idx);
  Virtqueue(const Virtqueue&) = delete;
  Virtqueue& operator=(const Virtqueue&) = delete;
  /// The device must have been reset: it reads the ring no more.
  ~Virtqueue();

  [[nodiscard]] bool valid() const noexcept { return ring_.cpu != nullptr; }
  [[nodiscard]] std::uint16_t index() const noexcept { return index_; }
  [[nodiscard]] std::uint16_t size() const noexcept { return size_; }
  /// Slots that are not part of a chain the device owns.
  [[nodiscard]] std::uint16_t num_free() const noexcept { return num_free_; }
  /// The device broke the ring's rules: nothing more can be got from this queue.
  [[nodiscard]] bool broken() const noexcept { return broken_; }
  /// When broken: the ring slot at which it showed.
  [[nodiscard]] std::uint16_t broken_at() const noexcept { return last_used_; }

  [[nodiscard]] kernel::dma_addr_t desc_address() const noexcept { return ring_.bus; }
  [[nodiscard]] kernel::dma_addr_t driver_address() const noexcept;
  [[nodiscard]] kernel::dma_addr_t device_address() const noexcept;

  // ---- available buffers
  /// Makes a chain available; nothing if there are not enough free slots. Its id stays in use until
  /// get_buf() returns it.
  [[nodiscard]] std::optional<std::uint16_t> add(std::span<const VirtqueueBuffer> chain);
  /// Whether the device wants to be told of what was added since the last call (2.8.10, 2.8.14).
  [[nodiscard]] bool kick_prepare();

  // ---- used buffers
  /// The device has used a chain that get_buf() would return.
  [[nodiscard]] bool more_used() const noexcept;
  /// The next used chain; nothing if there is none, or if the queue is broken.
  [[nodiscard]] std::optional<UsedBuffer> get_buf();

  // ---- interrupts
  /// Asks for no more interrupts. One may be on its way.
  void disable_cb();
  /// Asks for an interrupt at the next used chain; poll() with the result says whether one was used
  /// meanwhile, in which case there may be no interrupt for it.
  [[nodiscard]] std::uint16_t enable_cb_prepare();
  [[nodiscard]] bool poll(std::uint16_t used) const noexcept;
  /// Both in one: false if there is something to get already.
  [[nodiscard]] bool enable_cb();
  /// Asks for an interrupt when three quarters of what is outstanding are used, where EVENT_IDX
  /// allows. False if there is something to get already.
  [[nodiscard]] bool enable_cb_delayed();

  // ---- the end
  /// Calls `visit(id)` for each chain that the device still owns and takes it back. Only after the
  /// device was reset.
  void detach_unused(const std::function<void(std::uint16_t id)>& visit);

 private:
  struct Chain {
    std::uint16_t slots = 0;  ///< 0: the id is free
    std::uint16_t next_free = 0;
  };

  [[nodiscard]] volatile virtio::PackedDescriptor& slot(std::uint16_t i) const noexcept;
  [[nodiscard]] volatile virtio::EventSuppression& driver_event() const noexcept;
  [[nodiscard]] const volatile virtio::EventSuppression& device_event() const noexcept;
  [[nodiscard]] bool is_used(std::uint16_t i, bool wrap) const noexcept;
  /// Slot and wrap counter of the next used element, as an event suppression structure has them.
  [[nodiscard]] std::uint16_t used_position() const noexcept;
  void set_driver_flags(std::uint16_t flags) noexcept;

  kernel::Kernel& kernel_;
  const std::uint16_t index_;
  const std::uint16_t size_;
  const bool event_idx_;
  kernel::CoherentBuffer ring_;
  std::vector<Chain> chains_;  ///< by id
  std::uint16_t free_id_ = 0;  ///< head of the list of free ids
  std::uint16_t num_free_;
  std::uint16_t num_added_ = 0;  ///< slots since kick_prepare()
  std::uint16_t next_avail_ = 0;
  std::uint16_t last_used_ = 0;
  bool avail_wrap_ = true;
  bool used_wrap_ = true;
  bool broken_ = false;
  std::uint16_t driver_flags_ = 0;  ///< what driver_event() holds
};

}  // namespace nicroscope::driver
