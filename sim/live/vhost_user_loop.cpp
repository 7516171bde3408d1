// SPDX-License-Identifier: Apache-2.0
#include "sim/live/vhost_user_loop.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <ctime>
#include <system_error>
#include <utility>

#include "nicroscope/registers.h"
#include "sim/base/failure.h"
#include "sim/bench/bring_up.h"
#include "sim/live/pace.h"

namespace nicroscope::sim {
namespace {

using std::chrono::duration_cast;

// The client has nothing more to say or to kick about its rings: the capture can begin.
constexpr std::chrono::milliseconds kSettled{300};
// The client has nothing more to do with the frames that it got.
constexpr std::chrono::milliseconds kQuiet{300};
constexpr std::chrono::seconds kDrainPatience{10};

}  // namespace

VhostUserLoop::VhostUserLoop(Simulation& simulation, vhost_user::Listener& listener,
                             const StopSignals& signals, VhostUserLoopOptions options)
    : simulation_(simulation),
      listener_(listener),
      signals_(signals),
      options_(std::move(options)),
      backend_(simulation) {
  if (options_.tap == nullptr) return;
  tap_wire_.emplace(*options_.tap, simulation_.profile().max_frame - kFcsBytes);
  simulation_.wire().add_sink(*tap_wire_);
  simulation_.wire().set_source(&*tap_wire_);
}

VhostUserLoop::~VhostUserLoop() {
  simulation_.wire().set_source(nullptr);
  if (tap_wire_) simulation_.wire().remove_sink(*tap_wire_);
}

Time VhostUserLoop::wall() const {
  return simulated_start_ + duration_cast<Duration>(Clock::now() - wall_start_);
}

std::uint64_t VhostUserLoop::passed() const {
  const RunCounters& counters = simulation_.counters();
  return counters.frames_to_nic + counters.frames_from_nic;
}

std::string VhostUserLoop::advance(Time limit) {
  return note_work(simulation_.counters(), busy_, [&]() -> std::string {
    while (simulation_.timeline().now() < limit) {
      const RunResult result = simulation_.run_until(limit);
      if (!result.ok()) return result.message;
      if (result.reason == RunResult::Reason::limit) break;
    }
    return {};
  });
}

// Wall time until the device has something to do by itself.
VhostUserLoop::Clock::duration VhostUserLoop::idle_span() const {
  return sleep_until(wall(), simulation_.timeline().next_time());
}

VhostUserLoop::Wake VhostUserLoop::poll(Clock::duration longest) {
  watched_.assign({{signals_.descriptor(), POLLIN, 0}});
  if (options_.tap != nullptr) watched_.push_back({options_.tap->descriptor(), POLLIN, 0});
  if (!backend_.connected()) watched_.push_back({listener_.descriptor(), POLLIN, 0});
  backend_.watch(watched_);
  const auto nanoseconds = duration_cast<std::chrono::nanoseconds>(longest).count();
  const timespec timeout{nanoseconds / 1'000'000'000, nanoseconds % 1'000'000'000};
  const int ready = ::ppoll(watched_.data(), watched_.size(), &timeout, nullptr);
  if (ready < 0 && errno != EINTR) {
    throw std::system_error(errno, std::generic_category(), "ppoll");
  }
  if (ready <= 0) return Wake::nothing;
  if (options_.tap != nullptr && watched_[1].revents != 0) simulation_.wire().wake();
  return watched_[0].revents != 0 ? Wake::stop : Wake::nothing;
}

// Messages and kicks that have come, the next client, and the end of one.
void VhostUserLoop::look_after_client() {
  if (!backend_.connected()) {
    const int client = listener_.accept();
    if (client < 0) return;
    backend_.attach(client);
    ++clients_;
    options_.say(fmt::format("client {}: connected", clients_));
  }
  const unsigned rings = backend_.running_rings();
  static_cast<void>(backend_.handle_available());
  backend_.take_kicks();
  if (!backend_.check()) {
    options_.say(fmt::format("client {}: connection ended: {}", clients_, backend_.reason()));
    client_gone_ = true;
    return;
  }
  if (const unsigned now = backend_.running_rings(); now != rings) {
    options_.say(fmt::format("client {}: the device runs {} virtqueues", clients_, now));
  }
  const std::uint64_t heard = backend_.messages() + backend_.kicks();
  if (std::exchange(heard_, heard) != heard) last_heard_ = Clock::now();
}

// The capture begins when the client has started its rings, has kicked, as it does for its first
// receive buffers, and has no more to say.
std::string VhostUserLoop::look_after_capture() {
  if (source_ && !sent_ && source_->passed() == source_->frames()) {
    sent_ = true;
    options_.say(fmt::format("all of {} has been on the wire", options_.send));
  }
  if (options_.send.empty() || source_ || backend_.running_rings() == 0 || backend_.kicks() == 0 ||
      Clock::now() - last_heard_ < kSettled) {
    return {};
  }
  PcapSourceOptions options;
  options.start = simulation_.timeline().now();
  options.max_frame_bytes = simulation_.profile().max_frame - kFcsBytes;
  auto source = PcapSource::open(options_.send, options);
  if (!source) return source.error();
  source_ = std::move(*source);
  simulation_.wire().set_source(source_.get());
  simulation_.wire().wake();
  options_.say(fmt::format("{} frames of {} go onto the wire", source_->frames(), options_.send));
  return {};
}

std::string VhostUserLoop::run() {
  wall_start_ = last_heard_ = Clock::now();
  simulated_start_ = simulation_.timeline().now();
  try {
    if (std::string problem = serve(); !problem.empty()) return problem;
    std::string problem = drain();
    if (backend_.connected()) backend_.disconnect("the run is over");
    return problem;
  } catch (const SimulationFailure& failure) {
    return failure.what();
  }
}

std::string VhostUserLoop::serve() {
  Duration stretch = kShortStretch;
  for (;;) {
    const Time limit = std::min(wall(), simulation_.timeline().now() + stretch);
    if (std::string problem = advance(limit); !problem.empty()) return problem;
    stretch = busy_ ? kShortStretch : std::min(2 * stretch, kLongStretch);

    Clock::duration sleep{0};
    if (!busy_ && limit + kShortStretch > wall()) sleep = idle_span();
    if (options_.duration) {
      const auto left = wall_start_ + *options_.duration - Clock::now();
      if (left <= Clock::duration::zero()) return {};
      sleep = std::min(sleep, left);
    }
    if (poll(sleep) == Wake::stop) return {};
    // What came, came now and not when we went to sleep.
    if (sleep > Clock::duration::zero()) {
      if (std::string problem = advance(wall()); !problem.empty()) return problem;
    }
    look_after_client();
    if (client_gone_ && options_.once) return {};
    if (std::string problem = look_after_capture(); !problem.empty()) return problem;
    if (options_.tap != nullptr && options_.tap->removed()) {
      return options_.tap->name() + ": the TAP device was removed";
    }
  }
}

// Until nothing has passed over the wire for a while.
std::string VhostUserLoop::drain() {
  if (tap_wire_) tap_wire_->close();
  const auto patience = Clock::now() + kDrainPatience;
  auto quiet_since = Clock::now();
  std::uint64_t before = passed();
  while (backend_.connected() && Clock::now() < patience && Clock::now() < quiet_since + kQuiet) {
    const Time limit = std::min(wall(), simulation_.timeline().now() + kLongStretch);
    if (std::string problem = advance(limit); !problem.empty()) return problem;
    static_cast<void>(poll(std::chrono::microseconds{busy_ ? 0 : 500}));
    look_after_client();
    if (std::exchange(before, passed()) != before) quiet_since = Clock::now();
  }
  return {};
}

VhostUserTotals VhostUserLoop::totals() {
  const RunCounters& counters = simulation_.counters();
  VhostUserTotals totals;
  totals.clients = clients_;
  totals.messages = backend_.messages();
  totals.kicks = backend_.kicks();
  totals.calls = backend_.calls();
  totals.frames_to_nic = counters.frames_to_nic;
  totals.frames_from_nic = counters.frames_from_nic;
  for (unsigned place = 0; place < regs::kNumCounters; ++place) {
    const std::uint64_t value = read_counter(simulation_, place);
    if (value != 0) totals.nic.emplace(regs::kCounters[place].name, value);
  }
  totals.cycles = counters.cycles;
  totals.cycles_skipped = counters.cycles_skipped;
  totals.simulated_seconds = std::chrono::duration<double>(simulation_.timeline().now()).count();
  totals.wall_seconds = std::chrono::duration<double>(Clock::now() - wall_start_).count();
  return totals;
}

}  // namespace nicroscope::sim
