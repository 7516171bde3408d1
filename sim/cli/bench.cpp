// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "sim/bench/bench_latency.h"
#include "sim/bench/bench_offload.h"
#include "sim/bench/bench_rtl.h"
#include "sim/bench/bench_sim.h"
#include "sim/cli/bench_linux.h"
#include "sim/cli/command.h"
#include "sim/cli/json_output.h"

namespace nicroscope::cli {
namespace {

using nlohmann::json;

template <typename Rows>
bool report_failure(const sim::Result<Rows>& rows) {
  if (rows) return false;
  fmt::print(stderr, "nicroscope: {}\n", rows.error());
  return true;
}

int run_rtl(const CommonOptions& options, const std::vector<std::string>& sizes) {
  sim::Scenario scenario;
  options.apply(scenario);
  const auto rows = sim::bench_rtl(scenario.profile, scenario.seed, sizes);
  const bool failed =
      std::ranges::any_of(rows, [](const sim::RtlCase& row) { return !row.problem.empty(); });
  if (options.json) {
    json cases = json::array();
    for (const sim::RtlCase& row : rows) {
      cases.push_back({{"direction", sim::name_of(row.direction)},
                       {"size", row.size},
                       {"pairs", row.pairs},
                       {"frames_per_second", row.frames_per_second},
                       {"link_bound", row.link_bound},
                       {"datapath_bound", row.datapath_bound},
                       {"ratio", row.ratio},
                       {"lost", row.lost},
                       {"problem", row.problem}});
    }
    print_json({{"profile", scenario.profile}, {"cases", cases}});
    return failed ? kRunFailed : 0;
  }
  fmt::print("{}: frames a second in simulated time, PCIe Gen4 x16, 1 us reads, ideal host\n\n",
             scenario.profile);
  fmt::print("{:<5} {:>5} {:>5} {:>12} {:>12} {:>12} {:>7} {:>8}\n", "way", "pairs", "size",
             "frames/s", "link bound", "bus bound", "ratio", "lost");
  for (const sim::RtlCase& row : rows) {
    fmt::print("{:<5} {:>5} {:>5} {:>12.0f} {:>12.0f} {:>12.0f} {:>7.4f} {:>8}\n",
               sim::name_of(row.direction), row.pairs, row.size, row.frames_per_second,
               row.link_bound, row.datapath_bound, row.ratio, row.lost);
    if (!row.problem.empty()) fmt::print("      ^ {}\n", row.problem);
  }
  fmt::print(
      "\nsize: bytes with FCS; ratio: of the slower direction to its lower bound;\n"
      "lost: frames that came faster than the bus can take them, as counted\n");
  return failed ? kRunFailed : 0;
}

int run_sim(const CommonOptions& options, double seconds) {
  sim::Scenario scenario;
  options.apply(scenario);
  auto rows = sim::bench_sim(scenario.profile, scenario.seed, seconds);
  if (report_failure(rows)) return kRunFailed;
  if (options.json) {
    json cases = json::array();
    for (const sim::SimCase& row : *rows) {
      cases.push_back({{"direction", sim::name_of(row.direction)},
                       {"size", row.size},
                       {"frames_per_wall_second", row.frames_per_wall_second},
                       {"cycles_per_wall_second", row.cycles_per_wall_second},
                       {"score", row.score},
                       {"ratio_to_reference",
                        row.ratio_to_reference ? json(*row.ratio_to_reference) : json(nullptr)},
                       {"reference", row.reference}});
    }
    print_json({{"profile", scenario.profile}, {"cases", cases}});
    return 0;
  }
  fmt::print("{}: speed of the simulation in processor time, full load, payloads checked\n\n",
             scenario.profile);
  fmt::print("{:<5} {:>5} {:>11} {:>12} {:>8} {:>7}  {}\n", "way", "size", "frames/s", "cycles/s",
             "score", "ratio", "to the frames per score of");
  for (const sim::SimCase& row : *rows) {
    fmt::print("{:<5} {:>5} {:>11.0f} {:>12.0f} {:>8.0f} {:>7}  {}\n", sim::name_of(row.direction),
               row.size, row.frames_per_wall_second, row.cycles_per_wall_second, row.score,
               row.ratio_to_reference ? fmt::format("{:.2f}", *row.ratio_to_reference) : "-",
               row.reference);
  }
  fmt::print("\nsize: bytes without FCS; score: passes of the yardstick a second\n");
  return 0;
}

int run_latency(const CommonOptions& options) {
  sim::Scenario scenario;
  options.apply(scenario);
  auto rows = sim::bench_latency(scenario.profile, scenario.seed);
  if (report_failure(rows)) return kRunFailed;
  if (options.json) {
    json cases = json::array();
    for (const sim::LatencyCase& row : *rows) {
      cases.push_back({{"way", row.way},
                       {"size", row.size},
                       {"cycles", row.cycles},
                       {"floor_cycles", row.floor_cycles}});
    }
    print_json({{"profile", scenario.profile}, {"cases", cases}});
    return 0;
  }
  fmt::print("{}: one frame through an empty NIC, PCIe Gen4 x16, 1 us reads\n\n", scenario.profile);
  fmt::print("{:<10} {:>5} {:>9} {:>9} {:>6}\n", "way", "size", "cycles", "floor", "over");
  for (const sim::LatencyCase& row : *rows) {
    fmt::print("{:<10} {:>5} {:>9.1f} {:>9.1f} {:>6.1f}\n", row.way, row.size, row.cycles,
               row.floor_cycles, row.cycles - row.floor_cycles);
  }
  fmt::print(
      "\nreceive: last word on the stream to used element visible; interrupt: and to the\n"
      "message; transmit: doorbell at the NIC to first word on the stream.\n"
      "size: bytes with FCS; floor: what the bus alone takes\n");
  return 0;
}

int run_offload(const CommonOptions& options) {
  sim::Scenario scenario;
  options.apply(scenario);
  auto rows = sim::bench_offload(scenario.profile, scenario.seed);
  if (report_failure(rows)) return kRunFailed;
  if (options.json) {
    json cases = json::array();
    for (const sim::OffloadCase& row : *rows) {
      cases.push_back({{"way", row.way},
                       {"offload", row.offload},
                       {"flows", row.flows},
                       {"payload_gbps", row.payload_gbps},
                       {"link_gbps", row.link_gbps},
                       {"ratio", row.ratio},
                       {"frames_per_mbyte", row.frames_per_mbyte},
                       {"descriptors_per_mbyte", row.descriptors_per_mbyte},
                       {"interrupts_per_mbyte", row.interrupts_per_mbyte}});
    }
    print_json({{"profile", scenario.profile}, {"cases", cases}});
    return 0;
  }
  fmt::print("{}: bulk TCP, MTU 1500, one queue pair, PCIe Gen4 x16, 1 us reads\n\n",
             scenario.profile);
  fmt::print("{:<4} {:<11} {:>5} {:>9} {:>9} {:>7} {:>10} {:>13} {:>12}\n", "way", "offload",
             "flows", "Gbit/s", "link", "ratio", "frames/MB", "descriptors/MB", "interrupts/MB");
  for (const sim::OffloadCase& row : *rows) {
    const char* name = row.way == "tx" ? "TSO" : "LRO";
    fmt::print("{:<4} {:<11} {:>5} {:>9.3f} {:>9.3f} {:>7.4f} {:>10.1f} {:>14.1f} {:>13.1f}\n",
               row.way, fmt::format("{} {}", name, row.offload ? "on" : "off"), row.flows,
               row.payload_gbps, row.link_gbps, row.ratio, row.frames_per_mbyte,
               row.descriptors_per_mbyte, row.interrupts_per_mbyte);
  }
  fmt::print(
      "\nGbit/s: of payload; link: what the link carries of it; frames: as the host sees\n"
      "them; MB: 10^6 bytes of payload\n");
  return 0;
}

}  // namespace

Action add_bench(CLI::App& program) {
  CLI::App* bench = program.add_subcommand("bench", "Measure the RTL or the simulation");
  bench->require_subcommand(1);
  auto options = std::make_shared<CommonOptions>();
  auto seconds = std::make_shared<double>(1.5);
  auto sizes = std::make_shared<std::vector<std::string>>();

  CLI::App* rtl = bench->add_subcommand("rtl", "Frames a second by size, beside the bounds");
  options->add_to(*rtl);
  rtl->add_option("--size", *sizes, "Only these sizes: bytes with FCS, or mix")
      ->check(CLI::IsMember(sim::bench_rtl_sizes()));
  CLI::App* latency =
      bench->add_subcommand("latency", "Cycles through an empty NIC, beside the bus's floor");
  options->add_to(*latency);
  CLI::App* offload =
      bench->add_subcommand("offload", "Bulk TCP with and without segmentation and coalescing");
  options->add_to(*offload);
  CLI::App* speed = bench->add_subcommand("sim", "Simulated frames and cycles a second of work");
  options->add_to(*speed);
  speed->add_option("--seconds", *seconds, "Processor time of each case")
      ->check(CLI::Range(0.01, 600.0));

  const BenchLinux guests = add_bench_linux(*bench);

  return [options, seconds, sizes, rtl, latency, offload, guests] {
    if (guests.app->parsed()) return guests.run();
    if (rtl->parsed()) return run_rtl(*options, *sizes);
    if (offload->parsed()) return run_offload(*options);
    if (latency->parsed()) return run_latency(*options);
    return run_sim(*options, *seconds);
  };
}

}  // namespace nicroscope::cli
