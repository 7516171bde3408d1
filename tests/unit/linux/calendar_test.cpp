// SPDX-License-Identifier: Apache-2.0
// The calendar against a guest that the test plays, message by message.
#include "sim/linux/calendar.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <array>
#include <cstring>
#include <memory>
#include <thread>
#include <utility>

#include "sim/linux/guest_failure.h"

namespace nicroscope::uml {
namespace {

constexpr GuestTime kTimeOfDay = 1'000'000'007;

class CalendarTest : public ::testing::Test {
 protected:
  CalendarTest() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, ends.data()), 0);
    guest_ = sim::Descriptor(ends[0]);
    calendar_ = std::make_unique<Calendar>(sim::Descriptor(ends[1]), kTimeOfDay, "guest 7");
  }

  void say(CalendarOp op, std::uint64_t time) {
    const CalendarMessage message{op, ++sequence_, time};
    ASSERT_EQ(::send(guest_.get(), &message, sizeof message, 0), 16);
  }
  CalendarMessage hear() {
    CalendarMessage message{};
    EXPECT_EQ(::recv(guest_.get(), &message, sizeof message, MSG_WAITALL), 16);
    return message;
  }
  void expect_ack(std::uint64_t time = 0) {
    const CalendarMessage ack = hear();
    EXPECT_EQ(ack.op, CalendarOp::ack);
    EXPECT_EQ(ack.seq, sequence_);
    EXPECT_EQ(ack.time, time);
  }
  /// A message that the calendar takes, and its answer.
  void ask(CalendarOp op, std::uint64_t time, std::uint64_t answer = 0) {
    say(op, time);
    calendar_->serve();
    expect_ack(answer);
  }
  /// START, and what the answer has with it: the kernel maps the first and closes the second.
  std::pair<sim::Descriptor, sim::Descriptor> start_with_descriptors() {
    say(CalendarOp::start, 7);
    calendar_->serve();
    CalendarMessage reply{};
    iovec content{&reply, sizeof reply};
    alignas(cmsghdr) std::array<char, CMSG_SPACE(4 * sizeof(int))> control{};
    msghdr header{};
    header.msg_iov = &content;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    EXPECT_EQ(::recvmsg(guest_.get(), &header, 0), 16);
    EXPECT_EQ(reply.op, CalendarOp::ack);
    EXPECT_EQ(reply.time & 0xffff, 1U);  // the guest's number in the memory
    std::array<int, 2> descriptors{-1, -1};
    const cmsghdr* rights = CMSG_FIRSTHDR(&header);
    if (rights == nullptr || rights->cmsg_len != CMSG_LEN(sizeof descriptors)) {
      ADD_FAILURE() << "no two descriptors";
    } else {
      std::memcpy(descriptors.data(), CMSG_DATA(rights), sizeof descriptors);
    }
    return {sim::Descriptor(descriptors[0]), sim::Descriptor(descriptors[1])};
  }
  void start_and_wait(std::uint64_t request) {
    ask(CalendarOp::start, 7, 1);
    ask(CalendarOp::request, request);
    ask(CalendarOp::wait, ~std::uint64_t{0});
  }
  /// What a guest does with RUN: FREE_UNTIL and RUN get their ACKs.
  void run(GuestTime now, GuestTime free_until) {
    std::thread guest([this, now, free_until] {
      for (const auto& [op, time] :
           {std::pair{CalendarOp::free_until, free_until}, std::pair{CalendarOp::run, now}}) {
        const CalendarMessage message = hear();
        EXPECT_EQ(message.op, op);
        EXPECT_EQ(message.time, static_cast<std::uint64_t>(time));
        const CalendarMessage ack{CalendarOp::ack, message.seq, 0};
        EXPECT_EQ(::send(guest_.get(), &ack, sizeof ack, 0), 16);
      }
    });
    calendar_->run(now, free_until);
    guest.join();
  }
  void expect_failure(const char* what) {
    try {
      calendar_->serve();
      FAIL() << "accepted";
    } catch (const GuestFailure& failure) {
      EXPECT_NE(std::string(failure.what()).find(what), std::string::npos) << failure.what();
      EXPECT_NE(std::string(failure.what()).find("guest 7"), std::string::npos);
    }
  }

  sim::Descriptor guest_;
  std::unique_ptr<Calendar> calendar_;
  std::uint32_t sequence_ = 100;
};

// What the kernel's header says of the memory, by offset.
struct Shared {
  explicit Shared(int descriptor)
      : bytes(static_cast<char*>(
            ::mmap(nullptr, kSize, PROT_READ | PROT_WRITE, MAP_SHARED, descriptor, 0))) {}
  ~Shared() { ::munmap(bytes, kSize); }
  Shared(const Shared&) = delete;
  Shared& operator=(const Shared&) = delete;

  template <typename T>
  T get(std::size_t offset) const {
    T value;
    std::memcpy(&value, bytes + offset, sizeof value);
    return value;
  }
  template <typename T>
  void set(std::size_t offset, T value) {
    std::memcpy(bytes + offset, &value, sizeof value);
  }
  static constexpr std::size_t kSize = 4096 + 2 * 128;
  static constexpr std::size_t kFreeUntil = 8;
  static constexpr std::size_t kTime = 16;
  static constexpr std::size_t kRunning = 24;
  static constexpr std::size_t kMe = 4096 + 128;
  static constexpr std::size_t kFlags = kMe + 4;
  static constexpr std::size_t kRequest = kMe + 8;
  char* bytes;
};

TEST_F(CalendarTest, AGuestThatSharesMemoryNeedsFewMessages) {
  const auto [memory, log] = start_with_descriptors();
  Shared shared(memory.get());
  ASSERT_NE(shared.bytes, MAP_FAILED);
  EXPECT_EQ(shared.get<std::uint32_t>(0), 2U);             // version
  EXPECT_EQ(shared.get<std::uint32_t>(4), Shared::kSize);  // length
  EXPECT_EQ(shared.get<std::uint32_t>(4096), 1U);          // the calendar shares time, too
  EXPECT_EQ(shared.get<std::uint16_t>(Shared::kRunning), 0U);
  shared.set<std::uint32_t>(Shared::kMe, 1);  // and so does the guest from now on
  EXPECT_EQ(calendar_->request(), kIdle);

  shared.set<std::uint64_t>(Shared::kRequest, 5000);
  shared.set<std::uint32_t>(Shared::kFlags, 1);
  say(CalendarOp::wait, 0);
  calendar_->serve();
  EXPECT_TRUE(calendar_->waiting());
  EXPECT_EQ(calendar_->request(), 5000);

  calendar_->run(5000, 9000);
  const CalendarMessage message = hear();  // WAIT got no answer, and this gets none
  EXPECT_EQ(message.op, CalendarOp::run);
  EXPECT_EQ(message.time, 5000U);
  EXPECT_EQ(shared.get<std::uint64_t>(Shared::kFreeUntil), 9000U);
  EXPECT_EQ(shared.get<std::uint64_t>(Shared::kTime), 5000U);
  EXPECT_EQ(shared.get<std::uint16_t>(Shared::kRunning), 1U);
  EXPECT_EQ(calendar_->request(), kIdle);

  shared.set<std::uint64_t>(Shared::kTime, 6000);
  EXPECT_EQ(calendar_->now(), 6000);
  calendar_->limit(7000);
  EXPECT_EQ(shared.get<std::uint64_t>(Shared::kFreeUntil), 7000U);

  say(CalendarOp::wait, 0);
  calendar_->serve();
  EXPECT_EQ(shared.get<std::uint16_t>(Shared::kRunning), 0U);
  calendar_->set_now(6500);
  EXPECT_EQ(shared.get<std::uint64_t>(Shared::kTime), 6500U);
  EXPECT_THROW(calendar_->set_now(6499), GuestFailure);
}

TEST_F(CalendarTest, AGuestWaitsUntilItIsLetGoOn) {
  start_and_wait(5000);
  EXPECT_TRUE(calendar_->waiting());
  EXPECT_EQ(calendar_->request(), 5000);
  run(5000, 9000);
  EXPECT_FALSE(calendar_->waiting());
  EXPECT_EQ(calendar_->request(), kIdle);  // a RUN uses the request up
  EXPECT_EQ(calendar_->now(), 5000);
  EXPECT_EQ(calendar_->runs(), 1U);
}

TEST_F(CalendarTest, ALaterRequestTakesTheEarlierOnesPlace) {
  start_and_wait(5000);
  ask(CalendarOp::request, 3000);
  EXPECT_EQ(calendar_->request(), 3000);
}

TEST_F(CalendarTest, TimeIsWhatTheGuestSaysAndWhatItIsTold) {
  start_and_wait(10);
  run(10, 1000);
  ask(CalendarOp::update, 700);
  EXPECT_EQ(calendar_->now(), 700);
  ask(CalendarOp::get, 0, 700);
  ask(CalendarOp::get_tod, 0, kTimeOfDay);
  ask(CalendarOp::request, 800);
  ask(CalendarOp::wait, 0);
  calendar_->set_now(750);
  ask(CalendarOp::get, 0, 750);
}

// The guest is in the middle of a request to a device when the limit comes.
TEST_F(CalendarTest, TheLimitOfARunningGuestCanBeLowered) {
  start_and_wait(10);
  run(10, 1000);
  std::thread guest([this] {
    const CalendarMessage message = hear();
    EXPECT_EQ(message.op, CalendarOp::free_until);
    EXPECT_EQ(message.time, 600U);
    const CalendarMessage ack{CalendarOp::ack, message.seq, 0};
    EXPECT_EQ(::send(guest_.get(), &ack, sizeof ack, 0), 16);
  });
  calendar_->limit(600);
  guest.join();
  calendar_->limit(700);  // no higher: nothing is sent
  ask(CalendarOp::update, 600);
}

TEST_F(CalendarTest, AGuestThatRunsBeyondItsLimitIsRefused) {
  start_and_wait(10);
  run(10, 1000);
  say(CalendarOp::update, 1001);
  expect_failure("UPDATE to 1001");
}

TEST_F(CalendarTest, WhatAGuestNeverSaysIsRefused) {
  say(CalendarOp::request, 1);
  expect_failure("START");
  start_and_wait(10);
  say(CalendarOp::run, 1);
  expect_failure("message 6");
  say(CalendarOp{77}, 1);
  expect_failure("message 77");
  say(CalendarOp::wait, 0);
  expect_failure("WAIT while it waits");
}

TEST_F(CalendarTest, TimeDoesNotGoBack) {
  start_and_wait(10);
  run(10, 1000);
  say(CalendarOp::update, 9);
  expect_failure("UPDATE to 9");
  EXPECT_THROW(calendar_->set_now(9), GuestFailure);
}

TEST_F(CalendarTest, AGuestThatEndsIsNoticed) {
  guest_ = sim::Descriptor();
  expect_failure("has ended");
}

}  // namespace
}  // namespace nicroscope::uml
