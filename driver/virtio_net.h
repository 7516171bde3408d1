// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "driver/control_queue.h"
#include "driver/options.h"
#include "driver/queue_pair.h"
#include "driver/settings.h"
#include "driver/virtio_pci.h"
#include "nicroscope/device_port.h"
#include "stack/core/net.h"
#include "stack/kernel/lock/mutex.h"

namespace nicroscope::driver {

/// Something that keeps the device from working.
struct DeviceError {
  enum class Kind : std::uint8_t {
    needs_reset,   ///< the device says so; `record` is its account
    used_element,  ///< it wrote a used element that makes no sense; record.queue and index
    reset_failed,  ///< it does not come out of reset
    start_failed,  ///< it could not be brought up
  };
  Kind kind;
  ErrorRecord record;
  std::string text;  ///< one line
};

/// A virtio network device (virtio 1.2, 5.1) as an interface of the host.
///
/// Up, it has all its virtqueues, polled by NAPI; down, the device is in reset and owns nothing.
class VirtioNet : public net::net_device_ops {
 public:
  using ErrorCallback = std::function<void(const DeviceError& error)>;

  /// `on_error` is told of errors, in any context. Everything must outlive the driver.
  VirtioNet(net::Net& net, DevicePort& port, Options options, ErrorCallback on_error);
  VirtioNet(const VirtioNet&) = delete;
  VirtioNet& operator=(const VirtioNet&) = delete;
  /// Without remove(), the simulation must be over: what is held is freed, the device not asked.
  ~VirtioNet() override;

  // ---- in process context
  /// Finds out what the device is and registers the interface, which is down. Returns what is
  /// wrong, or nothing.
  [[nodiscard]] std::string probe();
  /// Takes the interface down and unregisters it.
  void remove();
  /// Resets the device under whatever traffic there is and starts it again: what was in its queues
  /// is dropped and counted. False if it did not come up; the interface is then without carrier.
  [[nodiscard]] bool reset();
  /// All counters, the driver's and those of the vendor page, by name (ethtool -S).
  [[nodiscard]] std::vector<std::pair<std::string, std::uint64_t>> ethtool_stats();
  /// What the device counts of each virtqueue, asked for with commands, by Linux's names (ethtool
  /// -S); nothing where it does not tell.
  [[nodiscard]] std::vector<std::pair<std::string, std::uint64_t>> device_stats();

  // ---- settings; in process context. Each returns why it cannot be, or nothing, and then holds
  // until the next one, whatever resets there are in between
  /// Queue pairs in use (ethtool -L).
  [[nodiscard]] std::string set_channels(std::uint16_t pairs);
  /// Ring sizes (ethtool -G).
  [[nodiscard]] std::string set_ringparam(std::uint16_t rx, std::uint16_t tx);
  /// Where RSS sends frames (ethtool -X).
  [[nodiscard]] std::string set_rxfh(const RssSettings& rss);
  /// Interrupt moderation of all queues of a direction, and of one pair (ethtool -C).
  [[nodiscard]] std::string set_coalesce(const CoalesceSettings& settings);
  [[nodiscard]] std::string set_queue_coalesce(std::uint16_t pair,
                                               const CoalesceSettings& settings);
  /// Pause frames and loopback, which are bits of the vendor page (ethtool -A).
  [[nodiscard]] std::string set_pauseparam(const PauseSettings& settings);

  [[nodiscard]] std::uint16_t channels() const noexcept { return pairs_in_use_; }
  [[nodiscard]] std::uint16_t max_channels() const noexcept {
    return static_cast<std::uint16_t>(pairs_.size());
  }
  [[nodiscard]] const RingSettings& ringparam() const noexcept { return rings_; }
  [[nodiscard]] const RssSettings& rxfh() const noexcept { return rss_; }
  [[nodiscard]] const CoalesceSettings& coalesce() const noexcept { return coalesce_; }
  [[nodiscard]] const CoalesceSettings& queue_coalesce(std::uint16_t pair) const {
    return queue_coalesce_.at(pair);
  }
  [[nodiscard]] PauseSettings pauseparam();

  // ---- anywhere
  /// After probe() succeeded.
  [[nodiscard]] net::net_device& netdev() noexcept { return *netdev_; }
  /// As negotiated; 0 before.
  [[nodiscard]] std::uint64_t features() const noexcept { return features_; }
  [[nodiscard]] bool has(unsigned feature) const noexcept;
  [[nodiscard]] bool running() const noexcept { return running_; }
  /// Since the probe, all queues together, or one of them.
  [[nodiscard]] ReceiveStats receive_stats() const;
  [[nodiscard]] TransmitStats transmit_stats() const;
  [[nodiscard]] const QueuePair& pair(std::uint16_t n) const { return *pairs_.at(n); }
  /// The host's interrupt of a virtqueue, as /proc/interrupts numbers it.
  [[nodiscard]] unsigned irq_of(std::uint16_t queue) const noexcept {
    return options_.first_vector + vector_of(queue);
  }
  [[nodiscard]] const VirtioPci::NetConfig& config() const noexcept { return config_; }
  [[nodiscard]] std::uint32_t link_speed() const noexcept { return config_.speed; }
  [[nodiscard]] const Options& options() const noexcept { return options_; }
  /// Commands that the device did not carry out.
  [[nodiscard]] std::uint64_t control_failures() const noexcept { return control_failures_; }
  /// Times that the device was reset because it could not go on (Recovery::reset).
  [[nodiscard]] std::uint64_t recoveries() const noexcept { return recoveries_; }

  // ---- for PollPort, with Receive::poll and the interface up
  [[nodiscard]] kernel::Kernel& host() noexcept { return kernel_; }
  [[nodiscard]] DevicePort& port() noexcept { return port_; }
  [[nodiscard]] QueuePair& poll_pair(std::uint16_t n);
  void poll_refill(QueuePair& pair) { refill(pair); }
  void poll_notify(Virtqueue& vq) { notify(vq, kNoFrame); }

  // ---- net_device_ops
  [[nodiscard]] bool ndo_open(net::net_device& dev) override;
  void ndo_stop(net::net_device& dev) override;
  [[nodiscard]] net::netdev_tx_t ndo_start_xmit(net::skb_ptr& skb, net::net_device& dev) override;
  [[nodiscard]] bool ndo_change_mtu(net::net_device& dev, unsigned mtu) override;
  void ndo_set_rx_mode(net::net_device& dev) override;
  [[nodiscard]] bool ndo_set_mac_address(net::net_device& dev,
                                         const net::mac_address& address) override;
  [[nodiscard]] bool ndo_vlan_rx_add_vid(net::net_device& dev, std::uint16_t vid) override;
  [[nodiscard]] bool ndo_vlan_rx_kill_vid(net::net_device& dev, std::uint16_t vid) override;
  [[nodiscard]] std::uint32_t ndo_fix_features(net::net_device& dev, std::uint32_t wanted) override;
  [[nodiscard]] bool ndo_set_features(net::net_device& dev, std::uint32_t features) override;
  void ndo_tx_timeout(net::net_device& dev, std::uint16_t queue) override;

 private:
  // ---- bringing it up and down (virtio_net.cpp, queues.cpp, settings.cpp)
  [[nodiscard]] std::string negotiate();
  void register_features();
  [[nodiscard]] bool open();
  [[nodiscard]] std::string start();
  [[nodiscard]] std::string make_queues();
  [[nodiscard]] std::string make_receive(QueuePair& pair);
  [[nodiscard]] std::string make_transmit(QueuePair& pair);
  [[nodiscard]] std::string ring_sizes();
  [[nodiscard]] ReceiveOptions receive_options() const;
  void stop();
  void halt();
  void free_queues();
  void start_polling(QueuePair& pair);
  void stop_polling(QueuePair& pair);
  void leave_transmit_queues(std::uint16_t pairs, std::uint16_t before);
  void drop_received(QueuePair& pair);
  [[nodiscard]] std::string resize_receive(QueuePair& pair);
  [[nodiscard]] std::string resize_transmit(QueuePair& pair);

  // ---- interrupts.cpp
  [[nodiscard]] std::uint16_t vector_of(std::uint16_t queue) const noexcept;
  [[nodiscard]] unsigned vectors_in_use() const noexcept;
  [[nodiscard]] bool request_irqs();
  void free_irqs();
  void set_affinity();
  [[nodiscard]] kernel::irqreturn_t queue_interrupt(unsigned vector);
  [[nodiscard]] bool config_interrupt();
  void config_worker();
  void update_carrier();
  void recover();
  void report(DeviceError error);
  void report_broken(const Virtqueue& vq);

  // ---- commands.cpp
  [[nodiscard]] bool command(std::uint8_t command_class, std::uint8_t number,
                             const ControlData& data);
  [[nodiscard]] std::string restore_settings();
  [[nodiscard]] bool send_rx_mode();
  [[nodiscard]] bool send_mac_tables();
  [[nodiscard]] bool send_vlan(std::uint8_t number, std::uint16_t vid);
  [[nodiscard]] bool send_mac(const net::mac_address& address);
  [[nodiscard]] bool send_guest_offloads(std::uint32_t features);
  [[nodiscard]] bool send_steering();
  [[nodiscard]] bool send_coalesce(bool tx);
  [[nodiscard]] bool send_queue_coalesce(std::uint16_t queue, const Moderation& moderation);
  [[nodiscard]] std::uint32_t hash_types() const noexcept;

  // ---- device_statistics.cpp
  [[nodiscard]] bool ask_statistics(std::uint8_t number, const ControlData& data,
                                    std::span<std::byte> reply, std::size_t& replied);

  // ---- adaptive.cpp
  void sample_dim(QueuePair& pair, bool tx);
  void apply_dim();
  void forget_dim();

  // ---- interrupt_path.cpp
  [[nodiscard]] bool receive_interrupt(QueuePair& pair, unsigned vector);
  [[nodiscard]] bool transmit_interrupt(QueuePair& pair);

  // ---- data_path.cpp
  [[nodiscard]] net::netdev_tx_t start_xmit(net::skb_ptr& skb, net::net_device& dev);
  void notify(Virtqueue& vq, FrameId frame);
  void virtqueue_napi_schedule(kernel::napi_struct& napi, Virtqueue& vq);
  void virtqueue_napi_complete(kernel::napi_struct& napi, Virtqueue& vq, int done);
  int receive_frames(QueuePair& pair, int budget);
  [[nodiscard]] int virtnet_poll(QueuePair& pair, int budget);
  [[nodiscard]] int virtnet_poll_tx(QueuePair& pair);
  void virtnet_poll_cleantx(QueuePair& pair);
  void free_old_xmit(QueuePair& pair);
  void wake_if_room(QueuePair& pair);
  void count_drop(const QueuePair& pair, std::uint64_t length_errors, std::uint64_t frame_errors);
  void refill(QueuePair& pair);
  void try_refill(QueuePair& pair);

  net::Net& net_;
  kernel::Kernel& kernel_;
  DevicePort& port_;
  const Options options_;
  ErrorCallback on_error_;
  VirtioPci pci_;
  VirtioPci::NetConfig config_;
  std::uint64_t features_ = 0;
  std::unique_ptr<net::net_device> netdev_;
  std::vector<std::unique_ptr<QueuePair>> pairs_;
  std::unique_ptr<ControlQueue> control_;
  kernel::mutex lock_;  ///< one process at a time changes the device's state (Linux: rtnl_lock)

  // What was set, to be set again after a reset.
  std::uint16_t pairs_in_use_ = 1;
  RingSettings rings_;
  RssSettings rss_;
  CoalesceSettings coalesce_;
  std::vector<CoalesceSettings> queue_coalesce_;
  std::vector<bool> own_coalesce_;  ///< the pair's settings are its own
  bool mac_changed_ = false;

  kernel::WaitQueue config_wait_;
  kernel::WaitQueue config_gone_;
  bool config_changed_ = false;
  bool config_running_ = false;
  bool recovery_wanted_ = false;
  bool dim_changed_ = false;
  bool removing_ = false;
  bool running_ = false;  ///< DRIVER_OK, queues there
  bool broken_reported_ = false;
  std::uint64_t control_failures_ = 0;
  std::uint64_t recoveries_ = 0;
};

}  // namespace nicroscope::driver
