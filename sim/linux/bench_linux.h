// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "sim/linux/guest.h"
#include "sim/linux/switch.h"
#include "sim/simulation.h"

namespace nicroscope::uml {

/// What is measured between two guests, and with what.
struct LinuxBenchOptions {
  GuestOptions guest;
  sim::SimulationOptions simulation;  ///< of each card
  SwitchOptions network;
  unsigned mtu = 1500;
  bool tso = true;
  bool lro = true;  ///< ethtool's rx-gro-hw
  std::uint64_t bulk_bytes = 20'000'000;
  double request_seconds = 0.005;  ///< of requests and responses, simulated
};

/// Of one card while the bulk was under way, by its counters, for each 10^6 bytes of payload.
struct CardWork {
  double frames;            ///< frames and super-frames between driver and card, both ways
  double descriptor_reads;  ///< reads of descriptors over the bus
  double used_writes;       ///< writes of used elements over the bus
  double interrupts;        ///< messages
};

struct LinuxBenchResult {
  double gbps = 0;         ///< TCP payload on the wire, when TCP has got going (StreamMeter)
  double iperf3_gbps = 0;  ///< as iperf3 says, from its first byte on
  double link_gbps = 0;    ///< payload that the link can carry at this MTU
  double retransmits = 0;
  CardWork sender{};
  CardWork receiver{};
  double ping_us = 0;              ///< mean, by ping, whose clock is the guest's
  double round_trip_us = 0;        ///< of a byte over TCP to and fro, mean
  double round_trip_bound_us = 0;  ///< round_trip_bound()
  double boot_to_ping_wall_seconds = 0;
  double bulk_wall_per_simulated = 0;      ///< wall seconds for a simulated one
  double requests_wall_per_simulated = 0;  ///< the same while requests and responses go
};

/// TCP payload of the link in Gbit/s at an MTU: 52 bytes of each packet are headers of IPv4 and of
/// TCP with its timestamps, 38 come on the wire beside it (Ethernet header and FCS, preamble, gap).
[[nodiscard]] double tcp_link_bound(const Profile& profile, unsigned mtu);

/// The least time in microseconds for a frame of `bytes` (without FCS) from one guest to the other
/// and one as long back, where neither guest takes any and no NIC does: for each way the doorbell,
/// descriptor, data, wire, switch, wire, data, used element, the driver's event suppression, and
/// the interrupt message, one after the other, each with its latency. docs/linux.md derives it.
[[nodiscard]] double round_trip_bound(const Profile& profile, const sim::BusOptions& bus,
                                      Duration switch_delay, unsigned bytes);

/// Boots two guests and measures. Throws BadInput, GuestFailure.
[[nodiscard]] LinuxBenchResult bench_linux(const LinuxBenchOptions& options);

}  // namespace nicroscope::uml
