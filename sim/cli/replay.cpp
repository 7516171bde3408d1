// SPDX-License-Identifier: Apache-2.0
#include "sim/machine/replay.h"

#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "sim/cli/command.h"
#include "sim/cli/json_output.h"

namespace nicroscope::cli {
namespace {

struct Arguments {
  CommonOptions common;
  sim::ReplayOptions replay;
  std::string rate;
};

std::string grouped(std::uint64_t value) {
  std::string digits = fmt::format("{}", value);
  for (std::size_t at = digits.size(); at > 3;) digits.insert(at -= 3, ",");
  return digits;
}

void print_json(const sim::ReplayReport& report) {
  const nlohmann::json object = {
      {"frames_in", report.frames_in},
      {"frames_delivered", report.frames_delivered},
      {"drops", report.drops},
      {"frames_out", report.frames_out},
      {"datagrams_echoed", report.datagrams_echoed},
      {"interrupts", report.interrupts},
      {"polls", report.polls},
      {"cycles", report.cycles},
      {"cycles_skipped", report.cycles_skipped},
      {"simulated_seconds", report.simulated_seconds},
      {"wall_seconds", report.wall_seconds},
      {"cycles_per_wall_second", static_cast<double>(report.cycles) / report.wall_seconds},
      {"trace_hash", fmt::format("{:016x}", report.trace_hash)},
      {"problem", report.problem}};
  cli::print_json(object);
}

void print_text(const sim::ReplayReport& report, const sim::Scenario& scenario,
                const Arguments& arguments) {
  const sim::ReplayOptions& options = arguments.replay;
  const std::uint64_t simulated = report.cycles - report.cycles_skipped;
  std::string drops;
  for (const auto& [reason, count] : report.drops) {
    drops += fmt::format("{}{} {}", drops.empty() ? "" : ", ", reason, grouped(count));
  }
  if (drops.empty()) drops = "none";

  fmt::print("replayed  {} at the {} on profile {}, seed {}\n", options.capture,
             scenario.wire.rate == "line" ? "line rate" : "capture's times", scenario.profile,
             scenario.seed);
  fmt::print("frames    {} sent, {} delivered byte for byte, {} dropped ({})\n",
             grouped(report.frames_in), grouped(report.frames_delivered), grouped(report.dropped()),
             drops);
  fmt::print("answers   {} frames sent by the host, {} datagrams echoed by its UDP server\n",
             grouped(report.frames_out), grouped(report.datagrams_echoed));
  fmt::print("host      {} interrupts, {} polls\n", grouped(report.interrupts),
             grouped(report.polls));
  fmt::print("time      {:.3f} s simulated: {} cycles run, {} idle ones skipped\n",
             report.simulated_seconds, grouped(simulated), grouped(report.cycles_skipped));
  fmt::print(
      "speed     {:.2f} s of wall time, {} run cycles a second\n", report.wall_seconds,
      grouped(static_cast<std::uint64_t>(static_cast<double>(simulated) / report.wall_seconds)));
  fmt::print("trace     hash {:016x}, the same in every run of this scenario and seed\n",
             report.trace_hash);
  if (!report.life.empty()) {
    fmt::print("\nThe life of frame {}:\n{}\n", report.life_frame, report.life);
  }
  if (!options.out.empty()) {
    fmt::print("{:<28} what the host received     wireshark or tshark -r\n", options.out);
  }
  if (!options.pcap.empty()) {
    fmt::print("{:<28} what crossed the wire      wireshark or tshark -r\n", options.pcap);
  }
  if (!arguments.common.wave.empty()) {
    fmt::print("{:<28} the NIC's signals          gtkwave\n", arguments.common.wave);
  }
  if (!options.trace.empty()) {
    fmt::print("{:<28} every event, a line each   less\n", options.trace);
  }
}

int run(const Arguments& arguments, sim::Scenario scenario) {
  arguments.common.apply(scenario);
  if (!arguments.rate.empty()) sim::set_key("wire.rate=" + arguments.rate, scenario, "--rate");
  sim::MachineOptions machine;
  machine.scenario = scenario;
  machine.no_skip = arguments.common.no_skip;
  machine.assertions = arguments.common.assertions;
  machine.wave = arguments.common.wave;
  sim::ReplayOptions options = arguments.replay;
  options.pcap = arguments.common.pcap;
  options.trace = arguments.common.trace;

  refuse_same_files({options.out, options.pcap, options.trace, machine.wave, options.capture});
  const sim::ReplayReport report =
      with_waveform(machine.wave, [&] { return sim::replay(machine, options); });
  if (arguments.common.json) {
    print_json(report);
  } else {
    Arguments shown = arguments;
    shown.replay = options;
    print_text(report, scenario, shown);
  }
  if (report.problem.empty()) return 0;
  fmt::print(stderr, "nicroscope: the run failed: {}\n", report.problem);
  return kRunFailed;
}

}  // namespace

Action add_replay(CLI::App& program) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* app = program.add_subcommand(
      "replay", "Put a capture's frames on the wire and see them through to the host");
  app->add_option("capture", arguments->replay.capture, "pcap or pcapng file")->required();
  app->add_option("--out", arguments->replay.out, "Write what the host's tap received, as pcap");
  app->add_option("--rate", arguments->rate, "capture: its times; line: back to back");
  app->add_option("--limit", arguments->replay.limit, "Send that many frames only; 0: all")
      ->check(whole_number(~std::uint64_t{0}));
  app->add_option("--life", arguments->replay.life, "Tell the life of this frame, counted from 1")
      ->check(whole_number(kFirstHostFrame - 1));
  arguments->common.add_to(*app);
  return [arguments] { return run(*arguments, sim::Scenario{}); };
}

Action add_run(CLI::App& program) {
  auto arguments = std::make_shared<Arguments>();
  auto path = std::make_shared<std::string>();
  CLI::App* app = program.add_subcommand("run", "Run a scenario");
  app->add_option("scenario", *path, "TOML file; `nicroscope keys` lists its keys")->required();
  app->add_option("--out", arguments->replay.out, "Write what the host's tap received, as pcap");
  app->add_option("--life", arguments->replay.life, "Tell the life of this frame, counted from 1")
      ->check(whole_number(kFirstHostFrame - 1));
  arguments->common.add_to(*app);
  return [arguments, path] {
    sim::Scenario scenario;
    sim::read_scenario(*path, scenario);
    if (scenario.workload.capture.empty()) {
      throw sim::BadInput(*path + ": workload.capture is missing: the capture to put on the wire");
    }
    arguments->replay.capture = scenario.workload.capture;
    arguments->replay.limit = scenario.workload.limit;
    return run(*arguments, scenario);
  };
}

}  // namespace nicroscope::cli
