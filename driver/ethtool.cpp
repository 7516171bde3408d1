// SPDX-License-Identifier: Apache-2.0
// What `ethtool -S` shows.
#include "driver/queue_pair.h"
#include "driver/virtio_net.h"
#include "nicroscope/registers.h"

namespace nicroscope::driver {

ReceiveStats VirtioNet::receive_stats() const { return pair_ ? pair_->rx.stats() : past_rx_; }

TransmitStats VirtioNet::transmit_stats() const { return pair_ ? pair_->tx.stats() : past_tx_; }

std::vector<std::pair<std::string, std::uint64_t>> VirtioNet::ethtool_stats() {
  const ReceiveStats rx = receive_stats();
  const TransmitStats tx = transmit_stats();
  std::vector<std::pair<std::string, std::uint64_t>> stats{
      {"rx_queue_0_packets", rx.packets},       {"rx_queue_0_bytes", rx.bytes},
      {"rx_queue_0_drops", rx.drops},           {"rx_queue_0_length_errors", rx.length_errors},
      {"rx_queue_0_kicks", rx.kicks},           {"rx_queue_0_refill_failures", rx.refill_failures},
      {"tx_queue_0_packets", tx.packets},       {"tx_queue_0_bytes", tx.bytes},
      {"tx_queue_0_kicks", tx.kicks},           {"tx_queue_0_drops", tx.drops},
      {"tx_queue_0_linearized", tx.linearized},
  };
  if (pci_.has_vendor_page()) {
    for (unsigned n = 0; n < regs::kNumCounters; ++n) {
      stats.emplace_back(std::string(regs::kCounters[n].name), pci_.counter(n));
    }
  }
  return stats;
}

}  // namespace nicroscope::driver
