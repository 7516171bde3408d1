// SPDX-License-Identifier: Apache-2.0
#include "tests/cosim/random_coverage.h"

#include <algorithm>

#include "nicroscope/registers.h"

namespace nicroscope::test {

namespace {

using golden::L3;
using golden::L4;
using golden::Verdict;
using Bin = Coverage::Bin;

std::string name(L3 l3) { return l3 == L3::none ? "none" : l3 == L3::ipv4 ? "ipv4" : "ipv6"; }
std::string name(L4 l4) { return l4 == L4::none ? "none" : l4 == L4::tcp ? "tcp" : "udp"; }
std::string name(Verdict verdict) {
  return verdict == Verdict::none ? "none" : verdict == Verdict::good ? "good" : "bad";
}
std::string size_class(std::size_t bytes) {
  if (bytes <= 60) return "60";
  if (bytes <= 128) return "61-128";
  if (bytes <= 512) return "129-512";
  return bytes <= 1514 ? "513-1514" : "1515-";
}
const std::vector<std::string> kSizes = {"60", "61-128", "129-512", "513-1514", "1515-"};

bool always(const Bin& /*bin*/) { return true; }

// tags, ip, l4, verdict
bool parse_possible(const Bin& bin) {
  const std::string& ip = bin[1];
  const std::string& l4 = bin[2];
  const std::string& verdict = bin[3];
  if (ip == "none") return l4 == "none" && verdict == "none";
  if (l4 == "none") return verdict == "none" || (verdict == "bad" && ip == "ipv4");
  return verdict != "none" || l4 == "udp" || ip == "ipv6";
}

std::string layout(const golden::ParsedFrame& frame) {
  if (frame.malformed) return "malformed";
  if (frame.fragment) return "fragment";
  if (frame.ip_options) return "options";
  return frame.extensions ? "extensions" : "plain";
}

std::string gso_name(std::uint8_t type) {
  switch (type & ~regs::kNetHdrGsoEcn) {
    case regs::kNetHdrGsoTcpV4:
      return "tcpv4";
    case regs::kNetHdrGsoTcpV6:
      return "tcpv6";
    case regs::kNetHdrGsoUdpL4:
      return "udp";
    default:
      return "none";
  }
}

std::string count_class(std::size_t count) {
  if (count <= 2) return std::to_string(count);
  return count <= 8 ? "3-8" : "9-";
}

std::string mode_name(EventMode mode) {
  constexpr const char* names[] = {"flags", "index", "lazy", "polled"};
  return names[static_cast<std::size_t>(mode)];
}

}  // namespace

void declare_coverage(Coverage& coverage) {
  coverage.declare("parse",
                   {{"tags", {"0", "1", "2"}},
                    {"ip", {"none", "ipv4", "ipv6"}},
                    {"l4", {"none", "tcp", "udp"}},
                    {"verdict", {"none", "good", "bad"}}},
                   parse_possible);
  coverage.declare("layout",
                   {{"ip", {"none", "ipv4", "ipv6"}},
                    {"layout", {"plain", "options", "extensions", "fragment", "malformed"}},
                    {"size", kSizes}},
                   [](const Bin& bin) {
                     if (bin[2] == "1515-") return false;  // where the run has jumbo frames
                     if (bin[0] == "none") return bin[1] == "plain" || bin[1] == "malformed";
                     if (bin[1] == "malformed") return false;
                     if (bin[0] == "ipv6") {
                       return bin[1] != "options" && (bin[2] != "60" || bin[1] == "plain");
                     }
                     return bin[1] != "extensions";
                   });
  coverage.declare("filter",
                   {{"address", {"own", "unicast", "multicast", "broadcast"}},
                    {"mode", {"promiscuous", "tables"}},
                    {"tagged", {"no", "yes"}},
                    {"accepted", {"no", "yes"}}},
                   [](const Bin& bin) { return bin[1] == "tables" || bin[3] == "yes"; });
  coverage.declare(
      "deliver", {{"size", kSizes}, {"buffers", {"1", "2", "3-8", "9-"}}, {"header", {"12", "20"}}},
      [](const Bin& bin) {
        if (bin[2] == "20") return false;  // where HASH_REPORT is offered
        return bin[0] != "1515-" && (bin[1] == "1" || bin[0] == "513-1514");
      });
  coverage.declare("steering",
                   {{"mode", {"one", "automatic", "rss"}}, {"pair", {"0", "1", "2", "3", "4-"}}},
                   [](const Bin& bin) { return bin[0] != "one" || bin[1] == "0"; });
  coverage.declare("hash", {{"report", {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}}},
                   [](const Bin& bin) { return bin[0] < "7"; });
  coverage.declare(
      "lro",
      {{"ip", {"ipv4", "ipv6"}}, {"members", {"1", "2", "3-8", "9-"}}, {"tags", {"0", "1", "2"}}},
      always);
  coverage.declare("transmit",
                   {{"gso", {"none", "tcpv4", "tcpv6", "udp"}},
                    {"checksum", {"no", "yes"}},
                    {"size", {"0", "1-99", "100-999", "1000-"}},
                    {"frames", {"1", "2", "3-8", "9-"}}},
                   [](const Bin& bin) {
                     if (bin[0] == "none") return bin[2] == "0" && bin[3] == "1";
                     return bin[1] == "yes" && bin[2] != "0";
                   });
  coverage.declare("ring",
                   {{"direction", {"rx", "tx", "control"}},
                    {"size", {"power of two", "other"}},
                    {"laps", {"0", "1-2", "3-"}}},
                   [](const Bin& bin) { return bin[0] != "control" && bin[2] != "0"; });
  coverage.declare("interrupts",
                   {{"direction", {"rx", "tx"}},
                    {"mode", {"flags", "index", "lazy", "polled"}},
                    {"moderation", {"no", "yes"}}},
                   [](const Bin& bin) { return bin[2] == "no"; });
  coverage.declare("commands",
                   {{"command",
                     {"promisc", "allmulti", "alluni", "nomulti", "nouni", "nobcast", "mac_table",
                      "mac_addr", "vlan_add", "vlan_del", "pairs", "rss", "hash", "offloads",
                      "coal_tx", "coal_rx", "coal_vq", "coal_vq_get", "unknown"}},
                    {"ack", {"ok", "error"}}},
                   [](const Bin& bin) { return (bin[0] == "unknown") == (bin[1] == "error"); });
  coverage.declare("reset",
                   {{"kind", {"device", "rx queue", "tx queue"}}, {"traffic", {"no", "yes"}}},
                   [](const Bin& bin) { return bin[0] == "device"; });
}

void expect_coverage(Coverage& coverage, std::uint64_t features) {
  const auto has = [&](unsigned feature) { return (features >> feature & 1) != 0; };
  for (const char* cross : {"parse", "layout", "deliver", "ring", "interrupts", "reset"}) {
    coverage.expect(cross);
  }
  if (has(regs::kFeatureMq) && has(regs::kFeatureRss) && has(regs::kFeatureHashReport) &&
      has(regs::kFeatureNotfCoal) && has(regs::kFeatureVqNotfCoal)) {
    coverage.expect("commands");
  }
  if (has(regs::kFeatureCtrlRx) && has(regs::kFeatureCtrlVlan)) coverage.expect("filter");
  if (has(regs::kFeatureMq) && has(regs::kFeatureRss)) coverage.expect("steering");
  if (has(regs::kFeatureHashReport)) coverage.expect("hash");
  if (has(regs::kFeatureGuestTso4) && has(regs::kFeatureGuestTso6)) coverage.expect("lro");
  if (has(regs::kFeatureHostTso4) && has(regs::kFeatureHostTso6) && has(regs::kFeatureHostUso)) {
    coverage.expect("transmit");
  }
}

void cover_arrived(Coverage& coverage, const golden::ParsedFrame& frame, std::size_t bytes,
                   const golden::ReceiveFilter& filter, bool accepted) {
  coverage.hit("parse", {std::to_string(frame.tags.size()), name(frame.l3), name(frame.l4),
                         name(frame.verdict)});
  coverage.hit("layout", {name(frame.l3), layout(frame), size_class(bytes)});
  const std::string address = frame.broadcast()                 ? "broadcast"
                              : frame.multicast()               ? "multicast"
                              : frame.destination == filter.mac ? "own"
                                                                : "unicast";
  coverage.hit("filter", {address, filter.promisc ? "promiscuous" : "tables",
                          frame.tagged() ? "yes" : "no", accepted ? "yes" : "no"});
}

void cover_delivered(Coverage& coverage, const ReceiveConfig& config, const ReceivedFrame& frame,
                     const golden::ParsedFrame& head, std::size_t members) {
  using Steering = ReceiveConfig::Steering;
  coverage.hit("deliver", {size_class(frame.bytes.size()), count_class(frame.buffers),
                           config.hash_report ? "20" : "12"});
  coverage.hit("steering", {config.steering == Steering::one         ? "one"
                            : config.steering == Steering::automatic ? "automatic"
                                                                     : "rss",
                            frame.pair < 4 ? std::to_string(frame.pair) : "4-"});
  if (config.hash_report) coverage.hit("hash", {std::to_string(frame.hash_report)});
  if (head.mergeable && (head.l3 == L3::ipv4 ? config.lro4 : config.lro6)) {
    coverage.hit("lro", {name(head.l3), count_class(members), std::to_string(head.tags.size())});
  }
}

void cover_queued(Coverage& coverage, const virtio::NetHeader& header, std::size_t /*bytes*/,
                  std::size_t segments) {
  const unsigned mss = header.gso_size;
  coverage.hit("transmit", {gso_name(header.gso_type),
                            (header.flags & regs::kNetHdrFNeedsCsum) != 0 ? "yes" : "no",
                            mss == 0     ? "0"
                            : mss < 100  ? "1-99"
                            : mss < 1000 ? "100-999"
                                         : "1000-",
                            count_class(segments)});
}

void cover_session(Coverage& coverage, const NetAgent& agent, bool moderated) {
  for (unsigned index = 0; index < agent.plan().queues.size(); ++index) {
    const QueuePlan& queue = agent.plan().queues[index];
    const unsigned laps = agent.laps(index);
    const bool control = index == 2 * agent.pairs();
    const std::string direction = control ? "control" : index % 2 == 0 ? "rx" : "tx";
    coverage.hit("ring",
                 {direction, (queue.size & (queue.size - 1)) == 0 ? "power of two" : "other",
                  laps == 0   ? "0"
                  : laps <= 2 ? "1-2"
                              : "3-"});
    if (control) continue;
    coverage.hit("interrupts", {direction, mode_name(queue.mode), moderated ? "yes" : "no"});
  }
}

void cover_command(Coverage& coverage, const std::string& command, bool accepted) {
  coverage.hit("commands", {command, accepted ? "ok" : "error"});
}

void cover_reset(Coverage& coverage, const std::string& kind, bool under_traffic) {
  coverage.hit("reset", {kind, under_traffic ? "yes" : "no"});
}

}  // namespace nicroscope::test
