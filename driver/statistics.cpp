// SPDX-License-Identifier: Apache-2.0
// What `ethtool -S` shows.
#include <string_view>

#include "driver/virtio_net.h"
#include "nicroscope/registers.h"

namespace nicroscope::driver {

namespace {

template <typename Stats>
struct Field {
  std::string_view name;
  std::uint64_t Stats::*value;
};

constexpr Field<ReceiveStats> kReceive[] = {
    {"packets", &ReceiveStats::packets},
    {"bytes", &ReceiveStats::bytes},
    {"drops", &ReceiveStats::drops},
    {"length_errors", &ReceiveStats::length_errors},
    {"frame_errors", &ReceiveStats::frame_errors},
    {"kicks", &ReceiveStats::kicks},
    {"refill_failures", &ReceiveStats::refill_failures},
    {"copied", &ReceiveStats::copied},
    {"gro_hw", &ReceiveStats::gro_hw},
    {"page_recycled", &ReceiveStats::page_recycled},
    {"page_alloc", &ReceiveStats::page_alloc},
};

constexpr Field<TransmitStats> kTransmit[] = {
    {"packets", &TransmitStats::packets},
    {"bytes", &TransmitStats::bytes},
    {"kicks", &TransmitStats::kicks},
    {"drops", &TransmitStats::drops},
    {"linearized", &TransmitStats::linearized},
    {"tso", &TransmitStats::tso},
    {"csum", &TransmitStats::csum},
    {"stopped", &TransmitStats::stopped},
    {"wake", &TransmitStats::wake},
    {"tx_timeouts", &TransmitStats::timeouts},
};

}  // namespace

ReceiveStats VirtioNet::receive_stats() const {
  ReceiveStats sum;
  for (const auto& pair : pairs_) {
    for (const auto& field : kReceive) sum.*field.value += pair->rx_stats.*field.value;
  }
  return sum;
}

TransmitStats VirtioNet::transmit_stats() const {
  TransmitStats sum;
  for (const auto& pair : pairs_) {
    for (const auto& field : kTransmit) sum.*field.value += pair->tx_stats.*field.value;
  }
  return sum;
}

std::vector<std::pair<std::string, std::uint64_t>> VirtioNet::ethtool_stats() {
  std::vector<std::pair<std::string, std::uint64_t>> stats;
  const auto name = [](const char* direction, std::uint16_t queue, std::string_view field) {
    return direction + std::to_string(queue) + "_" + std::string(field);
  };
  for (const auto& pair : pairs_) {
    for (const auto& field : kReceive) {
      stats.emplace_back(name("rx_queue_", pair->index, field.name), pair->rx_stats.*field.value);
    }
  }
  for (const auto& pair : pairs_) {
    for (const auto& field : kTransmit) {
      stats.emplace_back(name("tx_queue_", pair->index, field.name), pair->tx_stats.*field.value);
    }
  }
  if (pci_.has_vendor_page()) {
    for (unsigned n = 0; n < regs::kNumCounters; ++n) {
      stats.emplace_back(std::string(regs::kCounters[n].name), pci_.counter(n));
    }
  }
  return stats;
}

}  // namespace nicroscope::driver
