// SPDX-License-Identifier: Apache-2.0
#include "sim/calibrate/calibrate.h"

#include <fmt/format.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <numeric>

#include "sim/base/random.h"
#include "stack/core/checksum.h"
#include "stack/kernel/cost.h"

namespace nicroscope::sim {
namespace {

constexpr int kRounds = 63;
/// The default profile's figures are for this clock.
constexpr double kDefaultGhz = 3.0;

/// Keeps the compiler from leaving work out.
template <typename T>
void keep(T& value) {
  asm volatile("" : "+m"(value) : : "memory");
}

double now_ns(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return static_cast<double>(now.tv_sec) * 1e9 + static_cast<double>(now.tv_nsec);
}

/// Times `work(count)`, whose unit is one of `count`, in rounds. By the thread's own clock, which
/// stands while others have the processor, unless the work is theirs too.
Measured time(std::string name, std::string how, int count, const std::function<void(int)>& work,
              clockid_t clock = CLOCK_THREAD_CPUTIME_ID) {
  std::array<double, kRounds> rounds{};
  work(count);  // warm
  for (double& round : rounds) {
    const double begin = now_ns(clock);
    work(count);
    round = (now_ns(clock) - begin) / count;
  }
  std::sort(rounds.begin(), rounds.end());
  return {std::move(name), rounds[kRounds / 4], rounds[0], rounds[kRounds / 2], std::move(how)};
}

/// Everything on one processor, the one that it runs on, so that a switch is a switch.
class Pinned {
 public:
  Pinned() {
    sched_getaffinity(0, sizeof(before_), &before_);
    cpu_set_t one;
    CPU_ZERO(&one);
    CPU_SET(static_cast<unsigned>(std::max(0, sched_getcpu())), &one);
    sched_setaffinity(0, sizeof(one), &one);
  }
  Pinned(const Pinned&) = delete;
  Pinned& operator=(const Pinned&) = delete;
  ~Pinned() { sched_setaffinity(0, sizeof(before_), &before_); }

 private:
  cpu_set_t before_{};
};

/// A process that answers every byte; a round trip is two switches and four system calls.
class Echo {
 public:
  Echo() {
    if (pipe(to_) != 0 || pipe(from_) != 0) return;
    child_ = fork();
    if (child_ != 0) return;
    char byte = 0;
    close(to_[1]);
    while (read(to_[0], &byte, 1) == 1 && write(from_[1], &byte, 1) == 1) {
    }
    _exit(0);
  }
  Echo(const Echo&) = delete;
  Echo& operator=(const Echo&) = delete;
  ~Echo() {
    for (const int fd : {to_[0], to_[1], from_[0], from_[1]}) close(fd);
    if (child_ > 0) waitpid(child_, nullptr, 0);
  }
  void round_trip() {
    char byte = 0;
    if (write(to_[1], &byte, 1) == 1) {
      const ssize_t got = read(from_[0], &byte, 1);
      static_cast<void>(got);
    }
  }
  void same_process() {
    char byte = 0;
    if (write(self_[1], &byte, 1) == 1) {
      const ssize_t got = read(self_[0], &byte, 1);
      static_cast<void>(got);
    }
  }
  [[nodiscard]] bool open_self() { return pipe(self_) == 0; }

 private:
  int to_[2] = {-1, -1};
  int from_[2] = {-1, -1};
  int self_[2] = {-1, -1};
  pid_t child_ = -1;
};

/// A walk in which every step waits for the one before it: `bytes` of memory in random order.
std::vector<std::uint32_t> chase(std::size_t bytes) {
  constexpr std::size_t kLine = 64 / sizeof(std::uint32_t);
  const std::size_t lines = bytes / 64;
  std::vector<std::uint32_t> order(lines);
  std::iota(order.begin(), order.end(), 0U);
  Random random(1);
  for (std::size_t i = lines - 1; i != 0; --i) std::swap(order[i], order[random.below(i + 1)]);
  std::vector<std::uint32_t> next(lines * kLine);
  for (std::size_t i = 0; i < lines; ++i) {
    next[order[i] * kLine] = static_cast<std::uint32_t>(order[(i + 1) % lines] * kLine);
  }
  return next;
}

std::string machine_name() {
  std::ifstream info("/proc/cpuinfo");
  for (std::string line; std::getline(info, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "an unnamed processor";
}

const Measured& find(const std::vector<Measured>& all, std::string_view name) {
  return *std::ranges::find(all, name, &Measured::name);
}

}  // namespace

std::vector<Measured> measure_machine() {
  const Pinned pinned;
  std::vector<Measured> all;
  all.push_back(
      time("cycle", "a chain of dependent additions, one cycle each", 1'000'000, [](int n) {
        std::uint64_t value = 1;
        for (int i = 0; i < n; ++i) asm volatile("add $1, %0" : "+r"(value));
        keep(value);
      }));
  all.push_back(time("syscall", "getppid, both ways", 20'000, [](int n) {
    for (int i = 0; i < n; ++i) syscall(SYS_getppid);
  }));
  {
    Echo echo;
    if (echo.open_self()) {
      all.push_back(
          time("pipe", "a byte written to a pipe and read by the same process", 5'000, [&](int n) {
            for (int i = 0; i < n; ++i) echo.same_process();
          }));
      all.push_back(time(
          "ping", "a byte to a process on the same CPU and back by pipes", 2'000,
          [&](int n) {
            for (int i = 0; i < n; ++i) echo.round_trip();
          },
          CLOCK_MONOTONIC));
    }
  }
  {
    // More than the second-level cache, so that it is the last level that is read.
    constexpr std::size_t kFrame = 1500;
    constexpr std::size_t kFrames = 1400;
    std::vector<std::byte> from(kFrame * kFrames, std::byte{1});
    std::vector<std::byte> to(kFrame);
    all.push_back(
        time("copy", "memcpy of 1500 bytes out of 2 MB, a byte", kFrame * kFrames, [&](int) {
          for (std::size_t f = 0; f < kFrames; ++f) {
            std::memcpy(to.data(), from.data() + f * kFrame, kFrame);
            keep(to[f]);
          }
        }));
    all.push_back(time("checksum", "this program's csum_partial of 1500 warm bytes, a byte",
                       kFrame * 200, [&](int) {
                         for (int f = 0; f < 200; ++f) {
                           auto sum = net::csum_partial(to, 0);
                           keep(sum);
                         }
                       }));
  }
  for (const auto& [name, kib] : {std::pair{"last_level", 2048}, std::pair{"memory", 65'536}}) {
    const std::vector<std::uint32_t> next = chase(static_cast<std::size_t>(kib) * 1024);
    all.push_back(time(name, fmt::format("a dependent load in random order in {} KiB", kib), 50'000,
                       [&](int n) {
                         std::uint32_t at = 0;
                         for (int i = 0; i < n; ++i) at = next[at];
                         keep(at);
                       }));
  }
  std::atomic<std::uint64_t> counter{0};
  all.push_back(time("atomic", "a locked addition to a warm line", 100'000, [&](int n) {
    for (int i = 0; i < n; ++i) counter.fetch_add(1);
  }));
  all.push_back(
      time("allocation", "malloc and free of 256 bytes, 64 at a time", 64 * 500, [](int n) {
        std::array<void*, 64> held{};
        for (int i = 0; i < n / 64; ++i) {
          for (void*& block : held) block = std::malloc(256);
          for (void*& block : held) {
            keep(block);
            std::free(block);
          }
        }
      }));
  return all;
}

std::string profile_text(const std::string& name, const std::vector<Measured>& all) {
  utsname system{};
  uname(&system);
  const double ghz = 1.0 / find(all, "cycle").ns;
  const double syscall_ns = find(all, "syscall").ns;
  // A round trip is two switches and two wake-ups beyond what the pipes' calls take.
  const double pipes = 2 * find(all, "pipe").ns;
  const double handover = std::max(0.0, find(all, "ping").ns - pipes) / 2;
  const double allocation = find(all, "allocation").ns;
  std::string text = fmt::format(
      "# SPDX-License-Identifier: Apache-2.0\n"
      "# Measured by `nicroscope profile measure` on {}, Linux {}.\n#\n",
      machine_name(), system.release);
  for (const Measured& one : all) {
    text += fmt::format("#   {:<11} {:>9.3f} ns ({:.3f} to {:.3f})  {}\n", one.name, one.ns,
                        one.low_ns, one.high_ns, one.how);
  }
  text += fmt::format(
      "\nname = \"{}\"\nscale = {{ factor = {:.3f}, source = \"not measured: the default profile's "
      "cycles at this machine's {:.2f} GHz\" }}\n\n[costs]\n",
      name, kDefaultGhz / ghz, ghz);
  const auto row = [&](const char* cost, double ns, const char* how) {
    text += fmt::format("{} = {{ ns = {:.3f}, source = \"measured: {}\" }}\n", cost, ns, how);
  };
  // What the hardware takes to leave an idle state is not counted in cycles of the clock.
  text += fmt::format(
      "idle_exit = {{ ns = {:.1f}, source = \"not measured: the default profile's, whatever the "
      "clock\" }}\n",
      std::chrono::duration<double, std::nano>(
          kernel::CostProfile::builtin()[kernel::cost::idle_exit])
          .count());
  row("syscall_entry", syscall_ns / 2, "half of getppid");
  row("syscall_exit", syscall_ns / 2, "half of getppid");
  row("context_switch", handover * 0.75, "three quarters of handing a pipe's byte over");
  row("try_to_wake_up", handover * 0.25, "a quarter of handing a pipe's byte over");
  row("copy_user", find(all, "copy").ns, "memcpy of 1500 bytes from the last-level cache, a byte");
  row("copy_kernel", find(all, "copy").ns, "as copy_user");
  row("csum_partial", find(all, "checksum").ns, "this program's csum_partial, a byte");
  row("kmalloc", allocation / 2, "half of malloc and free of 256 bytes in user space");
  row("kfree", allocation / 2, "half of malloc and free of 256 bytes in user space");
  row("spin_lock", find(all, "atomic").ns, "a locked addition to a warm line");
  row("virtqueue_get_buf", find(all, "last_level").ns + find(all, "atomic").ns,
      "a line from the last-level cache and a barrier");
  row("eth_type_trans", find(all, "last_level").ns, "a line from the last-level cache");
  return text;
}

}  // namespace nicroscope::sim
