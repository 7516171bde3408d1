// SPDX-License-Identifier: Apache-2.0
#include "stack/core/rps.h"

#include <algorithm>
#include <bit>

namespace nicroscope::net {

Rps::Queue* Rps::find(const net_device& dev, std::uint16_t queue) noexcept {
  for (Queue& q : queues_) {
    if (q.dev == &dev && q.index == queue) return &q;
  }
  return nullptr;
}

Rps::Queue& Rps::find_or_make(const net_device& dev, std::uint16_t queue) {
  if (Queue* const found = find(dev, queue)) return *found;
  return queues_.emplace_back(Queue{&dev, queue, {}, {}});
}

void Rps::drop_unset() {
  std::erase_if(queues_, [](const Queue& q) { return q.map.empty() && q.flows.empty(); });
}

bool Rps::set_rps_cpus(const net_device& dev, std::uint16_t queue, kernel::cpumask_t mask) {
  std::vector<unsigned> map;
  for (unsigned cpu = 0; cpu < cpus_; ++cpu) {
    if ((mask & kernel::cpumask_of(cpu)) != 0) map.push_back(cpu);
  }
  if (map.empty() && mask != 0) return false;
  find_or_make(dev, queue).map = std::move(map);
  drop_unset();
  return true;
}

bool Rps::set_rps_flow_cnt(const net_device& dev, std::uint16_t queue, std::uint32_t flows) {
  if (flows != 0 && !std::has_single_bit(flows)) return false;
  find_or_make(dev, queue).flows.assign(flows, DevFlow{});
  drop_unset();
  return true;
}

bool Rps::set_rps_sock_flow_entries(std::uint32_t entries) {
  if (entries != 0 && !std::has_single_bit(entries)) return false;
  sock_flows_.assign(entries, SockFlow{});
  return true;
}

std::optional<Rps::Choice> Rps::choose(const net_device& dev, std::uint16_t queue,
                                       std::uint32_t hash, const std::vector<std::uint64_t>& head) {
  Queue* const q = find(dev, queue);
  if (q == nullptr) return std::nullopt;
  if (!q->flows.empty() && !sock_flows_.empty()) {
    const SockFlow& wanted = sock_flows_[hash & (sock_flows_.size() - 1)];
    if (wanted.cpu != kNoCpu && wanted.hash == hash) {
      DevFlow& flow = q->flows[hash & (q->flows.size() - 1)];
      const bool drained = flow.cpu == kNoCpu || head[flow.cpu] >= flow.last_qtail;
      if (flow.cpu != wanted.cpu && drained) flow = {wanted.cpu, head[wanted.cpu]};
      return Choice{flow.cpu, true};
    }
  }
  if (q->map.empty()) return std::nullopt;
  const auto index = static_cast<std::size_t>(std::uint64_t{hash} * q->map.size() >> 32U);
  return Choice{q->map[index], false};
}

void Rps::note_tail(const net_device& dev, std::uint16_t queue, std::uint32_t hash,
                    std::uint64_t tail) noexcept {
  Queue* const q = find(dev, queue);
  if (q != nullptr && !q->flows.empty()) q->flows[hash & (q->flows.size() - 1)].last_qtail = tail;
}

void Rps::record_sock_flow(std::uint32_t hash, unsigned cpu) noexcept {
  if (sock_flows_.empty() || hash == 0) return;
  sock_flows_[hash & (sock_flows_.size() - 1)] = {hash, cpu};
}

void Rps::forget(const net_device& dev) {
  std::erase_if(queues_, [&](const Queue& q) { return q.dev == &dev; });
}

}  // namespace nicroscope::net
