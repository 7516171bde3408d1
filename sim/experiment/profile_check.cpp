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
    LoadOptions run = load("xeon-2002", row.offered_pps, row.size + kFcsBytes);
    run.load.spacing = Spacing::constant;  // as in the experiment napi-table
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

std::vector<ProfileCheck> server2020() {
  const std::string profile = "server-2020";
  constexpr double kBitsPerByte = 8;
  constexpr double kGiga = 1e9;
  constexpr unsigned kSmallest = 64;
  std::vector<ProfileCheck> checks;

  LoadOptions polled = load(profile, 34e6, kSmallest);
  polled.scenario.profile = "dc25";
  polled.scenario.host.receive = "poll";
  polled.warm_up = std::chrono::microseconds{200};
  polled.window = std::chrono::microseconds{500};
  checks.push_back({"a program that polls: 60-byte frames/s forwarded", 25e6,
                    "ixy (2019), 3.0 GHz; it touches one byte of a frame, this one routes it",
                    false, polled, delivered});

  LoadOptions small = load(profile, 2e6, kSmallest);
  small.workload = Workload::local;
  small.scenario.host.cpus = 2;
  small.scenario.host.queue_pairs = 1;
  small.receiver_cpu = 1;
  small.warm_up = std::chrono::milliseconds{5};
  small.window = std::chrono::milliseconds{10};
  checks.push_back({"UDP of 16 bytes received/s, softirq and process on a CPU each", 1'143'277,
                    "Linux merge 604ca8ee7bdc (virtio-net in a guest)", false, small, delivered});

  constexpr unsigned kJumbo = 9018;
  constexpr unsigned kJumboPayload = 8972;
  LoadOptions bulk = load(profile, 1e6, kJumbo);
  bulk.workload = Workload::local;
  bulk.scenario.profile = "dc100";
  bulk.scenario.host.queue_pairs = 1;
  bulk.scenario.host.mtu = 9000;
  bulk.scenario.host.rx_buffer_bytes = 9216;
  bulk.warm_up = std::chrono::milliseconds{3};
  bulk.window = std::chrono::milliseconds{5};
  const std::string cai = "Cai et al., SIGCOMM 2021, TCP; here UDP, as there is no TCP";
  checks.push_back({"9,000-byte packets to a process: Gbit/s of one CPU", 42, cai, false, bulk,
                    [](const LoadResult& result) {
                      return result.delivered_pps * kJumboPayload * kBitsPerByte / kGiga;
                    }});
  const double copy_ns = 0.5 * kBitsPerByte / 42;  // the profile's, a byte
  checks.push_back({"of that, the CPU's time in copies to the process", 0.5, cai, true, bulk,
                    [copy_ns](const LoadResult& result) {
                      return result.delivered_pps * kJumboPayload * copy_ns / kGiga /
                             result.cpu.busy();
                    }});

  const auto head_read = [profile](unsigned round_trip) {
    LoadOptions options = load(profile, 1.6e6, kSmallest);
    options.scenario.bus.read_latency_ns = round_trip;
    options.scenario.bus.register_read_ns = round_trip;
    options.scenario.bus.write_latency_ns = round_trip / 2;
    options.scenario.bus.register_write_ns = round_trip / 2;
    options.scenario.host.head_reads = "frame";
    options.scenario.host.tx_usecs = 100;
    options.scenario.host.tx_frames = 32;
    options.warm_up = std::chrono::milliseconds{2};
    options.window = std::chrono::milliseconds{10};
    return options;
  };
  checks.push_back({"a register read a frame: forwarded at 1 us of PCIe by that at 0.5 us", 0.788,
                    "SimBricks, SIGCOMM 2022 (TCP, a read a batch)", false, head_read(1000),
                    [head_read](const LoadResult& result) {
                      return result.delivered_pps / run_load(head_read(500)).delivered_pps;
                    }});
  return checks;
}

}  // namespace

std::vector<std::string> profile_unchecked(const std::string& profile) {
  if (profile != "server-2020") return {};
  return {
      "MSG_ZEROCOPY's share of a copying sender's cycles (Linux netdev 2017): sends do not go by "
      "TCP, and none is without a copy",
      "receive aggregation's +45 to +67 % (Menon and Zwaenepoel, ATC 2008): TCP's throughput",
      "nginx and Redis under net_dim (Linux merge 604ca8ee7bdc): TCP",
      "cache misses of direct cache access, remote NUMA nodes (Cai et al.): one memory, one "
      "latency",
  };
}

std::vector<ProfileCheck> profile_checks(const std::string& profile) {
  if (profile == "pentium2-2001") return pentium2();
  if (profile == "xeon-2002") return xeon2002();
  if (profile == "server-2020") return server2020();
  return {};
}

}  // namespace nicroscope::sim
