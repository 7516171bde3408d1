// SPDX-License-Identifier: Apache-2.0
#include "tests/support/coverage.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <stdexcept>

namespace nicroscope::test {
namespace {

Coverage two_axes() {
  Coverage coverage;
  coverage.declare("c", {{"a", {"0", "1"}}, {"b", {"x", "y"}}},
                   [](const Coverage::Bin& bin) { return bin[0] == "1" || bin[1] == "x"; });
  return coverage;
}

TEST(Coverage, MissesWhatIsRequiredAndExpected) {
  Coverage coverage = two_axes();
  EXPECT_TRUE(coverage.missing().empty()) << "nothing is expected yet";
  coverage.expect("c");
  coverage.hit("c", {"1", "x"});
  coverage.hit("c", {"0", "x"});
  EXPECT_EQ(coverage.missing(), (std::vector<std::string>{"c: a=1 b=y"}));
  coverage.hit("c", {"1", "y"});
  EXPECT_TRUE(coverage.missing().empty()) << "a=0 b=y is not required";
}

TEST(Coverage, RefusesWhatWasNotDeclared) {
  Coverage coverage = two_axes();
  EXPECT_THROW(coverage.hit("c", {"2", "x"}), std::logic_error);
  EXPECT_THROW(coverage.hit("d", {"1", "x"}), std::logic_error);
}

TEST(Coverage, WritesEveryBin) {
  Coverage coverage = two_axes();
  coverage.hit("c", {"0", "y"});
  const auto json = nlohmann::json::parse(coverage.json());
  ASSERT_EQ(json.size(), 1U);
  EXPECT_EQ(json[0]["cross"], "c");
  ASSERT_EQ(json[0]["bins"].size(), 4U);
  EXPECT_EQ(json[0]["bins"][1]["hits"], 1);
  EXPECT_EQ(json[0]["bins"][1]["required"], false);
}

}  // namespace
}  // namespace nicroscope::test
