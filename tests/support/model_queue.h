// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "nicroscope/host_memory.h"

namespace nicroscope::test {

/// Memory as a device reaches it: refused accesses are faults.
class ModelBus {
 public:
  /// `allowed(address, size, write)`: the access may happen. Without it all of the arena is open.
  using Allowed = std::function<bool(BusAddress, std::size_t, bool)>;

  ModelBus(HostMemory& memory, Allowed allowed) : memory_(memory), allowed_(std::move(allowed)) {}

  /// False if refused; nothing was moved.
  [[nodiscard]] bool read(BusAddress address, std::byte* to, std::size_t size);
  [[nodiscard]] bool write(BusAddress address, const std::byte* from, std::size_t size);

  bool master_enabled = false;

 private:
  [[nodiscard]] std::byte* reach(BusAddress address, std::size_t size, bool write);

  HostMemory& memory_;
  Allowed allowed_;
};

/// The device's side of a packed virtqueue, written from virtio 1.2, 2.8, for clarity: positions
/// count slots since the start and never wrap; lap = position / size.
class ModelQueue {
 public:
  struct Piece {
    BusAddress address;
    std::uint32_t length;
    bool write = false;  ///< the device writes it
  };
  /// Which buffers there may be.
  enum class Kind : std::uint8_t {
    written,  ///< receive: the device writes all of them
    read,     ///< transmit: it reads them
    both,     ///< control: first some to be read, then some to be written
  };
  struct Chain {
    std::uint16_t id = 0;
    std::uint16_t slots = 0;
    std::uint64_t position = 0;  ///< of its head
    std::vector<Piece> pieces;
    [[nodiscard]] std::size_t bytes() const;
  };
  struct Error {
    std::uint8_t code;  ///< regs::kError...
    std::uint16_t slot;
    BusAddress address;
  };
  struct Layout {
    std::uint16_t size = 0;
    BusAddress desc = 0;
    BusAddress driver = 0;
    BusAddress device = 0;
  };

  ModelQueue(ModelBus& bus, Kind kind) : bus_(bus), kind_(kind) {}

  /// From queue_enable until disable().
  void enable(const Layout& layout);
  void disable();
  [[nodiscard]] bool enabled() const noexcept { return layout_.size != 0; }

  /// The next available chain, taken off the ring; nothing if there is none. A chain that breaks
  /// the rules sets error().
  [[nodiscard]] std::optional<Chain> pop();
  /// Puts the chains that were popped last back.
  void unpop(std::size_t chains);
  [[nodiscard]] const std::optional<Error>& error() const noexcept { return error_; }

  /// A used element for a chain; visible at once.
  struct Used {
    std::uint16_t id;
    std::uint32_t length;
    std::uint16_t slots;
  };
  /// Writes the elements so that the first becomes visible last (2.8.9: the driver must not see a
  /// part of them).
  void push(const std::vector<Used>& used);

  /// After push(): whether the driver wants an interrupt (2.8.10).
  [[nodiscard]] bool wants_interrupt(bool event_idx);
  /// Device event suppression: whether and when the driver should kick.
  void write_device_event(std::uint16_t flags, std::uint64_t position);
  [[nodiscard]] std::uint64_t avail_position() const noexcept { return avail_; }

 private:
  [[nodiscard]] bool wrap(std::uint64_t position) const noexcept;
  [[nodiscard]] std::uint16_t slot(std::uint64_t position) const noexcept;
  void fail(std::uint8_t code, std::uint64_t position, BusAddress address);

  ModelBus& bus_;
  const Kind kind_;
  Layout layout_;
  std::uint64_t avail_ = 0;
  std::uint64_t used_ = 0;
  std::uint64_t signalled_ = 0;
  std::vector<std::uint16_t> popped_;  ///< slots of the chains popped, for unpop
  std::optional<Error> error_;
};

}  // namespace nicroscope::test
