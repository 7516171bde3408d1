// SPDX-License-Identifier: Apache-2.0
#include "tests/cosim/receive_config.h"

#include <fmt/format.h>

namespace nicroscope::test {

ReceiveConfig ReceiveConfig::after_reset(const AgentPlan& plan, const golden::Mac& mac) {
  ReceiveConfig config;
  config.filter.mac = mac;
  config.filter.vlan_filter = plan.has(regs::kFeatureCtrlVlan);
  config.csum = plan.has(regs::kFeatureGuestCsum);
  config.lro4 = plan.has(regs::kFeatureGuestTso4);
  config.lro6 = plan.has(regs::kFeatureGuestTso6);
  config.hash_report = plan.has(regs::kFeatureHashReport);
  return config;
}

bool ReceiveConfig::steers_as(const ReceiveConfig& other) const {
  return steering == other.steering && pairs == other.pairs && rss.table == other.rss.table &&
         rss.key == other.rss.key && rss.hash_types == other.rss.hash_types &&
         rss.unclassified == other.rss.unclassified;
}

std::string ReceiveConfig::allows(Aspect aspect, const golden::ParsedFrame& frame,
                                  const ReceivedFrame& received) const {
  switch (aspect) {
    case Aspect::filter:
      return filter.accepts(frame) ? "" : "a filter keeps it out";
    case Aspect::steering:
      return allows_steering(frame, received);
    case Aspect::offloads:
      return allows_offloads(frame, received);
  }
  return {};
}

std::string ReceiveConfig::allows_steering(const golden::ParsedFrame& frame,
                                           const ReceivedFrame& received) const {
  if (received.pair >= pairs) return fmt::format("queue pair {} is not in use", received.pair);
  if (!frame.hash_required) return {};
  if (steering == Steering::rss) {
    const unsigned queue = golden::rss_queue(frame, rss);
    if (received.pair != queue) {
      return fmt::format("on queue pair {} and not {}", received.pair, queue);
    }
  }
  if (!hash_report || !hash_known) return {};
  const golden::FrameHash hash = golden::frame_hash(frame, rss.hash_types, rss.key);
  if (received.hash_report != hash.report) {
    return fmt::format("hash of type {} and not {}", received.hash_report, hash.report);
  }
  if (hash.report != regs::kHashReportNone && received.hash != hash.value) {
    return fmt::format("hash {:#x} and not {:#x}", received.hash, hash.value);
  }
  return {};
}

std::string ReceiveConfig::allows_offloads(const golden::ParsedFrame& frame,
                                           const ReceivedFrame& received) const {
  if (received.header.gso_type != regs::kNetHdrGsoNone) {
    return (frame.l3 == golden::L3::ipv4 ? lro4 : lro6) ? "" : "merging is off";
  }
  const bool good = (received.header.flags & regs::kNetHdrFDataValid) != 0;
  if (!csum) return good ? "a verdict that was not asked for" : "";
  return golden::judge_verdict(frame, good, !good && frame.verdict == golden::Verdict::bad);
}

}  // namespace nicroscope::test
