// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <vector>

#include "stack/core/net.h"

namespace nicroscope::net {

/// Shows every frame of a device, byte by byte from its Ethernet header on: for captures and
/// checks. Registered as long as it lives.
class PacketTap final : public packet_type {
 public:
  /// `skb` for the time, the frame's id and pkt_type (outgoing: transmitted). The bytes are good
  /// for the call alone.
  using Callback = std::function<void(std::span<const std::byte> frame, const sk_buff& skb)>;

  /// `dev`: null for every device.
  PacketTap(Net& net, net_device* dev, Callback callback);
  ~PacketTap() override;

  void func(skb_ptr skb) override;

 private:
  Net& net_;
  const Callback callback_;
  std::vector<std::byte> buffer_;
};

}  // namespace nicroscope::net
