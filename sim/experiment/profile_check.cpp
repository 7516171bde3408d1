// SPDX-License-Identifier: Apache-2.0
#include "sim/experiment/profile_check.h"

#include <fmt/format.h>

#include "sim/experiment/published.h"

namespace nicroscope::sim {
namespace {

LoadOptions load(const std::string& profile, double frames_per_second, unsigned size) {
  LoadOptions options;
  options.scenario.host.costs = profile;
  options.scenario.host.hz = 100;
  options.load.frames_per_second = frames_per_second;
  options.load.sizes = {size};
  options.load.spacing = Spacing::poisson;
  options.warm_up = std::chrono::milliseconds{10};
  options.window = std::chrono::milliseconds{20};
  return options;
}

double delivered(const LoadResult& result) { return result.delivered_pps; }

std::vector<ProfileCheck> pentium2() {
  const std::string guffens = "Guffens 2003, after Salim, Olsson, Kuznetsov 2001";
  const std::string profile = "pentium2-2001";
  constexpr unsigned kSmallest = 64;
  std::vector<ProfileCheck> checks;
  const auto interrupt = [&](double rate) {
    LoadOptions options = load(profile, rate, kSmallest);
    options.scenario.host.receive = "interrupt";
    options.scenario.host.max_interrupt_work = 1;
    return options;
  };
  checks.push_back({"an interrupt a frame: forwarded/s of 62,000 offered (the peak)", 60'000,
                    guffens, true, interrupt(62e3), delivered});
  checks.push_back({"an interrupt a frame: forwarded/s of 180,000 offered", 0, guffens, false,
                    interrupt(180e3), delivered});
  checks.push_back({"NAPI: forwarded at 180,000 offered by that at 100,000", 1, guffens, false,
                    load(profile, 180e3, kSmallest), [profile](const LoadResult& result) {
                      const LoadResult before = run_load(load(profile, 100e3, kSmallest));
                      return result.delivered_pps / before.delivered_pps;
                    }});
  return checks;
}

std::vector<ProfileCheck> xeon2002() {
  constexpr unsigned kFcsBytes = 4;
  constexpr double kMillion = 1e6;
  std::vector<ProfileCheck> checks;
  for (const NapiHowto& row : kNapiHowto) {
    const LoadOptions run = load("xeon-2002", row.offered_pps, row.size + kFcsBytes);
    checks.push_back({fmt::format("forwarded of a million of {} bytes", row.size), row.forwarded,
                      "kernel NAPI_HOWTO", row.size == kNapiHowto.front().size, run,
                      [](const LoadResult& result) {
                        return kMillion * result.delivered_pps / result.offered_pps;
                      }});
    checks.push_back({fmt::format("receive interrupts of a million of {} bytes", row.size),
                      row.rx_interrupts, "kernel NAPI_HOWTO", false, run,
                      [](const LoadResult& result) {
                        return kMillion * static_cast<double>(result.rx_interrupts) /
                               static_cast<double>(result.window_sent);
                      }});
  }
  return checks;
}

}  // namespace

std::vector<ProfileCheck> profile_checks(const std::string& profile) {
  if (profile == "pentium2-2001") return pentium2();
  if (profile == "xeon-2002") return xeon2002();
  return {};
}

}  // namespace nicroscope::sim
