// SPDX-License-Identifier: Apache-2.0
#include "driver/transmit_queue.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "nicroscope/host_points.h"

namespace nicroscope::driver {

namespace {

constexpr std::uint32_t kHeaderBytes = sizeof(virtio::NetHeader);
constexpr std::int32_t kInHeadroom = -1;

/// What a packet takes when it must be small: its header and its bytes in one piece each.
constexpr unsigned kFewestPieces = 2;

}  // namespace

TransmitQueue::TransmitQueue(net::Net& net, DevicePort& port, Virtqueue& vq, unsigned pair)
    : kernel_(net.kernel()),
      port_(port),
      vq_(vq),
      pair_(pair),
      worst_case_(std::min<unsigned>(kMaxPieces, vq.size())),
      packets_(vq.size()),
      header_of_(vq.size(), kInHeadroom) {
  headers_ = kernel_.dma().dma_alloc_coherent(std::size_t{vq.size()} * kHeaderBytes);
  for (std::uint16_t i = vq.size(); i != 0; --i) {
    free_headers_.push_back(static_cast<std::uint16_t>(i - 1));
  }
}

TransmitQueue::~TransmitQueue() {
  vq_.detach_unused([this](std::uint16_t id) {
    unmap(packets_[id]);
    net::kfree_skb_reason(std::move(packets_[id].skb), net::skb_drop_reason::DEV_DOWN);
  });
  kernel_.dma().dma_free_coherent(headers_);
}

void TransmitQueue::map(Pieces& pieces, const std::byte* data, std::uint32_t size) {
  kernel_.spend(kernel::cost::dma_map);
  pieces.list[pieces.count++] = {kernel_.dma().dma_map_single(data, size, DmaDirection::to_device),
                                 size, false};
}

void TransmitQueue::unmap(Packet& packet) {
  for (std::uint16_t i = 0; i < packet.pieces; ++i) {
    kernel_.dma().dma_unmap_single(packet.mapped[i].address, packet.mapped[i].length,
                                   DmaDirection::to_device);
  }
  packet.pieces = 0;
}

void TransmitQueue::drop(net::skb_ptr& skb) {
  ++stats_.drops;
  net::kfree_skb_reason(std::move(skb), net::skb_drop_reason::DEV_READY);
}

void TransmitQueue::xmit_skb(net::skb_ptr& skb) {
  kernel_.trace().emit(point::start_xmit, skb->frame, pair_);
  // A header in the packet's own headroom saves a descriptor and a read; it needs room, and that
  // nobody else looks at the bytes.
  bool push = net::skb_headroom(*skb) >= kHeaderBytes && !net::skb_cloned(*skb);
  if (vq_.size() < kFewestPieces && !push) {
    push = net::skb_cow(*skb, kHeaderBytes);
    if (!push) return drop(skb);
  }
  if (skb->shinfo->nr_frags + kFewestPieces - (push ? 1 : 0) > vq_.size()) {
    ++stats_.linearized;
    kernel_.spend(kernel::cost::copy_kernel, skb->data_len);
    if (!net::skb_linearize(*skb)) return drop(skb);
  }
  if (skb->shinfo->frag_list != nullptr || vq_.broken()) return drop(skb);

  const virtio::NetHeader header{};
  Pieces pieces;
  std::int32_t place = kInHeadroom;
  if (push) {
    std::memcpy(net::skb_push(*skb, kHeaderBytes), &header, kHeaderBytes);
    map(pieces, skb->data, net::skb_headlen(*skb));
    net::skb_pull(*skb, kHeaderBytes);
  } else {
    place = free_headers_.back();
    free_headers_.pop_back();
    const auto offset = static_cast<std::size_t>(place) * kHeaderBytes;
    std::memcpy(headers_.cpu + offset, &header, kHeaderBytes);
    pieces.list[pieces.count++] = {headers_.bus + offset, kHeaderBytes, false};
    map(pieces, skb->data, net::skb_headlen(*skb));
  }
  for (unsigned i = 0; i < skb->shinfo->nr_frags; ++i) {
    const net::skb_frag& frag = skb->shinfo->frags[i];
    map(pieces, frag.address(), frag.size);
  }

  const auto id = vq_.add({pieces.list.data(), pieces.count});
  kernel::bug_on(!id, "a packet was given to a full transmit queue");
  port_.transmitted_frame(pair_, chains_++, skb->frame);  // no time has passed since
  const auto first = static_cast<std::uint16_t>(push ? 0 : 1);
  Packet& packet = packets_[*id];
  packet.pieces = static_cast<std::uint16_t>(pieces.count - first);
  std::copy_n(pieces.list.begin() + first, packet.pieces, packet.mapped.begin());
  packet.skb = std::move(skb);
  header_of_[*id] = place;
}

unsigned TransmitQueue::free_old_xmit() {
  unsigned freed = 0;
  while (const auto used = vq_.get_buf()) {
    kernel_.spend(kernel::cost::free_old_xmit);
    Packet& packet = packets_[used->id];
    kernel_.spend(kernel::cost::dma_unmap, packet.pieces);
    unmap(packet);
    if (const std::int32_t place = std::exchange(header_of_[used->id], kInHeadroom); place >= 0) {
      free_headers_.push_back(static_cast<std::uint16_t>(place));
    }
    ++stats_.packets;
    stats_.bytes += packet.skb->len;
    ++freed;
    net::consume_skb(std::move(packet.skb));
  }
  if (freed != 0) kernel_.trace().emit(point::free_old_xmit, kNoFrame, freed);
  return freed;
}

}  // namespace nicroscope::driver
