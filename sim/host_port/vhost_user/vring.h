// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "sim/base/descriptor.h"
#include "sim/host_port/vhost_user/message.h"

namespace nicroscope::sim::vhost_user {

/// What a client has said about one virtqueue, and whether the device runs it.
struct Vring {
  std::uint32_t size = 0;               ///< slots; 0: SET_VRING_NUM has not come
  std::optional<VringAddress> address;  ///< in the client's process
  bool has_kick = false;                ///< SET_VRING_KICK has come, with or without a descriptor
  Descriptor kick;                      ///< readable where the client has kicked
  Descriptor call;                      ///< to be written for a call
  Descriptor error;                     ///< to be written where the ring is broken
  bool enabled = false;                 ///< SET_VRING_ENABLE
  bool running = false;                 ///< the device reads the ring
};

}  // namespace nicroscope::sim::vhost_user
