// SPDX-License-Identifier: Apache-2.0
// What a wire can do to frames (IEEE 802.3 clause 4, 46 and annex 31B): each is counted as RFC 2819
// would, none of it reaches the driver, and the good frames around it do. No reset is needed.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/cosim/fault_host.h"

namespace nicroscope::test {
namespace {

using sim::WireFault;
using std::chrono::microseconds;

constexpr std::size_t kLargest = 9022;  // without FCS
constexpr unsigned kNone = ~0U;

struct Row {
  const char* name;
  std::size_t bytes;  ///< without FCS
  WireFault fault;
  unsigned counter;  ///< that moves; kNone: the frame is a good one
  std::vector<const char*> profiles = {"edge10", "dc25"};

  friend std::ostream& operator<<(std::ostream& out, const Row& row) { return out << row.name; }
};

const std::vector<const char*> kMac = {"edge10"};
const std::vector<const char*> kNoMac = {"dc25"};

const std::vector<Row> kRows = {
    {"bad_fcs", 300, WireFault::bad_fcs, regs::kCounterRxFcsErrors},
    {"bad_fcs_of_the_shortest", 60, WireFault::bad_fcs, regs::kCounterRxFcsErrors},
    {"bad_fcs_of_the_longest", kLargest, WireFault::bad_fcs, regs::kCounterRxFcsErrors},
    {"cut", 300, WireFault::cut, regs::kCounterRxFcsErrors},
    {"cut_to_a_runt", 100, WireFault::cut, regs::kCounterRxUndersize, kMac},
    {"code_error", 300, WireFault::code_error, regs::kCounterRxCodeErrors},
    {"code_error_in_a_runt", 20, WireFault::code_error, regs::kCounterRxCodeErrors},
    {"idle_inside", 300, WireFault::idle_inside, regs::kCounterRxCodeErrors},
    {"bad_preamble", 300, WireFault::bad_preamble, regs::kCounterRxCodeErrors},
    {"bad_delimiter", 300, WireFault::bad_delimiter, regs::kCounterRxCodeErrors},
    {"runt_of_59", 59, WireFault::none, regs::kCounterRxUndersize, kMac},
    {"runt_of_14", 14, WireFault::none, regs::kCounterRxUndersize, kMac},
    {"runt_of_1", 1, WireFault::none, regs::kCounterRxUndersize, kMac},
    {"runt_with_bad_fcs", 40, WireFault::bad_fcs, regs::kCounterRxUndersize, kMac},
    {"the_shortest", 60, WireFault::none, kNone},
    {"the_longest", kLargest, WireFault::none, kNone},
    {"giant_by_a_byte", kLargest + 1, WireFault::none, regs::kCounterRxOversize, kMac},
    {"giant_of_16000", 16'000, WireFault::none, regs::kCounterRxOversize, kMac},
    {"giant_with_bad_fcs", 10'000, WireFault::bad_fcs, regs::kCounterRxOversize, kMac},
    {"giant_with_code_error", 20'000, WireFault::code_error, regs::kCounterRxOversize, kMac},
    // Without a MAC the core takes what it is not told to throw away.
    {"runt_that_passes_for_good", 20, WireFault::none, kNone, kNoMac},
    {"giant_that_passes_for_good", 12'000, WireFault::none, kNone, kNoMac},
    {"giant_marked_bad", 12'000, WireFault::bad_fcs, regs::kCounterRxFcsErrors, kNoMac},
};

using Case = std::pair<std::string, Row>;

std::vector<Case> all_cases() {
  std::vector<Case> cases;
  for (const Row& row : kRows) {
    for (const char* profile : row.profiles) cases.emplace_back(profile, row);
  }
  return cases;
}

class BadFrame : public testing::TestWithParam<Case> {};

TEST_P(BadFrame, IsCountedAndNothingElseIsLost) {
  const auto& [profile, row] = GetParam();
  FaultHost host(profile);
  host.start();
  host.send(5);
  host.receive(3);
  constexpr unsigned kTimes = 5;  // from both start lanes, back to back
  for (unsigned n = 0; n < kTimes; ++n) {
    const auto frame = host.plain_frame(row.bytes);
    if (row.counter == kNone) {
      host.receive_frame(frame);
    } else {
      host.to_nic(frame, row.fault);
    }
    host.receive(1);
  }
  EXPECT_TRUE(host.run_until([&] { return host.passed() == 3 + 2 * kTimes; }));
  host.run_for(microseconds{100});
  const unsigned bad = row.counter == kNone ? 0 : kTimes;
  EXPECT_EQ(host.received(), 3 + 2 * kTimes - bad);
  EXPECT_EQ(host.counter(regs::kCounterRxFrames), 3 + 2 * kTimes - bad);
  EXPECT_EQ(bad == 0 ? 0 : host.counter(row.counter), bad);
  EXPECT_EQ(host.receive_drops(), bad) << "the other counters";
  host.expect_service();
  host.expect_conservation();
}

INSTANTIATE_TEST_SUITE_P(Each, BadFrame, testing::ValuesIn(all_cases()), [](const auto& each) {
  return each.param.first + "_" + each.param.second.name;
});

// All of them, at line rate, among good frames and frames that are sent.
TEST(BadFrames, OfAllKindsAtLineRateAreCountedOneByOne) {
  for (const char* profile : {"edge10", "dc25"}) {
    SCOPED_TRACE(profile);
    FaultHost host(profile);
    host.start();
    std::vector<std::uint64_t> expected(regs::kCounters.size());
    sim::Random random(7);
    const auto cases = all_cases();
    unsigned good = 0;
    for (unsigned n = 0; n < 400; ++n) {
      const auto& [where, row] = cases[random.below(cases.size())];
      if (where != profile || row.bytes > kLargest) continue;
      const auto frame = host.plain_frame(row.bytes);
      if (row.counter == kNone) {
        host.receive_frame(frame);
        ++good;
      } else {
        host.to_nic(frame, row.fault);
        ++expected[row.counter];
      }
      if (n % 20 == 0) {
        host.send(4);
        host.run_for(microseconds{40});
      }
    }
    host.run_for(microseconds{300});
    EXPECT_EQ(host.received(), good);
    for (unsigned number = regs::kCounterRxFcsErrors; number <= regs::kCounterRxDropNoBuffer;
         ++number) {
      EXPECT_EQ(host.counter(number), expected[number]) << regs::kCounters[number].name;
    }
    host.expect_service();
    host.expect_conservation();
  }
}

// ---- pause frames

std::vector<std::byte> pause_frame(unsigned quanta, std::size_t bytes = 60) {
  std::vector<std::byte> frame(bytes);
  const unsigned header[] = {0x01, 0x80, 0xc2, 0,    0,    1,    2, 0,           0,
                             0,    0,    9,    0x88, 0x08, 0x00, 1, quanta >> 8, quanta & 0xff};
  for (std::size_t n = 0; n < std::min(std::size(header), bytes); ++n) {
    frame[n] = static_cast<std::byte>(header[n]);
  }
  return frame;
}

constexpr unsigned kQuanta = 1000;              // of 8 cycles of 6.4 ns
constexpr Duration kPaused = microseconds{51};  // as long as that

struct Pause {
  const char* name;
  std::vector<std::byte> frame;
  WireFault fault;
  bool obeyed;
  unsigned counter;  ///< that moves; kCounterRxFrames: it is one like any other
};

std::vector<Pause> pauses() {
  std::vector<Pause> rows;
  for (const std::size_t bytes : {60, 61, 63, 64, 100, 1000}) {
    rows.push_back({"of any length", pause_frame(kQuanta, bytes), WireFault::none, true,
                    regs::kCounterRxPause});
  }
  for (const std::size_t bytes : {18, 59}) {
    rows.push_back(
        {"a runt", pause_frame(kQuanta, bytes), WireFault::none, false, regs::kCounterRxUndersize});
  }
  rows.push_back({"with a bad FCS", pause_frame(kQuanta), WireFault::bad_fcs, false,
                  regs::kCounterRxFcsErrors});
  rows.push_back(
      {"broken", pause_frame(kQuanta), WireFault::code_error, false, regs::kCounterRxCodeErrors});
  rows.push_back(
      {"too long", pause_frame(kQuanta, 10'000), WireFault::none, false, regs::kCounterRxOversize});
  const auto changed = [&](const char* name, std::size_t at, unsigned value) {
    auto frame = pause_frame(kQuanta);
    frame[at] = static_cast<std::byte>(value);
    rows.push_back({name, frame, WireFault::none, false, regs::kCounterRxFrames});
  };
  changed("of another opcode", 15, 2);
  changed("of another type", 13, 0x09);
  changed("for another address", 5, 2);
  return rows;
}

TEST(PauseFrame, IsObeyedWhenItIsGoodAndOfAnyLength) {
  for (const Pause& row : pauses()) {
    SCOPED_TRACE(std::string(row.name) + ", bytes: " + std::to_string(row.frame.size()));
    FaultHost host("edge10");
    host.start();
    host.write(regs::kBarVendor + regs::kVendorControl, 4, 1U << regs::kControlBitPauseRx);
    host.run_for(microseconds{5});
    if (row.counter == regs::kCounterRxFrames) {
      host.receive_frame(row.frame);
    } else {
      host.to_nic(row.frame, row.fault);
    }
    EXPECT_TRUE(host.run_until([&] { return host.passed() == 1; }));
    const Time heard = host.simulation().timeline().now();
    host.run_for(microseconds{2});
    EXPECT_EQ(host.counter(row.counter), 1U);
    host.send(3);
    EXPECT_TRUE(host.run_until([&] { return host.on_wire() == 3; }));
    const Duration took = host.simulation().timeline().now() - heard;
    EXPECT_EQ(took > kPaused - microseconds{2}, row.obeyed) << took.count();
    host.expect_service(20);
    host.expect_conservation();
  }
}

TEST(PauseFrame, WithoutTheControlBitIsOneLikeAnyOther) {
  FaultHost host("edge10");
  host.start();
  host.receive_frame(pause_frame(0xffff));
  host.expect_service(20);
  EXPECT_EQ(host.counter(regs::kCounterRxPause), 0U);
  host.expect_conservation();
}

// ---- the link

void expect_link(FaultHost& host, bool up) {
  const auto interrupts = host.interrupts();
  const auto generation = host.common(regs::kCommonConfigGeneration, 1);
  host.simulation().nic().set_link(up);
  host.run_for(microseconds{5});
  EXPECT_EQ(host.read(regs::kBarDeviceConfig + regs::kDeviceConfigStatus, 2) & regs::kLinkStatusUp,
            up ? regs::kLinkStatusUp : 0U);
  EXPECT_EQ(host.common(regs::kCommonConfigGeneration, 1), (generation + 1) & 0xffU);
  EXPECT_EQ(host.interrupts(), interrupts + 1) << "the configuration's";
}

TEST(Link, DownAndUpIsToldAndHarmsNothing) {
  for (const char* profile : {"edge10", "dc25"}) {
    SCOPED_TRACE(profile);
    FaultHost host(profile);
    host.start();
    host.expect_service(20);
    expect_link(host, false);
    host.send(5);  // frames of the driver do not wait for the link
    EXPECT_TRUE(host.run_until([&] { return host.on_wire() == 25; }));
    host.run_for(microseconds{30});
    expect_link(host, true);
    host.expect_service(20);
    host.expect_conservation();
  }
}

TEST(Link, ThatFallsEndsAPauseAndIsNotListenedTo) {
  FaultHost host("edge10");
  host.start();
  host.write(regs::kBarVendor + regs::kVendorControl, 4, 1U << regs::kControlBitPauseRx);
  host.run_for(microseconds{2});
  host.to_nic(pause_frame(0xffff));
  host.run_for(microseconds{5});
  host.send(3);
  host.run_for(microseconds{50});
  EXPECT_EQ(host.on_wire(), 0U);
  expect_link(host, false);
  EXPECT_TRUE(host.run_until([&] { return host.on_wire() == 3; }));
  const auto frames = host.counter(regs::kCounterRxFrames);
  for (unsigned n = 0; n < 10; ++n) host.to_nic(host.plain_frame(100));
  host.run_for(microseconds{20});
  EXPECT_EQ(host.counter(regs::kCounterRxFrames), frames) << "no frame starts without a link";
  expect_link(host, true);
  host.expect_service(20);
  host.expect_conservation(0, 10);
}

// Flapping in the middle of frames: what is half in ends, whole or bad.
TEST(Link, ThatFlapsUnderTrafficTearsNoFrame) {
  FaultHost host("edge10");
  host.start();
  sim::Random random(5);
  for (unsigned n = 0; n < 60; ++n) {
    host.receive(4);
    host.send(2);
    host.simulation().nic().set_link(n % 2 != 0);
    host.run_for(Duration{static_cast<std::int64_t>(random.below(12'000'000))});
  }
  host.simulation().nic().set_link(true);
  host.run_for(microseconds{900});
  EXPECT_EQ(host.status() & regs::kStatusNeedsReset, 0U);
  const auto heard =
      host.counter(regs::kCounterRxFrames) + host.counter(regs::kCounterRxCodeErrors);
  EXPECT_EQ(host.received(), host.counter(regs::kCounterRxDelivered));
  EXPECT_EQ(host.counter(regs::kCounterRxDelivered) + host.receive_drops(), heard);
  const auto unheard = host.passed() - heard;
  host.expect_service(20);
  host.expect_conservation(0, unheard);
}

}  // namespace
}  // namespace nicroscope::test
