// SPDX-License-Identifier: Apache-2.0
#include "stack/kernel/kernel.h"

#include <cstdio>
#include <utility>

namespace nicroscope::kernel {

Kernel::Kernel(Timeline& timeline, HostMemory& memory, TraceBus& trace, Config config)
    : timeline_(timeline),
      trace_(trace),
      config_(std::move(config)),
      jiffy_(Duration{std::chrono::seconds{1}} / config_.hz),
      memory_(memory),
      dma_(memory_),
      cpu_(*this, 0),
      irq_(*this),
      timers_(*this),
      napi_(*this) {
  tasks_.push_back(
      std::make_unique<Task>(*this, cpu_, stacks_, 1, "ksoftirqd/0", [this] { cpu_.ksoftirqd(); }));
  tasks_.front()->kernel_depth_ = 1;
  cpu_.ksoftirqd_ = tasks_.front().get();
}

Kernel::~Kernel() { shutdown(); }

std::uint64_t Kernel::jiffies() const noexcept {
  return static_cast<std::uint64_t>(timeline_.now() / jiffy_);
}

std::uint64_t Kernel::to_jiffies(Duration d) const noexcept {
  if (d <= Duration::zero()) return 0;
  return static_cast<std::uint64_t>((d + jiffy_ - Duration{1}) / jiffy_);
}

void Kernel::msleep(Duration d) {
  WaitQueue queue(*this);
  (void)queue.wait_event_timeout([] { return false; }, d);
}

void Kernel::usleep(Duration d) {
  WaitQueue queue(*this);
  bool expired = false;
  hrtimer timer(*this, [&] {
    expired = true;
    queue.wake_up();
  });
  timers_.hrtimer_start(timer, now() + d);
  queue.wait_event([&] { return expired; });
}

void Kernel::open_softirq(Softirq nr, std::function<void()> action) {
  softirq_actions_[static_cast<std::size_t>(nr)] = std::move(action);
}

std::string Kernel::proc_softirqs() const {
  std::string text = "                    CPU0\n";
  for (std::size_t i = 0; i < kSoftirqs; ++i) {
    std::array<char, 64> line{};
    std::snprintf(line.data(), line.size(), "%12.*s: %10llu\n",
                  static_cast<int>(kSoftirqNames[i].size()), kSoftirqNames[i].data(),
                  static_cast<unsigned long long>(cpu_.softirq_counts()[i]));
    text += line.data();
  }
  return text;
}

Task& Kernel::spawn(std::string name, std::function<void()> function) {
  const auto pid = static_cast<std::uint32_t>(tasks_.size() + 1);
  tasks_.push_back(
      std::make_unique<Task>(*this, cpu_, stacks_, pid, std::move(name), std::move(function)));
  Task& task = *tasks_.back();
  cpu_.enqueue(task);
  return task;
}

void Kernel::shutdown() {
  cpu_.stop();
  for (const auto& task : tasks_) task->context_.destroy();
}

}  // namespace nicroscope::kernel
