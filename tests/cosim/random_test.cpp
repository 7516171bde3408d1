// SPDX-License-Identifier: Apache-2.0
// The constrained-random cosimulation: every feature that the device offers, mixed, against golden
// models. As a test it runs a share of frames that ends soon; with --frames and --seeds as many as
// wanted, with --coverage its functional coverage goes into a file.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <vector>

#include "nicroscope/registers.h"
#include "tests/cosim/random_coverage.h"
#include "tests/cosim/random_run.h"

namespace nicroscope::test {
namespace {

struct Options {
  std::uint64_t frames = 20000;  ///< in all
  std::uint64_t seeds = 12;
  std::uint64_t first_seed = 1;
  std::vector<std::string> profiles = {"edge10", "dc25", "dc100"};
  std::uint64_t without = 0;  ///< features that are not to be taken
  std::string coverage_file;
  std::string pcap;  ///< for the frames that the NIC sends, of the last seed
};
Options options;

// Fewer meet most of the crosses, but not surely every one.
constexpr std::uint64_t kFramesForCoverage = 500'000;
constexpr std::uint64_t kFramesForIdle = 500;
constexpr std::uint64_t kShareForFast = 20;  // one in so many

TEST(Random, AgainstTheGoldenModels) {
  Coverage coverage;
  declare_coverage(coverage);
  std::uint64_t frames = 0;
  std::uint64_t commands = 0;
  std::uint64_t delivered = 0;
  std::uint64_t merged = 0;
  std::uint64_t sent = 0;
  std::uint64_t offered = 0;
  std::uint64_t statistics = 0;
  for (std::uint64_t n = 0; n < options.seeds && frames < options.frames; ++n) {
    RandomOptions run_options;
    run_options.seed = options.first_seed + n;
    run_options.profile = options.profiles[n % options.profiles.size()];
    run_options.frames = (options.frames - frames) / (options.seeds - n);
    run_options.without = options.without;
    run_options.pcap = options.pcap;
    RandomRun run(run_options, coverage);
    const std::string wrong = run.run();
    EXPECT_EQ(wrong, "");
    frames += run.frames();
    commands += run.commands();
    delivered += run.scoreboard().delivered();
    merged += run.scoreboard().merged();
    sent += run.scoreboard().sent();
    offered = run.offered();
    statistics += run.statistics_answers();
  }
  expect_coverage(coverage, offered);
  fmt::print(
      "{} frames and chains: {} delivered, {} of them merged, {} sent; {} commands, "
      "statistics {} times\n",
      frames, delivered, merged, sent, commands, statistics);
  if ((offered >> regs::kFeatureDeviceStats & 1) != 0) {
    EXPECT_GE(statistics, frames / 5000);
  }
  std::cout << coverage.report();
  if (!options.coverage_file.empty()) {
    std::ofstream(options.coverage_file) << coverage.json() << "\n";
  }
  if (options.frames >= kFramesForCoverage && !HasFailure()) {
    EXPECT_EQ(coverage.missing(), std::vector<std::string>{});
  }
}

// While idle_o is high no edge changes anything: whatever the device is set to, a run that skips
// idle time has the same events in the same cycles as one that simulates it.
TEST(Random, IdleTimeThatIsSkippedChangesNothing) {
  for (const std::string& profile : options.profiles) {
    SCOPED_TRACE(profile);
    std::uint64_t hashes[2];
    for (const bool no_skip : {false, true}) {
      Coverage coverage;
      declare_coverage(coverage);
      RandomRun run({.profile = profile,
                     .seed = options.first_seed,
                     .frames = kFramesForIdle,
                     .without = options.without,
                     .pcap = {},
                     .no_skip = no_skip},
                    coverage);
      ASSERT_EQ(run.run(), "");
      hashes[no_skip ? 1 : 0] = run.trace_hash();
      EXPECT_EQ(run.skipped_cycles() == 0, no_skip);
    }
    EXPECT_EQ(hashes[0], hashes[1]);
  }
}

// The fast model leaves out what it need not do (docs/simulator.md, "One cycle"), and has clock
// gates that work: whatever the device is set to, the same events come in the same cycles.
TEST(Random, TheFastModelDoesTheSame) {
  for (const std::string& profile : options.profiles) {
    SCOPED_TRACE(profile);
    std::vector<std::uint64_t> hashes;
    for (const sim::Variant variant : {sim::Variant::checked, sim::Variant::fast}) {
      Coverage coverage;
      declare_coverage(coverage);
      RandomRun run({.profile = profile,
                     .seed = options.first_seed + 1,
                     .frames = options.frames / kShareForFast,
                     .without = options.without,
                     .pcap = {},
                     .variant = variant},
                    coverage);
      ASSERT_EQ(run.run(), "");
      hashes.push_back(run.trace_hash());
    }
    EXPECT_EQ(hashes[0], hashes[1]);
  }
}

}  // namespace
}  // namespace nicroscope::test

int main(int argc, char** argv) {
  using nicroscope::test::options;
  testing::InitGoogleTest(&argc, argv);
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const auto value = [&](const char* name) -> const char* {
      const std::string prefix = std::string("--") + name + "=";
      return argument.starts_with(prefix) ? argv[i] + prefix.size() : nullptr;
    };
    if (const char* text = value("frames")) {
      options.frames = std::strtoull(text, nullptr, 10);
    } else if (const char* seeds = value("seeds")) {
      options.seeds = std::strtoull(seeds, nullptr, 10);
    } else if (const char* seed = value("seed")) {
      options.first_seed = std::strtoull(seed, nullptr, 10);
    } else if (const char* profile = value("profile")) {
      options.profiles.clear();
      std::istringstream list(profile);
      for (std::string name; std::getline(list, name, ',');) options.profiles.push_back(name);
    } else if (const char* features = value("without")) {
      options.without = std::strtoull(features, nullptr, 0);
    } else if (const char* file = value("coverage")) {
      options.coverage_file = file;
    } else if (const char* pcap = value("pcap")) {
      options.pcap = pcap;
    } else {
      std::cerr << argument << ": --frames=N, --seeds=N, --seed=N, --profile=NAME, "
                << "--without=FEATURES, --coverage=FILE and --pcap=FILE are "
                << "accepted\n";
      return 2;
    }
  }
  return RUN_ALL_TESTS();
}
