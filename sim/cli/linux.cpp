// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sim/cli/command.h"
#include "sim/cli/json_output.h"
#include "sim/cli/wire_records.h"
#include "sim/linux/guest_failure.h"
#include "sim/linux/shipped_scripts.h"
#include "sim/linux/world.h"
#include "sim/live/stop_signals.h"
#include "sim/machine/hardware_options.h"

namespace nicroscope::cli {
namespace {

using nlohmann::json;
using sim::BadInput;

struct Arguments {
  CommonOptions common;
  std::string script;
  unsigned guests = 2;
  unsigned memory = 128;
  double delay_us = 1;
  double loss = 0;
  double reorder = 0;
  double duplicate = 0;
  double limit = 60;
  std::string kernel;
  std::string initrd;
  std::string append;
  std::string console;
  unsigned patience = 60;
  unsigned card = 0;
  std::string window;
};

std::string read_script(const std::string& name) {
  if (name.empty()) return std::string(uml::default_script());
  std::ifstream file(name, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  if (!file || text.empty()) throw BadInput(fmt::format("--script {}: cannot be read", name));
  return text;
}

Duration seconds(double value) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(value));
}

/// "FROM:TO" in microseconds of simulated time.
sim::TimeWindow window_of(const std::string& text) {
  if (text.empty()) return {};
  std::array<double, 2> ends{};
  const std::size_t colon = text.find(':');
  const char* from = text.data();
  const char* end = text.data() + text.size();
  const char* middle = text.data() + std::min(colon, text.size());
  const auto whole = [](const char* first, const char* last, double& value) {
    const auto [stop, error] = std::from_chars(first, last, value);
    return error == std::errc{} && stop == last;
  };
  constexpr double kMost = 1e12;
  if (colon == std::string::npos || !whole(from, middle, ends[0]) ||
      !whole(middle + 1, end, ends[1]) ||
      !(ends[0] >= 0 && ends[0] < ends[1] && ends[1] <= kMost)) {
    throw BadInput(fmt::format(
        "--window '{}': it takes FROM:TO in microseconds of simulated time, as 1100000:1100050.5",
        text));
  }
  return {seconds(ends[0] * 1e-6), seconds(ends[1] * 1e-6)};
}

uml::WorldOptions world_options(const Arguments& arguments) {
  sim::Scenario scenario;
  arguments.common.apply(scenario);
  uml::WorldOptions options;
  options.guests = arguments.guests;
  options.limit = seconds(arguments.limit);
  options.guest.image = uml::GuestImage::find(arguments.kernel, arguments.initrd);
  options.guest.memory_mib = arguments.memory;
  options.guest.seed = scenario.seed;
  options.guest.script = read_script(arguments.script);
  options.guest.arguments = arguments.append;
  options.guest.patience.limit = std::chrono::seconds{arguments.patience};
  options.simulation = sim::hardware_options(scenario);
  options.simulation.no_skip = arguments.common.no_skip;
  if (arguments.common.assertions) options.simulation.variant = sim::Variant::checked;
  options.network.delay = seconds(arguments.delay_us * 1e-6);
  options.network.connected_from = std::chrono::seconds{1};
  options.network.loss = arguments.loss;
  options.network.reorder = arguments.reorder;
  options.network.duplicate = arguments.duplicate;
  options.network.seed = scenario.seed;
  options.waved = arguments.card;
  options.wave.file = arguments.common.wave;
  options.wave.window = std::make_shared<sim::TimeWindow>(window_of(arguments.window));
  return options;
}

// A number where it is one.
json value_of(const std::string& text) {
  const auto whole = [&text](auto number) -> json {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc{} && end == text.data() + text.size()) return number;
    return nullptr;
  };
  if (json number = whole(std::int64_t{}); !number.is_null()) return number;
  if (json number = whole(double{}); !number.is_null()) return number;
  return text;
}

json to_json(uml::Host& host) {
  json figures = json::object();
  for (const auto& [name, value] : host.reports()) figures[name] = value_of(value);
  const sim::RunCounters& counters = host.simulation().counters();
  json object = {{"figures", figures},
                 {"counters", host.counters()},
                 {"frames_received", counters.frames_to_nic},
                 {"frames_sent", counters.frames_from_nic},
                 {"bytes_received", counters.bytes_to_nic},
                 {"bytes_sent", counters.bytes_from_nic},
                 {"cycles", counters.cycles},
                 {"cycles_skipped", counters.cycles_skipped},
                 {"interrupts", host.calls()},
                 {"runs", host.calendar().runs()}};
  if (!host.snapshots().empty()) object["counters_at"] = host.snapshots();
  if (host.status()) object["exit_status"] = *host.status();
  return object;
}

struct Outcome {
  std::string problem;
  double wall_seconds = 0;
};

void print_json(uml::World& world, const Outcome& outcome) {
  json guests = json::array();
  for (const auto& host : world.hosts()) guests.push_back(to_json(*host));
  const uml::SwitchCounters& network = world.network().counters();
  const double simulated = std::chrono::duration<double>(world.now()).count();
  cli::print_json({{"guests", guests},
                   {"network",
                    {{"frames", network.frames},
                     {"lost", network.lost},
                     {"reordered", network.reordered},
                     {"duplicated", network.duplicated}}},
                   {"trace_hash", fmt::format("{:016x}", world.trace_hash())},
                   {"simulated_seconds", simulated},
                   {"wall_seconds", outcome.wall_seconds},
                   {"problem", outcome.problem}});
}

void print_text(uml::World& world, const Outcome& outcome) {
  for (const auto& host : world.hosts()) {
    const sim::RunCounters& counters = host->simulation().counters();
    fmt::print("{}: {} frames sent, {} received, {} interrupts\n", host->guest().name(),
               counters.frames_from_nic, counters.frames_to_nic, host->calls());
    for (const auto& [name, value] : host->reports()) fmt::print("  {:<32} {}\n", name, value);
  }
  const uml::SwitchCounters& network = world.network().counters();
  fmt::print("network: {} frames, {} lost, {} reordered, {} duplicated\n", network.frames,
             network.lost, network.reordered, network.duplicated);
  fmt::print("{:.3f} s simulated in {:.1f} s; trace hash {:016x}\n",
             std::chrono::duration<double>(world.now()).count(), outcome.wall_seconds,
             world.trace_hash());
}

// All that the guests printed, in FILE for the first, FILE.1, FILE.2... for the others.
void write_consoles(const std::string& name, uml::World& world) {
  if (name.empty()) return;
  for (std::size_t i = 0; i < world.hosts().size(); ++i) {
    std::ofstream file(i == 0 ? name : fmt::format("{}.{}", name, i), std::ios::binary);
    file << world.hosts()[i]->guest().console();
    if (!file.flush()) throw BadInput("cannot write " + name);
  }
}

// The last lines of the first guest's console, for a person whose script failed.
std::string_view last_lines(std::string_view text) {
  constexpr int kLines = 12;
  while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  std::size_t from = text.size();
  for (int i = 0; i < kLines && from != std::string_view::npos && from > 0; ++i) {
    from = text.rfind('\n', from - 1);
  }
  return text.substr(from == std::string_view::npos || from == text.size() ? 0 : from + 1);
}

std::string run_world(uml::World& world) {
  try {
    world.run();
  } catch (const uml::GuestFailure& failure) {
    return failure.what();
  }
  const int status = world.hosts().front()->status().value_or(-1);
  return status == 0 ? "" : fmt::format("the script of guest 0 ended with status {}", status);
}

int run_and_record(const Arguments& arguments, const uml::WorldOptions& options) {
  const CommonOptions& common = arguments.common;
  const auto start = std::chrono::steady_clock::now();
  uml::World world(options);
  WireRecords records(world.hosts()[arguments.card]->simulation(), common, *options.wave.window);
  Outcome outcome;
  outcome.problem = run_world(world);
  outcome.wall_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  write_consoles(arguments.console, world);
  records.close();
  common.json ? print_json(world, outcome) : print_text(world, outcome);
  if (outcome.problem.empty()) return 0;
  fmt::print(stderr, "nicroscope: the run failed: {}\n", outcome.problem);
  if (!common.json && !world.hosts().front()->guest().console().empty()) {
    fmt::print(stderr, "the console of guest 0 ended with:\n{}\n",
               last_lines(world.hosts().front()->guest().console()));
  }
  return kRunFailed;
}

int run(const Arguments& arguments) {
  const CommonOptions& common = arguments.common;
  if (arguments.card >= arguments.guests) {
    throw BadInput(fmt::format("--card {}: there are {} guests, counted from 0", arguments.card,
                               arguments.guests));
  }
  if (!arguments.window.empty() && common.trace.empty() && common.wave.empty()) {
    throw BadInput("--window: of what? --trace FILE or --wave FILE says");
  }
  const sim::StopSignals signals;
  uml::WorldOptions options = world_options(arguments);
  options.guest.patience.stop = signals.descriptor();
  if (!arguments.console.empty()) refuse_unwritable(arguments.console);
  refuse_same_files({common.pcap, common.trace, common.wave, arguments.console});
  return with_waveform(common.wave, [&] { return run_and_record(arguments, options); });
}

}  // namespace

Action add_linux(CLI::App& program) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* app = program.add_subcommand(
      "linux", "User-mode Linux guests, each on a NIC of its own, in virtual time");
  app->add_option("--script", arguments->script,
                  "What the guests run: a file for their shell; default ping and iperf3");
  app->add_option("--guests", arguments->guests, "How many, joined by a switch")
      ->check(CLI::Range(1U, 16U));
  app->add_option("--memory", arguments->memory, "MiB of each guest")
      ->check(CLI::Range(48U, 4096U));
  app->add_option("--delay", arguments->delay_us, "Of the switch, in microseconds")
      ->check(CLI::Range(0.1, 1e6));
  app->add_option("--loss", arguments->loss, "Share of the frames that are lost")
      ->check(CLI::Range(0.0, 1.0));
  app->add_option("--reorder", arguments->reorder, "Share that comes 50 us late")
      ->check(CLI::Range(0.0, 1.0));
  app->add_option("--duplicate", arguments->duplicate, "Share that comes twice")
      ->check(CLI::Range(0.0, 1.0));
  app->add_option("--limit", arguments->limit, "Simulated seconds after which the run has failed")
      ->check(CLI::Range(1.0, 1e6));
  app->add_option("--patience", arguments->patience,
                  "Wall seconds after which a guest that only computes has failed")
      ->check(CLI::Range(1U, 100'000U));
  app->add_option("--kernel", arguments->kernel, "Guest kernel; default that of `make linux`");
  app->add_option("--initrd", arguments->initrd, "Root file system; default that of `make linux`");
  app->add_option("--append", arguments->append, "More words for the kernel's command line");
  app->add_option("--console", arguments->console,
                  "Write what the guests print to this file, FILE.1, ...");
  app->add_option("--card", arguments->card,
                  "Guest whose card --wave, --trace and --pcap show; default 0");
  app->add_option("--window", arguments->window,
                  "What --wave and --trace show: FROM:TO in microseconds of simulated time");
  arguments->common.add_to(*app);
  return [arguments] { return run(*arguments); };
}

}  // namespace nicroscope::cli
