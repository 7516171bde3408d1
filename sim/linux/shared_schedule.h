// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "sim/base/descriptor.h"

namespace nicroscope::uml {

/// The memory that a calendar and its guest share, so that most of their messages need not be sent
/// (struct um_timetravel_schedshm of the kernel's include/uapi/linux/um_timetravel.h, version 2).
/// Slot 0 is the calendar's own, slot 1 the guest's.
class SharedSchedule {
 public:
  static constexpr std::uint16_t kController = 0;
  static constexpr std::uint16_t kGuest = 1;

  SharedSchedule();
  SharedSchedule(const SharedSchedule&) = delete;
  SharedSchedule& operator=(const SharedSchedule&) = delete;
  ~SharedSchedule();

  /// For the guest; -1 if there is no memory.
  [[nodiscard]] int descriptor() const noexcept { return file_.get(); }
  /// The guest has taken it: from then on times are here and not in messages.
  [[nodiscard]] bool in_use() const noexcept;

  /// Who may set the time.
  void set_running(std::uint16_t id) noexcept;
  void set_now(std::int64_t time) noexcept;
  [[nodiscard]] std::int64_t now() const noexcept;
  void set_free_until(std::int64_t time) noexcept;
  /// What the guest asks for; `none` if it does not.
  [[nodiscard]] std::int64_t request(std::int64_t none) const noexcept;
  void clear_request() noexcept;

 private:
  struct Header {
    std::uint32_t version;
    std::uint32_t length;
    std::uint64_t free_until;
    std::uint64_t current_time;
    std::uint16_t running_id;
    std::uint16_t max_clients;
  };
  static_assert(sizeof(Header) == 32 && offsetof(Header, running_id) == 24);
  struct Client {
    std::uint32_t capabilities;
    std::uint32_t flags;
    std::uint64_t request_time;
    std::uint64_t name;
  };
  static constexpr std::size_t kHeaderBytes = 4096;
  static constexpr std::size_t kClientBytes = 128;
  static constexpr std::size_t kBytes = kHeaderBytes + 2 * kClientBytes;

  [[nodiscard]] volatile Header& header() const noexcept;
  [[nodiscard]] volatile Client& client(std::uint16_t id) const noexcept;

  sim::Descriptor file_;
  std::byte* memory_ = nullptr;
};

}  // namespace nicroscope::uml
