// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "stack/kernel/builtin_profiles.h"
#include "stack/kernel/cost.h"

namespace nicroscope::test {
namespace {

using kernel::Cost;
using kernel::CostProfile;

std::string error_of(std::string_view text) {
  const auto loaded = CostProfile::parse(text, "my.toml");
  EXPECT_FALSE(loaded.profile.has_value());
  return loaded.error;
}

TEST(CostProfile, TheDefaultNamesASourceForEveryCost) {
  const CostProfile& profile = CostProfile::builtin();
  for (std::size_t i = 0; i < kernel::kCosts; ++i) {
    EXPECT_FALSE(profile.source(static_cast<Cost>(i)).empty()) << kernel::kCostInfo[i].name;
    EXPECT_GT(profile[static_cast<Cost>(i)], Duration::zero()) << kernel::kCostInfo[i].name;
  }
}

TEST(CostProfile, AFileChangesWhatItNames) {
  const auto loaded = CostProfile::parse(
      "name = \"mine\"\n[costs]\nirq_entry = { ns = 0.5, source = \"measured\" }\n", "my.toml");
  ASSERT_TRUE(loaded.profile.has_value()) << loaded.error;
  EXPECT_EQ(loaded.profile->name(), "mine");
  EXPECT_EQ((*loaded.profile)[Cost::irq_entry], Duration{500});
  EXPECT_EQ(loaded.profile->source(Cost::irq_entry), "measured");
  EXPECT_EQ((*loaded.profile)[Cost::irq_exit], CostProfile::builtin()[Cost::irq_exit]);
}

TEST(CostProfile, SaysWhatIsWrongAndWhatWouldDo) {
  EXPECT_EQ(error_of("[costs]\nirq_enty = { ns = 1.0, source = \"x\" }"),
            "my.toml: costs.irq_enty: unknown key; the costs are listed in "
            "stack/kernel/costs.def");
  EXPECT_EQ(error_of("[costs]\nirq_entry = { ns = -1.0, source = \"x\" }"),
            "my.toml: costs.irq_entry.ns: must be a number from 0 to 1000000 (1 ms)");
  EXPECT_EQ(error_of("[costs]\nirq_entry = { ns = 2e6, source = \"x\" }"),
            "my.toml: costs.irq_entry.ns: must be a number from 0 to 1000000 (1 ms)");
  EXPECT_EQ(error_of("[costs]\nirq_entry = { ns = nan, source = \"x\" }"),
            "my.toml: costs.irq_entry.ns: must be a number from 0 to 1000000 (1 ms)");
  EXPECT_EQ(error_of("[costs]\nirq_entry = { ns = 1.0 }"),
            "my.toml: costs.irq_entry.source: must say where the figure comes from");
  EXPECT_EQ(error_of("[costs]\nirq_entry = 5"),
            "my.toml: costs.irq_entry: must be { ns = ..., source = \"...\" }");
  EXPECT_EQ(error_of("[costs]\nirq_entry = { ns = 1.0, source = \"x\", us = 1 }"),
            "my.toml: costs.irq_entry.us: unknown key; ns and source are accepted");
  EXPECT_EQ(error_of("[cost]\n"),
            "my.toml: cost: unknown key; name = \"...\", scale and [costs] are accepted");
  EXPECT_NE(error_of("[costs\n").find("my.toml: line "), std::string::npos);
  for (const char* scale :
       {"1", "{ factor = 2.0 }", "{ factor = 0.0, source = \"x\" }",
        "{ factor = 101.0, source = \"x\" }", "{ factor = 2.0, source = \"x\", ns = 1 }"}) {
    EXPECT_EQ(error_of("scale = " + std::string(scale)),
              "my.toml: scale: must be { factor = a number over 0, at most 100, source = "
              "\"...\" }")
        << scale;
  }
  EXPECT_TRUE(CostProfile::load("/does/not/exist.toml")
                  .error.starts_with("/does/not/exist.toml: cannot be read; profiles of the "
                                     "program are "));
}

TEST(CostProfile, AScaledOneIsTheBaseButForWhatItNames) {
  const auto loaded = CostProfile::parse(
      "[costs]\nirq_exit = { ns = 7.0, source = \"x\" }\n"
      "[scale]\nfactor = 2.5\nsource = \"fitted\"\n",
      "my.toml");
  ASSERT_TRUE(loaded.profile.has_value()) << loaded.error;
  EXPECT_EQ((*loaded.profile)[Cost::irq_exit], Duration{7000});
  EXPECT_EQ((*loaded.profile)[Cost::irq_entry].count() * 2,
            CostProfile::builtin()[Cost::irq_entry].count() * 5);
  EXPECT_EQ(loaded.profile->source(Cost::irq_entry), "fitted");
}

TEST(CostProfile, TheProgramsOwnAreFoundByName) {
  for (const kernel::BuiltinProfile& profile : kernel::kBuiltinProfiles) {
    const auto loaded = CostProfile::load(std::string(profile.name));
    ASSERT_TRUE(loaded.profile.has_value()) << loaded.error;
    if (profile.name != "default") {
      EXPECT_EQ(loaded.profile->name(), profile.name);
    }
  }
}

}  // namespace
}  // namespace nicroscope::test
