// SPDX-License-Identifier: Apache-2.0
// Probe, open, stop and reset, and what the device has to say about itself. The data path is in
// data_path.cpp.
#include "driver/virtio_net.h"

#include <algorithm>
#include <array>
#include <cstdio>

#include "driver/queue_pair.h"
#include "nicroscope/host_points.h"
#include "nicroscope/registers.h"

namespace nicroscope::driver {

namespace {

constexpr std::uint64_t bit(unsigned feature) { return std::uint64_t{1} << feature; }

/// Without these the driver does not work.
constexpr std::uint64_t kRequired = bit(regs::kFeatureVersion1) | bit(regs::kFeatureRingPacked);
/// What it makes use of where it is offered. ACCESS_PLATFORM: addresses are those of the DMA API.
constexpr std::uint64_t kUseful =
    bit(regs::kFeatureMac) | bit(regs::kFeatureStatus) | bit(regs::kFeatureMtu) |
    bit(regs::kFeatureSpeedDuplex) | bit(regs::kFeatureMrgRxbuf) | bit(regs::kFeatureEventIdx) |
    bit(regs::kFeatureAccessPlatform) | bit(regs::kFeatureOrderPlatform);

constexpr unsigned kEthMinMtu = 68;
constexpr unsigned kEthDataLen = 1500;
constexpr unsigned kVlanBytes = 4;
constexpr unsigned kFirstVectors = 3;  // configuration, receive, transmit

constexpr std::uint16_t kReceiveQueue = 0;
constexpr std::uint16_t kTransmitQueue = 1;

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

VirtioNet::VirtioNet(net::Net& net, DevicePort& port, Options options, ErrorCallback on_error)
    : net_(net),
      kernel_(net.kernel()),
      port_(port),
      options_(std::move(options)),
      on_error_(std::move(on_error)),
      pci_(kernel_, port),
      config_wait_(kernel_),
      config_gone_(kernel_),
      refill_timer_(kernel_, [this] {
        if (running_) virtqueue_napi_schedule(pair_->rx_napi, pair_->rx_vq);
      }) {}

VirtioNet::~VirtioNet() {
  port_.on_msi(nullptr);
  if (netdev_ != nullptr) {
    if (running_) {
      running_ = false;
      free_irqs();
      free_queues();
    }
    net_.unregister_netdev(*netdev_);
  }
}

bool VirtioNet::has(unsigned feature) const noexcept { return (features_ & bit(feature)) != 0; }

// ---- probe and remove
// ----------------------------------------------------------------------------

std::string VirtioNet::probe() {
  if (options_.rx_buffer_bytes < ReceiveQueue::kMinBufferBytes ||
      options_.rx_buffer_bytes > ReceiveQueue::kMaxBufferBytes ||
      options_.rx_buffer_offset > ReceiveQueue::kMaxBufferOffset) {
    return "receive buffers: 64 to 32704 bytes and an offset below 64 are accepted";
  }
  if (std::string error = pci_.probe(); !error.empty()) return error;
  if (pci_.vectors() < kFirstVectors) return "fewer than 3 MSI-X vectors";
  if (std::string error = negotiate(); !error.empty()) return error;
  config_ = pci_.net_config(features_);
  if (!pci_.reset()) return "the device does not come out of reset";

  port_.on_msi([this](unsigned vector) { kernel_.irq().raise(options_.first_vector + vector); });
  net::mac_address mac{{0x02, 0, 0, 0, 0, 1}};  // a local address where the device has none
  if (has(regs::kFeatureMac)) mac.bytes = config_.mac;
  const unsigned mtu =
      has(regs::kFeatureMtu) ? std::min<unsigned>(config_.mtu, kEthDataLen) : kEthDataLen;
  netdev_ = std::make_unique<net::net_device>(options_.name, mac, mtu, *this);
  netdev_->features = net::NETIF_F_SG;
  if (!net_.register_netdev(*netdev_)) {
    netdev_.reset();
    return "there is an interface " + options_.name + " already";
  }
  config_running_ = true;
  kernel_.spawn(options_.name + "-config", [this] { config_worker(); });
  return {};
}

void VirtioNet::remove() {
  net_.unregister_netdev(*netdev_);
  removing_ = true;
  config_wait_.wake_up();
  config_gone_.wait_event([this] { return !config_running_; });
  pci_.disable();
  netdev_.reset();
}

// ---- virtio 1.2, 3.1.1: device initialisation
// ----------------------------------------------------

// Steps 1 to 6: reset, acknowledge, agree on features.
std::string VirtioNet::negotiate() {
  // 3.1.1 step 1: reset the device.
  if (!pci_.reset()) return "the device does not come out of reset";
  // 3.1.1 steps 2 and 3: the guest has seen the device, and knows how to drive it.
  pci_.add_status(regs::kStatusAcknowledge);
  pci_.add_status(regs::kStatusDriver);
  // 3.1.1 step 4: read what it offers, write the subset that is understood.
  const std::uint64_t offered = pci_.device_features();
  const auto give_up = [this](std::string why) {
    pci_.add_status(regs::kStatusFailed);
    return why;
  };
  if ((offered & kRequired) != kRequired) {
    return give_up("the device does not offer VIRTIO_F_VERSION_1 and VIRTIO_F_RING_PACKED");
  }
  std::uint64_t wanted = offered & (kRequired | kUseful);
  if (!options_.mergeable) wanted &= ~bit(regs::kFeatureMrgRxbuf);
  if (!options_.event_idx) wanted &= ~bit(regs::kFeatureEventIdx);
  pci_.set_driver_features(wanted);
  // 3.1.1 step 5: no new features from here on.
  pci_.add_status(regs::kStatusFeaturesOk);
  // 3.1.1 step 6: the device may not like the subset.
  if ((pci_.status() & regs::kStatusFeaturesOk) == 0) {
    return give_up("the device refuses the features");
  }
  features_ = wanted;
  return {};
}

// Steps 7 and 8: queues and the rest of the device, then go.
std::string VirtioNet::start() {
  if (std::string error = negotiate(); !error.empty()) return error;
  // 3.1.1 step 7, and 5.1.5: the virtqueues.
  if (std::string error = make_queues(); !error.empty()) {
    pci_.add_status(regs::kStatusFailed);
    return error;
  }
  if (!request_irqs()) return "an interrupt vector is taken";
  if (!pci_.set_config_vector(0)) {
    free_irqs();
    return "the device refuses the vector of configuration changes";
  }
  for (unsigned vector = 0; vector < kFirstVectors; ++vector) pci_.enable_vector(vector);
  // 3.1.1 step 8: live. Only from here on may the device be notified.
  pci_.add_status(regs::kStatusDriverOk);
  broken_reported_ = false;
  running_ = true;
  refill();
  config_ = pci_.net_config(features_);
  return {};
}

std::string VirtioNet::make_queues() {
  if (pci_.num_queues() < 2) return "the device has fewer than two virtqueues";
  const std::uint16_t rx_max = pci_.queue_max_size(kReceiveQueue);
  const std::uint16_t tx_max = pci_.queue_max_size(kTransmitQueue);
  const std::uint16_t rx_size = options_.rx_ring != 0 ? options_.rx_ring : rx_max;
  const std::uint16_t tx_size = options_.tx_ring != 0 ? options_.tx_ring : tx_max;
  if (rx_size == 0 || tx_size == 0 || rx_size > rx_max || tx_size > tx_max) {
    return "ring sizes: 1 to " + std::to_string(rx_max) + " (receive) and 1 to " +
           std::to_string(tx_max) + " (transmit) are accepted";
  }
  ReceiveOptions rx;
  rx.mergeable = has(regs::kFeatureMrgRxbuf);
  rx.buffer_offset = options_.rx_buffer_offset;
  rx.buffer_bytes = options_.rx_buffer_bytes;
  const unsigned mtu = has(regs::kFeatureMtu) ? config_.mtu : kEthDataLen;
  rx.largest_frame = net::kEthHlen + 2 * kVlanBytes + mtu;
  if (!rx.mergeable) {  // one buffer holds a whole frame (5.1.6.3.1)
    rx.buffer_bytes = std::max(rx.buffer_bytes, regs::kNetHdrBytes + rx.largest_frame);
  }
  pair_ =
      std::make_unique<QueuePair>(net_, port_, rx_size, tx_size, has(regs::kFeatureEventIdx), rx);
  if (!pair_->rx_vq.valid() || !pair_->tx_vq.valid() || !pair_->tx.valid()) {
    pair_.reset();
    return "no memory for the rings";
  }
  if (!pci_.enable_queue(pair_->rx_vq, QueuePair::kReceiveVector) ||
      !pci_.enable_queue(pair_->tx_vq, QueuePair::kTransmitVector)) {
    return "the device refuses a queue's interrupt vector";
  }
  pair_->rx_napi.poll = [this](int budget) { return virtnet_poll(budget); };
  pair_->tx_napi.poll = [this](int budget) { return virtnet_poll_tx(budget); };
  return {};
}

// ---- up and down
// ---------------------------------------------------------------------------------

bool VirtioNet::ndo_open(net::net_device& dev) {
  if (const std::string error = start(); !error.empty()) {
    if (!pci_.reset()) pci_.disable();  // before the rings go, whatever the device made of them
    free_queues();
    report({DeviceError::Kind::start_failed, {}, error});
    return false;
  }
  net::netif_wake_queue(dev);
  update_carrier();
  // Frames that came before NAPI was on had their interrupt already: look once.
  kernel_.napi().napi_enable(pair_->rx_napi);
  kernel_.napi().napi_enable(pair_->tx_napi);
  kernel_.cpu().local_bh_disable();
  virtqueue_napi_schedule(pair_->rx_napi, pair_->rx_vq);
  virtqueue_napi_schedule(pair_->tx_napi, pair_->tx_vq);
  kernel_.cpu().local_bh_enable();
  return true;
}

void VirtioNet::ndo_stop(net::net_device& dev) {
  if (!running_) return;
  net::netif_stop_queue(dev);
  net::netif_carrier_off(dev);
  halt();
}

// Stops polling, resets the device and frees what it held.
void VirtioNet::halt() {
  running_ = false;
  kernel_.timers().del_timer(refill_timer_);
  kernel_.napi().napi_disable(pair_->rx_napi);
  kernel_.napi().napi_disable(pair_->tx_napi);
  // 3.3.1: buffers are the driver's again once the device is reset, or cannot reach memory.
  if (!pci_.reset()) {
    pci_.disable();
    report({DeviceError::Kind::reset_failed, {}, "the device does not come out of reset"});
  }
  free_irqs();
  // What the device had finished is finished; frames that were not polled any more are lost.
  free_old_xmit();
  bool dropped = false;
  do {
    if (net::skb_ptr skb = pair_->rx.receive(*netdev_, &dropped)) {
      net::kfree_skb_reason(std::move(skb), net::skb_drop_reason::DEV_DOWN);
      dropped = true;
    }
    if (dropped) ++netdev_->stats.rx_dropped;
  } while (dropped);
  kernel::bug_on(pair_->rx_napi.scheduled || pair_->tx_napi.scheduled,
                 "queues are freed while NAPI polls them");
  free_queues();
}

void VirtioNet::free_queues() {
  if (pair_ == nullptr) return;
  past_rx_ = pair_->rx.stats();
  past_tx_ = pair_->tx.stats();
  pair_.reset();
}

bool VirtioNet::reset() {
  if (!netdev_->is_up()) return true;
  ndo_stop(*netdev_);
  return ndo_open(*netdev_);
}

bool VirtioNet::ndo_change_mtu(net::net_device& /*dev*/, unsigned mtu) {
  const unsigned most = has(regs::kFeatureMtu) ? config_.mtu : kEthDataLen;
  return mtu >= kEthMinMtu && mtu <= most;
}

// ---- interrupts
// ----------------------------------------------------------------------------------

bool VirtioNet::request_irqs() {
  using kernel::irqreturn_t;
  auto& irq = kernel_.irq();
  const unsigned first = options_.first_vector;
  const auto queue_handler = [this](kernel::napi_struct& napi, Virtqueue& vq) {
    return [this, &napi, &vq](unsigned) {
      // Linux: vring_interrupt
      if (!vq.more_used() && !vq.broken()) return irqreturn_t::IRQ_NONE;
      virtqueue_napi_schedule(napi, vq);
      return irqreturn_t::IRQ_HANDLED;
    };
  };
  const bool config = irq.request_irq(first, options_.name + "-config", [this](unsigned) {
    config_changed_ = true;
    config_wait_.wake_up();
    return irqreturn_t::IRQ_HANDLED;
  });
  const bool rx = irq.request_irq(first + QueuePair::kReceiveVector, options_.name + "-input.0",
                                  queue_handler(pair_->rx_napi, pair_->rx_vq));
  const bool tx = irq.request_irq(first + QueuePair::kTransmitVector, options_.name + "-output.0",
                                  queue_handler(pair_->tx_napi, pair_->tx_vq));
  if (config && rx && tx) return true;
  if (config) irq.free_irq(first);
  if (rx) irq.free_irq(first + QueuePair::kReceiveVector);
  if (tx) irq.free_irq(first + QueuePair::kTransmitVector);
  return false;
}

void VirtioNet::free_irqs() {
  for (unsigned vector = 0; vector < kFirstVectors; ++vector) {
    kernel_.irq().free_irq(options_.first_vector + vector);
  }
}

// ---- configuration changes
// -----------------------------------------------------------------------

// Registers cannot be waited for in an interrupt, so a process of its own looks at what changed
// (Linux: virtnet_config_changed_work).
void VirtioNet::config_worker() {
  for (;;) {
    config_wait_.wait_event([this] { return config_changed_ || removing_; });
    if (removing_) break;
    config_changed_ = false;
    if (!running_) continue;
    if ((pci_.status() & regs::kStatusNeedsReset) != 0) {
      // 2.1.2: the driver can only assume that its requests are lost, and reset.
      const ErrorRecord record = pci_.error_record().value_or(ErrorRecord{});
      if (!running_) continue;
      net::netif_carrier_off(*netdev_);
      report({DeviceError::Kind::needs_reset, record, describe(record)});
      continue;
    }
    const VirtioPci::NetConfig config = pci_.net_config(features_);
    if (!running_) continue;
    config_ = config;
    update_carrier();
  }
  config_running_ = false;
  config_gone_.wake_up();
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
  ErrorRecord record;
  record.queue = vq.index();
  record.index = vq.broken_at();
  report({DeviceError::Kind::used_element, record,
          "the device returned a buffer that it was not given: virtqueue " +
              std::to_string(record.queue) + ", slot " + std::to_string(record.index)});
}

}  // namespace nicroscope::driver
