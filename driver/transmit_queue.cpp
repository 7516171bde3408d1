// SPDX-License-Identifier: Apache-2.0
#include "driver/transmit_queue.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "driver/offload.h"
#include "nicroscope/host_points.h"
#include "nicroscope/registers.h"
#include "stack/core/gso.h"
#include "stack/core/net.h"

namespace nicroscope::driver {

namespace {

constexpr std::int32_t kInHeadroom = -1;

/// What a packet takes when it must be small: its header and its bytes in one piece each.
constexpr unsigned kFewestPieces = 2;

}  // namespace

TransmitQueue::TransmitQueue(net::Net& net, DevicePort& port, unsigned pair, std::uint16_t size,
                             bool event_idx, const TransmitOptions& options, TransmitStats& stats)
    : kernel_(net.kernel()),
      port_(port),
      vq_(net.kernel(), static_cast<std::uint16_t>(2 * pair + 1), size, event_idx),
      pair_(pair),
      header_bytes_(options.header_bytes),
      worst_case_(std::min<unsigned>(kMaxPieces, size)),
      packets_(size),
      header_of_(size, kInHeadroom),
      stats_(stats) {
  headers_ = kernel_.dma().dma_alloc_coherent(std::size_t{size} * header_bytes_);
  for (std::uint16_t i = size; i != 0; --i) {
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
  bool push = net::skb_headroom(*skb) >= header_bytes_ && !net::skb_cloned(*skb);
  if (vq_.size() < kFewestPieces && !push) {
    push = net::skb_cow(*skb, header_bytes_);
    if (!push) return drop(skb);
  }
  if (skb->shinfo->nr_frags + kFewestPieces - (push ? 1 : 0) > vq_.size()) {
    ++stats_.linearized;
    kernel_.spend(kernel::cost::copy_kernel, skb->data_len);
    if (!net::skb_linearize(*skb)) return drop(skb);
  }
  if (skb->shinfo->frag_list != nullptr || vq_.broken()) return drop(skb);

  virtio::NetHeaderHash header{};
  header.header = virtio_net_hdr_from_skb(*skb);
  // 5.1.6.2.1: a super-frame has its checksum left to the device.
  if (net::skb_is_gso(*skb) && (header.header.gso_type == regs::kNetHdrGsoNone ||
                                (header.header.flags & regs::kNetHdrFNeedsCsum) == 0)) {
    return drop(skb);
  }
  if (header.header.gso_type != regs::kNetHdrGsoNone) ++stats_.tso;
  if (header.header.flags != 0) ++stats_.csum;
  Pieces pieces;
  std::int32_t place = kInHeadroom;
  if (push) {
    std::memcpy(net::skb_push(*skb, header_bytes_), &header, header_bytes_);
    map(pieces, skb->data, net::skb_headlen(*skb));
    net::skb_pull(*skb, header_bytes_);
  } else {
    place = free_headers_.back();
    free_headers_.pop_back();
    const auto offset = static_cast<std::size_t>(place) * header_bytes_;
    std::memcpy(headers_.cpu + offset, &header, header_bytes_);
    pieces.list[pieces.count++] = {headers_.bus + offset, header_bytes_, false};
    map(pieces, skb->data, net::skb_headlen(*skb));
  }
  for (unsigned i = 0; i < skb->shinfo->nr_frags; ++i) {
    const net::skb_frag& frag = skb->shinfo->frags[i];
    map(pieces, frag.address(), frag.size);
  }

  const auto id = vq_.add({pieces.list.data(), pieces.count});
  kernel::bug_on(!id, "a packet was given to a full transmit queue");
  name_chain(skb->frame);  // no time has passed since
  const auto first = static_cast<std::uint16_t>(push ? 0 : 1);
  Packet& packet = packets_[*id];
  packet.pieces = static_cast<std::uint16_t>(pieces.count - first);
  std::copy_n(pieces.list.begin() + first, packet.pieces, packet.mapped.begin());
  packet.skb = std::move(skb);
  ++outstanding_;
  header_of_[*id] = place;
}

TransmitQueue::Freed TransmitQueue::free_old_xmit() {
  Freed freed;
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
    ++freed.packets;
    --outstanding_;
    freed.bytes += packet.skb->len;
    net::dev_consume_skb_any(std::move(packet.skb));
  }
  if (freed.packets != 0) {
    kernel_.trace().emit(point::free_old_xmit, kNoFrame, freed.packets);
  }
  return freed;
}

}  // namespace nicroscope::driver
