// SPDX-License-Identifier: Apache-2.0
#include "stack/ipv4/neighbour.h"

#include <algorithm>
#include <array>

namespace nicroscope::net {

namespace {

constexpr std::array<std::string_view, 7> kStateNames{"NONE",  "INCOMPLETE", "REACHABLE", "STALE",
                                                      "DELAY", "PROBE",      "FAILED"};

/// The address may be used.
bool is_valid(const neighbour& neigh) {
  return neigh.state >= NUD_REACHABLE && neigh.state <= NUD_PROBE;
}
/// Nothing is going on: it may be forgotten.
bool is_collectable(const neighbour& neigh) {
  return neigh.state == NUD_NONE || neigh.state == NUD_STALE || neigh.state == NUD_FAILED;
}

}  // namespace

std::string_view to_string(nud_state state) noexcept { return kStateNames[state]; }

bool dev_hard_header(sk_buff& skb, net_device& dev, const mac_address& destination,
                     std::uint16_t protocol) {
  if (!skb_cow(skb, kEthHlen)) return false;
  skb_push(skb, kEthHlen);
  EthernetView::parse(skb_linear(skb))->set(destination, dev.dev_addr(), protocol);
  skb_reset_mac_header(skb);
  skb.dev = &dev;
  skb.protocol = protocol;
  return true;
}

neigh_table::neigh_table(Net& net, neigh_ops& ops, neigh_parms parms)
    : net_(net), ops_(ops), parms_(parms), gc_timer_(net.kernel(), [this] { collect(); }) {}

neighbour* neigh_table::neigh_lookup(const net_device& dev, ipv4_address key) const {
  const auto found = entries_.find({dev.ifindex(), key});
  return found == entries_.end() ? nullptr : found->second.get();
}

neighbour* neigh_table::neigh_create(net_device& dev, ipv4_address key) {
  if (neighbour* known = neigh_lookup(dev, key)) return known;
  if (entries_.size() >= parms_.gc_thresh3) {
    // The one that was not used for longest makes room.
    auto oldest = entries_.end();
    for (auto i = entries_.begin(); i != entries_.end(); ++i) {
      if (!is_collectable(*i->second)) continue;
      if (oldest == entries_.end() || i->second->used < oldest->second->used) oldest = i;
    }
    if (oldest == entries_.end()) return nullptr;
    entries_.erase(oldest);
  }
  auto& entry = entries_[{dev.ifindex(), key}];
  entry = std::make_unique<neighbour>(net_.kernel(), dev, key,
                                      [this, &entry] { timer_handler(*entry); });
  entry->used = net_.kernel().now();
  return entry.get();
}

bool neigh_table::send(skb_ptr skb, net_device& dev, const mac_address& ha,
                       std::uint16_t protocol) {
  if (!dev_hard_header(*skb, dev, ha, protocol)) {
    kfree_skb_reason(std::move(skb), skb_drop_reason::NOMEM);
    return false;
  }
  return dev_queue_xmit(std::move(skb));
}

bool neigh_table::neigh_resolve_output(skb_ptr skb, net_device& dev, ipv4_address next_hop,
                                       std::uint16_t protocol) {
  net_.spend(kernel::cost::neigh_output);
  neighbour* const neigh = neigh_create(dev, next_hop);
  if (neigh == nullptr) {
    kfree_skb_reason(std::move(skb), skb_drop_reason::NEIGH_QUEUEFULL);
    return false;
  }
  neigh->used = net_.kernel().now();
  if (is_valid(*neigh)) {
    if (neigh->state == NUD_STALE) {
      enter(*neigh, NUD_DELAY);
      arm(*neigh, parms_.delay_probe_time);
    }
    return send(std::move(skb), dev, neigh->ha, protocol);
  }
  skb->dev = &dev;
  skb->protocol = protocol;
  bool kept = true;
  if (neigh->arp_queue.size() >= parms_.unres_qlen) {
    // The newest packets are the ones still wanted.
    kfree_skb_reason(neigh->arp_queue.dequeue(), skb_drop_reason::NEIGH_QUEUEFULL);
    kept = parms_.unres_qlen != 0;
  }
  neigh->arp_queue.queue_tail(std::move(skb));
  if (neigh->state != NUD_INCOMPLETE) {
    neigh->probes = 0;
    enter(*neigh, NUD_INCOMPLETE);
    probe(*neigh);
  }
  return kept;
}

void neigh_table::probe(neighbour& neigh) {
  ++neigh.probes;
  arm(neigh, parms_.retrans_time);
  ops_.solicit(neigh, neigh.arp_queue.peek());
}

void neigh_table::neigh_update(neighbour& neigh, const mac_address& ha, nud_state state,
                               bool override) {
  const Time now = net_.kernel().now();
  const bool was_valid = is_valid(neigh);
  if (was_valid && ha != neigh.ha && !override) return;
  // A hint cannot make less of what an answer showed.
  if (was_valid && ha == neigh.ha && state == NUD_STALE) return;
  if (!was_valid || ha != neigh.ha) neigh.updated = now;
  neigh.ha = ha;
  neigh.probes = 0;
  if (state == NUD_REACHABLE) {
    neigh.confirmed = now;
    enter(neigh, NUD_REACHABLE);
    arm(neigh, parms_.reachable_time);
  } else {
    net_.kernel().timers().del_timer(neigh.timer);
    enter(neigh, NUD_STALE);
  }
  while (skb_ptr skb = neigh.arp_queue.dequeue()) {
    const std::uint16_t protocol = skb->protocol;
    neigh_resolve_output(std::move(skb), neigh.dev, neigh.primary_key, protocol);
  }
}

void neigh_table::neigh_event_ns(net_device& dev, ipv4_address key, const mac_address& ha) {
  if (neighbour* neigh = neigh_create(dev, key)) neigh_update(*neigh, ha, NUD_STALE, true);
}

void neigh_table::timer_handler(neighbour& neigh) {
  const Time now = net_.kernel().now();
  switch (neigh.state) {
    case NUD_REACHABLE:
      if (now < neigh.confirmed + parms_.reachable_time) {
        arm(neigh, neigh.confirmed + parms_.reachable_time - now);
      } else if (now < neigh.used + parms_.delay_probe_time) {
        enter(neigh, NUD_DELAY);
        arm(neigh, parms_.delay_probe_time);
      } else {
        enter(neigh, NUD_STALE);
      }
      break;
    case NUD_DELAY:
      enter(neigh, NUD_PROBE);
      neigh.probes = 0;
      probe(neigh);
      break;
    case NUD_PROBE:
    case NUD_INCOMPLETE: {
      const unsigned limit = neigh.state == NUD_PROBE ? parms_.ucast_probes : parms_.mcast_probes;
      if (neigh.probes >= limit) {
        invalidate(neigh);
      } else {
        probe(neigh);
      }
      break;
    }
    case NUD_NONE:
    case NUD_STALE:
    case NUD_FAILED:
      break;
  }
}

void neigh_table::invalidate(neighbour& neigh) {
  enter(neigh, NUD_FAILED);
  while (skb_ptr skb = neigh.arp_queue.dequeue()) ops_.error_report(std::move(skb));
}

void neigh_table::neigh_ifdown(const net_device& dev) {
  for (auto i = entries_.begin(); i != entries_.end();) {
    if (&i->second->dev == &dev) {
      i->second->arp_queue.purge(skb_drop_reason::DEV_DOWN);
      i = entries_.erase(i);
    } else {
      ++i;
    }
  }
}

void neigh_table::arm(neighbour& neigh, Duration delay) {
  kernel::Kernel& kernel = net_.kernel();
  kernel.timers().mod_timer(neigh.timer, kernel.jiffies() + kernel.to_jiffies(delay));
}

void neigh_table::enter(neighbour& neigh, nud_state state) {
  neigh.state = state;
  if (is_collectable(neigh)) schedule_gc();
}

void neigh_table::schedule_gc() {
  if (gc_timer_.pending()) return;
  kernel::Kernel& kernel = net_.kernel();
  kernel.timers().mod_timer(gc_timer_,
                            kernel.jiffies() + kernel.to_jiffies(parms_.gc_staletime) + 1);
}

void neigh_table::collect() {
  const Time now = net_.kernel().now();
  bool more = false;
  for (auto i = entries_.begin(); i != entries_.end();) {
    const neighbour& neigh = *i->second;
    if (is_collectable(neigh) && now >= neigh.used + parms_.gc_staletime) {
      i = entries_.erase(i);
    } else {
      more = more || is_collectable(neigh);
      ++i;
    }
  }
  if (more) schedule_gc();
}

std::string neigh_table::text() const {
  std::string text;
  for (const auto& [key, neigh] : entries_) {
    text += to_string(neigh->primary_key) + " dev " + neigh->dev.name();
    if (is_valid(*neigh)) text += " lladdr " + to_string(neigh->ha);
    text += ' ';
    text += to_string(neigh->state);
    text += '\n';
  }
  return text;
}

}  // namespace nicroscope::net
