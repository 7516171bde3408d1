// SPDX-License-Identifier: Apache-2.0
#include "sim/live/live_loop.h"

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <system_error>

#include "sim/live/pace.h"
#include "sim/machine/receive_drops.h"
#include "stack/core/drop_reason.h"

namespace nicroscope::sim {
namespace {

using std::chrono::duration_cast;

constexpr Duration kDrainPatience = std::chrono::milliseconds{200};

}  // namespace

LiveLoop::LiveLoop(Machine& machine, TapDevice& device, const StopSignals& signals,
                   ControlSocket* control)
    : machine_(machine),
      simulation_(machine.simulation()),
      device_(device),
      signals_(signals),
      control_(control),
      wire_(device, simulation_.profile().max_frame - kFcsBytes),
      tap_(machine.stack().net, nullptr,
           [this](std::span<const std::byte>, const net::sk_buff& skb) {
             if (skb.pkt_type != net::pkt_type_t::outgoing && skb.dev == &machine_.netdev()) {
               ++delivered_;
             }
           }) {
  simulation_.wire().add_sink(wire_);
}

LiveLoop::~LiveLoop() {
  simulation_.wire().set_source(nullptr);
  simulation_.wire().remove_sink(wire_);
}

Time LiveLoop::wall() const {
  return simulated_start_ + duration_cast<Duration>(std::chrono::steady_clock::now() - wall_start_);
}

std::string LiveLoop::advance(Time limit) {
  return note_work(simulation_.counters(), busy_, [&] { return machine_.run_until(limit); });
}

// Wall time until the host has something to do by itself.
LiveLoop::WallTime LiveLoop::idle_span() const {
  return sleep_until(wall(), simulation_.timeline().next_time());
}

LiveLoop::Wake LiveLoop::poll(WallTime longest) {
  watched_.assign({{device_.descriptor(), POLLIN, 0}, {signals_.descriptor(), POLLIN, 0}});
  if (control_ != nullptr) control_->watch(watched_);
  const auto nanoseconds = duration_cast<std::chrono::nanoseconds>(longest).count();
  const timespec timeout{nanoseconds / 1'000'000'000, nanoseconds % 1'000'000'000};
  const int ready = ::ppoll(watched_.data(), watched_.size(), &timeout, nullptr);
  if (ready < 0 && errno != EINTR) {
    throw std::system_error(errno, std::generic_category(), "ppoll");
  }
  if (ready <= 0) return {};
  Wake wake;
  wake.frame = watched_[0].revents != 0;
  wake.stop = watched_[1].revents != 0;
  wake.command = ready > int{wake.frame} + int{wake.stop};
  return wake;
}

std::string LiveLoop::run(std::optional<WallTime> duration) {
  wall_start_ = std::chrono::steady_clock::now();
  simulated_start_ = simulation_.timeline().now();
  simulation_.wire().set_source(&wire_);
  Duration stretch = kShortStretch;
  for (;;) {
    const Time limit = std::min(wall(), simulation_.timeline().now() + stretch);
    if (std::string problem = advance(limit); !problem.empty()) return problem;
    stretch = busy_ ? kShortStretch : std::min(2 * stretch, kLongStretch);

    WallTime sleep{0};
    if (!busy_ && limit + kShortStretch > wall()) sleep = idle_span();
    if (duration) {
      const WallTime left = wall_start_ + *duration - std::chrono::steady_clock::now();
      if (left <= WallTime::zero()) break;
      sleep = std::min(sleep, left);
    }
    const Wake wake = poll(sleep);
    if (wake.stop) break;
    if (wake.command) control_->serve();
    if (wake.frame) {
      // It comes now, not when we went to sleep.
      if (sleep > WallTime::zero()) {
        if (std::string problem = advance(wall()); !problem.empty()) return problem;
      }
      simulation_.wire().wake();
    }
    if (device_.removed()) return device_.name() + ": the TAP device was removed";
  }
  return drain();
}

// To the first stretch in which nothing passes between wire, NIC and host.
std::string LiveLoop::drain() {
  wire_.close();
  const RunCounters& counters = simulation_.counters();
  const auto passed = [&counters] {
    return counters.frames_to_nic + counters.frames_from_nic + counters.read_beats +
           counters.write_beats + counters.register_accesses;
  };
  const Time patience = simulation_.timeline().now() + kDrainPatience;
  std::uint64_t before = 0;
  do {
    before = passed();
    const Time limit = simulation_.timeline().now() + kLongStretch;
    if (std::string problem = advance(limit); !problem.empty()) return problem;
  } while ((passed() != before || wire_.holds_frame()) && simulation_.timeline().now() < patience);
  return {};
}

LiveTotals LiveLoop::totals() {
  const auto statistics = machine_.statistics();
  LiveTotals totals;
  totals.frames_in = wire_.frames_in();
  totals.frames_delivered = delivered_;
  totals.drops = receive_drops(statistics);
  if (wire_.drops_in() != 0) totals.drops["tap_too_long"] = wire_.drops_in();
  totals.frames_out = simulation_.counters().frames_from_nic;
  totals.frames_returned = wire_.frames_out();
  totals.drops_out = wire_.drops_out();
  const net::skb_allocator& skbs = machine_.stack().net.skbs();
  for (std::size_t reason = 0; reason < net::SKB_DROP_REASONS; ++reason) {
    const std::uint64_t count = skbs.dropped(static_cast<net::skb_drop_reason>(reason));
    if (count != 0) totals.stack_drops[std::string(net::kDropReasons[reason].name)] = count;
  }
  totals.echo = machine_.echo();
  totals.interrupts = statistics.at("interrupts");
  totals.polls = machine_.stack().kernel.napi().polls();
  totals.cycles = simulation_.counters().cycles;
  totals.cycles_skipped = simulation_.counters().cycles_skipped;
  totals.simulated_seconds = std::chrono::duration<double>(simulation_.timeline().now()).count();
  totals.wall_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - wall_start_).count();
  return totals;
}

}  // namespace nicroscope::sim
