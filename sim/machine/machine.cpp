// SPDX-License-Identifier: Apache-2.0
#include "sim/machine/machine.h"

#include <fmt/format.h>

#include <exception>
#include <sstream>
#include <utility>

#include "sim/base/failure.h"
#include "sim/machine/hardware_options.h"
#include "stack/core/softnet.h"

namespace nicroscope::sim {
namespace {

constexpr Duration kProcessPatience = std::chrono::seconds{10};  // simulated

SimulationOptions simulation_options(const MachineOptions& options) {
  SimulationOptions result = hardware_options(options.scenario);
  result.no_skip = options.no_skip;
  result.wave = {options.wave, options.wave_window};
  if (!options.wave.empty()) {
    result.variant = Variant::traced;
  } else {
    result.variant = options.assertions ? Variant::checked : Variant::fast;
  }
  return result;
}

kernel::Config kernel_config(const Scenario& scenario) {
  kernel::Config config;
  config.hz = scenario.host.hz;
  config.netdev_budget = scenario.host.netdev_budget;
  config.cpus = scenario.host.cpus;
  config.ksoftirqd_nice = scenario.host.ksoftirqd_nice;
  config.tick = scenario.host.tick == "periodic" ? kernel::Tick::periodic
                : scenario.host.tick == "nohz"   ? kernel::Tick::nohz
                                                 : kernel::Tick::none;
  if (!scenario.host.costs.empty()) {
    auto loaded = kernel::CostProfile::load(scenario.host.costs);
    if (!loaded.profile) throw BadInput(loaded.error);
    config.costs = std::move(*loaded.profile);
  }
  return config;
}

driver::Options driver_options(const Scenario& scenario) {
  driver::Options options;
  options.rx_ring = static_cast<std::uint16_t>(scenario.host.rx_ring);
  options.tx_ring = static_cast<std::uint16_t>(scenario.host.tx_ring);
  options.rx_buffer_bytes = scenario.host.rx_buffer_bytes;
  options.queue_pairs = static_cast<std::uint16_t>(scenario.host.queue_pairs);
  options.receive = scenario.host.receive == "interrupt" ? driver::Receive::interrupt
                    : scenario.host.receive == "poll"    ? driver::Receive::poll
                                                         : driver::Receive::napi;
  options.max_interrupt_work = scenario.host.max_interrupt_work;
  options.head_reads = scenario.host.head_reads == "frame"  ? driver::HeadReads::frame
                       : scenario.host.head_reads == "poll" ? driver::HeadReads::poll
                                                            : driver::HeadReads::none;
  return options;
}

std::unique_ptr<FaultyPort> make_fault(const Scenario::Fault& fault, DevicePort& port) {
  FaultOptions options;
  options.kind = fault_kind(fault.kind).value_or(FaultKind::none);
  options.transmit = fault.queue == "tx";
  options.after = fault.after;
  if (options.kind == FaultKind::none) return nullptr;
  return std::make_unique<FaultyPort>(port, options);
}

}  // namespace

std::unique_ptr<Machine> Machine::create(const MachineOptions& options) {
  kernel::Config config = kernel_config(options.scenario);
  auto simulation = Simulation::create(simulation_options(options));
  if (!simulation) throw BadInput(simulation.error());
  const unsigned largest = (*simulation)->profile().ring_max;
  for (const unsigned ring : {options.scenario.host.rx_ring, options.scenario.host.tx_ring}) {
    if (ring > largest) {
      throw BadInput(
          fmt::format("host.rx_ring and host.tx_ring: {} is more than the {} that profile "
                      "{} takes",
                      ring, largest, options.scenario.profile));
    }
  }
  return std::unique_ptr<Machine>(new Machine(options, std::move(*simulation), std::move(config)));
}

Machine::Machine(const MachineOptions& options, std::unique_ptr<Simulation> simulation,
                 kernel::Config config)
    : scenario_(options.scenario),
      simulation_(std::move(simulation)),
      fault_(make_fault(scenario_.fault, simulation_->port())),
      kernel_(simulation_->timeline(), simulation_->memory(), simulation_->trace(),
              std::move(config)),
      stack_(kernel_),
      driver_(stack_.net, fault_ ? static_cast<DevicePort&>(*fault_) : simulation_->port(),
              driver_options(scenario_), [this](const driver::DeviceError& error) {
                if (!device_error_) device_error_ = error;
                simulation_->request_stop();
              }) {}

// Processes may stand in the driver or the stack: they go first.
Machine::~Machine() {
  kernel_.shutdown();
  if (fault_) fault_->end();
}

std::string Machine::set_up_interface() {
  if (std::string problem = driver_.probe(); !problem.empty()) return problem;
  if (!scenario_.host.mac.empty()) {
    const auto mac = net::parse_mac_address(scenario_.host.mac);
    if (!mac || !net::dev_set_mac_address(netdev(), *mac)) {
      throw BadInput("host.mac: '" + scenario_.host.mac + "' is no station address");
    }
  }
  net::interface_config config;
  config.address = net::parse_ipv4_prefix(scenario_.host.address);
  if (!config.address) {
    throw BadInput("host.address: '" + scenario_.host.address + "' is not as \"10.0.0.2/24\"");
  }
  if (!scenario_.host.gateway.empty()) {
    config.gateway = net::parse_ipv4_address(scenario_.host.gateway);
    if (!config.gateway) {
      throw BadInput("host.gateway: '" + scenario_.host.gateway + "' is no IPv4 address");
    }
  }
  if (auto problem = stack_.configure(netdev(), config)) return *problem;
  if (!net::dev_set_mtu(netdev(), scenario_.host.mtu)) {
    throw BadInput(fmt::format("host.mtu: the device does not take {}", scenario_.host.mtu));
  }
  if (!net::dev_open(netdev())) return "the interface does not come up";
  stack_.net.softnet().config = {scenario_.host.netdev_max_backlog,
                                 scenario_.host.backlog_throttle};
  set_up_steering();
  set_up_affinity();
  return set_up_moderation();
}

void Machine::set_up_steering() {
  const Scenario::Host& host = scenario_.host;
  const kernel::cpumask_t cpus = std::stoull(host.rps_cpus, nullptr, 16);
  net::Rps& rps = stack_.net.softnet().rps;
  for (std::uint16_t queue = 0; queue < driver_.max_channels(); ++queue) {
    if (!rps.set_rps_cpus(netdev(), queue, cpus)) {
      throw BadInput("host.rps_cpus: the host has none of these CPUs");
    }
    if (!rps.set_rps_flow_cnt(netdev(), queue, host.rps_flow_cnt)) {
      throw BadInput("host.rps_flow_cnt: a power of two is accepted, or 0");
    }
  }
  if (!rps.set_rps_sock_flow_entries(host.rps_sock_flow_entries)) {
    throw BadInput("host.rps_sock_flow_entries: a power of two is accepted, or 0");
  }
}

// As a person does by /proc/irq/N/smp_affinity, once the interface is up.
void Machine::set_up_affinity() {
  std::vector<unsigned> cpus;
  std::istringstream list(scenario_.host.irq_cpus);
  for (std::string number; std::getline(list, number, ',');) {
    // Three digits say more than there can be.
    const unsigned cpu =
        number.size() > 3 ? kernel_.cpus() : static_cast<unsigned>(std::stoul(number));
    if (cpu >= kernel_.cpus()) {
      throw BadInput(fmt::format("host.irq_cpus: the host has CPUs 0 to {}", kernel_.cpus() - 1));
    }
    cpus.push_back(cpu);
  }
  if (cpus.empty()) return;
  for (std::uint16_t queue = 0; queue < 2 * driver_.max_channels(); ++queue) {
    const unsigned cpu = cpus[queue / 2 % cpus.size()];
    const bool set = kernel_.irq().irq_set_affinity(driver_.irq_of(queue), kernel::cpumask_of(cpu));
    kernel::bug_on(!set, "a queue without an interrupt");
  }
}

std::string Machine::set_up_moderation() {
  const Scenario::Host& host = scenario_.host;
  const driver::CoalesceSettings settings{{host.rx_usecs, host.rx_frames},
                                          {host.tx_usecs, host.tx_frames},
                                          host.adaptive_rx,
                                          host.adaptive_tx};
  const bool asked = settings.rx != driver::Moderation{} || settings.tx != driver::Moderation{} ||
                     settings.adaptive_rx || settings.adaptive_tx;
  return asked ? driver_.set_coalesce(settings) : std::string{};
}

std::string Machine::boot() {
  std::string problem;
  const std::string failure =
      run_process("init", [this, &problem] { problem = set_up_interface(); });
  if (!failure.empty()) return failure;
  if (!problem.empty()) return problem;
  net::spawn_udp_echo(stack_, static_cast<std::uint16_t>(scenario_.host.echo_port), echo_);
  return {};
}

std::string Machine::run_until(Time limit, const std::function<bool()>& done) {
  const RunResult result = simulation_->run_until(limit, done);
  if (!result.ok()) return result.message;
  return device_error_ ? device_error_->text : std::string{};
}

std::string Machine::run_process(const std::string& name, std::function<void()> function) {
  // A fiber must not be left by an exception: it is carried over to here.
  std::exception_ptr thrown;
  kernel::Task& task = kernel_.spawn(name, [&thrown, function = std::move(function)] {
    try {
      function();
    } catch (const BadInput&) {
      thrown = std::current_exception();
    }
  });
  // An error of the device stops the run, but the process must come to its end: it may hold
  // references to what its caller has.
  const Time limit = simulation_->timeline().now() + kProcessPatience;
  RunResult result{};
  do {
    result = simulation_->run_until(limit, [&task] { return task.exited(); });
  } while (result.reason == RunResult::Reason::stopped && !task.exited());
  if (thrown) std::rethrow_exception(thrown);
  if (!result.ok()) return result.message;
  if (!task.exited()) return fmt::format("process {} does not end", name);
  return device_error_ ? device_error_->text : std::string{};
}

std::string Machine::reset_device() {
  device_error_.reset();
  bool up = false;
  std::string failure = run_process("reset", [this, &up] { up = driver_.reset(); });
  if (failure.empty() && !up) failure = "the device does not come up after its reset";
  return failure;
}

std::map<std::string, std::uint64_t> Machine::statistics() {
  std::map<std::string, std::uint64_t> values;
  const auto error = std::exchange(device_error_, std::nullopt);
  const std::string failure = run_process("ethtool", [this, &values] {
    for (auto& [name, value] : driver_.ethtool_stats()) values[name] = value;
  });
  if (error) device_error_ = error;
  if (!failure.empty()) throw SimulationFailure(failure);
  return values;
}

std::string Machine::broken_rule() {
  if (const auto& errors = kernel_.dma().errors(); !errors.empty()) return errors.front();
  if (const auto& errors = kernel_.lockdep().errors(); !errors.empty()) return errors.front();
  if (stack_.net.skbs().dropped(net::skb_drop_reason::NOT_SPECIFIED) != 0) {
    return "the stack freed a packet without a reason";
  }
  return {};
}

}  // namespace nicroscope::sim
