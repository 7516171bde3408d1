// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "sim/base/descriptor.h"
#include "sim/base/result.h"

namespace nicroscope::sim::vhost_user {

/// A file of another process, mapped from its beginning, shared and writable.
///
/// Its owner may make it shorter at any time, and an access to what is gone then raises SIGBUS. For
/// these mappings that signal is caught: zeros of our own take the place of the whole mapping, and
/// truncated() says so from then on. A SIGBUS anywhere else goes to whoever had it before.
class MappedFile {
 public:
  static constexpr std::size_t kMost = 64;  ///< mappings at a time, in the process

  /// Maps `size` bytes, which the file must have by now.
  [[nodiscard]] static Result<std::unique_ptr<MappedFile>> map(const Descriptor& file,
                                                               std::size_t size);
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  [[nodiscard]] std::span<std::byte> bytes() const noexcept { return {data_, size_}; }
  [[nodiscard]] bool truncated() const noexcept;

 private:
  MappedFile(std::byte* data, std::size_t size, std::size_t mapped, std::size_t slot) noexcept
      : data_(data), size_(size), mapped_(mapped), slot_(slot) {}

  std::byte* data_;
  std::size_t size_;
  std::size_t mapped_;  // size_ in whole pages of the file
  std::size_t slot_;    // in the table that the signal handler looks into
};

}  // namespace nicroscope::sim::vhost_user
