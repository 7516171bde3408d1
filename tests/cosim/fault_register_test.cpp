// SPDX-License-Identifier: Apache-2.0
// Register accesses that no driver should make (virtio 1.2, 2.1 to 2.4, 3.1.1, 4.1.4.3 to 4.1.5):
// each is answered, changes nothing but what it may, and after a reset the device gives full
// service.
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "tests/cosim/fault_host.h"

namespace nicroscope::test {
namespace {

using namespace regs;  // NOLINT: the registers' names
using std::chrono::microseconds;

constexpr std::uint32_t kDriver = kStatusAcknowledge | kStatusDriver;
constexpr std::uint32_t kAgreed = kDriver | kStatusFeaturesOk;
constexpr std::uint32_t kRunning = kAgreed | kStatusDriverOk;
constexpr unsigned kSmallRing = 16;
constexpr std::uint64_t kRequired =
    feature(kFeatureVersion1) | feature(kFeatureRingPacked) | feature(kFeatureAccessPlatform);

struct Row {
  const char* name;
  void (*run)(FaultHost& host);  ///< on a device that nobody has touched

  friend std::ostream& operator<<(std::ostream& out, const Row& row) { return out << row.name; }
};

std::vector<std::uint32_t> words(FaultHost& host, std::uint32_t from, unsigned bytes) {
  std::vector<std::uint32_t> values;
  for (unsigned at = 0; at < bytes; at += 4) values.push_back(host.read(from + at));
  return values;
}

// Writes ones and zeros over `bytes` of registers, which read afterwards as before.
void expect_read_only(FaultHost& host, std::uint32_t from, unsigned bytes) {
  const auto before = words(host, from, bytes);
  for (const std::uint32_t value : {~0U, 0U}) {
    for (unsigned at = 0; at < bytes; at += 4) host.write(from + at, 4, value);
    EXPECT_EQ(words(host, from, bytes), before) << "from " << from << " on";
  }
}
void expect_reserved(FaultHost& host, std::uint32_t from, unsigned bytes) {
  expect_read_only(host, from, bytes);
  for (const std::uint32_t word : words(host, from, bytes)) EXPECT_EQ(word, 0U);
}

void select(FaultHost& host, unsigned virtqueue) {
  host.set_common(kCommonQueueSelect, 2, virtqueue);
}
// The queue's fields, as the driver sees them.
std::vector<std::uint32_t> fields(FaultHost& host, unsigned virtqueue) {
  select(host, virtqueue);
  return words(host, kBarCommon + kCommonQueueSize, kCommonQueueNotifyData - kCommonQueueSize);
}

// ---- read-only and reserved

void read_only_common(FaultHost& host) {
  expect_read_only(host, kBarCommon + kCommonDeviceFeature, 4);
  const auto queues = host.common(kCommonNumQueues, 2);
  host.set_common(kCommonNumQueues, 2, 77);
  EXPECT_EQ(host.common(kCommonNumQueues, 2), queues);
  const auto generation = host.common(kCommonConfigGeneration, 1);
  host.set_common(kCommonConfigGeneration, 1, generation + 1);
  EXPECT_EQ(host.common(kCommonConfigGeneration, 1), generation);
  select(host, 1);
  host.set_common(kCommonQueueNotifyOff, 2, 9);
  host.set_common(kCommonQueueNotifyData, 2, 9);
  EXPECT_EQ(host.common(kCommonQueueNotifyOff, 2), 1U);
  EXPECT_EQ(host.common(kCommonQueueNotifyData, 2), 1U);
}

void read_only_regions(FaultHost& host) {
  host.start();
  expect_read_only(host, kBarDeviceConfig, kDeviceConfigSupportedHashTypes + 4);
  expect_read_only(host, kBarVendor, kVendorNumCounters + 4);
  expect_read_only(host, kBarVendor + kVendorErrorCode, kVendorErrorCycleHi + 4 - kVendorErrorCode);
  expect_read_only(host, kBarMsixPba, 4);
  host.receive(3);
  host.run_for(microseconds{40});
  const auto received = host.counter(kCounterRxFrames);
  EXPECT_EQ(received, 3U);
  (void)host.read(kBarIsr, 1);
  host.write(kBarVendor + kVendorCounters, 4, 0);
  host.write(kBarIsr, 1, 0xff);
  EXPECT_EQ(host.counter(kCounterRxFrames), received);
  EXPECT_EQ(host.read(kBarIsr, 1), 0U);
}

void reserved(FaultHost& host) {
  expect_reserved(host, kBarCommon + kCommonQueueReset + 2, 0x40);
  expect_reserved(host, kBarCommon + 0xfc0, 0x40);
  expect_reserved(host, kBarIsr + 4, 0x10);
  expect_reserved(host, kBarDeviceConfig + kDeviceConfigSupportedHashTypes + 4, 0x40);
  expect_reserved(host, kBarVendor + kVendorControl + 4, 0x0c);
  expect_reserved(host, kBarVendor + kVendorErrorCycleHi + 4, 0x20);
  expect_reserved(host, kBarVendor + kVendorCounters + kCounterBytes * kCounters.size(), 0x40);
  const unsigned vectors = host.control() + 2;
  expect_reserved(host, kBarMsixTable + vectors * kMsixEntryBytes, 0x40);
  expect_reserved(host, kBarMsixPba + 8, 0x10);
  expect_reserved(host, kBarNotify + host.control() * kNotifyMultiplier + 4, 0x40);
  expect_reserved(host, kBarBytes - 0x20, 0x20);
}

// ---- widths

void partial_writes(FaultHost& host) {
  ASSERT_TRUE(host.negotiate(host.offered()));
  select(host, 0);
  for (unsigned byte = 0; byte < 8; ++byte) {  // an address, byte by byte, backwards
    host.set_common(kCommonQueueDesc + 7 - byte, 1, 0x10 + byte);
  }
  EXPECT_EQ(host.common(kCommonQueueDesc, 4), 0x14151617U);
  EXPECT_EQ(host.common(kCommonQueueDesc + 4, 4), 0x10111213U);
  host.set_common(kCommonQueueDesc + 2, 2, 0xabcd);
  EXPECT_EQ(host.common(kCommonQueueDesc, 4), 0xabcd1617U);
  host.set_common(kCommonQueueSize, 2, 256);
  host.set_common(kCommonQueueSize, 1, 7);
  EXPECT_EQ(host.common(kCommonQueueSize, 2), 263U);
  host.set_common(kCommonQueueSize + 1, 1, 0xff);
  EXPECT_EQ(host.common(kCommonQueueSize, 2), 263U) << "above the largest";
  host.set_common(kCommonDeviceFeatureSelect + 1, 1, 1);  // 256 selects nothing
  EXPECT_EQ(host.common(kCommonDeviceFeature, 4), 0U);
  // Half of queue_enable, and of queue_reset, is not a 1.
  host.set_common(kCommonQueueEnable + 1, 1, 1);
  EXPECT_EQ(host.common(kCommonQueueEnable, 2), 0U);
}

void msix_table_in_odd_sizes(FaultHost& host) {
  const std::uint32_t entry = kBarMsixTable + kMsixEntryBytes;
  host.write(entry + kMsixEntryAddrLo, 4, 0x11223344);
  host.write(entry + kMsixEntryAddrLo + 1, 1, 0xaa);
  host.write(entry + kMsixEntryAddrLo + 2, 2, 0xbbcc);
  EXPECT_EQ(host.read(entry + kMsixEntryAddrLo), 0xbbccaa44U);
  host.write(entry + kMsixEntryData + 3, 1, 0x77);
  EXPECT_EQ(host.read(entry + kMsixEntryData) >> 24U, 0x77U);
  host.write(entry + kMsixEntryControl + 1, 1, 0xff);  // reserved bits alone
  host.write(entry + kMsixEntryControl, 4, ~0U);
  EXPECT_EQ(host.read(entry + kMsixEntryControl), 1U);
  host.write(entry + kMsixEntryControl, 1, 0xfe);
  EXPECT_EQ(host.read(entry + kMsixEntryControl), 0U);
}

// ---- queues

void queue_beyond(FaultHost& host) {
  ASSERT_TRUE(host.negotiate(host.offered()));
  for (const unsigned virtqueue : {host.control() + 1, 513U, 0x8000U, 0xffffU}) {
    select(host, virtqueue);
    EXPECT_EQ(host.common(kCommonQueueSelect, 2), virtqueue);
    EXPECT_EQ(host.common(kCommonQueueSize, 2), 0U);
    for (unsigned at = kCommonQueueSize; at < kCommonQueueNotifyData; at += 4) {
      host.set_common(at, 4, 0x10001);
    }
    host.set_common(kCommonQueueReset, 2, 1);
    EXPECT_EQ(host.common(kCommonQueueSize, 2), 0U);
    EXPECT_EQ(host.common(kCommonQueueEnable, 2), 0U);
    EXPECT_EQ(host.common(kCommonQueueDesc, 4), 0U);
    EXPECT_EQ(host.common(kCommonQueueReset, 2), 0U);
  }
  select(host, 0);
  EXPECT_EQ(host.common(kCommonQueueDesc, 4), 0U) << "another queue was written";
}

void queue_size(FaultHost& host) {
  ASSERT_TRUE(host.negotiate(host.offered()));
  const unsigned largest = host.simulation().profile().ring_max;
  select(host, 0);
  EXPECT_EQ(host.common(kCommonQueueSize, 2), largest);
  for (const unsigned size : {0U, largest + 1, 0xffffU}) {
    host.set_common(kCommonQueueSize, 2, size);
    EXPECT_EQ(host.common(kCommonQueueSize, 2), largest) << size;
  }
  host.set_common(kCommonQueueSize, 2, 37);  // packed rings may have any size (2.8.10.1)
  EXPECT_EQ(host.common(kCommonQueueSize, 2), 37U);
}

void fields_of_an_enabled_queue(FaultHost& host) {
  host.start();
  for (const unsigned virtqueue : {0U, 1U, host.control()}) {
    const auto before = fields(host, virtqueue);
    host.set_common(kCommonQueueSize, 2, 8);
    for (unsigned at = kCommonQueueDesc; at < kCommonQueueDevice + 8; at += 4) {
      host.set_common(at, 4, 0xdead0000);
    }
    for (const std::uint32_t value : {0U, 2U, 0xffffU, 1U}) {
      host.set_common(kCommonQueueEnable, 2, value);
    }
    EXPECT_EQ(fields(host, virtqueue), before);
    EXPECT_EQ(host.common(kCommonQueueEnable, 2), 1U);
  }
  host.expect_service(20);
}

void enable_with_other_values(FaultHost& host) {
  ASSERT_TRUE(host.negotiate(host.offered()));
  select(host, 0);
  for (const std::uint32_t value : {0U, 2U, 3U, 0x101U, 0xffffU}) {
    host.set_common(kCommonQueueEnable, 2, value);
    EXPECT_EQ(host.common(kCommonQueueEnable, 2), 0U) << value;
  }
}

// Enables a queue with its parts there, and expects the device to say that it cannot reach one.
void expect_bad_parts(FaultHost& host, BusAddress ring, BusAddress events) {
  ASSERT_TRUE(host.negotiate(host.offered()));
  select(host, 1);
  host.set_common(kCommonQueueSize, 2, kSmallRing);
  for (const auto& [field, address] : {std::pair<unsigned, BusAddress>{kCommonQueueDesc, ring},
                                       {kCommonQueueDriver, events},
                                       {kCommonQueueDevice, events + kEventBytes}}) {
    host.set_common(field, 4, static_cast<std::uint32_t>(address));
    host.set_common(field + 4, 4, static_cast<std::uint32_t>(address >> 32));
  }
  host.set_common(kCommonQueueEnable, 2, 1);
  EXPECT_EQ(host.common(kCommonQueueEnable, 2), 1U);
  host.set_status(kRunning);
  host.ring_bell(1);
  const ErrorRecord record = host.needs_reset();
  EXPECT_EQ(record.queue, 1U) << record;
  const BusAddress base = ring & ~BusAddress{kDescBytes - 1};
  const bool in_ring = record.address - base < kSmallRing * kDescBytes;
  const bool in_events = record.address - (events & ~BusAddress{3}) < 2 * kEventBytes;
  EXPECT_TRUE(record.code == kErrorDmaRead ? in_ring : in_events) << record;
  EXPECT_TRUE(record.code == kErrorDmaRead || record.code == kErrorDmaWrite) << record;
}
BusAddress events(FaultHost& host) {
  return host.arena().allocate(1, 2 * kEventBytes, DmaDirection::bidirectional);
}
BusAddress end_of(FaultHost& host) { return host.memory().base() + host.memory().bytes().size(); }
void ring_at_0(FaultHost& host) { expect_bad_parts(host, 0, events(host)); }
void ring_outside(FaultHost& host) { expect_bad_parts(host, end_of(host), events(host)); }
void ring_at_the_end_of_addresses(FaultHost& host) {
  expect_bad_parts(host, ~BusAddress{0} - kSmallRing * kDescBytes + 1, events(host));
}
void ring_misaligned(FaultHost& host) { expect_bad_parts(host, end_of(host) + 7, events(host)); }
void all_parts_outside(FaultHost& host) { expect_bad_parts(host, end_of(host), end_of(host)); }
void all_parts_misaligned(FaultHost& host) {
  expect_bad_parts(host, end_of(host) + 9, end_of(host) + 8193);
}

// The device takes the next lower address that is aligned, and works there.
void misaligned_and_mapped(FaultHost& host) {
  ASSERT_TRUE(host.negotiate(host.offered()));
  host.prepare_queues();
  for (unsigned virtqueue = 0; virtqueue <= host.control(); ++virtqueue) {
    select(host, virtqueue);
    for (const unsigned field : {kCommonQueueDesc, kCommonQueueDriver, kCommonQueueDevice}) {
      const auto low = host.common(field, 4) | (field == kCommonQueueDesc ? 0xfU : 3U);
      host.set_common(field, 4, low);
      EXPECT_EQ(host.common(field, 4), low);
    }
    host.enable_queue(virtqueue);
  }
  host.set_status(kRunning);
  host.send(10);
  EXPECT_TRUE(host.run_until([&] { return host.on_wire() == 10; }));
}

void vectors_beyond(FaultHost& host) {
  ASSERT_TRUE(host.negotiate(host.offered()));
  const unsigned vectors = host.control() + 2;
  for (const unsigned vector : {vectors, 0x800U, 0xfffeU, unsigned{kNoVector}}) {
    host.set_common(kCommonConfigMsixVector, 2, vector);
    EXPECT_EQ(host.common(kCommonConfigMsixVector, 2), kNoVector);
    select(host, 1);
    host.set_common(kCommonQueueMsixVector, 2, vector);
    EXPECT_EQ(host.common(kCommonQueueMsixVector, 2), kNoVector);
  }
  host.set_common(kCommonQueueMsixVector, 2, vectors - 1);
  EXPECT_EQ(host.common(kCommonQueueMsixVector, 2), vectors - 1);
}

// ---- doorbells

void doorbells(FaultHost& host) {
  std::uint64_t rung = 0;
  const auto ring_all = [&](bool counts) {
    for (unsigned virtqueue = 0; virtqueue <= host.control() + 3; ++virtqueue) {
      host.ring_bell(virtqueue);
    }
    host.write(kBarNotify + kBarNotifyBytes - 4, 4, ~0U);
    host.run_for(microseconds{5});
    if (counts) rung += host.control() + 1;
    EXPECT_EQ(host.counter(kCounterDoorbells), rung);
    EXPECT_EQ(host.counter(kCounterDescReads), 0U);
    EXPECT_EQ(host.status() & kStatusNeedsReset, 0U);
  };
  ring_all(false);  // before anything
  host.set_status(kDriver);
  ring_all(false);
  ASSERT_TRUE(host.negotiate(host.offered()));
  ring_all(true);  // no queue is enabled
  host.set_status(kRunning);
  ring_all(true);
}

void doorbells_before_driver_ok(FaultHost& host) {
  ASSERT_TRUE(host.negotiate(host.offered()));
  host.prepare_queues();
  for (unsigned virtqueue = 0; virtqueue <= host.control(); ++virtqueue) {
    host.enable_queue(virtqueue);
    host.ring_bell(virtqueue);
  }
  host.send(3);
  host.receive(3);
  host.run_for(microseconds{50});
  EXPECT_EQ(host.on_wire(), 0U) << "2.1.2: nothing before DRIVER_OK";
  EXPECT_EQ(host.received(), 0U);
  EXPECT_EQ(host.counter(kCounterUsedWrites), 0U);
  EXPECT_EQ(host.counter(kCounterRxDropDisabled), 3U);
}

void doorbells_with_wrong_data(FaultHost& host) {
  host.start();
  for (const std::uint32_t data : {0U, 2U, 0xffffU, ~0U}) {
    host.write(kBarNotify + kNotifyMultiplier, 4, data);
    host.write(kBarNotify + kNotifyMultiplier, 1, data & 0xff);
    host.write(kBarNotify + kNotifyMultiplier + 2, 2, data & 0xffff);
  }
  for (unsigned n = 0; n < 300; ++n) host.ring_bell(n % (host.control() + 5));
  host.expect_service(20);
}

// ---- status and features

void expect_refused(FaultHost& host, std::uint64_t features) {
  EXPECT_FALSE(host.negotiate(features)) << std::hex << features;
  EXPECT_EQ(host.status(), kDriver);
  host.set_status(kRunning);
  EXPECT_EQ(host.status(), kDriver) << "DRIVER_OK without FEATURES_OK";
  select(host, 0);
  host.set_common(kCommonQueueEnable, 2, 1);
  EXPECT_EQ(host.common(kCommonQueueEnable, 2), 0U);
}

void features_not_offered(FaultHost& host) {
  const std::uint64_t offered = host.offered();
  for (unsigned bit = 0; bit < 64; ++bit) {
    if ((offered >> bit & 1) == 0) expect_refused(host, offered | feature(bit));
  }
  EXPECT_TRUE(host.negotiate(offered)) << "the driver may think better of it (3.1.1)";
}

void features_above_63(FaultHost& host) {
  const std::uint64_t offered = host.offered();
  host.set_common(kCommonDriverFeatureSelect, 4, 2);
  host.set_common(kCommonDriverFeature, 4, 1);
  EXPECT_EQ(host.common(kCommonDriverFeature, 4), 0U);
  EXPECT_FALSE(host.negotiate(offered));
  for (const unsigned word : {2U, 3U, 0x100U, ~0U}) {
    host.set_common(kCommonDeviceFeatureSelect, 4, word);
    EXPECT_EQ(host.common(kCommonDeviceFeature, 4), 0U);
  }
}

void features_missing(FaultHost& host) {
  const std::uint64_t offered = host.offered();
  for (const unsigned bit : {kFeatureVersion1, kFeatureRingPacked, kFeatureAccessPlatform}) {
    expect_refused(host, offered & ~feature(bit));
  }
  expect_refused(host, 0);
}

void features_without_what_they_need(FaultHost& host) {
  const auto only = [](std::initializer_list<unsigned> bits) {
    std::uint64_t features = kRequired;
    for (const unsigned bit : bits) features |= feature(bit);
    return features;
  };
  for (const unsigned bit : {kFeatureGuestTso4, kFeatureGuestTso6})
    expect_refused(host, only({bit}));
  for (const unsigned bit : {kFeatureHostTso4, kFeatureHostTso6, kFeatureHostUso}) {
    expect_refused(host, only({bit}));
  }
  expect_refused(host, only({kFeatureGuestEcn, kFeatureGuestCsum}));
  expect_refused(host, only({kFeatureHostEcn, kFeatureCsum}));
  for (const unsigned bit :
       {kFeatureCtrlGuestOffloads, kFeatureCtrlRx, kFeatureCtrlVlan, kFeatureCtrlRxExtra,
        kFeatureMq, kFeatureCtrlMacAddr, kFeatureVqNotfCoal, kFeatureNotfCoal, kFeatureHashReport,
        kFeatureRss}) {
    expect_refused(host, only({bit}));
  }
  EXPECT_TRUE(host.negotiate(kRequired));
}

void features_after_features_ok(FaultHost& host) {
  const std::uint64_t offered = host.offered();
  host.start();
  for (unsigned half = 0; half < 2; ++half) {
    host.set_common(kCommonDriverFeatureSelect, 4, half);
    host.set_common(kCommonDriverFeature, 4, 0);
    EXPECT_EQ(host.common(kCommonDriverFeature, 4),
              static_cast<std::uint32_t>(offered >> (32 * half)));
  }
  host.expect_service(20);
}

void status_bits_cleared(FaultHost& host) {
  host.start();
  for (const std::uint32_t status :
       {std::uint32_t{kStatusAcknowledge}, kDriver, kAgreed, std::uint32_t{kStatusDriverOk}}) {
    host.set_status(status);  // 2.1.1: the driver must not
    EXPECT_EQ(host.status(), kRunning);
  }
  host.expect_service(20);
}

void status_bits_of_others(FaultHost& host) {
  host.start();
  host.set_status(kRunning | kStatusNeedsReset | 0x30);
  EXPECT_EQ(host.status(), kRunning) << "NEEDS_RESET is the device's, and two bits are reserved";
  host.expect_service(20);
}

void status_in_one_step(FaultHost& host) {
  host.set_status(kRunning);
  EXPECT_EQ(host.status() & (kStatusFeaturesOk | kStatusDriverOk), 0U);
  host.set_status(kStatusDriverOk);
  EXPECT_EQ(host.status() & kStatusDriverOk, 0U);
}

void failed(FaultHost& host) {
  host.start();
  host.expect_service(20);
  host.set_status(kRunning | kStatusFailed);
  EXPECT_EQ(host.status(), kRunning | kStatusFailed);
  const auto disabled = host.counter(kCounterRxDropDisabled);
  const auto received = host.received();
  host.receive(5);
  host.run_for(microseconds{40});
  EXPECT_EQ(host.received(), received);
  EXPECT_EQ(host.counter(kCounterRxDropDisabled), disabled + 5);
}

void driver_ok_without_queues(FaultHost& host) {
  ASSERT_TRUE(host.negotiate(host.offered()));
  host.set_status(kRunning);
  EXPECT_EQ(host.status(), kRunning);
  host.receive(200);
  EXPECT_TRUE(host.run_until([&] { return host.passed() == 200; }));
  EXPECT_EQ(host.status(), kRunning);
  EXPECT_EQ(host.counter(kCounterRxDropNoBuffer), 200U);
}

// ---- resets

void reset_again_and_again(FaultHost& host) {
  for (unsigned n = 0; n < 5; ++n) {
    host.start();
    host.receive(10);
    host.send(10);
    host.run_for(microseconds{n});
    for (unsigned times = 0; times < 3; ++times) host.set_status(0);
    host.set_status(kRunning);  // writes during a reset are ignored
    host.reset();
  }
}

void reset_between_steps(FaultHost& host) {
  host.set_status(kDriver);
  host.reset();
  EXPECT_TRUE(host.negotiate(host.offered()));
  host.reset();
  EXPECT_TRUE(host.negotiate(host.offered()));
  host.prepare_queues();
  host.enable_queue(0);
  host.reset();
  EXPECT_EQ(host.common(kCommonQueueEnable, 2), 0U);
  EXPECT_EQ(host.common(kCommonQueueDesc, 4), 0U);
}

void queue_reset_not_negotiated(FaultHost& host) {
  host.start(host.offered() & ~feature(kFeatureRingReset));
  for (const unsigned virtqueue : {0U, 1U, host.control()}) {
    select(host, virtqueue);
    host.set_common(kCommonQueueReset, 2, 1);
    EXPECT_EQ(host.common(kCommonQueueReset, 2), 0U);
    EXPECT_EQ(host.common(kCommonQueueEnable, 2), 1U);
  }
  host.expect_service(20);
}

#define ROW(function) \
  { #function, function }
const std::vector<Row> kRows = {ROW(read_only_common),
                                ROW(read_only_regions),
                                ROW(reserved),
                                ROW(partial_writes),
                                ROW(msix_table_in_odd_sizes),
                                ROW(queue_beyond),
                                ROW(queue_size),
                                ROW(fields_of_an_enabled_queue),
                                ROW(enable_with_other_values),
                                ROW(ring_at_0),
                                ROW(ring_outside),
                                ROW(ring_at_the_end_of_addresses),
                                ROW(ring_misaligned),
                                ROW(all_parts_outside),
                                ROW(all_parts_misaligned),
                                ROW(misaligned_and_mapped),
                                ROW(vectors_beyond),
                                ROW(doorbells),
                                ROW(doorbells_before_driver_ok),
                                ROW(doorbells_with_wrong_data),
                                ROW(features_not_offered),
                                ROW(features_above_63),
                                ROW(features_missing),
                                ROW(features_without_what_they_need),
                                ROW(features_after_features_ok),
                                ROW(status_bits_cleared),
                                ROW(status_bits_of_others),
                                ROW(status_in_one_step),
                                ROW(failed),
                                ROW(driver_ok_without_queues),
                                ROW(reset_again_and_again),
                                ROW(reset_between_steps),
                                ROW(queue_reset_not_negotiated)};

class BadRegisterAccess : public testing::TestWithParam<std::tuple<std::string, Row>> {};

TEST_P(BadRegisterAccess, IsAnsweredAndAResetHelps) {
  const auto& [profile, row] = GetParam();
  FaultHost host(profile);
  row.run(host);
  host.reset();
  host.start();
  host.expect_service();
  host.expect_conservation();
}

INSTANTIATE_TEST_SUITE_P(Each, BadRegisterAccess,
                         testing::Combine(testing::ValuesIn(kFaultProfiles),
                                          testing::ValuesIn(kRows)),
                         [](const auto& each) {
                           return std::get<0>(each.param) + "_" + std::get<1>(each.param).name;
                         });

}  // namespace
}  // namespace nicroscope::test
