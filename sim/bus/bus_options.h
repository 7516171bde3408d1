// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "nicroscope/time.h"

namespace nicroscope::sim {

enum class BusTiming : std::uint8_t {
  ideal,  ///< every access takes its latency; the bus is the only bound on bandwidth
  pcie,   ///< a PCIe link with packets, tags and bandwidth lies between the NIC and memory
};

/// How memory and registers answer. docs/bus-model.md explains each figure and names its source.
struct BusOptions {
  BusTiming timing = BusTiming::pcie;
  /// Does everything that AXI4 allows and a driver could be surprised by; see docs/bus-model.md.
  bool adversary = false;

  unsigned generation = 3;  ///< PCIe generation, 1 to 5
  unsigned lanes = 8;       ///< 1 to 16
  unsigned max_payload_bytes = 256;
  unsigned max_read_request_bytes = 512;
  unsigned read_completion_boundary_bytes = 64;
  unsigned tags = 64;  ///< read requests outstanding on the link

  Duration read_latency = std::chrono::nanoseconds{500};    ///< request to first data, unloaded
  Duration read_jitter = std::chrono::nanoseconds{100};     ///< widest random addition to it
  Duration write_latency = std::chrono::nanoseconds{250};   ///< last data to visible in memory
  Duration register_read = std::chrono::nanoseconds{800};   ///< round trip of a BAR read, both ways
  Duration register_write = std::chrono::nanoseconds{300};  ///< way of a BAR write to the NIC

  /// A fast server's slot, with the read latency of a busy one.
  [[nodiscard]] static BusOptions gen4_x16() {
    BusOptions options;
    options.generation = 4;
    options.lanes = 16;
    options.tags = 768;  // 10-bit tags
    options.read_latency = std::chrono::microseconds{1};
    options.read_jitter = Duration{0};
    return options;
  }
  /// The bus of simulation speed: 1 us reads, no packets.
  [[nodiscard]] static BusOptions ideal() {
    BusOptions options;
    options.timing = BusTiming::ideal;
    options.read_latency = std::chrono::microseconds{1};
    options.read_jitter = Duration{0};
    return options;
  }
};

}  // namespace nicroscope::sim
