// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "nicroscope/device_port.h"
#include "sim/bus/axi_memory.h"
#include "sim/bus/host_arena.h"
#include "sim/host_port/pci_function.h"
#include "sim/nic/nic.h"
#include "sim/nic/rtl_trace.h"
#include "sim/time/event_queue.h"

namespace nicroscope::sim {

/// The simulated NIC as a driver sees it. Register accesses take the bus's latencies and stay in
/// order; a read's completion carries the value that the register had when the read was there.
class NicPort final : public DevicePort {
 public:
  NicPort(const Profile& profile, EventQueue& timeline, HostArena& arena, AxiMemory& bus, Nic& nic,
          RtlTrace& trace);

  [[nodiscard]] std::uint32_t config_read(unsigned offset, unsigned size) override;
  void config_write(unsigned offset, unsigned size, std::uint32_t value) override;
  void config_read_through(unsigned offset, unsigned size, ReadCallback done) override;
  void bar_read(std::uint32_t offset, unsigned size, ReadCallback done) override;
  void bar_write(std::uint32_t offset, unsigned size, std::uint32_t value) override;
  [[nodiscard]] HostMemory& memory() noexcept override { return arena_; }
  [[nodiscard]] MsiMessage msi_message(unsigned vector) const noexcept override;
  void on_msi(MsiCallback callback) override;
  [[nodiscard]] FrameId received_frame(unsigned pair, std::uint64_t nth) override;
  void transmitted_frame(unsigned pair, std::uint64_t nth, FrameId id) override;

 private:
  [[nodiscard]] Time arrival(Duration latency) noexcept;
  void register_read(std::uint32_t offset, unsigned size, ReadCallback done);
  void register_write(std::uint32_t offset, unsigned size, std::uint32_t value);

  EventQueue& timeline_;
  HostArena& arena_;
  AxiMemory& bus_;
  Nic& nic_;
  RtlTrace& trace_;
  PciFunction function_;
  Time last_arrival_{0};            // accesses reach the NIC in the order in which they were made
  bool running_ = false;            // the driver has set DRIVER_OK
  std::uint32_t queue_select_ = 0;  // the virtqueue that it sets up
};

}  // namespace nicroscope::sim
