// SPDX-License-Identifier: Apache-2.0
#include "driver/poll_mode.h"

#include <cstring>

#include "nicroscope/host_points.h"
#include "nicroscope/virtio.h"

namespace nicroscope::driver {

namespace {

/// Room in front of a frame that is made here.
constexpr std::uint32_t kHeadroom = 64;
/// The receive ring is filled again in steps of so many frames (DPDK: rx_free_thresh).
constexpr int kRefillBatch = 64;
constexpr std::size_t kPooled = 1024;

}  // namespace

PollPort::PollPort(VirtioNet& device, std::uint16_t pair)
    : kernel_(device.host()),
      device_(device),
      pair_(device.poll_pair(pair)),
      header_bytes_(device.has(regs::kFeatureHashReport) ? sizeof(virtio::NetHeaderHash)
                                                         : sizeof(virtio::NetHeader)),
      pool_(device.host(), 0, kPooled),
      sent_(pair_.tx->vq().size()) {}

// The device has been reset, or is about to lose what it was given.
PollPort::~PollPort() {
  for (Sent& sent : sent_) unmap(sent);
}

std::size_t PollPort::rx_burst(std::span<mbuf> frames) {
  kernel_.spend(kernel::cost::pmd_burst);
  std::size_t count = 0;
  while (count < frames.size()) {
    pieces_.clear();
    FrameId id = kNoFrame;
    bool dropped = false;
    if (!pair_.rx->receive_raw(pieces_, &id, &dropped)) {
      if (!dropped) break;
      ++device_.netdev().stats.rx_dropped;
      continue;
    }
    mbuf* at = &frames[count++];
    at->frame = id;
    for (std::size_t i = 0; i < pieces_.size(); ++i) {
      if (i != 0) at = (at->next = std::make_unique<mbuf>()).get();
      at->page = std::move(pieces_[i].page);
      at->offset = pieces_[i].offset;
      at->length = pieces_[i].length;
      device_.netdev().stats.rx_bytes += at->length;
    }
    ++device_.netdev().stats.rx_packets;
  }
  if (pair_.rx->wants_buffers(kRefillBatch)) device_.poll_refill(pair_);
  return count;
}

std::size_t PollPort::tx_burst(std::span<mbuf> frames) {
  kernel_.spend(kernel::cost::pmd_burst);
  reclaim();
  Virtqueue& vq = pair_.tx->vq();
  std::size_t count = 0;
  for (mbuf& frame : frames) {
    std::uint16_t pieces = 0;
    for (const mbuf* at = &frame; at != nullptr; at = at->next.get()) ++pieces;
    if (pieces > vq.num_free() || vq.broken()) break;
    kernel::bug_on(frame.offset < header_bytes_, "a frame without room for the device's header");
    // The header lies in front of the frame; a received one had its own there.
    const virtio::NetHeaderHash header{};
    frame.offset -= header_bytes_;
    frame.length += header_bytes_;
    std::memcpy(frame.data(), &header, header_bytes_);
    std::vector<VirtqueueBuffer> mapped;
    for (const mbuf* at = &frame; at != nullptr; at = at->next.get()) {
      mapped.push_back(
          {kernel_.dma().dma_map_single(at->data(), at->length, DmaDirection::to_device),
           at->length, false});
    }
    kernel_.spend(kernel::cost::pmd_frame);
    kernel_.trace().emit(point::start_xmit, frame.frame, pair_.index);
    const auto id = vq.add(mapped);
    kernel::bug_on(!id, "a frame was given to a full transmit queue");
    pair_.tx->name_chain(frame.frame);
    sent_[*id].frame = std::exchange(frame, {});
    sent_[*id].mapped = std::move(mapped);
    ++outstanding_;
    ++count;
  }
  if (count != 0 && vq.kick_prepare()) {
    pair_.tx->count_kick();
    device_.poll_notify(vq);
  }
  return count;
}

void PollPort::unmap(Sent& sent) {
  for (const VirtqueueBuffer& piece : sent.mapped) {
    kernel_.dma().dma_unmap_single(piece.address, piece.length, DmaDirection::to_device);
  }
  sent.mapped.clear();
}

void PollPort::reclaim() {
  net::net_device_stats& stats = device_.netdev().stats;
  while (const auto used = pair_.tx->vq().get_buf()) {
    Sent& sent = sent_[used->id];
    for (const VirtqueueBuffer& piece : sent.mapped) {
      stats.tx_bytes += piece.length;
      pair_.tx_stats.bytes += piece.length;
    }
    stats.tx_bytes -= header_bytes_;
    pair_.tx_stats.bytes -= header_bytes_;
    ++stats.tx_packets;
    ++pair_.tx_stats.packets;
    unmap(sent);
    sent.frame = {};
    --outstanding_;
  }
}

mbuf PollPort::alloc(std::uint32_t size) {
  mbuf frame;
  if (size + kHeadroom > kernel::kPageSize) return frame;
  net::page_ref page = pool_.get();
  if (!page) return frame;
  pool_.put(page);
  frame.page = std::move(page);
  frame.offset = kHeadroom;
  frame.length = size;
  return frame;
}

}  // namespace nicroscope::driver
