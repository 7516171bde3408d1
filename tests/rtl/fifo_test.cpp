// SPDX-License-Identifier: Apache-2.0
// fifo with a depth that is not a power of two.

#include "Vfifo.h"
#include "tests/rtl/support/fifo_check.h"

namespace nicroscope::test {
namespace {

constexpr std::size_t kDepth = 5;

TEST(Fifo, RandomTrafficKeepsOrderAndCount) {
  FifoCheck<Vfifo> fifo(kDepth);
  fifo.traffic(20000);
  EXPECT_GT(fifo.moved(), 2000u);
}

TEST(Fifo, LatencyThroughputAndCapacity) {
  FifoCheck<Vfifo> fifo(kDepth);
  fifo.promises(1);
}

}  // namespace
}  // namespace nicroscope::test
