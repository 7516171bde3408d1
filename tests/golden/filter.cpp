// SPDX-License-Identifier: Apache-2.0
#include "tests/golden/filter.h"

#include <algorithm>

namespace nicroscope::golden {

bool ReceiveFilter::accepts(const ParsedFrame& frame) const {
  if (promisc) return true;
  if (vlan_filter && frame.tagged() && !vlans.test(frame.vid())) return false;
  if (frame.broadcast()) return !nobcast;
  if (frame.multicast()) {
    return !nomulti &&
           (allmulti || std::ranges::find(multicast, frame.destination) != multicast.end());
  }
  return !nouni && (alluni || frame.destination == mac ||
                    std::ranges::find(unicast, frame.destination) != unicast.end());
}

}  // namespace nicroscope::golden
