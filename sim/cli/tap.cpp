// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <chrono>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "driver/ethtool/command.h"
#include "sim/cli/command.h"
#include "sim/cli/json_output.h"
#include "sim/cli/wire_records.h"
#include "sim/live/control_socket.h"
#include "sim/live/live_loop.h"
#include "sim/live/stop_signals.h"
#include "sim/live/tap_device.h"
#include "stack/core/ethernet.h"

namespace nicroscope::cli {
namespace {

using Counts = std::map<std::string, std::uint64_t>;

struct Arguments {
  CommonOptions common;
  std::string name;
  std::string address;
  std::optional<double> duration;
  std::string control;  ///< path of the socket; empty for the one of the name
};

std::string listed(const Counts& counts) {
  std::string list;
  std::uint64_t sum = 0;
  for (const auto& [reason, count] : counts) {
    list += fmt::format("{}{} {}", list.empty() ? "" : ", ", reason, count);
    sum += count;
  }
  return sum == 0 ? "0" : fmt::format("{} ({})", sum, list);
}

void print_json(const sim::LiveTotals& totals) {
  const nlohmann::json object = {
      {"frames_in", totals.frames_in},
      {"frames_delivered", totals.frames_delivered},
      {"drops", totals.drops},
      {"frames_out", totals.frames_out},
      {"frames_returned", totals.frames_returned},
      {"drops_out", totals.drops_out},
      {"stack_drops", totals.stack_drops},
      {"echo",
       {{"received", totals.echo.received},
        {"answered", totals.echo.answered},
        {"send_errors", totals.echo.send_errors}}},
      {"interrupts", totals.interrupts},
      {"polls", totals.polls},
      {"cycles", totals.cycles},
      {"cycles_skipped", totals.cycles_skipped},
      {"simulated_seconds", totals.simulated_seconds},
      {"wall_seconds", totals.wall_seconds},
      {"cycles_per_wall_second", static_cast<double>(totals.cycles) / totals.wall_seconds}};
  cli::print_json(object);
}

void print_text(const sim::LiveTotals& totals) {
  fmt::print("to the host    {} frames sent, {} delivered, dropped {}\n", totals.frames_in,
             totals.frames_delivered, listed(totals.drops));
  fmt::print("from the host  {} frames sent, {} delivered, dropped {}\n", totals.frames_out,
             totals.frames_returned, listed(totals.drops_out));
  fmt::print("stack          dropped {}\n", listed(totals.stack_drops));
  fmt::print("UDP echo       {} received, {} answered, {} answers not sent\n", totals.echo.received,
             totals.echo.answered, totals.echo.send_errors);
  fmt::print("host           {} interrupts, {} polls\n", totals.interrupts, totals.polls);
  fmt::print("time           {:.3f} s simulated in {:.3f} s: {} cycles run, {} idle ones skipped\n",
             totals.simulated_seconds, totals.wall_seconds, totals.cycles - totals.cycles_skipped,
             totals.cycles_skipped);
}

sim::CommandReply answer(sim::Machine& machine, const std::vector<std::string>& words) {
  if (words.empty() || words.front() != "ethtool") {
    return {kBadInput, {}, "no such command; accepted is ethtool\n"};
  }
  driver::EthtoolResult result;
  const std::string failure = machine.run_process(
      "ethtool", [&] { result = driver::ethtool(machine.driver(), std::span(words).subspan(1)); });
  if (!failure.empty()) return {kRunFailed, {}, failure + '\n'};
  return {result.status, std::move(result.out), std::move(result.err)};
}

std::unique_ptr<sim::ControlSocket> open_control(const Arguments& arguments,
                                                 sim::Machine& machine) {
  const std::string path =
      arguments.control.empty() ? sim::control_path(arguments.name) : arguments.control;
  auto socket = sim::ControlSocket::listen(
      path, [&machine](const std::vector<std::string>& words) { return answer(machine, words); });
  if (!socket) throw sim::BadInput("--control: " + socket.error());
  return std::move(*socket);
}

int run_live(const Arguments& arguments, const sim::Scenario& scenario, sim::TapDevice& device) {
  const sim::StopSignals signals;
  sim::MachineOptions options;
  options.scenario = scenario;
  options.no_skip = arguments.common.no_skip;
  options.assertions = arguments.common.assertions;
  options.wave = arguments.common.wave;
  const std::unique_ptr<sim::Machine> machine = sim::Machine::create(options);
  WireRecords records(machine->simulation(), arguments.common);
  const std::unique_ptr<sim::ControlSocket> control = open_control(arguments, *machine);
  sim::LiveLoop loop(*machine, device, signals, control.get());

  std::string problem = machine->boot();
  if (problem.empty()) {
    fmt::print(stderr, "ready: {} leads to {} ({}), UDP echo on port {}; stop with Ctrl-C\n",
               arguments.name, scenario.host.address, net::to_string(machine->netdev().dev_addr()),
               scenario.host.echo_port);
    std::optional<sim::LiveLoop::WallTime> duration;
    if (arguments.duration) {
      duration = std::chrono::duration_cast<sim::LiveLoop::WallTime>(
          std::chrono::duration<double>(*arguments.duration));
    }
    problem = loop.run(duration);
  }
  if (!problem.empty()) {
    fmt::print(stderr, "nicroscope: the run failed: {}\n", problem);
    return kRunFailed;
  }
  const sim::LiveTotals totals = loop.totals();
  records.close();
  arguments.common.json ? print_json(totals) : print_text(totals);
  return 0;
}

int run(const Arguments& arguments) {
  const CommonOptions& common = arguments.common;
  sim::Scenario scenario;
  common.apply(scenario);
  if (!arguments.address.empty()) {
    sim::set_key("host.address=\"" + arguments.address + '"', scenario, "--address");
  }
  refuse_same_files({common.pcap, common.trace, common.wave});
  auto device = sim::TapDevice::open(arguments.name);
  if (!device) throw sim::BadInput(device.error());
  return with_waveform(common.wave, [&] { return run_live(arguments, scenario, **device); });
}

}  // namespace

Action add_tap(CLI::App& program) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* app = program.add_subcommand(
      "tap", "Live: put the NIC and its host behind a TAP device of this machine");
  app->add_option("name", arguments->name, "TAP device; made for the time if there is none")
      ->required();
  app->add_option("--address", arguments->address,
                  "IPv4 address and prefix length of the host (same as --set host.address=...)");
  app->add_option("--duration", arguments->duration, "Stop after so many seconds")
      ->check(CLI::Range(0.001, 1e6));
  app->add_option(
      "--control", arguments->control,
      "Socket that `nicroscope ethtool` speaks to; default one by the TAP device's name");
  arguments->common.add_to(*app);
  return [arguments] { return run(*arguments); };
}

}  // namespace nicroscope::cli
