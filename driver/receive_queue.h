// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "driver/page_pool.h"
#include "driver/virtqueue.h"
#include "nicroscope/device_port.h"
#include "nicroscope/virtio.h"
#include "stack/core/net.h"

namespace nicroscope::driver {

/// What the ethtool -S of a receive queue counts (Linux: struct virtnet_rq_stats).
struct ReceiveStats {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
  std::uint64_t drops = 0;          ///< frames given up: bad lengths or no memory
  std::uint64_t length_errors = 0;  ///< of those, what the device wrote made no sense
  std::uint64_t frame_errors = 0;   ///< of those, the header did not fit the frame
  std::uint64_t kicks = 0;
  std::uint64_t refill_failures = 0;  ///< no memory for buffers
  std::uint64_t copied = 0;           ///< frames copied whole, their buffer used again
  std::uint64_t gro_hw = 0;           ///< super-frames that the device merged
  std::uint64_t page_recycled = 0;    ///< blocks of pages used again
  std::uint64_t page_alloc = 0;       ///< blocks newly allocated
};

struct ReceiveOptions {
  std::uint32_t buffer_bytes = 1536;   ///< of each receive buffer, its part of a header included
  std::uint32_t buffer_offset = 0;     ///< moves every buffer off its alignment, below 64
  std::uint32_t largest_frame = 1522;  ///< that may come; the ring always has room for one
  bool mergeable = true;               ///< VIRTIO_NET_F_MRG_RXBUF was negotiated
  bool guest_csum = false;             ///< VIRTIO_NET_F_GUEST_CSUM was
  bool hash_report = false;            ///< VIRTIO_NET_F_HASH_REPORT was: the header has 20 bytes
  std::uint32_t copybreak = 128;       ///< a frame of so many bytes or fewer is copied whole
  bool recycle = true;                 ///< blocks of pages that came back are used again
  bool poll_mode = false;  ///< a program's: memory is mapped for good, no packets are made
};

/// The receive half of a queue pair: keeps the ring full of buffers, pieces of page blocks, and
/// makes packets of what the device puts into them. One context at a time: its NAPI poll, its
/// interrupt handler or, with the device stopped, anybody.
class ReceiveQueue {
 public:
  static constexpr std::uint32_t kMinBufferBytes = 64;
  static constexpr std::uint32_t kMaxBufferBytes = 32'768 - 64;
  static constexpr std::uint32_t kMaxBufferOffset = 63;

  /// Virtqueue `2 * pair` with `size` slots. `stats` counts on from what it has.
  ReceiveQueue(net::Net& net, DevicePort& port, unsigned pair, std::uint16_t size, bool event_idx,
               const ReceiveOptions& options, ReceiveStats& stats);
  ReceiveQueue(const ReceiveQueue&) = delete;
  ReceiveQueue& operator=(const ReceiveQueue&) = delete;
  /// Frees every buffer. The device must have been reset.
  ~ReceiveQueue();

  [[nodiscard]] bool valid() const noexcept { return vq_.valid(); }
  [[nodiscard]] Virtqueue& vq() noexcept { return vq_; }
  [[nodiscard]] const ReceiveStats& stats() const noexcept { return stats_; }

  /// The ring is to be filled: enough is missing to make it worth while, or what is there does not
  /// hold the largest frame, for which the device would wait without a word.
  [[nodiscard]] bool wants_buffers(int budget) const noexcept;
  /// Fills the ring (Linux: try_fill_recv). True if the device wants to be told. *complete is false
  /// if memory ran out.
  [[nodiscard]] bool try_fill_recv(bool* complete);
  /// A frame where the device put it: behind its header, in one buffer or, in the order of the
  /// pieces, in several.
  struct Piece {
    net::page_ref page;
    std::uint32_t offset = 0;
    std::uint32_t length = 0;
  };
  /// The next frame as pieces, appended to `pieces`; without a packet around it. False if there is
  /// none, if it was dropped (*dropped is true then) or if the queue is broken.
  [[nodiscard]] bool receive_raw(std::vector<Piece>& pieces, FrameId* frame, bool* dropped);
  /// The next frame; null if there is none, if it was dropped (*dropped is true then) or if the
  /// queue is broken. The packet starts at its Ethernet header and has 14 bytes at least.
  [[nodiscard]] net::skb_ptr receive(net::net_device& dev, bool* dropped);

 private:
  struct Buffer {
    net::page_ref page;
    std::uint32_t offset = 0;  ///< in the block
    kernel::dma_addr_t address = 0;
  };

  /// What a used chain begins with.
  struct Head {
    Buffer buffer;
    std::uint32_t length = 0;
    unsigned buffers = 1;
    virtio::NetHeaderHash header{};
    FrameId frame = kNoFrame;
  };
  /// Takes the first buffer of the next frame, its header off. False as receive.
  [[nodiscard]] bool take_head(Head& head, bool* dropped);
  [[nodiscard]] bool carve(Buffer& buffer);
  /// Takes the buffer back from the device; nothing if it claims to have written past its end.
  [[nodiscard]] bool take(const UsedBuffer& used, Buffer& buffer);
  [[nodiscard]] net::skb_ptr page_to_skb(net::net_device& dev, Head& head);
  [[nodiscard]] bool merge(net::net_device& dev, net::sk_buff& head, unsigned buffers);
  /// Gives a frame up: `buffers_left` of its buffers, the one in hand included, are not taken yet.
  void drop(net::skb_ptr skb, unsigned buffers_left, std::uint64_t* why);

  kernel::Kernel& kernel_;
  DevicePort& port_;
  Virtqueue vq_;
  const unsigned pair_;
  const ReceiveOptions options_;
  const std::uint32_t header_bytes_;
  const std::uint32_t stride_;  ///< from one buffer of a block to the next
  PagePool pool_;
  net::page_ref block_;  ///< that buffers are carved from
  std::uint32_t block_used_ = 0;
  std::vector<Buffer> buffers_;  ///< by id
  std::vector<Buffer> spare_;    ///< copied out of: the next ones to be given to the device
  std::uint64_t frames_ = 0;     ///< that the device delivered since the queue was enabled
  ReceiveStats& stats_;
};

}  // namespace nicroscope::driver
