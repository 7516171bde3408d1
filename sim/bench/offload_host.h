// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "nicroscope/virtio.h"
#include "sim/bench/packed_ring.h"
#include "sim/bench/tcp_stream.h"
#include "sim/simulation.h"

namespace nicroscope::sim {

/// An infinitely fast host with bulk TCP on its first queue pair, with the device's offloads or
/// without: it sends without end, in super-frames or in segments, and takes what it is sent into
/// mergeable buffers of a page. Interrupts are asked for and answered at once.
class OffloadHost {
 public:
  enum class Role { sender, receiver };

  /// `flows`: those that are received. With `offloads`, TSO or coalescing is negotiated and used.
  OffloadHost(Simulation& simulation, const TcpStream& stream, Role role, bool offloads,
              unsigned flows);
  OffloadHost(const OffloadHost&) = delete;
  OffloadHost& operator=(const OffloadHost&) = delete;

  /// Brings the device up and fills the ring. Returns what went wrong, empty if nothing.
  [[nodiscard]] std::string start();

  /// Payload received, or given to the device to send.
  [[nodiscard]] std::uint64_t bytes() const noexcept { return bytes_; }
  [[nodiscard]] std::uint64_t descriptors() const noexcept { return descriptors_; }  ///< given back
  [[nodiscard]] std::uint64_t frames() const noexcept { return frames_; }  ///< those of the host
  [[nodiscard]] std::uint64_t interrupts() const noexcept { return interrupts_; }
  /// The first thing that was not as it must be; empty where none.
  [[nodiscard]] std::string_view complaint() const noexcept { return complaint_; }

 private:
  [[nodiscard]] BusAddress allocate(std::uint64_t bytes);
  void post_receive(std::uint16_t id) noexcept;
  void post_transmit(std::uint16_t id);
  void send_more();
  void take_received();
  void finish_frame();
  static void on_ring(void* self, const VisibleWrite& write);

  Simulation& simulation_;
  const TcpStream& stream_;
  Role role_;
  bool offloads_;
  BusAddress next_free_;
  PackedRing ring_;
  BusAddress buffers_;  // pages to receive into, or headers to send from
  BusAddress payload_;  // what is sent, over and over
  std::vector<std::uint16_t> free_ids_;
  std::vector<std::uint16_t> chain_slots_;  // by id
  TcpReceiver receiver_;
  std::vector<std::byte> frame_;  // received so far, with its header
  unsigned buffers_to_come_ = 0;
  std::uint64_t position_ = 0;  // of the next byte to send
  std::uint64_t bytes_ = 0;
  std::uint64_t descriptors_ = 0;
  std::uint64_t frames_ = 0;
  std::uint64_t interrupts_ = 0;
  std::string_view complaint_;
};

}  // namespace nicroscope::sim
