// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "nicroscope/registers.h"
#include "nicroscope/virtio.h"
#include "sim/simulation.h"
#include "sim/wire/frame_queue.h"
#include "tests/golden/bytes.h"
#include "tests/support/dma_arena.h"
#include "tests/support/packed_ring.h"

namespace nicroscope::test {

/// The RTL with assertions on, and the means to do to it what a driver may or may not do, one step
/// at a time. What goes wrong by itself (a step that does not end, a DMA access that nobody mapped)
/// fails the test.
class ConformanceRig : private sim::FrameSink {
 public:
  explicit ConformanceRig(const std::string& profile = "edge10");
  ~ConformanceRig() override;

  // ---- PCI and registers
  [[nodiscard]] std::uint32_t config_read(unsigned offset, unsigned size) {
    return simulation_->port().config_read(offset, size);
  }
  void enable_msix(bool enable);
  [[nodiscard]] std::uint32_t read(std::uint32_t offset, unsigned size);
  void write(std::uint32_t offset, unsigned size, std::uint32_t value);
  [[nodiscard]] std::uint32_t status() { return read(regs::kCommonDeviceStatus, 1); }
  [[nodiscard]] std::uint64_t offered();
  [[nodiscard]] std::uint32_t config(std::uint32_t field, unsigned size) {
    return read(regs::kBarDeviceConfig + field, size);
  }
  [[nodiscard]] golden::Bytes mac();
  [[nodiscard]] std::uint64_t counter(unsigned number);

  // ---- up and down
  /// Writes 0 to the status and waits until it is; buffers and rings are gone.
  void reset();
  /// Reset to FEATURES_OK; false if the device refuses.
  [[nodiscard]] bool negotiate(std::uint64_t features);
  /// Makes all virtqueues that the features leave, of `slots` slots, and enables them. Virtqueue n
  /// has vector n + 1.
  void enable_queues(unsigned slots = 64);
  /// Makes the virtqueue anew and enables it.
  void enable_queue(unsigned virtqueue, unsigned slots);
  /// Resets the virtqueue; what it had is gone, its memory closed to the device.
  void reset_queue(unsigned virtqueue);
  void driver_ok();
  /// All of it.
  void start(std::uint64_t features, unsigned slots = 64);
  [[nodiscard]] unsigned pairs() const { return simulation_->profile().queue_pairs; }
  [[nodiscard]] unsigned queues() const { return static_cast<unsigned>(rings_.size()); }
  [[nodiscard]] unsigned vectors() const { return 2 * pairs() + 2; }
  /// The control virtqueue's number, which depends on the features.
  [[nodiscard]] unsigned control() const;
  void set_queue_vector(unsigned virtqueue, unsigned vector);

  // ---- rings
  [[nodiscard]] PackedRing& ring(unsigned virtqueue) { return *rings_.at(virtqueue); }
  [[nodiscard]] DmaArena& arena() { return arena_; }
  void doorbell(unsigned virtqueue);
  /// Gives the device a chain, kicks, and says its id.
  std::uint16_t add(unsigned virtqueue, std::span<const Piece> chain);
  /// `count` receive buffers of `bytes` bytes.
  void give(unsigned virtqueue, unsigned count, std::uint32_t bytes = 2048);
  void send(unsigned virtqueue, const virtio::NetHeader& header, golden::View frame);
  [[nodiscard]] std::optional<PackedRing::Used> used(unsigned virtqueue) {
    return rings_.at(virtqueue)->next_used();
  }

  struct Received {
    virtio::NetHeader header{};
    std::uint32_t hash = 0;
    std::uint16_t hash_report = 0;
    golden::Bytes bytes;
    std::vector<std::uint32_t> lengths;  ///< of the used elements
  };
  /// The next frame on a receive queue, if there is one by now.
  [[nodiscard]] std::optional<Received> receive(unsigned virtqueue = 0);

  struct Answer {
    std::uint8_t ack = 0xff;
    std::vector<std::uint8_t> data;  ///< of statistics what was written, of others all of it
    std::uint32_t length = 0;        ///< of the used element
    [[nodiscard]] bool ok() const { return ack == regs::kCtrlAckOk; }
  };
  /// Issues a control command, and runs until it is answered and no longer.
  Answer command(std::uint8_t command_class, std::uint8_t number,
                 const std::vector<std::uint8_t>& data, std::size_t answer_bytes = 0);

  // ---- wire and time
  void arrive(golden::View frame) { wire_->push(frame, simulation_->timeline().now()); }
  void run(Duration time);
  /// False if that does not happen within a millisecond.
  [[nodiscard]] bool run_until(const std::function<bool()>& done);
  std::vector<golden::Bytes> sent;   ///< by the device, onto the wire
  std::vector<unsigned> interrupts;  ///< vectors, in their order
  [[nodiscard]] sim::Simulation& simulation() { return *simulation_; }

 private:
  void on_frame(const sim::PassedFrame& frame) override;

  std::unique_ptr<sim::Simulation> simulation_;
  DmaArena arena_;
  std::unique_ptr<sim::FrameQueue> wire_;
  unsigned msix_ = 0;  // the capability
  std::uint64_t features_ = 0;
  std::vector<std::unique_ptr<PackedRing>> rings_;
  std::vector<std::uint32_t> doorbells_;
  std::vector<std::map<std::uint16_t, std::vector<Piece>>> chains_;  // that the device has
};

}  // namespace nicroscope::test
