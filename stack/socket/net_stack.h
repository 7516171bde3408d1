// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "stack/core/loopback.h"
#include "stack/core/net.h"
#include "stack/core/snap.h"
#include "stack/ipv4/ipv4.h"

namespace nicroscope::net {

/// How an interface is set up.
struct interface_config {
  std::optional<ipv4_prefix> address;   ///< none: it receives, and sends frames of packet sockets
  std::optional<ipv4_address> gateway;  ///< the default route's next hop, on the interface's link
};

/// The network stack of one simulated host: device layer, loopback, IPv4 and what is above.
/// System calls on it are in syscalls.h.
class NetStack {
 public:
  /// The kernel must outlive it.
  explicit NetStack(kernel::Kernel& kernel, const ipv4_config& config = {});
  NetStack(const NetStack&) = delete;
  NetStack& operator=(const NetStack&) = delete;
  /// Ends the kernel's processes, which may be in the midst of system calls.
  ~NetStack();

  /// Gives a device that its driver has registered an address and routes. Returns one line saying
  /// what is wrong, or nothing.
  [[nodiscard]] std::optional<std::string> configure(net_device& dev,
                                                     const interface_config& config);

  kernel::Kernel& kernel;
  Net net;
  Snap snap;
  Loopback lo;
  Ipv4 ipv4;
};

}  // namespace nicroscope::net
