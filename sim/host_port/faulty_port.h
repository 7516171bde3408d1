// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>
#include <vector>

#include "nicroscope/device_port.h"
#include "nicroscope/virtio.h"

namespace nicroscope::sim {

/// How a driver can mistreat a device. docs/faults.md says what the device makes of each.
enum class FaultKind : std::uint8_t {
  none,
  zero_length,      ///< a descriptor of no bytes
  bad_length,       ///< a descriptor of 128 KiB; no fault on a receive queue
  wrong_direction,  ///< WRITE where the device reads, or none where it writes
  indirect,         ///< INDIRECT, which was not negotiated
  unmapped,         ///< a buffer outside mapped memory
  loop,             ///< NEXT on everything available: no chain ends
  too_long,         ///< the whole ring is one chain, and that goes on
  ring_unmapped,    ///< the device may not read the ring any more
  ring_read_only,   ///< the device may not write the ring any more
  event_unmapped,   ///< the device may not touch the event suppression structures any more
};

/// By the names above; nothing for any other.
[[nodiscard]] std::optional<FaultKind> fault_kind(std::string_view name) noexcept;

struct FaultOptions {
  FaultKind kind = FaultKind::none;
  bool transmit = false;    ///< of the pair's queues, the transmit queue
  std::uint64_t after = 0;  ///< frames that the queue carries first, counted from its start
};

/// A device behind a driver that makes one mistake: passes everything on to another port, learns
/// from the register writes where the first queue pair's rings are, and then spoils what the driver
/// made available last.
///
/// The driver's calls are the only times at which it can act. A transmit chain is spoilt in the
/// moment in which it becomes available. Receive buffers become available in silence where the
/// device polls, so there it spoils the newest at every register access and every frame, until the
/// device has said that it needs a reset. Then, or with a reset, the fault is gone for good. A
/// receive chain without an end takes a whole ring that the device has not looked at: it is made at
/// the start.
class FaultyPort final : public DevicePort {
 public:
  /// `port` must outlive this one.
  FaultyPort(DevicePort& port, const FaultOptions& options);
  FaultyPort(const FaultyPort&) = delete;
  FaultyPort& operator=(const FaultyPort&) = delete;

  /// Something was spoilt.
  [[nodiscard]] bool struck() const noexcept { return struck_; }
  /// Ends the fault and maps again what it took away. Before the driver frees its rings.
  void end();

  [[nodiscard]] std::uint32_t config_read(unsigned offset, unsigned size) override;
  void config_write(unsigned offset, unsigned size, std::uint32_t value) override;
  void config_read_through(unsigned offset, unsigned size, ReadCallback done) override;
  void bar_read(std::uint32_t offset, unsigned size, ReadCallback done) override;
  void bar_write(std::uint32_t offset, unsigned size, std::uint32_t value) override;
  [[nodiscard]] HostMemory& memory() noexcept override { return port_.memory(); }
  [[nodiscard]] MsiMessage msi_message(unsigned vector) const noexcept override;
  void on_msi(MsiCallback callback) override;
  [[nodiscard]] FrameId received_frame(unsigned pair, std::uint64_t nth) override;
  void transmitted_frame(unsigned pair, std::uint64_t nth, FrameId id) override;

 private:
  // A place in the ring on one of its laps, as a wrap counter tells them apart.
  struct Position {
    unsigned slot = 0;
    bool wrap = true;
  };
  // The ring that the fault is for, as far as the writes so far have told.
  struct Ring {
    std::array<std::uint32_t, 6> words{};  // of QueueDesc, QueueDriver, QueueDevice
    unsigned size = 0;
    bool enabled = false;
    Position avail;               // where the driver's next descriptor goes
    Position newest;              // the chain that it made available last
    Position used;                // where the device's next used element goes
    unsigned outstanding = 0;     // slots from used to avail
    std::vector<unsigned> chain;  // slots of the chain with this id
    [[nodiscard]] BusAddress address(unsigned field) const noexcept {
      return words[2 * field] | std::uint64_t{words[2 * field + 1]} << 32U;
    }
  };

  void access();  // before a register access passes
  void common_write(std::uint32_t offset, unsigned size, std::uint32_t value);
  [[nodiscard]] volatile virtio::PackedDescriptor& slot(unsigned index);
  void advance(Position& position, unsigned slots) const noexcept;
  void follow();  // brings avail and used up to date
  void consider();
  [[nodiscard]] bool strike();
  [[nodiscard]] bool spoil_newest();
  [[nodiscard]] bool spoil_all();
  [[nodiscard]] bool make_one_chain();
  void take_away(BusAddress address, std::size_t size, DmaDirection direction);

  DevicePort& port_;
  const FaultOptions options_;
  unsigned selected_ = 0;
  Ring ring_;
  Position chain_;  // the head of FaultKind::too_long
  std::uint64_t frames_ = 0;
  std::optional<std::uint32_t> held_status_;  // a write of DRIVER_OK on its way to the device
  bool armed_;
  bool struck_ = false;
  std::function<void()> give_back_;
};

}  // namespace nicroscope::sim
