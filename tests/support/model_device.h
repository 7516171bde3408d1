// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <vector>

#include "nicroscope/device_port.h"
#include "nicroscope/registers.h"
#include "nicroscope/timeline.h"
#include "nicroscope/virtio.h"
#include "tests/rtl/ctrl_model.h"
#include "tests/support/model_queue.h"

namespace nicroscope::test {

using Frame = std::vector<std::byte>;

/// What a device does that it must not, or refuses to do.
enum class Hostile : std::uint8_t {
  none,
  bad_id,            ///< a used element with an id beyond the ring
  stale_id,          ///< a used element with an id that is not in the device's hands
  long_length,       ///< says that it wrote more than a buffer holds
  short_length,      ///< says that it wrote less than a header
  zero_buffers,      ///< num_buffers 0
  too_many_buffers,  ///< num_buffers beyond what it used
  refuse_features,   ///< FEATURES_OK does not stick
  stuck_reset,       ///< never comes out of reset
  no_queue_vector,   ///< maps no queue to a vector
  no_config_vector,  ///< maps configuration changes to no vector
  mute_control,      ///< never answers a command
  refuse_commands,   ///< answers every command with an error
  stuck_queue,       ///< a queue never comes out of its reset
};

struct ModelOptions {
  std::uint64_t features = regs::kFeaturesOffered;
  std::uint16_t ring_max = 256;
  std::uint16_t mtu = 9000;
  unsigned pairs = 1;
  unsigned vectors = 0;  ///< 0: one for the configuration and one a virtqueue
  std::array<std::uint8_t, 6> mac{0x52, 0x54, 0x00, 0x12, 0x34, 0x56};
  Duration register_latency = std::chrono::nanoseconds{400};  ///< one way over the bus
  Duration reset_time = std::chrono::microseconds{25};
  /// From having something to do to doing it: random up to this.
  Duration work_delay = std::chrono::microseconds{2};
  Duration interrupt_latency = std::chrono::nanoseconds{300};
  bool event_idx_kicks = false;  ///< asks for kicks by event index where negotiated
  std::uint64_t seed = 1;
};

/// A virtio network device without RTL: registers, packed rings, MSI-X, event suppression,
/// mergeable buffers, the control virtqueue with what it sets, checksums and super-frames, as
/// virtio 1.2 describes them. It does in one step what hardware does in many, at random times. It
/// merges nothing: receive_super hands it what another one would have made.
class ModelDevice : public DevicePort {
 public:
  ModelDevice(Timeline& timeline, HostMemory& memory, ModelBus::Allowed allowed,
              ModelOptions options = {});

  // ---- the wire
  /// A frame for the host; waits until there are buffers. Dropped if the device does not run, or
  /// if its filters keep the frame out.
  void receive(Frame frame);
  /// A super-frame, with the header that the device gives it.
  void receive_super(Frame frame, const virtio::NetHeader& header);
  /// Called with every frame that the host sends.
  std::function<void(Frame)> on_transmit;
  void set_link(bool up);
  /// The status of the device configuration, with a change of configuration.
  void set_config_status(std::uint16_t status);
  /// What else is in the header of every frame for the host, num_buffers apart.
  void set_receive_header(const virtio::NetHeader& header) { receive_header_ = header; }
  /// Headers of the frames that the host sent.
  [[nodiscard]] const std::vector<virtio::NetHeader>& sent_headers() const noexcept {
    return sent_headers_;
  }

  // ---- trouble
  /// From now on; those that concern a frame do so once.
  void set_hostile(Hostile hostile) { hostile_ = hostile; }
  /// The device finds that it cannot go on.
  void fail(std::uint8_t code, std::uint16_t queue, std::uint16_t slot, BusAddress address);

  // ---- what happened
  [[nodiscard]] std::uint8_t status() const noexcept { return status_; }
  [[nodiscard]] std::uint64_t driver_features() const noexcept { return driver_features_; }
  [[nodiscard]] std::uint64_t counter(unsigned n) const { return counters_[n]; }
  [[nodiscard]] std::size_t waiting() const;
  /// What the commands have set.
  [[nodiscard]] ControlModel& control() noexcept { return control_; }
  [[nodiscard]] const std::vector<std::vector<std::uint8_t>>& commands() const noexcept {
    return commands_;
  }
  /// Frames delivered to a pair since the start, and sent by it.
  [[nodiscard]] std::uint64_t delivered(unsigned pair) const { return delivered_count_.at(pair); }
  [[nodiscard]] std::uint64_t sent(unsigned pair) const { return sent_count_.at(pair); }
  [[nodiscard]] std::uint32_t vendor_control() const noexcept { return vendor_control_; }
  /// The wire frames of super-frames are cut, others as they are.
  [[nodiscard]] const std::vector<std::size_t>& super_frames() const noexcept {
    return super_frames_;
  }
  [[nodiscard]] const std::optional<ModelQueue::Error>& error() const noexcept { return error_; }
  /// Status writes in their order.
  [[nodiscard]] const std::vector<std::uint8_t>& status_writes() const noexcept {
    return status_writes_;
  }
  [[nodiscard]] const std::map<std::uint64_t, FrameId>& sent_frames() const noexcept {
    return sent_frames_;
  }
  [[nodiscard]] std::uint64_t early_kicks() const noexcept { return early_kicks_; }
  /// An access of the driver, as it was asked for.
  struct Access {
    bool config;  ///< to configuration space, else to the BAR
    bool write;
    std::uint32_t offset;
    unsigned size;
    std::uint32_t value;  ///< of a write
  };
  /// Called with every access before it is carried out.
  std::function<void(const Access&)> on_access;
  [[nodiscard]] std::uint16_t queue_size(unsigned queue) const {
    return queues_.at(queue).layout.size;
  }

  // ---- DevicePort
  [[nodiscard]] std::uint32_t config_read(unsigned offset, unsigned size) override;
  void config_write(unsigned offset, unsigned size, std::uint32_t value) override;
  void bar_read(std::uint32_t offset, unsigned size, ReadCallback done) override;
  void bar_write(std::uint32_t offset, unsigned size, std::uint32_t value) override;
  [[nodiscard]] HostMemory& memory() noexcept override { return memory_; }
  [[nodiscard]] MsiMessage msi_message(unsigned vector) const noexcept override;
  void on_msi(MsiCallback callback) override { msi_ = std::move(callback); }
  [[nodiscard]] FrameId received_frame(unsigned pair, std::uint64_t nth) override;
  void transmitted_frame(unsigned pair, std::uint64_t nth, FrameId id) override;

 private:
  struct Queue {
    ModelQueue::Layout layout;
    std::uint16_t vector = regs::kNoVector;
    bool enabled = false;
    bool awake = false;  ///< polls the ring on its own, no kicks wanted
    bool resetting = false;
    std::unique_ptr<ModelQueue> ring;
  };
  struct MsixEntry {
    std::uint64_t address = 0;
    std::uint32_t data = 0;
    bool masked = true;
    bool pending = false;
  };

  void build_config_space();
  [[nodiscard]] std::uint32_t register_read(std::uint32_t offset, unsigned size);
  void register_write(std::uint32_t offset, unsigned size, std::uint32_t value);
  [[nodiscard]] std::uint32_t common_read(std::uint32_t offset);
  void common_write(std::uint32_t offset, std::uint32_t value);
  [[nodiscard]] std::uint32_t net_config_read(std::uint32_t offset, unsigned size) const;
  [[nodiscard]] std::uint32_t vendor_read(std::uint32_t offset);
  void msix_write(std::uint32_t offset, std::uint32_t value);
  void write_status(std::uint8_t value);
  void finish_reset();
  void enable_queue(Queue& queue);

  [[nodiscard]] bool running() const noexcept;
  [[nodiscard]] bool negotiated(unsigned feature) const noexcept;
  struct Incoming {
    Frame bytes;
    FrameId id;
    std::optional<virtio::NetHeader> super;
  };
  [[nodiscard]] unsigned control_queue() const noexcept {
    return static_cast<unsigned>(queues_.size() - 1);
  }
  void kick(unsigned queue);
  void schedule_work();
  void work();
  [[nodiscard]] bool work_on(unsigned queue);
  void take(Incoming frame);
  [[nodiscard]] bool deliver(unsigned queue, const Incoming& frame);
  [[nodiscard]] bool transmit_one(unsigned queue);
  [[nodiscard]] bool control_one();
  void reset_queue(Queue& queue);

  // ---- what a network device does to frames (model_net.cpp)
  [[nodiscard]] std::size_t header_bytes() const noexcept;
  [[nodiscard]] bool admits(const Frame& frame) const;
  [[nodiscard]] unsigned steer(const Frame& frame) const;
  [[nodiscard]] virtio::NetHeaderHash receive_header(const Incoming& frame) const;
  void send(const virtio::NetHeader& header, Frame bytes);
  void forget_settings();
  void sleep_if_drained(Queue& queue);
  void interrupt_for(Queue& queue);
  void raise(std::uint16_t vector);
  void check(unsigned queue);

  Timeline& timeline_;
  HostMemory& memory_;
  ModelBus bus_;
  const ModelOptions options_;
  std::mt19937_64 random_;
  std::array<std::uint8_t, 256> config_{};
  MsiCallback msi_;

  std::uint8_t status_ = 0;
  bool resetting_ = false;
  std::uint8_t generation_ = 0;
  std::uint32_t device_feature_select_ = 0;
  std::uint32_t driver_feature_select_ = 0;
  std::uint64_t driver_features_ = 0;
  std::uint16_t config_vector_ = regs::kNoVector;
  std::uint16_t queue_select_ = 0;
  std::vector<Queue> queues_;  ///< pairs, then the control virtqueue
  std::vector<MsixEntry> msix_;
  std::array<std::uint64_t, regs::kNumCounters> counters_{};
  std::uint32_t counter_high_ = 0;
  std::optional<ModelQueue::Error> error_;
  std::uint16_t error_queue_ = 0;
  std::uint64_t error_cycle_ = 0;

  std::vector<std::deque<Incoming>> frames_;  ///< from the wire, not yet delivered, by pair
  std::uint64_t epoch_ = 0;                   ///< counts resets: work of an earlier one is void
  bool work_scheduled_ = false;
  Hostile hostile_ = Hostile::none;
  FrameId next_frame_ = 1;
  std::vector<std::vector<FrameId>> delivered_;  ///< by pair
  ControlModel control_;
  std::vector<std::vector<std::uint8_t>> commands_;
  std::vector<std::uint64_t> delivered_count_;
  std::vector<std::uint64_t> sent_count_;
  std::vector<std::size_t> super_frames_;
  std::uint16_t config_status_ = regs::kLinkStatusUp;
  std::uint32_t vendor_control_ = 0;
  std::uint64_t chains_sent_ = 0;
  std::map<std::uint64_t, FrameId> sent_frames_;
  std::vector<std::uint8_t> status_writes_;
  std::optional<virtio::NetHeader> receive_header_;
  std::vector<virtio::NetHeader> sent_headers_;
  std::uint64_t early_kicks_ = 0;
};

}  // namespace nicroscope::test
