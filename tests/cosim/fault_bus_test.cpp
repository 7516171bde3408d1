// SPDX-License-Identifier: Apache-2.0
// Accesses of each of the device's DMA clients that the bus answers with SLVERR or DECERR (AMBA AXI
// A3.4.4): the device stops, says what it wanted, and after a reset everything works.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/cosim/fault_host.h"

namespace nicroscope::test {
namespace {

constexpr unsigned kCommand = 0x04;
constexpr unsigned kMemory = 0x2;
constexpr unsigned kMemoryAndBusMaster = 0x6;
constexpr unsigned kNoQueue = 0xffff;
// Descriptors that fill a read, whereupon the device says that it needs no more kicks.
constexpr unsigned kFullBatch = 128;
constexpr std::uint8_t kPromisc[] = {regs::kCtrlClassRx, regs::kCtrlRxPromisc, 1};

/// What the record has to be; the slot and the address where they are known before.
struct Expected {
  unsigned code;
  unsigned queue;
  BusAddress first;  ///< the address is in here
  BusAddress last;
  std::uint64_t unseen = 0;  ///< frames that were delivered in a used element that was refused
};

struct Row {
  const char* name;
  Expected (*make)(FaultHost& host);
  std::optional<unsigned> bare = {};  ///< a receive queue that starts without buffers

  friend std::ostream& operator<<(std::ostream& out, const Row& row) { return out << row.name; }
};

Expected all_of(unsigned code, unsigned queue, const Piece& piece, std::uint64_t unseen = 0) {
  return {code, queue, piece.address, piece.address + piece.bytes - 1, unseen};
}
Piece ring_of(FaultHost& host, unsigned virtqueue) {
  return {host.ring(virtqueue).descriptors(), FaultHost::kRing * regs::kDescBytes, false};
}
// A piece of memory that the device cannot reach any more.
Piece closed(FaultHost& host, const Piece& piece) {
  host.arena().unmap(piece.address);
  return piece;
}

Expected descriptors(FaultHost& host, unsigned virtqueue) {
  const Piece ring = closed(host, ring_of(host, virtqueue));
  host.ring_bell(virtqueue);
  return all_of(regs::kErrorDmaRead, virtqueue, ring);
}
// Everything of the ring can be read.
void no_used_elements(FaultHost& host, unsigned virtqueue) {
  const Piece ring = closed(host, ring_of(host, virtqueue));
  host.arena().map(virtqueue, ring.address, ring.bytes, DmaDirection::to_device);
}

Expected event_of(FaultHost& host, unsigned virtqueue) {
  return all_of(regs::kErrorDmaRead, virtqueue,
                closed(host, {host.ring(virtqueue).driver_area(), regs::kEventBytes, false}));
}
Expected device_event_of(FaultHost& host, unsigned virtqueue) {
  return all_of(regs::kErrorDmaWrite, virtqueue,
                closed(host, {host.ring(virtqueue).device_area(), regs::kEventBytes, true}));
}

void command(FaultHost& host, const Piece& request, const Piece& answer) {
  host.give(host.control(), {request, answer});
}
Piece request(FaultHost& host) {
  const Piece piece = host.buffer(host.control(), sizeof(kPromisc), false);
  std::ranges::copy(std::as_bytes(std::span(kPromisc)),
                    host.memory().at(piece.address, piece.bytes).begin());
  return piece;
}

const std::vector<Row>& rows() {
  static const std::vector<Row> all = {
      {"receive_descriptors", [](FaultHost& host) { return descriptors(host, 0); }, 0},
      {"transmit_descriptors",
       [](FaultHost& host) {
         const auto expected = descriptors(host, 1);
         host.send(1);
         return expected;
       }},
      {"control_descriptors",
       [](FaultHost& host) {
         const auto expected = descriptors(host, host.control());
         command(host, request(host), host.buffer(host.control(), 1, true));
         return expected;
       }},
      {"receive_event",
       [](FaultHost& host) {
         const auto expected = event_of(host, 0);
         host.receive(1);
         return expected;
       }},
      {"transmit_event",
       [](FaultHost& host) {
         const auto expected = event_of(host, 1);
         host.send(1);
         return expected;
       }},
      {"control_event",
       [](FaultHost& host) {
         const auto expected = event_of(host, host.control());
         command(host, request(host), host.buffer(host.control(), 1, true));
         return expected;
       }},
      {"receive_data",
       [](FaultHost& host) {
         const Piece piece = closed(host, host.buffer(0, FaultHost::kBufferBytes, true));
         host.give(0, {piece});
         host.receive(1);
         return all_of(regs::kErrorDmaWrite, 0, piece);
       },
       0},
      {"transmit_data",
       [](FaultHost& host) {
         const Piece piece = closed(host, host.buffer(1, 200, false));
         host.give(1, {piece});
         return all_of(regs::kErrorDmaRead, 1, piece);
       }},
      {"transmit_data_in_the_middle",
       [](FaultHost& host) {
         const Piece piece = closed(host, host.buffer(1, 9000, false));
         host.give(1, {host.buffer(1, 20, false), piece, host.buffer(1, 100, false)});
         return all_of(regs::kErrorDmaRead, 1, piece);
       }},
      {"control_data",
       [](FaultHost& host) {
         const Piece piece = closed(host, request(host));
         command(host, piece, host.buffer(host.control(), 1, true));
         return all_of(regs::kErrorDmaRead, host.control(), piece);
       }},
      {"control_answer",
       [](FaultHost& host) {
         const Piece piece = closed(host, host.buffer(host.control(), 1, true));
         command(host, request(host), piece);
         return all_of(regs::kErrorDmaWrite, host.control(), piece);
       }},
      {"receive_used",
       [](FaultHost& host) {
         no_used_elements(host, 0);
         host.receive(1);
         return all_of(regs::kErrorDmaWrite, 0, ring_of(host, 0), 1);
       }},
      {"transmit_used",
       [](FaultHost& host) {
         no_used_elements(host, 1);
         host.send(1);
         return all_of(regs::kErrorDmaWrite, 1, ring_of(host, 1));
       }},
      {"control_used",
       [](FaultHost& host) {
         no_used_elements(host, host.control());
         command(host, request(host), host.buffer(host.control(), 1, true));
         return all_of(regs::kErrorDmaWrite, host.control(), ring_of(host, host.control()));
       }},
      {"receive_device_event",
       [](FaultHost& host) {
         const auto expected = device_event_of(host, 0);
         for (unsigned n = 0; n < kFullBatch; ++n) {
           host.give(0, {host.buffer(0, FaultHost::kBufferBytes, true)});
         }
         return expected;
       },
       0},
      {"transmit_device_event",
       [](FaultHost& host) {
         const auto expected = device_event_of(host, 1);
         host.send(kFullBatch / 2);
         return expected;
       }},
      {"control_device_event",
       [](FaultHost& host) {
         const auto expected = device_event_of(host, host.control());
         for (unsigned n = 0; n < kFullBatch / 2; ++n) {
           command(host, request(host), host.buffer(host.control(), 1, true));
         }
         return expected;
       }},
      {"interrupt_message",
       [](FaultHost& host) {
         const BusAddress nowhere = host.memory().base() + host.memory().bytes().size();
         const std::uint32_t entry = regs::kBarMsixTable + 1 * regs::kMsixEntryBytes;
         host.write(entry + regs::kMsixEntryAddrLo, 4, static_cast<std::uint32_t>(nowhere));
         host.write(entry + regs::kMsixEntryAddrHi, 4, static_cast<std::uint32_t>(nowhere >> 32));
         host.send(1);
         return Expected{regs::kErrorDmaWrite, kNoQueue, nowhere, nowhere};
       }},
  };
  return all;
}

/// How the bus refuses.
struct Answer {
  const char* name;
  std::uint8_t response;
  bool last = false;  ///< in the last beat of a read only

  friend std::ostream& operator<<(std::ostream& out, const Answer& answer) {
    return out << answer.name;
  }
};
const Answer kAnswers[] = {
    {"slverr", sim::kRespSlverr}, {"decerr", sim::kRespDecerr}, {"late", sim::kRespSlverr, true}};

using Case = std::tuple<std::string, Answer, Row>;

std::string name_of(const Case& c) {
  const auto& [profile, answer, row] = c;
  return profile + "_" + answer.name + "_" + row.name;
}

class RefusedAccess : public testing::TestWithParam<Case> {};

TEST_P(RefusedAccess, StopsTheDeviceAndAResetHelps) {
  const auto& [profile, answer, row] = GetParam();
  FaultHost host(profile);
  host.simulation().bus().refuse_with(answer.response, answer.last);
  host.start(host.offered(), row.bare);
  if (!row.bare) host.receive(3);
  host.run_for(std::chrono::microseconds{20});
  const Expected expected = row.make(host);
  const ErrorRecord record = host.needs_reset();
  EXPECT_EQ(record.code, expected.code) << record;
  EXPECT_EQ(record.queue, expected.queue) << record;
  EXPECT_GE(record.address, expected.first) << record;
  EXPECT_LE(record.address, expected.last) << record;
  if (expected.queue == kNoQueue) {
    EXPECT_EQ(record.slot, 1U) << "the vector";
  } else {
    EXPECT_LT(record.slot, FaultHost::kRing);
  }
  host.reset();
  host.start();
  host.expect_service();
  host.expect_conservation(expected.unseen);
}

INSTANTIATE_TEST_SUITE_P(Each, RefusedAccess,
                         testing::Combine(testing::ValuesIn(kFaultProfiles),
                                          testing::ValuesIn(kAnswers), testing::ValuesIn(rows())),
                         [](const auto& each) { return name_of(each.param); });

// PCI command register: without bus mastering no access of the device is answered well.
TEST(BusMastering, TakenAwayStopsTheDevice) {
  FaultHost host("edge10");
  host.start();
  host.receive(20);
  host.send(20);
  host.simulation().port().config_write(kCommand, 2, kMemory);
  const ErrorRecord record = host.needs_reset();
  EXPECT_TRUE(record.code == regs::kErrorDmaRead || record.code == regs::kErrorDmaWrite) << record;
  host.simulation().port().config_write(kCommand, 2, kMemoryAndBusMaster);
  const auto unseen = host.counter(regs::kCounterRxDelivered) - host.received();
  EXPECT_LE(unseen, 20U);
  host.reset();
  host.start();
  host.expect_service();
  host.expect_conservation(unseen);
}

}  // namespace
}  // namespace nicroscope::test
