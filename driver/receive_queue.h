// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "driver/virtqueue.h"
#include "nicroscope/device_port.h"
#include "stack/core/net.h"

namespace nicroscope::driver {

/// What the ethtool -S of a receive queue counts (Linux: struct virtnet_rq_stats).
struct ReceiveStats {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
  std::uint64_t drops = 0;          ///< frames given up: bad lengths or no memory
  std::uint64_t length_errors = 0;  ///< of those, what the device wrote made no sense
  std::uint64_t kicks = 0;
  std::uint64_t refill_failures = 0;  ///< no memory for buffers
};

struct ReceiveOptions {
  std::uint32_t buffer_bytes = 1536;   ///< of each receive buffer, its part of a header included
  std::uint32_t buffer_offset = 0;     ///< moves every buffer off its alignment, below 64
  std::uint32_t largest_frame = 1522;  ///< that may come; the ring always has room for one
  bool mergeable = true;               ///< VIRTIO_NET_F_MRG_RXBUF was negotiated
};

/// The receive half of a queue pair: keeps the ring full of buffers, pieces of page blocks, and
/// makes packets of what the device puts into them. Softirq context, or with the device stopped.
class ReceiveQueue {
 public:
  static constexpr std::uint32_t kMinBufferBytes = 64;
  static constexpr std::uint32_t kMaxBufferBytes = 32'768 - 64;
  static constexpr std::uint32_t kMaxBufferOffset = 63;

  ReceiveQueue(net::Net& net, DevicePort& port, Virtqueue& vq, unsigned pair,
               ReceiveOptions options);
  ReceiveQueue(const ReceiveQueue&) = delete;
  ReceiveQueue& operator=(const ReceiveQueue&) = delete;
  /// Frees every buffer. The device must have been reset.
  ~ReceiveQueue();

  [[nodiscard]] Virtqueue& vq() noexcept { return vq_; }
  [[nodiscard]] const ReceiveStats& stats() const noexcept { return stats_; }

  /// The ring is to be filled: enough is missing to make it worth while, or what is there does not
  /// hold the largest frame, for which the device would wait without a word.
  [[nodiscard]] bool wants_buffers(int budget) const noexcept;
  /// Fills the ring (Linux: try_fill_recv). True if the device wants to be told. *complete is false
  /// if memory ran out.
  [[nodiscard]] bool try_fill_recv(bool* complete);
  /// The next frame; null if there is none, if it was dropped (*dropped is true then) or if the
  /// queue is broken. The packet starts at its Ethernet header and has 14 bytes at least.
  [[nodiscard]] net::skb_ptr receive(net::net_device& dev, bool* dropped);

 private:
  struct Buffer {
    net::page_ref page;
    std::uint32_t offset = 0;  ///< in the block
    kernel::dma_addr_t address = 0;
  };

  [[nodiscard]] bool carve(Buffer& buffer);
  /// Takes the buffer back from the device; nothing if it claims to have written past its end.
  [[nodiscard]] bool take(const UsedBuffer& used, Buffer& buffer);
  [[nodiscard]] net::skb_ptr page_to_skb(net::net_device& dev, Buffer buffer, std::uint32_t length);
  [[nodiscard]] bool merge(net::net_device& dev, net::sk_buff& head, unsigned buffers);
  [[nodiscard]] net::skb_ptr drop(net::skb_ptr skb, unsigned buffers_left, bool bad_length);

  net::Net& net_;
  kernel::Kernel& kernel_;
  DevicePort& port_;
  Virtqueue& vq_;
  const unsigned pair_;
  const ReceiveOptions options_;
  const std::uint32_t stride_;  ///< from one buffer of a block to the next
  net::page_ref block_;         ///< that buffers are carved from
  std::uint32_t block_used_ = 0;
  std::vector<Buffer> buffers_;  ///< by id
  std::uint64_t frames_ = 0;     ///< that the device delivered since the queue was enabled
  ReceiveStats stats_;
};

}  // namespace nicroscope::driver
