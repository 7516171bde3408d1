// SPDX-License-Identifier: Apache-2.0
#include "tests/golden/parse.h"

#include <algorithm>

#include "tests/golden/checksum.h"

namespace nicroscope::golden {

namespace {

constexpr std::size_t kEthernetHeader = 14;
constexpr std::uint8_t kHopByHop = 0;
constexpr std::uint8_t kRouting = 43;
constexpr std::uint8_t kFragment = 44;
constexpr std::uint8_t kAuthentication = 51;
constexpr std::uint8_t kDestinationOptions = 60;
constexpr std::uint8_t kHomeAddressOption = 0xc9;

bool is_tag(std::uint16_t type) { return type == 0x8100 || type == 0x88a8; }

Bytes copy(View frame, std::size_t at, std::size_t count) {
  return {frame.begin() + static_cast<std::ptrdiff_t>(at),
          frame.begin() + static_cast<std::ptrdiff_t>(at + count)};
}

// The IP packet ends at ip_end; what is in front of it at `at` has `protocol`.
struct Walk {
  View frame;
  ParsedFrame& out;
  std::size_t at;

  bool ipv4() {
    if (frame.size() < at + 20) return false;
    const std::size_t header = std::size_t{get8(frame, at)} % 16 * 4;
    const std::size_t total = get16(frame, at + 2);
    if (get8(frame, at) / 16 != 4 || header < 20 || total < header) return false;
    if (frame.size() < at + total) return false;
    out.l3 = L3::ipv4;
    out.ip_options = header > 20;
    const std::uint16_t fragment = get16(frame, at + 6);
    out.fragment = (fragment & 0x3fff) != 0;
    out.ip_checksum_ok = ones_sum(frame.subspan(at, header)) == 0xffff;
    out.source_address = copy(frame, at + 12, 4);
    out.destination_address = copy(frame, at + 16, 4);
    out.protocol = get8(frame, at + 9);
    out.ip_end = at + total;
    out.l4_offset = at + header;
    return true;
  }

  bool ipv6() {
    if (frame.size() < at + 40 || get8(frame, at) / 16 != 6) return false;
    const std::size_t length = get16(frame, at + 4);
    if (frame.size() < at + 40 + length) return false;
    out.l3 = L3::ipv6;
    out.source_address = copy(frame, at + 8, 16);
    out.destination_address = copy(frame, at + 24, 16);
    out.protocol = get8(frame, at + 6);
    out.ip_end = at + 40 + length;
    out.l4_offset = at + 40;
    for (;;) {
      const std::size_t header = extension();
      if (header == 0) return true;
      if (out.l4_offset + header > out.ip_end) return false;
      out.extensions = true;
      inside(header);
      const bool opaque = out.protocol == kFragment && out.fragment && !out.atomic;
      out.protocol = get8(frame, out.l4_offset);
      out.l4_offset += header;
      if (opaque) return true;  // what follows is not all there
    }
  }

  // Bytes of the extension header at l4_offset; 0 where it is none, past the end where it is cut.
  [[nodiscard]] std::size_t extension() const {
    const bool known = out.protocol == kHopByHop || out.protocol == kRouting ||
                       out.protocol == kFragment || out.protocol == kAuthentication ||
                       out.protocol == kDestinationOptions;
    if (!known) return 0;
    if (out.l4_offset + 8 > out.ip_end) return out.ip_end;
    if (out.protocol == kFragment) return 8;
    const std::size_t field = get8(frame, out.l4_offset + 1);
    return out.protocol == kAuthentication ? (field + 2) * 4 : (field + 1) * 8;
  }

  void inside(std::size_t length) {
    const std::size_t start = out.l4_offset;
    if (out.protocol == kFragment) {
      out.fragment = true;
      out.atomic = (get16(frame, start + 2) & 0xfff9) == 0;
    } else if (out.protocol == kRouting) {
      if (get8(frame, start + 2) == 2 && length == 24)
        out.routing_address = copy(frame, start + 8, 16);
      if (get8(frame, start + 3) != 0) out.final_unknown = true;
    } else if (out.protocol == kDestinationOptions) {
      for (std::size_t option = start + 2; option < start + length;) {
        if (get8(frame, option) == 0) {
          ++option;
          continue;
        }
        if (option + 1 >= start + length) break;
        const std::size_t size = get8(frame, option + 1);
        if (option + 2 + size > start + length) break;
        if (get8(frame, option) == kHomeAddressOption && size == 16) {
          out.home_address = copy(frame, option + 2, 16);
          out.final_unknown = true;
        }
        option += 2 + size;
      }
    }
  }

  void transport() {
    const std::size_t length = out.ip_end - out.l4_offset;
    if (out.fragment && !out.atomic) return;
    if (out.protocol == kTcp) {
      const std::size_t header =
          length < 20 ? 0 : std::size_t{get8(frame, out.l4_offset + 12)} / 16 * 4;
      out.l4_malformed = header < 20 || header > length;
      if (out.l4_malformed) return;
      out.l4 = L4::tcp;
      out.seq = get32(frame, out.l4_offset + 4);
      out.ack = get32(frame, out.l4_offset + 8);
      out.tcp_flags = get8(frame, out.l4_offset + 13);
      out.payload = out.l4_offset + header;
      out.payload_len = length - header;
    } else if (out.protocol == kUdp) {
      const std::size_t said = length < 8 ? 0 : get16(frame, out.l4_offset + 4);
      out.l4_malformed = said < 8 || said > length;
      if (out.l4_malformed) return;
      out.l4 = L4::udp;
      out.payload = out.l4_offset + 8;
      out.payload_len = said - 8;
    } else {
      return;
    }
    out.source_port = get16(frame, out.l4_offset);
    out.destination_port = get16(frame, out.l4_offset + 2);
  }

  void verdict() {
    const std::size_t header = out.l4 == L4::tcp ? 20 : 8;
    const bool in_reach = out.l4_offset + header <= kHeaderReach;
    out.hash_required = !out.malformed && !out.l4_malformed && in_reach && !out.atomic;
    if (out.l3 == L3::none) return;
    if (!out.ip_checksum_ok) {
      out.verdict = Verdict::bad;
      out.verdict_required = in_reach;
      return;
    }
    if (out.l4 == L4::none || out.final_unknown) return;
    const std::size_t length = out.payload + out.payload_len - out.l4_offset;
    const std::size_t field = out.l4_offset + (out.l4 == L4::tcp ? 16 : 6);
    const bool absent = out.l4 == L4::udp && get16(frame, field) == 0;
    if (absent && out.l3 == L3::ipv4) return;
    const std::uint16_t sum =
        ones_sum(frame.subspan(out.l4_offset, length),
                 pseudo_sum(out.source_address, out.destination_address, out.protocol,
                            static_cast<std::uint32_t>(length)));
    out.verdict = sum == 0xffff && !absent ? Verdict::good : Verdict::bad;
    const bool trailing = frame.size() > out.ip_end;
    out.verdict_required = in_reach && !absent && !out.atomic &&
                           out.l4_offset + length == out.ip_end &&
                           (!trailing || frame.size() <= kHeaderReach);
  }

  void merge() {
    constexpr std::uint8_t never = tcp::kUrg | tcp::kRst | tcp::kSyn;
    out.mergeable = out.l4 == L4::tcp && !out.fragment && !out.ip_options && !out.extensions &&
                    out.verdict == Verdict::good && out.payload_len != 0 &&
                    frame.size() == out.ip_end && (out.tcp_flags & never) == 0 &&
                    out.payload <= kHeaderReach;
  }
};

}  // namespace

bool ParsedFrame::broadcast() const {
  return std::ranges::all_of(destination, [](std::uint8_t byte) { return byte == 0xff; });
}

ParsedFrame parse(View frame) {
  ParsedFrame out;
  if (frame.size() < kEthernetHeader) return out;
  for (std::size_t i = 0; i < 6; ++i) {
    out.destination[i] = get8(frame, i);
    out.source[i] = get8(frame, i + 6);
  }
  std::size_t at = kEthernetHeader;
  out.ethertype = get16(frame, at - 2);
  while (is_tag(out.ethertype) && out.tags.size() < 2 && frame.size() >= at + 4) {
    out.tags.push_back(get16(frame, at));
    at += 4;
    out.ethertype = get16(frame, at - 2);
  }
  out.l3_offset = at;
  Walk walk{frame, out, at};
  if (out.ethertype == 0x0800) {
    out.malformed = !walk.ipv4();
  } else if (out.ethertype == 0x86dd) {
    out.malformed = !walk.ipv6();
  }
  if (out.malformed) {
    out.l3 = L3::none;
    out.hash_required = false;
    return out;
  }
  if (out.l3 == L3::none) return out;
  walk.transport();
  walk.verdict();
  walk.merge();
  return out;
}

std::string judge_verdict(const ParsedFrame& frame, bool says_good, bool says_bad) {
  if (says_good && says_bad) return "good and bad at once";
  if (says_good && frame.verdict != Verdict::good) return "called good, and is not";
  if (says_bad && frame.verdict == Verdict::good) return "called bad, and is good";
  if (says_bad && frame.verdict == Verdict::none && !frame.final_unknown) {
    return "called bad, where there is nothing to judge";
  }
  if (!frame.verdict_required) return {};
  if (frame.verdict == Verdict::good && !says_good) return "good, and not called so";
  if (frame.verdict == Verdict::bad && !says_bad) return "bad, and not called so";
  return {};
}

}  // namespace nicroscope::golden
