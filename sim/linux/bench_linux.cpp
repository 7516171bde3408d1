// SPDX-License-Identifier: Apache-2.0
#include "sim/linux/bench_linux.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <chrono>
#include <map>

#include "sim/linux/guest_failure.h"
#include "sim/linux/shipped_scripts.h"
#include "sim/linux/stream_meter.h"
#include "sim/linux/world.h"

namespace nicroscope::uml {
namespace {

using Wall = std::chrono::steady_clock;

constexpr std::uint16_t kIperfPort = 5201;
// Ethernet, IPv4, ICMP and 56 bytes, in one buffer.
constexpr RoundTripFrame kPing{14 + 20 + 8 + 56, 2, 0};
// Ethernet, IPv4, TCP with timestamps, in one buffer, and a byte in another. TCP looks at the clock
// when it sends and when the process has what was received.
constexpr RoundTripFrame kTransaction{14 + 20 + 32 + 1, 3, 2};
constexpr double kClockReadingUs = 0.256;
constexpr unsigned kFcsBytes = 4;
constexpr unsigned kPreambleBytes = 8;
constexpr double kMegabyte = 1e6;

std::string script(const LinuxBenchOptions& options) {
  const auto word = [](bool on) { return on ? "on" : "off"; };
  return fmt::format("mtu={} tso={} lro={} bytes={} seconds={}\n{}", options.mtu, word(options.tso),
                     word(options.lro), options.bulk_bytes, options.request_seconds,
                     bench_script());
}

WorldOptions world_options(const LinuxBenchOptions& options) {
  WorldOptions world;
  world.guests = 2;
  world.guest = options.guest;
  world.guest.script = script(options);
  world.simulation = options.simulation;
  world.network = options.network;
  return world;
}

double number(const Host& host, std::string_view name) {
  const std::string* text = host.reported(name);
  double value = 0;
  if (text == nullptr ||
      std::from_chars(text->data(), text->data() + text->size(), value).ec != std::errc{}) {
    throw GuestFailure(fmt::format("guest 0 did not report {} as a number", name));
  }
  return value;
}

CardWork work(Counters before, Counters after, std::uint64_t bytes) {
  const auto each = [&](std::initializer_list<const char*> names) {
    std::uint64_t sum = 0;
    for (const char* name : names) sum += after[name] - before[name];
    return static_cast<double>(sum) / (static_cast<double>(bytes) / kMegabyte);
  };
  // Frames that the card has cut out of a super-frame are not the driver's.
  CardWork result{each({"tx_frames", "tx_tso", "rx_delivered"}), each({"desc_reads"}),
                  each({"used_writes"}), each({"interrupts"})};
  result.frames -= each({"tx_segments"});
  return result;
}

/// Wall and simulated time between two moments.
class Stopwatch {
 public:
  explicit Stopwatch(const World& world) : world_(world), simulated_(world.now()) {}
  [[nodiscard]] double wall() const {
    return std::chrono::duration<double>(Wall::now() - wall_).count();
  }
  [[nodiscard]] double wall_per_simulated() const {
    return wall() / std::chrono::duration<double>(world_.now() - simulated_).count();
  }

 private:
  const World& world_;
  Time simulated_;
  Wall::time_point wall_ = Wall::now();
};

}  // namespace

double tcp_link_bound(const Profile& profile, unsigned mtu) {
  constexpr double kHeaders = 52;
  constexpr double kOnTheWire = 38;
  return profile.link_mbps / 1e3 * (mtu - kHeaders) / (mtu + kOnTheWire);
}

double round_trip_bound(const Profile& profile, const sim::BusOptions& bus, Duration switch_delay,
                        const RoundTripFrame& frame) {
  const auto us = [](Duration span) {
    return std::chrono::duration<double, std::micro>(span).count();
  };
  const double wire =
      (std::max(frame.bytes, 60U) + kFcsBytes + kPreambleBytes) * 8.0 / profile.link_mbps;
  const double transmit = us(bus.register_write) + frame.reads * us(bus.read_latency);
  const double through_switch = wire + us(switch_delay) + wire;
  const double receive = 2 * us(bus.write_latency);
  const double interrupt = us(bus.read_latency) + us(bus.write_latency);
  const double guest = frame.clock_readings * kClockReadingUs;
  return 2 * (transmit + through_switch + receive + interrupt + guest);
}

LinuxBenchResult bench_linux(const LinuxBenchOptions& options) {
  const Wall::time_point start = Wall::now();
  World world(world_options(options));
  Host& sender = *world.hosts().front();
  Host& receiver = *world.hosts().back();
  const Profile& profile = sender.simulation().profile();
  LinuxBenchResult result;
  result.link_gbps = tcp_link_bound(profile, options.mtu);
  const auto bound = [&](const RoundTripFrame& frame) {
    return round_trip_bound(profile, options.simulation.bus, options.network.delay, frame);
  };
  result.ping_bound_us = bound(kPing);
  result.transaction_bound_us = bound(kTransaction);

  world.run_until_reported("pong");
  result.boot_to_ping_wall_seconds = std::chrono::duration<double>(Wall::now() - start).count();
  world.run_until_reported("requests");
  const Stopwatch requests(world);
  world.run_until_reported("transactions_ns");
  result.requests_wall_per_simulated = requests.wall_per_simulated();
  result.ping_us = number(sender, "ping_us");
  result.transaction_us = number(sender, "transactions_ns") / 1e3 / number(sender, "transactions");

  world.run_until_reported("bulk");
  StreamMeter meter(options.bulk_bytes, kIperfPort);
  receiver.simulation().wire().add_sink(meter);
  const Counters sender_before = sender.counters();
  const Counters receiver_before = receiver.counters();
  world.run_until_reported("bulk_end");
  receiver.simulation().wire().remove_sink(meter);
  if (meter.bytes() < options.bulk_bytes) throw GuestFailure("the bulk did not arrive");
  result.gbps = meter.gbps();
  result.bulk_wall_per_simulated = meter.wall_seconds_per_simulated();
  result.iperf3_gbps = number(sender, "iperf3_gbps");
  result.retransmits = number(sender, "retransmits");
  result.sender = work(sender_before, sender.counters(), meter.bytes());
  result.receiver = work(receiver_before, receiver.counters(), meter.bytes());
  return result;
}

}  // namespace nicroscope::uml
