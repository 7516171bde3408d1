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
  bool lro = true;                        ///< ethtool's rx-gro-hw
  std::uint64_t bulk_bytes = 20'000'000;  ///< at least, and a megabyte more at most
  double request_seconds = 0.005;         ///< of requests and responses, simulated
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
  double ping_us = 0;               ///< mean of ping, which cuts each to whole microseconds
  double ping_bound_us = 0;         ///< round_trip_bound() of its frames
  double transaction_us = 0;        ///< a byte over TCP to and fro, mean
  double transaction_bound_us = 0;  ///< round_trip_bound() of that
  double boot_to_ping_wall_seconds = 0;
  double bulk_wall_per_simulated = 0;      ///< wall seconds for a simulated one
  double requests_wall_per_simulated = 0;  ///< the same while requests and responses go
};

/// TCP payload of the link in Gbit/s at an MTU: 52 bytes of each packet are headers of IPv4 and of
/// TCP with its timestamps, 38 come on the wire beside it (Ethernet header and FCS, preamble, gap).
[[nodiscard]] double tcp_link_bound(const Profile& profile, unsigned mtu);

/// A frame as Linux's driver hands it over.
struct RoundTripFrame {
  unsigned bytes;  ///< without FCS
  /// Reads of the bus, each of which needs the answer to the one before, until its data are there:
  /// descriptor and data; where there are several buffers, their table (indirect) in between.
  unsigned reads;
  /// Readings of the clock in each guest; one takes 256 ns of its time, and nothing else any.
  unsigned clock_readings;
};

/// The least time in microseconds for a frame from one guest to the other and one as long back,
/// where no NIC takes any: for each way the doorbell, the reads, wire, switch, wire, data, used
/// element, the driver's event suppression, and the interrupt message, one after the other, each
/// with its latency. docs/linux.md derives it.
[[nodiscard]] double round_trip_bound(const Profile& profile, const sim::BusOptions& bus,
                                      Duration switch_delay, const RoundTripFrame& frame);

/// Boots two guests and measures. Throws BadInput, GuestFailure.
[[nodiscard]] LinuxBenchResult bench_linux(const LinuxBenchOptions& options);

}  // namespace nicroscope::uml
