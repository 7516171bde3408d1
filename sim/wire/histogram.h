// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace nicroscope::sim {

/// Counts values in bins of 1/32 of their size: any quantile of any number of values in fixed room.
class Histogram {
 public:
  void add(std::uint64_t value) noexcept {
    ++bins_[bin_of(value)];
    ++count_;
    largest_ = std::max(largest_, value);
  }
  void add(const Histogram& other) noexcept {
    for (std::size_t bin = 0; bin < bins_.size(); ++bin) bins_[bin] += other.bins_[bin];
    count_ += other.count_;
    largest_ = std::max(largest_, other.largest_);
  }
  [[nodiscard]] std::uint64_t count() const noexcept { return count_; }
  [[nodiscard]] std::uint64_t largest() const noexcept { return largest_; }
  /// The least value that a share of `part`, 0 to 1, of the values does not pass, up to a bin's
  /// width; 0 where there are none.
  [[nodiscard]] std::uint64_t quantile(double part) const noexcept {
    const auto rank = static_cast<std::uint64_t>(part * static_cast<double>(count_));
    std::uint64_t seen = 0;
    for (std::size_t bin = 0; bin < bins_.size(); ++bin) {
      seen += bins_[bin];
      if (seen > rank || (seen == count_ && seen != 0)) return std::min(top_of(bin), largest_);
    }
    return 0;
  }

 private:
  static constexpr unsigned kFine = 5;  // bits of a value that tell its bin, but for the first one
  static constexpr std::size_t kBins = (64 - kFine + 1) << kFine;

  static std::size_t bin_of(std::uint64_t value) noexcept {
    const unsigned width = static_cast<unsigned>(std::bit_width(value));
    if (width <= kFine + 1) return static_cast<std::size_t>(value);
    const unsigned shift = width - kFine - 1;
    return (static_cast<std::size_t>(shift) << kFine) + static_cast<std::size_t>(value >> shift);
  }
  static std::uint64_t top_of(std::size_t bin) noexcept {
    if (bin < std::size_t{2} << kFine) return bin;
    const unsigned shift = static_cast<unsigned>(bin >> kFine) - 1;
    const std::uint64_t head = bin - (static_cast<std::size_t>(shift) << kFine);
    return ((head + 1) << shift) - 1;
  }

  std::array<std::uint64_t, kBins> bins_{};
  std::uint64_t count_ = 0;
  std::uint64_t largest_ = 0;
};

}  // namespace nicroscope::sim
