// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>

#include "sim/base/descriptor.h"
#include "sim/linux/patience.h"
#include "sim/linux/shared_schedule.h"

namespace nicroscope::uml {

/// Nanoseconds, as a guest counts its time.
using GuestTime = std::int64_t;
/// "Never", as a guest says it.
inline constexpr GuestTime kIdle = std::numeric_limits<GuestTime>::max();

/// Messages between a User-mode Linux guest and its calendar (the kernel's
/// include/uapi/linux/um_timetravel.h). Little-endian, 16 bytes each.
enum class CalendarOp : std::uint32_t {
  ack = 0,
  start = 1,
  request = 2,
  wait = 3,
  get = 4,
  update = 5,
  run = 6,
  free_until = 7,
  get_tod = 8,
  broadcast = 9,
};

struct CalendarMessage {
  CalendarOp op;
  std::uint32_t seq;
  std::uint64_t time;
};
static_assert(sizeof(CalendarMessage) == 16);
static_assert(offsetof(CalendarMessage, seq) == 4 && offsetof(CalendarMessage, time) == 8);

/// The calendar of one guest: `time-travel=ext:/path`. The guest's time moves only as far as it is
/// told. While waiting() it does nothing; run() lets it work at an instant, and on by itself while
/// its time is below a limit, until it waits again. All that it says meanwhile is taken by serve().
///
/// Kernels from 6.11 on share memory with their calendar and leave most messages out; the others
/// send them. It is the same for whoever uses this.
///
/// Throws GuestFailure where the guest breaks the protocol, is gone, or does not say in time what
/// it has to.
class Calendar {
 public:
  /// `connection`: the stream socket that the guest's kernel has connected to. `time_of_day`: what
  /// the guest takes for the time since 1970.
  Calendar(sim::Descriptor connection, GuestTime time_of_day, std::string name,
           const Patience& patience = {});

  [[nodiscard]] int descriptor() const noexcept { return connection_.get(); }
  /// Takes one message of the guest, which it waits for, and answers it.
  void serve();

  /// The guest has come to an end of what it can do at its time.
  [[nodiscard]] bool waiting() const noexcept { return waiting_; }
  /// When it wants to go on by itself; kIdle for never.
  [[nodiscard]] GuestTime request() const noexcept {
    return shared_.in_use() ? shared_.request(request_) : request_;
  }
  /// The guest's time, as far as it has been told or has told.
  [[nodiscard]] GuestTime now() const noexcept { return shared_.in_use() ? shared_.now() : now_; }

  /// Lets the guest, which is waiting, go on at `now`, and then without asking while its time is
  /// below `free_until`.
  void run(GuestTime now, GuestTime free_until);
  /// Lowers the limit of a guest that runs; while it waits for the answer of a device, say.
  void limit(GuestTime free_until);
  /// What time a waiting guest is told that something else wakes.
  void set_now(GuestTime now);

  /// How often the guest was let go on, and all messages either way.
  [[nodiscard]] std::uint64_t runs() const noexcept { return runs_; }
  [[nodiscard]] std::uint64_t messages() const noexcept { return messages_; }

 private:
  [[nodiscard]] CalendarMessage receive();
  void send(const CalendarMessage& message);
  void answer(const CalendarMessage& message, std::uint64_t time);
  void answer_start(const CalendarMessage& message);
  void take(const CalendarMessage& message);
  void tell(CalendarOp op, GuestTime time);
  [[noreturn]] void fail(const std::string& what) const;

  sim::Descriptor connection_;
  SharedSchedule shared_;
  GuestTime time_of_day_;
  std::string name_;
  Patience patience_;
  GuestTime now_ = 0;
  GuestTime request_ = kIdle;
  GuestTime free_until_ = 0;
  std::uint32_t sequence_ = 0;
  bool started_ = false;
  bool waiting_ = false;
  std::uint64_t runs_ = 0;
  std::uint64_t messages_ = 0;
};

}  // namespace nicroscope::uml
