// SPDX-License-Identifier: Apache-2.0
#include "driver/receive_queue.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "driver/offload.h"
#include "nicroscope/host_points.h"
#include "stack/core/gso.h"

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

}  // namespace

ReceiveQueue::ReceiveQueue(net::Net& net, DevicePort& port, unsigned pair, std::uint16_t size,
                           bool event_idx, const ReceiveOptions& options, ReceiveStats& stats)
    : kernel_(net.kernel()),
      port_(port),
      vq_(net.kernel(), static_cast<std::uint16_t>(2 * pair), size, event_idx),
      pair_(pair),
      options_(options),
      header_bytes_(options.hash_report ? sizeof(virtio::NetHeaderHash)
                                        : sizeof(virtio::NetHeader)),
      stride_((options.buffer_offset + options.buffer_bytes + kCacheLine - 1) & ~(kCacheLine - 1)),
      pool_(net.kernel(), kBlockOrder,
            options.recycle ? 2 * (std::size_t{size} * stride_ / kBlockBytes + 1) : 0),
      buffers_(size),
      stats_(stats) {}

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
  if (!spare_.empty()) {
    buffer = std::move(spare_.back());
    spare_.pop_back();
    return true;
  }
  if (!block_ || block_used_ + stride_ > kBlockBytes) {
    if (block_) pool_.put(std::move(block_));
    const std::uint64_t recycled = pool_.recycled();
    const std::uint64_t allocated = pool_.allocated();
    block_ = pool_.get();
    stats_.page_recycled += pool_.recycled() - recycled;
    stats_.page_alloc += pool_.allocated() - allocated;
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
                                                  options_.largest_frame + header_bytes_);
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
    if (!options_.poll_mode) kernel_.spend(kernel::cost::dma_map);
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
  if (!options_.poll_mode) kernel_.spend(kernel::cost::dma_unmap);
  kernel_.dma().dma_unmap_single(buffer.address, options_.buffer_bytes, DmaDirection::from_device);
  return used.length <= options_.buffer_bytes;
}

bool ReceiveQueue::take_head(Head& head, bool* dropped) {
  *dropped = false;
  const auto used = vq_.get_buf();
  if (!used) return false;
  head.frame = port_.received_frame(pair_, frames_++);
  kernel_.trace().emit(point::virtnet_receive, head.frame, pair_);
  kernel_.spend(options_.poll_mode ? kernel::cost::pmd_frame : kernel::cost::virtnet_receive_buf);
  *dropped = true;

  const bool length_ok = take(*used, head.buffer);
  if (used->length < header_bytes_ + net::kEthHlen) {
    drop(nullptr, 1, &stats_.length_errors);
    return false;
  }
  std::memcpy(&head.header, head.buffer.page.address() + head.buffer.offset, header_bytes_);
  head.buffers = options_.mergeable ? head.header.header.num_buffers : 1;
  if (head.buffers == 0 || !length_ok) {
    drop(nullptr, head.buffers, &stats_.length_errors);
    return false;
  }
  head.length = used->length - header_bytes_;
  *dropped = false;
  return true;
}

net::skb_ptr ReceiveQueue::receive(net::net_device& dev, bool* dropped) {
  Head head;
  if (!take_head(head, dropped)) return nullptr;
  const auto give_up = [&](net::skb_ptr skb, unsigned buffers, std::uint64_t* why) {
    *dropped = true;
    drop(std::move(skb), buffers, why);
    return nullptr;
  };
  net::skb_ptr skb = page_to_skb(dev, head);
  if (!skb) return give_up(nullptr, head.buffers, nullptr);
  skb->frame = head.frame;
  if (!merge(dev, *skb, head.buffers)) {
    return give_up(std::move(skb), 1, &stats_.length_errors);
  }
  if (options_.guest_csum && !virtio_net_hdr_to_skb(*skb, head.header.header)) {
    return give_up(std::move(skb), 1, &stats_.frame_errors);
  }
  if (options_.hash_report && (dev.features & net::NETIF_F_RXHASH) != 0) {
    virtio_skb_set_hash(*skb, head.header);
  }
  net::skb_record_rx_queue(*skb, static_cast<std::uint16_t>(pair_));
  if (net::skb_is_gso(*skb)) ++stats_.gro_hw;
  ++stats_.packets;
  stats_.bytes += skb->len;
  return skb;
}

bool ReceiveQueue::receive_raw(std::vector<Piece>& pieces, FrameId* frame, bool* dropped) {
  Head head;
  if (!take_head(head, dropped)) return false;
  const std::size_t before = pieces.size();
  *frame = head.frame;
  std::uint64_t bytes = head.length;
  pieces.push_back({std::move(head.buffer.page), head.buffer.offset + header_bytes_, head.length});
  for (unsigned left = head.buffers - 1; left != 0; --left) {
    const auto used = vq_.get_buf();
    Buffer buffer;
    const bool good = used && take(*used, buffer) && used->length != 0;
    if (!good) {
      pieces.resize(before);
      *dropped = true;
      drop(nullptr, used ? left : 1, &stats_.length_errors);
      return false;
    }
    kernel_.spend(kernel::cost::pmd_frame);
    bytes += used->length;
    pieces.push_back({std::move(buffer.page), buffer.offset, used->length});
  }
  ++stats_.packets;
  stats_.bytes += bytes;
  return true;
}

// The start of a frame as a packet: small frames are copied, and their buffer is used again.
net::skb_ptr ReceiveQueue::page_to_skb(net::net_device& dev, Head& head) {
  const std::uint32_t from = head.buffer.offset + header_bytes_;
  const bool whole = head.buffers == 1 && head.length <= options_.copybreak;
  const std::uint32_t copied = whole ? head.length : std::min(head.length, kGoodCopyLength);
  net::skb_ptr skb = net::netdev_alloc_skb(dev, std::max(copied, kGoodCopyLength));
  if (!skb) return nullptr;
  kernel_.spend(kernel::cost::copy_kernel, copied);
  std::memcpy(net::skb_put(*skb, copied), head.buffer.page.address() + from, copied);
  if (whole) {
    ++stats_.copied;
    spare_.push_back(std::move(head.buffer));
  } else if (copied != head.length) {
    net::skb_add_rx_frag(*skb, std::move(head.buffer.page), from + copied, head.length - copied,
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

void ReceiveQueue::drop(net::skb_ptr skb, unsigned buffers_left, std::uint64_t* why) {
  ++stats_.drops;
  if (why != nullptr) ++*why;
  for (; buffers_left > 1; --buffers_left) {
    const auto used = vq_.get_buf();
    Buffer buffer;
    if (!used) break;
    (void)take(*used, buffer);
  }
  if (skb) net::kfree_skb_reason(std::move(skb), net::skb_drop_reason::DEV_READY);
}

}  // namespace nicroscope::driver
