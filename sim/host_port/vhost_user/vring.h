// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>

#include "sim/base/descriptor.h"
#include "sim/bench/bring_up.h"
#include "sim/host_port/vhost_user/message.h"
#include "sim/host_port/vhost_user/ring_progress.h"

namespace nicroscope::sim::vhost_user {

/// What a client has said about one virtqueue, and what the device has of it.
struct Vring {
  std::uint32_t size = 0;               ///< slots; 0: SET_VRING_NUM has not come
  std::optional<VringAddress> address;  ///< in the client's process
  bool has_kick = false;                ///< SET_VRING_KICK has come, with or without a descriptor
  Descriptor kick;                      ///< readable where the client has kicked
  Descriptor call;                      ///< to be written for a call
  Descriptor error;                     ///< to be written where the ring is broken
  bool enabled = false;                 ///< SET_VRING_ENABLE
  /// Where it is to go on: SET_VRING_BASE, or where it was when it was stopped.
  std::uint16_t base = RingProgress::kStart;
  bool running = false;  ///< the device reads the ring
  /// What the device knows of a ring that runs, or that is paused: then it does nothing with it.
  struct Held {
    QueueAreas areas;
    RingProgress progress;
  };
  std::optional<Held> held;

  [[nodiscard]] bool paused() const noexcept { return held && !running; }
};

}  // namespace nicroscope::sim::vhost_user
