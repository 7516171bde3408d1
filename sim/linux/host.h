// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "nicroscope/time.h"
#include "sim/host_port/vhost_user/backend.h"
#include "sim/linux/calendar.h"
#include "sim/linux/guest.h"
#include "sim/simulation.h"

namespace nicroscope::uml {

/// What a guest said of itself with a line `@@ NAME VALUE` on its console.
using Report = std::pair<std::string, std::string>;
/// A card's counters, by the names of docs/registers.md.
using Counters = std::map<std::string, std::uint64_t>;

/// A guest and its network card, in one time. The card is simulated up to each instant at which the
/// guest does something; the guest then goes on by itself only while the card cannot touch its
/// memory or call it. So neither ever sees the other's past.
class Host {
 public:
  /// Starts the guest, and takes it to its first wait. Throws BadInput, GuestFailure.
  Host(const GuestOptions& guest, const sim::SimulationOptions& simulation);
  Host(const Host&) = delete;
  Host& operator=(const Host&) = delete;

  /// The earliest time at which guest or card can do anything; kNever if both wait for others.
  [[nodiscard]] Time next_event() const;
  /// Lets both go on until `limit`: everything before it has happened then. Throws GuestFailure.
  void advance(Time limit);

  [[nodiscard]] sim::Simulation& simulation() noexcept { return *simulation_; }
  [[nodiscard]] Guest& guest() noexcept { return guest_; }
  [[nodiscard]] const Calendar& calendar() const noexcept { return *calendar_; }
  /// In the order in which they came.
  [[nodiscard]] const std::vector<Report>& reports() const noexcept { return reports_; }
  /// What it last said under that name; null if nothing yet.
  [[nodiscard]] const std::string* reported(std::string_view name) const noexcept;
  /// The exit status of the guest's script, once it has ended.
  [[nodiscard]] std::optional<int> status() const noexcept { return status_; }
  [[nodiscard]] std::uint64_t calls() const noexcept { return calls_; }
  /// The card's own counters: read over the bus, for which the card is simulated some tens of
  /// microseconds further than the guest. Throws GuestFailure.
  [[nodiscard]] Counters counters();
  /// The same where the guest asked for it with a line `@@ counters NAME`, by that name.
  [[nodiscard]] const std::map<std::string, Counters>& snapshots() const noexcept {
    return snapshots_;
  }

 private:
  void take_on(Time limit);
  template <typename Function>
  void explained(Function&& function);
  [[nodiscard]] Time wish() const;
  [[nodiscard]] GuestTime free_until(Time limit) const;
  void simulate(Time limit);
  void run_guest(Time now, Time limit);
  void deliver_calls();
  void catch_up();
  void limit_guest();
  void serve();
  void serve_device();
  bool wait_for(int descriptor);
  void read_console();

  std::unique_ptr<sim::Simulation> simulation_;
  Guest guest_;
  Patience patience_;
  std::unique_ptr<Calendar> calendar_;
  sim::vhost_user::Backend backend_;
  Time limit_{0};  // of the advance() at hand
  std::vector<Report> reports_;
  std::map<std::string, Counters> snapshots_;
  std::optional<int> status_;
  std::uint64_t calls_ = 0;
};

}  // namespace nicroscope::uml
