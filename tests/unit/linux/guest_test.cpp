// SPDX-License-Identifier: Apache-2.0
// A guest without a network card, whose only company is its calendar. Needs `make linux`.
#include "sim/linux/guest.h"

#include <gtest/gtest.h>

#include <string>

#include "sim/linux/calendar.h"
#include "sim/linux/guest_failure.h"
#include "sim/scenario/scenario.h"

namespace nicroscope::uml {
namespace {

constexpr GuestTime kMillisecond = 1'000'000;

class GuestTest : public ::testing::Test {
 protected:
  void SetUp() override {
    try {
      options_.image = GuestImage::find("", "");
    } catch (const sim::BadInput& missing) {
      GTEST_SKIP() << missing.what();
    }
    options_.device = false;
    options_.memory_mib = 64;
  }

  struct Run {
    std::string console;
    std::string exit_line;
    GuestTime ended = 0;
    std::uint64_t messages = 0;
  };

  /// Lets the guest run, `step` ahead each time, until it says how its script ended.
  Run run(const std::string& script, GuestTime step = 10 * kMillisecond) {
    options_.script = script;
    Guest guest(options_);
    Calendar calendar(guest.accept(guest.calendar_listener()), 1'000'000'000, guest.name());
    Run result;
    while (result.exit_line.empty()) {
      while (!calendar.waiting()) calendar.serve();
      for (const std::string& line : guest.new_lines()) {
        if (line.starts_with("@@ exit")) result.exit_line = line;
      }
      if (calendar.request() == kIdle) break;
      result.ended = calendar.request();
      calendar.run(calendar.request(), calendar.request() + step);
    }
    result.console = guest.console();
    result.messages = calendar.messages();
    return result;
  }

  GuestOptions options_;
};

TEST_F(GuestTest, BootsAndRunsItsScript) {
  const Run done = run("echo I am guest $GUEST of $GUESTS; exit 3");
  EXPECT_NE(done.console.find("I am guest 0 of 1\r\n"), std::string::npos) << done.console;
  EXPECT_EQ(done.exit_line, "@@ exit 3");
}

// A day is over in a moment, and takes a day of the guest's time.
TEST_F(GuestTest, SleepsInVirtualTime) {
  const Run done = run("sleep 86400; cut -d . -f 1 /proc/uptime");
  EXPECT_GT(done.ended, 86'400'000 * kMillisecond);
  EXPECT_LT(done.ended, 86'402'000 * kMillisecond);
  EXPECT_EQ(done.console.substr(0, 7), "86401\r\n");
}

// Random numbers, process numbers, times: all that a guest could get from its machine by chance.
TEST_F(GuestTest, DoesTheSameInEveryRun) {
  const std::string script =
      "head -c 16 /dev/urandom | xxd -p; cat /proc/sys/kernel/random/uuid; cat /proc/uptime\n"
      "cat /proc/self/maps; date +%s.%N; ls -la /proc/self/; echo $$; dmesg | tail -n 5\n";
  const Run first = run(script);
  const Run second = run(script);
  EXPECT_EQ(first.console, second.console);
  EXPECT_EQ(first.ended, second.ended);
  EXPECT_EQ(first.messages, second.messages);
  options_.seed = 2;
  EXPECT_NE(run(script).console, first.console);
}

TEST_F(GuestTest, AKernelThatIsNoneIsSaid) {
  options_.image.kernel = "/bin/true";
  EXPECT_THROW(run("true"), GuestFailure);
  EXPECT_THROW((void)GuestImage::find("/nowhere/linux", ""), sim::BadInput);
  EXPECT_THROW((void)GuestImage::find("", "/nowhere/initrd"), sim::BadInput);
}

}  // namespace
}  // namespace nicroscope::uml
