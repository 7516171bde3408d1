// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "driver/virtqueue.h"
#include "nicroscope/device_port.h"
#include "nicroscope/virtio.h"
#include "stack/core/net.h"

namespace nicroscope::driver {

/// What the ethtool -S of a transmit queue counts (Linux: struct virtnet_sq_stats).
struct TransmitStats {
  std::uint64_t packets = 0;
  std::uint64_t bytes = 0;
  std::uint64_t kicks = 0;
  std::uint64_t drops = 0;       ///< packets that could not be given to the device
  std::uint64_t linearized = 0;  ///< packets with more pieces than the ring has slots
  std::uint64_t tso = 0;         ///< super-frames that the device cuts
  std::uint64_t csum = 0;        ///< packets whose checksum the device puts in
  std::uint64_t stopped = 0;     ///< times that the queue had no room
  std::uint64_t wake = 0;
  std::uint64_t timeouts = 0;  ///< times that it stood still for too long
};

/// What a transmit queue makes use of.
struct TransmitOptions {
  std::uint32_t header_bytes = sizeof(virtio::NetHeader);  ///< 20 with VIRTIO_NET_F_HASH_REPORT
};

/// The transmit half of a queue pair: gives packets to the device in the pieces that they lie in
/// and frees them once they are used. Under the queue's lock, or with the device stopped.
class TransmitQueue {
 public:
  /// Virtqueue `2 * pair + 1` with `size` slots. `stats` counts on from what it has.
  TransmitQueue(net::Net& net, DevicePort& port, unsigned pair, std::uint16_t size, bool event_idx,
                const TransmitOptions& options, TransmitStats& stats);
  TransmitQueue(const TransmitQueue&) = delete;
  TransmitQueue& operator=(const TransmitQueue&) = delete;
  /// Frees every packet. The device must have been reset.
  ~TransmitQueue();

  [[nodiscard]] bool valid() const noexcept { return vq_.valid() && headers_.cpu != nullptr; }
  [[nodiscard]] Virtqueue& vq() noexcept { return vq_; }
  [[nodiscard]] const TransmitStats& stats() const noexcept { return stats_; }
  /// The next packet may not fit: stop the queue until it does.
  [[nodiscard]] bool full() const noexcept { return vq_.num_free() < worst_case_; }

  /// Packets that the device has.
  [[nodiscard]] unsigned outstanding() const noexcept { return outstanding_; }

  /// Takes `skb` and gives it to the device; counts and frees it if that cannot be. Not when
  /// full().
  void xmit_skb(net::skb_ptr& skb);
  /// For the trace: the chain that was just made available carries frame `id`.
  void name_chain(FrameId id) { port_.transmitted_frame(pair_, chains_++, id); }
  /// The device was told of what xmit_skb gave it.
  void count_kick() noexcept { ++stats_.kicks; }
  /// What free_old_xmit did.
  struct Freed {
    unsigned packets = 0;
    std::uint32_t bytes = 0;
  };
  /// Frees what was sent, in a hard interrupt by way of the softirq.
  Freed free_old_xmit();

 private:
  /// One for the header, one for the linear part, the rest for fragments.
  static constexpr unsigned kMaxPieces = 2 + net::MAX_SKB_FRAGS;

  struct Packet {
    net::skb_ptr skb;
    std::uint16_t pieces = 0;  ///< mapped ones
    std::array<VirtqueueBuffer, kMaxPieces> mapped;
  };
  struct Pieces {
    std::array<VirtqueueBuffer, kMaxPieces> list;
    std::uint16_t count = 0;
  };

  void map(Pieces& pieces, const std::byte* data, std::uint32_t size);
  void unmap(Packet& packet);
  void drop(net::skb_ptr& skb);

  kernel::Kernel& kernel_;
  DevicePort& port_;
  Virtqueue vq_;
  const unsigned pair_;
  const std::uint32_t header_bytes_;
  const unsigned worst_case_;  ///< slots that a packet may take
  /// One for each packet whose own headroom cannot take it. Its place is found before its id is
  /// known, so a list of free places goes with it.
  kernel::CoherentBuffer headers_;
  std::vector<std::uint16_t> free_headers_;
  std::vector<Packet> packets_;          ///< by id
  std::vector<std::int32_t> header_of_;  ///< by id; -1 where the packet's headroom has it
  unsigned outstanding_ = 0;
  std::uint64_t chains_ = 0;  ///< since the queue was enabled
  TransmitStats& stats_;
};

}  // namespace nicroscope::driver
