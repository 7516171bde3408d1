// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "stack/core/rps.h"
#include "stack/core/sk_buff.h"
#include "stack/kernel/lock/spinlock.h"
#include "stack/kernel/napi.h"
#include "stack/kernel/sched.h"

namespace nicroscope::net {

class Net;

/// What netif_rx did (Linux: NET_RX_SUCCESS, NET_RX_DROP).
enum netif_rx_t : std::uint8_t { NET_RX_SUCCESS, NET_RX_DROP };

/// The sysctls of the backlog, as Linux 2.4 had them.
struct softnet_config {
  /// Packets that a CPU's backlog holds (one more goes in, as in Linux); 1000 from Linux 2.6 on.
  unsigned netdev_max_backlog = 300;
  /// Once it was full, everything is dropped until it is empty; not from Linux 2.6 on.
  bool throttle = true;
};

/// Packets on their way from an interrupt, or from another CPU, to the protocols (the backlog half
/// of net/core/dev.c). Each CPU has a queue, filled by netif_rx() and by receive packet steering,
/// and emptied by a NAPI instance of its own in the NET_RX softirq: the way of all packets before
/// there was NAPI.
///
///     interrupt: netif_rx -> [ input_pkt_queue ] -> NET_RX: process_backlog -> __netif_receive_skb
///                                  full: dropped, until it is empty
class Softnet {
 public:
  explicit Softnet(Net& net);
  Softnet(const Softnet&) = delete;
  Softnet& operator=(const Softnet&) = delete;
  ~Softnet();

  /// The queue that a backlog's NAPI instance names in the trace.
  static constexpr std::uint16_t kBacklogQueue = 0xffff;

  softnet_config config;
  /// Which CPU receives which packet.
  Rps rps;

  /// Packets in a CPU's backlog.
  [[nodiscard]] std::size_t backlog_len(unsigned cpu) const noexcept;
  /// Times that a CPU's backlog went from taking packets to dropping all.
  [[nodiscard]] std::uint64_t throttled(unsigned cpu) const noexcept;
  /// Drops what came from a device that goes away.
  void flush(const net_device& dev);

 private:
  friend netif_rx_t netif_rx(skb_ptr skb);
  friend void netif_receive_skb(skb_ptr skb);

  /// softnet_data of one CPU.
  struct PerCpu {
    explicit PerCpu(kernel::Kernel& kernel) : lock(kernel, "input_pkt_queue.lock") {}
    sk_buff_head input_pkt_queue;
    kernel::spinlock_t lock;  ///< of the queue, which is filled from interrupts and other CPUs
    kernel::napi_struct backlog;
    bool throttle = false;
    kernel::cpumask_t ipis = 0;  ///< CPUs that it queued for, to be told at its softirq's end
    std::uint64_t throttled = 0;
  };

  [[nodiscard]] std::optional<Rps::Choice> get_rps_cpu(sk_buff& skb);
  netif_rx_t enqueue_to_backlog(skb_ptr skb, Rps::Choice to);
  [[nodiscard]] int process_backlog(unsigned cpu, int quota);
  void net_rps_action();

  Net& net_;
  std::vector<std::unique_ptr<PerCpu>> cpus_;
  std::vector<std::uint64_t> head_;  ///< packets that ever left a CPU's backlog
};

/// Takes a received packet (after eth_type_trans) to the protocols by a CPU's backlog. From any
/// context; the way of drivers without NAPI.
netif_rx_t netif_rx(skb_ptr skb);

/// netif_receive_skb() without steering: hands a packet to the protocols, here and now.
void __netif_receive_skb(skb_ptr skb);

}  // namespace nicroscope::net
