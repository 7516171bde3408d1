// SPDX-License-Identifier: Apache-2.0
// fifo_ram with a depth that is not a power of two.

#include "Vfifo_ram.h"
#include "tests/rtl/support/fifo_check.h"

namespace nicroscope::test {
namespace {

constexpr std::size_t kDepth = 5;

TEST(FifoRam, RandomTrafficKeepsOrderAndCount) {
  FifoCheck<Vfifo_ram> fifo(kDepth);
  fifo.traffic(20000);
  EXPECT_GT(fifo.moved(), 2000u);
}

TEST(FifoRam, LatencyThroughputAndCapacity) {
  FifoCheck<Vfifo_ram> fifo(kDepth);
  fifo.promises(2);
}

}  // namespace
}  // namespace nicroscope::test
