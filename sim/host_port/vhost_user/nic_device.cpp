// SPDX-License-Identifier: Apache-2.0
#include "sim/host_port/vhost_user/nic_device.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "nicroscope/registers.h"
#include "sim/base/failure.h"

namespace nicroscope::sim::vhost_user {
namespace {

constexpr Duration kPatience = std::chrono::milliseconds{10};
// Longer than the device holds a received frame for others to be appended to it.
constexpr Duration kLongestHold = std::chrono::microseconds{100};
constexpr unsigned kPciCommand = 0x04;                // PCI 3.0, 6.2.2
constexpr std::uint32_t kPciMemoryAndMaster = 0x406;  // memory, bus master; INTx off
constexpr unsigned kPciCapabilities = 0x34;           // first capability (PCI 3.0, 6.7)
constexpr std::uint32_t kPciCapMsix = 0x11;
constexpr std::uint32_t kMsixEnable = 0x8000;  // PCI Express Base 5.0, 7.7.2.2
constexpr unsigned kConfigBytes = regs::kDeviceConfigSupportedHashTypes + 4;

constexpr std::uint64_t bit(unsigned feature) { return std::uint64_t{1} << feature; }

void enable_msix(DevicePort& port) {
  unsigned at = port.config_read(kPciCapabilities, 1);
  while (at != 0 && port.config_read(at, 1) != kPciCapMsix) at = port.config_read(at + 1, 1);
  if (at != 0) port.config_write(at + 2, 2, port.config_read(at + 2, 2) | kMsixEnable);
}

}  // namespace

NicDevice::NicDevice(Simulation& simulation, std::function<void(unsigned queue)> interrupt)
    : simulation_(simulation), pairs_(simulation.profile().queue_pairs), doorbells_(queues()) {
  DevicePort& port = simulation.port();
  port.config_write(kPciCommand, 2, kPciMemoryAndMaster);
  enable_msix(port);
  port.on_msi([this, interrupt = std::move(interrupt)](unsigned vector) {
    vector < queues() ? interrupt(vector) : static_cast<void>(changed_ = true);
  });
  port.memory().dma_map(kPrivateBase, ControlQueue::kBytes, DmaDirection::bidirectional);

  reset();
  for (std::uint32_t half = 0; half < 2; ++half) {
    write(regs::kCommonDeviceFeatureSelect, 4, half);
    offered_ |= std::uint64_t{read(regs::kCommonDeviceFeature, 4)} << (32 * half);
  }
  select(0);
  largest_ring_ = read(regs::kCommonQueueSize, 2);
}

// ---- registers

void NicDevice::write(std::uint32_t offset, unsigned size, std::uint32_t value) {
  simulation_.port().bar_write(offset, size, value);
}

void NicDevice::write_address(std::uint32_t offset, BusAddress address) {
  write(offset, 4, static_cast<std::uint32_t>(address));
  write(offset + 4, 4, static_cast<std::uint32_t>(address >> 32U));
}

std::uint32_t NicDevice::read(std::uint32_t offset, unsigned size) {
  // Shared with the callback, which outlives this call where the device does not answer.
  const auto value = std::make_shared<std::optional<std::uint32_t>>();
  simulation_.port().bar_read(offset, size, [value](std::uint32_t answer) { *value = answer; });
  const Time limit = simulation_.timeline().now() + kPatience;
  while (!value->has_value()) {
    const RunResult result = simulation_.run_until(limit, [&] { return value->has_value(); });
    if (!result.ok()) throw SimulationFailure(result.message);
    if (result.reason == RunResult::Reason::limit && !value->has_value()) {
      throw SimulationFailure(fmt::format("no answer to a read of register {:#x}", offset));
    }
  }
  return **value;
}

// Until the register shows `value`; error() if the device gives up before that.
std::string NicDevice::wait_until(std::uint32_t offset, unsigned size, std::uint32_t value,
                                  const char* what) {
  const Time limit = simulation_.timeline().now() + kPatience;
  while (read(offset, size) != value) {
    if (std::string why = error(); !why.empty()) return why;
    if (simulation_.timeline().now() > limit) throw SimulationFailure(what);
  }
  return {};
}

void NicDevice::select(unsigned queue) { write(regs::kCommonQueueSelect, 2, queue); }

// Gives a vector its message, unmasked.
void NicDevice::set_vector(unsigned vector) {
  const std::uint32_t entry = regs::kBarMsixTable + vector * regs::kMsixEntryBytes;
  const MsiMessage message = simulation_.port().msi_message(vector);
  write_address(entry + regs::kMsixEntryAddrLo, message.address);
  write(entry + regs::kMsixEntryData, 4, message.data);
  write(entry + regs::kMsixEntryControl, 4, 0);
}

void NicDevice::read_config(unsigned offset, std::span<std::byte> to) {
  for (std::size_t i = 0; i < to.size(); ++i) {
    const std::size_t place = offset + i;
    if (place >= kConfigBytes) {
      to[i] = std::byte{0};
      continue;
    }
    to[i] =
        static_cast<std::byte>(read(regs::kBarDeviceConfig + static_cast<std::uint32_t>(place), 1));
  }
}

// ---- the device

void NicDevice::reset() {
  write(regs::kCommonDeviceStatus, 1, 0);
  const Time limit = simulation_.timeline().now() + kPatience;
  while (read(regs::kCommonDeviceStatus, 1) != 0) {
    if (simulation_.timeline().now() > limit) {
      throw SimulationFailure("the device does not come out of reset");
    }
  }
  running_ = false;
  changed_ = false;
  pairs_in_use_ = steered_pairs_ = 1;
  filter_ready_ = false;
  control_.reset();
}

std::string NicDevice::start(std::uint64_t features) {
  reset();
  // What a driver would take that knows this device: its address translation is ours, and queues
  // are stopped one by one. The driver that has no control queue leaves the pairs to us.
  std::uint64_t taken = features | bit(regs::kFeatureAccessPlatform);
  taken |= offered_ & bit(regs::kFeatureRingReset);
  const bool own_control = (features & bit(regs::kFeatureCtrlVq)) == 0;
  if (own_control) {
    taken |= offered_ & (bit(regs::kFeatureCtrlVq) | bit(regs::kFeatureMq) |
                         bit(regs::kFeatureCtrlRx) | bit(regs::kFeatureCtrlRxExtra));
  }

  std::uint32_t status = regs::kStatusAcknowledge | regs::kStatusDriver;
  write(regs::kCommonDeviceStatus, 1, status);
  for (std::uint32_t half = 0; half < 2; ++half) {
    write(regs::kCommonDriverFeatureSelect, 4, half);
    write(regs::kCommonDriverFeature, 4, static_cast<std::uint32_t>(taken >> (32 * half)));
  }
  status |= regs::kStatusFeaturesOk;
  write(regs::kCommonDeviceStatus, 1, status);
  if (read(regs::kCommonDeviceStatus, 1) != status) {
    return fmt::format("the device does not take the features {:#x}", features);
  }
  set_vector(queues());
  write(regs::kCommonConfigMsixVector, 2, queues());
  if (own_control) {
    const auto memory = simulation_.memory().at(kPrivateBase, ControlQueue::kBytes);
    std::ranges::fill(memory, std::byte{0});
    control_.emplace(simulation_, kPrivateBase);
    if (std::string problem = start_queue(control_->areas()); !problem.empty()) return problem;
  }
  status |= regs::kStatusDriverOk;
  write(regs::kCommonDeviceStatus, 1, status);
  running_ = true;
  return wait_until(regs::kCommonDeviceStatus, 1, status, "the device does not start");
}

// Why the device says DEVICE_NEEDS_RESET, from the vendor page.
std::string NicDevice::error() {
  if ((read(regs::kCommonDeviceStatus, 1) & regs::kStatusNeedsReset) == 0) return {};
  const std::uint32_t vendor = regs::kBarVendor;
  const std::uint32_t code = read(vendor + regs::kVendorErrorCode, 4);
  const std::uint32_t queue = read(vendor + regs::kVendorErrorQueue, 4);
  const std::uint32_t slot = read(vendor + regs::kVendorErrorIndex, 4);
  const std::uint64_t address = read(vendor + regs::kVendorErrorAddrLo, 4) |
                                std::uint64_t{read(vendor + regs::kVendorErrorAddrHi, 4)} << 32U;
  return fmt::format("the device needs a reset: error {} in virtqueue {}, slot {}, address {:#x}",
                     code, queue, slot, address);
}

// ---- queues

std::string NicDevice::start_queue(const QueueAreas& areas) {
  select(areas.index);
  write(regs::kCommonQueueSize, 2, areas.size);
  write_address(regs::kCommonQueueDesc, areas.descriptors);
  write_address(regs::kCommonQueueDriver, areas.driver);
  write_address(regs::kCommonQueueDevice, areas.device);
  if (areas.vector != regs::kNoVector) {
    set_vector(areas.vector);
    write(regs::kCommonQueueMsixVector, 2, areas.vector);
  }
  doorbells_[areas.index] =
      regs::kBarNotify + regs::kNotifyMultiplier * read(regs::kCommonQueueNotifyOff, 2);
  write(regs::kCommonQueueEnable, 2, 1);
  return wait_until(regs::kCommonQueueEnable, 2, 1, "the device does not enable a queue");
}

std::string NicDevice::stop_queue(unsigned queue) {
  select(queue);
  write(regs::kCommonQueueReset, 2, 1);
  return wait_until(regs::kCommonQueueReset, 2, 0, "the device does not reset a queue");
}

void NicDevice::kick(unsigned queue) { write(doorbells_[queue], 4, queue); }

// ---- received frames

std::string NicDevice::command(std::uint8_t command_class, std::uint8_t command,
                               std::uint16_t value, std::size_t bytes) {
  const std::array data = {static_cast<std::byte>(value), static_cast<std::byte>(value >> 8U)};
  const std::string problem =
      control_->command(command_class, command, std::span(data).first(bytes));
  if (problem.empty()) return {};
  std::string why = error();
  if (why.empty()) throw SimulationFailure(problem);
  return why;
}

std::string NicDevice::use_pairs(unsigned pairs) {
  if (!control_ || pairs == pairs_in_use_) return {};
  std::string problem = change_pairs(pairs);
  if (problem.empty()) pairs_in_use_ = pairs;
  return problem;
}

// Out of promiscuous mode, in which the device starts, the two suppressed kinds and the empty
// tables leave nothing that is let in (virtio 1.2, 5.1.6.5.1).
std::string NicDevice::change_pairs(unsigned pairs) {
  if (pairs == 0 && !filter_ready_) {
    for (const std::uint8_t kind : {regs::kCtrlRxNouni, regs::kCtrlRxNobcast}) {
      if (std::string why = command(regs::kCtrlClassRx, kind, 1, 1); !why.empty()) return why;
    }
    filter_ready_ = true;
  }
  if (pairs != 0 && pairs != steered_pairs_ && pairs_ != 1) {
    std::string why =
        command(regs::kCtrlClassMq, regs::kCtrlMqVqPairsSet, static_cast<std::uint16_t>(pairs), 2);
    if (!why.empty()) return why;
    steered_pairs_ = pairs;
  }
  if ((pairs == 0) == (pairs_in_use_ == 0)) return {};
  return command(regs::kCtrlClassRx, regs::kCtrlRxPromisc, pairs != 0, 1);
}

bool NicDevice::settle() {
  WirePort& wire = simulation_.wire();
  wire.hold(true);
  const Time limit = simulation_.timeline().now() + kPatience;
  const auto now = [this] { return simulation_.timeline().now(); };
  const auto busy = [&] { return simulation_.next_event() <= now() + kLongestHold; };
  while (busy() && now() < limit) {
    const RunResult result = simulation_.run_until(now() + std::chrono::microseconds{1});
    if (!result.ok()) throw SimulationFailure(result.message);
  }
  const bool quiet = !busy();
  wire.hold(false);
  return quiet;
}

}  // namespace nicroscope::sim::vhost_user
