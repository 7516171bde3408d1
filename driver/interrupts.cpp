// SPDX-License-Identifier: Apache-2.0
// Vectors, what they mean, and what the device has to say about itself.
#include <algorithm>
#include <array>
#include <cstdio>

#include "driver/virtio_net.h"
#include "nicroscope/registers.h"

namespace nicroscope::driver {

namespace {

std::string describe(const ErrorRecord& record) {
  std::string name = "code " + std::to_string(record.code);
  std::string text;
  for (const auto& error : regs::kErrors) {
    if (error.value != record.code) continue;
    name = error.name;
    text = " (" + std::string(error.text) + ")";
  }
  std::array<char, 160> where{};
  std::snprintf(where.data(), where.size(), ": virtqueue %u, slot %u, address 0x%llx, cycle %llu",
                record.queue, record.index, static_cast<unsigned long long>(record.address),
                static_cast<unsigned long long>(record.cycle));
  return "the device needs a reset: " + name + text + where.data();
}

}  // namespace

// ---- vectors
// -------------------------------------------------------------------------------------

// 4.1.5.1.2: vector 0 for configuration changes, then one a queue; with fewer, one for all queues;
// with one, that for everything.
unsigned VirtioNet::vectors_in_use() const noexcept {
  const auto all = static_cast<unsigned>(1 + 2 * pairs_.size());
  return std::min(pci_.vectors() >= all ? all : 2, pci_.vectors());
}

std::uint16_t VirtioNet::vector_of(std::uint16_t queue) const noexcept {
  const unsigned vectors = vectors_in_use();
  if (vectors > 2) return static_cast<std::uint16_t>(1 + queue);
  return static_cast<std::uint16_t>(vectors - 1);
}

bool VirtioNet::request_irqs() {
  auto& irq = kernel_.irq();
  const unsigned cpus = kernel_.cpus();
  for (unsigned vector = 0; vector < vectors_in_use(); ++vector) {
    const unsigned queue = vector - 1;
    std::string name = options_.name;
    if (vector == 0) {
      name += "-config";
    } else if (vectors_in_use() == 2) {
      name += "-virtqueues";
    } else {
      name += (queue % 2 == 0 ? "-input." : "-output.") + std::to_string(queue / 2);
    }
    // The two queues of a pair are handled by one CPU, and pairs spread over all (Linux:
    // virtnet_set_affinity).
    const unsigned cpu = vector == 0 ? 0 : queue / 2 % cpus;
    const bool taken = irq.request_irq(
        options_.first_vector + vector, std::move(name),
        [this, vector](unsigned) { return queue_interrupt(vector); }, cpu);
    if (taken) continue;
    while (vector-- != 0) irq.free_irq(options_.first_vector + vector);
    return false;
  }
  return true;
}

void VirtioNet::free_irqs() {
  for (unsigned vector = 0; vector < vectors_in_use(); ++vector) {
    kernel_.irq().free_irq(options_.first_vector + vector);
  }
}

// Each CPU sends on the queue whose interrupts it handles, as far as there are queues enough
// (Linux: XPS by virtnet_set_affinity).
void VirtioNet::set_affinity() {
  const unsigned cpus = kernel_.cpus();
  netdev_->xps.clear();
  if (pairs_in_use_ < 2 || pairs_in_use_ > cpus) return;
  for (unsigned cpu = 0; cpu < cpus; ++cpu) {
    netdev_->xps.push_back(static_cast<std::uint16_t>(cpu % pairs_in_use_));
  }
}

kernel::irqreturn_t VirtioNet::queue_interrupt(unsigned vector) {
  bool ours = vector == 0 && config_interrupt();
  const bool napi = options_.receive == Receive::napi;
  const auto look = [&](kernel::napi_struct& instance, Virtqueue& vq, std::uint64_t& events) {
    // Linux: vring_interrupt
    if (!vq.more_used() && !vq.broken()) return;
    ours = true;
    ++events;
    virtqueue_napi_schedule(instance, vq);
  };
  for (const auto& pair : pairs_) {
    if (options_.receive == Receive::poll || !running_) break;
    if (vector_of(pair->rx_index()) == vector) {
      if (napi) {
        look(pair->rx_napi, pair->rx->vq(), pair->rx_events);
      } else {
        ours |= receive_interrupt(*pair, vector);
      }
    }
    if (vector_of(pair->tx_index()) == vector) {
      if (napi) {
        look(pair->tx_napi, pair->tx->vq(), pair->tx_events);
      } else {
        ours |= transmit_interrupt(*pair);
      }
    }
  }
  return ours ? kernel::irqreturn_t::IRQ_HANDLED : kernel::irqreturn_t::IRQ_NONE;
}

// ---- configuration changes
// -----------------------------------------------------------------------

bool VirtioNet::config_interrupt() {
  config_changed_ = true;
  config_wait_.wake_up();
  return true;
}

// Registers cannot be waited for in an interrupt, so a process of its own looks at what changed
// (Linux: virtnet_config_changed_work).
void VirtioNet::config_worker() {
  for (;;) {
    config_wait_.wait_event(
        [this] { return config_changed_ || recovery_wanted_ || dim_changed_ || removing_; });
    if (removing_) break;
    if (std::exchange(recovery_wanted_, false)) recover();
    if (std::exchange(dim_changed_, false)) apply_dim();
    if (!std::exchange(config_changed_, false)) continue;
    const kernel::mutex_guard guard(lock_);
    if (!running_) continue;
    if ((pci_.status() & regs::kStatusNeedsReset) != 0) {
      // 2.1.2: the driver can only assume that its requests are lost, and reset.
      net::netif_carrier_off(*netdev_);
      if (options_.recovery == Recovery::reset) {
        recovery_wanted_ = true;
        continue;
      }
      const ErrorRecord record = pci_.error_record().value_or(ErrorRecord{});
      report({DeviceError::Kind::needs_reset, record, describe(record)});
      continue;
    }
    config_ = pci_.net_config(features_);
    update_carrier();
    if ((config_.status & regs::kLinkStatusAnnounce) != 0 && has(regs::kFeatureGuestAnnounce)) {
      net_.notify_peers(*netdev_);
      (void)command(regs::kCtrlClassAnnounce, 0, ControlData());
    }
  }
  config_running_ = false;
  config_gone_.wake_up();
}

// The device, or a queue, is beyond help: reset it and go on.
void VirtioNet::recover() {
  const kernel::mutex_guard guard(lock_);
  if (!running_) return;
  ++recoveries_;
  stop();
  (void)open();  // which reports its failure
}

void VirtioNet::update_carrier() {
  // 5.1.4: without VIRTIO_NET_F_STATUS the link is taken to be up.
  if (!has(regs::kFeatureStatus) || (config_.status & regs::kLinkStatusUp) != 0) {
    net::netif_carrier_on(*netdev_);
  } else {
    net::netif_carrier_off(*netdev_);
  }
}

void VirtioNet::report(DeviceError error) {
  if (on_error_) on_error_(error);
}

void VirtioNet::report_broken(const Virtqueue& vq) {
  if (std::exchange(broken_reported_, true)) return;
  net::netif_carrier_off(*netdev_);
  if (options_.recovery == Recovery::reset) {
    recovery_wanted_ = true;
    config_wait_.wake_up();
    return;
  }
  ErrorRecord record;
  record.queue = vq.index();
  record.index = vq.broken_at();
  report({DeviceError::Kind::used_element, record,
          "the device returned a buffer that it was not given: virtqueue " +
              std::to_string(record.queue) + ", slot " + std::to_string(record.index)});
}

}  // namespace nicroscope::driver
