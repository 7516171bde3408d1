// SPDX-License-Identifier: Apache-2.0
// The driver's half of a packed ring against the model's, slot by slot.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <deque>
#include <random>

#include "driver/virtqueue.h"
#include "nicroscope/registers.h"
#include "tests/support/model_queue.h"
#include "tests/support/rig.h"

namespace nicroscope::test {
namespace {

using driver::Virtqueue;
using driver::VirtqueueBuffer;

constexpr std::array<std::uint16_t, 8> kSizes{1, 2, 3, 5, 16, 17, 255, 256};

struct RingRig : Rig {
  RingRig(std::uint16_t size, bool event_idx)
      : vq(kernel, 0, size, event_idx), bus(memory, {}), device(bus, ModelQueue::Kind::read) {
    bus.master_enabled = true;
    device.enable({size, vq.desc_address(), vq.driver_address(), vq.device_address()});
  }
  std::optional<std::uint16_t> add(unsigned pieces, std::uint64_t address = 0x1'0000'0000) {
    std::vector<VirtqueueBuffer> chain;
    for (unsigned i = 0; i < pieces; ++i) chain.push_back({address + i, 100 + i, false});
    return vq.add(chain);
  }
  Virtqueue vq;
  ModelBus bus;
  ModelQueue device;
};

TEST(Virtqueue, EveryChainComesBackOnceInAnyOrder) {
  for (const std::uint16_t size : kSizes) {
    for (const bool event_idx : {false, true}) {
      RingRig rig(size, event_idx);
      std::mt19937 random(size);
      std::deque<ModelQueue::Chain> held;
      std::vector<bool> out(size);
      std::uint64_t added = 0;
      std::uint64_t returned = 0;
      for (unsigned step = 0; step < 5'000; ++step) {
        switch (random() % 4) {
          case 0: {
            const unsigned pieces =
                1 + static_cast<unsigned>(random() % std::min<unsigned>(size, 20));
            const bool fits = pieces <= rig.vq.num_free();
            const auto id = rig.add(pieces, 0x1'0000'0000 + added * 64);
            ASSERT_EQ(id.has_value(), fits);
            if (!id) break;
            ASSERT_FALSE(out.at(*id));
            out.at(*id) = true;
            ++added;
            break;
          }
          case 1:
            if (auto chain = rig.device.pop()) {
              ASSERT_EQ(chain->pieces.front().length, 100U);
              ASSERT_EQ(chain->pieces.size(), chain->slots);
              held.push_back(std::move(*chain));
            }
            break;
          case 2:
            if (!held.empty()) {
              const auto n = static_cast<std::ptrdiff_t>(random() % held.size());
              rig.device.push({{held[static_cast<std::size_t>(n)].id, 7,
                                held[static_cast<std::size_t>(n)].slots}});
              held.erase(held.begin() + n);
            }
            break;
          default:
            if (const auto used = rig.vq.get_buf()) {
              ASSERT_TRUE(out.at(used->id));
              ASSERT_EQ(used->length, 7U);
              out.at(used->id) = false;
              ++returned;
            }
        }
        ASSERT_FALSE(rig.device.error().has_value());
        ASSERT_FALSE(rig.vq.broken());
      }
      while (rig.vq.get_buf()) ++returned;
      const auto outstanding = static_cast<std::uint64_t>(std::count(out.begin(), out.end(), true));
      EXPECT_GE(returned + outstanding, added);
      std::uint64_t detached = 0;
      rig.vq.detach_unused([&](std::uint16_t) { ++detached; });
      EXPECT_EQ(returned + detached, added);
      EXPECT_EQ(rig.vq.num_free(), size);
      EXPECT_GT(added, 100U);
    }
  }
}

TEST(Virtqueue, AKickIsDueExactlyWhenTheDeviceAsked) {
  RingRig rig(5, true);
  EXPECT_TRUE(rig.add(1).has_value());
  EXPECT_TRUE(rig.vq.kick_prepare()) << "ENABLE, which is 0, is what memory holds at first";
  rig.device.write_device_event(regs::kEventFlagsDisable, 0);
  EXPECT_TRUE(rig.add(1).has_value());
  EXPECT_FALSE(rig.vq.kick_prepare());
  rig.device.write_device_event(regs::kEventFlagsDesc, 3);
  EXPECT_TRUE(rig.add(1).has_value());
  EXPECT_FALSE(rig.vq.kick_prepare()) << "slot 2 was added, slot 3 was asked for";
  EXPECT_TRUE(rig.add(2).has_value());
  EXPECT_TRUE(rig.vq.kick_prepare());
  EXPECT_FALSE(rig.vq.kick_prepare()) << "nothing was added since";
}

TEST(Virtqueue, KicksByIndexNeverMissAWrap) {
  // The device waits at its own position; the driver adds: a kick is due for the first chain.
  for (const std::uint16_t size : kSizes) {
    RingRig rig(size, true);
    for (unsigned round = 0; round < 5U * size + 5; ++round) {
      rig.device.write_device_event(regs::kEventFlagsDesc, rig.device.avail_position());
      const unsigned pieces = 1 + round % size;
      ASSERT_TRUE(rig.add(pieces).has_value());
      ASSERT_TRUE(rig.vq.kick_prepare()) << "size " << size << " round " << round;
      const auto chain = rig.device.pop();
      ASSERT_TRUE(chain.has_value());
      rig.device.push({{chain->id, 0, chain->slots}});
      ASSERT_TRUE(rig.vq.get_buf().has_value());
    }
  }
}

TEST(Virtqueue, AnInterruptIsAskedForOrTheRaceIsSeen) {
  for (const std::uint16_t size : kSizes) {
    for (const bool event_idx : {false, true}) {
      RingRig rig(size, event_idx);
      std::mt19937 random(size);
      for (unsigned round = 0; round < 500; ++round) {
        ASSERT_TRUE(rig.add(1 + static_cast<unsigned>(random() % size)).has_value());
        const auto chain = rig.device.pop();
        rig.vq.disable_cb();
        ASSERT_FALSE(rig.device.wants_interrupt(event_idx));
        const bool early = random() % 2 == 0;
        if (early) rig.device.push({{chain->id, 0, chain->slots}});
        const std::uint16_t seen = rig.vq.enable_cb_prepare();
        ASSERT_EQ(rig.vq.poll(seen), early);
        if (!early) {
          rig.device.push({{chain->id, 0, chain->slots}});
          ASSERT_TRUE(rig.device.wants_interrupt(event_idx)) << "size " << size;
        }
        ASSERT_TRUE(rig.vq.get_buf().has_value());
        ASSERT_FALSE(rig.vq.get_buf().has_value());
      }
    }
  }
}

TEST(Virtqueue, DelayedInterruptsComeWhenThreeQuartersAreUsed) {
  RingRig rig(16, true);
  for (unsigned round = 0; round < 20; ++round) {
    std::vector<ModelQueue::Chain> chains;
    for (unsigned i = 0; i < 8; ++i) {
      ASSERT_TRUE(rig.add(1).has_value());
      chains.push_back(*rig.device.pop());
    }
    rig.vq.disable_cb();
    (void)rig.device.wants_interrupt(true);
    ASSERT_TRUE(rig.vq.enable_cb_delayed());
    for (unsigned i = 0; i < 8; ++i) {
      rig.device.push({{chains[i].id, 0, 1}});
      ASSERT_EQ(rig.device.wants_interrupt(true), i == 6) << "the seventh of eight";
    }
    rig.vq.disable_cb();
    while (rig.vq.get_buf()) {
    }
  }
}

TEST(Virtqueue, ThePartsAreAligned) {
  for (const std::uint16_t size : kSizes) {
    const RingRig rig(size, true);
    EXPECT_EQ(rig.vq.desc_address() % 16, 0U) << size;
    EXPECT_EQ(rig.vq.driver_address() % 4, 0U) << size;
    EXPECT_EQ(rig.vq.device_address() % 4, 0U) << size;
  }
}

TEST(Virtqueue, OutOfMemoryIsSaidAndNotMet) {
  Rig rig({}, std::size_t{64} << 10U);
  const Virtqueue vq(rig.kernel, 0, 32'768, true);
  EXPECT_FALSE(vq.valid());
}

}  // namespace
}  // namespace nicroscope::test
