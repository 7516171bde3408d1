// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

namespace nicroscope::sim {

/// Which of a Verilated model's clocks had an edge: VlTriggerVec of Verilator 5.006 as the bits of
/// one word, so that "any of these five" is one test and not five. A model asks some 80 times a
/// cycle. scripts/rtl.py puts it into models that have a step of their own.
template <std::size_t kSize>
class TriggerMask {
  static_assert(kSize <= 32);

 public:
  /// One flag, or several of them or-ed.
  class Flags {
   public:
    Flags(std::uint32_t& word, std::uint32_t mask) noexcept : word_(word), mask_(mask) {}
    Flags(const Flags&) = default;
    Flags& operator=(const Flags&) = delete;
    Flags& operator=(bool value) noexcept {
      word_ = value ? word_ | mask_ : word_ & ~mask_;
      return *this;
    }
    Flags operator|(const Flags& other) const noexcept { return {word_, mask_ | other.mask_}; }
    operator bool() const noexcept { return (word_ & mask_) != 0; }  // NOLINT: stands for a bool

   private:
    std::uint32_t& word_;
    std::uint32_t mask_;
  };

  void clear() noexcept { word_ = 0; }
  /// All of them at once: flag n is bit n.
  void assign(std::uint32_t word) noexcept { word_ = word; }
  [[nodiscard]] Flags at(std::size_t index) noexcept { return {word_, std::uint32_t{1} << index}; }
  [[nodiscard]] bool any() const noexcept { return word_ != 0; }
  void set(const TriggerMask& other) noexcept { word_ |= other.word_; }
  void andNot(const TriggerMask& a, const TriggerMask& b) noexcept { word_ = a.word_ & ~b.word_; }

 private:
  std::uint32_t word_ = 0;
};

}  // namespace nicroscope::sim
