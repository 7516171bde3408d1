// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "stack/core/net.h"

namespace nicroscope::net {

/// The interface "lo" (Linux: drivers/net/loopback.c): what it is given to send it receives, by way
/// of the NET_RX softirq. Registered, and up, as long as it lives.
class Loopback final : private net_device_ops {
 public:
  static constexpr unsigned kMtu = 65'536;

  explicit Loopback(Net& net);
  Loopback(const Loopback&) = delete;
  Loopback& operator=(const Loopback&) = delete;
  ~Loopback() override;

  [[nodiscard]] net_device& dev() noexcept { return dev_; }

 private:
  [[nodiscard]] bool ndo_open(net_device& dev) override;
  void ndo_stop(net_device& dev) override;
  [[nodiscard]] netdev_tx_t ndo_start_xmit(skb_ptr& skb, net_device& dev) override;
  [[nodiscard]] bool ndo_change_mtu(net_device& dev, unsigned mtu) override;
  [[nodiscard]] int poll(int budget);

  Net& net_;
  kernel::napi_struct napi_;
  sk_buff_head backlog_;
  net_device dev_;
};

}  // namespace nicroscope::net
