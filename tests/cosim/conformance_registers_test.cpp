// SPDX-License-Identifier: Apache-2.0
// Requirements on the device's PCI function, its registers and its life (docs/conformance/basic.md
// and pci.md), on the whole RTL.
#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <map>
#include <string>
#include <vector>

#include "tests/cosim/conformance_rig.h"

namespace nicroscope::test {
namespace {

using namespace regs;
using std::chrono::microseconds;

constexpr std::uint64_t bit(unsigned feature) { return std::uint64_t{1} << feature; }

constexpr std::uint64_t kLeast =
    bit(kFeatureVersion1) | bit(kFeatureRingPacked) | bit(kFeatureAccessPlatform);
constexpr unsigned kPciStatusInterrupt = 0x08;

golden::Bytes make_frame(unsigned seed, std::size_t bytes = 200) {
  golden::Bytes frame(bytes, std::byte{static_cast<std::uint8_t>(seed)});
  std::fill_n(frame.begin(), 6, std::byte{0xff});
  return frame;
}

/// In both forms: with its MAC and one pair, and the core with four.
class ConformanceRegisters : public testing::TestWithParam<const char*> {
 protected:
  ConformanceRig rig{GetParam()};

  /// Virtio capabilities by their type: where they are in configuration space.
  std::map<unsigned, unsigned> capabilities() {
    std::map<unsigned, unsigned> found;
    for (unsigned at = rig.config_read(0x34, 1); at != 0; at = rig.config_read(at + 1, 1)) {
      if (rig.config_read(at, 1) == 0x09) found.emplace(rig.config_read(at + 3, 1), at);
    }
    return found;
  }
};

TEST_P(ConformanceRegisters, TheFunctionSaysWhatItIs) {
  EXPECT_EQ(rig.config_read(0x00, 2), 0x1AF4U);
  EXPECT_EQ(rig.config_read(0x02, 2), 0x1040U + 1) << "the virtio id of network devices is 1";
  EXPECT_GE(rig.config_read(0x08, 1), 1U);
  EXPECT_GE(rig.config_read(0x2E, 2), 0x40U);
}

TEST_P(ConformanceRegisters, CapabilitiesAreWhole) {
  std::map<unsigned, unsigned> extent;  // from, to, of all capabilities
  unsigned vectors = 0;
  for (unsigned at = rig.config_read(0x34, 1); at != 0; at = rig.config_read(at + 1, 1)) {
    ASSERT_EQ(at % 4, 0U);
    ASSERT_GE(at, 0x40U);
    const unsigned id = rig.config_read(at, 1);
    extent[at] = at + (id == 0x09 ? rig.config_read(at + 2, 1) : 12);
    if (id == 0x11) vectors = (rig.config_read(at + 2, 2) & 0x7FF) + 1;
    ASSERT_LT(extent.size(), 48U) << "a list without an end";
  }
  unsigned end = 0;
  for (const auto& [from, to] : extent) {
    EXPECT_GE(from, end) << "one capability lies over another";
    end = to;
  }
  EXPECT_LE(end, 256U);

  auto found = capabilities();
  struct Structure {
    unsigned type;
    std::uint32_t alignment;
    std::uint32_t least_bytes;
    unsigned cap_bytes;
  };
  for (const Structure& structure : {Structure{kPciCapCommon, 4, 0x3C, 16},
                                     {kPciCapNotify, 2, 2, 20},
                                     {kPciCapIsr, 1, 1, 16},
                                     {kPciCapDevice, 4, 0x18, 16}}) {
    ASSERT_EQ(found.count(structure.type), 1U) << structure.type;
    const unsigned at = found[structure.type];
    const std::uint32_t offset = rig.config_read(at + 8, 4);
    const std::uint32_t length = rig.config_read(at + 12, 4);
    EXPECT_EQ(rig.config_read(at + 2, 1), structure.cap_bytes);
    EXPECT_EQ(rig.config_read(at + 4, 1), 0U) << "the BAR";
    EXPECT_EQ(offset % structure.alignment, 0U) << structure.type;
    EXPECT_GE(length, structure.least_bytes) << structure.type;
    EXPECT_LE(offset + length, kBarBytes);
  }
  ASSERT_EQ(found.count(kPciCapPci), 1U);
  EXPECT_EQ(rig.config_read(found[kPciCapPci] + 2, 1), 20U);

  // One for each virtqueue and one for configuration changes: more could do nothing.
  EXPECT_EQ(vectors, rig.vectors());
  EXPECT_GE(vectors, 2U);
  EXPECT_LE(vectors, 0x800U);
}

TEST_P(ConformanceRegisters, DoorbellsLieInTheirRegion) {
  const unsigned at = capabilities()[kPciCapNotify];
  const std::uint32_t length = rig.config_read(at + 12, 4);
  const std::uint32_t multiplier = rig.config_read(at + 16, 4);
  EXPECT_TRUE(std::has_single_bit(multiplier));
  EXPECT_EQ(std::countr_zero(multiplier) % 2, 0) << "an even power of two";
  EXPECT_GE(length, 2U);
  // With control queue and many queues, and with neither.
  for (const std::uint64_t features : {rig.offered(), kLeast}) {
    ASSERT_TRUE(rig.negotiate(features));
    for (unsigned queue = 0; queue < rig.read(kCommonNumQueues, 2); ++queue) {
      rig.write(kCommonQueueSelect, 2, queue);
      EXPECT_GE(length, rig.read(kCommonQueueNotifyOff, 2) * multiplier + 2) << queue;
    }
  }
}

TEST_P(ConformanceRegisters, FeaturesInEveryWindow) {
  const std::uint64_t offered = rig.offered();
  EXPECT_EQ(offered, kFeaturesOffered);
  for (const std::uint32_t window : {2U, 3U, 31U, 0x8000'0000U, 0xFFFF'FFFFU}) {
    rig.write(kCommonDeviceFeatureSelect, 4, window);
    EXPECT_EQ(rig.read(kCommonDeviceFeature, 4), 0U) << window;
  }
  const auto has = [&](unsigned feature) { return (offered & bit(feature)) != 0; };
  EXPECT_TRUE(has(kFeatureVersion1));
  EXPECT_TRUE(has(kFeatureAccessPlatform));
  EXPECT_TRUE(has(kFeatureOrderPlatform));
  EXPECT_FALSE(has(kFeatureSrIov)) << "there is no such capability";
  EXPECT_TRUE(has(kFeatureCtrlVq) || (!has(kFeatureHashReport) && !has(kFeatureCtrlRxExtra)));
  // Bits that the standard gives no meaning for a network device on PCI.
  std::uint64_t known = 0;
  for (const auto& feature : kFeatures) known |= bit(feature.value);
  EXPECT_EQ(offered & ~known, 0U);

  // What a driver writes is shown, in its window and in no other.
  ASSERT_TRUE(rig.negotiate(kLeast));
  rig.reset();
  const std::uint32_t low = static_cast<std::uint32_t>(offered) & 0x5555'5555U;
  const std::uint32_t high = static_cast<std::uint32_t>(offered >> 32) & 0x3333'3333U;
  rig.write(kCommonDriverFeatureSelect, 4, 1);
  rig.write(kCommonDriverFeature, 4, high);
  rig.write(kCommonDriverFeatureSelect, 4, 0);
  rig.write(kCommonDriverFeature, 4, low);
  EXPECT_EQ(rig.read(kCommonDriverFeature, 4), low);
  rig.write(kCommonDriverFeatureSelect, 4, 1);
  EXPECT_EQ(rig.read(kCommonDriverFeature, 4), high);
  rig.write(kCommonDriverFeatureSelect, 4, 2);
  EXPECT_EQ(rig.read(kCommonDriverFeature, 4), 0U);
}

TEST_P(ConformanceRegisters, ConfigurationIsReadableBeforeFeaturesOk) {
  EXPECT_EQ(rig.status(), 0U);
  const golden::Bytes mac = rig.mac();
  EXPECT_EQ(golden::get8(mac, 0) & 1, 0) << "a station's address";
  const std::uint32_t pairs = rig.config(kDeviceConfigMaxVirtqueuePairs, 2);
  EXPECT_EQ(pairs, rig.pairs());
  EXPECT_TRUE(pairs >= 1 && pairs <= 0x8000);
  EXPECT_GE(rig.config(kDeviceConfigMtu, 2), 1280U);
  EXPECT_EQ(rig.config(kDeviceConfigSpeed, 4), rig.simulation().profile().link_mbps);
  EXPECT_EQ(rig.config(kDeviceConfigDuplex, 1), 1U) << "full, by 5.1.4";
  EXPECT_GE(rig.config(kDeviceConfigRssMaxKeySize, 1), 40U);
  EXPECT_GE(rig.config(kDeviceConfigRssMaxIndirectionTableLength, 2), 128U);
  EXPECT_NE(rig.config(kDeviceConfigSupportedHashTypes, 4), 0U);
  // In every width, before and after.
  for (const std::uint64_t features : {std::uint64_t{0}, rig.offered()}) {
    if (features != 0) {
      ASSERT_TRUE(rig.negotiate(features));
    }
    for (std::uint32_t at = 0; at < 0x18; at += 4) {
      const std::uint32_t word = rig.config(at, 4);
      for (std::uint32_t i = 0; i < 4; ++i) {
        EXPECT_EQ(rig.config(at + i, 1), word >> (8 * i) & 0xFF) << at + i;
      }
      EXPECT_EQ(rig.config(at, 2), word & 0xFFFF) << at;
      EXPECT_EQ(rig.config(at + 2, 2), word >> 16) << at;
    }
  }
}

TEST_P(ConformanceRegisters, TheSameFeaturesAreTakenAgain) {
  const std::uint64_t offered = rig.offered();
  for (unsigned round = 0; round < 3; ++round) {
    for (const std::uint64_t features :
         {offered, kLeast, kLeast | bit(kFeatureMrgRxbuf) | bit(kFeatureMac),
          offered & ~bit(kFeatureMq) & ~bit(kFeatureRss)}) {
      EXPECT_TRUE(rig.negotiate(features)) << std::hex << features;
      rig.enable_queues();
      if (round == 1) rig.driver_ok();
    }
  }
}

// Everything is there but DRIVER_OK: buffers, a frame to send, a command, frames on the wire, and a
// driver that rings although it must not.
TEST_P(ConformanceRegisters, NothingIsUsedBeforeDriverOk) {
  ASSERT_TRUE(rig.negotiate(rig.offered()));
  rig.enable_queues();
  const unsigned control = rig.control();
  rig.give(0, 4);
  rig.send(1, {}, make_frame(1));
  const Piece command[] = {{rig.arena().allocate(control, 3, DmaDirection::to_device), 3, false},
                           {rig.arena().allocate(control, 1, DmaDirection::from_device), 1, true}};
  rig.add(control, command);
  for (unsigned round = 0; round < 3; ++round) {
    for (unsigned queue = 0; queue < rig.queues(); ++queue) rig.doorbell(queue);
    rig.arrive(make_frame(2));
    rig.run(microseconds{20});
  }
  for (unsigned queue = 0; queue < rig.queues(); ++queue) {
    EXPECT_FALSE(rig.ring(queue).has_used()) << queue;
  }
  EXPECT_TRUE(rig.sent.empty());
  EXPECT_TRUE(rig.interrupts.empty());
  EXPECT_EQ(rig.counter(kCounterRxDropDisabled), 3U);

  rig.driver_ok();
  for (unsigned queue = 0; queue < rig.queues(); ++queue) rig.doorbell(queue);
  rig.arrive(make_frame(3));
  EXPECT_TRUE(rig.run_until([&] {
    return rig.ring(0).has_used() && rig.ring(1).has_used() && rig.ring(control).has_used();
  }));
  const auto frame = rig.receive();
  ASSERT_TRUE(frame);
  EXPECT_TRUE(frame->bytes == make_frame(3)) << "the first one since DRIVER_OK";
  EXPECT_EQ(rig.sent.size(), 1U);
}

// With its status 0 the device has no memory: an access would fail the test.
TEST_P(ConformanceRegisters, AfterAResetMemoryIsLeftAlone) {
  for (unsigned delay = 0; delay < 8; ++delay) {
    rig.start(rig.offered());
    rig.give(0, 32);
    for (unsigned i = 0; i < 10; ++i) {
      rig.arrive(make_frame(i, 900));
      rig.send(1, {}, make_frame(i, 900));
    }
    rig.run(microseconds{delay});
    rig.reset();
    rig.sent.clear();
    rig.interrupts.clear();
    for (unsigned i = 0; i < 3; ++i) {
      for (unsigned queue = 0; queue < 3; ++queue) {
        rig.write(kBarNotify + queue * kNotifyMultiplier, 2, queue);
      }
      rig.arrive(make_frame(i));
      rig.run(microseconds{5});
    }
    EXPECT_TRUE(rig.interrupts.empty()) << delay;
    EXPECT_TRUE(rig.sent.empty()) << delay;
    EXPECT_TRUE(rig.simulation().bus().faults().empty()) << delay;
    EXPECT_EQ(rig.status(), 0U);
  }
}

TEST_P(ConformanceRegisters, AnErrorTellsTheDriver) {
  rig.start(rig.offered());
  EXPECT_EQ(rig.read(kBarIsr, 1), 0U);
  const Piece empty{rig.arena().allocate(0, 64, DmaDirection::from_device), 0, true};
  rig.add(0, {&empty, 1});
  EXPECT_TRUE(rig.run_until([&] { return !rig.interrupts.empty(); }));
  EXPECT_EQ(rig.interrupts.at(0), 0U) << "the vector of configuration changes";
  EXPECT_NE(rig.status() & kStatusNeedsReset, 0U);
  EXPECT_EQ(rig.read(kBarIsr, 1), kIsrConfig);
  EXPECT_EQ(rig.read(kBarIsr, 1), 0U);
  rig.start(rig.offered());
  EXPECT_EQ(rig.status() & kStatusNeedsReset, 0U);
}

// Neither a doorbell nor what is in the ring makes a descriptor available, but its AVAIL bit alone.
TEST_P(ConformanceRegisters, ADoorbellMakesNothingAvailable) {
  rig.start(rig.offered());
  const std::uint16_t stale[] = {0, kDescFUsed, kDescFUsed | kDescFAvail, kDescFWrite};
  for (unsigned queue = 0; queue < rig.queues(); ++queue) {
    for (const std::uint16_t flags : stale) {
      auto& slot = rig.arena().at<virtio::PackedDescriptor>(rig.ring(queue).descriptors());
      slot.addr = 0x1234'5678;  // is mapped by nobody
      slot.len = 100;
      slot.flags = flags;
      rig.doorbell(queue);
      rig.arrive(make_frame(1));
      rig.run(microseconds{3});
      EXPECT_EQ(slot.flags, flags) << queue;
    }
  }
  EXPECT_TRUE(rig.interrupts.empty());
  EXPECT_TRUE(rig.sent.empty());
  EXPECT_EQ(rig.status() & kStatusNeedsReset, 0U);
}

TEST_P(ConformanceRegisters, AUsedElementStays) {
  rig.start(rig.offered());
  for (unsigned i = 0; i < 20; ++i) rig.send(1, {}, make_frame(i));
  rig.give(0, 20);
  for (unsigned i = 0; i < 10; ++i) rig.arrive(make_frame(i));
  EXPECT_TRUE(rig.run_until([&] { return rig.sent.size() == 20; }));
  rig.run(microseconds{20});
  const auto elements = [&](unsigned queue, std::size_t slots) {
    const auto bytes = rig.arena().bytes(rig.ring(queue).descriptors(), 16 * slots);
    return golden::Bytes(bytes.begin(), bytes.end());
  };
  // A used element is in the first slot of its chain.
  const golden::Bytes sent = elements(1, 40);
  const golden::Bytes received = elements(0, 10);
  for (unsigned i = 0; i < 10; ++i) rig.arrive(make_frame(100 + i));
  for (unsigned i = 0; i < 5; ++i) rig.send(1, {}, make_frame(100 + i));
  rig.run(microseconds{50});
  EXPECT_TRUE(elements(1, 40) == sent);
  EXPECT_TRUE(elements(0, 10) == received);
  unsigned frames = 0;
  while (rig.receive()) ++frames;
  EXPECT_EQ(frames, 20U);
}

// Each queue, in the middle of its work: from the end of its reset on an access to its memory would
// fail the test; the others go on; then it starts again with another size.
TEST_P(ConformanceRegisters, AQueueIsResetByItself) {
  ASSERT_NE(rig.offered() & bit(kFeatureRingReset), 0U);
  rig.start(rig.offered());
  const unsigned control = rig.control();
  rig.write(kCommonQueueSelect, 2, 0);
  EXPECT_EQ(rig.read(kCommonQueueReset, 2), 0U) << "after a device reset";
  for (unsigned round = 0; round < 6; ++round) {
    for (const unsigned queue : {0U, 1U}) {
      rig.give(0, 10 - std::min(10U, rig.ring(0).outstanding()));
      for (unsigned i = 0; i < 4; ++i) {
        rig.arrive(make_frame(i, 900));
        rig.send(1, {}, make_frame(i, 900));
      }
      rig.run(std::chrono::nanoseconds{700 * round});
      rig.reset_queue(queue);
      EXPECT_EQ(rig.read(kCommonQueueMsixVector, 2), kNoVector);
      EXPECT_GT(rig.read(kCommonQueueSize, 2), 64U) << "the largest again";
      EXPECT_EQ(rig.read(kCommonQueueDesc, 4), 0U);
      EXPECT_EQ(rig.read(kCommonQueueDriver, 4), 0U);
      EXPECT_EQ(rig.read(kCommonQueueDevice, 4), 0U);
      rig.run(microseconds{5});  // what the other one has under way
      rig.interrupts.clear();
      rig.doorbell(queue);
      rig.arrive(make_frame(9));
      EXPECT_TRUE(rig.command(kCtrlClassRx, kCtrlRxPromisc, {1}).ok()) << "control goes on";
      rig.run(microseconds{10});
      EXPECT_EQ(std::count(rig.interrupts.begin(), rig.interrupts.end(), queue + 1), 0) << queue;
      EXPECT_TRUE(rig.simulation().bus().faults().empty()) << queue;

      rig.enable_queue(queue, 17 + round);
      EXPECT_EQ(rig.read(kCommonQueueReset, 2), 0U);
      EXPECT_EQ(rig.read(kCommonQueueSize, 2), 17 + round);
      EXPECT_FALSE(rig.ring(queue).has_used());
      while (rig.receive()) {
      }
      while (rig.used(1)) {
      }
      rig.give(0, 8);
      rig.sent.clear();
      rig.send(1, {}, make_frame(77));
      rig.arrive(make_frame(78));
      EXPECT_TRUE(rig.run_until([&] {
        const auto sent_last = !rig.sent.empty() && rig.sent.back() == make_frame(77);
        return sent_last && rig.ring(1).has_used() && rig.ring(0).has_used();
      })) << queue;
      golden::Bytes last;
      EXPECT_TRUE(rig.run_until([&] {
        while (const auto frame = rig.receive()) last = frame->bytes;
        return last == make_frame(78);
      })) << queue;
      while (rig.used(1)) {
      }
    }
  }
  EXPECT_FALSE(rig.ring(control).has_used());
  // A device reset ends that of a queue.
  rig.write(kCommonQueueSelect, 2, 0);
  rig.write(kCommonQueueReset, 2, 1);
  rig.reset();
  rig.write(kCommonQueueSelect, 2, 0);
  EXPECT_EQ(rig.read(kCommonQueueReset, 2), 0U);
  EXPECT_EQ(rig.read(kCommonQueueEnable, 2), 0U);
}

TEST_P(ConformanceRegisters, EveryVectorForEveryEvent) {
  for (unsigned vector = 0; vector <= rig.vectors(); ++vector) {
    const unsigned mapped = vector < rig.vectors() ? vector : unsigned{kNoVector};
    rig.start(rig.offered());
    for (unsigned queue = 0; queue < rig.queues(); ++queue) {
      rig.set_queue_vector(queue, mapped);
      EXPECT_EQ(rig.read(kCommonQueueMsixVector, 2), mapped) << queue;
    }
    rig.write(kCommonConfigMsixVector, 2, mapped);
    EXPECT_EQ(rig.read(kCommonConfigMsixVector, 2), mapped);
    const std::vector<unsigned> one =
        vector < rig.vectors() ? std::vector{vector} : std::vector<unsigned>{};
    const auto expect_one = [&](unsigned queue, const char* what) {
      EXPECT_TRUE(rig.run_until([&] { return rig.ring(queue).has_used(); })) << what;
      rig.run(microseconds{5});
      EXPECT_EQ(rig.interrupts, one) << what << ", vector " << mapped;
      rig.interrupts.clear();
    };
    rig.give(0, 2);
    rig.arrive(make_frame(1));
    expect_one(0, "receive");
    rig.send(1, {}, make_frame(2));
    expect_one(1, "transmit");
    EXPECT_TRUE(rig.command(kCtrlClassRx, kCtrlRxPromisc, {1}).ok());
    rig.run(microseconds{5});
    EXPECT_EQ(rig.interrupts, one) << "control, vector " << mapped;
    rig.interrupts.clear();
    const Piece empty{rig.arena().allocate(0, 64, DmaDirection::from_device), 0, true};
    rig.add(0, {&empty, 1});
    rig.run(microseconds{10});
    EXPECT_NE(rig.status() & kStatusNeedsReset, 0U);
    EXPECT_EQ(rig.interrupts, one) << "configuration, vector " << mapped;
    rig.interrupts.clear();
  }
}

TEST_P(ConformanceRegisters, TheStatusBitFollowsTheIsr) {
  rig.start(rig.offered());
  rig.enable_msix(false);
  const auto pending = [&] { return (rig.config_read(0x06, 2) & kPciStatusInterrupt) != 0; };
  rig.give(0, 4);
  rig.run(microseconds{5});
  EXPECT_FALSE(pending());
  for (unsigned round = 0; round < 2; ++round) {
    rig.arrive(make_frame(round));
    EXPECT_TRUE(rig.run_until(pending));
    EXPECT_TRUE(rig.ring(0).has_used());
    EXPECT_EQ(rig.config_read(0x04, 4) >> 16, rig.config_read(0x06, 2));
    EXPECT_EQ(rig.read(kBarIsr, 1), kIsrQueue);
    EXPECT_FALSE(pending());
    EXPECT_TRUE(rig.receive());
  }
  const Piece empty{rig.arena().allocate(0, 64, DmaDirection::from_device), 0, true};
  rig.add(0, {&empty, 1});
  EXPECT_TRUE(rig.run_until(pending));
  EXPECT_EQ(rig.read(kBarIsr, 1), kIsrConfig);
  EXPECT_FALSE(pending());
  EXPECT_TRUE(rig.interrupts.empty()) << "no message without MSI-X";
}

INSTANTIATE_TEST_SUITE_P(Profiles, ConformanceRegisters, testing::Values("edge10", "dc25"),
                         [](const auto& test) { return std::string(test.param); });

}  // namespace
}  // namespace nicroscope::test
