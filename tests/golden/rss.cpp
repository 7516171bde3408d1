// SPDX-License-Identifier: Apache-2.0
#include "tests/golden/rss.h"

#include "nicroscope/registers.h"

namespace nicroscope::golden {

namespace {

Bytes input(const Bytes& source, const Bytes& destination, const ParsedFrame& frame, bool ports) {
  Bytes bytes = source;
  append(bytes, destination);
  if (ports) {
    append16(bytes, frame.source_port);
    append16(bytes, frame.destination_port);
  }
  return bytes;
}

}  // namespace

FrameHash frame_hash(const ParsedFrame& frame, std::uint32_t types, const HashKey& key) {
  const auto enabled = [&](unsigned type) { return (types >> type & 1) != 0; };
  // A report value is the number of its hash type, plus one.
  const auto report = [](unsigned type) { return static_cast<std::uint8_t>(type + 1); };
  const auto plain = [&](unsigned type, bool ports) {
    return FrameHash{report(type), toeplitz(key, input(frame.source_address,
                                                       frame.destination_address, frame, ports))};
  };
  if (frame.l3 == L3::ipv4) {
    if (frame.l4 == L4::tcp && enabled(regs::kHashTypeTcpv4)) {
      return plain(regs::kHashTypeTcpv4, true);
    }
    if (frame.l4 == L4::udp && enabled(regs::kHashTypeUdpv4)) {
      return plain(regs::kHashTypeUdpv4, true);
    }
    if (enabled(regs::kHashTypeIpv4)) return plain(regs::kHashTypeIpv4, false);
    return {};
  }
  if (frame.l3 != L3::ipv6) return {};
  if (frame.extensions) {
    const Bytes& source = frame.home_address.empty() ? frame.source_address : frame.home_address;
    const Bytes& destination =
        frame.routing_address.empty() ? frame.destination_address : frame.routing_address;
    const auto extended = [&](unsigned type, bool ports) {
      return FrameHash{report(type), toeplitz(key, input(source, destination, frame, ports))};
    };
    if (frame.l4 == L4::tcp && enabled(regs::kHashTypeTcpEx)) {
      return extended(regs::kHashTypeTcpEx, true);
    }
    if (frame.l4 == L4::udp && enabled(regs::kHashTypeUdpEx)) {
      return extended(regs::kHashTypeUdpEx, true);
    }
    if (enabled(regs::kHashTypeIpEx)) return extended(regs::kHashTypeIpEx, false);
  }
  if (frame.l4 == L4::tcp && enabled(regs::kHashTypeTcpv6)) {
    return plain(regs::kHashTypeTcpv6, true);
  }
  if (frame.l4 == L4::udp && enabled(regs::kHashTypeUdpv6)) {
    return plain(regs::kHashTypeUdpv6, true);
  }
  if (enabled(regs::kHashTypeIpv6)) return plain(regs::kHashTypeIpv6, false);
  return {};
}

std::uint32_t flow_hash(const ParsedFrame& frame, const HashKey& key) {
  if (frame.l4 == L4::none) return 0;
  return toeplitz(key, input(frame.source_address, frame.destination_address, frame, true));
}

std::uint16_t rss_queue(const ParsedFrame& frame, const RssConfig& config) {
  const FrameHash hash = frame_hash(frame, config.hash_types, config.key);
  if (hash.report == regs::kHashReportNone) return config.unclassified;
  return config.table[hash.value & (config.table.size() - 1)];
}

}  // namespace nicroscope::golden
