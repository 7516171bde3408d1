// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

static_assert(std::endian::native == std::endian::little,
              "the rings are little-endian in memory and are accessed in place");

namespace nicroscope::virtio {

/// Packed virtqueue descriptor (virtio 1.2, 2.8.13). Flags are in registers.h.
struct PackedDescriptor {
  std::uint64_t addr;
  std::uint32_t len;
  std::uint16_t id;
  std::uint16_t flags;
};
static_assert(sizeof(PackedDescriptor) == 16 && offsetof(PackedDescriptor, len) == 8 &&
              offsetof(PackedDescriptor, id) == 12 && offsetof(PackedDescriptor, flags) == 14);

/// Event suppression structure (2.8.14): offset and wrap counter in `desc`, mode in `flags`.
struct EventSuppression {
  std::uint16_t desc;   ///< bits 0-14 descriptor offset, bit 15 wrap counter
  std::uint16_t flags;  ///< bits 0-1: enable, disable, at the descriptor
};
static_assert(sizeof(EventSuppression) == 4);

/// struct virtio_net_hdr_v1 (5.1.6): before every frame, both ways.
struct NetHeader {
  std::uint8_t flags;
  std::uint8_t gso_type;
  std::uint16_t hdr_len;
  std::uint16_t gso_size;
  std::uint16_t csum_start;
  std::uint16_t csum_offset;
  std::uint16_t num_buffers;
};
static_assert(sizeof(NetHeader) == 12 && offsetof(NetHeader, num_buffers) == 10);

/// struct virtio_net_hdr_v1_hash: the same with VIRTIO_NET_F_HASH_REPORT.
struct NetHeaderHash {
  NetHeader header;
  std::uint16_t hash_value[2];  ///< 32 bits, least significant half first
  std::uint16_t hash_report;
  std::uint16_t padding;
};
static_assert(sizeof(NetHeaderHash) == 20 && offsetof(NetHeaderHash, hash_value) == 12 &&
              offsetof(NetHeaderHash, hash_report) == 16);

}  // namespace nicroscope::virtio
