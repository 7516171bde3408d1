// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>

namespace nicroscope::sim {

/// Configuration space of the NIC's PCI function: a virtio network device (virtio 1.2, 4.1) with
/// one 64 KiB memory BAR, MSI-X, and the capabilities that say where in the BAR everything is. The
/// RTL begins behind this: in hardware the vendor's PCIe block holds it.
class PciFunction {
 public:
  /// `vectors`: MSI-X vectors; `notify_bytes`: length of the doorbells in use.
  PciFunction(unsigned vectors, unsigned notify_bytes);

  /// `size` 1, 2 or 4, naturally aligned; all ones beyond the 256 bytes.
  [[nodiscard]] std::uint32_t read(unsigned offset, unsigned size) const noexcept;
  /// Read-only bits keep their value.
  void write(unsigned offset, unsigned size, std::uint32_t value) noexcept;

  [[nodiscard]] bool memory_enabled() const noexcept;
  [[nodiscard]] bool bus_master() const noexcept;
  [[nodiscard]] bool msix_enabled() const noexcept;
  [[nodiscard]] bool msix_masked() const noexcept;

 private:
  void set(unsigned offset, unsigned size, std::uint32_t value) noexcept;
  void writable(unsigned offset, unsigned size, std::uint32_t mask) noexcept;
  unsigned add_virtio_capability(unsigned at, std::uint8_t type, std::uint32_t offset,
                                 std::uint32_t length, unsigned extra);

  std::array<std::uint8_t, 256> bytes_{};
  std::array<std::uint8_t, 256> mask_{};  // bits that a write can change
  unsigned msix_ = 0;
};

}  // namespace nicroscope::sim
