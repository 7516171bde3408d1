// SPDX-License-Identifier: Apache-2.0
#include "sim/linux/host.h"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <charconv>
#include <string_view>

#include "nicroscope/registers.h"
#include "sim/linux/guest_failure.h"
#include "sim/scenario/scenario.h"

namespace nicroscope::uml {
namespace {

constexpr std::int64_t kPsPerNs = 1000;
// 2026-01-01, a Thursday. Any constant does.
constexpr GuestTime kTimeOfDay = 1'767'225'600'000'000'000;
constexpr std::string_view kReport = "@@ ";

Time simulation_time(GuestTime time) {
  return time >= kNever.count() / kPsPerNs ? kNever : Time{time * kPsPerNs};
}

GuestTime rounded_up(Time time) {
  return time == kNever ? kIdle : (time.count() + kPsPerNs - 1) / kPsPerNs;
}

std::unique_ptr<sim::Simulation> make_simulation(const sim::SimulationOptions& options) {
  auto simulation = sim::Simulation::create(sim::vhost_user::simulation_options(options));
  if (!simulation) throw sim::BadInput(simulation.error());
  return std::move(*simulation);
}

}  // namespace

Host::Host(const GuestOptions& guest, const sim::SimulationOptions& simulation)
    : simulation_(make_simulation(simulation)),
      guest_(guest),
      patience_(guest.patience),
      backend_(*simulation_, {.before_kick = [this](unsigned) { catch_up(); },
                              .after_kick = [this](unsigned) { limit_guest(); },
                              .wait = [this](int descriptor) { return wait_for(descriptor); }}) {
  calendar_ = std::make_unique<Calendar>(guest_.accept(guest_.calendar_listener()), kTimeOfDay,
                                         guest_.name(), patience_);
  explained([this] { serve(); });
}

// A guest that has ended is first noticed by what it does not say any more.
template <typename Function>
void Host::explained(Function&& function) {
  try {
    function();
  } catch (const WaitEnded&) {
    throw;
  } catch (const GuestFailure&) {
    constexpr int kTries = 500;  // of 10 ms: its sockets are closed before it is gone
    for (int i = 0; i < kTries; ++i) {
      if (const auto how = guest_.end()) {
        throw GuestFailure(fmt::format("{} has ended by itself, {}", guest_.name(), *how));
      }
      ::poll(nullptr, 0, 10);
    }
    throw;
  }
}

const std::string* Host::reported(std::string_view name) const noexcept {
  const auto found = std::ranges::find(reports_.rbegin(), reports_.rend(), name, &Report::first);
  return found == reports_.rend() ? nullptr : &found->second;
}

Time Host::wish() const { return simulation_time(calendar_->request()); }

Time Host::next_event() const {
  const Time card =
      backend_.calls_pending() ? simulation_->timeline().now() : simulation_->next_event();
  return std::min(wish(), card);
}

// Up to here the guest cannot notice that the card stands still meanwhile.
GuestTime Host::free_until(Time limit) const {
  return rounded_up(std::min(limit, simulation_->next_memory_access()));
}

void Host::advance(Time limit) {
  explained([this, limit] { take_on(limit); });
}

void Host::take_on(Time limit) {
  limit_ = limit;
  for (;;) {
    const Time wished = wish();
    if (backend_.calls_pending()) {
      // A card can be ahead of its guest after register accesses, which take time: then the guest
      // comes first, as far as it goes.
      const Time called = simulation_->timeline().now();
      if (std::min(wished, called) >= limit) return;
      if (wished < called) {
        run_guest(wished, std::min(limit, called));
      } else {
        deliver_calls();
      }
      continue;
    }
    const Time target = std::min(wished, limit);
    if (simulation_->timeline().now() < target) {
      simulate(target);
      continue;
    }
    if (wished >= limit) return;
    run_guest(wished, limit);
  }
}

// May come back early: then there are calls.
void Host::simulate(Time limit) {
  const sim::RunResult result = simulation_->run_until(limit);
  if (!result.ok()) throw GuestFailure(fmt::format("{}: {}", guest_.name(), result.message));
}

void Host::run_guest(Time now, Time limit) {
  limit_ = limit;
  const GuestTime time = std::max(rounded_up(now), calendar_->now());
  calendar_->run(time, std::max(free_until(limit), time));
  serve();
  read_console();
}

void Host::deliver_calls() {
  calendar_->set_now(std::max(rounded_up(simulation_->timeline().now()), calendar_->now()));
  ++calls_;
  if (!backend_.send_calls()) {
    throw GuestFailure(fmt::format("{}: {}", guest_.name(), backend_.reason()));
  }
}

Counters Host::counters() {
  Counters values;
  unsigned left = 2 * regs::kNumCounters;
  const auto read = [this, &left](std::uint32_t offset, unsigned shift, std::uint64_t& value) {
    simulation_->port().bar_read(offset, 4, [&left, &value, shift](std::uint32_t word) {
      value |= std::uint64_t{word} << shift;
      --left;
    });
  };
  for (unsigned n = 0; n < regs::kNumCounters; ++n) {
    std::uint64_t& value = values[std::string(regs::kCounters[n].name)];
    const std::uint32_t at = regs::kBarVendor + regs::kVendorCounters + n * regs::kCounterBytes;
    read(at, 0, value);  // latches the high half
    read(at + 4, 32, value);
  }
  const Time patience = simulation_->timeline().now() + std::chrono::milliseconds{10};
  while (left != 0 && simulation_->timeline().now() < patience) {
    simulate(simulation_->timeline().now() + std::chrono::microseconds{10});
  }
  if (left != 0) throw GuestFailure(guest_.name() + ": the card's registers do not answer");
  return values;
}

// The guest kicks at its time, which it has told, and waits for the answer.
void Host::catch_up() {
  const Time now = simulation_time(calendar_->now());
  while (simulation_->timeline().now() < now) simulate(now);
}

// What it has started may touch its memory earlier than anything before.
void Host::limit_guest() { calendar_->limit(std::max(free_until(limit_), calendar_->now())); }

void Host::serve() {
  while (!calendar_->waiting()) {
    const int device = backend_.connected() ? backend_.fd() : guest_.device_listener().get();
    if (wait_readable({device, calendar_->descriptor()}, patience_, guest_.name()) == device) {
      serve_device();
    } else {
      calendar_->serve();
    }
  }
}

void Host::serve_device() {
  if (!backend_.connected()) {
    backend_.attach(guest_.accept(guest_.device_listener()).release());
  } else if (!backend_.handle_message()) {
    throw GuestFailure(fmt::format("{}, network card: {}", guest_.name(), backend_.reason()));
  }
}

// Until `descriptor` can be read. What the guest has to ask its calendar comes first.
bool Host::wait_for(int descriptor) {
  while (wait_readable({calendar_->descriptor(), descriptor}, patience_, guest_.name()) !=
         descriptor) {
    calendar_->serve();
  }
  return true;
}

void Host::read_console() {
  for (const std::string& line : guest_.new_lines()) {
    const std::string_view text = line;
    const std::size_t at = text.find(kReport);
    if (at == std::string_view::npos) continue;
    const std::string_view report = text.substr(at + kReport.size());
    const std::size_t space = std::min(report.find(' '), report.size());
    const std::string_view value = report.substr(std::min(space + 1, report.size()));
    if (report.substr(0, space) == "exit") {
      int status = -1;
      std::from_chars(value.data(), value.data() + value.size(), status);
      status_ = status;
    } else if (report.substr(0, space) == "counters") {
      snapshots_[std::string(value)] = counters();
    } else {
      reports_.emplace_back(report.substr(0, space), value);
    }
  }
}

}  // namespace nicroscope::uml
