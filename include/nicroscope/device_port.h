// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>

#include "nicroscope/host_memory.h"
#include "nicroscope/trace.h"

namespace nicroscope {

/// What a driver writes into an MSI-X table entry so that the message reaches a vector.
struct MsiMessage {
  BusAddress address;
  std::uint32_t data;
};

/// The NIC as host software sees it: one PCI function with one memory BAR (its map is in
/// registers.h), the memory that DMA reaches, and its interrupts.
class DevicePort {
 public:
  using ReadCallback = std::function<void(std::uint32_t value)>;
  using MsiCallback = std::function<void(unsigned vector)>;

  virtual ~DevicePort() = default;

  /// PCI configuration space (PCI 3.0 6.1): `size` 1, 2 or 4, naturally aligned. Answers at once:
  /// it is used at probe time only.
  [[nodiscard]] virtual std::uint32_t config_read(unsigned offset, unsigned size) = 0;
  virtual void config_write(unsigned offset, unsigned size, std::uint32_t value) = 0;
  /// The same as config_read, but where a read takes time `done` runs later: pci_cfg_data is a
  /// window to a register (virtio 1.2, 4.1.4.9), and config_read tells what was read there last.
  virtual void config_read_through(unsigned offset, unsigned size, ReadCallback done) {
    done(config_read(offset, size));
  }

  /// Reads `size` (1, 2 or 4, naturally aligned) bytes of BAR 0; `done` runs when the completion
  /// has come back over the bus.
  virtual void bar_read(std::uint32_t offset, unsigned size, ReadCallback done) = 0;
  /// A posted write: returns at once, reaches the device after the bus latency, in order with the
  /// reads and writes before it.
  virtual void bar_write(std::uint32_t offset, unsigned size, std::uint32_t value) = 0;

  [[nodiscard]] virtual HostMemory& memory() noexcept = 0;

  /// The message that raises `vector` on this host.
  [[nodiscard]] virtual MsiMessage msi_message(unsigned vector) const noexcept = 0;
  /// Runs at the time that a message arrives, once per message.
  virtual void on_msi(MsiCallback callback) = 0;

  /// For the trace alone: the id of the `nth` frame (from 0, since the queue was enabled) that the
  /// device delivered on receive queue `pair`, or kNoFrame.
  [[nodiscard]] virtual FrameId received_frame(unsigned pair, std::uint64_t nth) = 0;
  /// For the trace alone: the `nth` chain (from 0, since the queue was enabled) that the driver
  /// made available on transmit queue `pair` carries frame `id`.
  virtual void transmitted_frame(unsigned pair, std::uint64_t nth, FrameId id) = 0;
};

}  // namespace nicroscope
