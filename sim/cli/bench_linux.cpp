// SPDX-License-Identifier: Apache-2.0
#include "sim/cli/bench_linux.h"

#include <fmt/format.h>

#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "sim/cli/json_output.h"
#include "sim/linux/bench_linux.h"
#include "sim/linux/guest_failure.h"
#include "sim/machine/hardware_options.h"

namespace nicroscope::cli {
namespace {

using nlohmann::json;

// SimBricks: 10 s of TCP_STREAM and 10 s of TCP_RR of netperf between two simulated hosts, each on
// a Corundum, over 10 Gbit/s (Li, Li, Kaufmann, "SimBricks: End-to-End Network System Evaluation
// with Modular Simulation", SIGCOMM 2022).
constexpr double kReferenceSeconds = 10;
constexpr double kReferenceWallSeconds = 4 * 3600 + 13 * 60;

struct Arguments {
  CommonOptions common;
  unsigned megabytes = 20;
  double seconds = 0.1;
};

struct Case {
  unsigned mtu;
  bool tso;
  bool lro;
  uml::LinuxBenchResult result;
};

uml::LinuxBenchOptions bench_options(const sim::Scenario& scenario) {
  uml::LinuxBenchOptions options;
  options.guest.image = uml::GuestImage::find("", "");
  options.guest.seed = scenario.seed;
  options.simulation = sim::hardware_options(scenario);
  options.network.connected_from = std::chrono::seconds{1};
  options.network.seed = scenario.seed;
  return options;
}

std::vector<Case> run_offloads(uml::LinuxBenchOptions options, unsigned megabytes) {
  options.bulk_bytes = std::uint64_t{megabytes} * 1'000'000;
  std::vector<Case> cases;
  for (const unsigned mtu : {1500U, 9000U}) {
    for (const bool tso : {true, false}) {
      for (const bool lro : {true, false}) {
        options.mtu = mtu;
        options.tso = tso;
        options.lro = lro;
        cases.push_back({mtu, tso, lro, uml::bench_linux(options)});
      }
    }
  }
  return cases;
}

/// SimBricks' case: a stream and requests, `seconds` of each, with all offloads.
uml::LinuxBenchResult run_reference(uml::LinuxBenchOptions options, double seconds) {
  const auto profile = find_profile(options.simulation.profile);
  const double gbps = uml::tcp_link_bound(*profile, options.mtu);
  options.bulk_bytes = static_cast<std::uint64_t>(std::llround(gbps * 1e9 / 8 * seconds));
  options.request_seconds = seconds;
  return uml::bench_linux(options);
}

double extrapolated(const uml::LinuxBenchResult& result) {
  return kReferenceSeconds * (result.bulk_wall_per_simulated + result.requests_wall_per_simulated);
}

json to_json(const uml::CardWork& work) {
  return {{"frames_per_mbyte", work.frames},
          {"descriptor_reads_per_mbyte", work.descriptor_reads},
          {"used_writes_per_mbyte", work.used_writes},
          {"interrupts_per_mbyte", work.interrupts}};
}

json to_json(const uml::LinuxBenchResult& result) {
  return {{"gbps", result.gbps},
          {"link_gbps", result.link_gbps},
          {"ratio", result.gbps / result.link_gbps},
          {"iperf3_gbps", result.iperf3_gbps},
          {"retransmits", result.retransmits},
          {"sender", to_json(result.sender)},
          {"receiver", to_json(result.receiver)},
          {"ping_us", result.ping_us},
          {"ping_bound_us", result.ping_bound_us},
          {"transaction_us", result.transaction_us},
          {"transaction_bound_us", result.transaction_bound_us},
          {"boot_to_ping_wall_seconds", result.boot_to_ping_wall_seconds},
          {"bulk_wall_per_simulated", result.bulk_wall_per_simulated},
          {"requests_wall_per_simulated", result.requests_wall_per_simulated}};
}

json to_json(const Case& each) {
  json object = to_json(each.result);
  object["mtu"] = each.mtu;
  object["tso"] = each.tso;
  object["lro"] = each.lro;
  return object;
}

void print_cases(const sim::Scenario& scenario, const std::vector<Case>& cases) {
  fmt::print(
      "{}: bulk TCP from one User-mode Linux guest to another, as Linux's virtio_net does it\n\n",
      scenario.profile);
  fmt::print(
      "                                              sender, for 1 MB of payload      "
      "receiver\n");
  fmt::print(
      "{:>4} {:>3} {:>3} {:>7} {:>7} {:>6} {:>7} {:>4} {:>8} {:>8} {:>6} {:>6} {:>8} {:>8} "
      "{:>6} {:>6} {:>8}\n",
      "MTU", "TSO", "LRO", "Gbit/s", "link", "ratio", "iperf3", "retr", "frames", "desc.rd", "used",
      "irqs", "frames", "desc.rd", "used", "irqs", "wall s/s");
  for (const Case& each : cases) {
    const uml::LinuxBenchResult& r = each.result;
    fmt::print(
        "{:>4} {:>3} {:>3} {:>7.3f} {:>7.3f} {:>6.4f} {:>7.3f} {:>4.0f} {:>8.1f} {:>8.1f} "
        "{:>6.1f} {:>6.1f} {:>8.1f} {:>8.1f} {:>6.1f} {:>6.1f} {:>8.0f}\n",
        each.mtu, each.tso ? "on" : "off", each.lro ? "on" : "off", r.gbps, r.link_gbps,
        r.gbps / r.link_gbps, r.iperf3_gbps, r.retransmits, r.sender.frames,
        r.sender.descriptor_reads, r.sender.used_writes, r.sender.interrupts, r.receiver.frames,
        r.receiver.descriptor_reads, r.receiver.used_writes, r.receiver.interrupts,
        r.bulk_wall_per_simulated);
  }
  fmt::print(
      "\nGbit/s: payload on the wire in the second half of the transfer; link: what the link "
      "carries\n"
      "of it; iperf3: as it says, from its first byte on; frames: between driver and card, both "
      "ways;\n"
      "desc.rd, used: reads of descriptors and writes of used elements; wall s/s: wall seconds for "
      "a\n"
      "simulated one\n\n");
  const uml::LinuxBenchResult& first = cases.front().result;
  fmt::print("ping           {:.1f} us, cut to whole ones; bound {:.2f} us (bus, wires, switch)\n",
             first.ping_us, first.ping_bound_us);
  fmt::print("a byte by TCP  {:.2f} us to and fro; bound {:.2f} us (and the guests' clocks)\n",
             first.transaction_us, first.transaction_bound_us);
  fmt::print("boot to ping   {:.2f} s of wall time, two guests\n", first.boot_to_ping_wall_seconds);
}

void print_reference(const uml::LinuxBenchResult& result, double seconds) {
  fmt::print(
      "SimBricks' case, edge10, {} s of a stream and {} s of requests: {:.3f} Gbit/s, {:.2f} us a\n"
      "transaction; {:.0f} and {:.0f} wall seconds a simulated one; 10 s and 10 s would take "
      "{:.0f} "
      "s (theirs: {:.0f} s)\n",
      seconds, seconds, result.gbps, result.transaction_us, result.bulk_wall_per_simulated,
      result.requests_wall_per_simulated, extrapolated(result), kReferenceWallSeconds);
}

int run(const Arguments& arguments) {
  sim::Scenario scenario;
  scenario.profile = "dc25";
  arguments.common.apply(scenario);
  sim::Scenario reference_scenario = scenario;
  reference_scenario.profile = "edge10";
  try {
    const std::vector<Case> cases = run_offloads(bench_options(scenario), arguments.megabytes);
    if (!arguments.common.json) print_cases(scenario, cases);
    const uml::LinuxBenchResult reference =
        run_reference(bench_options(reference_scenario), arguments.seconds);
    if (!arguments.common.json) {
      print_reference(reference, arguments.seconds);
      return 0;
    }
    json list = json::array();
    for (const Case& each : cases) list.push_back(to_json(each));
    json simbricks = to_json(reference);
    simbricks["seconds_each"] = arguments.seconds;
    simbricks["wall_seconds_for_10_and_10"] = extrapolated(reference);
    simbricks["published_wall_seconds"] = kReferenceWallSeconds;
    print_json({{"profile", scenario.profile}, {"cases", list}, {"simbricks", simbricks}});
    return 0;
  } catch (const uml::GuestFailure& failure) {
    fmt::print(stderr, "nicroscope: {}\n", failure.what());
    return kRunFailed;
  }
}

}  // namespace

BenchLinux add_bench_linux(CLI::App& bench) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* app = bench.add_subcommand(
      "linux", "Throughput and round trip of Linux guests by their offloads; needs `make linux`");
  arguments->common.add_to(*app);
  app->add_option("--megabytes", arguments->megabytes, "Bulk of each case, 10^6 bytes")
      ->check(CLI::Range(1U, 100'000U));
  app->add_option("--seconds", arguments->seconds,
                  "Simulated, of stream and of requests in SimBricks' case")
      ->check(CLI::Range(0.001, 10.0));
  return {app, [arguments] { return run(*arguments); }};
}

}  // namespace nicroscope::cli
