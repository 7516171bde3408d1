// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "nicroscope/profiles.h"
#include "sim/base/random.h"
#include "tests/cosim/receive_config.h"
#include "tests/golden/frame_builder.h"
#include "tests/support/net_agent.h"

namespace nicroscope::test {

/// What NOTF_COAL set for a virtqueue.
struct Moderation {
  std::uint32_t packets = 0;
  std::uint32_t usecs = 0;
  friend bool operator==(const Moderation&, const Moderation&) = default;
};

/// All that commands change.
struct ControlState {
  ReceiveConfig receive;
  std::vector<Moderation> moderation;  ///< by virtqueue
  Moderation receive_all;              ///< of the last RX_SET: what a queue has after its reset
  Moderation transmit_all;
};

/// A control command and what it leads to.
struct RandomCommand {
  std::string name;  ///< of the cross "commands"
  std::uint8_t command_class = 0;
  std::uint8_t command = 0;
  golden::Bytes data;
  golden::Bytes result;  ///< that the device has to answer with
  bool accepted = true;  ///< VIRTIO_NET_OK is right
  ControlState after;
};

/// Something that the driver may ask for with these features; now and then what it may not, which
/// has to be refused.
[[nodiscard]] std::optional<RandomCommand> random_command(sim::Random& random,
                                                          const AgentPlan& plan,
                                                          const Profile& profile,
                                                          const golden::FrameMix& mix,
                                                          const ControlState& now);

}  // namespace nicroscope::test
