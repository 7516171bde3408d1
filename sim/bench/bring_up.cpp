// SPDX-License-Identifier: Apache-2.0
#include "sim/bench/bring_up.h"

#include <fmt/format.h>

#include <optional>

#include "nicroscope/registers.h"

namespace nicroscope::sim {
namespace {

constexpr Duration kRegisterPatience = std::chrono::milliseconds{10};
constexpr unsigned kPciCommand = 0x04;              // PCI 3.0, 6.2.2
constexpr std::uint32_t kPciMemoryAndMaster = 0x6;  // memory space and bus master enable

constexpr unsigned kPciCapabilities = 0x34;  // first capability (PCI 3.0, 6.7)
constexpr std::uint32_t kPciCapMsix = 0x11;
constexpr std::uint32_t kMsixEnable = 0x8000;  // PCI Express Base 5.0, 7.7.2.2

void enable_msix(DevicePort& port) {
  unsigned at = port.config_read(kPciCapabilities, 1);
  while (at != 0 && port.config_read(at, 1) != kPciCapMsix) at = port.config_read(at + 1, 1);
  if (at != 0) port.config_write(at + 2, 2, port.config_read(at + 2, 2) | kMsixEnable);
}

void unmask_vector(DevicePort& port, unsigned vector) {
  const std::uint32_t entry = regs::kBarMsixTable + vector * regs::kMsixEntryBytes;
  const MsiMessage message = port.msi_message(vector);
  port.bar_write(entry + regs::kMsixEntryAddrLo, 4, static_cast<std::uint32_t>(message.address));
  port.bar_write(entry + regs::kMsixEntryAddrHi, 4,
                 static_cast<std::uint32_t>(message.address >> 32U));
  port.bar_write(entry + regs::kMsixEntryData, 4, message.data);
  port.bar_write(entry + regs::kMsixEntryControl, 4, 0);
}

class Common {
 public:
  explicit Common(Simulation& simulation) : simulation_(simulation) {}

  void write(std::uint16_t offset, unsigned size, std::uint32_t value) {
    simulation_.port().bar_write(regs::kBarCommon + offset, size, value);
  }
  void write_address(std::uint16_t offset, BusAddress address) {
    write(offset, 4, static_cast<std::uint32_t>(address));
    write(static_cast<std::uint16_t>(offset + 4), 4, static_cast<std::uint32_t>(address >> 32U));
  }
  [[nodiscard]] std::uint32_t read(std::uint16_t offset, unsigned size) {
    return read_register(simulation_, regs::kBarCommon + offset, size);
  }

 private:
  Simulation& simulation_;
};

}  // namespace

std::uint32_t read_register(Simulation& simulation, std::uint32_t offset, unsigned size) {
  std::optional<std::uint32_t> value;
  simulation.port().bar_read(offset, size, [&](std::uint32_t answer) { value = answer; });
  simulation.run_until(simulation.timeline().now() + kRegisterPatience,
                       [&] { return value.has_value(); });
  return value.value_or(~std::uint32_t{0});
}

std::uint64_t read_counter(Simulation& simulation, unsigned place) {
  const std::uint32_t offset =
      regs::kBarVendor + regs::kVendorCounters + regs::kCounterBytes * place;
  const std::uint64_t low = read_register(simulation, offset, 4);  // latches the high half
  return low | std::uint64_t{read_register(simulation, offset + 4, 4)} << 32U;
}

std::string bring_up(Simulation& simulation, std::uint64_t features,
                     std::span<const QueueAreas> queues) {
  simulation.port().config_write(kPciCommand, 2, kPciMemoryAndMaster);
  Common common(simulation);
  common.write(regs::kCommonDeviceStatus, 1, 0);
  if (common.read(regs::kCommonDeviceStatus, 1) != 0)
    return "the device does not come out of reset";

  std::uint32_t status = regs::kStatusAcknowledge | regs::kStatusDriver;
  common.write(regs::kCommonDeviceStatus, 1, status);
  for (std::uint32_t half = 0; half < 2; ++half) {
    common.write(regs::kCommonDriverFeatureSelect, 4, half);
    common.write(regs::kCommonDriverFeature, 4,
                 static_cast<std::uint32_t>(features >> (32 * half)));
  }
  status |= regs::kStatusFeaturesOk;
  common.write(regs::kCommonDeviceStatus, 1, status);
  if (common.read(regs::kCommonDeviceStatus, 1) != status) return "the device refuses the features";

  for (const QueueAreas& queue : queues) {
    common.write(regs::kCommonQueueSelect, 2, queue.index);
    const std::uint32_t largest = common.read(regs::kCommonQueueSize, 2);
    if (queue.size > largest) {
      return fmt::format("virtqueue {} takes {} slots, not {}", queue.index, largest, queue.size);
    }
    common.write(regs::kCommonQueueSize, 2, queue.size);
    common.write_address(regs::kCommonQueueDesc, queue.descriptors);
    common.write_address(regs::kCommonQueueDriver, queue.driver);
    common.write_address(regs::kCommonQueueDevice, queue.device);
    if (queue.vector != regs::kNoVector) {
      enable_msix(simulation.port());
      unmask_vector(simulation.port(), queue.vector);
      common.write(regs::kCommonQueueMsixVector, 2, queue.vector);
    }
    common.write(regs::kCommonQueueEnable, 2, 1);
  }
  common.write(regs::kCommonDeviceStatus, 1, status | regs::kStatusDriverOk);
  if (common.read(regs::kCommonDeviceStatus, 1) != (status | regs::kStatusDriverOk)) {
    return "the device does not start";
  }
  return {};
}

}  // namespace nicroscope::sim
