// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "nicroscope/time.h"

namespace nicroscope::kernel {

/// Names what host software spends time on; the list is costs.def.
enum class Cost : std::uint16_t {
#define X(name, unit, text) name,
#include "stack/kernel/costs.def"
#undef X
  count_
};

/// So that code reads `spend(cost::irq_entry)`.
namespace cost {
using enum Cost;
}

inline constexpr std::size_t kCosts = static_cast<std::size_t>(Cost::count_);

struct CostInfo {
  std::string_view name;
  std::string_view unit;  ///< what one costs: an interrupt, a byte, a call
  std::string_view text;
};

/// Indexed by Cost.
inline constexpr std::array<CostInfo, kCosts> kCostInfo{{
#define X(name, unit, text) {#name, unit, text},
#include "stack/kernel/costs.def"
#undef X
}};

/// What each named cost takes on one kind of machine.
class CostProfile {
 public:
  /// No cost may be longer: a larger figure is taken for a slip in the unit.
  static constexpr Duration kMaximum = std::chrono::milliseconds{1};
  static constexpr double kMaximumScale = 100;

  /// Either a profile or one line saying what is wrong and what would be accepted.
  struct Loaded;

  /// profiles/default.toml, which is built into the program.
  [[nodiscard]] static const CostProfile& builtin();
  /// Everything takes no time: for tests of logic alone.
  [[nodiscard]] static CostProfile free();
  /// Reads TOML text:
  ///
  ///     name = "a word"
  ///     [costs]
  ///     irq_entry = { ns = 450.0, source = "where the figure comes from" }
  ///
  /// A cost that is not named has `base`'s figure, times the factor of `scale = { factor = 9.0,
  /// source = "..." }` if there is one. `where` names the text in error messages.
  [[nodiscard]] static Loaded parse(std::string_view text, std::string_view where,
                                    const CostProfile& base = builtin());
  /// The same from a file, or one of the profiles that are built into the program, by name.
  [[nodiscard]] static Loaded load(const std::string& path);

  [[nodiscard]] const std::string& name() const noexcept { return name_; }
  [[nodiscard]] Duration operator[](Cost c) const noexcept {
    return values_[static_cast<std::size_t>(c)];
  }
  [[nodiscard]] const std::string& source(Cost c) const noexcept {
    return sources_[static_cast<std::size_t>(c)];
  }
  void set(Cost c, Duration value, std::string source) {
    values_[static_cast<std::size_t>(c)] = value;
    sources_[static_cast<std::size_t>(c)] = std::move(source);
  }

 private:
  std::string name_;
  std::array<Duration, kCosts> values_{};
  std::array<std::string, kCosts> sources_{};
};

struct CostProfile::Loaded {
  std::optional<CostProfile> profile;
  std::string error;  ///< empty if there is a profile
};

}  // namespace nicroscope::kernel
