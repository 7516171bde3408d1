// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <span>
#include <string>
#include <vector>

#include "nicroscope/registers.h"
#include "nicroscope/virtio.h"
#include "sim/base/random.h"
#include "sim/simulation.h"
#include "sim/wire/frame_queue.h"
#include "tests/support/dma_arena.h"
#include "tests/support/packed_ring.h"

namespace nicroscope::test {

/// A bit of a feature word.
[[nodiscard]] constexpr std::uint64_t feature(unsigned number) {
  return std::uint64_t{1} << number;
}

/// The profiles that rows of faults run on: one with its MAC, one with several queue pairs.
inline const std::vector<std::string> kFaultProfiles = {"edge10", "dc25"};

/// What the vendor page says of the first error.
struct ErrorRecord {
  unsigned code = 0;
  unsigned queue = 0;
  unsigned slot = 0;
  BusAddress address = 0;

  bool operator==(const ErrorRecord&) const = default;
  friend std::ostream& operator<<(std::ostream& out, const ErrorRecord& record) {
    return out << "code " << record.code << ", virtqueue " << record.queue << ", slot "
               << record.slot << ", address " << std::hex << record.address << std::dec;
  }
};

/// A driver that can make every mistake: the joined NIC with assertions on, its registers, rings
/// and wire in the open. It works by looking at the rings, every microsecond; interrupts are
/// counted. Whatever is not a mistake on purpose is checked: what comes out of the NIC is what went
/// in, in order, and the counters say where the rest is.
class FaultHost final : public sim::FrameSink {
 public:
  static constexpr unsigned kRing = 256;          ///< slots of every ring
  static constexpr unsigned kBufferBytes = 2048;  ///< of a receive buffer

  /// The bus of `edge10` is one that a server has; the others' does all that AXI4 allows.
  explicit FaultHost(const std::string& profile);
  ~FaultHost() override;
  FaultHost(const FaultHost&) = delete;
  FaultHost& operator=(const FaultHost&) = delete;

  // ---- the device
  [[nodiscard]] sim::Simulation& simulation() noexcept { return *simulation_; }
  [[nodiscard]] HostMemory& memory() noexcept { return simulation_->memory(); }
  [[nodiscard]] DmaArena& arena() noexcept { return arena_; }
  [[nodiscard]] unsigned pairs() const noexcept { return simulation_->profile().queue_pairs; }
  [[nodiscard]] unsigned control() const noexcept { return 2 * pairs(); }
  /// Short frames are padded on the wire: there is a MAC.
  [[nodiscard]] bool pads() const noexcept { return simulation_->profile().top == "nic_top"; }
  [[nodiscard]] std::uint32_t read(std::uint32_t offset, unsigned size = 4);
  void write(std::uint32_t offset, unsigned size, std::uint32_t value);
  /// A field of the common configuration.
  [[nodiscard]] std::uint32_t common(unsigned field, unsigned size) {
    return read(regs::kBarCommon + field, size);
  }
  void set_common(unsigned field, unsigned size, std::uint32_t value) {
    write(regs::kBarCommon + field, size, value);
  }
  [[nodiscard]] std::uint32_t status() { return common(regs::kCommonDeviceStatus, 1); }
  void set_status(std::uint32_t status) { set_common(regs::kCommonDeviceStatus, 1, status); }
  [[nodiscard]] std::uint64_t counter(unsigned number);
  /// Frames that the device counts as lost, of all that came over the wire.
  [[nodiscard]] std::uint64_t receive_drops();
  [[nodiscard]] ErrorRecord record();
  void run_for(Duration time);
  [[nodiscard]] bool run_until(const std::function<bool()>& done);

  // ---- its life
  [[nodiscard]] std::uint64_t offered();
  /// Writes features and FEATURES_OK; whether the device accepts them.
  [[nodiscard]] bool negotiate(std::uint64_t features);
  /// Rings and fields of every queue, but for queue_enable.
  void prepare_queues();
  void enable_queue(unsigned virtqueue);
  /// To DRIVER_OK, with receive buffers on every queue but `bare`.
  void start(std::uint64_t features, std::optional<unsigned> bare = {});
  void start() { start(offered()); }
  /// 0 into the status; what was in the device is forgotten.
  void reset();
  /// Resets one queue and starts it again (VIRTIO_F_RING_RESET); false if the reset does not end.
  [[nodiscard]] bool reset_queue(unsigned virtqueue);
  /// Waits for DEVICE_NEEDS_RESET; the record, or zeros and a failure.
  [[nodiscard]] ErrorRecord needs_reset();

  // ---- queues
  [[nodiscard]] PackedRing& ring(unsigned virtqueue) { return *queues_.at(virtqueue).ring; }
  [[nodiscard]] virtio::PackedDescriptor& slot(unsigned virtqueue, unsigned index);
  /// Slot that the next chain begins at.
  [[nodiscard]] unsigned next_slot(unsigned virtqueue) const {
    return queues_.at(virtqueue).next_slot;
  }
  /// Memory that the device may read or write.
  [[nodiscard]] Piece buffer(unsigned virtqueue, std::size_t bytes, bool write);
  using Spoil = std::function<void(unsigned head)>;
  /// Makes a chain available, after `spoil`, and rings; returns the slot of its head.
  unsigned give(unsigned virtqueue, const std::vector<Piece>& chain, const Spoil& spoil = {});
  void ring_bell(unsigned virtqueue);
  /// Chains of a transmit or control queue that came back.
  [[nodiscard]] std::uint64_t returned(unsigned virtqueue) const {
    return queues_.at(virtqueue).returned;
  }

  // ---- traffic
  /// A frame of random bytes with an EtherType that nobody takes, for the device.
  [[nodiscard]] std::vector<std::byte> plain_frame(std::size_t bytes);
  void to_nic(std::span<const std::byte> frame, sim::WireFault fault = sim::WireFault::none);
  /// A good frame to the NIC, back to back with the one before.
  void receive_frame(std::span<const std::byte> frame);
  /// Frames to the NIC that are expected at the driver.
  void receive(unsigned frames);
  /// Frames of the driver that are expected on the wire.
  void send(unsigned frames, unsigned pair = 0);
  void send_frame(unsigned pair, const virtio::NetHeader& header, std::span<const std::byte> frame);
  /// Full service: `frames` each way over all queue pairs, none lost, each counted.
  void expect_service(unsigned frames = 40);
  /// Nothing is under way: every frame on the wire is in a counter, and no frame twice. `unseen`
  /// frames were delivered, and the driver was not told; `unheard` ones came without a link.
  void expect_conservation(std::uint64_t unseen = 0, std::uint64_t unheard = 0);
  /// A control command: its ack, or nothing if it came back without. `room` is the writable part.
  [[nodiscard]] std::optional<std::uint8_t> command(std::span<const std::uint8_t> bytes,
                                                    std::size_t room = 1);
  /// RSS: frames of IPv4 go to one queue pair, those without a hash to another.
  void steer(unsigned hashed, unsigned unclassified);
  [[nodiscard]] std::uint64_t received() const noexcept { return received_; }
  [[nodiscard]] std::uint64_t on_wire() const noexcept { return on_wire_; }
  [[nodiscard]] std::uint64_t passed() const noexcept { return passed_; }
  [[nodiscard]] std::uint64_t interrupts() const noexcept { return interrupts_; }
  /// Frames that the NIC sent and that were not expected so.
  std::vector<std::vector<std::byte>> strays;

  void on_frame(const sim::PassedFrame& frame) override;

 private:
  struct Queue {
    std::unique_ptr<PackedRing> ring;
    std::vector<Piece> buffer;  // by id, of a receive queue
    unsigned next_slot = 0;
    std::uint64_t returned = 0;
    std::uint32_t last_length = 0;  // of the used element seen last
    std::vector<std::byte> partial;
    unsigned buffers_left = 0;
  };
  using Frames = std::deque<std::vector<std::byte>>;

  void prepare_queue(unsigned virtqueue);
  void fill(unsigned virtqueue);
  void poll();
  void consume_receive(unsigned virtqueue, const PackedRing::Used& used);
  void post_receive(unsigned virtqueue, const Piece& piece);
  [[nodiscard]] static bool matches(Frames& expected, std::span<const std::byte> frame);

  std::unique_ptr<sim::Simulation> simulation_;
  std::unique_ptr<sim::FrameQueue> source_;
  sim::Random random_;
  DmaArena arena_;
  std::vector<Queue> queues_;
  std::uint64_t features_ = 0;
  std::size_t header_bytes_ = regs::kNetHdrBytes;
  Frames to_driver_;  // expected, in order
  Frames to_wire_;
  std::uint64_t received_ = 0;
  std::uint64_t on_wire_ = 0;
  std::uint64_t passed_ = 0;
  std::uint64_t interrupts_ = 0;
  bool dead_ = false;  // the simulation has failed
};

}  // namespace nicroscope::test
