// SPDX-License-Identifier: Apache-2.0
#include "driver/virtio_pci.h"

#include "driver/virtqueue.h"
#include "nicroscope/registers.h"

namespace nicroscope::driver {

namespace {

// PCI configuration space (PCI Local Bus 3.0, 6.1, 6.7, 6.8.2).
constexpr unsigned kPciVendor = 0x00;
constexpr unsigned kPciDevice = 0x02;
constexpr unsigned kPciCommand = 0x04;
constexpr unsigned kPciStatus = 0x06;
constexpr unsigned kPciCapabilities = 0x34;
constexpr std::uint32_t kCommandMemory = 1U << 1U;
constexpr std::uint32_t kCommandBusMaster = 1U << 2U;
constexpr std::uint32_t kCommandIntxDisable = 1U << 10U;
constexpr std::uint32_t kStatusCapabilities = 1U << 4U;
constexpr std::uint32_t kCapabilityVendor = 0x09;
constexpr std::uint32_t kCapabilityMsix = 0x11;
constexpr unsigned kMaxCapabilities = 48;  // what fits in the space behind the header
constexpr std::uint32_t kMsixEnable = 1U << 15U;
constexpr std::uint32_t kMsixFunctionMask = 1U << 14U;
constexpr std::uint32_t kMsixSizeMask = 0x7ff;
constexpr std::uint32_t kMsixVectorMask = 1;

// struct virtio_pci_cap (virtio 1.2, 4.1.4).
constexpr unsigned kCapType = 3;
constexpr unsigned kCapBar = 4;
constexpr unsigned kCapOffset = 8;
constexpr unsigned kCapLength = 12;
constexpr unsigned kCapNotifyMultiplier = 16;

constexpr std::uint32_t kTransitionalDevice = 0x1000;  // virtio 1.2, 4.1.2.1

constexpr Duration kResetPoll = std::chrono::microseconds{10};
constexpr unsigned kResetPolls = 100'000;

}  // namespace

// ---- finding it
// ----------------------------------------------------------------------------------

std::string VirtioPci::probe() {
  // 4.1.2.2: a transitional device is a modern one as well.
  const std::uint32_t device = port_.config_read(kPciDevice, 2);
  if (port_.config_read(kPciVendor, 2) != regs::kPciVendorId ||
      (device != regs::kPciDeviceId && device != kTransitionalDevice)) {
    return "not a virtio network device (PCI 1af4:1041)";
  }
  if (std::string error = walk_capabilities(); !error.empty()) return error;

  // The table is written while the function is masked, so no message leaves half set up.
  const std::uint32_t control = port_.config_read(msix_capability_ + 2, 2);
  vectors_ = (control & kMsixSizeMask) + 1;
  port_.config_write(msix_capability_ + 2, 2, control | kMsixEnable | kMsixFunctionMask);
  const std::uint32_t command = port_.config_read(kPciCommand, 2);
  port_.config_write(kPciCommand, 2,
                     command | kCommandMemory | kCommandBusMaster | kCommandIntxDisable);
  for (unsigned vector = 0; vector < vectors_; ++vector) mask_vector(vector);
  port_.config_write(msix_capability_ + 2, 2, control | kMsixEnable);

  if (read(vendor_, regs::kVendorMagic, 4) != regs::kMagicValue) vendor_ = {};
  return {};
}

void VirtioPci::disable() {
  port_.config_write(msix_capability_ + 2, 2, 0);
  const std::uint32_t command = port_.config_read(kPciCommand, 2);
  port_.config_write(kPciCommand, 2, command & ~kCommandBusMaster);
}

std::string VirtioPci::walk_capabilities() {
  if ((port_.config_read(kPciStatus, 2) & kStatusCapabilities) == 0) {
    return "no PCI capability list";
  }
  unsigned at = port_.config_read(kPciCapabilities, 1) & ~3U;
  for (unsigned n = 0; at != 0 && n < kMaxCapabilities; ++n) {
    const std::uint32_t id = port_.config_read(at, 1);
    if (id == kCapabilityVendor) {
      read_virtio_capability(at);
    } else if (id == kCapabilityMsix) {
      const std::uint32_t table = port_.config_read(at + 4, 4);
      if ((table & 7U) == 0) {
        msix_capability_ = at;
        msix_table_ = {table & ~7U, regs::kBarMsixTableBytes};
      }
    }
    at = port_.config_read(at + 1, 1) & ~3U;
  }
  if (!common_.found()) return "no common configuration capability";
  if (!notify_.found()) return "no notification capability";
  if (!isr_.found()) return "no ISR capability";
  if (!device_.found()) return "no device configuration capability";
  if (!msix_table_.found()) return "no MSI-X capability";
  if (!vendor_.found()) vendor_ = {regs::kBarVendor, regs::kBarVendorBytes};
  return {};
}

// 4.1.4: of several structures of one type the first is the preferred one, and those in a BAR that
// cannot be used are passed over.
void VirtioPci::read_virtio_capability(unsigned at) {
  const std::uint32_t type = port_.config_read(at + kCapType, 1);
  if (port_.config_read(at + kCapBar, 1) != 0) return;
  const BarRegion region{port_.config_read(at + kCapOffset, 4),
                         port_.config_read(at + kCapLength, 4)};
  if (region.length == 0 || region.offset >= regs::kBarBytes) return;
  BarRegion* const target = type == regs::kPciCapCommon   ? &common_
                            : type == regs::kPciCapNotify ? &notify_
                            : type == regs::kPciCapIsr    ? &isr_
                            : type == regs::kPciCapDevice ? &device_
                            : type == regs::kPciCapVendor ? &vendor_
                                                          : nullptr;
  if (target == nullptr || target->found()) return;
  *target = region;
  if (type == regs::kPciCapNotify) {
    notify_multiplier_ = port_.config_read(at + kCapNotifyMultiplier, 4);
  }
}

// ---- registers
// -----------------------------------------------------------------------------------

std::uint32_t VirtioPci::read(const BarRegion& region, std::uint32_t offset, unsigned size) {
  return kernel_.cpu().wait_for_device([&](std::function<void(std::uint32_t)> done) {
    port_.bar_read(region.offset + offset, size, std::move(done));
  });
}

void VirtioPci::write(const BarRegion& region, std::uint32_t offset, unsigned size,
                      std::uint32_t value) {
  kernel_.spend(kernel::cost::mmio_write);
  port_.bar_write(region.offset + offset, size, value);
}

// 4.1.3.1: a 64-bit field may be written as two 32-bit halves.
void VirtioPci::write64(const BarRegion& region, std::uint32_t offset, std::uint64_t value) {
  write(region, offset, 4, static_cast<std::uint32_t>(value));
  write(region, offset + 4, 4, static_cast<std::uint32_t>(value >> 32U));
}

std::uint8_t VirtioPci::status() {
  return static_cast<std::uint8_t>(read(common_, regs::kCommonDeviceStatus, 1));
}

void VirtioPci::add_status(std::uint8_t bits) {
  // 2.1.1: the driver never clears a bit, but for a reset.
  write(common_, regs::kCommonDeviceStatus, 1, static_cast<std::uint32_t>(status() | bits));
}

bool VirtioPci::reset() {
  write(common_, regs::kCommonDeviceStatus, 1, 0);
  for (unsigned n = 0; n < kResetPolls; ++n) {
    if (status() == 0) return true;
    kernel_.usleep(kResetPoll);
  }
  return false;
}

std::uint64_t VirtioPci::device_features() {
  std::uint64_t features = 0;
  for (unsigned half = 0; half < 2; ++half) {
    write(common_, regs::kCommonDeviceFeatureSelect, 4, half);
    features |= std::uint64_t{read(common_, regs::kCommonDeviceFeature, 4)} << (32U * half);
  }
  return features;
}

void VirtioPci::set_driver_features(std::uint64_t features) {
  for (unsigned half = 0; half < 2; ++half) {
    write(common_, regs::kCommonDriverFeatureSelect, 4, half);
    write(common_, regs::kCommonDriverFeature, 4,
          static_cast<std::uint32_t>(features >> (32U * half)));
  }
}

// ---- virtqueues
// ----------------------------------------------------------------------------------

void VirtioPci::select(std::uint16_t queue) { write(common_, regs::kCommonQueueSelect, 2, queue); }

std::uint16_t VirtioPci::num_queues() {
  return static_cast<std::uint16_t>(read(common_, regs::kCommonNumQueues, 2));
}

std::uint16_t VirtioPci::queue_max_size(std::uint16_t queue) {
  select(queue);
  return static_cast<std::uint16_t>(read(common_, regs::kCommonQueueSize, 2));
}

bool VirtioPci::enable_queue(const Virtqueue& vq, std::uint16_t vector) {
  const std::uint16_t queue = vq.index();
  select(queue);
  write(common_, regs::kCommonQueueSize, 2, vq.size());
  write64(common_, regs::kCommonQueueDesc, vq.desc_address());
  write64(common_, regs::kCommonQueueDriver, vq.driver_address());
  write64(common_, regs::kCommonQueueDevice, vq.device_address());
  write(common_, regs::kCommonQueueMsixVector, 2, vector);
  // 4.1.5.1.2: a device without room for the mapping answers NO_VECTOR.
  if (read(common_, regs::kCommonQueueMsixVector, 2) != vector) return false;
  const std::uint32_t doorbell = read(common_, regs::kCommonQueueNotifyOff, 2);
  if (doorbells_.size() <= queue) doorbells_.resize(queue + 1U);
  doorbells_[queue] = notify_.offset + doorbell * notify_multiplier_;
  write(common_, regs::kCommonQueueEnable, 2, 1);
  return true;
}

bool VirtioPci::reset_queue(std::uint16_t queue) {
  select(queue);
  write(common_, regs::kCommonQueueReset, 2, 1);
  for (unsigned n = 0; n < kResetPolls; ++n) {
    // Others may have selected a queue of theirs meanwhile.
    select(queue);
    if (read(common_, regs::kCommonQueueReset, 2) == 0) return true;
    kernel_.usleep(kResetPoll);
  }
  return false;
}

void VirtioPci::notify(std::uint16_t queue) {
  kernel_.spend(kernel::cost::mmio_write);
  port_.bar_write(doorbells_[queue], 2, queue);
}

// ---- MSI-X
// ---------------------------------------------------------------------------------------

void VirtioPci::enable_vector(unsigned vector) {
  const MsiMessage message = port_.msi_message(vector);
  const std::uint32_t entry = vector * regs::kMsixEntryBytes;
  write64(msix_table_, entry + regs::kMsixEntryAddrLo, message.address);
  write(msix_table_, entry + regs::kMsixEntryData, 4, message.data);
  write(msix_table_, entry + regs::kMsixEntryControl, 4, 0);
}

void VirtioPci::mask_vector(unsigned vector) {
  write(msix_table_, vector * regs::kMsixEntryBytes + regs::kMsixEntryControl, 4, kMsixVectorMask);
}

bool VirtioPci::set_config_vector(std::uint16_t vector) {
  write(common_, regs::kCommonConfigMsixVector, 2, vector);
  return read(common_, regs::kCommonConfigMsixVector, 2) == vector;
}

// ---- device configuration
// ------------------------------------------------------------------------

VirtioPci::NetConfig VirtioPci::net_config(std::uint64_t features) {
  const auto has = [features](unsigned feature) { return (features >> feature & 1U) != 0; };
  const auto field = [this](std::uint32_t offset, unsigned size) {
    return read(device_, offset, size);
  };
  NetConfig config;
  std::uint32_t before = 0;
  std::uint32_t after = read(common_, regs::kCommonConfigGeneration, 1);
  do {
    before = after;
    for (unsigned i = 0; has(regs::kFeatureMac) && i < config.mac.size(); ++i) {
      config.mac[i] = static_cast<std::uint8_t>(field(regs::kDeviceConfigMac + i, 1));
    }
    if (has(regs::kFeatureStatus)) {
      config.status = static_cast<std::uint16_t>(field(regs::kDeviceConfigStatus, 2));
    }
    if (has(regs::kFeatureMtu)) {
      config.mtu = static_cast<std::uint16_t>(field(regs::kDeviceConfigMtu, 2));
    }
    if (has(regs::kFeatureSpeedDuplex)) {
      config.speed = field(regs::kDeviceConfigSpeed, 4);
      config.duplex = static_cast<std::uint8_t>(field(regs::kDeviceConfigDuplex, 1));
    }
    if (has(regs::kFeatureMq) || has(regs::kFeatureRss)) {
      config.max_virtqueue_pairs =
          static_cast<std::uint16_t>(field(regs::kDeviceConfigMaxVirtqueuePairs, 2));
    }
    if (has(regs::kFeatureRss) || has(regs::kFeatureHashReport)) {
      config.rss_max_key_size =
          static_cast<std::uint8_t>(field(regs::kDeviceConfigRssMaxKeySize, 1));
      config.supported_hash_types = field(regs::kDeviceConfigSupportedHashTypes, 4);
    }
    if (has(regs::kFeatureRss)) {
      config.rss_max_indirection_table_length =
          static_cast<std::uint16_t>(field(regs::kDeviceConfigRssMaxIndirectionTableLength, 2));
    }
    after = read(common_, regs::kCommonConfigGeneration, 1);
  } while (after != before);
  return config;
}

// ---- vendor page
// ---------------------------------------------------------------------------------

std::optional<ErrorRecord> VirtioPci::error_record() {
  if (!has_vendor_page()) return std::nullopt;
  const auto two = [&](std::uint32_t lo, std::uint32_t hi) {
    const std::uint64_t low = read(vendor_, lo, 4);
    return low | std::uint64_t{read(vendor_, hi, 4)} << 32U;
  };
  ErrorRecord record;
  record.code = static_cast<std::uint8_t>(read(vendor_, regs::kVendorErrorCode, 4));
  record.queue = static_cast<std::uint16_t>(read(vendor_, regs::kVendorErrorQueue, 4));
  record.index = static_cast<std::uint16_t>(read(vendor_, regs::kVendorErrorIndex, 4));
  record.address = two(regs::kVendorErrorAddrLo, regs::kVendorErrorAddrHi);
  record.cycle = two(regs::kVendorErrorCycleLo, regs::kVendorErrorCycleHi);
  return record;
}

std::uint32_t VirtioPci::vendor_control() {
  return has_vendor_page() ? read(vendor_, regs::kVendorControl, 4) : 0;
}

void VirtioPci::set_vendor_control(std::uint32_t bits) {
  write(vendor_, regs::kVendorControl, 4, bits);
}

std::uint64_t VirtioPci::counter(unsigned n) {
  const std::uint32_t at = regs::kVendorCounters + n * regs::kCounterBytes;
  const std::uint64_t low = read(vendor_, at, 4);  // latches the upper half
  return low | std::uint64_t{read(vendor_, at + 4, 4)} << 32U;
}

}  // namespace nicroscope::driver
