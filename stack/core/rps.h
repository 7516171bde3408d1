// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "stack/core/sk_buff.h"
#include "stack/kernel/sched.h"

namespace nicroscope::net {

/// Receive packet steering: which CPU goes on with a packet that another one took from the device
/// (Documentation/networking/scaling.rst, net/core/dev.c: get_rps_cpu).
class Rps {
 public:
  /// `cpus`: of the host.
  explicit Rps(unsigned cpus) : cpus_(cpus) {}

  /// /sys/class/net/DEV/queues/rx-N/rps_cpus: packets are spread over these CPUs by their flows.
  /// An empty mask turns it off. False if the mask has no CPU of this host otherwise.
  [[nodiscard]] bool set_rps_cpus(const net_device& dev, std::uint16_t queue,
                                  kernel::cpumask_t mask);
  /// .../rps_flow_cnt: flows that the queue remembers the CPU of; a power of two, or 0 for off.
  [[nodiscard]] bool set_rps_flow_cnt(const net_device& dev, std::uint16_t queue,
                                      std::uint32_t flows);
  /// /proc/sys/net/core/rps_sock_flow_entries: receive flow steering; a power of two, or 0 for off.
  /// Packets follow the CPU on which their socket was last read.
  [[nodiscard]] bool set_rps_sock_flow_entries(std::uint32_t entries);

  /// Something is set: packets are to be looked at.
  [[nodiscard]] bool active() const noexcept { return !queues_.empty(); }

  /// The CPU for a packet of that flow and queue. `head`: for each CPU, how many packets ever left
  /// its backlog; a flow moves to another CPU only when none of its packets is left on the old one.
  struct Choice {
    unsigned cpu;
    bool by_flow;  ///< tell note_tail() where the packet is queued
  };
  [[nodiscard]] std::optional<Choice> choose(const net_device& dev, std::uint16_t queue,
                                             std::uint32_t hash,
                                             const std::vector<std::uint64_t>& head);
  /// A packet of a flow was queued: when `tail` packets have left the backlog, it has too.
  void note_tail(const net_device& dev, std::uint16_t queue, std::uint32_t hash,
                 std::uint64_t tail) noexcept;
  /// The flow is read on this CPU (sock_rps_record_flow, by recvmsg).
  void record_sock_flow(std::uint32_t hash, unsigned cpu) noexcept;
  /// The device goes away.
  void forget(const net_device& dev);

 private:
  static constexpr std::uint32_t kNoCpu = ~std::uint32_t{0};

  struct DevFlow {
    std::uint32_t cpu = kNoCpu;
    std::uint64_t last_qtail = 0;
  };
  struct Queue {
    const net_device* dev;
    std::uint16_t index;
    std::vector<unsigned> map;  ///< rps_cpus
    std::vector<DevFlow> flows;
  };
  struct SockFlow {
    std::uint32_t hash = 0;
    std::uint32_t cpu = kNoCpu;
  };
  [[nodiscard]] Queue* find(const net_device& dev, std::uint16_t queue) noexcept;
  Queue& find_or_make(const net_device& dev, std::uint16_t queue);
  void drop_unset();

  unsigned cpus_;
  std::vector<Queue> queues_;
  std::vector<SockFlow> sock_flows_;
};

}  // namespace nicroscope::net
