// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "sim/bench/bring_up.h"
#include "sim/bench/control_queue.h"
#include "sim/simulation.h"

namespace nicroscope::sim::vhost_user {

/// The NIC as a back-end needs it: what a virtio driver's probe does, by register accesses alone.
///
/// Everything but kick() runs the simulation until the device has answered. Hardware that fails
/// meanwhile is a SimulationFailure. One virtqueue has the vector of its own index; the vector
/// behind all of them is that of configuration changes.
class NicDevice {
 public:
  /// Memory of the simulation that is the device's own and no client's: for the control queue.
  static constexpr BusAddress kPrivateBase = 0x4000'0000'0000'0000;

  /// The simulation's memory must lie at kPrivateBase. `interrupt` runs at each message of a
  /// virtqueue.
  NicDevice(Simulation& simulation, std::function<void(unsigned queue)> interrupt);
  NicDevice(const NicDevice&) = delete;
  NicDevice& operator=(const NicDevice&) = delete;

  [[nodiscard]] std::uint64_t offered() const noexcept { return offered_; }
  [[nodiscard]] unsigned pairs() const noexcept { return pairs_; }
  [[nodiscard]] unsigned queues() const noexcept { return 2 * pairs_ + 1; }
  [[nodiscard]] unsigned largest_ring() const noexcept { return largest_ring_; }
  [[nodiscard]] bool running() const noexcept { return running_; }

  /// Device configuration; zeros behind its end.
  void read_config(unsigned offset, std::span<std::byte> to);
  /// From reset to DRIVER_OK without a queue. A driver that does not take the control virtqueue
  /// leaves it to this object. Returns why the device refuses, empty if it runs.
  [[nodiscard]] std::string start(std::uint64_t features);
  /// The device does not touch memory any more when this returns.
  void reset();

  // A device that has given up on what its driver did does none of these: then error() is
  // returned, otherwise nothing.
  [[nodiscard]] std::string start_queue(const QueueAreas& areas);
  [[nodiscard]] std::string stop_queue(unsigned queue);
  void kick(unsigned queue);
  /// The control virtqueue of the device that runs is ours.
  [[nodiscard]] bool has_control() const noexcept { return control_.has_value(); }
  /// Has received frames go to the first `pairs` pairs, where the control virtqueue is ours. With 0
  /// the device drops all of them (rx_drop_filter).
  [[nodiscard]] std::string use_pairs(unsigned pairs);
  /// Until the device has done all that it can do by itself; the wire brings nothing meanwhile. If
  /// true, it will touch only those rings that are kicked or get frames. False: it did not come to
  /// an end.
  [[nodiscard]] bool settle();

  /// The configuration changed since this was asked last: the link, or that the device gave up.
  [[nodiscard]] bool take_change() noexcept { return std::exchange(changed_, false); }
  /// Why the device asks for a reset; empty if it does not.
  [[nodiscard]] std::string error();

 private:
  void write(std::uint32_t offset, unsigned size, std::uint32_t value);
  void write_address(std::uint32_t offset, BusAddress address);
  [[nodiscard]] std::uint32_t read(std::uint32_t offset, unsigned size);
  [[nodiscard]] std::string wait_until(std::uint32_t offset, unsigned size, std::uint32_t value,
                                       const char* what);
  void select(unsigned queue);
  void set_vector(unsigned vector);
  [[nodiscard]] std::string command(std::uint8_t command_class, std::uint8_t command,
                                    std::uint16_t value, std::size_t bytes);
  [[nodiscard]] std::string change_pairs(unsigned pairs);

  Simulation& simulation_;
  std::uint64_t offered_ = 0;
  unsigned pairs_;
  unsigned largest_ring_ = 0;
  bool running_ = false;
  bool changed_ = false;
  unsigned pairs_in_use_ = 1;  // as asked for; 0: the filter is closed
  unsigned steered_pairs_ = 1;
  bool filter_ready_ = false;
  std::optional<ControlQueue> control_;
  std::vector<std::uint32_t> doorbells_;  // of each queue, in the BAR
};

}  // namespace nicroscope::sim::vhost_user
