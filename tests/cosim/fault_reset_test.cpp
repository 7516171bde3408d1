// SPDX-License-Identifier: Apache-2.0
// Resets of single queues (virtio 1.2, 2.6.1) where no driver should ask for them, or at bad
// moments.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/cosim/fault_host.h"

namespace nicroscope::test {
namespace {

using namespace regs;  // NOLINT: the registers' names
using std::chrono::microseconds;

class QueueReset : public testing::Test {
 protected:
  // Runs on each profile.
  template <typename Body>
  static void on_each(Body body) {
    for (const char* profile : {"edge10", "dc25"}) {
      SCOPED_TRACE(profile);
      FaultHost host(profile);
      ASSERT_NE(host.offered() & feature(kFeatureRingReset), 0U);
      body(host);
      host.expect_service();
      host.expect_conservation();
    }
  }
};

TEST_F(QueueReset, MisusedIsOneResetOrNone) {
  on_each([](FaultHost& host) {
    host.start();
    for (const unsigned virtqueue : {0U, 1U, host.control()}) {
      host.set_common(kCommonQueueSelect, 2, virtqueue);
      for (const std::uint32_t value : {0U, 2U, 0x101U, 0xffffU}) {
        host.set_common(kCommonQueueReset, 2, value);
        EXPECT_EQ(host.common(kCommonQueueReset, 2), 0U) << value;
        EXPECT_EQ(host.common(kCommonQueueEnable, 2), 1U) << value;
      }
      host.set_common(kCommonQueueReset, 2, 1);  // and a second one in reset_queue
      EXPECT_TRUE(host.reset_queue(virtqueue));
    }
    for (const unsigned virtqueue : {host.control() + 1, 0xffffU}) {
      host.set_common(kCommonQueueSelect, 2, virtqueue);
      host.set_common(kCommonQueueReset, 2, 1);
      EXPECT_EQ(host.common(kCommonQueueReset, 2), 0U);
    }
    host.reset();
    // Of queues that are not enabled.
    EXPECT_TRUE(host.negotiate(host.offered()));
    for (unsigned virtqueue = 0; virtqueue <= host.control(); ++virtqueue) {
      host.set_common(kCommonQueueSelect, 2, virtqueue);
      host.set_common(kCommonQueueReset, 2, 1);
      EXPECT_TRUE(host.run_until([&] { return host.common(kCommonQueueReset, 2) == 0; }));
    }
    host.reset();
    host.start();
  });
}

TEST_F(QueueReset, AtAnyMomentLosesNothingOfOtherQueues) {
  on_each([](FaultHost& host) {
    sim::Random random(8);
    host.start();
    for (unsigned n = 0; n < 60; ++n) {
      const auto virtqueue = static_cast<unsigned>(random.below(host.control() + 1));
      if (virtqueue != 0) host.receive(static_cast<unsigned>(random.below(8)));
      const auto pair = static_cast<unsigned>(random.below(host.pairs()));
      host.send(static_cast<unsigned>(random.below(8)), pair);
      host.run_for(Duration{static_cast<std::int64_t>(random.below(10'000'000))});
      ASSERT_TRUE(host.reset_queue(virtqueue)) << "virtqueue " << virtqueue;
    }
    EXPECT_TRUE(host.simulation().bus().faults().empty());
  });
}

TEST_F(QueueReset, OfAQueueInErrorEndsWithADeviceReset) {
  on_each([](FaultHost& host) {
    for (const unsigned virtqueue : {1U, host.control()}) {
      host.start();
      host.receive(5);
      Piece bad = host.buffer(virtqueue, 100, false);
      bad.bytes = 0;
      const unsigned slot = host.give(virtqueue, {bad});
      host.set_common(kCommonQueueSelect, 2, virtqueue);
      host.set_common(kCommonQueueReset, 2, 1);
      host.run_for(microseconds{20});
      if ((host.status() & kStatusNeedsReset) != 0) {
        EXPECT_EQ(host.record(), (ErrorRecord{kErrorZeroLength, virtqueue, slot, bad.address}));
      } else {  // the reset came first
        EXPECT_EQ(host.common(kCommonQueueReset, 2), 0U);
      }
      host.reset();
    }
    host.start();
  });
}

}  // namespace
}  // namespace nicroscope::test
