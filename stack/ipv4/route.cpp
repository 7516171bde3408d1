// SPDX-License-Identifier: Apache-2.0
#include "stack/ipv4/route.h"

#include <algorithm>

namespace nicroscope::net {

bool Fib::inet_addr_add(net_device& dev, const ipv4_prefix& address) {
  const ipv4_address a = address.address;
  if (a.is_zeronet() || a.is_multicast() || a.is_reserved()) return false;
  if (ip_dev_find(a) != nullptr) return false;
  addresses_.push_back({&dev, address});
  const ipv4_prefix network{{a.value & address.mask()}, address.length};
  // A second address of the same network finds its route there.
  static_cast<void>(route_add({network, kInaddrAny, &dev, 0}));
  return true;
}

void Fib::flush(net_device& dev) {
  std::erase_if(addresses_, [&](const Address& a) { return a.dev == &dev; });
  std::erase_if(routes_, [&](const fib_route& r) { return r.dev == &dev; });
}

ipv4_address Fib::inet_select_addr(const net_device& dev,
                                   ipv4_address for_destination) const noexcept {
  ipv4_address first;
  for (const Address& a : addresses_) {
    if (a.dev != &dev) continue;
    if (a.prefix.contains(for_destination)) return a.prefix.address;
    if (first.is_any()) first = a.prefix.address;
  }
  return first;
}

net_device* Fib::ip_dev_find(ipv4_address address) const noexcept {
  for (const Address& a : addresses_) {
    if (a.prefix.address == address) return a.dev;
  }
  return nullptr;
}

bool Fib::is_local(ipv4_address address) const noexcept {
  return ip_dev_find(address) != nullptr || address.is_loopback();
}

bool Fib::is_on_link(const net_device& dev, ipv4_address address) const noexcept {
  return std::any_of(addresses_.begin(), addresses_.end(),
                     [&](const Address& a) { return a.dev == &dev && a.prefix.contains(address); });
}

Errno Fib::route_add(const fib_route& route) {
  if (!route.gateway.is_any() && !is_on_link(*route.dev, route.gateway)) {
    return std::errc::network_unreachable;
  }
  const auto same = [&](const fib_route& r) {
    return r.destination == route.destination && r.metric == route.metric;
  };
  if (std::any_of(routes_.begin(), routes_.end(), same)) return std::errc::file_exists;
  const auto before = [](const fib_route& a, const fib_route& b) {
    if (a.destination.length != b.destination.length) {
      return a.destination.length > b.destination.length;
    }
    if (a.destination.address != b.destination.address) {
      return a.destination.address < b.destination.address;
    }
    return a.metric < b.metric;
  };
  routes_.insert(std::upper_bound(routes_.begin(), routes_.end(), route, before), route);
  return kOk;
}

Errno Fib::route_del(const ipv4_prefix& destination, const net_device& dev) {
  const auto removed = std::erase_if(
      routes_, [&](const fib_route& r) { return r.destination == destination && r.dev == &dev; });
  return removed != 0 ? kOk : std::errc::no_such_process;
}

rtn_type Fib::inet_addr_type(const net_device& dev, ipv4_address address) const noexcept {
  if (address.is_multicast()) return RTN_MULTICAST;
  if (address.is_limited_broadcast()) return RTN_BROADCAST;
  if (is_local(address)) return RTN_LOCAL;
  for (const Address& a : addresses_) {
    if (a.dev != &dev) continue;
    const auto broadcast = a.prefix.broadcast();
    // The all-zeros form is the obsolete broadcast (RFC 1122 3.3.6), which Linux takes too.
    if (broadcast &&
        (address == *broadcast || address.value == (broadcast->value & a.prefix.mask()))) {
      return RTN_BROADCAST;
    }
  }
  return RTN_UNICAST;
}

const fib_route* Fib::lookup(ipv4_address daddr, const net_device* dev) const noexcept {
  for (const fib_route& r : routes_) {
    if (!r.destination.contains(daddr) || !r.dev->is_up()) continue;
    if (dev == nullptr || r.dev == dev) return &r;
  }
  return nullptr;
}

Result<rtable> Fib::ip_route_output(ipv4_address daddr, ipv4_address saddr, net_device* dev) const {
  if (daddr.is_zeronet()) return std::errc::network_unreachable;
  rtable rt;
  rt.next_hop = daddr;
  if (is_local(daddr)) {
    if (loopback_ == nullptr || !loopback_->is_up()) return std::errc::network_unreachable;
    rt.type = RTN_LOCAL;
    rt.dev = loopback_;
    rt.saddr = saddr.is_any() ? daddr : saddr;
    return rt;
  }
  if (daddr.is_multicast() || daddr.is_limited_broadcast()) {
    rt.type = daddr.is_multicast() ? RTN_MULTICAST : RTN_BROADCAST;
    // Without a route it goes where the source address lives, else to the first address's device.
    if (dev == nullptr) dev = ip_dev_find(saddr);
    if (dev == nullptr) {
      const fib_route* route = lookup(daddr, nullptr);
      dev = route != nullptr ? route->dev : (addresses_.empty() ? nullptr : addresses_.front().dev);
    }
    if (dev == nullptr || !dev->is_up()) return std::errc::network_unreachable;
    rt.dev = dev;
  } else {
    const fib_route* route = lookup(daddr, dev);
    if (route == nullptr) return std::errc::network_unreachable;
    rt.dev = route->dev;
    rt.type = inet_addr_type(*rt.dev, daddr);
    if (rt.type == RTN_UNICAST && !route->gateway.is_any()) rt.next_hop = route->gateway;
  }
  rt.saddr = saddr.is_any() ? inet_select_addr(*rt.dev, rt.next_hop) : saddr;
  return rt;
}

Result<rtable> Fib::ip_route_forward(ipv4_address daddr) const {
  const fib_route* route = lookup(daddr, nullptr);
  if (route == nullptr) return std::errc::network_unreachable;
  rtable rt;
  rt.dev = route->dev;
  rt.type = inet_addr_type(*rt.dev, daddr);
  rt.next_hop = route->gateway.is_any() ? daddr : route->gateway;
  return rt;
}

std::string Fib::text() const {
  std::string text;
  for (const fib_route& r : routes_) {
    text += r.destination.length == 0 ? "default" : to_string(r.destination);
    if (!r.gateway.is_any()) text += " via " + to_string(r.gateway);
    text += " dev " + r.dev->name();
    const ipv4_address source = inet_select_addr(*r.dev, r.destination.address);
    if (r.gateway.is_any()) text += " scope link src " + to_string(source);
    if (r.metric != 0) text += " metric " + std::to_string(r.metric);
    text += '\n';
  }
  return text;
}

}  // namespace nicroscope::net
