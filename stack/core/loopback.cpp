// SPDX-License-Identifier: Apache-2.0
#include "stack/core/loopback.h"

namespace nicroscope::net {

Loopback::Loopback(Net& net) : net_(net), dev_("lo", {}, kMtu, *this) {
  napi_.poll = [this](int budget) { return poll(budget); };
  net_.kernel().napi().napi_enable(napi_);
  dev_.features =
      NETIF_F_SG | NETIF_F_HW_CSUM | NETIF_F_RXCSUM | NETIF_F_FRAGLIST | NETIF_F_LOOPBACK;
  const bool registered = net_.register_netdev(dev_) && dev_open(dev_);
  kernel::bug_on(!registered, "a second loopback device");
}

Loopback::~Loopback() { net_.unregister_netdev(dev_); }

bool Loopback::ndo_open(net_device& dev) {
  netif_carrier_on(dev);
  return true;
}

void Loopback::ndo_stop(net_device& dev) {
  netif_carrier_off(dev);
  backlog_.purge(skb_drop_reason::DEV_DOWN);
}

bool Loopback::ndo_change_mtu(net_device& /*dev*/, unsigned mtu) { return mtu <= kMtu; }

netdev_tx_t Loopback::ndo_start_xmit(skb_ptr& skb, net_device& dev) {
  skb_orphan(*skb);
  ++dev.stats.tx_packets;
  dev.stats.tx_bytes += skb->len;
  backlog_.queue_tail(std::move(skb));
  kernel::Cpu& cpu = net_.kernel().cpu();
  const bool were_enabled = cpu.local_irq_save();
  net_.kernel().napi().napi_schedule(napi_);
  cpu.local_irq_restore(were_enabled);
  return NETDEV_TX_OK;
}

int Loopback::poll(int budget) {
  int done = 0;
  while (done < budget) {
    skb_ptr skb = backlog_.dequeue();
    if (!skb) break;
    ++dev_.stats.rx_packets;
    dev_.stats.rx_bytes += skb->len;
    eth_type_trans(*skb, dev_);
    netif_receive_skb(std::move(skb));
    ++done;
  }
  if (done < budget) net_.kernel().napi().napi_complete_done(napi_, done);
  return done;
}

}  // namespace nicroscope::net
