// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "nicroscope/registers.h"
#include "nicroscope/virtio.h"
#include "sim/simulation.h"

namespace nicroscope::test {

/// The least that can drive the device through its registers and rings, written from the
/// specification and without the project's driver: for tests of the device and the simulator.
/// It answers interrupts at once and in no time. Buffers are returned to the device as soon as they
/// have been looked at.
class RingHost {
 public:
  struct Options {
    unsigned rx_size = 64;
    unsigned tx_size = 64;
    unsigned rx_buffer_bytes = 2048;
    unsigned rx_buffer_offset = 0;  ///< of each buffer within its aligned place
    bool mergeable = true;
    bool event_idx = false;
    bool refill = true;
  };
  struct Received {
    std::vector<std::byte> bytes;  ///< without virtio_net_hdr
    unsigned buffers;
    Time time;
  };

  RingHost(sim::Simulation& simulation, const Options& options);

  /// Steps of virtio 1.2, 3.1.1, up to DRIVER_OK with full receive rings. An error text, or
  /// nothing.
  [[nodiscard]] std::string start();
  /// Puts a frame on the transmit ring in pieces of at most `piece` bytes; false if it has no room.
  bool send(std::span<const std::byte> frame, std::size_t piece = 65536);

  [[nodiscard]] std::vector<Received>& received() noexcept { return received_; }
  [[nodiscard]] std::uint64_t sent() const noexcept { return sent_; }  ///< returned by the device
  [[nodiscard]] std::uint64_t interrupts() const noexcept { return interrupts_; }
  [[nodiscard]] const std::string& error() const noexcept { return error_; }

  [[nodiscard]] std::uint32_t read(std::uint32_t offset, unsigned size);
  void write(std::uint32_t offset, unsigned size, std::uint32_t value);
  /// One of the device's counters (regs::kCounter...).
  [[nodiscard]] std::uint64_t counter(unsigned number);
  /// Where the receive buffer with this id lies.
  [[nodiscard]] BusAddress receive_buffer(unsigned id) const { return rx_.buffer.at(id); }
  /// Called for every frame received.
  std::function<void(const Received&)> on_receive;

 private:
  struct Ring {
    unsigned index = 0;  // virtqueue
    unsigned size = 0;
    BusAddress desc = 0;
    BusAddress driver = 0;
    BusAddress device = 0;
    unsigned next_avail = 0;
    bool avail_wrap = true;
    unsigned next_used = 0;
    bool used_wrap = true;
    std::vector<BusAddress> buffer;  // by id
    std::vector<unsigned> chain;     // slots of the chain with this id
    std::vector<unsigned> free_ids;
    unsigned free_slots = 0;
  };
  struct Used {
    unsigned id;
    std::uint32_t len;
  };

  BusAddress allocate(std::size_t bytes, std::size_t alignment);
  template <typename T>
  T& at(BusAddress address);
  virtio::PackedDescriptor& slot(Ring& ring, unsigned index);
  void make_ring(Ring& ring, unsigned index, unsigned size);
  void configure(Ring& ring, unsigned vector);
  void post_receive(unsigned id);
  void advance_avail(Ring& ring);
  void kick(Ring& ring);
  bool next_used(Ring& ring, Used& used);
  void poll();
  void poll_receive();

  sim::Simulation& simulation_;
  Options options_;
  BusAddress free_;
  Ring rx_;
  Ring tx_;
  std::vector<Received> received_;
  std::uint64_t sent_ = 0;
  std::uint64_t interrupts_ = 0;
  std::string error_;
};

}  // namespace nicroscope::test
