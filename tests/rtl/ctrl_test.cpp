// SPDX-License-Identifier: Apache-2.0
// Commands of the control virtqueue one by one, and what may go wrong with a chain.
#include <gtest/gtest.h>

#include "nicroscope/registers.h"
#include "tests/rtl/ctrl_bench.h"

namespace nicroscope::test {
namespace {

using Bytes = std::vector<uint8_t>;

constexpr uint64_t kAll = ~0ULL;
constexpr Bytes::value_type kOk = regs::kCtrlAckOk;
constexpr Bytes::value_type kErr = regs::kCtrlAckErr;

class CtrlTest : public testing::Test {
 protected:
  CtrlTest() {
    bench_.features(kAll);
    bench_.until_ready();
    for (unsigned q = 0; q < 2 * CtrlBench::kPairs; ++q) bench_.enable(q);
  }

  Bytes command(const Bytes& bytes) { return bench_.run({.bytes = bytes}); }

  CtrlBench bench_;
};

// The defaults hold after reset, tables included.
TEST_F(CtrlTest, Defaults) { expect_state(bench_, ControlModel(CtrlBench::kPairs)); }

TEST_F(CtrlTest, ReceiveModes) {
  for (uint8_t mode = 0; mode < 6; ++mode) {
    for (const uint8_t on : Bytes{1, 0, 1}) {
      EXPECT_EQ(command({0, mode, on}), Bytes{kOk});
      EXPECT_EQ(bench_.dut().mode_o >> mode & 1, on);
    }
  }
  EXPECT_EQ(bench_.dut().mode_o, 63);
  EXPECT_EQ(command({0, 6, 1}), Bytes{kErr});     // unknown
  EXPECT_EQ(command({0, 0, 2}), Bytes{kErr});     // neither on nor off
  EXPECT_EQ(command({0, 0}), Bytes{kErr});        // too short
  EXPECT_EQ(command({0, 0, 0, 0}), Bytes{kErr});  // too long
  EXPECT_EQ(bench_.dut().mode_o, 63);
  EXPECT_EQ(bench_.ok(), 18U);
  EXPECT_EQ(bench_.bad(), 4U);
}

TEST_F(CtrlTest, StationAddress) {
  EXPECT_EQ(command({1, 1, 0x02, 0x11, 0x22, 0x33, 0x44, 0x55}), Bytes{kOk});
  EXPECT_EQ(bench_.dut().mac_o, 0x021122334455U);
  EXPECT_EQ(command({1, 1, 0x01, 0x11, 0x22, 0x33, 0x44, 0x55}), Bytes{kErr});  // a group
  EXPECT_EQ(bench_.dut().mac_o, 0x021122334455U);
}

TEST_F(CtrlTest, AddressTable) {
  const Bytes table = {1, 0, 2, 0, 0,    0,    2, 0, 0, 0,
                       0, 1, 2, 0, 0,    0,    0, 2,  // two of unicast
                       1, 0, 0, 0, 0x33, 0x33, 0, 0, 0, 1};
  EXPECT_EQ(command(table), Bytes{kOk});
  EXPECT_EQ(bench_.addresses(),
            (std::set<uint64_t>{0x020000000001, 0x020000000002, 0x333300000001}));
  EXPECT_EQ(bench_.dut().overflow_o, 0);
  // One byte less, one more, a count that is not met: nothing changes.
  Bytes wrong = table;
  wrong.pop_back();
  EXPECT_EQ(command(wrong), Bytes{kErr});
  wrong = table;
  wrong.push_back(0);
  EXPECT_EQ(command(wrong), Bytes{kErr});
  wrong = table;
  wrong[5] = 1;
  EXPECT_EQ(command(wrong), Bytes{kErr});
  EXPECT_EQ(bench_.addresses().size(), 3U);
  EXPECT_EQ(command({1, 0, 0, 0, 0, 0, 0, 0, 0, 0}), Bytes{kOk});
  EXPECT_TRUE(bench_.addresses().empty());
}

// A third address of a bucket has no place: its kind is let in whole, until the next table.
TEST_F(CtrlTest, AddressTableOverflows) {
  Bytes table = {1, 0, 0, 0, 0, 0, 3, 0, 0, 0};
  for (const uint64_t mac : {0x010000000001, 0x010000000040, 0x010000001000}) {
    append_address(table, mac);
  }
  EXPECT_EQ(command(table), Bytes{kOk});
  EXPECT_EQ(bench_.dut().overflow_o, 2);
  EXPECT_EQ(bench_.addresses().size(), 2U);
  EXPECT_EQ(command({1, 0, 0, 0, 0, 0, 0, 0, 0, 0}), Bytes{kOk});
  EXPECT_EQ(bench_.dut().overflow_o, 0);
}

// While a table is rewritten, both kinds are let in: no frame of an address that stays is lost.
TEST_F(CtrlTest, AddressTableIsOpenWhileItChanges) {
  Bytes table = {1, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 1, 0, 0, 0, 0};
  EXPECT_EQ(command(table), Bytes{kOk});
  bench_.post({.bytes = table});
  for (unsigned i = 0; i < 1000 && !bench_.used(); ++i) {
    bench_.step();
    EXPECT_TRUE(bench_.dut().overflow_o == 3 || !bench_.addresses().empty());
  }
  bench_.finish();
  EXPECT_EQ(bench_.dut().overflow_o, 0);
}

TEST_F(CtrlTest, Vlans) {
  EXPECT_EQ(command({2, 0, 0x34, 0x02}), Bytes{kOk});
  EXPECT_EQ(command({2, 0, 0xff, 0x0f}), Bytes{kOk});
  EXPECT_EQ(bench_.vlans().count(), 2U);
  EXPECT_TRUE(bench_.vlans().test(0x234) && bench_.vlans().test(0xfff));
  EXPECT_EQ(command({2, 1, 0x34, 0x02}), Bytes{kOk});
  EXPECT_EQ(bench_.vlans().count(), 1U);
  EXPECT_EQ(command({2, 0, 0x00, 0x10}), Bytes{kErr});  // 4096
  EXPECT_EQ(bench_.vlans().count(), 1U);
}

TEST_F(CtrlTest, Announce) {
  EXPECT_EQ(command({3, 0}), Bytes{kOk});
  EXPECT_EQ(bench_.announcements(), 1U);
  EXPECT_EQ(command({3, 0, 0}), Bytes{kErr});
  EXPECT_EQ(command({3, 1}), Bytes{kErr});
  EXPECT_EQ(bench_.announcements(), 1U);
}

TEST_F(CtrlTest, QueuePairs) {
  constexpr unsigned pairs = CtrlBench::kPairs;
  Bytes most = {4, 0};
  append_little(most, pairs, 2);
  EXPECT_EQ(command(most), Bytes{kOk});
  EXPECT_EQ(bench_.dut().pairs_o, pairs);
  Bytes over = {4, 0};
  append_little(over, pairs + 1, 2);
  EXPECT_EQ(command(over), Bytes{kErr});
  EXPECT_EQ(command({4, 0, 0, 0}), Bytes{kErr});
  EXPECT_EQ(bench_.dut().pairs_o, pairs);
  EXPECT_EQ(command({4, 0, 1, 0}), Bytes{kOk});
  EXPECT_EQ(bench_.dut().pairs_o, 1);
}

// The command is not returned before frames have stopped to go to each pair that is out of use.
TEST_F(CtrlTest, QueuePairsSettle) {
  constexpr unsigned pairs = CtrlBench::kPairs;
  for (const unsigned kept : {1U, (pairs + 1) / 2, pairs}) {
    Bytes bytes = {4, 0};
    append_little(bytes, kept, 2);
    bench_.dut().settled_i = 0;
    bench_.post({.bytes = bytes});
    for (unsigned pair = kept; pair < pairs; ++pair) {
      for (unsigned i = 0; i < 1000; ++i) bench_.step();
      EXPECT_TRUE(bench_.dut().settle_o);
      EXPECT_EQ(bench_.dut().settle_queue_o, pair);
      EXPECT_FALSE(bench_.used());
      bench_.dut().settled_i = 1;
      bench_.step();
      bench_.dut().settled_i = 0;
    }
    bench_.finish();
    EXPECT_EQ(bench_.answer(), Bytes{kOk});
    EXPECT_FALSE(bench_.dut().settle_o);
  }
}

Bytes rss_command(uint32_t types, unsigned entries, unsigned last, unsigned max_tx,
                  const Bytes& key) {
  Bytes bytes = {4, 1};
  append_little(bytes, types, 4);
  append_little(bytes, entries - 1, 2);
  append_little(bytes, 0, 2);
  for (unsigned i = 0; i < entries; ++i) append_little(bytes, i % (last + 1), 2);
  append_little(bytes, max_tx, 2);
  bytes.push_back(static_cast<uint8_t>(key.size()));
  bytes.insert(bytes.end(), key.begin(), key.end());
  return bytes;
}

TEST_F(CtrlTest, Rss) {
  constexpr unsigned pairs = CtrlBench::kPairs;
  Bytes key(40);
  for (unsigned i = 0; i < 40; ++i) key[i] = static_cast<uint8_t>(3 * i + 1);
  for (const unsigned entries : {1U, 2U, 64U, 128U}) {
    ControlModel model(pairs);
    for (unsigned q = 0; q < 2 * pairs; ++q) model.enable(q);
    const Bytes bytes = rss_command(0x3f, entries, pairs - 1, pairs, key);
    EXPECT_TRUE(model.execute(kAll, bytes, 1).ok);
    EXPECT_EQ(command(bytes), Bytes{kOk});
    expect_state(bench_, model);
  }
  ControlModel model(pairs);
  for (unsigned q = 0; q < 2 * pairs; ++q) model.enable(q);
  const Bytes kept = rss_command(0x3f, 4, 0, 1, key);
  EXPECT_TRUE(model.execute(kAll, kept, 1).ok);
  EXPECT_EQ(command(kept), Bytes{kOk});
  // What is wrong changes nothing: a mask that is none, too many entries, a pair that is not there,
  // no transmit queue, hash types that are not there, a key too long, types without a key.
  const Bytes other(40, 0x55);
  EXPECT_EQ(command(rss_command(1, 3, 0, 1, other)), Bytes{kErr});
  EXPECT_EQ(command(rss_command(1, 256, 0, 1, other)), Bytes{kErr});
  EXPECT_EQ(command(rss_command(1, 256 * 256, 0, 1, other)), Bytes{kErr});
  EXPECT_EQ(command(rss_command(1, 128, pairs < 128 ? pairs : 0, pairs < 128 ? 1 : 0, other)),
            Bytes{kErr});
  EXPECT_EQ(command(rss_command(1, 4, 0, 0, other)), Bytes{kErr});
  EXPECT_EQ(command(rss_command(1, 4, 0, pairs + 1, other)), Bytes{kErr});
  EXPECT_EQ(command(rss_command(0x40, 4, 0, 1, other)), Bytes{kErr});
  EXPECT_EQ(command(rss_command(1, 4, 0, 1, Bytes(41, 1))), Bytes{kErr});
  EXPECT_EQ(command(rss_command(1, 4, 0, 1, {})), Bytes{kErr});
  Bytes wrong = rss_command(1, 4, 0, 1, other);
  wrong.pop_back();
  EXPECT_EQ(command(wrong), Bytes{kErr});
  expect_state(bench_, model);
  // A shorter key is filled up with zeros; none at all, without types, leaves the last one.
  const Bytes brief = rss_command(1, 4, 0, 1, {1, 2, 3, 4, 5});
  EXPECT_TRUE(model.execute(kAll, brief, 1).ok);
  EXPECT_EQ(command(brief), Bytes{kOk});
  expect_state(bench_, model);
  const Bytes none = rss_command(0, 2, 0, 1, {});
  EXPECT_TRUE(model.execute(kAll, none, 1).ok);
  EXPECT_EQ(command(none), Bytes{kOk});
  expect_state(bench_, model);
  // Linux sends padding behind the key, which means nothing; more than that is refused.
  Bytes padded = rss_command(0x3f, 4, 0, 1, key);
  for (unsigned n = 1; n <= 3; ++n) {
    padded.push_back(0xee);
    EXPECT_TRUE(model.execute(kAll, padded, 1).ok);
    EXPECT_EQ(command(padded), Bytes{kOk}) << n;
    expect_state(bench_, model);
  }
  padded.push_back(0xee);
  EXPECT_EQ(command(padded), Bytes{kErr});
  expect_state(bench_, model);
  // Automatic steering takes over again.
  EXPECT_EQ(command({4, 0, 1, 0}), Bytes{kOk});
  EXPECT_FALSE(bench_.dut().rss_o);
}

TEST_F(CtrlTest, HashReport) {
  Bytes bytes = {4, 2, 0x09, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4, 0xde, 0xad, 0xbe, 0xef};
  ControlModel model(CtrlBench::kPairs);
  for (unsigned q = 0; q < 2 * CtrlBench::kPairs; ++q) model.enable(q);
  EXPECT_TRUE(model.execute(kAll, bytes, 1).ok);
  EXPECT_EQ(command(bytes), Bytes{kOk});
  expect_state(bench_, model);
  EXPECT_EQ(bench_.dut().hash_types_o, 9);
  bytes.insert(bytes.end(), 3, 0);  // padding
  EXPECT_TRUE(model.execute(kAll, bytes, 1).ok);
  EXPECT_EQ(command(bytes), Bytes{kOk});
  expect_state(bench_, model);
  bytes.push_back(0);
  EXPECT_EQ(command(bytes), Bytes{kErr});
}

TEST_F(CtrlTest, GuestOffloads) {
  const auto offloads = [](uint64_t bits) {
    Bytes bytes = {5, 0};
    append_little(bytes, bits, 8);
    return bytes;
  };
  EXPECT_TRUE(bench_.dut().csum_o && bench_.dut().lro4_o && bench_.dut().lro6_o);
  EXPECT_EQ(command(offloads(1ULL << 1 | 1ULL << 8)), Bytes{kOk});
  EXPECT_TRUE(bench_.dut().csum_o && !bench_.dut().lro4_o && bench_.dut().lro6_o);
  EXPECT_EQ(command(offloads(0)), Bytes{kOk});
  EXPECT_FALSE(bench_.dut().csum_o || bench_.dut().lro4_o || bench_.dut().lro6_o);
  EXPECT_EQ(command(offloads(1ULL << 1 | 1ULL << 54)), Bytes{kErr});
  EXPECT_EQ(command(offloads(1ULL << 7)), Bytes{kOk});  // of no use without the checksum
  EXPECT_FALSE(bench_.dut().lro4_o);
  bench_.features(kAll & ~(1ULL << regs::kFeatureGuestTso4));
  EXPECT_EQ(command(offloads(1ULL << 7)), Bytes{kErr});  // not negotiated
}

TEST_F(CtrlTest, Moderation) {
  const auto all = [](unsigned number, unsigned packets, unsigned usecs) {
    Bytes bytes = {6, static_cast<uint8_t>(number)};
    append_little(bytes, packets, 4);
    append_little(bytes, usecs, 4);
    return bytes;
  };
  const auto one = [](unsigned queue, unsigned packets, unsigned usecs) {
    Bytes bytes = {6, 2};
    append_little(bytes, queue, 4);
    append_little(bytes, packets, 4);
    append_little(bytes, usecs, 4);
    return bytes;
  };
  constexpr unsigned last = 2 * CtrlBench::kPairs - 1;
  ControlModel model(CtrlBench::kPairs);
  for (unsigned q = 0; q <= last; ++q) model.enable(q);
  for (const Bytes& bytes : {all(1, 15, 10), all(0, 32, 100), one(0, 1, 65535), one(last, 65535, 1),
                             all(1, 7, 3), one(last - 1, 9, 9)}) {
    EXPECT_TRUE(model.execute(kAll, bytes, 1).ok);
    EXPECT_EQ(command(bytes), Bytes{kOk});
    expect_state(bench_, model);
  }
  EXPECT_EQ(bench_.run({.bytes = {6, 3, last & 255, last >> 8, 0, 0}, .writes = {9}}),
            (Bytes{0xff, 0xff, 0, 0, 1, 0, 0, 0, kOk}));
  // Beyond the device's limits, of a queue that is not there, of the control virtqueue.
  EXPECT_EQ(command(all(0, 65536, 1)), Bytes{kErr});
  EXPECT_EQ(command(all(0, 1, 65536)), Bytes{kErr});
  EXPECT_EQ(command(one(last + 1, 1, 1)), Bytes{kErr});
  EXPECT_EQ(command(one(0xffff, 1, 1)), Bytes{kErr});
  expect_state(bench_, model);
  // A queue that was reset is none until it is enabled, and then has its direction's last setting.
  bench_.disable(last);
  model.disable(last);
  EXPECT_EQ(command(one(last, 1, 1)), Bytes{kErr});
  EXPECT_EQ(bench_.run({.bytes = {6, 3, last & 255, last >> 8, 0, 0}, .writes = {9}}).back(), kErr);
  expect_state(bench_, model);
  bench_.enable(last);
  model.enable(last);
  expect_state(bench_, model);
  EXPECT_EQ(bench_.told()[last].packets, 32U);
  bench_.enable(last + 1);  // the control virtqueue is not moderated
  expect_state(bench_, model);
}

// Nothing that was not negotiated is carried out.
TEST_F(CtrlTest, NotNegotiated) {
  bench_.features(0);
  for (const Bytes& bytes :
       {Bytes{0, 0, 0}, Bytes{0, 5, 1}, Bytes{1, 0, 0, 0, 0, 0, 0, 0, 0, 0},
        Bytes{1, 1, 2, 0, 0, 0, 0, 9}, Bytes{2, 0, 1, 0}, Bytes{3, 0}, Bytes{4, 0, 1, 0},
        rss_command(1, 1, 0, 1, Bytes(40)), Bytes{5, 0, 0, 0, 0, 0, 0, 0, 0, 0},
        Bytes{6, 0, 1, 0, 0, 0, 1, 0, 0, 0}, Bytes{7, 0}, Bytes{255, 255}}) {
    EXPECT_EQ(command(bytes), Bytes{kErr});
  }
  // The answer of VQ_GET has its place behind the data.
  EXPECT_EQ(bench_.run({.bytes = {6, 3, 0, 0, 0, 0}, .writes = {9}}).size(), 9U);
  EXPECT_EQ(bench_.answer().back(), kErr);
}

TEST_F(CtrlTest, ChainsOfAnyShape) {
  // Header, data and answer in pieces; more room than the answer needs.
  EXPECT_EQ(bench_.run({.bytes = {0, 4, 1}, .reads = {1, 1, 1}, .writes = {1, 7}}), Bytes{kOk});
  EXPECT_EQ(bench_.run({.bytes = {6, 3, 0, 0, 0, 0}, .reads = {1, 2, 3}, .writes = {3, 1, 40}}),
            (Bytes{0, 0, 0, 0, 0, 0, 0, 0, kOk}));
  EXPECT_EQ(bench_.run({.bytes = {6, 3, 0, 0, 0, 0},
                        .writes = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1}}),
            (Bytes{0, 0, 0, 0, 0, 0, 0, 0, kOk}));
  // No room for the data: refused in the last byte there is.
  EXPECT_EQ(bench_.run({.bytes = {6, 3, 0, 0, 0, 0}, .writes = {8}}).back(), kErr);
  EXPECT_EQ(bench_.run({.bytes = {6, 3, 0, 0, 0, 0}, .writes = {1}}), Bytes{kErr});
  // Nothing to read, or half a header.
  EXPECT_EQ(bench_.run({.bytes = {}}), Bytes{kErr});
  EXPECT_EQ(bench_.run({.bytes = {0}}), Bytes{kErr});
  // As many readable descriptors as the device takes, and one more.
  Bytes bytes = {4, 2, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 40};
  bytes.resize(15 + 40, 0x11);
  EXPECT_EQ(bench_.run({.bytes = bytes, .reads = std::vector<uint32_t>(bytes.size(), 1)}),
            Bytes{kOk});
  bytes = {1, 0, 39, 0, 0, 0};
  bytes.resize(6 + 39 * 6 + 4);
  ASSERT_EQ(bytes.size(), 244U);
  std::vector<uint32_t> pieces(240, 1);
  pieces.back() = 5;
  EXPECT_EQ(bench_.run({.bytes = bytes, .reads = pieces}), Bytes{kOk});
  pieces.back() = 4;
  pieces.push_back(1);
  EXPECT_EQ(bench_.run({.bytes = bytes, .reads = pieces}), Bytes{kErr});
  // That the rest is a command by itself does not help, nor does a place behind the answer.
  bytes.push_back(0);
  pieces[239] = 5;
  EXPECT_EQ(bench_.run({.bytes = bytes, .reads = pieces}), Bytes{kErr});
  EXPECT_EQ(bench_.run({.bytes = {0, 0, 1}, .late = 3}), Bytes{kErr});
  EXPECT_EQ(bench_.run({.bytes = {0, 0}, .late = 1}), Bytes{kErr});
  EXPECT_EQ(bench_.run({.bytes = {0, 0, 1}}), Bytes{kOk});
}

// Without a byte to answer in, nothing is carried out, and the chain comes back.
TEST_F(CtrlTest, NoRoomForAnAnswer) {
  EXPECT_EQ(bench_.run({.bytes = {0, 0, 0}, .writes = {}}), Bytes{});
  EXPECT_EQ(bench_.dut().mode_o, 1);
  EXPECT_EQ(bench_.bad(), 1U);
}

TEST_F(CtrlTest, ReadError) {
  bench_.fail_reads();
  bench_.post({.bytes = {0, 0, 0}});
  for (unsigned i = 0; i < 100; ++i) bench_.step();
  EXPECT_TRUE(bench_.dut().err_valid_o);
  EXPECT_EQ(bench_.dut().err_code_o, regs::kErrorDmaRead);
  EXPECT_EQ(bench_.dut().err_queue_o, 2 * CtrlBench::kPairs);
  EXPECT_EQ(bench_.dut().err_index_o, 0);
  EXPECT_GE(bench_.dut().err_addr_o, CtrlBench::kBase);
  bench_.dut().stop_i = 1;
  bench_.step();
  EXPECT_TRUE(bench_.dut().quiet_o);
  EXPECT_FALSE(bench_.used());
}

TEST_F(CtrlTest, WriteError) {
  bench_.fail_writes();
  bench_.post({.bytes = {0, 0, 0}});
  for (unsigned i = 0; i < 200; ++i) bench_.step();
  EXPECT_TRUE(bench_.dut().err_valid_o);
  EXPECT_EQ(bench_.dut().err_code_o, regs::kErrorDmaWrite);
  EXPECT_EQ(bench_.dut().err_index_o, 1);
  EXPECT_TRUE(bench_.dut().quiet_o);
  EXPECT_FALSE(bench_.used());
}

// A stop at any moment: nothing new, nothing left on the bus, and a reset brings everything back.
TEST_F(CtrlTest, StopAtAnyMoment) {
  bench_.timing() = {.min_latency = 2, .max_latency = 9, .stall = 30, .desc_stall = 30};
  for (unsigned moment = 0; moment < 400; moment += 3) {
    bench_.post({.bytes = rss_command(1, 2, 0, 1, Bytes(40, 7)), .reads = {2, 8, 9}});
    for (unsigned i = 0; i < moment; ++i) bench_.step();
    bench_.dut().stop_i = 1;
    for (unsigned i = 0; i < 200 && !bench_.dut().quiet_o; ++i) bench_.step();
    EXPECT_TRUE(bench_.dut().quiet_o);
    EXPECT_FALSE(bench_.busy());
    const size_t left = bench_.ring();
    for (unsigned i = 0; i < 50; ++i) bench_.step();
    EXPECT_EQ(bench_.ring(), left);
    EXPECT_FALSE(bench_.busy());
    bench_.reset();
    bench_.dut().stop_i = 0;
    bench_.until_ready();
    expect_state(bench_, ControlModel(CtrlBench::kPairs));
  }
}

// A reset of the control virtqueue gives up a command whole or lets it be completed.
TEST_F(CtrlTest, QueueResetAtAnyMoment) {
  bench_.timing() = {.min_latency = 2, .max_latency = 9, .stall = 30, .desc_stall = 30};
  ControlModel model(CtrlBench::kPairs);
  for (unsigned q = 0; q < 2 * CtrlBench::kPairs; ++q) model.enable(q);
  unsigned given_up = 0;
  unsigned completed = 0;
  for (unsigned moment = 0; moment < 700; moment += 7) {
    const Bytes bytes = rss_command(1, 2, 0, 1, Bytes(40, static_cast<uint8_t>(moment)));
    bench_.post({.bytes = bytes, .reads = {2, 8, 9}});
    for (unsigned i = 0; i < moment && !bench_.used(); ++i) bench_.step();
    bench_.dut().qrst_valid_i = 1;
    for (unsigned i = 0; i < 3000 && (i < 2 || !bench_.dut().qrst_quiet_o); ++i) bench_.step();
    EXPECT_TRUE(bench_.dut().qrst_quiet_o);
    EXPECT_FALSE(bench_.busy());
    if (bench_.used()) {
      EXPECT_TRUE(model.execute(kAll, bytes, 1).ok);
      ++completed;
      bench_.finish();
    } else {
      ++given_up;
    }
    expect_state(bench_, model);
    bench_.forget_ring();
    bench_.dut().qrst_valid_i = 0;
    bench_.step();
  }
  EXPECT_GT(given_up, 10U);
  EXPECT_GT(completed, 10U);
}

// Queues are enabled and reset while a command goes over all of them.
TEST_F(CtrlTest, EventsDuringAWalk) {
  ControlModel model(CtrlBench::kPairs);
  for (unsigned q = 0; q < 2 * CtrlBench::kPairs; ++q) model.enable(q);
  const Bytes bytes = {6, 1, 5, 0, 0, 0, 6, 0, 0, 0};
  bench_.post({.bytes = bytes});
  for (unsigned i = 0; i < 12; ++i) {
    bench_.disable(1);
    bench_.enable(1);
  }
  bench_.finish();
  EXPECT_TRUE(model.execute(kAll, bytes, 1).ok);
  expect_state(bench_, model);
}

}  // namespace
}  // namespace nicroscope::test
