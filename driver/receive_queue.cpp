// SPDX-License-Identifier: Apache-2.0
#include "driver/receive_queue.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "nicroscope/host_points.h"
#include "nicroscope/virtio.h"

namespace nicroscope::driver {

namespace {

/// Buffers come from blocks of 2^3 pages, as Linux's page fragments do.
constexpr unsigned kBlockOrder = 3;
constexpr std::uint32_t kBlockBytes = kernel::kPageSize << kBlockOrder;
constexpr std::uint32_t kCacheLine = 64;
static_assert(ReceiveQueue::kMaxBufferBytes + kCacheLine <= kBlockBytes);

/// Bytes that are copied to the linear part, so that headers are there; the rest stays where the
/// device put it (Linux: GOOD_COPY_LEN).
constexpr std::uint32_t kGoodCopyLength = 128;

constexpr std::uint32_t kHeaderBytes = sizeof(virtio::NetHeader);

}  // namespace

ReceiveQueue::ReceiveQueue(net::Net& net, DevicePort& port, Virtqueue& vq, unsigned pair,
                           ReceiveOptions options)
    : net_(net),
      kernel_(net.kernel()),
      port_(port),
      vq_(vq),
      pair_(pair),
      options_(options),
      stride_((options.buffer_offset + options.buffer_bytes + kCacheLine - 1) & ~(kCacheLine - 1)),
      buffers_(vq.size()) {}

ReceiveQueue::~ReceiveQueue() {
  vq_.detach_unused([this](std::uint16_t id) {
    kernel_.dma().dma_unmap_single(buffers_[id].address, options_.buffer_bytes,
                                   DmaDirection::from_device);
    buffers_[id] = {};
  });
}

// ---- buffers for the device
// ----------------------------------------------------------------------

bool ReceiveQueue::carve(Buffer& buffer) {
  if (!block_ || block_used_ + stride_ > kBlockBytes) {
    kernel_.spend(kernel::cost::alloc_pages);
    block_ = net::page_ref::alloc(kernel_.memory(), kBlockOrder);
    block_used_ = 0;
    if (!block_) return false;
  }
  buffer.page = block_;
  buffer.offset = block_used_ + options_.buffer_offset;
  block_used_ += stride_;
  return true;
}

bool ReceiveQueue::wants_buffers(int budget) const noexcept {
  const std::uint32_t missing = vq_.num_free();
  const std::uint32_t present = vq_.size() - missing;
  const std::uint32_t enough =
      std::min<std::uint32_t>(static_cast<std::uint32_t>(budget), vq_.size()) / 2;
  return missing > enough || (missing != 0 && std::uint64_t{present} * options_.buffer_bytes <
                                                  options_.largest_frame + kHeaderBytes);
}

bool ReceiveQueue::try_fill_recv(bool* complete) {
  *complete = true;
  bool added = false;
  while (vq_.num_free() != 0 && !vq_.broken()) {
    Buffer buffer;
    if (!carve(buffer)) {
      ++stats_.refill_failures;
      *complete = false;
      break;
    }
    kernel_.spend(kernel::cost::dma_map);
    buffer.address = kernel_.dma().dma_map_single(buffer.page.address() + buffer.offset,
                                                  options_.buffer_bytes, DmaDirection::from_device);
    const VirtqueueBuffer piece{buffer.address, options_.buffer_bytes, true};
    const auto id = vq_.add({&piece, 1});
    kernel::bug_on(!id, "a free slot of the receive ring was not free");
    buffers_[*id] = std::move(buffer);
    added = true;
  }
  if (!added || !vq_.kick_prepare()) return false;
  ++stats_.kicks;
  return true;
}

// ---- packets for the stack
// -----------------------------------------------------------------------

bool ReceiveQueue::take(const UsedBuffer& used, Buffer& buffer) {
  buffer = std::exchange(buffers_[used.id], {});
  kernel_.spend(kernel::cost::dma_unmap);
  kernel_.dma().dma_unmap_single(buffer.address, options_.buffer_bytes, DmaDirection::from_device);
  return used.length <= options_.buffer_bytes;
}

net::skb_ptr ReceiveQueue::receive(net::net_device& dev, bool* dropped) {
  *dropped = false;
  const auto used = vq_.get_buf();
  if (!used) return nullptr;
  const FrameId frame = port_.received_frame(pair_, frames_++);
  kernel_.trace().emit(point::virtnet_receive, frame, pair_);
  kernel_.spend(kernel::cost::virtnet_receive_buf);
  *dropped = true;

  Buffer buffer;
  const bool length_ok = take(*used, buffer);
  if (used->length < kHeaderBytes + net::kEthHlen) return drop(nullptr, 1, true);
  virtio::NetHeader header;
  std::memcpy(&header, buffer.page.address() + buffer.offset, kHeaderBytes);
  const unsigned buffers = options_.mergeable ? header.num_buffers : 1;
  if (buffers == 0 || !length_ok) return drop(nullptr, buffers, true);

  buffer.offset += kHeaderBytes;
  net::skb_ptr skb = page_to_skb(dev, std::move(buffer), used->length - kHeaderBytes);
  if (!skb) return drop(nullptr, buffers, false);
  skb->frame = frame;
  if (!merge(dev, *skb, buffers)) return drop(std::move(skb), 1, true);
  *dropped = false;
  ++stats_.packets;
  stats_.bytes += skb->len;
  return skb;
}

// `buffer` starts behind the header and holds `length` bytes of the frame.
net::skb_ptr ReceiveQueue::page_to_skb(net::net_device& dev, Buffer buffer, std::uint32_t length) {
  net::skb_ptr skb = net::netdev_alloc_skb(dev, kGoodCopyLength);
  if (!skb) return nullptr;
  const std::uint32_t copied = std::min(length, kGoodCopyLength);
  kernel_.spend(kernel::cost::copy_kernel, copied);
  std::memcpy(net::skb_put(*skb, copied), buffer.page.address() + buffer.offset, copied);
  if (copied != length) {
    net::skb_add_rx_frag(*skb, std::move(buffer.page), buffer.offset + copied, length - copied,
                         stride_);
  }
  return skb;
}

// Appends what lies in the other `buffers` - 1 buffers: as fragments while there is room, then as
// packets on the frag_list (Linux: receive_mergeable). False if one is missing or makes no sense;
// those that the frame has left are freed.
bool ReceiveQueue::merge(net::net_device& dev, net::sk_buff& head, unsigned buffers) {
  net::skb_ptr tail;  // the packet that takes fragments, once the head is full
  for (unsigned left = buffers - 1; left != 0; --left) {
    const auto used = vq_.get_buf();
    if (!used) return false;
    kernel_.spend(kernel::cost::virtnet_receive_buf);
    Buffer buffer;
    const bool length_ok = take(*used, buffer) && used->length != 0;
    net::sk_buff* into = tail ? tail.get() : &head;
    if (length_ok && into->shinfo->nr_frags == net::MAX_SKB_FRAGS) {
      if (tail) net::skb_append_frag_list(head, std::move(tail));
      tail = net::netdev_alloc_skb(dev, 0);
      if (tail) tail->frame = head.frame;
      into = tail.get();
    }
    if (!length_ok || into == nullptr) {
      if (tail) net::kfree_skb_reason(std::move(tail), net::skb_drop_reason::DEV_READY);
      while (--left != 0) {
        const auto rest = vq_.get_buf();
        if (!rest) break;
        (void)take(*rest, buffer);
      }
      return false;
    }
    net::skb_add_rx_frag(*into, std::move(buffer.page), buffer.offset, used->length, stride_);
  }
  if (tail) net::skb_append_frag_list(head, std::move(tail));
  return true;
}

// Gives a frame up: `buffers_left` of its buffers, the first included, are not merged yet.
net::skb_ptr ReceiveQueue::drop(net::skb_ptr skb, unsigned buffers_left, bool bad_length) {
  ++stats_.drops;
  if (bad_length) ++stats_.length_errors;
  for (; buffers_left > 1; --buffers_left) {
    const auto used = vq_.get_buf();
    Buffer buffer;
    if (!used) break;
    (void)take(*used, buffer);
  }
  if (skb) net::kfree_skb_reason(std::move(skb), net::skb_drop_reason::DEV_READY);
  return nullptr;
}

}  // namespace nicroscope::driver
