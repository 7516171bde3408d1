// SPDX-License-Identifier: Apache-2.0
#include "sim/host_port/pci_function.h"

#include "nicroscope/registers.h"

namespace nicroscope::sim {

namespace {

// Configuration space header, type 0 (PCI 3.0, 6.1).
constexpr unsigned kVendor = 0x00;
constexpr unsigned kDevice = 0x02;
constexpr unsigned kCommand = 0x04;
constexpr unsigned kStatus = 0x06;
constexpr unsigned kRevision = 0x08;
constexpr unsigned kClass = 0x09;
constexpr unsigned kBar0 = 0x10;
constexpr unsigned kSubsystemVendor = 0x2C;
constexpr unsigned kSubsystem = 0x2E;
constexpr unsigned kCapabilities = 0x34;
constexpr unsigned kInterruptLine = 0x3C;
constexpr unsigned kInterruptPin = 0x3D;
constexpr unsigned kFirstCapability = 0x40;

constexpr std::uint32_t kCommandMemory = 0x0002;
constexpr std::uint32_t kCommandBusMaster = 0x0004;
constexpr std::uint32_t kCommandIntxDisable = 0x0400;
constexpr std::uint32_t kStatusInterrupt = 0x0008;
constexpr std::uint32_t kStatusCapabilities = 0x0010;
constexpr std::uint32_t kEthernetController = 0x020000;
constexpr std::uint32_t kBarMemory64 = 0x4;

// Capabilities: vendor-specific (virtio 1.2, 4.1.4) and MSI-X (PCI 3.0, 6.8.2).
constexpr std::uint8_t kCapVendor = 0x09;
constexpr std::uint8_t kCapMsix = 0x11;
constexpr unsigned kVirtioCapBytes = 16;
constexpr unsigned kVirtioCapBar = 4;
constexpr unsigned kVirtioCapOffset = 8;
constexpr unsigned kVirtioCapLength = 12;
constexpr unsigned kWindowData = 16;
constexpr unsigned kWindowBytes = 4;
constexpr unsigned kMsixCapBytes = 12;
constexpr std::uint32_t kMsixEnable = 0x8000;
constexpr std::uint32_t kMsixMaskAll = 0x4000;

// What the registers of each region take up in the BAR.
constexpr std::uint32_t kCommonLength = 0x40;
constexpr std::uint32_t kIsrLength = 4;
constexpr std::uint32_t kDeviceLength = 0x18;

}  // namespace

PciFunction::PciFunction(unsigned vectors, unsigned notify_bytes) {
  set(kVendor, 2, regs::kPciVendorId);
  set(kDevice, 2, regs::kPciDeviceId);
  writable(kCommand, 2, kCommandMemory | kCommandBusMaster | kCommandIntxDisable);
  set(kStatus, 2, kStatusCapabilities);
  set(kRevision, 1, 1);
  set(kClass, 2, kEthernetController & 0xFFFF);
  set(kClass + 2, 1, kEthernetController >> 16);
  set(kBar0, 4, kBarMemory64);
  writable(kBar0, 4, ~(regs::kBarBytes - 1));
  writable(kBar0 + 4, 4, ~0U);
  set(kSubsystemVendor, 2, regs::kPciVendorId);
  set(kSubsystem, 2, regs::kPciDeviceId);
  set(kCapabilities, 1, kFirstCapability);
  writable(kInterruptLine, 1, 0xFF);
  set(kInterruptPin, 1, 1);

  unsigned at = kFirstCapability;
  at = add_virtio_capability(at, regs::kPciCapCommon, regs::kBarCommon, kCommonLength, 0);
  const unsigned notify = at;
  at = add_virtio_capability(at, regs::kPciCapNotify, regs::kBarNotify, notify_bytes, 4);
  set(notify + kVirtioCapBytes, 4, regs::kNotifyMultiplier);
  at = add_virtio_capability(at, regs::kPciCapIsr, regs::kBarIsr, kIsrLength, 0);
  at = add_virtio_capability(at, regs::kPciCapDevice, regs::kBarDeviceConfig, kDeviceLength, 0);
  window_ = at;
  at = add_virtio_capability(at, regs::kPciCapPci, 0, 0, kWindowBytes);
  writable(window_ + kVirtioCapBar, 1, 0xFF);
  writable(window_ + kVirtioCapOffset, 4, ~0U);
  writable(window_ + kVirtioCapLength, 4, ~0U);
  writable(window_ + kWindowData, 4, ~0U);
  msix_ = at;
  static_assert(kFirstCapability + 5 * kVirtioCapBytes + 4 + kWindowBytes + kMsixCapBytes <= 256);
  set(msix_, 1, kCapMsix);
  set(msix_ + 2, 2, vectors - 1);
  writable(msix_ + 2, 2, kMsixEnable | kMsixMaskAll);
  set(msix_ + 4, 4, regs::kBarMsixTable);  // the BAR's number, 0, is in the low bits
  set(msix_ + 8, 4, regs::kBarMsixPba);
}

// struct virtio_pci_cap, `extra` bytes behind it; returns where the next capability goes.
unsigned PciFunction::add_virtio_capability(unsigned at, std::uint8_t type, std::uint32_t offset,
                                            std::uint32_t length, unsigned extra) {
  const unsigned next = at + kVirtioCapBytes + extra;
  set(at, 1, kCapVendor);
  set(at + 1, 1, next);
  set(at + 2, 1, kVirtioCapBytes + extra);
  set(at + 3, 1, type);
  set(at + kVirtioCapOffset, 4, offset);
  set(at + kVirtioCapLength, 4, length);
  return next;
}

std::uint32_t PciFunction::read(unsigned offset, unsigned size) const noexcept {
  std::uint32_t value = 0;
  for (unsigned i = 0; i < size; ++i) {
    const std::uint32_t byte = offset + i < bytes_.size() ? bytes_[offset + i] : 0xFFU;
    value |= byte << (8 * i);
  }
  return value;
}

void PciFunction::write(unsigned offset, unsigned size, std::uint32_t value) noexcept {
  for (unsigned i = 0; i < size && offset + i < bytes_.size(); ++i) {
    const auto byte = static_cast<std::uint8_t>(value >> (8 * i));
    const std::uint8_t mask = mask_[offset + i];
    std::uint8_t& place = bytes_[offset + i];
    place = static_cast<std::uint8_t>((place & ~mask) | (byte & mask));
  }
}

std::optional<PciFunction::Window> PciFunction::window(unsigned offset,
                                                       unsigned size) const noexcept {
  const unsigned data = window_ + kWindowData;
  if (offset + size <= data || offset >= data + kWindowBytes) return std::nullopt;
  const std::uint32_t place = read(window_ + kVirtioCapOffset, 4);
  const std::uint32_t bytes = read(window_ + kVirtioCapLength, 4);
  const bool sized = bytes == 1 || bytes == 2 || bytes == 4;
  if (read(window_ + kVirtioCapBar, 1) != 0 || !sized || place % bytes != 0 ||
      place >= regs::kBarBytes) {
    return std::nullopt;
  }
  return Window{place, bytes};
}

std::uint32_t PciFunction::window_data(const Window& window) const noexcept {
  return read(window_ + kWindowData, window.size);
}

void PciFunction::set_window_data(const Window& window, std::uint32_t value) noexcept {
  set(window_ + kWindowData, window.size, value);
}

void PciFunction::set_interrupt_status(bool pending) noexcept {
  set(kStatus, 2, kStatusCapabilities | (pending ? kStatusInterrupt : 0));
}

bool PciFunction::memory_enabled() const noexcept { return read(kCommand, 2) & kCommandMemory; }
bool PciFunction::bus_master() const noexcept { return read(kCommand, 2) & kCommandBusMaster; }
bool PciFunction::msix_enabled() const noexcept { return read(msix_ + 2, 2) & kMsixEnable; }
bool PciFunction::msix_masked() const noexcept { return read(msix_ + 2, 2) & kMsixMaskAll; }

void PciFunction::set(unsigned offset, unsigned size, std::uint32_t value) noexcept {
  for (unsigned i = 0; i < size; ++i) {
    bytes_[offset + i] = static_cast<std::uint8_t>(value >> (8 * i));
  }
}

void PciFunction::writable(unsigned offset, unsigned size, std::uint32_t mask) noexcept {
  for (unsigned i = 0; i < size; ++i) {
    mask_[offset + i] = static_cast<std::uint8_t>(mask >> (8 * i));
  }
}

}  // namespace nicroscope::sim
