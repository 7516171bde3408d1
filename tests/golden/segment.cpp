// SPDX-License-Identifier: Apache-2.0
#include "tests/golden/segment.h"

#include <algorithm>

#include "nicroscope/registers.h"
#include "tests/golden/checksum.h"
#include "tests/golden/parse.h"

namespace nicroscope::golden {

namespace {

constexpr std::size_t kEthernetHeader = 14;

// Where the IP header is and what it says, as far as the wire's cutting needs it. The super-frame's
// own length fields are not looked at: 64 KiB do not fit in them.
struct Headers {
  bool ip6 = false;
  std::size_t l3 = 0;
  std::size_t l4 = 0;
  std::size_t payload = 0;
};

std::optional<Headers> find_headers(View frame, const virtio::NetHeader& header, bool udp) {
  Headers out;
  if (frame.size() < kEthernetHeader) return {};
  std::size_t at = kEthernetHeader;
  std::uint16_t type = get16(frame, at - 2);
  for (unsigned tags = 0; tags < 2 && (type == 0x8100 || type == 0x88a8); ++tags) {
    at += 4;
    if (frame.size() < at) return {};
    type = get16(frame, at - 2);
  }
  out.l3 = at;
  out.l4 = header.csum_start;
  if (type == 0x0800) {
    if (frame.size() < at + 20 || get8(frame, at) / 16 != 4) return {};
    if (get8(frame, at + 9) != (udp ? kUdp : kTcp)) return {};
    if (at + std::size_t{get8(frame, at)} % 16 * 4 != out.l4) return {};
  } else if (type == 0x86dd) {
    out.ip6 = true;
    if (frame.size() < at + 40 || get8(frame, at) / 16 != 6 || out.l4 < at + 40) return {};
  } else {
    return {};
  }
  if (frame.size() < out.l4 + (udp ? 8 : 20)) return {};
  const std::size_t length = udp ? 8 : std::size_t{get8(frame, out.l4 + 12)} / 16 * 4;
  if (length < 8 || (!udp && length < 20)) return {};
  out.payload = out.l4 + length;
  if (frame.size() <= out.payload) return {};
  return out;
}

Bytes cut(View frame, const Headers& h, bool udp, std::size_t offset, std::size_t count,
          std::uint16_t number) {
  const bool first = offset == 0;
  const bool last = h.payload + offset + count == frame.size();
  Bytes out(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(h.payload));
  append(out, frame.subspan(h.payload + offset, count));
  if (h.ip6) {
    put16(out, h.l3 + 4, static_cast<std::uint32_t>(out.size() - h.l3 - 40));
  } else {
    put16(out, h.l3 + 2, static_cast<std::uint32_t>(out.size() - h.l3));
    put16(out, h.l3 + 4, (get16(out, h.l3 + 4) + number) & 0xffffu);
    put16(out, h.l3 + 10, 0);
    put16(out, h.l3 + 10, internet_checksum(View(out).subspan(h.l3, h.l4 - h.l3)));
  }
  const std::size_t length = out.size() - h.l4;
  if (udp) {
    put16(out, h.l4 + 4, static_cast<std::uint32_t>(length));
  } else {
    put32(out, h.l4 + 4, get32(out, h.l4 + 4) + static_cast<std::uint32_t>(offset));
    std::uint8_t flags = get8(out, h.l4 + 13);
    if (!last) flags &= static_cast<std::uint8_t>(~(tcp::kFin | tcp::kPsh));
    if (!first) flags &= static_cast<std::uint8_t>(~tcp::kCwr);
    put8(out, h.l4 + 13, flags);
  }
  const std::size_t check = h.l4 + (udp ? 6 : 16);
  put16(out, check, 0);
  const std::size_t source = h.ip6 ? h.l3 + 8 : h.l3 + 12;
  const std::size_t width = h.ip6 ? 16 : 4;
  const std::uint16_t sum = internet_checksum(
      View(out).subspan(h.l4),
      pseudo_sum(View(out).subspan(source, width), View(out).subspan(source + width, width),
                 udp ? kUdp : kTcp, static_cast<std::uint32_t>(length)));
  put16(out, check, sum == 0 && udp ? 0xffff : sum);
  return out;
}

}  // namespace

std::optional<std::vector<Bytes>> segment(View frame, const virtio::NetHeader& header,
                                          const TransmitFeatures& features) {
  const bool needs_csum = (header.flags & regs::kNetHdrFNeedsCsum) != 0;
  const std::size_t check = std::size_t{header.csum_start} + header.csum_offset;
  if (frame.size() < kEthernetHeader) return {};
  if (needs_csum && (!features.csum || check + 2 > frame.size())) return {};

  const std::uint8_t ecn = header.gso_type & regs::kNetHdrGsoEcn;
  const auto type = static_cast<std::uint8_t>(header.gso_type ^ ecn);
  if (type == regs::kNetHdrGsoNone) {
    if (ecn != 0 || frame.size() > features.largest_frame) return {};
    Bytes out(frame.begin(), frame.end());
    if (needs_csum) {
      const std::uint16_t sum = internet_checksum(frame.subspan(header.csum_start));
      put16(out, check, sum == 0 ? 0xffff : sum);
    }
    return std::vector<Bytes>{out};
  }

  const bool udp = type == regs::kNetHdrGsoUdpL4;
  const bool tcp4 = type == regs::kNetHdrGsoTcpV4;
  const bool tcp6 = type == regs::kNetHdrGsoTcpV6;
  if ((tcp4 && !features.tso4) || (tcp6 && !features.tso6) || (udp && !features.uso)) return {};
  if (!udp && !tcp4 && !tcp6) return {};
  if (ecn != 0 && (udp || !features.ecn)) return {};
  if (!needs_csum || header.gso_size == 0) return {};
  const auto headers = find_headers(frame, header, udp);
  if (!headers || (tcp4 && headers->ip6) || (tcp6 && !headers->ip6)) return {};
  if (header.csum_offset != (udp ? 6 : 16)) return {};
  const std::size_t longest =
      std::min<std::size_t>(headers->payload + header.gso_size, frame.size());
  if (longest > features.largest_frame) return {};

  std::vector<Bytes> out;
  for (std::size_t offset = 0; headers->payload + offset < frame.size();) {
    const std::size_t count =
        std::min<std::size_t>(header.gso_size, frame.size() - headers->payload - offset);
    out.push_back(cut(frame, *headers, udp, offset, count, static_cast<std::uint16_t>(out.size())));
    offset += count;
  }
  return out;
}

bool same_frame(View a, View b, std::size_t check) {
  if (a.size() != b.size()) return false;
  const bool has_check = check + 2 <= a.size();
  for (std::size_t at = 0; at < a.size(); ++at) {
    if (has_check && at == check) {
      const auto canonical = [](std::uint16_t value) { return value == 0xffff ? 0 : value; };
      if (canonical(get16(a, at)) != canonical(get16(b, at))) return false;
      ++at;
    } else if (a[at] != b[at]) {
      return false;
    }
  }
  return true;
}

}  // namespace nicroscope::golden
