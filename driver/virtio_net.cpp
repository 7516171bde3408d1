// SPDX-License-Identifier: Apache-2.0
// Probe, features, start and stop. The queues are in queues.cpp, the data path in data_path.cpp.
#include "driver/virtio_net.h"

#include <algorithm>

#include "driver/features.h"
#include "nicroscope/registers.h"

namespace nicroscope::driver {

namespace {

constexpr unsigned kEthMinMtu = 68;
constexpr unsigned kEthDataLen = 1500;
constexpr std::uint16_t kMaxPairs = 256;
constexpr Duration kWatchdog = std::chrono::seconds{5};  // Linux: dev->watchdog_timeo

/// The key of Microsoft's "Verifying the RSS hash calculation": one whose hashes are published.
constexpr std::array<std::uint8_t, regs::kRssKeyBytes> kDefaultKey{
    0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3,
    0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3,
    0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa};

}  // namespace

VirtioNet::VirtioNet(net::Net& net, DevicePort& port, Options options, ErrorCallback on_error)
    : net_(net),
      kernel_(net.kernel()),
      port_(port),
      options_(std::move(options)),
      on_error_(std::move(on_error)),
      pci_(kernel_, port),
      lock_(kernel_, "rtnl_mutex"),
      config_wait_(kernel_),
      config_gone_(kernel_) {}

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

bool VirtioNet::has(unsigned feature) const noexcept { return (features_ >> feature & 1U) != 0; }

// ---- probe and remove
// ----------------------------------------------------------------------------

std::string VirtioNet::probe() {
  if (options_.rx_buffer_bytes < ReceiveQueue::kMinBufferBytes ||
      options_.rx_buffer_bytes > ReceiveQueue::kMaxBufferBytes ||
      options_.rx_buffer_offset > ReceiveQueue::kMaxBufferOffset) {
    return "receive buffers: 64 to 32704 bytes and an offset below 64 are accepted";
  }
  if (std::string error = pci_.probe(); !error.empty()) return error;
  if (std::string error = negotiate(); !error.empty()) return error;
  config_ = pci_.net_config(features_);
  const unsigned needed = 2U * config_.max_virtqueue_pairs + (has(regs::kFeatureCtrlVq) ? 1 : 0);
  const bool pairs_fit = config_.max_virtqueue_pairs != 0 &&
                         config_.max_virtqueue_pairs <= kMaxPairs && pci_.num_queues() >= needed;
  if (!pairs_fit) return "the device has fewer virtqueues than its configuration says";
  if (std::string error = ring_sizes(); !error.empty()) return error;
  if (!pci_.reset()) return "the device does not come out of reset";

  const std::uint16_t pairs = config_.max_virtqueue_pairs;
  for (std::uint16_t n = 0; n < pairs; ++n) {
    pairs_.push_back(
        std::make_unique<QueuePair>(kernel_, n, [this, n] { try_refill(*pairs_[n]); }));
    QueuePair& pair = *pairs_.back();
    pair.rx_napi.poll = [this, &pair](int budget) { return virtnet_poll(pair, budget); };
    pair.tx_napi.poll = [this, &pair](int) { return virtnet_poll_tx(pair); };
  }
  queue_coalesce_.resize(pairs);
  own_coalesce_.resize(pairs, false);
  const std::size_t wanted = options_.queue_pairs != 0 ? options_.queue_pairs : kernel_.cpus();
  pairs_in_use_ = static_cast<std::uint16_t>(std::min<std::size_t>(wanted, pairs));
  rss_.key = kDefaultKey;
  rss_.table = default_table(config_.rss_max_indirection_table_length, pairs_in_use_);

  port_.on_msi([this](unsigned vector) { kernel_.irq().raise(options_.first_vector + vector); });
  net::mac_address mac{{0x02, 0, 0, 0, 0, 1}};  // a local address where the device has none
  mac_changed_ = !has(regs::kFeatureMac);
  if (has(regs::kFeatureMac)) mac.bytes = config_.mac;
  const unsigned mtu =
      has(regs::kFeatureMtu) ? std::min<unsigned>(config_.mtu, kEthDataLen) : kEthDataLen;
  netdev_ = std::make_unique<net::net_device>(options_.name, mac, mtu, *this, pairs, pairs);
  register_features();
  if (!net_.register_netdev(*netdev_)) {
    netdev_.reset();
    return "there is an interface " + options_.name + " already";
  }
  net::netif_set_real_num_queues(*netdev_, pairs_in_use_, pairs_in_use_);
  set_affinity();
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
  pairs_.clear();
}

// ---- features
// ------------------------------------------------------------------------------------

// What the interface can do by what was agreed with the device (Linux: virtnet_probe).
void VirtioNet::register_features() {
  const auto add = [this](unsigned feature, std::uint32_t flag, bool changeable) {
    if (!has(feature)) return;
    netdev_->features |= flag;
    if (changeable) netdev_->hw_features |= flag;
  };
  netdev_->features = net::NETIF_F_SG;
  netdev_->hw_features = net::NETIF_F_SG;
  add(regs::kFeatureCsum, net::NETIF_F_HW_CSUM, true);
  add(regs::kFeatureHostTso4, net::NETIF_F_TSO, true);
  add(regs::kFeatureHostTso6, net::NETIF_F_TSO6, true);
  add(regs::kFeatureHostEcn, net::NETIF_F_TSO_ECN, true);
  add(regs::kFeatureHostUso, net::NETIF_F_GSO_UDP_L4, true);
  const bool offloads_change = has(regs::kFeatureCtrlGuestOffloads);
  add(regs::kFeatureGuestCsum, net::NETIF_F_RXCSUM, offloads_change);
  for (const unsigned merging : {regs::kFeatureGuestTso4, regs::kFeatureGuestTso6}) {
    add(merging, net::NETIF_F_GRO_HW, offloads_change);
  }
  add(regs::kFeatureHashReport, net::NETIF_F_RXHASH, true);
  add(regs::kFeatureCtrlVlan, net::NETIF_F_HW_VLAN_CTAG_FILTER, false);
  netdev_->watchdog_timeo = kWatchdog;
  for (std::uint16_t n = 0; n < netdev_->num_tx_queues(); ++n) {
    netdev_->tx_queue(n).limit.enabled = options_.byte_queue_limits;
  }
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
  if ((offered & kRequiredFeatures) != kRequiredFeatures) {
    return give_up("the device does not offer VIRTIO_F_VERSION_1 and VIRTIO_F_RING_PACKED");
  }
  const std::uint64_t wanted = choose_features(offered, options_);
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
  for (unsigned vector = 0; vector < vectors_in_use(); ++vector) pci_.enable_vector(vector);
  // 3.1.1 step 8: live. Only from here on may the device be notified.
  pci_.add_status(regs::kStatusDriverOk);
  broken_reported_ = false;
  running_ = true;
  for (std::uint16_t n = 0; n < pairs_in_use_; ++n) refill(*pairs_[n]);
  config_ = pci_.net_config(features_);
  std::string error = restore_settings();
  // A device that has failed already says so by an interrupt, and is dealt with like any other.
  if (!error.empty() && (pci_.status() & regs::kStatusNeedsReset) != 0) error.clear();
  return error;
}

// ---- up and down
// ---------------------------------------------------------------------------------

bool VirtioNet::ndo_open(net::net_device& /*dev*/) {
  const kernel::mutex_guard guard(lock_);
  return open();
}

bool VirtioNet::open() {
  if (const std::string error = start(); !error.empty()) {
    if (!pci_.reset()) pci_.disable();  // before the rings go, whatever the device made of them
    if (std::exchange(running_, false)) free_irqs();
    free_queues();
    report({DeviceError::Kind::start_failed, {}, error});
    return false;
  }
  for (std::uint16_t n = 0; n < netdev_->num_tx_queues(); ++n) {
    net::netdev_tx_reset_queue(netdev_->tx_queue(n));
  }
  net::netif_tx_wake_all_queues(*netdev_);
  update_carrier();
  for (std::uint16_t n = 0; n < pairs_in_use_; ++n) start_polling(*pairs_[n]);
  return true;
}

void VirtioNet::ndo_stop(net::net_device& /*dev*/) {
  const kernel::mutex_guard guard(lock_);
  stop();
}

void VirtioNet::stop() {
  if (!running_) return;
  net::netif_carrier_off(*netdev_);
  net::netif_tx_disable(*netdev_);
  halt();
}

bool VirtioNet::reset() {
  const kernel::mutex_guard guard(lock_);
  if (!netdev_->is_up()) return true;
  stop();
  return open();
}

bool VirtioNet::ndo_change_mtu(net::net_device& /*dev*/, unsigned mtu) {
  const unsigned most = has(regs::kFeatureMtu) ? config_.mtu : kEthDataLen;
  return mtu >= kEthMinMtu && mtu <= most;
}

}  // namespace nicroscope::driver
