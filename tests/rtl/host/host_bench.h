// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <Vhost_regs.h>
#include <gtest/gtest.h>
#include <verilated.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <random>
#include <set>
#include <vector>

#include "nicroscope/registers.h"

namespace nicroscope::test {

// The registers of the NIC with a host on one side and the model of a datapath on the other.
//
// tick() is one clock cycle. Register accesses tick until they are answered. What the block sends
// (messages, hand-overs, doorbells) is collected with the cycle of the handshake.
class HostBench {
 public:
  struct Message {
    std::uint64_t cycle;
    std::uint64_t address;
    std::uint32_t data;
  };
  struct Enabled {
    std::uint64_t queue, desc, driver, device, size;
  };
  struct Error {
    std::uint8_t code;
    std::uint16_t queue;
    std::uint16_t index;
    std::uint64_t address;
  };

  explicit HostBench(unsigned seed = 1);
  ~HostBench();

  void tick(unsigned cycles = 1);
  // Ticks until idle_o, at most `limit` cycles; fails the test otherwise.
  void settle(unsigned limit = 20000);
  // True if a clock edge left every bit of the model as it was.
  bool edge_changes_nothing();

  // Registers. `strobes` has a bit for each byte of the word.
  void write_word(std::uint32_t address, std::uint32_t data, unsigned strobes = 0xF);
  std::uint32_t read_word(std::uint32_t address);
  void write8(std::uint32_t address, std::uint32_t data);
  void write16(std::uint32_t address, std::uint32_t data);
  void write64(std::uint32_t address, std::uint64_t data);  // two 32-bit writes, low half first
  std::uint32_t read8(std::uint32_t address);
  std::uint32_t read16(std::uint32_t address);
  std::uint64_t read64(std::uint32_t address);

  // Common configuration, by its offsets.
  void set_status(std::uint32_t status) { write8(regs::kCommonDeviceStatus, status); }
  std::uint32_t status() { return read8(regs::kCommonDeviceStatus); }
  void select_queue(std::uint32_t queue) { write16(regs::kCommonQueueSelect, queue); }
  std::uint64_t device_features();
  void accept_features(std::uint64_t features);
  // Steps 1 to 6 of virtio 1.2, 3.1.1, accepting `features`.
  void negotiate(std::uint64_t features);
  // All of the steps; every queue q has vector q + 1, the configuration vector 0.
  void bring_up();
  std::uint64_t counter(unsigned index);

  // MSI-X table: vector v sends data 0x100 + v to 0xFEE00000 + 0x1000 * v.
  void program_vectors();
  void mask_vector(std::uint32_t vector, bool masked);
  std::uint32_t pending_word(std::uint32_t word);
  std::size_t messages_of(std::uint32_t vector) const;

  // A number below `limit`, or any; the same ones for the same seed.
  std::uint32_t draw(std::uint32_t limit) { return draw() % limit; }
  std::uint32_t draw() { return static_cast<std::uint32_t>(random_()); }

  // The device's number of the virtqueue that the driver selects as `queue`.
  std::uint16_t virtqueue(std::uint32_t queue) const;

  // Events from the datapath; `queue` is the driver's number.
  void raise(std::uint32_t queue) { irqs_.push_back(virtqueue(queue)); }
  bool raised_all() const { return irqs_.empty(); }
  void set_error(const Error& error);
  void clear_error() { top->err_valid_i = 0; }

  std::unique_ptr<VerilatedContext> context;
  std::unique_ptr<Vhost_regs> top;
  std::uint64_t cycle = 0;
  unsigned queues = 0;    // as built, with the control queue
  unsigned vectors = 0;   // as built
  unsigned ring_max = 0;  // as built

  // How the datapath and the bus behave.
  bool quiet = true;
  bool enable_ready = true;
  bool reset_ready = true;                // qrst_ready_i
  unsigned message_latency = 20;          // cycles from a message to its answer
  unsigned message_stall_percent = 0;     // cycles without msix_wr_ready_i
  std::set<std::uint64_t> bad_addresses;  // messages there are answered with an error
  std::function<void()> every_cycle;      // before the inputs of a cycle are seen

  std::vector<Message> messages;
  std::vector<Enabled> enabled;
  std::vector<std::uint16_t> kicks;
  std::vector<std::uint16_t> queue_resets;
  std::vector<std::uint64_t> clears;  // cycles of clear_o
  std::uint64_t interrupts_taken = 0;

 private:
  struct Answer {
    std::uint64_t cycle;
    bool error;
  };

  void drive();
  void observe();

  std::mt19937 random_;
  std::deque<std::uint16_t> irqs_;
  std::deque<Answer> answers_;
};

inline constexpr std::uint64_t kAllOffered = regs::kFeaturesOffered;
inline constexpr std::uint64_t kMac = 0x02'00'00'00'00'01;  // as mac_i

inline constexpr std::uint32_t kProbed =
    regs::kStatusAcknowledge | regs::kStatusDriver | regs::kStatusFeaturesOk;
inline constexpr std::uint32_t kRunning = kProbed | regs::kStatusDriverOk;

inline std::uint64_t vector_address(std::uint32_t vector) {
  return 0xFEE00000ull + 0x1000ull * vector;
}
inline std::uint32_t vector_data(std::uint32_t vector) { return 0x100u + vector; }
inline std::uint32_t entry(std::uint32_t vector) {
  return regs::kBarMsixTable + regs::kMsixEntryBytes * vector;
}

}  // namespace nicroscope::test
