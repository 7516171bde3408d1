// SPDX-License-Identifier: Apache-2.0
#include "sim/experiment/experiment.h"

#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "sim/cli/command.h"
#include "sim/cli/json_output.h"

namespace nicroscope::cli {
namespace {

using nlohmann::json;
using sim::BadInput;

struct Arguments {
  CommonOptions common;
  std::string name;
  std::string out;
  std::string window;
  std::optional<std::size_t> point;
  bool list = false;
  bool fewer = false;
};

int list(bool as_json) {
  json names = json::array();
  for (const sim::Experiment& experiment : sim::experiments()) {
    if (as_json) {
      names.push_back({{"name", experiment.name}, {"summary", experiment.summary}});
    } else {
      fmt::print("{:<14} {}\n", experiment.name, experiment.summary);
    }
  }
  if (as_json) print_json({{"experiments", names}});
  return 0;
}

const sim::Experiment& find(const std::string& name) {
  if (const sim::Experiment* found = sim::find_experiment(name); found != nullptr) return *found;
  std::string known;
  for (const sim::Experiment& experiment : sim::experiments()) {
    known += (known.empty() ? "" : ", ") + std::string(experiment.name);
  }
  throw BadInput(fmt::format("experiment '{}': there are {}", name, known));
}

/// "FROM:TO" in microseconds from the start of the load, or "frames:FROM:TO" by its frames.
void set_window(const std::string& text, sim::Observation& observe) {
  constexpr std::int64_t kBad = -1;
  const auto number = [](std::string_view part) {
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(part.data(), part.data() + part.size(), value);
    constexpr std::int64_t kMost = 1'000'000'000;
    const bool good = error == std::errc{} && end == part.data() + part.size();
    return good && value >= 0 && value <= kMost ? value : kBad;
  };
  constexpr std::string_view kFrames = "frames:";
  const bool frames = text.starts_with(kFrames);
  const std::string_view ends = std::string_view(text).substr(frames ? kFrames.size() : 0);
  const std::size_t colon = ends.find(':');
  const std::int64_t from = number(ends.substr(0, colon));
  const std::int64_t to = colon == std::string_view::npos ? kBad : number(ends.substr(colon + 1));
  if (from == kBad || from >= to || (frames && from == 0)) {
    throw BadInput(
        fmt::format("--window '{}': it takes FROM:TO in microseconds of the load, as 1000:1200, or "
                    "frames:FROM:TO by its frames, the first being 1, as frames:1000:1050",
                    text));
  }
  if (frames) {
    observe.from_frame = static_cast<std::uint64_t>(from);
    observe.to_frame = static_cast<std::uint64_t>(to);
    return;
  }
  observe.from = std::chrono::microseconds{from};
  observe.to = std::chrono::microseconds{to};
}

json to_json(const sim::Experiment& experiment, const sim::ExperimentReport& report) {
  json settings = json::object();
  for (const sim::ScenarioKey& key : sim::scenario_keys(report.scenario)) {
    settings[key.name] = key.value;
  }
  return {{"experiment", experiment.name},
          {"summary", experiment.summary},
          {"notes", experiment.notes},
          {"settings", settings},
          {"points", report.rows},
          {"frames", report.frames},
          {"wall_seconds", report.wall_seconds},
          {"frames_per_wall_second",
           report.wall_seconds > 0 ? static_cast<double>(report.frames) / report.wall_seconds : 0},
          {"trace_hash", fmt::format("{:016x}", report.trace_hash)},
          {"problem", report.problem}};
}

void print_text(const sim::Experiment& experiment, const sim::ExperimentReport& report) {
  fmt::print("{}: {}\nprofile {}, costs {}, seed {}\n\n{}\n", experiment.name, experiment.summary,
             report.scenario.profile,
             report.scenario.host.costs.empty() ? "default" : report.scenario.host.costs,
             report.scenario.seed, sim::table_text(experiment.columns, report.rows));
  for (const std::string& note : experiment.notes) fmt::print("{}\n", note);
  fmt::print("\n{} frames in {:.1f} s of wall time, {:.0f} a second; trace hash {:016x}\n",
             report.frames, report.wall_seconds,
             report.wall_seconds > 0 ? static_cast<double>(report.frames) / report.wall_seconds : 0,
             report.trace_hash);
}

void write_results(const Arguments& arguments, const sim::Experiment& experiment,
                   const sim::ExperimentReport& report) {
  const std::filesystem::path folder(arguments.out);
  const std::string json_file = (folder / (std::string(experiment.name) + ".json")).string();
  std::FILE* file = std::fopen(json_file.c_str(), "w");
  if (file == nullptr) throw BadInput("cannot write " + json_file);
  fmt::print(file, "{}\n", to_json(experiment, report).dump(2));
  std::fclose(file);
  for (const sim::Plot& plot : report.plots) {
    if (const std::string problem = sim::draw(plot, folder); !problem.empty()) {
      throw BadInput(problem);
    }
    if (!arguments.common.json) fmt::print("{}\n", (folder / (plot.name + ".svg")).string());
  }
}

int run(const Arguments& arguments) {
  const CommonOptions& common = arguments.common;
  if (arguments.list) return list(common.json);
  if (arguments.name.empty()) throw BadInput("experiment: a name is missing; --list shows them");
  const sim::Experiment& experiment = find(arguments.name);
  sim::ExperimentOptions options;
  options.settings = common.assign;
  if (!common.profile.empty()) options.settings.push_back("profile=" + common.profile);
  if (!common.seed.empty()) options.settings.push_back("seed=" + common.seed);
  options.no_skip = common.no_skip;
  options.assertions = common.assertions;
  options.fewer = arguments.fewer;
  options.point = arguments.point;
  options.observe.trace = common.trace;
  options.observe.wave = common.wave;
  if (!common.pcap.empty()) throw BadInput("--pcap: experiments do not write captures");
  if (!arguments.window.empty()) set_window(arguments.window, options.observe);
  if (!arguments.window.empty() && common.trace.empty() && common.wave.empty()) {
    throw BadInput("--window: of what? --trace FILE or --wave FILE says");
  }
  if (!(common.trace.empty() && common.wave.empty()) && !options.point) {
    throw BadInput("--trace and --wave: which run? --point N, counted from 0, says");
  }
  refuse_same_files({common.trace, common.wave});
  if (!arguments.out.empty()) {
    std::error_code error;
    std::filesystem::create_directories(arguments.out, error);
    if (error) throw BadInput(fmt::format("--out {}: {}", arguments.out, error.message()));
  }
  // A line that is written over and over is for a person, not for a file.
  if (!common.json && ::isatty(STDERR_FILENO) == 1) {
    options.progress = [](std::size_t done, std::size_t all) {
      fmt::print(stderr, "\r{} of {}{}", done, all, done == all ? "\n" : "");
      std::fflush(stderr);
    };
  }
  const sim::ExperimentReport report =
      with_waveform(common.wave, [&] { return sim::run_experiment(experiment, options); });
  if (common.json) {
    print_json(to_json(experiment, report));
  } else {
    print_text(experiment, report);
  }
  if (!arguments.out.empty() && report.problem.empty())
    write_results(arguments, experiment, report);
  if (report.problem.empty()) return 0;
  fmt::print(stderr, "nicroscope: the run failed: {}\n", report.problem);
  return kRunFailed;
}

}  // namespace

Action add_experiment(CLI::App& program) {
  auto arguments = std::make_shared<Arguments>();
  CLI::App* app =
      program.add_subcommand("experiment", "Study the host under load: interrupts, polling, CPU");
  app->add_option("name", arguments->name, "Which; --list names them");
  app->add_flag("--list", arguments->list, "List the experiments");
  app->add_option("--out", arguments->out,
                  "Write the plots (SVG, PNG) and the JSON to this folder");
  app->add_flag("--fewer", arguments->fewer, "Fewer and shorter runs that still show the shape");
  app->add_option("--point", arguments->point, "Only this run of the sweep, counted from 0");
  app->add_option("--window", arguments->window,
                  "What --trace and --wave show: FROM:TO in microseconds of the load, or "
                  "frames:FROM:TO, from when its frame FROM starts on the wire to when TO does");
  arguments->common.add_to(*app);
  return [arguments] { return run(*arguments); };
}

}  // namespace nicroscope::cli
