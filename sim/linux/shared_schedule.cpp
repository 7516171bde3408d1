// SPDX-License-Identifier: Apache-2.0
#include "sim/linux/shared_schedule.h"

#include <sys/mman.h>

#include <new>

namespace nicroscope::uml {
namespace {

constexpr std::uint32_t kVersion = 2;
constexpr std::uint32_t kTimeShare = 1;  // capability: knows what to do with all this
constexpr std::uint32_t kRequestRun = 1;

}  // namespace

SharedSchedule::SharedSchedule() : file_(::memfd_create("calendar", MFD_CLOEXEC)) {
  if (!file_ || ::ftruncate(file_.get(), kBytes) != 0) throw std::bad_alloc();
  void* mapped = ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED, file_.get(), 0);
  if (mapped == MAP_FAILED) throw std::bad_alloc();
  memory_ = static_cast<std::byte*>(mapped);
  header().version = kVersion;
  header().length = kBytes;
  header().max_clients = 2;
  header().running_id = kController;
  client(kController).capabilities = kTimeShare;
}

SharedSchedule::~SharedSchedule() { ::munmap(memory_, kBytes); }

volatile SharedSchedule::Header& SharedSchedule::header() const noexcept {
  return *reinterpret_cast<volatile Header*>(memory_);  // NOLINT
}

volatile SharedSchedule::Client& SharedSchedule::client(std::uint16_t id) const noexcept {
  return *reinterpret_cast<volatile Client*>(memory_ + kHeaderBytes + id * kClientBytes);  // NOLINT
}

bool SharedSchedule::in_use() const noexcept {
  return (client(kGuest).capabilities & kTimeShare) != 0;
}

void SharedSchedule::set_running(std::uint16_t id) noexcept { header().running_id = id; }

void SharedSchedule::set_now(std::int64_t time) noexcept {
  header().current_time = static_cast<std::uint64_t>(time);
}

std::int64_t SharedSchedule::now() const noexcept {
  return static_cast<std::int64_t>(header().current_time);
}

void SharedSchedule::set_free_until(std::int64_t time) noexcept {
  header().free_until = static_cast<std::uint64_t>(time);
}

std::int64_t SharedSchedule::request(std::int64_t none) const noexcept {
  const volatile Client& guest = client(kGuest);
  if ((guest.flags & kRequestRun) == 0) return none;
  return static_cast<std::int64_t>(guest.request_time);
}

void SharedSchedule::clear_request() noexcept {
  client(kGuest).flags = client(kGuest).flags & ~kRequestRun;
}

}  // namespace nicroscope::uml
