// SPDX-License-Identifier: Apache-2.0
#include "stack/kernel/napi.h"

#include <array>
#include <cstdio>
#include <utility>

#include "nicroscope/host_points.h"
#include "stack/kernel/bug.h"
#include "stack/kernel/kernel.h"

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

bool NapiCore::napi_schedule_prep(napi_struct& napi) {
  if (napi.disabled) return false;
  if (napi.scheduled) {
    napi.missed = true;
    return false;
  }
  napi.scheduled = true;
  return true;
}

// `scheduled` keeps everybody else from the list's link.
void NapiCore::__napi_schedule(napi_struct& napi) {
  kernel_.spend(cost::napi_schedule);
  kernel_.trace().emit(point::napi_schedule, kNoFrame, kernel_.cpu().trace_arg(napi.queue));
  this_cpu().poll_list.push_back(napi);
  kernel_.raise_softirq(Softirq::net_rx);
}

bool NapiCore::napi_complete_done(napi_struct& napi, int work_done) {
  kernel_.spend(cost::napi_complete_done);
  kernel_.trace().emit(point::napi_complete_done, kNoFrame,
                       kernel_.cpu().trace_arg(static_cast<std::uint64_t>(work_done)));
  if (std::exchange(napi.missed, false) && !napi.disabled) {
    __napi_schedule(napi);
    return false;
  }
  napi.scheduled = false;
  return true;
}

void NapiCore::napi_enable(napi_struct& napi) {
  bug_on(!napi.disabled, "napi_enable of an enabled instance");
  napi.disabled = false;
  napi.scheduled = false;
  napi.missed = false;
}

void NapiCore::napi_disable(napi_struct& napi) {
  bug_on(!kernel_.cpu().may_sleep(), "napi_disable outside process context");
  napi.disabled = true;
  while (napi.scheduled) kernel_.usleep(std::chrono::microseconds{20});
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
    budget -= napi_poll(*napi, repoll);
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

int NapiCore::napi_poll(napi_struct& napi, List& repoll) {
  kernel_.spend(cost::napi_poll);
  kernel_.trace().emit(point::napi_poll, kNoFrame, kernel_.cpu().trace_arg(napi.queue));
  ++polls_;
  const int work = napi.poll(napi.weight);
  this_cpu().stat.processed += static_cast<std::uint64_t>(work);
  bug_on(work > napi.weight, "poll handled more than its budget");
  if (work < napi.weight) return work;  // completed: it may belong to somebody else by now
  // One that is being disabled is let go: its owner waits for that.
  if (napi.disabled) {
    napi.scheduled = false;
  } else {
    repoll.push_back(napi);
  }
  return work;
}

}  // namespace nicroscope::kernel
