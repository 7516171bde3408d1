// SPDX-License-Identifier: Apache-2.0
#include "sim/host_port/vhost_user/mapped_file.h"

#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <system_error>

namespace nicroscope::sim::vhost_user {
namespace {

// What the signal handler looks into; it can run between any two instructions.
struct Guarded {
  std::atomic<std::uintptr_t> begin{0};
  std::atomic<std::size_t> size{0};  // 0: the place is free
  std::atomic<bool> truncated{false};
};
std::array<Guarded, MappedFile::kMost> guarded;
static_assert(std::atomic<std::uintptr_t>::is_always_lock_free);
struct sigaction before;

void on_sigbus(int /*signal*/, siginfo_t* info, void* /*context*/) {
  const int error = errno;
  const auto address = reinterpret_cast<std::uintptr_t>(info->si_addr);  // NOLINT
  for (Guarded& place : guarded) {
    const std::size_t size = place.size.load();
    const std::uintptr_t begin = place.begin.load();
    if (size == 0 || address - begin >= size) continue;
    void* zeros = ::mmap(reinterpret_cast<void*>(begin), size, PROT_READ | PROT_WRITE,  // NOLINT
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
    if (zeros == MAP_FAILED) break;
    place.truncated.store(true);
    errno = error;
    return;
  }
  // Not ours: the access is made again, and whoever was there before gets it.
  ::sigaction(SIGBUS, &before, nullptr);
  errno = error;
}

bool install_handler() {
  struct sigaction action {};
  action.sa_sigaction = on_sigbus;
  action.sa_flags = SA_SIGINFO | SA_NODEFER;
  ::sigemptyset(&action.sa_mask);
  return ::sigaction(SIGBUS, &action, &before) == 0;
}

}  // namespace

Result<std::unique_ptr<MappedFile>> MappedFile::map(const Descriptor& file, std::size_t size) {
  static const bool installed = install_handler();
  struct stat about {};
  if (!installed || ::fstat(file.get(), &about) != 0) {
    return Error{std::generic_category().message(errno)};
  }
  if (!S_ISREG(about.st_mode)) return Error{"the memory's descriptor is not one of a file"};
  if (about.st_size < 0 || static_cast<std::size_t>(about.st_size) < size) {
    return Error{fmt::format("the memory's file has {} bytes, not {}", about.st_size, size)};
  }
  std::size_t slot = 0;
  while (slot < kMost && guarded[slot].size.load() != 0) ++slot;
  if (slot == kMost) return Error{fmt::format("more than {} memory regions", kMost)};

  // Of huge pages a mapping has to be whole ones.
  const auto page = static_cast<std::size_t>(about.st_blksize > 4096 ? about.st_blksize : 4096);
  const std::size_t mapped = (size + page - 1) / page * page;
  void* data =
      ::mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, file.get(), 0);
  if (data == MAP_FAILED) return Error{"mapping failed: " + std::generic_category().message(errno)};
  guarded[slot].truncated.store(false);
  guarded[slot].begin.store(reinterpret_cast<std::uintptr_t>(data));  // NOLINT
  guarded[slot].size.store(mapped);
  return std::unique_ptr<MappedFile>(
      new MappedFile(static_cast<std::byte*>(data), size, mapped, slot));
}

MappedFile::~MappedFile() {
  guarded[slot_].size.store(0);
  ::munmap(data_, mapped_);
}

bool MappedFile::truncated() const noexcept { return guarded[slot_].truncated.load(); }

}  // namespace nicroscope::sim::vhost_user
