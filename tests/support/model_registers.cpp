// SPDX-License-Identifier: Apache-2.0
// The registers of ModelDevice: PCI configuration space, virtio structures, MSI-X, vendor page.
#include <cstring>

#include "tests/support/model_device.h"

namespace nicroscope::test {

namespace {

constexpr unsigned kCapabilityPointer = 0x34;
constexpr std::uint64_t kMsiAddress = 0xFEE0'0000;
constexpr unsigned kMsixCapability = 0x90;
constexpr Duration kClock = std::chrono::nanoseconds{4};

}  // namespace

// ---- configuration space
// -------------------------------------------------------------------------

// The list has what a driver must step over: a foreign capability, a structure of an unknown type,
// one in a BAR that is not there, and a second, worse one of a type that was there before.
void ModelDevice::build_config_space() {
  const auto put = [this](unsigned at, unsigned size, std::uint32_t value) {
    for (unsigned i = 0; i < size; ++i) config_[at + i] = static_cast<std::uint8_t>(value >> 8 * i);
  };
  put(0x00, 2, regs::kPciVendorId);
  put(0x02, 2, regs::kPciDeviceId);
  put(0x06, 2, 0x10);
  put(kCapabilityPointer, 1, 0x40);
  const auto capability = [&](unsigned at, unsigned next, unsigned type, unsigned bar,
                              std::uint32_t offset, std::uint32_t length) {
    put(at, 1, 0x09);
    put(at + 1, 1, next);
    put(at + 2, 1, 16);
    put(at + 3, 1, type);
    put(at + 4, 1, bar);
    put(at + 8, 4, offset);
    put(at + 12, 4, length);
  };
  put(0x40, 1, 0x01);  // power management
  put(0x41, 1, 0x50);
  capability(0x50, 0x60, regs::kPciCapDevice, 0, regs::kBarDeviceConfig, 0x40);
  capability(0x60, 0x70, regs::kPciCapCommon, 3, 0x100, 0x40);
  capability(0x70, 0x80, 77, 0, 0x100, 0x40);
  capability(0x80, kMsixCapability, regs::kPciCapIsr, 0, regs::kBarIsr, 1);
  put(kMsixCapability, 1, 0x11);
  put(kMsixCapability + 1, 1, 0xA0);
  put(kMsixCapability + 2, 2, static_cast<std::uint32_t>(msix_.size() - 1));
  put(kMsixCapability + 4, 4, regs::kBarMsixTable);
  put(kMsixCapability + 8, 4, regs::kBarMsixPba);
  capability(0xA0, 0xB4, regs::kPciCapNotify, 0, regs::kBarNotify, 0x100);
  put(0xB0, 4, regs::kNotifyMultiplier);
  capability(0xB4, 0xC4, regs::kPciCapCommon, 0, regs::kBarCommon, 0x40);
  capability(0xC4, 0x00, regs::kPciCapCommon, 0, 0xF000, 0x40);
}

std::uint32_t ModelDevice::config_read(unsigned offset, unsigned size) {
  if (on_access) on_access({true, false, offset, size, 0});
  std::uint32_t value = 0;
  for (unsigned i = 0; i < size; ++i) {
    value |= std::uint32_t{config_.at(offset + i)} << (8 * i);
  }
  return value;
}

void ModelDevice::config_write(unsigned offset, unsigned size, std::uint32_t value) {
  if (on_access) on_access({true, true, offset, size, value});
  for (unsigned i = 0; i < size; ++i) {
    config_.at(offset + i) = static_cast<std::uint8_t>(value >> (8 * i));
  }
  bus_.master_enabled = (config_[4] & 4U) != 0;
  for (std::uint16_t vector = 0; vector < msix_.size(); ++vector) {
    if (msix_[vector].pending) raise(vector);
  }
}

MsiMessage ModelDevice::msi_message(unsigned vector) const noexcept {
  return {kMsiAddress, vector};
}

// ---- the BAR
// -------------------------------------------------------------------------------------

void ModelDevice::bar_read(std::uint32_t offset, unsigned size, ReadCallback done) {
  timeline_.after(options_.register_latency, [this, offset, size, done = std::move(done)] {
    if (on_access) on_access({false, false, offset, size, 0});
    const std::uint32_t value = register_read(offset, size);
    timeline_.after(options_.register_latency, [value, done] { done(value); });
  });
}

void ModelDevice::bar_write(std::uint32_t offset, unsigned size, std::uint32_t value) {
  timeline_.after(options_.register_latency, [this, offset, size, value] {
    if (on_access) on_access({false, true, offset, size, value});
    register_write(offset, size, value);
  });
}

std::uint32_t ModelDevice::register_read(std::uint32_t offset, unsigned size) {
  const std::uint32_t within = offset & 0xFFFU;
  switch (offset & 0xF000U) {
    case regs::kBarCommon:
      return common_read(within);
    case regs::kBarDeviceConfig:
      return net_config_read(within, size);
    case regs::kBarVendor:
      return vendor_read(within);
    default:
      return 0;
  }
}

void ModelDevice::register_write(std::uint32_t offset, unsigned /*size*/, std::uint32_t value) {
  if (offset < regs::kBarIsr) {
    common_write(offset, value);
  } else if (offset >= regs::kBarNotify && offset < regs::kBarNotify + regs::kBarNotifyBytes) {
    kick((offset - regs::kBarNotify) / regs::kNotifyMultiplier);
  } else if (offset == regs::kBarVendor + regs::kVendorControl) {
    vendor_control_ = value;
  } else if (offset >= regs::kBarMsixTable && offset < regs::kBarMsixPba) {
    msix_write(offset - regs::kBarMsixTable, value);
  }
}

std::uint32_t ModelDevice::common_read(std::uint32_t offset) {
  const Queue* const queue = queue_select_ < queues_.size() ? &queues_[queue_select_] : nullptr;
  switch (offset) {
    case regs::kCommonDeviceFeature:
      return device_feature_select_ > 1
                 ? 0
                 : static_cast<std::uint32_t>(options_.features >> 32 * device_feature_select_);
    case regs::kCommonConfigMsixVector:
      return config_vector_;
    case regs::kCommonNumQueues:
      return static_cast<std::uint32_t>(queues_.size());
    case regs::kCommonDeviceStatus:
      return status_;
    case regs::kCommonConfigGeneration:
      return generation_;
    case regs::kCommonQueueSize:
      return queue == nullptr ? 0 : queue->layout.size;
    case regs::kCommonQueueMsixVector:
      return queue == nullptr ? regs::kNoVector : queue->vector;
    case regs::kCommonQueueEnable:
      return queue != nullptr && queue->enabled ? 1 : 0;
    case regs::kCommonQueueNotifyOff:
      return queue_select_;
    case regs::kCommonQueueReset:
      return queue != nullptr && queue->resetting ? 1 : 0;
    default:
      return 0;
  }
}

void ModelDevice::common_write(std::uint32_t offset, std::uint32_t value) {
  Queue* const queue = queue_select_ < queues_.size() ? &queues_[queue_select_] : nullptr;
  const auto vector = static_cast<std::uint16_t>(value < msix_.size() ? value : regs::kNoVector);
  const auto half = [value](BusAddress& field, bool high) {
    field = high ? (field & 0xFFFF'FFFFU) | std::uint64_t{value} << 32
                 : (field & ~std::uint64_t{0xFFFF'FFFFU}) | value;
  };
  switch (offset) {
    case regs::kCommonDeviceFeatureSelect:
      device_feature_select_ = value;
      return;
    case regs::kCommonDriverFeatureSelect:
      driver_feature_select_ = value;
      return;
    case regs::kCommonDriverFeature:
      if (driver_feature_select_ <= 1) half(driver_features_, driver_feature_select_ == 1);
      return;
    case regs::kCommonConfigMsixVector:
      config_vector_ = hostile_ == Hostile::no_config_vector ? regs::kNoVector : vector;
      return;
    case regs::kCommonDeviceStatus:
      write_status(static_cast<std::uint8_t>(value));
      return;
    case regs::kCommonQueueSelect:
      queue_select_ = static_cast<std::uint16_t>(value);
      return;
    default:
      break;
  }
  if (queue == nullptr) return;
  switch (offset) {
    case regs::kCommonQueueSize:
      queue->layout.size = static_cast<std::uint16_t>(value);
      break;
    case regs::kCommonQueueMsixVector:
      queue->vector = hostile_ == Hostile::no_queue_vector ? regs::kNoVector : vector;
      break;
    case regs::kCommonQueueEnable:
      if (value == 1) enable_queue(*queue);
      break;
    case regs::kCommonQueueReset:
      if (value == 1 && negotiated(regs::kFeatureRingReset)) reset_queue(*queue);
      break;
    case regs::kCommonQueueDesc:
    case regs::kCommonQueueDesc + 4:
      half(queue->layout.desc, offset != regs::kCommonQueueDesc);
      break;
    case regs::kCommonQueueDriver:
    case regs::kCommonQueueDriver + 4:
      half(queue->layout.driver, offset != regs::kCommonQueueDriver);
      break;
    case regs::kCommonQueueDevice:
    case regs::kCommonQueueDevice + 4:
      half(queue->layout.device, offset != regs::kCommonQueueDevice);
      break;
    default:
      break;
  }
}

std::uint32_t ModelDevice::net_config_read(std::uint32_t offset, unsigned size) const {
  std::array<std::uint8_t, 0x20> bytes{};
  const auto put = [&](unsigned at, unsigned count, std::uint32_t value) {
    for (unsigned i = 0; i < count; ++i) bytes[at + i] = static_cast<std::uint8_t>(value >> 8 * i);
  };
  std::memcpy(bytes.data() + regs::kDeviceConfigMac, options_.mac.data(), options_.mac.size());
  put(regs::kDeviceConfigStatus, 2, config_status_);
  put(regs::kDeviceConfigMaxVirtqueuePairs, 2, options_.pairs);
  put(regs::kDeviceConfigRssMaxKeySize, 1, regs::kRssKeyBytes);
  put(regs::kDeviceConfigRssMaxIndirectionTableLength, 2, regs::kRssTableEntries);
  put(regs::kDeviceConfigSupportedHashTypes, 4, 0x3f);
  put(regs::kDeviceConfigMtu, 2, options_.mtu);
  put(regs::kDeviceConfigSpeed, 4, 10'000);
  put(regs::kDeviceConfigDuplex, 1, 1);
  std::uint32_t value = 0;
  for (unsigned i = 0; i < size && offset + i < bytes.size(); ++i) {
    value |= std::uint32_t{bytes[offset + i]} << (8 * i);
  }
  return value;
}

std::uint32_t ModelDevice::vendor_read(std::uint32_t offset) {
  const ModelQueue::Error error = error_.value_or(ModelQueue::Error{});
  switch (offset) {
    case regs::kVendorMagic:
      return regs::kMagicValue;
    case regs::kVendorControl:
      return vendor_control_;
    case regs::kVendorErrorCode:
      return error.code;
    case regs::kVendorErrorQueue:
      return error_queue_;
    case regs::kVendorErrorIndex:
      return error.slot;
    case regs::kVendorErrorAddrLo:
      return static_cast<std::uint32_t>(error.address);
    case regs::kVendorErrorAddrHi:
      return static_cast<std::uint32_t>(error.address >> 32);
    case regs::kVendorErrorCycleLo:
      return static_cast<std::uint32_t>(error_cycle_);
    case regs::kVendorErrorCycleHi:
      return static_cast<std::uint32_t>(error_cycle_ >> 32);
    default:
      break;
  }
  if (offset < regs::kVendorCounters) return 0;
  const std::uint32_t n = (offset - regs::kVendorCounters) / regs::kCounterBytes;
  if (n >= counters_.size()) return 0;
  if (offset % regs::kCounterBytes != 0) return counter_high_;
  counter_high_ = static_cast<std::uint32_t>(counters_[n] >> 32);
  return static_cast<std::uint32_t>(counters_[n]);
}

// ---- MSI-X
// ---------------------------------------------------------------------------------------

void ModelDevice::msix_write(std::uint32_t offset, std::uint32_t value) {
  const std::uint32_t n = offset / regs::kMsixEntryBytes;
  if (n >= msix_.size()) return;
  MsixEntry& entry = msix_[n];
  switch (offset % regs::kMsixEntryBytes) {
    case regs::kMsixEntryAddrLo:
      entry.address = (entry.address >> 32 << 32) | value;
      break;
    case regs::kMsixEntryAddrHi:
      entry.address = (entry.address & 0xFFFF'FFFFU) | std::uint64_t{value} << 32;
      break;
    case regs::kMsixEntryData:
      entry.data = value;
      break;
    default:
      entry.masked = (value & 1U) != 0;
      if (entry.pending) raise(static_cast<std::uint16_t>(n));
      break;
  }
}

void ModelDevice::raise(std::uint16_t vector) {
  if (vector >= msix_.size()) return;
  MsixEntry& entry = msix_[vector];
  const std::uint32_t control = config_read(kMsixCapability + 2, 2);
  const bool enabled = (control & 0x8000U) != 0;
  const bool masked = entry.masked || (control & 0x4000U) != 0;
  entry.pending = masked || !enabled;
  if (entry.pending || !bus_.master_enabled || entry.address != kMsiAddress) return;
  ++counters_[regs::kCounterInterrupts];
  timeline_.after(options_.interrupt_latency, [this, data = entry.data] {
    if (msi_) msi_(data);
  });
}

// ---- status
// --------------------------------------------------------------------------------------

void ModelDevice::write_status(std::uint8_t value) {
  status_writes_.push_back(value);
  if (value == 0) {
    ++epoch_;
    if (status_ == 0) {  // nothing to wait for, and nothing that the driver could wait by
      finish_reset();
      return;
    }
    resetting_ = true;
    timeline_.after(options_.reset_time, [this, epoch = epoch_] {
      if (epoch == epoch_ && hostile_ != Hostile::stuck_reset) finish_reset();
    });
    return;
  }
  const bool features_ok = (value & regs::kStatusFeaturesOk) != 0;
  if (features_ok &&
      (hostile_ == Hostile::refuse_features || (driver_features_ & ~options_.features) != 0)) {
    value = static_cast<std::uint8_t>(value & ~regs::kStatusFeaturesOk);
  }
  status_ = value;
  if (running()) schedule_work();
}

void ModelDevice::finish_reset() {
  status_ = 0;
  resetting_ = false;
  driver_features_ = 0;
  config_vector_ = regs::kNoVector;
  queue_select_ = 0;
  for (Queue& queue : queues_) {
    queue = {};
    queue.layout.size = options_.ring_max;
  }
  error_.reset();
  chains_sent_ = 0;
  work_scheduled_ = false;
  counters_[regs::kCounterRxDropDisabled] += waiting();
  for (auto& frames : frames_) frames.clear();
  for (auto& ids : delivered_) ids.clear();
  forget_settings();
  for (MsixEntry& entry : msix_) entry.pending = false;
}

void ModelDevice::fail(std::uint8_t code, std::uint16_t queue, std::uint16_t slot,
                       BusAddress address) {
  if (error_) return;
  error_ = ModelQueue::Error{code, slot, address};
  error_queue_ = queue;
  error_cycle_ = static_cast<std::uint64_t>(timeline_.now() / kClock);
  status_ |= regs::kStatusNeedsReset;
  if ((status_ & regs::kStatusDriverOk) != 0) raise(config_vector_);
}

}  // namespace nicroscope::test
