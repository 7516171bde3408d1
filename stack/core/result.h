// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <system_error>
#include <utility>
#include <variant>

namespace nicroscope::net {

/// What went wrong, by errno's names; std::errc{} is success.
using Errno = std::errc;
inline constexpr Errno kOk{};

/// A value, or why there is none.
template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : content_(std::move(value)) {}  // NOLINT: converts on purpose
  Result(Errno error) : content_(error) {}         // NOLINT: converts on purpose

  [[nodiscard]] explicit operator bool() const noexcept { return content_.index() == 0; }
  [[nodiscard]] T& value() { return std::get<0>(content_); }
  [[nodiscard]] const T& value() const { return std::get<0>(content_); }
  [[nodiscard]] Errno error() const noexcept { return *this ? kOk : *std::get_if<1>(&content_); }

 private:
  std::variant<T, Errno> content_;
};

}  // namespace nicroscope::net
