// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "stack/core/net_device.h"
#include "stack/core/result.h"
#include "stack/ipv4/ipv4_address.h"

namespace nicroscope::net {

/// What an address is to this host (Linux: include/uapi/linux/rtnetlink.h).
enum rtn_type : std::uint8_t { RTN_UNICAST, RTN_LOCAL, RTN_BROADCAST, RTN_MULTICAST };

/// An entry of the routing table.
struct fib_route {
  ipv4_prefix destination;
  ipv4_address gateway;  ///< kInaddrAny: the destination is on the link
  net_device* dev = nullptr;
  unsigned metric = 0;
};

/// Where a packet goes: what a look-up finds (Linux: struct rtable).
struct rtable {
  rtn_type type = RTN_UNICAST;
  net_device* dev = nullptr;
  ipv4_address saddr;     ///< the source address to use
  ipv4_address next_hop;  ///< the gateway, or the destination itself
};

/// The addresses and routes of one host (Linux: net/ipv4/fib_*.c, devinet.c).
class Fib {
 public:
  // ---- addresses
  /// Gives the device an address; its network becomes reachable over the link. False if the device
  /// has it already, or if no host may have it.
  [[nodiscard]] bool inet_addr_add(net_device& dev, const ipv4_prefix& address);
  /// Takes all addresses and routes of the device away.
  void flush(net_device& dev);
  /// The first address of the device, as Linux's inet_select_addr prefers one of
  /// `for_destination`'s network. kInaddrAny if it has none.
  [[nodiscard]] ipv4_address inet_select_addr(const net_device& dev,
                                              ipv4_address for_destination) const noexcept;
  [[nodiscard]] bool is_local(ipv4_address address) const noexcept;
  /// The device that has the address; null if none.
  [[nodiscard]] net_device* ip_dev_find(ipv4_address address) const noexcept;
  [[nodiscard]] bool is_on_link(const net_device& dev, ipv4_address address) const noexcept;

  // ---- routes
  /// EEXIST, or ENETUNREACH if the gateway is not on the device's link.
  Errno route_add(const fib_route& route);
  /// ESRCH if there is none such.
  Errno route_del(const ipv4_prefix& destination, const net_device& dev);
  [[nodiscard]] const std::vector<fib_route>& routes() const noexcept { return routes_; }

  /// Where packets of this host to itself go.
  void set_loopback(net_device& dev) noexcept { loopback_ = &dev; }

  // ---- look-ups
  /// What the destination of a packet that `dev` received is.
  [[nodiscard]] rtn_type inet_addr_type(const net_device& dev, ipv4_address address) const noexcept;
  /// ENETUNREACH. `saddr` and `dev`: as bound, or kInaddrAny and null.
  [[nodiscard]] Result<rtable> ip_route_output(ipv4_address daddr, ipv4_address saddr,
                                               net_device* dev) const;
  /// Where a packet goes that comes from another host and is for another: next hop and device, and
  /// RTN_BROADCAST if it is for all on that device's link. ENETUNREACH.
  [[nodiscard]] Result<rtable> ip_route_forward(ipv4_address daddr) const;

  /// As `ip route`: a line a route.
  [[nodiscard]] std::string text() const;

 private:
  struct Address {
    net_device* dev;
    ipv4_prefix prefix;
  };
  [[nodiscard]] const fib_route* lookup(ipv4_address daddr, const net_device* dev) const noexcept;

  net_device* loopback_ = nullptr;
  std::vector<Address> addresses_;
  std::vector<fib_route> routes_;  ///< longest prefix first, then by address and metric
};

}  // namespace nicroscope::net
