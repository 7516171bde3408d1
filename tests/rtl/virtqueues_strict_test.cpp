// SPDX-License-Identifier: Apache-2.0
// virtqueues with StrictChains: a driver that sets a later descriptor's flags before its address,
// as Linux does, on a bus that samples a read's beats in any order.
#include <gtest/gtest.h>

#include "Vvq_dc25.h"
#include "Vvq_dc25___024root.h"
#include "tests/rtl/vq_bench.h"

namespace nicroscope::rtl_test {
namespace {

class VqStrict : public ::testing::TestWithParam<int> {};

TEST_P(VqStrict, NeverTakesAHalfWrittenDescriptor) {
  Bench<Vvq_dc25, 32, 4> bench(3000 + static_cast<std::uint64_t>(GetParam()));
  Random& random = bench.random;
  bench.timing = {.read_max = random.in(1, 200),
                  .write_max = random.in(1, 200),
                  .ready_percent = static_cast<unsigned>(random.in(30, 100)),
                  .scatter = true};
  DriverConfig config;
  config.size = static_cast<unsigned>(random.in(1, 300));
  config.total = 400;
  config.max_chain = static_cast<unsigned>(random.in(2, 40));
  config.max_burst = static_cast<unsigned>(random.in(1, 16));
  config.flags_first = true;
  const Driver& driver = bench.add_driver(1, config);
  bench.run_to_end(2'000'000);
  EXPECT_EQ(driver.reclaimed(), 400U);
}
INSTANTIATE_TEST_SUITE_P(Seeds, VqStrict, ::testing::Range(0, 30));

}  // namespace
}  // namespace nicroscope::rtl_test
