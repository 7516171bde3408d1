// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>

#include "sim/cli/command.h"
#include "sim/cli/json_output.h"
#include "sim/cli/wire_records.h"
#include "sim/host_port/vhost_user/listener.h"
#include "sim/live/stop_signals.h"
#include "sim/live/tap_device.h"
#include "sim/live/vhost_user_loop.h"
#include "sim/machine/hardware_options.h"
#include "sim/wire/pcap_source.h"

namespace nicroscope::cli {
namespace {

struct Arguments {
  CommonOptions common;
  std::string socket;
  std::string tap;
  std::string send;
  bool once = false;
  std::optional<double> duration;
};

void print_json(const sim::VhostUserTotals& totals) {
  cli::print_json(nlohmann::json{{"clients", totals.clients},
                                 {"messages", totals.messages},
                                 {"kicks", totals.kicks},
                                 {"calls", totals.calls},
                                 {"frames_to_nic", totals.frames_to_nic},
                                 {"frames_from_nic", totals.frames_from_nic},
                                 {"nic", totals.nic},
                                 {"cycles", totals.cycles},
                                 {"cycles_skipped", totals.cycles_skipped},
                                 {"simulated_seconds", totals.simulated_seconds},
                                 {"wall_seconds", totals.wall_seconds}});
}

void print_text(const sim::VhostUserTotals& totals) {
  fmt::print("clients  {}, with {} messages, {} kicks, {} calls\n", totals.clients, totals.messages,
             totals.kicks, totals.calls);
  fmt::print("wire     {} frames to the NIC, {} from it\n", totals.frames_to_nic,
             totals.frames_from_nic);
  std::string nic;
  for (const auto& [name, value] : totals.nic) {
    nic += fmt::format("{}{} {}", nic.empty() ? "" : ", ", name, value);
  }
  fmt::print("nic      {}\n", nic);
  fmt::print("time     {:.3f} s simulated in {:.3f} s: {} cycles run, {} idle ones skipped\n",
             totals.simulated_seconds, totals.wall_seconds, totals.cycles - totals.cycles_skipped,
             totals.cycles_skipped);
}

template <typename T>
T take(sim::Result<T> result) {
  if (!result) throw sim::BadInput(result.error());
  return std::move(*result);
}

int run_live(const Arguments& arguments, const sim::Scenario& scenario) {
  const CommonOptions& common = arguments.common;
  const sim::StopSignals signals;  // before there is a model, which may have threads of its own
  sim::SimulationOptions options =
      sim::vhost_user::simulation_options(sim::hardware_options(scenario));
  options.no_skip = common.no_skip;
  if (common.assertions) options.variant = sim::Variant::checked;
  if (!common.wave.empty()) {
    options.variant = sim::Variant::traced;
    options.wave.file = common.wave;
  }
  const auto simulation = take(sim::Simulation::create(options));
  // Said now and not when a client is there.
  if (!arguments.send.empty()) {
    static_cast<void>(take(sim::PcapSource::open(arguments.send, {})));
  }
  const auto device = arguments.tap.empty() ? nullptr : take(sim::TapDevice::open(arguments.tap));
  const auto listener = take(sim::vhost_user::Listener::listen(arguments.socket));
  WireRecords records(*simulation, common);

  sim::VhostUserLoopOptions loop_options;
  loop_options.tap = device.get();
  loop_options.send = arguments.send;
  loop_options.once = arguments.once;
  if (arguments.duration) {
    loop_options.duration = std::chrono::duration_cast<std::chrono::steady_clock::duration>(
        std::chrono::duration<double>(*arguments.duration));
  }
  loop_options.say = [](const std::string& line) { fmt::print(stderr, "{}\n", line); };
  sim::VhostUserLoop loop(*simulation, *listener, signals, loop_options);
  fmt::print(stderr, "ready: a {} waits for vhost-user clients at {}; stop with Ctrl-C\n",
             scenario.profile, arguments.socket);
  if (const std::string problem = loop.run(); !problem.empty()) {
    fmt::print(stderr, "nicroscope: the run failed: {}\n", problem);
    return kRunFailed;
  }
  records.close();
  arguments.common.json ? print_json(loop.totals()) : print_text(loop.totals());
  return 0;
}

int run(const Arguments& arguments) {
  const CommonOptions& common = arguments.common;
  sim::Scenario scenario;
  common.apply(scenario);
  if (!arguments.tap.empty() && !arguments.send.empty()) {
    throw sim::BadInput("--tap and --send: the wire has one other end");
  }
  refuse_same_files({common.pcap, common.trace, common.wave});
  return with_waveform(common.wave, [&] { return run_live(arguments, scenario); });
}

}  // namespace

Action add_vhost_user(CLI::App& program) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* app = program.add_subcommand(
      "vhost-user", "Live: put the NIC behind a vhost-user socket, for QEMU or DPDK");
  app->add_option("socket", arguments->socket, "Path of the socket, which is made")->required();
  app->add_option("--tap", arguments->tap, "TAP device at the other end of the wire");
  app->add_option("--send", arguments->send,
                  "Capture whose frames go onto the wire once a client is ready");
  app->add_flag("--once", arguments->once, "End with the first client");
  app->add_option("--duration", arguments->duration, "Stop after so many seconds")
      ->check(CLI::Range(0.001, 1e6));
  arguments->common.add_to(*app);
  return [arguments] { return run(*arguments); };
}

}  // namespace nicroscope::cli
