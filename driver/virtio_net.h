// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "driver/receive_queue.h"
#include "driver/transmit_queue.h"
#include "driver/virtio_pci.h"
#include "driver/virtqueue.h"
#include "nicroscope/device_port.h"
#include "stack/core/net.h"

namespace nicroscope::driver {

struct Options {
  std::string name = "eth0";
  std::uint16_t rx_ring = 0;  ///< slots; 0 for the device's maximum (ethtool -G)
  std::uint16_t tx_ring = 0;
  std::uint32_t rx_buffer_bytes = 1536;
  std::uint32_t rx_buffer_offset = 0;
  bool mergeable = true;      ///< accept VIRTIO_NET_F_MRG_RXBUF if offered
  bool event_idx = true;      ///< accept VIRTIO_F_EVENT_IDX if offered
  unsigned first_vector = 0;  ///< of this device among the host's interrupts
};

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
/// Up, it has a virtqueue each way, polled by NAPI; down, the device is in reset and owns nothing.
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
  /// All counters, the driver's and the device's, by name (ethtool -S).
  [[nodiscard]] std::vector<std::pair<std::string, std::uint64_t>> ethtool_stats();

  // ---- anywhere
  /// After probe() succeeded.
  [[nodiscard]] net::net_device& netdev() noexcept { return *netdev_; }
  /// As negotiated; 0 before.
  [[nodiscard]] std::uint64_t features() const noexcept { return features_; }
  [[nodiscard]] bool running() const noexcept { return running_; }
  /// Of the current or last time up.
  [[nodiscard]] ReceiveStats receive_stats() const;
  [[nodiscard]] TransmitStats transmit_stats() const;
  [[nodiscard]] std::uint32_t link_speed() const noexcept { return config_.speed; }

  // ---- net_device_ops
  [[nodiscard]] bool ndo_open(net::net_device& dev) override;
  void ndo_stop(net::net_device& dev) override;
  [[nodiscard]] net::netdev_tx_t ndo_start_xmit(net::skb_ptr& skb, net::net_device& dev) override;
  [[nodiscard]] bool ndo_change_mtu(net::net_device& dev, unsigned mtu) override;

 private:
  struct QueuePair;

  [[nodiscard]] bool has(unsigned feature) const noexcept;
  [[nodiscard]] std::string negotiate();
  [[nodiscard]] std::string start();
  [[nodiscard]] std::string make_queues();
  void halt();
  void free_queues();
  [[nodiscard]] bool request_irqs();
  void free_irqs();

  void config_worker();
  void update_carrier();
  void report(DeviceError error);
  void report_broken(const Virtqueue& vq);

  void notify(Virtqueue& vq, FrameId frame);
  void virtqueue_napi_schedule(kernel::napi_struct& napi, Virtqueue& vq);
  void virtqueue_napi_complete(kernel::napi_struct& napi, Virtqueue& vq, int done);
  [[nodiscard]] int virtnet_poll(int budget);
  [[nodiscard]] int virtnet_poll_tx(int budget);
  void virtnet_poll_cleantx();
  void free_old_xmit();
  void refill();

  net::Net& net_;
  kernel::Kernel& kernel_;
  DevicePort& port_;
  const Options options_;
  ErrorCallback on_error_;
  VirtioPci pci_;
  VirtioPci::NetConfig config_;
  std::uint64_t features_ = 0;
  std::unique_ptr<net::net_device> netdev_;
  std::unique_ptr<QueuePair> pair_;
  ReceiveStats past_rx_;
  TransmitStats past_tx_;
  kernel::WaitQueue config_wait_;
  kernel::WaitQueue config_gone_;
  kernel::timer_list refill_timer_;
  bool config_changed_ = false;
  bool config_running_ = false;
  bool removing_ = false;
  bool running_ = false;  ///< DRIVER_OK, queues there
  bool broken_reported_ = false;
};

}  // namespace nicroscope::driver
