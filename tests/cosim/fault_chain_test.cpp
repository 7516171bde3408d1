// SPDX-License-Identifier: Apache-2.0
// Descriptors that no driver should make, on the control virtqueue and on the queues of a device
// with several pairs, under traffic: the device stops and says which one it was, and after a reset
// everything works. fault_test.cpp has receive and transmit, with the project's driver above.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <string>
#include <vector>

#include "tests/cosim/fault_host.h"

namespace nicroscope::test {
namespace {

enum class Kind { receive, transmit, control };

struct Row {
  const char* name;
  // Gives the queue a bad chain and says what the record has to be.
  ErrorRecord (*make)(FaultHost& host, unsigned virtqueue, Kind kind);
  std::vector<Kind> kinds = {Kind::receive, Kind::transmit, Kind::control};
};

struct Place {
  const char* profile;
  unsigned virtqueue;
  Kind kind;
};

struct Case {
  Place place;
  Row row;

  friend std::ostream& operator<<(std::ostream& out, const Case& c) {
    return out << c.row.name << " on virtqueue " << c.place.virtqueue << " of " << c.place.profile;
  }
};

constexpr std::array<std::uint8_t, 3> kPromisc{regs::kCtrlClassRx, regs::kCtrlRxPromisc, 1};

// A chain as it should be.
std::vector<Piece> good_chain(FaultHost& host, unsigned virtqueue, Kind kind) {
  if (kind == Kind::receive) return {host.buffer(virtqueue, FaultHost::kBufferBytes, true)};
  std::vector<Piece> chain{host.buffer(virtqueue, kind == Kind::control ? 3 : 80, false)};
  if (kind == Kind::control) {
    std::memcpy(host.memory().at(chain[0].address, 3).data(), kPromisc.data(), kPromisc.size());
    chain.push_back(host.buffer(virtqueue, 1, true));
  }
  return chain;
}

BusAddress slot_address(FaultHost& host, unsigned virtqueue, unsigned slot) {
  return host.ring(virtqueue).descriptors() + regs::kDescBytes * (slot % FaultHost::kRing);
}

BusAddress outside(FaultHost& host) { return host.memory().base() + host.memory().bytes().size(); }

ErrorRecord give(FaultHost& host, unsigned virtqueue, const std::vector<Piece>& chain,
                 std::size_t bad, unsigned code) {
  const unsigned head = host.give(virtqueue, chain);
  return {code, virtqueue, head + static_cast<unsigned>(bad), chain[bad].address};
}

ErrorRecord zero_length(FaultHost& host, unsigned virtqueue, Kind kind) {
  auto chain = good_chain(host, virtqueue, kind);
  chain.back().bytes = 0;
  return give(host, virtqueue, chain, chain.size() - 1, regs::kErrorZeroLength);
}

ErrorRecord bad_length(FaultHost& host, unsigned virtqueue, Kind kind) {
  auto chain = good_chain(host, virtqueue, kind);
  chain[0].bytes = 0x2'0000;
  return give(host, virtqueue, chain, 0, regs::kErrorBadLength);
}

ErrorRecord wrong_direction(FaultHost& host, unsigned virtqueue, Kind kind) {
  auto chain = good_chain(host, virtqueue, kind);
  chain[0].write = !chain[0].write;
  return give(host, virtqueue, chain, 0, regs::kErrorWrongDirection);
}

// The control queue takes both, but nothing to read behind what is to be written.
ErrorRecord answer_first(FaultHost& host, unsigned virtqueue, Kind kind) {
  auto chain = good_chain(host, virtqueue, kind);
  chain.push_back(host.buffer(virtqueue, 1, false));
  return give(host, virtqueue, chain, 2, regs::kErrorWrongDirection);
}

ErrorRecord indirect(FaultHost& host, unsigned virtqueue, Kind kind) {
  const auto chain = good_chain(host, virtqueue, kind);
  const unsigned head = host.give(virtqueue, chain, [&](unsigned slot) {
    host.slot(virtqueue, slot).flags |= regs::kDescFIndirect;
  });
  return {regs::kErrorIndirect, virtqueue, head, chain[0].address};
}

ErrorRecord unmapped(FaultHost& host, unsigned virtqueue, Kind kind) {
  auto chain = good_chain(host, virtqueue, kind);
  chain[0].address = outside(host);
  const bool write = kind == Kind::receive;
  const auto record =
      give(host, virtqueue, chain, 0, write ? regs::kErrorDmaWrite : regs::kErrorDmaRead);
  if (write) host.receive(1);
  return record;
}

ErrorRecord unmapped_answer(FaultHost& host, unsigned virtqueue, Kind kind) {
  auto chain = good_chain(host, virtqueue, kind);
  chain[1].address = outside(host);
  return give(host, virtqueue, chain, 1, regs::kErrorDmaWrite);
}

ErrorRecord incomplete(FaultHost& host, unsigned virtqueue, Kind kind) {
  const auto chain = good_chain(host, virtqueue, kind);
  const auto slots = static_cast<unsigned>(chain.size());
  const unsigned head = host.give(virtqueue, chain, [&](unsigned slot) {
    host.slot(virtqueue, slot + slots - 1).flags |= regs::kDescFNext;
  });
  return {regs::kErrorIncompleteChain, virtqueue, head + slots,
          slot_address(host, virtqueue, head + slots)};
}

ErrorRecord too_long(FaultHost& host, unsigned virtqueue, Kind kind) {
  const std::vector<Piece> chain(FaultHost::kRing, good_chain(host, virtqueue, kind)[0]);
  const unsigned head = host.give(virtqueue, chain, [&](unsigned slot) {
    host.slot(virtqueue, slot + FaultHost::kRing - 1).flags |= regs::kDescFNext;
  });
  if (kind == Kind::receive) host.receive(1);
  const unsigned last = (head + FaultHost::kRing - 1) % FaultHost::kRing;
  return {regs::kErrorChainTooLong, virtqueue, last, slot_address(host, virtqueue, last)};
}

const std::vector<Row>& all_rows() {
  static const std::vector<Row> rows = {
      {"zero_length", zero_length},
      {"bad_length", bad_length, {Kind::transmit, Kind::control}},
      {"wrong_direction", wrong_direction, {Kind::receive, Kind::transmit}},
      {"answer_first", answer_first, {Kind::control}},
      {"indirect", indirect},
      {"unmapped", unmapped},
      {"unmapped_answer", unmapped_answer, {Kind::control}},
      {"loop", incomplete},
      {"too_long", too_long},
  };
  return rows;
}

bool fits(const Row& row, Kind kind) {
  return std::ranges::find(row.kinds, kind) != row.kinds.end();
}

std::vector<Case> all_cases() {
  const Place places[] = {{"edge10", 2, Kind::control},
                          {"dc25", 2, Kind::receive},
                          {"dc25", 5, Kind::transmit},
                          {"dc25", 8, Kind::control}};
  std::vector<Case> cases;
  for (const Place& place : places) {
    for (const Row& row : all_rows()) {
      if (std::ranges::find(row.kinds, place.kind) != row.kinds.end())
        cases.push_back({place, row});
    }
  }
  return cases;
}

class FaultyChain : public testing::TestWithParam<Case> {};

TEST_P(FaultyChain, StopsTheDeviceAndAResetHelps) {
  const auto& [place, row] = GetParam();
  const auto& [profile, virtqueue, kind] = place;
  FaultHost host(profile);
  if (kind == Kind::receive) {
    host.start(host.offered(), virtqueue);
    host.steer(virtqueue / 2, virtqueue / 2);
  } else {
    host.start();
    host.receive(10);
  }
  host.send(10);
  const ErrorRecord expected = row.make(host, virtqueue, kind);
  EXPECT_EQ(host.needs_reset(), expected);

  // The device stands still, the wire does not; the record stays, whatever else goes wrong.
  const auto passed = host.passed();
  const auto disabled = host.counter(regs::kCounterRxDropDisabled);
  const auto received = host.received();
  host.receive(10);
  EXPECT_TRUE(host.run_until([&] { return host.passed() >= passed + 10; }));
  host.run_for(std::chrono::microseconds{30});
  EXPECT_GE(host.counter(regs::kCounterRxDropDisabled), disabled + 10);
  EXPECT_EQ(host.received(), received);
  EXPECT_EQ(host.record(), expected);

  host.reset();
  host.start();
  host.expect_service();
  host.expect_conservation();
}

INSTANTIATE_TEST_SUITE_P(Each, FaultyChain, testing::ValuesIn(all_cases()), [](const auto& each) {
  const Case& c = each.param;
  return std::string(c.place.profile) + "_vq" + std::to_string(c.place.virtqueue) + "_" +
         c.row.name;
});

Kind kind_of(FaultHost& host, unsigned virtqueue) {
  if (virtqueue == host.control()) return Kind::control;
  return virtqueue % 2 == 0 ? Kind::receive : Kind::transmit;
}

const Row& random_row(sim::Random& random, Kind kind) {
  for (;;) {
    const Row& row = all_rows()[random.below(all_rows().size())];
    if (fits(row, kind)) return row;
  }
}

// No mistake: the device writes as much as it needs (2.8.5 allows 32 bits).
TEST(FaultyChains, AReceiveBufferMayBeSaidToHaveAnyLength) {
  FaultHost host("edge10");
  host.start(host.offered(), 0);
  for (const std::uint32_t bytes : {0x1'0000U, 0x1'0001U, 0x2'0000U, 0x8000'0000U, ~0U}) {
    Piece piece = host.buffer(0, FaultHost::kBufferBytes, true);
    piece.bytes = bytes;
    host.give(0, {piece});
  }
  host.receive(5);
  EXPECT_TRUE(host.run_until([&] { return host.received() == 5; }));
  host.reset();
  host.start();
  host.expect_service();
  host.expect_conservation();
}

TEST(FaultyChains, AtTheSameTimeLeaveOneRecord) {
  sim::Random random(3);
  for (const char* profile : {"edge10", "dc25"}) {
    FaultHost host(profile);
    for (unsigned n = 0; n < 20; ++n) {
      host.start();
      host.receive(4);
      const unsigned control = host.control();
      const auto one = random_row(random, Kind::transmit).make(host, 1, Kind::transmit);
      const auto other = random_row(random, Kind::control).make(host, control, Kind::control);
      const ErrorRecord record = host.needs_reset();
      EXPECT_TRUE(record == one || record == other) << record;
      host.run_for(std::chrono::microseconds{30});
      EXPECT_EQ(host.record(), record);
      host.reset();
    }
    host.start();
    host.expect_service();
    host.expect_conservation();
  }
}

TEST(FaultyChains, DuringAResetEndWithIt) {
  sim::Random random(4);
  for (const char* profile : {"edge10", "dc25"}) {
    FaultHost host(profile);
    for (unsigned n = 0; n < 60; ++n) {
      host.start();
      host.receive(4);
      const Kind kind = n % 2 == 0 ? Kind::transmit : Kind::control;
      if (kind == Kind::control) host.send(4);
      (void)random_row(random, kind).make(host, n % 2 == 0 ? 1 : host.control(), kind);
      host.run_for(Duration{static_cast<std::int64_t>(random.below(3'000'000))});
      host.set_status(0);
      host.reset();
    }
    host.start();
    host.expect_service();
    host.expect_conservation();
  }
}

TEST(FaultyChains, OneAfterTheOtherAreForgotten) {
  sim::Random random(5);
  for (const char* profile : {"edge10", "dc25"}) {
    FaultHost host(profile);
    for (unsigned n = 0; n < 60; ++n) {
      const auto virtqueue = static_cast<unsigned>(random.below(host.control() + 1));
      const Kind kind = kind_of(host, virtqueue);
      const Row& row = random_row(random, kind);
      SCOPED_TRACE(std::string(profile) + ", virtqueue " + std::to_string(virtqueue) + ": " +
                   row.name);
      if (kind == Kind::receive) {
        host.start(host.offered(), virtqueue);
        host.steer(virtqueue / 2, virtqueue / 2);
      } else {
        host.start();
        host.receive(static_cast<unsigned>(random.below(8)));
      }
      if (virtqueue != 1) host.send(static_cast<unsigned>(random.below(8)));
      host.run_for(Duration{static_cast<std::int64_t>(random.below(20'000'000))});
      const ErrorRecord expected = row.make(host, virtqueue, kind);
      EXPECT_EQ(host.needs_reset(), expected);
      host.reset();
    }
    host.start();
    host.expect_service();
    host.expect_conservation();
  }
}

}  // namespace
}  // namespace nicroscope::test
