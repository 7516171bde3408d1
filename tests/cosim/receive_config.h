// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "tests/golden/filter.h"
#include "tests/golden/rss.h"
#include "tests/support/net_agent.h"

namespace nicroscope::test {

/// What the driver has set of the receive path: the features it took and the commands after that.
struct ReceiveConfig {
  enum class Steering : std::uint8_t { one, automatic, rss };

  golden::ReceiveFilter filter;
  bool csum = false;  ///< verdicts may be reported
  bool lro4 = false;
  bool lro6 = false;
  bool hash_report = false;  ///< the header has a hash
  Steering steering = Steering::one;
  unsigned pairs = 1;     ///< in use
  golden::RssConfig rss;  ///< types and key are those of HASH_CONFIG too
  std::uint32_t supported_hash_types = 0;
  /// A command has said which types and key are in use. After a change from RSS to automatic
  /// steering the standard leaves it open until the next HASH_CONFIG.
  bool hash_known = true;
  bool hash_known_without_rss = true;

  /// After FEATURES_OK and before the first command.
  [[nodiscard]] static ReceiveConfig after_reset(const AgentPlan& plan, const golden::Mac& mac);

  /// Hash and queue come out the same for every frame.
  [[nodiscard]] bool steers_as(const ReceiveConfig& other) const;
  /// What there is to say of a frame that was delivered; `frame` is the first one of a super-frame.
  /// Each is decided in another place of the device, at its own time.
  enum class Aspect : std::uint8_t { filter, steering, offloads };
  /// Whether the device may deliver it like this: an empty text, or why not.
  [[nodiscard]] std::string allows(Aspect aspect, const golden::ParsedFrame& frame,
                                   const ReceivedFrame& received) const;

 private:
  [[nodiscard]] std::string allows_steering(const golden::ParsedFrame& frame,
                                            const ReceivedFrame& received) const;
  [[nodiscard]] std::string allows_offloads(const golden::ParsedFrame& frame,
                                            const ReceivedFrame& received) const;
};

}  // namespace nicroscope::test
