// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bitset>
#include <cstddef>
#include <vector>

#include "tests/golden/parse.h"

namespace nicroscope::golden {

/// The receive filters of the control virtqueue (virtio 1.2, 5.1.6.5.1 to 5.1.6.5.3). The standard
/// does not say what is let in before the first command; a driver without CTRL_RX needs all of it.
struct ReceiveFilter {
  bool promisc = true;  ///< all frames, tagged ones too
  bool allmulti = false;
  bool alluni = false;
  bool nomulti = false;
  bool nouni = false;
  bool nobcast = false;
  Mac mac{};
  std::vector<Mac> unicast;  ///< tables of MAC_TABLE_SET
  std::vector<Mac> multicast;
  bool vlan_filter = false;  ///< CTRL_VLAN was negotiated
  std::bitset<4096> vlans;

  /// Whether the frame must be let through, or else should be kept out.
  [[nodiscard]] bool accepts(const ParsedFrame& frame) const;
};

}  // namespace nicroscope::golden
