// SPDX-License-Identifier: Apache-2.0
#include "stack/kernel/kernel.h"

#include <array>
#include <bit>
#include <chrono>
#include <cstdio>
#include <utility>

#include "stack/kernel/deferred/tasklet.h"
#include "stack/kernel/deferred/workqueue.h"

namespace nicroscope::kernel {

namespace {

std::vector<std::unique_ptr<Cpu>> make_cpus(Kernel& kernel, unsigned number) {
  bug_on(number == 0 || number > kMaxCpus, "a host has 1 to 64 CPUs");
  std::vector<std::unique_ptr<Cpu>> cpus;
  for (unsigned id = 0; id < number; ++id) cpus.push_back(std::make_unique<Cpu>(kernel, id));
  return cpus;
}

}  // namespace

Kernel::Kernel(Timeline& timeline, HostMemory& memory, TraceBus& trace, Config config)
    : timeline_(timeline),
      trace_(trace),
      config_(std::move(config)),
      jiffy_(Duration{std::chrono::seconds{1}} / config_.hz),
      lockdep_(*this),
      memory_(memory),
      dma_(memory_),
      cpus_(make_cpus(*this, config_.cpus)),
      irq_(*this),
      timers_(*this),
      napi_(*this),
      tasklets_(std::make_unique<Tasklets>(*this)),
      workqueues_(std::make_unique<Workqueues>(*this)) {
  for (unsigned id = 0; id < cpus(); ++id) {
    const TaskOptions options{.cpu = id, .nice = config_.ksoftirqd_nice, .kthread = true};
    Task& task = make_task(
        "ksoftirqd/" + std::to_string(id), [this] { cpu().ksoftirqd(); }, options, id);
    task.sleeping_ = true;
    cpus_[id]->ksoftirqd_ = &task;
  }
  const auto request = [this](unsigned vector, const char* name, std::function<void()> handler) {
    const bool free = irq_.request_irq(vector, name, [handler = std::move(handler)](unsigned) {
      handler();
      return irqreturn_t::IRQ_HANDLED;
    });
    bug_on(!free, "a vector between CPUs is taken");
  };
  request(IrqTable::kReschedule, "Rescheduling interrupts", [] {});
  request(IrqTable::kCallFunction, "Function call interrupts",
          [this] { cpu().flush_call_queue(); });
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

// fs/proc/softirqs.c
std::string Kernel::proc_softirqs() const {
  std::string text(20, ' ');
  std::array<char, 64> piece{};
  const auto print = [&](const char* format, auto... values) {
    std::snprintf(piece.data(), piece.size(), format, values...);
    text += piece.data();
  };
  for (unsigned id = 0; id < cpus(); ++id) print("CPU%-8u", id);
  text += '\n';
  for (std::size_t i = 0; i < kSoftirqs; ++i) {
    print("%12.*s:", static_cast<int>(kSoftirqNames[i].size()), kSoftirqNames[i].data());
    for (const auto& cpu : cpus_) {
      print(" %10llu", static_cast<unsigned long long>(cpu->softirq_counts()[i]));
    }
    text += '\n';
  }
  return text;
}

// fs/proc/stat.c: user nice system idle iowait irq softirq steal guest guest_nice
std::string Kernel::proc_stat() const {
  constexpr Duration kUserHz = std::chrono::milliseconds{10};
  std::string text;
  const auto line = [&](const std::string& name, const CpuTime& t) {
    text += name;
    for (const Duration d : {t.user, Duration{}, t.system, t.idle, Duration{}, t.hardirq, t.softirq,
                             Duration{}, Duration{}, Duration{}}) {
      text += ' ' + std::to_string(d / kUserHz);
    }
    text += '\n';
  };
  CpuTime sum;
  for (const auto& cpu : cpus_) sum += cpu->time();
  line("cpu ", sum);
  for (const auto& cpu : cpus_) line("cpu" + std::to_string(cpu->id()), cpu->time());
  return text;
}

// ---- processes
// -----------------------------------------------------------------------------------

Task& Kernel::make_task(std::string name, std::function<void()> function,
                        const TaskOptions& options, unsigned cpu) {
  const auto pid = static_cast<std::uint32_t>(tasks_.size() + 1);
  tasks_.push_back(std::make_unique<Task>(*this, *cpus_[cpu], stacks_, pid, std::move(name),
                                          std::move(function), options));
  return *tasks_.back();
}

Task& Kernel::spawn(std::string name, std::function<void()> function, const TaskOptions& options) {
  Task& task = make_task(std::move(name), std::move(function), options, cpu().id());
  bug_on((task.cpus_allowed() & cpu_possible_mask()) == 0, "a process that may run on no CPU");
  place(task, true);
  return task;
}

void Kernel::cond_resched() {
  if (cpu().may_sleep() && cpu().need_resched()) cpu().yield();
}

void Kernel::shutdown() {
  // Whoever unwinds gives locks back: nobody goes on with them.
  for (const auto& cpu : cpus_) cpu->stopped_ = true;
  for (const auto& cpu : cpus_) cpu->stop();
  for (const auto& task : tasks_) task->context_.destroy();
}

// A CPU whose turn comes by what another one does waits until that one has come to rest: between
// two calls of spend() the code of one CPU is alone.
void Kernel::dispatch() {
  struct Rest {
    Kernel& kernel;
    ~Rest() { kernel.dispatching_ = nullptr; }
  };
  const Rest rest{*this};
  while (to_dispatch_ != 0) {
    dispatching_ = cpus_[static_cast<std::size_t>(std::countr_zero(to_dispatch_))].get();
    to_dispatch_ &= to_dispatch_ - 1;
    dispatching_->go_on();
  }
}

}  // namespace nicroscope::kernel
