// SPDX-License-Identifier: Apache-2.0
// Common configuration: feature negotiation, device status, queue fields
// (virtio 1.2, 3.1.1, 4.1.4.3).
#include "tests/rtl/host/host_bench.h"

namespace nicroscope::test {
namespace {

using namespace regs;

TEST(HostProbe, ResetValues) {
  HostBench host;
  EXPECT_EQ(host.status(), 0u);
  EXPECT_EQ(host.read16(kCommonNumQueues), host.queues);
  EXPECT_EQ(host.read16(kCommonConfigMsixVector), kNoVector);
  EXPECT_EQ(host.read16(kCommonQueueSelect), 0u);
  EXPECT_EQ(host.read_word(kCommonDeviceFeatureSelect), 0u);
  EXPECT_EQ(host.read_word(kCommonDriverFeatureSelect), 0u);
  EXPECT_EQ(host.read_word(kCommonDriverFeature), 0u);
  for (std::uint32_t queue = 0; queue < host.queues; ++queue) {
    host.select_queue(queue);
    EXPECT_EQ(host.read16(kCommonQueueSelect), queue);
    EXPECT_EQ(host.read16(kCommonQueueSize), host.ring_max);
    EXPECT_EQ(host.read16(kCommonQueueMsixVector), kNoVector);
    EXPECT_EQ(host.read16(kCommonQueueEnable), 0u);
    EXPECT_EQ(host.read16(kCommonQueueNotifyOff), host.virtqueue(queue));
    EXPECT_EQ(host.read16(kCommonQueueNotifyData), queue);
    EXPECT_EQ(host.read16(kCommonQueueReset), 0u);
    EXPECT_EQ(host.read64(kCommonQueueDesc), 0u);
    EXPECT_EQ(host.read64(kCommonQueueDriver), 0u);
    EXPECT_EQ(host.read64(kCommonQueueDevice), 0u);
  }
  EXPECT_FALSE(host.top->run_o);
  EXPECT_FALSE(host.top->stop_o);
  EXPECT_TRUE(host.clears.empty());
}

TEST(HostProbe, OffersWhatTheDeviceHas) {
  HostBench host;
  EXPECT_EQ(host.device_features(), kAllOffered);
  for (std::uint32_t window : {2u, 3u, 0x100u, 0xFFFFFFFFu}) {
    host.write_word(kCommonDeviceFeatureSelect, window);
    EXPECT_EQ(host.read_word(kCommonDeviceFeatureSelect), window);
    EXPECT_EQ(host.read_word(kCommonDeviceFeature), 0u);
  }
  host.write_word(kCommonDeviceFeature, 0xFFFFFFFF);
  EXPECT_EQ(host.device_features(), kAllOffered);
}

TEST(HostProbe, WholeSequenceHandsTheQueuesOver) {
  HostBench host;
  host.bring_up();
  EXPECT_EQ(host.status(), kRunning);
  EXPECT_TRUE(host.top->run_o);
  EXPECT_FALSE(host.top->stop_o);
  EXPECT_EQ(host.top->features_o, kAllOffered);
  ASSERT_EQ(host.enabled.size(), host.queues);
  for (std::uint32_t queue = 0; queue < host.queues; ++queue) {
    EXPECT_EQ(host.enabled[queue].queue, host.virtqueue(queue));
    EXPECT_EQ(host.enabled[queue].size, host.ring_max);
    EXPECT_EQ(host.enabled[queue].desc, 0x1'0000'0000ull + 0x10000ull * queue);
    EXPECT_EQ(host.enabled[queue].driver, 0x2'0000'0000ull + 0x1000ull * queue);
    EXPECT_EQ(host.enabled[queue].device, 0x3'0000'0000ull + 0x1000ull * queue);
    host.select_queue(queue);
    EXPECT_EQ(host.read16(kCommonQueueEnable), 1u);
  }
  EXPECT_TRUE(host.messages.empty());
}

// The control queue is virtqueue 2 to such a driver, and the last one to the rest of the device, in
// every respect (5.1.2).
TEST(HostProbe, ControlQueueComesBehindTheOnlyPair) {
  constexpr std::uint64_t kMany = (1ull << kFeatureMq) | (1ull << kFeatureRss);
  HostBench host;
  const auto control = static_cast<std::uint16_t>(host.queues - 1);
  host.top->msix_enable_i = 1;
  host.program_vectors();
  host.negotiate(kAllOffered & ~kMany);
  ASSERT_EQ(host.status(), kProbed);
  for (std::uint32_t queue = 0; queue < 3; ++queue) {
    host.select_queue(queue);
    host.write16(kCommonQueueMsixVector, queue);
    host.write16(kCommonQueueEnable, 1);
    EXPECT_EQ(host.read16(kCommonQueueEnable), 1u);
  }
  ASSERT_EQ(host.enabled.size(), 3u);
  EXPECT_EQ(host.enabled[0].queue, 0u);
  EXPECT_EQ(host.enabled[1].queue, 1u);
  EXPECT_EQ(host.enabled[2].queue, control);
  host.set_status(kRunning);
  host.write16(kBarNotify + kNotifyMultiplier * host.read16(kCommonQueueNotifyOff), 2);
  ASSERT_EQ(host.kicks.size(), 1u);
  EXPECT_EQ(host.kicks[0], control);
  host.raise(2);
  host.settle();
  EXPECT_EQ(host.messages_of(2), 1u);
  host.set_error({.code = 1, .queue = control, .index = 5, .address = 0x1000});
  host.settle();
  EXPECT_EQ(host.read_word(kBarVendor + kVendorErrorQueue), 2u);
}

TEST(HostProbe, FeaturesOkNeedsWhatTheDeviceCannotDoWithout) {
  HostBench host;
  for (unsigned bit : {kFeatureVersion1, kFeatureRingPacked, kFeatureAccessPlatform}) {
    host.negotiate(kAllOffered & ~(1ull << bit));
    EXPECT_EQ(host.status(), static_cast<std::uint32_t>(kStatusAcknowledge | kStatusDriver)) << bit;
    // Without FEATURES_OK there is no DRIVER_OK and no queue.
    host.set_status(kRunning);
    host.write16(kCommonQueueEnable, 1);
    EXPECT_EQ(host.status(), static_cast<std::uint32_t>(kStatusAcknowledge | kStatusDriver));
    EXPECT_EQ(host.read16(kCommonQueueEnable), 0u);
    EXPECT_FALSE(host.top->run_o);
    // The driver may think again.
    host.accept_features(kAllOffered);
    host.set_status(kProbed);
    EXPECT_EQ(host.status(), kProbed);
  }
  EXPECT_TRUE(host.enabled.empty());
}

TEST(HostProbe, FeaturesOkRefusesWhatWasNotOffered) {
  HostBench host;
  for (unsigned bit = 0; bit < 64; ++bit) {
    if ((kAllOffered >> bit & 1) != 0) continue;
    host.negotiate(kAllOffered | (1ull << bit));
    EXPECT_EQ(host.status() & kStatusFeaturesOk, 0u) << bit;
  }
}

TEST(HostProbe, FeaturesOkRefusesBitsAbove63) {
  HostBench host;
  host.negotiate(0);
  host.accept_features(kAllOffered);
  host.write_word(kCommonDriverFeatureSelect, 2);
  host.write_word(kCommonDriverFeature, 0);
  host.write_word(kCommonDriverFeature, 1);
  EXPECT_EQ(host.read_word(kCommonDriverFeature), 0u);
  host.set_status(kProbed);
  EXPECT_EQ(host.status() & kStatusFeaturesOk, 0u);
}

TEST(HostProbe, FewerFeaturesWillDo) {
  HostBench host;
  const std::uint64_t least =
      (1ull << kFeatureVersion1) | (1ull << kFeatureRingPacked) | (1ull << kFeatureAccessPlatform);
  host.negotiate(least);
  EXPECT_EQ(host.status(), kProbed);
  EXPECT_EQ(host.top->features_o, least);
}

TEST(HostProbe, FeaturesAreFrozenByFeaturesOk) {
  HostBench host;
  host.negotiate(kAllOffered);
  host.accept_features(0);
  EXPECT_EQ(host.top->features_o, kAllOffered);
  host.write_word(kCommonDriverFeatureSelect, 1);
  EXPECT_EQ(host.read_word(kCommonDriverFeature), static_cast<std::uint32_t>(kAllOffered >> 32));
}

TEST(HostProbe, StatusBitsAreOnlySet) {
  HostBench host;
  host.negotiate(kAllOffered);
  host.set_status(kStatusAcknowledge);
  EXPECT_EQ(host.status(), kProbed);
  host.set_status(kStatusNeedsReset | 0x30);  // not the driver's
  EXPECT_EQ(host.status(), kProbed);
  host.set_status(kRunning);
  host.tick(2);
  EXPECT_TRUE(host.top->run_o);
  host.set_status(kStatusFailed);
  EXPECT_EQ(host.status(), kRunning | kStatusFailed);
  EXPECT_FALSE(host.top->run_o);
  EXPECT_TRUE(host.top->stop_o);
}

TEST(HostProbe, FieldsOfOneWordAreWrittenApart) {
  HostBench host;
  host.negotiate(kAllOffered);
  // device_status and queue_select share a word; so do queue_size and queue_msix_vector.
  host.select_queue(1);
  EXPECT_EQ(host.status(), kProbed);
  host.write16(kCommonQueueMsixVector, 2);
  EXPECT_EQ(host.read16(kCommonQueueSize), host.ring_max);
  host.write16(kCommonQueueSize, 100);
  EXPECT_EQ(host.read16(kCommonQueueMsixVector), 2u);
  EXPECT_EQ(host.read16(kCommonQueueSize), 100u);
  // A status of 0 outside the strobes is no reset.
  host.write_word(kCommonDeviceStatus, 0, 0xC);
  host.tick(50);
  EXPECT_EQ(host.status(), kProbed);
  EXPECT_EQ(host.read16(kCommonQueueSelect), 0u);
  // Bytes of wider fields.
  host.write8(kCommonDriverFeatureSelect + 1, 0x12);
  EXPECT_EQ(host.read_word(kCommonDriverFeatureSelect), 0x1201u);
  host.write64(kCommonQueueDesc, 0x1122334455667788ull);
  host.write8(kCommonQueueDesc + 5, 0xAA);
  EXPECT_EQ(host.read64(kCommonQueueDesc), 0x1122AA4455667788ull);
  host.write_word(kCommonQueueDesc, 0xFFFFFFFF, 0);
  EXPECT_EQ(host.read64(kCommonQueueDesc), 0x1122AA4455667788ull);
}

TEST(HostProbe, QueuesKeepTheirFieldsApart) {
  HostBench host;
  host.negotiate(kAllOffered);
  for (std::uint32_t queue = 0; queue < host.queues; ++queue) {
    host.select_queue(queue);
    host.write16(kCommonQueueSize, 3 + 7 * queue);
    host.write16(kCommonQueueMsixVector, host.vectors - 1 - queue);
    host.write64(kCommonQueueDesc, 0xD000'0000'0000'0010ull + queue);
    host.write64(kCommonQueueDriver, 0xE000'0000'0000'0020ull + queue);
    host.write64(kCommonQueueDevice, 0xF000'0000'0000'0030ull + queue);
  }
  for (std::uint32_t queue = 0; queue < host.queues; ++queue) {
    host.select_queue(queue);
    EXPECT_EQ(host.read16(kCommonQueueSize), 3 + 7 * queue);
    EXPECT_EQ(host.read16(kCommonQueueMsixVector), host.vectors - 1 - queue);
    EXPECT_EQ(host.read64(kCommonQueueDesc), 0xD000'0000'0000'0010ull + queue);
    EXPECT_EQ(host.read64(kCommonQueueDriver), 0xE000'0000'0000'0020ull + queue);
    EXPECT_EQ(host.read64(kCommonQueueDevice), 0xF000'0000'0000'0030ull + queue);
  }
}

TEST(HostProbe, RefusesSizesAndVectorsOutOfRange) {
  HostBench host;
  host.negotiate(kAllOffered);
  host.write16(kCommonQueueSize, 7);
  for (std::uint32_t size : {0u, host.ring_max + 1, 0xFFFFu}) {
    host.write16(kCommonQueueSize, size);
    EXPECT_EQ(host.read16(kCommonQueueSize), 7u);
  }
  host.write16(kCommonQueueSize, host.ring_max);
  EXPECT_EQ(host.read16(kCommonQueueSize), host.ring_max);
  for (std::uint32_t vector : {host.vectors, 0x8000u, 0xFFFEu, 0xFFFFu}) {
    host.write16(kCommonQueueMsixVector, 0);
    EXPECT_EQ(host.read16(kCommonQueueMsixVector), 0u);
    host.write16(kCommonQueueMsixVector, vector);
    EXPECT_EQ(host.read16(kCommonQueueMsixVector), kNoVector);
    host.write16(kCommonConfigMsixVector, 1);
    EXPECT_EQ(host.read16(kCommonConfigMsixVector), 1u);
    host.write16(kCommonConfigMsixVector, vector);
    EXPECT_EQ(host.read16(kCommonConfigMsixVector), kNoVector);
  }
}

TEST(HostProbe, QueuesThatDoNotExistReadAsZero) {
  HostBench host;
  host.negotiate(kAllOffered);
  for (std::uint32_t queue : {host.queues, host.queues + 1, 0xFFFFu}) {
    host.select_queue(queue);
    EXPECT_EQ(host.read16(kCommonQueueSelect), queue);
    host.write16(kCommonQueueSize, 4);
    host.write16(kCommonQueueEnable, 1);
    host.write64(kCommonQueueDesc, ~0ull);
    EXPECT_EQ(host.read16(kCommonQueueSize), 0u);
    EXPECT_EQ(host.read16(kCommonQueueEnable), 0u);
    EXPECT_EQ(host.read64(kCommonQueueDesc), 0u);
  }
  EXPECT_TRUE(host.enabled.empty());
  for (std::uint32_t queue = 0; queue < host.queues; ++queue) {
    host.select_queue(queue);
    EXPECT_EQ(host.read64(kCommonQueueDesc), 0u);
    EXPECT_EQ(host.read16(kCommonQueueSize), host.ring_max);
  }
}

TEST(HostProbe, AnEnabledQueueKeepsItsPlace) {
  HostBench host;
  host.bring_up();
  host.select_queue(0);
  host.write16(kCommonQueueSize, 4);
  host.write64(kCommonQueueDesc, ~0ull);
  host.write16(kCommonQueueEnable, 0);
  host.write16(kCommonQueueEnable, 1);
  EXPECT_EQ(host.read16(kCommonQueueSize), host.ring_max);
  EXPECT_EQ(host.read64(kCommonQueueDesc), 0x1'0000'0000ull);
  EXPECT_EQ(host.read16(kCommonQueueEnable), 1u);
  EXPECT_EQ(host.enabled.size(), host.queues);
  // Its vector may still change.
  host.write16(kCommonQueueMsixVector, kNoVector);
  EXPECT_EQ(host.read16(kCommonQueueMsixVector), kNoVector);
  EXPECT_EQ(host.read16(kCommonQueueSize), host.ring_max);
}

TEST(HostProbe, HandOverWaitsForTheEngine) {
  HostBench host;
  host.negotiate(kAllOffered);
  host.enable_ready = false;
  host.write64(kCommonQueueDesc, 0x1234'5678'9ABC'DEF0ull);
  host.top->s_axil_awaddr_i = kCommonQueueEnable & ~3u;
  host.top->s_axil_wdata_i = 1;
  host.top->s_axil_wstrb_i = 3;
  host.top->s_axil_awvalid_i = 1;
  host.top->s_axil_wvalid_i = 1;
  host.tick();
  host.top->s_axil_awvalid_i = 0;
  host.top->s_axil_wvalid_i = 0;
  for (unsigned i = 0; i < 100; ++i) {
    host.tick();
    EXPECT_FALSE(host.top->s_axil_bvalid_o);
  }
  EXPECT_TRUE(host.top->en_valid_o);
  EXPECT_EQ(host.top->en_desc_o, 0x1234'5678'9ABC'DEF0ull);
  EXPECT_TRUE(host.enabled.empty());
  host.enable_ready = true;
  host.settle();
  EXPECT_EQ(host.enabled.size(), 1u);
  EXPECT_EQ(host.read16(kCommonQueueEnable), 1u);
}

}  // namespace
}  // namespace nicroscope::test
