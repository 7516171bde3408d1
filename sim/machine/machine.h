// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "driver/virtio_net.h"
#include "sim/host_port/faulty_port.h"
#include "sim/scenario/scenario.h"
#include "sim/simulation.h"
#include "stack/kernel/kernel.h"
#include "stack/socket/net_stack.h"
#include "stack/socket/udp_echo.h"

namespace nicroscope::sim {

struct MachineOptions {
  Scenario scenario;
  bool no_skip = false;
  bool assertions = false;                        ///< the RTL's; a waveform has them in any case
  std::string wave;                               ///< FST file; empty for none
  std::shared_ptr<const TimeWindow> wave_window;  ///< what it shows of the run; null for all
};

/// The whole: the NIC between a wire and a host with its kernel, driver, stack and an echo server.
class Machine {
 public:
  /// Throws BadInput where the scenario cannot be built.
  [[nodiscard]] static std::unique_ptr<Machine> create(const MachineOptions& options);
  Machine(const Machine&) = delete;
  Machine& operator=(const Machine&) = delete;
  ~Machine();

  /// Probes the device, brings the interface up and starts the servers. Returns one line saying
  /// what went wrong, empty if nothing.
  [[nodiscard]] std::string boot();

  /// Simulates until `limit` or `done`. Returns what went wrong: the hardware, or the device as the
  /// driver reported it.
  [[nodiscard]] std::string run_until(Time limit, const std::function<bool()>& done = {});

  /// Runs `function` as a process of the host until it returns. As run_until.
  [[nodiscard]] std::string run_process(const std::string& name, std::function<void()> function);

  /// Resets the device and starts it again, as a watchdog or a person would after an error; what
  /// had gone wrong is forgotten. As run_until.
  [[nodiscard]] std::string reset_device();

  /// `ethtool -S` of the interface, by name. Also of a device that has failed.
  [[nodiscard]] std::map<std::string, std::uint64_t> statistics();

  [[nodiscard]] Simulation& simulation() noexcept { return *simulation_; }
  [[nodiscard]] net::NetStack& stack() noexcept { return stack_; }
  [[nodiscard]] net::net_device& netdev() noexcept { return driver_.netdev(); }
  [[nodiscard]] kernel::Kernel& host() noexcept { return kernel_; }
  [[nodiscard]] driver::VirtioNet& driver() noexcept { return driver_; }
  /// The first rule of the kernel that host software broke: the DMA API misused, a packet freed
  /// without a reason. Empty where none.
  [[nodiscard]] std::string broken_rule();
  /// The device's error, once the driver has reported one.
  [[nodiscard]] const std::optional<driver::DeviceError>& device_error() const noexcept {
    return device_error_;
  }
  /// The scenario asks for a fault that has not come to pass.
  [[nodiscard]] bool fault_pending() const noexcept { return fault_ && !fault_->struck(); }
  [[nodiscard]] const net::udp_echo_counters& echo() const noexcept { return echo_; }

 private:
  Machine(const MachineOptions& options, std::unique_ptr<Simulation> simulation,
          kernel::Config kernel_config);
  [[nodiscard]] std::string set_up_interface();
  [[nodiscard]] std::string set_up_moderation();
  void set_up_steering();
  void set_up_affinity();

  const Scenario scenario_;
  std::unique_ptr<Simulation> simulation_;
  std::unique_ptr<FaultyPort> fault_;  // null where the scenario asks for none
  std::optional<driver::DeviceError> device_error_;
  net::udp_echo_counters echo_;
  kernel::Kernel kernel_;
  net::NetStack stack_;
  driver::VirtioNet driver_;
};

}  // namespace nicroscope::sim
