// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <deque>
#include <functional>

#include "stack/core/loopback.h"
#include "stack/socket/net_stack.h"
#include "tests/support/rig.h"
#include "tests/unit/net/frames.h"

namespace nicroscope::test {

/// A network device of paper: frames come in by an interrupt and NAPI, and go out into a list.
class PaperDevice : public net::net_device_ops {
 public:
  static constexpr unsigned kVector = 3;

  explicit PaperDevice(kernel::Kernel& kernel) : kernel_(kernel) {
    napi_.poll = [this](int budget) { return poll(budget); };
    const bool free = kernel_.irq().request_irq(kVector, "eth0", [this](unsigned) {
      kernel_.napi().napi_schedule(napi_);
      return kernel::irqreturn_t::IRQ_HANDLED;
    });
    EXPECT_TRUE(free);
    kernel_.napi().napi_enable(napi_);
  }

  bool ndo_open(net::net_device& dev) override {
    net::netif_carrier_on(dev);
    return true;
  }
  void ndo_stop(net::net_device& dev) override { net::netif_carrier_off(dev); }
  bool ndo_change_mtu(net::net_device&, unsigned mtu) override { return mtu >= 68 && mtu <= 9000; }
  net::netdev_tx_t ndo_start_xmit(net::skb_ptr& skb, net::net_device& dev) override {
    if (busy) return net::NETDEV_TX_BUSY;
    if (hold) {
      held.queue_tail(std::move(skb));
      return net::NETDEV_TX_OK;
    }
    Bytes frame(skb->len);
    EXPECT_TRUE(net::skb_copy_bits(*skb, 0, frame));
    last_partial = skb->ip_summed == net::CHECKSUM_PARTIAL;
    last_csum_start = last_partial ? net::skb_checksum_start_offset(*skb) : 0;
    last_csum_offset = skb->csum_offset;
    ++dev.stats.tx_packets;
    sent.push_back(std::move(frame));
    net::consume_skb(std::move(skb));
    if (on_sent) on_sent(sent.back());
    return net::NETDEV_TX_OK;
  }

  /// Puts a frame on the wire to the host.
  void receive(net::net_device& dev, Bytes frame) {
    dev_ = &dev;
    incoming_.push_back(std::move(frame));
    ++received;
    kernel_.irq().raise(kVector);
  }

  std::uint64_t received = 0;
  std::deque<Bytes> sent;
  std::function<void(const Bytes&)> on_sent;
  bool busy = false;
  bool hold = false;  ///< keep what is sent, as a ring that is not reclaimed does
  net::sk_buff_head held;
  bool last_partial = false;
  unsigned last_csum_start = 0;
  unsigned last_csum_offset = 0;
  unsigned fragment_bytes = 0;  ///< received frames come with page fragments of so many bytes
  net::ip_summed_t ip_summed = net::CHECKSUM_NONE;

 private:
  int poll(int budget) {
    int done = 0;
    for (; done < budget && !incoming_.empty(); ++done) {
      const Bytes frame = std::move(incoming_.front());
      incoming_.pop_front();
      net::skb_ptr skb = make(frame);
      if (!skb) continue;
      skb->frame = ++frames_;
      skb->ip_summed = ip_summed;
      net::eth_type_trans(*skb, *dev_);
      net::netif_receive_skb(std::move(skb));
    }
    if (done < budget) kernel_.napi().napi_complete_done(napi_, done);
    return done;
  }

  net::skb_ptr make(const Bytes& frame) {
    const std::size_t linear =
        fragment_bytes == 0 ? frame.size() : std::min<std::size_t>(frame.size(), 14);
    net::skb_ptr skb = net::netdev_alloc_skb(*dev_, static_cast<std::uint32_t>(linear));
    if (!skb) return nullptr;
    std::copy_n(frame.begin(), linear, net::skb_put(*skb, static_cast<std::uint32_t>(linear)));
    for (std::size_t at = linear; at < frame.size(); at += fragment_bytes) {
      const std::size_t n = std::min<std::size_t>(fragment_bytes, frame.size() - at);
      net::page_ref page = net::page_ref::alloc(kernel_.memory(), 0);
      EXPECT_TRUE(page);
      std::copy_n(frame.begin() + static_cast<std::ptrdiff_t>(at), n, page.address() + 5);
      if (skb->shinfo->nr_frags == net::MAX_SKB_FRAGS) {
        ADD_FAILURE() << "frame needs too many fragments";
        return nullptr;
      }
      net::skb_add_rx_frag(*skb, std::move(page), 5, static_cast<std::uint32_t>(n), 4096);
    }
    return skb;
  }

  kernel::Kernel& kernel_;
  kernel::napi_struct napi_;
  net::net_device* dev_ = nullptr;
  std::deque<Bytes> incoming_;
  FrameId frames_ = 0;
};

inline kernel::Config free_of_cost() {
  kernel::Config config;
  config.costs = kernel::CostProfile::free();
  return config;
}

/// A host 10.0.0.1/24 with one device, to which 10.0.0.2 is connected. At the end every packet must
/// be accounted for, none of them without a reason.
class NetTest : public ::testing::Test {
 protected:
  explicit NetTest(kernel::Config config = free_of_cost(), const net::ipv4_config& ipv4 = quiet())
      : rig(std::move(config), std::size_t{32} << 20U),
        stack(rig.kernel, ipv4),
        device(rig.kernel) {
    EXPECT_TRUE(stack.net.register_netdev(dev));
    EXPECT_TRUE(net::dev_open(dev));
    EXPECT_EQ(stack.configure(dev, {net::ipv4_prefix{kHostIp, 24}, kPeerIp}), std::nullopt);
  }
  ~NetTest() override {
    rig.kernel.shutdown();
    device.held.purge(net::skb_drop_reason::DEV_DOWN);
    stack.net.unregister_netdev(dev);
    const net::skb_allocator& skbs = stack.net.skbs();
    EXPECT_EQ(skbs.dropped(net::skb_drop_reason::NOT_SPECIFIED), 0U);
    EXPECT_EQ(rig.kernel.dma().errors().size(), 0U);
    EXPECT_EQ(rig.kernel.lockdep().errors(), std::vector<std::string>{});
  }

  static net::ipv4_config quiet() {
    net::ipv4_config config;
    config.arp_notify = false;
    return config;
  }

  /// A process that calls this sleeps until the interrupt has been handled.
  void receive(Bytes frame) {
    device.receive(dev, std::move(frame));
    if (rig.kernel.cpu().may_sleep()) rig.kernel.usleep(std::chrono::microseconds{1});
  }
  void receive_ip(const Ip& ip, const Bytes& payload) { receive(ip_to_host(ip, payload)); }
  /// The peer's address becomes known to the host.
  void learn_peer() {
    receive(ethernet(kBroadcastMac, kPeerMac, 0x0806, arp(1, kPeerMac, kPeerIp, {}, kHostIp)));
    ASSERT_EQ(device.sent.size(), 1U);
    device.sent.clear();
  }
  /// Answers the host's questions for the peer's address.
  void answer_arp() {
    device.on_sent = [this](const Bytes& frame) {
      if (get16(frame, 12) == 0x0806 && get16(frame, 20) == 1) {
        receive(to_host(0x0806, arp(2, kPeerMac, kPeerIp, kHostMac, kHostIp)));
      }
    };
  }
  Bytes take_sent() {
    if (device.sent.empty()) {
      ADD_FAILURE() << "nothing was sent";
      return Bytes(60);
    }
    Bytes frame = std::move(device.sent.front());
    device.sent.pop_front();
    return frame;
  }
  void run_for(Duration d) { rig.timeline.run_until(rig.timeline.now() + d); }
  [[nodiscard]] std::uint64_t drops(net::skb_drop_reason reason) {
    return stack.net.skbs().dropped(reason);
  }
  [[nodiscard]] std::uint64_t count(net::mib counter) { return stack.net.mib[counter]; }

  Rig rig;
  net::NetStack stack;
  PaperDevice device;
  net::net_device dev{"eth0", kHostMac, 1500, device};
};

using net::mib;
using net::skb_drop_reason;

}  // namespace nicroscope::test
