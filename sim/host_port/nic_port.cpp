// SPDX-License-Identifier: Apache-2.0
#include "sim/host_port/nic_port.h"

#include <algorithm>
#include <utility>

#include "nicroscope/registers.h"

namespace nicroscope::sim {

namespace {

// The device's parts: a virtqueue for control commands beside the pairs, one vector for
// configuration changes and one a virtqueue.
constexpr unsigned queues_of(const Profile& profile) { return 2 * profile.queue_pairs + 1; }

constexpr std::uint32_t ones(unsigned size) { return size == 4 ? ~0U : (1U << (8 * size)) - 1; }

}  // namespace

NicPort::NicPort(const Profile& profile, EventQueue& timeline, HostArena& arena, AxiMemory& bus,
                 Nic& nic, RtlTrace& trace)
    : timeline_(timeline),
      arena_(arena),
      bus_(bus),
      nic_(nic),
      trace_(trace),
      function_(queues_of(profile) + 1, queues_of(profile) * regs::kNotifyMultiplier) {}

std::uint32_t NicPort::config_read(unsigned offset, unsigned size) {
  function_.set_interrupt_status(nic_.intx());
  return function_.read(offset, size);
}

void NicPort::config_write(unsigned offset, unsigned size, std::uint32_t value) {
  function_.write(offset, size, value);
  bus_.set_bus_master(function_.bus_master());
  nic_.set_msix(function_.msix_enabled(), function_.msix_masked());
  if (const auto window = function_.window(offset, size)) {
    register_write(window->offset, window->size, function_.window_data(*window));
  }
}

void NicPort::config_read_through(unsigned offset, unsigned size, ReadCallback done) {
  const auto window = function_.window(offset, size);
  if (!window) {
    done(config_read(offset, size));
    return;
  }
  register_read(
      window->offset, window->size,
      [this, window = *window, offset, size, done = std::move(done)](std::uint32_t value) {
        function_.set_window_data(window, value);
        done(function_.read(offset, size));
      });
}

Time NicPort::arrival(Duration latency) noexcept {
  return last_arrival_ = std::max(last_arrival_, timeline_.now() + latency);
}

void NicPort::bar_read(std::uint32_t offset, unsigned size, ReadCallback done) {
  if (!function_.memory_enabled() || offset + size > regs::kBarBytes) {  // nobody answers
    timeline_.after(bus_.options().register_read,
                    [done = std::move(done), size] { done(ones(size)); });
    return;
  }
  register_read(offset, size, std::move(done));
}

void NicPort::register_read(std::uint32_t offset, unsigned size, ReadCallback done) {
  const Duration way = bus_.options().register_read / 2;
  timeline_.at(arrival(way), [this, offset, size, way, done = std::move(done)]() mutable {
    nic_.registers().read(offset & ~3U,
                          [this, offset, size, way, done = std::move(done)](std::uint32_t word) {
                            const std::uint32_t value = (word >> (8 * (offset & 3))) & ones(size);
                            timeline_.after(way, [done, value] { done(value); });
                          });
  });
}

void NicPort::bar_write(std::uint32_t offset, unsigned size, std::uint32_t value) {
  if (!function_.memory_enabled() || offset + size > regs::kBarBytes) return;
  register_write(offset, size, value);
}

void NicPort::register_write(std::uint32_t offset, unsigned size, std::uint32_t value) {
  if (offset == regs::kBarCommon + regs::kCommonDeviceStatus) {
    const bool running = (value & regs::kStatusDriverOk) != 0;
    if (running && !running_) trace_.restart();
    running_ = running;
  } else if (offset == regs::kBarCommon + regs::kCommonQueueSelect) {
    queue_select_ = value;
  } else if (offset == regs::kBarCommon + regs::kCommonQueueEnable) {
    trace_.enabled(queue_select_);
  }
  timeline_.at(arrival(bus_.options().register_write), [this, offset, size, value] {
    const unsigned lane = offset & 3;
    nic_.registers().write(offset & ~3U, value << (8 * lane),
                           static_cast<std::uint8_t>(((1U << size) - 1) << lane));
  });
}

MsiMessage NicPort::msi_message(unsigned vector) const noexcept {
  return {AxiMemory::kMsiBase, vector};
}

void NicPort::on_msi(MsiCallback callback) { bus_.on_msi(std::move(callback)); }

FrameId NicPort::received_frame(unsigned pair, std::uint64_t nth) {
  return trace_.received_frame(pair, nth);
}

void NicPort::transmitted_frame(unsigned pair, std::uint64_t nth, FrameId id) {
  trace_.transmitted_frame(pair, nth, id);
}

}  // namespace nicroscope::sim
