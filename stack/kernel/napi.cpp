// SPDX-License-Identifier: Apache-2.0
#include "stack/kernel/napi.h"

#include <array>
#include <cstdio>
#include <utility>

#include "nicroscope/host_points.h"
#include "stack/kernel/bug.h"
#include "stack/kernel/kernel.h"
#include "stack/kernel/lock/lockdep.h"

namespace nicroscope::kernel {

void NapiCore::List::push_back(napi_struct& napi) noexcept {
  napi.next = nullptr;
  if (last != nullptr) {
    last->next = &napi;
  } else {
    first = &napi;
  }
  last = &napi;
}

napi_struct* NapiCore::List::pop_front() noexcept {
  napi_struct* const napi = first;
  if (napi == nullptr) return nullptr;
  first = napi->next;
  if (first == nullptr) last = nullptr;
  napi->next = nullptr;
  return napi;
}

void NapiCore::List::splice(List& other) noexcept {
  if (other.first == nullptr) return;
  if (last != nullptr) {
    last->next = other.first;
  } else {
    first = other.first;
  }
  last = other.last;
  other = {};
}

NapiCore::NapiCore(Kernel& kernel) : kernel_(kernel), cpus_(kernel.cpus()) {
  kernel_.open_softirq(Softirq::net_rx, [this] { net_rx_action(); });
}

NapiCore::PerCpu& NapiCore::this_cpu() noexcept { return cpus_[kernel_.cpu().id()]; }

void NapiCore::napi_schedule(napi_struct& napi) {
  if (napi_schedule_prep(napi)) __napi_schedule(napi);
}

void NapiCore::emit_state(const napi_struct& napi) {
  kernel_.trace().emit(point::napi_state, kNoFrame,
                       kernel_.cpu().trace_arg(napi.queue | napi.state() << 16U));
}

bool NapiCore::napi_schedule_prep(napi_struct& napi) {
  if (napi.disabled) return false;
  if (napi.scheduled) {
    if (!std::exchange(napi.missed, true)) emit_state(napi);
    return false;
  }
  napi.scheduled = true;
  emit_state(napi);
  return true;
}

// `scheduled` keeps everybody else from the list's link.
void NapiCore::__napi_schedule(napi_struct& napi) {
  kernel_.spend(cost::napi_schedule);
  kernel_.trace().emit(point::napi_schedule, kNoFrame, kernel_.cpu().trace_arg(napi.queue));
  if (napi.threaded) {
    napi.sched_threaded = true;
    emit_state(napi);
    kernel_.spend(cost::try_to_wake_up);
    kernel_.wake_up_process(*napi.thread);
    return;
  }
  this_cpu().poll_list.push_back(napi);
  kernel_.raise_softirq(Softirq::net_rx);
}

bool NapiCore::napi_complete_done(napi_struct& napi, int work_done) {
  kernel_.spend(cost::napi_complete_done);
  kernel_.trace().emit(point::napi_complete_done, kNoFrame,
                       kernel_.cpu().trace_arg(static_cast<std::uint64_t>(work_done)));
  if (napi.in_busy_poll) return false;  // whoever polls it completes it
  bool interrupts = true;
  Duration timeout{};
  if (work_done != 0) napi.defer_hard_irqs_count = napi.defer_hard_irqs;
  if (napi.defer_hard_irqs_count != 0) {
    --napi.defer_hard_irqs_count;
    timeout = napi.gro_flush_timeout;
    interrupts = timeout == Duration::zero();
  }
  napi.sched_threaded = napi.prefer_busy_poll = false;
  if (std::exchange(napi.missed, false) && !napi.disabled) {
    emit_state(napi);
    __napi_schedule(napi);
    return false;
  }
  napi.scheduled = false;
  emit_state(napi);
  if (timeout != Duration::zero()) {
    kernel_.timers().hrtimer_start(*napi.timer, kernel_.now() + timeout);
  }
  return interrupts;
}

// The timer in the place of an interrupt.
void NapiCore::napi_watchdog(napi_struct& napi) {
  if (napi.disabled || napi.scheduled) return;
  napi.scheduled = true;
  napi.prefer_busy_poll = false;
  emit_state(napi);
  __napi_schedule(napi);
}

void NapiCore::napi_enable(napi_struct& napi) {
  bug_on(!napi.disabled, "napi_enable of an enabled instance");
  if (napi.timer == nullptr) {
    napi.timer = std::make_unique<hrtimer>(kernel_, [this, &napi] { napi_watchdog(napi); });
  }
  napi.napi_id = next_id_++;
  by_id_.emplace(napi.napi_id, &napi);
  napi.disabled = napi.scheduled = napi.missed = false;
  emit_state(napi);
}

void NapiCore::napi_disable(napi_struct& napi) {
  kernel_.lockdep().might_sleep("napi_disable");
  napi.disabled = true;
  emit_state(napi);
  by_id_.erase(napi.napi_id);
  while (napi.scheduled) kernel_.usleep(std::chrono::microseconds{20});
  kernel_.timers().hrtimer_cancel(*napi.timer);
}

napi_struct* NapiCore::napi_by_id(unsigned napi_id) const noexcept {
  const auto found = by_id_.find(napi_id);
  return found == by_id_.end() ? nullptr : found->second;
}

softnet_stat NapiCore::stat() const noexcept {
  softnet_stat sum;
  for (const PerCpu& cpu : cpus_) {
    sum.processed += cpu.stat.processed;
    sum.dropped += cpu.stat.dropped;
    sum.time_squeeze += cpu.stat.time_squeeze;
    sum.received_rps += cpu.stat.received_rps;
    sum.flow_limit_count += cpu.stat.flow_limit_count;
    sum.backlog_len += cpu.stat.backlog_len;
  }
  return sum;
}

// net/core/net-procfs.c: softnet_seq_show. The zeros were fast routing and cpu_collision.
std::string NapiCore::proc_net_softnet_stat() const {
  std::string text;
  for (std::size_t id = 0; id < cpus_.size(); ++id) {
    const softnet_stat& s = cpus_[id].stat;
    for (const std::uint64_t value :
         {s.processed, s.dropped, s.time_squeeze, std::uint64_t{0}, std::uint64_t{0},
          std::uint64_t{0}, std::uint64_t{0}, std::uint64_t{0}, std::uint64_t{0}, s.received_rps,
          s.flow_limit_count, s.backlog_len, std::uint64_t{id}}) {
      std::array<char, 16> word{};
      std::snprintf(word.data(), word.size(), "%08x", static_cast<unsigned>(value));
      if (!text.empty() && text.back() != '\n') text += ' ';
      text += word.data();
    }
    text += '\n';
  }
  return text;
}

void NapiCore::net_rx_action() {
  kernel_.spend(cost::net_rx_action);
  PerCpu& cpu = this_cpu();
  const std::uint64_t time_limit = kernel_.jiffies() + kernel_.config().netdev_budget_jiffies;
  int budget = static_cast<int>(kernel_.config().netdev_budget);
  List list;
  List repoll;
  list.splice(cpu.poll_list);
  while (napi_struct* const napi = list.pop_front()) {
    int work = 0;
    if (poll_once(*napi, work)) repoll.push_back(*napi);
    budget -= work;
    if (budget <= 0 || kernel_.jiffies() >= time_limit) {
      ++cpu.stat.time_squeeze;
      break;
    }
  }
  // What was scheduled meanwhile goes behind what is left, and what used its weight behind that.
  list.splice(cpu.poll_list);
  list.splice(repoll);
  cpu.poll_list = list;
  if (cpu.poll_list.first != nullptr) kernel_.raise_softirq(Softirq::net_rx);
  if (rps_action_) rps_action_();
}

int NapiCore::call_poll(napi_struct& napi, int budget) {
  kernel_.spend(cost::napi_poll);
  kernel_.trace().emit(point::napi_poll, kNoFrame, kernel_.cpu().trace_arg(napi.queue));
  ++polls_;
  PerCpu& cpu = this_cpu();  // softirqs are off: it stays here
  cpu.polling = &napi;
  const int work = napi.poll(budget);
  cpu.polling = nullptr;
  cpu.stat.processed += static_cast<std::uint64_t>(work);
  bug_on(work > budget, "poll handled more than its budget");
  return work;
}

bool NapiCore::poll_once(napi_struct& napi, int& work) {
  work = call_poll(napi, napi.weight);
  if (work < napi.weight) return false;  // completed: it may belong to somebody else by now
  // One that is being disabled is let go: its owner waits for that.
  if (napi.disabled) {
    napi.scheduled = napi.sched_threaded = false;
    emit_state(napi);
    return false;
  }
  // A process wants to poll: it is left to that, for as long as the timer says.
  if (napi.prefer_busy_poll) {
    if (napi_complete_done(napi, work)) napi_schedule(napi);
    return false;
  }
  return true;
}

}  // namespace nicroscope::kernel
