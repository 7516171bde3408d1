// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "nicroscope/registers.h"
#include "nicroscope/virtio.h"
#include "sim/base/random.h"
#include "sim/simulation.h"
#include "tests/support/dma_arena.h"
#include "tests/support/packed_ring.h"

namespace nicroscope::test {

/// How a queue's driver learns of used elements.
enum class EventMode : std::uint8_t {
  flags,   ///< interrupts off while polling, on when there is no more
  index,   ///< on at the next used element (VIRTIO_F_EVENT_IDX)
  lazy,    ///< on some used elements later (VIRTIO_F_EVENT_IDX)
  polled,  ///< never; looked at by a timer
};

/// One virtqueue as its driver runs it.
struct QueuePlan {
  unsigned size = 64;
  unsigned vector = regs::kNoVector;
  EventMode mode = EventMode::flags;
};

/// What the driver does, all of it.
struct AgentPlan {
  std::uint64_t features = 0;         ///< to be negotiated; all have to be on offer
  std::vector<QueuePlan> queues;      ///< by virtqueue index; the control virtqueue is the last
  unsigned rx_buffer_bytes = 2048;    ///< of one buffer, header included
  unsigned rx_buffer_offset = 0;      ///< from an aligned place
  unsigned rx_pieces = 1;             ///< descriptors of one buffer
  unsigned refill_delay_percent = 0;  ///< of the polls give buffers back late
  Duration poll_delay{0};             ///< at most, from interrupt to poll
  unsigned budget = 64;               ///< used elements a poll

  [[nodiscard]] bool has(unsigned feature) const { return (features >> feature & 1) != 0; }
};

/// A frame, or several merged, as the driver found it.
struct ReceivedFrame {
  unsigned pair = 0;
  unsigned buffers = 0;
  virtio::NetHeader header{};
  std::uint32_t hash = 0;         ///< with HASH_REPORT
  std::uint16_t hash_report = 0;  ///< with HASH_REPORT
  std::vector<std::byte> bytes;
};

/// A driver of the whole device for tests: raw rings, any number of queues, the control virtqueue,
/// resets. It polls as NAPI does, and checks what every driver would rely on. Functions that return
/// a text run the simulation until they are done; an empty text is success.
class NetAgent {
 public:
  NetAgent(sim::Simulation& simulation, std::uint64_t seed);
  NetAgent(const NetAgent&) = delete;
  NetAgent& operator=(const NetAgent&) = delete;

  [[nodiscard]] std::uint64_t offered();
  [[nodiscard]] std::string start(const AgentPlan& plan);
  /// Resets the device; what it returned before is looked at, the rest is forgotten.
  [[nodiscard]] std::string stop();
  /// Resets one virtqueue (VIRTIO_F_RING_RESET) and starts it again.
  [[nodiscard]] std::string reset_queue(unsigned virtqueue);
  [[nodiscard]] bool running() const noexcept { return running_; }
  [[nodiscard]] const AgentPlan& plan() const noexcept { return plan_; }
  [[nodiscard]] unsigned pairs() const noexcept { return pairs_; }

  /// Puts a frame on a transmit queue, in random pieces; false if it has no room.
  bool send(unsigned pair, const virtio::NetHeader& header, std::span<const std::byte> frame);

  /// Issues a control command, its pieces cut at random; `done` gets ack and result, which lies in
  /// front of the ack, or for the class of statistics, as much as there is, behind it. One at a
  /// time; false if there is one, or no control virtqueue.
  using CommandDone = std::function<void(std::uint8_t ack, std::span<const std::byte> result)>;
  bool command(std::uint8_t command_class, std::uint8_t command, std::span<const std::byte> data,
               std::size_t result_bytes, CommandDone done);
  [[nodiscard]] bool command_outstanding() const noexcept { return command_.has_value(); }
  /// Masks or unmasks a vector in the MSI-X table.
  void mask(unsigned vector, bool masked);

  [[nodiscard]] std::uint32_t read(std::uint32_t offset, unsigned size);
  void write(std::uint32_t offset, unsigned size, std::uint32_t value);
  [[nodiscard]] std::uint64_t counter(unsigned number);
  /// Runs until `done`, or for that long; the first thing that is wrong ends it.
  [[nodiscard]] std::string run_for(Duration time, const std::function<bool()>& done = {});

  /// Chains that the device holds for transmission.
  [[nodiscard]] unsigned transmit_outstanding() const;
  /// With nothing under way: used elements that no interrupt told of, as a text. Looks at those
  /// that none had to tell of.
  [[nodiscard]] std::string settle();
  [[nodiscard]] std::uint64_t interrupts() const noexcept { return interrupts_; }
  [[nodiscard]] std::uint64_t used() const noexcept { return used_; }  ///< elements looked at
  // Since the device was started last:
  /// doorbells of a virtqueue
  [[nodiscard]] std::uint64_t kicks(unsigned virtqueue) const { return kicks_.at(virtqueue); }
  /// interrupts by a vector, none if it was masked at some time
  [[nodiscard]] std::optional<std::uint64_t> interrupts(unsigned vector) const {
    return vectors_.at(vector);
  }
  /// commands that were answered, and those with OK
  [[nodiscard]] std::uint64_t commands() const noexcept { return commands_; }
  [[nodiscard]] std::uint64_t commands_ok() const noexcept { return commands_ok_; }
  [[nodiscard]] std::uint64_t delivered() const noexcept { return delivered_; }  ///< used frames
  [[nodiscard]] std::uint64_t discarded() const noexcept { return discarded_; }  ///< of length 0
  [[nodiscard]] unsigned laps(unsigned virtqueue) const {
    return queues_.at(virtqueue).ring->laps();
  }
  /// What was found wrong first.
  [[nodiscard]] const std::string& error() const noexcept { return error_; }

  std::function<void(const ReceivedFrame&)> on_receive;

 private:
  struct Buffer {
    std::vector<Piece> pieces;
    BusAddress place = 0;  // of a transmit buffer
  };
  struct Queue {
    unsigned index = 0;
    unsigned doorbell = 0;  // place of it, queue_notify_off
    std::unique_ptr<PackedRing> ring;
    std::vector<Buffer> in_device;   // by id
    std::vector<Buffer> spare;       // receive buffers that the device does not have
    std::vector<BusAddress> places;  // free ones, for transmission
    bool poll_due = false;
    bool resetting = false;        // nothing may be given to it
    std::uint64_t generation = 0;  // events for an older one are void
    ReceivedFrame partial;         // buffers of a frame so far
    unsigned buffers_left = 0;
  };
  struct Command {
    BusAddress place;
    std::vector<Piece> pieces;
    std::size_t readable;
    std::size_t writable;
    bool ack_first;
    CommandDone done;
  };

  [[nodiscard]] bool is_control(unsigned index) const { return index == 2 * pairs_; }
  [[nodiscard]] static bool is_transmit(unsigned index) { return index % 2 == 1; }
  [[nodiscard]] unsigned header_bytes() const {
    return plan_.has(regs::kFeatureHashReport) ? regs::kNetHdrHashBytes : regs::kNetHdrBytes;
  }
  [[nodiscard]] std::string wait_until(std::uint32_t offset, unsigned size, std::uint32_t value);
  [[nodiscard]] std::string negotiate();
  void set_up_vectors();
  [[nodiscard]] std::size_t piece_bytes(std::size_t left, std::size_t pieces);
  void make_queue(unsigned index);
  void configure(unsigned index);
  [[nodiscard]] std::vector<Piece> cut(BusAddress place, std::size_t bytes, std::size_t most,
                                       bool write);
  void refill(Queue& queue);
  void kick(Queue& queue);
  void on_msi(unsigned vector);
  void schedule_poll(Queue& queue, Duration delay);
  void poll(Queue& queue);
  void consume(Queue& queue, const PackedRing::Used& used);
  void consume_receive(Queue& queue, const PackedRing::Used& used);
  void consume_command(const PackedRing::Used& used);
  bool rearm(Queue& queue);
  void drain(Queue& queue);
  void fail(const std::string& what);
  [[nodiscard]] Duration random_delay(Duration most);

  sim::Simulation& simulation_;
  sim::Random random_;
  DmaArena arena_;
  AgentPlan plan_;
  unsigned pairs_ = 0;
  std::vector<Queue> queues_;
  std::optional<Command> command_;
  bool running_ = false;
  std::uint64_t generation_ = 0;
  std::uint64_t interrupts_ = 0;
  std::uint64_t used_ = 0;
  std::uint64_t delivered_ = 0;
  std::uint64_t discarded_ = 0;
  std::vector<std::uint64_t> kicks_;
  std::vector<std::optional<std::uint64_t>> vectors_;
  std::uint64_t commands_ = 0;
  std::uint64_t commands_ok_ = 0;
  std::string error_;
};

}  // namespace nicroscope::test
