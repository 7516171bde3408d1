// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>

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

  /// A place in BAR 0, 1, 2 or 4 bytes, naturally aligned.
  struct Window {
    std::uint32_t offset;
    unsigned size;
  };
  /// What pci_cfg_data shows (virtio 1.2, 4.1.4.9), for an access of configuration space that
  /// touches it. Nothing for any other access, or where the capability selects no such place: then
  /// the access is to the four bytes and nothing else.
  [[nodiscard]] std::optional<Window> window(unsigned offset, unsigned size) const noexcept;
  /// The first bytes of pci_cfg_data, as many as the window has.
  [[nodiscard]] std::uint32_t window_data(const Window& window) const noexcept;
  void set_window_data(const Window& window, std::uint32_t value) noexcept;

  /// Whether the function wants INTx: the interrupt bit of the status register
  /// (virtio 1.2, 4.1.4.5).
  void set_interrupt_status(bool pending) noexcept;
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
  unsigned window_ = 0;  // the capability
};

}  // namespace nicroscope::sim
