// SPDX-License-Identifier: Apache-2.0
// Device reset and DEVICE_NEEDS_RESET (virtio 1.2, 2.1.2, 2.4, 4.1.4.3).
#include "tests/rtl/host/host_bench.h"

namespace nicroscope::test {
namespace {

using namespace regs;

constexpr HostBench::Error kError{kErrorZeroLength, 1, 0x123, 0x1122334455667788ull};

std::uint64_t error_cycle(HostBench& host) {
  return host.read_word(kBarVendor + kVendorErrorCycleLo) |
         (static_cast<std::uint64_t>(host.read_word(kBarVendor + kVendorErrorCycleHi)) << 32);
}

TEST(HostReset, WaitsUntilTheDatapathIsQuiet) {
  HostBench host;
  host.bring_up();
  host.quiet = false;
  host.set_status(0);
  host.tick(2);
  EXPECT_TRUE(host.top->stop_o);
  EXPECT_FALSE(host.top->run_o);
  for (unsigned i = 0; i < 20; ++i) {
    EXPECT_EQ(host.status(), kRunning) << "not 0 before the reset is complete";
    host.tick(10);
  }
  EXPECT_TRUE(host.clears.empty());
  // A quiet moment is not enough.
  host.quiet = true;
  host.tick(5);
  host.quiet = false;
  host.tick(50);
  EXPECT_TRUE(host.clears.empty());
  host.quiet = true;
  host.settle();
  EXPECT_EQ(host.clears.size(), 1u);
  EXPECT_EQ(host.status(), 0u);
  EXPECT_FALSE(host.top->stop_o);
}

TEST(HostReset, ForgetsTheDriver) {
  HostBench host;
  host.bring_up();
  host.raise(0);
  host.settle();
  host.select_queue(1);
  host.set_status(0);
  host.settle();
  EXPECT_EQ(host.status(), 0u);
  EXPECT_EQ(host.top->features_o, 0u);
  EXPECT_EQ(host.read_word(kCommonDriverFeatureSelect), 0u);
  EXPECT_EQ(host.read_word(kCommonDeviceFeatureSelect), 0u);
  EXPECT_EQ(host.read16(kCommonConfigMsixVector), kNoVector);
  EXPECT_EQ(host.read16(kCommonQueueSelect), 0u);
  EXPECT_EQ(host.read_word(kBarIsr), 0u);
  for (std::uint32_t queue = 0; queue < host.queues; ++queue) {
    host.select_queue(queue);
    EXPECT_EQ(host.read16(kCommonQueueSize), host.ring_max);
    EXPECT_EQ(host.read16(kCommonQueueMsixVector), kNoVector);
    EXPECT_EQ(host.read16(kCommonQueueEnable), 0u);
    EXPECT_EQ(host.read64(kCommonQueueDesc), 0u);
    EXPECT_EQ(host.read64(kCommonQueueDriver), 0u);
    EXPECT_EQ(host.read64(kCommonQueueDevice), 0u);
  }
  // The MSI-X table is the bus's, not the driver's.
  EXPECT_EQ(host.read64(entry(1)), vector_address(1));
  EXPECT_EQ(host.read_word(entry(1) + kMsixEntryControl), 0u);
  // Counters go on.
  EXPECT_EQ(host.counter(kCounterInterrupts), 1u);
}

TEST(HostReset, IsCompleteWhenTheStatusReads0) {
  // Of a device whose status was 0 before, too: the next write counts.
  HostBench host;
  for (unsigned i = 0; i < 3; ++i) {
    host.write64(kCommonQueueDesc, 0x1234);
    host.set_status(0);
    EXPECT_EQ(host.status(), 0u);
    EXPECT_EQ(host.clears.size(), i + 1);
    host.select_queue(1);
    EXPECT_EQ(host.read16(kCommonQueueSelect), 1u);
    host.select_queue(0);
    EXPECT_EQ(host.read64(kCommonQueueDesc), 0u);
  }
  host.set_status(kStatusAcknowledge);
  EXPECT_EQ(host.status(), kStatusAcknowledge);
}

TEST(HostReset, CanBeDoneAgainAndAgain) {
  HostBench host;
  for (unsigned i = 0; i < 5; ++i) {
    host.enabled.clear();
    host.bring_up();
    EXPECT_TRUE(host.top->run_o);
    EXPECT_EQ(host.enabled.size(), host.queues);
  }
}

TEST(HostReset, IgnoresWritesUntilItIsComplete) {
  HostBench host;
  host.bring_up();
  host.quiet = false;
  host.set_status(0);
  host.set_status(kRunning | kStatusFailed);
  host.accept_features(0);
  host.write16(kCommonConfigMsixVector, 2);
  host.select_queue(1);
  host.write16(kCommonQueueMsixVector, 0);
  host.write_word(kBarNotify, 0);
  EXPECT_EQ(host.status(), kRunning);
  EXPECT_EQ(host.read16(kCommonConfigMsixVector), 0u);
  EXPECT_TRUE(host.kicks.empty());
  host.quiet = true;
  host.settle();
  EXPECT_EQ(host.status(), 0u);
}

TEST(HostReset, WaitsForMessagesInFlight) {
  HostBench host;
  host.bring_up();
  host.message_latency = 500;
  host.raise(0);
  while (host.messages.empty()) host.tick();
  host.set_status(0);
  host.tick(200);
  EXPECT_EQ(host.status(), kRunning);
  EXPECT_TRUE(host.clears.empty());
  host.settle();
  EXPECT_EQ(host.status(), 0u);
  EXPECT_GT(host.clears.at(0), host.messages.at(0).cycle + 500);
}

TEST(HostReset, ForgetsPendingVectors) {
  HostBench host;
  host.bring_up();
  for (std::uint32_t vector = 0; vector < host.vectors; ++vector) host.mask_vector(vector, true);
  for (std::uint32_t queue = 0; queue < host.queues; ++queue) {
    host.raise(static_cast<std::uint16_t>(queue));
  }
  host.settle();
  EXPECT_NE(host.pending_word(0), 0u);
  host.set_status(0);
  host.settle();
  for (std::uint32_t word = 0; 32 * word < host.vectors; ++word) {
    EXPECT_EQ(host.pending_word(word), 0u);
  }
  for (std::uint32_t vector = 0; vector < host.vectors; ++vector) host.mask_vector(vector, false);
  host.settle();
  EXPECT_TRUE(host.messages.empty());
}

TEST(HostReset, NothingIsSentAfterIt) {
  // Unmask pending vectors at every distance from the reset: whatever happens before the status
  // reads 0, nothing happens after it.
  for (unsigned delay = 0; delay < 40; ++delay) {
    HostBench host(delay + 1);
    host.bring_up();
    host.top->msix_mask_i = 1;
    host.raise(0);
    host.raise(1);
    host.settle();
    host.set_status(0);
    host.tick(delay);
    host.top->msix_mask_i = 0;
    for (unsigned i = 0; i < 1000 && host.status() != 0; ++i) host.tick();
    EXPECT_EQ(host.status(), 0u);
    const std::size_t sent = host.messages.size();
    host.tick(200);
    EXPECT_EQ(host.messages.size(), sent) << delay;
  }
}

TEST(HostReset, AnErrorIsRecordedAndAsksForReset) {
  HostBench host;
  host.bring_up();
  const std::uint64_t when = host.cycle;
  host.set_error(kError);
  host.settle();
  EXPECT_EQ(host.status(), kRunning | kStatusNeedsReset);
  EXPECT_TRUE(host.top->stop_o);
  EXPECT_FALSE(host.top->run_o);
  EXPECT_EQ(host.messages_of(0), 1u) << "configuration change";
  EXPECT_EQ(host.read_word(kBarVendor + kVendorErrorCode), kErrorZeroLength);
  EXPECT_EQ(host.read_word(kBarVendor + kVendorErrorQueue), kError.queue);
  EXPECT_EQ(host.read_word(kBarVendor + kVendorErrorIndex), kError.index);
  EXPECT_EQ(host.read_word(kBarVendor + kVendorErrorAddrLo), 0x55667788u);
  EXPECT_EQ(host.read_word(kBarVendor + kVendorErrorAddrHi), 0x11223344u);
  EXPECT_EQ(error_cycle(host), when);
  // The first error is the one that counts.
  host.set_error({kErrorDmaRead, 0, 7, 9});
  host.settle();
  EXPECT_EQ(host.read_word(kBarVendor + kVendorErrorCode), kErrorZeroLength);
  EXPECT_EQ(host.messages.size(), 1u);
  // Only a reset helps.
  host.set_status(kRunning);
  EXPECT_EQ(host.status(), kRunning | kStatusNeedsReset);
  host.set_status(0);
  while (host.clears.empty()) host.tick();
  host.clear_error();
  host.settle();
  EXPECT_EQ(host.status(), 0u);
  EXPECT_EQ(host.read_word(kBarVendor + kVendorErrorCode), kErrorNone);
  EXPECT_EQ(host.read_word(kBarVendor + kVendorErrorAddrLo), 0u);
  host.enabled.clear();
  host.bring_up();
  EXPECT_TRUE(host.top->run_o);
}

TEST(HostReset, AnErrorWithoutADriverRaisesNoInterrupt) {
  HostBench host;
  host.top->msix_enable_i = 1;
  host.program_vectors();
  host.negotiate(kAllOffered);
  host.write16(kCommonConfigMsixVector, 0);
  host.set_error(kError);
  host.settle();
  EXPECT_EQ(host.status(), kProbed | kStatusNeedsReset);
  EXPECT_TRUE(host.messages.empty());
  EXPECT_EQ(host.read_word(kBarIsr), 0u);
}

TEST(HostReset, AFailedMessageIsAnErrorToo) {
  HostBench host;
  host.bring_up();
  host.bad_addresses.insert(vector_address(2));
  host.raise(1);
  host.settle();
  EXPECT_EQ(host.status(), kRunning | kStatusNeedsReset);
  EXPECT_EQ(host.read_word(kBarVendor + kVendorErrorCode), kErrorDmaWrite);
  EXPECT_EQ(host.read_word(kBarVendor + kVendorErrorQueue), 0xFFFFu);
  EXPECT_EQ(host.read_word(kBarVendor + kVendorErrorIndex), 2u);
  EXPECT_EQ(host.read_word(kBarVendor + kVendorErrorAddrLo), vector_address(2));
}

TEST(HostReset, AHandOverIsGivenUpOnAnError) {
  HostBench host;
  host.negotiate(kAllOffered);
  host.enable_ready = false;
  host.top->s_axil_awaddr_i = kCommonQueueEnable & ~3u;
  host.top->s_axil_wdata_i = 1;
  host.top->s_axil_wstrb_i = 3;
  host.top->s_axil_awvalid_i = 1;
  host.top->s_axil_wvalid_i = 1;
  host.tick();
  host.top->s_axil_awvalid_i = 0;
  host.top->s_axil_wvalid_i = 0;
  while (!host.top->en_valid_o) host.tick();
  host.set_error(kError);
  host.settle();
  EXPECT_FALSE(host.top->en_valid_o);
  EXPECT_EQ(host.read16(kCommonQueueEnable), 0u);
  EXPECT_TRUE(host.enabled.empty());
}

TEST(HostReset, RegistersAnswerWhileItRuns) {
  // Accesses all over the map at every moment of a reset are answered.
  HostBench host;
  for (unsigned round = 0; round < 300; ++round) {
    if (host.status() != kRunning) host.bring_up();
    host.quiet = false;
    host.set_status(0);
    for (unsigned i = 0; i < round % 7; ++i) host.read_word(kCommonQueueDesc);
    host.quiet = true;
    host.tick(round % 23);
    const std::uint32_t anywhere = host.draw(0x10000u) & ~3u;
    host.read_word(round % 2 != 0 ? anywhere : kCommonQueueDesc + (anywhere & 0x1Cu));
    host.settle();
    EXPECT_EQ(host.status(), 0u);
  }
}

}  // namespace
}  // namespace nicroscope::test
