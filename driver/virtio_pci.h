// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "nicroscope/device_port.h"
#include "stack/kernel/kernel.h"

namespace nicroscope::driver {

class Virtqueue;

/// The first error that a device met, from its vendor page.
struct ErrorRecord {
  std::uint8_t code = 0;  ///< regs::kError...
  std::uint16_t queue = 0;
  std::uint16_t index = 0;    ///< ring slot
  std::uint64_t address = 0;  ///< bus address, where one is to blame
  std::uint64_t cycle = 0;    ///< time in cycles of the device's clock
};

/// A region of the BAR that a capability announced.
struct BarRegion {
  std::uint32_t offset = 0;
  std::uint32_t length = 0;

  [[nodiscard]] bool found() const noexcept { return length != 0; }
};

/// A virtio device on PCI: finds its structures by the capability list and accesses them (virtio
/// 1.2, 4.1). A register read blocks the CPU for the bus's round trip, so all but the constructor
/// wants a context.
class VirtioPci {
 public:
  VirtioPci(kernel::Kernel& kernel, DevicePort& port) : kernel_(kernel), port_(port) {}
  VirtioPci(const VirtioPci&) = delete;
  VirtioPci& operator=(const VirtioPci&) = delete;

  /// Identifies the device, finds its structures and enables memory, bus mastering and MSI-X.
  /// Returns what is wrong with it, or nothing.
  [[nodiscard]] std::string probe();
  /// Takes bus mastering and MSI-X away again.
  void disable();

  // ---- device status (2.1, 4.1.4.3)
  [[nodiscard]] std::uint8_t status();
  void add_status(std::uint8_t bits);
  /// Writes 0 and waits until it reads 0, in process context. False if that does not happen within
  /// a second.
  [[nodiscard]] bool reset();

  // ---- features (2.2, 4.1.4.3)
  [[nodiscard]] std::uint64_t device_features();
  void set_driver_features(std::uint64_t features);

  // ---- virtqueues (4.1.5.1.3)
  [[nodiscard]] std::uint16_t num_queues();
  /// The greatest size that the queue can have; 0 if there is none.
  [[nodiscard]] std::uint16_t queue_max_size(std::uint16_t queue);
  /// Tells the device where the ring is, and enables it. False if it refused the vector
  /// (regs::kNoVector: the queue has none).
  [[nodiscard]] bool enable_queue(const Virtqueue& vq, std::uint16_t vector);
  /// Resets one queue (2.6.1, VIRTIO_F_RING_RESET) and waits for it, in process context: the device
  /// has no buffer of it any more. False if that does not happen within a second.
  [[nodiscard]] bool reset_queue(std::uint16_t queue);
  /// The doorbell (4.1.5.2).
  void notify(std::uint16_t queue);

  // ---- MSI-X
  [[nodiscard]] unsigned vectors() const noexcept { return vectors_; }
  /// Writes the table entry and unmasks it.
  void enable_vector(unsigned vector);
  void mask_vector(unsigned vector);
  /// The vector of configuration changes. False if the device refused it.
  [[nodiscard]] bool set_config_vector(std::uint16_t vector);

  // ---- device configuration (2.5.1: read until the generation stands still)
  struct NetConfig {
    std::array<std::uint8_t, 6> mac{};
    std::uint16_t status = 0;
    std::uint16_t mtu = 0;
    std::uint32_t speed = 0;  ///< Mbit/s
    std::uint8_t duplex = 0;
    std::uint16_t max_virtqueue_pairs = 1;
    std::uint8_t rss_max_key_size = 0;
    std::uint16_t rss_max_indirection_table_length = 0;
    std::uint32_t supported_hash_types = 0;
  };
  /// The fields of features that are not in `features` are not read, and are 0.
  [[nodiscard]] NetConfig net_config(std::uint64_t features);

  // ---- vendor page
  /// Nothing if this is another virtio device, which has no such page.
  [[nodiscard]] std::optional<ErrorRecord> error_record();
  [[nodiscard]] bool has_vendor_page() const noexcept { return vendor_.found(); }
  [[nodiscard]] std::uint64_t counter(unsigned n);
  /// The MAC's control bits (regs::kControlBit...); 0 without a vendor page.
  [[nodiscard]] std::uint32_t vendor_control();
  void set_vendor_control(std::uint32_t bits);

 private:
  [[nodiscard]] std::string walk_capabilities();
  void read_virtio_capability(unsigned at);

  [[nodiscard]] std::uint32_t read(const BarRegion& region, std::uint32_t offset, unsigned size);
  void write(const BarRegion& region, std::uint32_t offset, unsigned size, std::uint32_t value);
  void write64(const BarRegion& region, std::uint32_t offset, std::uint64_t value);
  void select(std::uint16_t queue);

  kernel::Kernel& kernel_;
  DevicePort& port_;
  BarRegion common_;
  BarRegion notify_;
  BarRegion isr_;
  BarRegion device_;
  BarRegion vendor_;
  BarRegion msix_table_;
  std::uint32_t notify_multiplier_ = 0;
  unsigned msix_capability_ = 0;
  unsigned vectors_ = 0;
  std::vector<std::uint32_t> doorbells_;  ///< BAR offset by queue
};

}  // namespace nicroscope::driver
