// SPDX-License-Identifier: Apache-2.0
#include "sim/linux/calendar.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "sim/linux/guest_failure.h"

namespace nicroscope::uml {

Calendar::Calendar(sim::Descriptor connection, GuestTime time_of_day, std::string name,
                   const Patience& patience)
    : connection_(std::move(connection)),
      time_of_day_(time_of_day),
      name_(std::move(name)),
      patience_(patience) {}

void Calendar::fail(const std::string& what) const {
  throw GuestFailure(fmt::format("{}, calendar: {}", name_, what));
}

CalendarMessage Calendar::receive() {
  CalendarMessage message{};
  auto* to = reinterpret_cast<std::byte*>(&message);  // NOLINT
  std::size_t got = 0;
  while (got < sizeof message) {
    static_cast<void>(wait_readable({connection_.get()}, patience_, name_));
    const ssize_t count = ::recv(connection_.get(), to + got, sizeof message - got, 0);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) fail("the guest has ended");
    got += static_cast<std::size_t>(count);
  }
  ++messages_;
  return message;
}

void Calendar::send(const CalendarMessage& message) {
  const ssize_t sent = ::send(connection_.get(), &message, sizeof message, MSG_NOSIGNAL);
  if (sent != static_cast<ssize_t>(sizeof message)) fail("the guest has ended");
  ++messages_;
}

void Calendar::answer(const CalendarMessage& message, std::uint64_t time) {
  send({CalendarOp::ack, message.seq, time});
}

// The answer has two descriptors with it, shared memory and a log, and the guest's number in it.
void Calendar::answer_start(const CalendarMessage& message) {
  const sim::Descriptor log(::memfd_create("calendar-log", MFD_CLOEXEC));
  CalendarMessage reply{CalendarOp::ack, message.seq, SharedSchedule::kGuest};
  iovec content{&reply, sizeof reply};
  const std::array<int, 2> descriptors{shared_.descriptor(), log.get()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof descriptors)> control{};
  msghdr header{};
  header.msg_iov = &content;
  header.msg_iovlen = 1;
  header.msg_control = control.data();
  header.msg_controllen = control.size();
  cmsghdr* rights = CMSG_FIRSTHDR(&header);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(sizeof descriptors);
  std::memcpy(CMSG_DATA(rights), descriptors.data(), sizeof descriptors);
  if (::sendmsg(connection_.get(), &header, MSG_NOSIGNAL) != static_cast<ssize_t>(sizeof reply)) {
    fail("the guest has ended");
  }
  ++messages_;
}

void Calendar::take(const CalendarMessage& message) {
  const auto time = static_cast<GuestTime>(message.time);
  if (!started_ && message.op != CalendarOp::start) fail("the first message is not START");
  switch (message.op) {
    case CalendarOp::start:
      if (started_) fail("a second START");
      started_ = true;
      answer_start(message);
      return;
    case CalendarOp::request:
      if (time < 0) fail("REQUEST of a time before 0");
      request_ = time;
      break;
    case CalendarOp::wait:
      if (waiting_) fail("WAIT while it waits");
      waiting_ = true;
      if (shared_.in_use()) {
        shared_.set_running(SharedSchedule::kController);
        return;  // no ACK
      }
      break;
    case CalendarOp::get:
      answer(message, static_cast<std::uint64_t>(now()));
      return;
    case CalendarOp::update:
      if (shared_.in_use()) fail("UPDATE beside shared memory");
      if (waiting_ || time < now_ || time > std::max(free_until_, now_)) {
        fail(fmt::format("UPDATE to {} at {}, free until {}", time, now_, free_until_));
      }
      now_ = time;
      break;
    case CalendarOp::get_tod:
      answer(message, static_cast<std::uint64_t>(time_of_day_));
      return;
    case CalendarOp::broadcast:
      break;
    case CalendarOp::ack:
    case CalendarOp::run:
    case CalendarOp::free_until:
    default:
      fail(fmt::format("message {} from the guest", static_cast<std::uint32_t>(message.op)));
  }
  answer(message, 0);
}

void Calendar::serve() { take(receive()); }

// What the guest said before it read this comes before its ACK.
void Calendar::tell(CalendarOp op, GuestTime time) {
  const std::uint32_t sequence = ++sequence_;
  send({op, sequence, static_cast<std::uint64_t>(time)});
  for (;;) {
    const CalendarMessage message = receive();
    if (message.op == CalendarOp::ack) {
      if (message.seq != sequence) fail("ACK of another message");
      return;
    }
    take(message);
  }
}

void Calendar::run(GuestTime now, GuestTime free_until) {
  set_now(now);
  free_until_ = free_until;
  request_ = kIdle;
  waiting_ = false;
  ++runs_;
  if (shared_.in_use()) {
    shared_.clear_request();
    shared_.set_free_until(free_until);
    shared_.set_running(SharedSchedule::kGuest);
    send({CalendarOp::run, ++sequence_, static_cast<std::uint64_t>(now)});
    return;  // no ACK
  }
  tell(CalendarOp::free_until, free_until);
  tell(CalendarOp::run, now);
}

void Calendar::limit(GuestTime free_until) {
  if (waiting_ || free_until >= free_until_) return;
  free_until_ = free_until;
  if (shared_.in_use()) {
    shared_.set_free_until(free_until);
  } else {
    tell(CalendarOp::free_until, free_until);
  }
}

void Calendar::set_now(GuestTime now) {
  if (now < this->now()) fail(fmt::format("time would go back from {} to {}", this->now(), now));
  now_ = now;
  shared_.set_now(now);
}

}  // namespace nicroscope::uml
