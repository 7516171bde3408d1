// SPDX-License-Identifier: Apache-2.0
#include "stack/socket/net_stack.h"

namespace nicroscope::net {

NetStack::NetStack(kernel::Kernel& the_kernel, const ipv4_config& config)
    : kernel(the_kernel), net(the_kernel), snap(net), lo(net), ipv4(net, config) {
  const ipv4_prefix localhost{{0x7f00'0001}, 8};
  const bool added = ipv4.add_address(lo.dev(), localhost);
  kernel::bug_on(!added, "the loopback device has no address");
  ipv4.fib.set_loopback(lo.dev());
}

NetStack::~NetStack() { kernel.shutdown(); }

std::optional<std::string> NetStack::configure(net_device& dev, const interface_config& config) {
  if (config.gateway && !config.address) {
    return "a gateway needs an address on its network: " + to_string(*config.gateway);
  }
  if (config.address && !ipv4.add_address(dev, *config.address)) {
    return "not an address that a host may have, or taken: " + to_string(*config.address);
  }
  if (config.gateway) {
    const fib_route route{{kInaddrAny, 0}, *config.gateway, &dev, 0};
    const Errno error = ipv4.fib.route_add(route);
    if (error == std::errc::file_exists) {
      return "there is a default route already: " + to_string(*config.gateway);
    }
    if (error != kOk) {
      return "the gateway is not on the network of " + to_string(*config.address) + ": " +
             to_string(*config.gateway);
    }
  }
  return std::nullopt;
}

}  // namespace nicroscope::net
