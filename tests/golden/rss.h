// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "tests/golden/parse.h"
#include "tests/golden/toeplitz.h"

namespace nicroscope::golden {

/// The hash of a frame: what virtio_net_hdr_v1_hash reports (virtio 1.2, 5.1.6.4.3 and 5.1.6.4.4).
struct FrameHash {
  std::uint8_t report = 0;  ///< regs::kHashReport..., 0: not calculated
  std::uint32_t value = 0;

  friend bool operator==(const FrameHash&, const FrameHash&) = default;
};

/// By the enabled `types` (bits regs::kHashType...): the most specific that the frame has. Only
/// meant for frames with hash_required.
[[nodiscard]] FrameHash frame_hash(const ParsedFrame& frame, std::uint32_t types,
                                   const HashKey& key);

/// Toeplitz over addresses and ports, whatever is enabled; 0 for what is not TCP or UDP.
[[nodiscard]] std::uint32_t flow_hash(const ParsedFrame& frame, const HashKey& key);

/// virtio_net_rss_config, as far as reception goes (virtio 1.2, 5.1.6.5.7).
struct RssConfig {
  std::uint32_t hash_types = 0;
  HashKey key{};
  std::vector<std::uint16_t> table{0};  ///< queue pairs; a power of two of them
  std::uint16_t unclassified = 0;
};

/// The receive queue pair of a frame under RSS.
[[nodiscard]] std::uint16_t rss_queue(const ParsedFrame& frame, const RssConfig& config);

}  // namespace nicroscope::golden
