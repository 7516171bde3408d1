// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "stack/core/net.h"

namespace nicroscope::net {

/// Takes frames with an LLC and SNAP header (RFC 1042: AA AA 03, then 00 00 00 and an EtherType) to
/// the EtherType's handlers, cut to the length that the IEEE 802.3 header gives. What else comes
/// with an LLC header has no handler.
class Snap final : public packet_type {
 public:
  explicit Snap(Net& net);
  ~Snap() override;

  void func(skb_ptr skb) override;

 private:
  Net& net_;
};

}  // namespace nicroscope::net
