// SPDX-License-Identifier: Apache-2.0
#include "sim/linux/switch.h"

#include <algorithm>
#include <cstring>

namespace nicroscope::uml {

void Switch::Port::on_frame(const sim::PassedFrame& frame) {
  if (frame.direction != sim::WireDirection::from_nic || !frame.good) return;
  owner_.sent_.push_back(
      {frame.last, number_,
       std::make_shared<const std::vector<std::byte>>(frame.bytes.begin(), frame.bytes.end())});
}

void Switch::join(sim::WirePort& wire) {
  ports_.push_back(std::make_unique<Port>(*this, wire, ports_.size()));
}

bool Switch::chance(double share) {
  constexpr double kAll = 18446744073709551616.0;  // 2^64
  return share > 0 && static_cast<double>(random_.next()) < share * kAll;
}

void Switch::forward() {
  // In the order of their times, and of the ports where those are equal: not of the simulation.
  std::ranges::stable_sort(sent_, [](const Sent& a, const Sent& b) {
    return a.last != b.last ? a.last < b.last : a.port < b.port;
  });
  for (const Sent& sent : sent_) {
    if (sent.last >= options_.connected_from) pass(sent);
  }
  sent_.clear();
}

void Switch::pass(const Sent& sent) {
  ++counters_.frames;
  if (sent.bytes->size() < 14) return;
  Address to;
  Address from;
  std::memcpy(to.data(), sent.bytes->data(), to.size());
  std::memcpy(from.data(), sent.bytes->data() + to.size(), from.size());
  learned_[from] = sent.port;
  if (chance(options_.loss)) {
    ++counters_.lost;
    return;
  }
  Time when = sent.last + options_.delay;
  if (chance(options_.reorder)) {
    ++counters_.reordered;
    when += options_.reorder_by;
  }
  const bool twice = chance(options_.duplicate);
  if (twice) ++counters_.duplicated;
  const bool group = (to[0] & std::byte{1}) != std::byte{0};
  const auto known = group ? learned_.end() : learned_.find(to);
  for (std::size_t port = 0; port < ports_.size(); ++port) {
    if (port == sent.port || (known != learned_.end() && known->second != port)) continue;
    arrive(port, when, sent.bytes);
    if (twice) arrive(port, when, sent.bytes);
  }
}

void Switch::arrive(std::size_t port, Time when, const Bytes& bytes) {
  ports_[port]->arriving_.emplace(when, bytes);
}

Time Switch::next_arrival(std::size_t port) const {
  const auto& arriving = ports_[port]->arriving_;
  return arriving.empty() ? kNever : arriving.begin()->first;
}

void Switch::release(std::size_t port, Time limit) {
  auto& arriving = ports_[port]->arriving_;
  while (!arriving.empty() && arriving.begin()->first < limit) {
    ports_[port]->queue_.push(*arriving.begin()->second, arriving.begin()->first);
    arriving.erase(arriving.begin());
  }
}

}  // namespace nicroscope::uml
