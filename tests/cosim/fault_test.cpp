// SPDX-License-Identifier: Apache-2.0
// Drivers' mistakes, each on either queue, under traffic: the device stops and says why, the driver
// reports it, and after a reset everything works again. docs/faults.md is the table of this.
#include <gtest/gtest.h>

#include <fmt/format.h>

#include <string>
#include <vector>

#include "tests/cosim/machine_rig.h"

namespace nicroscope::test {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

// Where the offending address lies.
enum class Place { any, ring, event, outside };

struct Case {
  std::string kind;
  std::string queue;
  std::vector<unsigned> codes;  // of which the record has one
  Place place = Place::any;
  std::uint64_t after = 40;

  friend std::ostream& operator<<(std::ostream& out, const Case& c) {
    return out << c.kind << " on " << c.queue;
  }
};

std::vector<Case> all_cases() {
  using namespace regs;
  std::vector<Case> cases;
  for (const std::string queue : {"rx", "tx"}) {
    const unsigned buffer_error = queue == "rx" ? kErrorDmaWrite : kErrorDmaRead;
    const std::uint64_t full = queue == "rx" ? 0 : 40;  // a whole receive ring: at the start only
    cases.push_back({"zero_length", queue, {kErrorZeroLength}});
    if (queue == "tx") cases.push_back({"bad_length", queue, {kErrorBadLength}});
    cases.push_back({"wrong_direction", queue, {kErrorWrongDirection}});
    cases.push_back({"indirect", queue, {kErrorIndirect}});
    cases.push_back({"unmapped", queue, {buffer_error}, Place::outside});
    cases.push_back(
        {"loop", queue, {kErrorIncompleteChain, kErrorChainTooLong}, Place::ring, full});
    cases.push_back({"too_long", queue, {kErrorChainTooLong}, Place::ring, full});
    cases.push_back({"ring_unmapped", queue, {kErrorDmaRead}, Place::ring});
    cases.push_back({"ring_read_only", queue, {kErrorDmaWrite}, Place::ring});
    cases.push_back({"event_unmapped", queue, {kErrorDmaRead, kErrorDmaWrite}, Place::event});
  }
  return cases;
}

constexpr unsigned kRing = 64;

sim::Scenario scenario_of(const Case& c) {
  sim::Scenario scenario;
  scenario.host.rx_ring = kRing;
  scenario.host.tx_ring = kRing;
  scenario.fault.kind = c.kind;
  scenario.fault.queue = c.queue;
  scenario.fault.after = c.after;
  return scenario;
}

class Fault : public testing::TestWithParam<Case> {
 protected:
  void expect_record(MachineRig& rig) {
    const Case& c = GetParam();
    const auto& error = rig.machine().device_error();
    ASSERT_TRUE(error.has_value());
    EXPECT_EQ(error->kind, driver::DeviceError::Kind::needs_reset) << error->text;
    const driver::ErrorRecord& record = error->record;
    EXPECT_NE(std::find(c.codes.begin(), c.codes.end(), record.code), c.codes.end()) << error->text;
    EXPECT_EQ(record.queue, c.queue == "tx" ? 1 : 0);
    EXPECT_LT(record.index, kRing);
    EXPECT_GT(record.cycle, 0U);
    EXPECT_LE(record.cycle, rig.simulation().counters().cycles);
    sim::HostArena& memory = rig.simulation().memory();
    const BusAddress end = memory.base() + memory.bytes().size();
    if (c.place == Place::outside) {
      EXPECT_EQ(record.address, end);
    } else {
      EXPECT_GE(record.address, memory.base());
      EXPECT_LT(record.address, end);
    }
    // Rings begin at a page, and the event suppression structures are behind the slots.
    if (c.place == Place::ring) {
      EXPECT_EQ(record.address % 4096, 16U * record.index);
    }
    if (c.place == Place::event) {
      EXPECT_EQ(record.address % 4096 / 8, 16U * kRing / 8);
    }
    for (const std::string& part :
         {fmt::format("virtqueue {}", record.queue), fmt::format("slot {}", record.index),
          fmt::format("address {:#x}", record.address), fmt::format("cycle {}", record.cycle)}) {
      EXPECT_NE(error->text.find(part), std::string::npos) << error->text;
    }
    EXPECT_EQ(error->text.find('\n'), std::string::npos);
  }
};

TEST_P(Fault, IsReportedAndGoneAfterAReset) {
  const sim::Scenario scenario = scenario_of(GetParam());
  MachineRig rig(scenario);
  const std::string booted = rig.machine().boot();
  std::string problem = booted;
  if (problem.empty()) {
    rig.receive(400, microseconds{2});
    rig.send(400, microseconds{2});
    problem = rig.run_for(milliseconds{2});
  }
  ASSERT_NE(problem, "") << "nothing was noticed";
  ASSERT_TRUE(rig.machine().device_error()) << problem;
  EXPECT_EQ(problem, rig.machine().device_error()->text);
  expect_record(rig);

  // The device stands still, the wire does not.
  const std::uint64_t passed = rig.passed();
  EXPECT_EQ(rig.run_for(milliseconds{2}), rig.machine().device_error()->text);
  if (booted.empty()) {
    EXPECT_GT(rig.passed(), passed);
  }

  ASSERT_EQ(rig.machine().reset_device(), "");
  EXPECT_EQ(rig.run_for(milliseconds{1}), "");
  const std::uint64_t delivered = rig.delivered();
  const std::uint64_t on_wire = rig.on_wire();
  rig.receive(200, microseconds{4});
  rig.send(200, microseconds{4});
  EXPECT_EQ(rig.run_for(milliseconds{4}), "");
  EXPECT_EQ(rig.delivered(), delivered + 200);
  EXPECT_EQ(rig.on_wire(), on_wire + 200);
  // A used element that cannot be written is lost on a driver that sees nothing else of the frame.
  const bool lost = GetParam().kind == "ring_read_only" && GetParam().queue == "rx";
  rig.expect_conservation(lost ? 1 : 0);
  rig.expect_nothing_held(MachineRig::objects_when_down(scenario));
}

INSTANTIATE_TEST_SUITE_P(Each, Fault, testing::ValuesIn(all_cases()),
                         [](const auto& each) { return each.param.queue + "_" + each.param.kind; });

TEST(FaultOccasion, AnotherPlaceOfTheRunAndTheLargeRing) {
  for (const std::string queue : {"rx", "tx"}) {
    for (const std::uint64_t after : {0, 1, 333}) {
      SCOPED_TRACE(fmt::format("{} after {}", queue, after));
      sim::Scenario scenario;
      scenario.fault = {"unmapped", queue, after};
      MachineRig rig(scenario);
      std::string problem = rig.machine().boot();
      EXPECT_EQ(problem, "");
      rig.receive(900, microseconds{2});
      rig.send(900, microseconds{2});
      problem = rig.run_for(milliseconds{5});
      EXPECT_NE(problem, "");
      // The spoilt chain may stop the device before it has sent the frames in front of it.
      EXPECT_GE((queue == "rx" ? rig.delivered() : rig.on_wire()) + 8, after);
      ASSERT_EQ(rig.machine().reset_device(), "");
      EXPECT_EQ(rig.run_for(milliseconds{3}), "");
      rig.expect_conservation();
    }
  }
}

TEST(FaultOccasion, WithoutAFaultNothingIsPending) {
  MachineRig rig({});
  EXPECT_FALSE(rig.machine().fault_pending());
  sim::Scenario scenario;
  scenario.fault = {"zero_length", "tx", 5};
  MachineRig faulty(scenario);
  EXPECT_EQ(faulty.machine().boot(), "");
  EXPECT_TRUE(faulty.machine().fault_pending());
}

}  // namespace
}  // namespace nicroscope::test
