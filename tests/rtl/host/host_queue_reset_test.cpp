// SPDX-License-Identifier: Apache-2.0
// Queue reset (virtio 1.2, 2.6.1 and 4.1.4.3). Needs a device that offers RING_RESET.
#include "tests/rtl/host/host_bench.h"

namespace nicroscope::test {
namespace {

using namespace regs;

constexpr std::uint64_t kRingReset = 1ull << kFeatureRingReset;
static_assert((kAllOffered & kRingReset) != 0);

class HostQueueReset : public testing::Test {
 protected:
  // How often queue_reset is read before it says that the reset is complete.
  unsigned wait(unsigned limit = 1000) {
    unsigned reads = 0;
    while (host.read16(kCommonQueueReset) != 0 && reads < limit) ++reads;
    EXPECT_LT(reads, limit);
    return reads;
  }
  void expect_defaults() {
    EXPECT_EQ(host.read16(kCommonQueueReset), 0u);
    EXPECT_EQ(host.read16(kCommonQueueEnable), 0u);
    EXPECT_EQ(host.read16(kCommonQueueSize), host.ring_max);
    EXPECT_EQ(host.read16(kCommonQueueMsixVector), kNoVector);
    EXPECT_EQ(host.read64(kCommonQueueDesc), 0u);
    EXPECT_EQ(host.read64(kCommonQueueDriver), 0u);
    EXPECT_EQ(host.read64(kCommonQueueDevice), 0u);
  }
  HostBench host;
};

TEST_F(HostQueueReset, ReadsOneUntilTheEngineIsDone) {
  host.bring_up();
  host.reset_ready = false;
  host.select_queue(1);
  host.write16(kCommonQueueReset, 1);
  for (unsigned i = 0; i < 20; ++i) {
    EXPECT_EQ(host.read16(kCommonQueueReset), 1u);
    EXPECT_EQ(host.read16(kCommonQueueEnable), 1u);
    EXPECT_TRUE(host.top->qrst_valid_o);
    EXPECT_EQ(host.top->qrst_queue_o, host.virtqueue(1));
  }
  EXPECT_FALSE(host.top->idle_o);
  host.select_queue(0);
  EXPECT_EQ(host.read16(kCommonQueueReset), 0u) << "another queue";
  host.select_queue(1);
  host.reset_ready = true;
  host.settle();
  ASSERT_EQ(host.queue_resets.size(), 1u);
  EXPECT_EQ(host.queue_resets[0], host.virtqueue(1));
  expect_defaults();
  EXPECT_EQ(host.status(), kRunning);
}

TEST_F(HostQueueReset, LeavesTheOtherQueuesAlone) {
  host.bring_up();
  for (std::uint32_t queue = 0; queue < host.queues; ++queue) {
    host.select_queue(queue);
    host.write16(kCommonQueueReset, 1);
    wait();
    expect_defaults();
    EXPECT_EQ(host.queue_resets.back(), host.virtqueue(queue));
    for (std::uint32_t other = queue + 1; other < host.queues; ++other) {
      host.select_queue(other);
      EXPECT_EQ(host.read16(kCommonQueueEnable), 1u);
      EXPECT_EQ(host.read16(kCommonQueueMsixVector), other + 1);
      EXPECT_EQ(host.read64(kCommonQueueDesc), 0x1'0000'0000ull + 0x10000ull * other);
    }
  }
}

TEST_F(HostQueueReset, TheQueueMayBeEnabledAgainWithOtherFields) {
  host.bring_up();
  host.enabled.clear();
  for (unsigned round = 1; round <= 5; ++round) {
    host.select_queue(0);
    host.write16(kCommonQueueReset, 1);
    wait();
    host.write16(kCommonQueueSize, 8 * round);
    host.write16(kCommonQueueMsixVector, 2);
    host.write64(kCommonQueueDesc, 0x7000ull * round);
    host.write16(kCommonQueueEnable, 1);
    EXPECT_EQ(host.read16(kCommonQueueEnable), 1u);
    EXPECT_EQ(host.read16(kCommonQueueReset), 0u);
    ASSERT_EQ(host.enabled.size(), round);
    EXPECT_EQ(host.enabled.back().queue, 0u);
    EXPECT_EQ(host.enabled.back().size, 8 * round);
    EXPECT_EQ(host.enabled.back().desc, 0x7000ull * round);
    host.raise(0);
    host.settle();
    EXPECT_EQ(host.messages_of(2), round);
  }
}

TEST_F(HostQueueReset, ComesAfterTheLastMessage) {
  for (unsigned when = 0; when < 40; ++when) {
    host.messages.clear();
    host.bring_up();
    host.message_latency = 60;
    host.raise(0);
    host.tick(when);
    host.select_queue(0);
    host.reset_ready = false;
    host.write16(kCommonQueueReset, 1);
    while (!host.raised_all()) host.tick();  // the engine has nothing more to say
    host.reset_ready = true;
    host.raise(1);  // another queue goes on
    wait();
    const std::uint64_t done = host.cycle;
    ASSERT_EQ(host.messages_of(1), 1u);
    EXPECT_GT(done, host.messages.front().cycle + 60) << "its message was answered";
    host.settle();
    EXPECT_EQ(host.messages_of(2), 1u);
  }
}

TEST_F(HostQueueReset, OneAtATimeInTheOrderAskedFor) {
  host.bring_up();
  for (std::uint32_t queue = 0; queue < host.queues; ++queue) {
    host.select_queue(queue);
    host.write16(kCommonQueueReset, 1);
    host.write16(kCommonQueueReset, 1);  // again, to no effect, or as the first
  }
  host.settle();
  EXPECT_GE(host.queue_resets.size(), host.queues);
  for (std::uint32_t queue = 0; queue < host.queues; ++queue) {
    host.select_queue(queue);
    expect_defaults();
  }
}

TEST_F(HostQueueReset, OfAQueueThatIsNotEnabledAsksNoEngine) {
  host.negotiate(kAllOffered);
  host.reset_ready = false;
  host.select_queue(1);
  host.write16(kCommonQueueSize, 16);
  host.write64(kCommonQueueDesc, 0x1234);
  host.write16(kCommonQueueReset, 1);
  wait();
  expect_defaults();
  EXPECT_TRUE(host.queue_resets.empty());
}

TEST_F(HostQueueReset, NeedsTheFeatureAndAQueueAndAOne) {
  host.negotiate(kAllOffered & ~kRingReset);
  host.write16(kCommonQueueEnable, 1);
  host.write16(kCommonQueueReset, 1);
  EXPECT_EQ(host.read16(kCommonQueueReset), 0u);
  EXPECT_EQ(host.read16(kCommonQueueEnable), 1u);
  host.bring_up();
  host.select_queue(0);
  host.write16(kCommonQueueReset, 0);
  host.write16(kCommonQueueReset, 2);
  host.write8(kCommonQueueReset, 1);
  EXPECT_EQ(host.read16(kCommonQueueEnable), 1u);
  host.select_queue(host.queues);
  host.write16(kCommonQueueReset, 1);
  EXPECT_EQ(host.read16(kCommonQueueReset), 0u);
  host.settle();
  EXPECT_TRUE(host.queue_resets.empty());
}

TEST_F(HostQueueReset, ADeviceResetEndsIt) {
  host.bring_up();
  host.reset_ready = false;
  host.select_queue(1);
  host.write16(kCommonQueueReset, 1);
  host.tick(20);
  host.set_status(0);
  host.settle();
  EXPECT_EQ(host.status(), 0u);
  EXPECT_FALSE(host.top->qrst_valid_o);
  host.reset_ready = true;
  host.bring_up();
  host.select_queue(1);
  EXPECT_EQ(host.read16(kCommonQueueReset), 0u);
  EXPECT_EQ(host.read16(kCommonQueueEnable), 1u);
}

TEST_F(HostQueueReset, ABrokenDeviceAnswersAllTheSame) {
  host.bring_up();
  host.reset_ready = false;
  host.select_queue(0);
  host.write16(kCommonQueueReset, 1);
  host.set_error({kErrorDmaRead, 0, 0, 0});
  host.tick(20);
  host.select_queue(1);
  host.write16(kCommonQueueReset, 1);  // would wait for the other's end
  EXPECT_EQ(host.status(), kRunning | kStatusNeedsReset);
  host.clear_error();
  host.set_status(0);
  host.settle();
  EXPECT_EQ(host.status(), 0u);
}

}  // namespace
}  // namespace nicroscope::test
