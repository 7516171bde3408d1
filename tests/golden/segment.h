// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "nicroscope/virtio.h"
#include "tests/golden/bytes.h"

namespace nicroscope::golden {

/// Which transmit offloads the driver may ask for (feature bits of virtio 1.2, 5.1.3).
struct TransmitFeatures {
  bool csum = true;
  bool tso4 = true;
  bool tso6 = true;
  bool ecn = true;
  bool uso = true;
  std::size_t largest_frame = 9022;  ///< on the wire, without check sequence
};

/// The frames that leave the wire for `frame`, given to the device with `header`: checksums put in
/// (virtio 1.2, 5.1.6.2), super-frames cut as Linux's software GSO cuts them: IPv4 identification
/// plus one a segment, FIN and PSH on the last one only, CWR on the first only. Nothing where the
/// header asks for what cannot be or was not negotiated: such a chain has to be dropped. Padding to
/// the least frame size is not added.
[[nodiscard]] std::optional<std::vector<Bytes>> segment(View frame, const virtio::NetHeader& header,
                                                        const TransmitFeatures& features = {});

/// Whether two frames are the same, where a checksum of 0 and one of 0xffff at `check` (an offset)
/// count as equal: for TCP they mean the same.
[[nodiscard]] bool same_frame(View a, View b, std::size_t check);

}  // namespace nicroscope::golden
