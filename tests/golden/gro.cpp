// SPDX-License-Identifier: Apache-2.0
#include "tests/golden/gro.h"

#include <algorithm>
#include <utility>

#include "nicroscope/registers.h"
#include "tests/golden/checksum.h"

namespace nicroscope::golden {

namespace {

constexpr std::uint8_t kEnds = tcp::kPsh | tcp::kFin;
constexpr std::uint8_t kNever = tcp::kSyn | tcp::kRst | tcp::kUrg;
constexpr std::uint8_t kNotCompared = tcp::kCwr | tcp::kFin | tcp::kPsh;

// What keeps frames in order: those with one key may not overtake each other. A device cannot tell
// the flow of a frame whose headers are wrong or out of its reach.
Bytes flow_key(const ParsedFrame& parsed) {
  Bytes key;
  append16(key, parsed.ethertype);
  for (const std::uint16_t tag : parsed.tags) append16(key, tag);
  append8(key, static_cast<unsigned>(parsed.l3));
  append(key, parsed.source_address);
  append(key, parsed.destination_address);
  append8(key, parsed.protocol);
  append16(key, parsed.source_port);
  append16(key, parsed.destination_port);
  append8(key, parsed.hash_required ? 1 : 0);
  return key;
}

bool same_bytes(View a, View b, std::size_t from, std::size_t to) {
  return std::equal(a.begin() + static_cast<std::ptrdiff_t>(from),
                    a.begin() + static_cast<std::ptrdiff_t>(to),
                    b.begin() + static_cast<std::ptrdiff_t>(from));
}

std::string same_ipv4(const std::vector<Bytes>& bytes, View first, View frame, std::size_t at) {
  if (get8(first, at + 1) != get8(frame, at + 1)) return "another ToS";
  if (get8(first, at + 8) != get8(frame, at + 8)) return "another TTL";
  constexpr std::uint16_t dont_fragment = 0x4000;
  const auto df = [&](View f) { return get16(f, at + 6) & dont_fragment; };
  if (df(first) != df(frame)) return "another DF bit";
  const auto step = [&](View f) {
    return static_cast<std::uint16_t>(get16(f, at + 4) - get16(first, at + 4));
  };
  const bool counts = step(frame) == bytes.size();
  const bool stays = step(frame) == 0 && df(first) != 0;
  if (!counts && !stays) return "the identification is not the next";
  if (bytes.size() > 1 && stays != (step(bytes[1]) == 0)) return "identification counts or stays";
  return {};
}

std::string same_ipv6(View first, View frame, std::size_t at) {
  if (get32(first, at) != get32(frame, at)) return "another traffic class or flow label";
  if (get8(first, at + 7) != get8(frame, at + 7)) return "another hop limit";
  return {};
}

// The first frame's headers, as they have to be in the super-frame of `length` bytes.
Bytes merged_headers(View first, const ParsedFrame& parsed, std::size_t length,
                     std::uint8_t flags) {
  Bytes out(first.begin(), first.begin() + static_cast<std::ptrdiff_t>(parsed.payload));
  const std::size_t at = parsed.l3_offset;
  if (parsed.l3 == L3::ipv6) {
    put16(out, at + 4, static_cast<std::uint32_t>(length - at - 40));
  } else {
    put16(out, at + 2, static_cast<std::uint32_t>(length - at));
    put16(out, at + 10, 0);
    put16(out, at + 10, internet_checksum(View(out).subspan(at, 20)));
  }
  put8(out, parsed.l4_offset + 13, flags);
  put16(out, parsed.l4_offset + 16,
        pseudo_sum(parsed.source_address, parsed.destination_address, kTcp,
                   static_cast<std::uint32_t>(length - parsed.l4_offset)));
  return out;
}

}  // namespace

std::string joins(const std::vector<ParsedFrame>& members, const std::vector<Bytes>& bytes,
                  const ParsedFrame& parsed, View frame) {
  const ParsedFrame& head = members.front();
  const View first = bytes.front();
  const std::size_t mss = head.payload_len;
  if (!head.mergeable || (head.tcp_flags & (kEnds | kNever)) != 0)
    return "the first one stands alone";
  if (!parsed.mergeable) return "not a frame that GRO takes";
  if (parsed.l3 != head.l3 || parsed.l3_offset != head.l3_offset ||
      !same_bytes(first, frame, 0, head.l3_offset)) {
    return "another MAC header";
  }
  if (parsed.source_address != head.source_address ||
      parsed.destination_address != head.destination_address ||
      parsed.source_port != head.source_port || parsed.destination_port != head.destination_port) {
    return "another flow";
  }
  const std::string ip = head.l3 == L3::ipv4 ? same_ipv4(bytes, first, frame, head.l3_offset)
                                             : same_ipv6(first, frame, head.l3_offset);
  if (!ip.empty()) return ip;
  if (parsed.payload != head.payload ||
      !same_bytes(first, frame, head.l4_offset + 20, head.payload)) {
    return "other TCP options";
  }
  if (parsed.ack != head.ack) return "another acknowledgement";
  if ((parsed.tcp_flags & tcp::kCwr) != 0) return "CWR";
  if (((parsed.tcp_flags ^ head.tcp_flags) & ~kNotCompared) != 0) return "other flags";
  if (get8(first, head.l4_offset + 12) != get8(frame, head.l4_offset + 12)) return "reserved bits";
  if (get16(first, head.l4_offset + 14) != get16(frame, head.l4_offset + 14)) {
    return "another window";
  }
  std::size_t payload = 0;
  for (const ParsedFrame& member : members) payload += member.payload_len;
  if (parsed.seq != static_cast<std::uint32_t>(head.seq + payload)) return "not the next bytes";
  if (parsed.payload_len > mss) return "longer than the first";
  const ParsedFrame& last = members.back();
  if (last.payload_len < mss) return "the one before was shorter";
  if ((last.tcp_flags & kEnds) != 0) return "the one before had PSH or FIN";
  if (head.payload - head.l3_offset + payload + parsed.payload_len > 0xffff) return "too long";
  return {};
}

void GroChecker::arrived(View frame, std::uint64_t mark) {
  flows_[flow_key(parse(frame))].push_back({Bytes(frame.begin(), frame.end()), mark, false});
  ++pending_;
}

std::string GroChecker::delivered(View frame, const virtio::NetHeader& header, bool allow_lro) {
  const ParsedFrame parsed = parse(frame);
  members_.clear();
  const auto flow = flows_.find(flow_key(parsed));
  if (flow == flows_.end()) return "no such frame was sent";
  std::string wrong;
  if (header.gso_type == regs::kNetHdrGsoNone) {
    wrong = plain(flow->second, frame, header);
  } else if (!allow_lro) {
    return "merged without leave";
  } else {
    wrong = merged_frame(flow->second, frame, parsed, header);
  }
  if (flow->second.empty()) flows_.erase(flow);
  return wrong;
}

std::vector<GroChecker::Sent> GroChecker::forget() {
  std::vector<Sent> lost;
  for (auto& [key, flow] : flows_) {
    for (Sent& sent : flow) lost.push_back(std::move(sent));
  }
  flows_.clear();
  pending_ = 0;
  return lost;
}

// Moves the frames at `places`, which ascend, to members_.
void GroChecker::take(Flow& flow, const std::vector<std::size_t>& places) {
  members_.clear();
  for (const std::size_t place : places) members_.push_back(flow[place]);
  for (std::size_t i = 0; i < places.back(); ++i) flow[i].overtaken = true;
  for (auto place = places.rbegin(); place != places.rend(); ++place) {
    flow.erase(flow.begin() + static_cast<std::ptrdiff_t>(*place));
  }
  pending_ -= places.size();
  frames_ += places.size();
}

std::string GroChecker::plain(Flow& flow, View frame, const virtio::NetHeader& header) {
  const auto same = [&](const Sent& sent) {
    return eligible(sent) && std::ranges::equal(sent.bytes, frame);
  };
  const auto found = std::ranges::find_if(flow, same);
  if (found == flow.end()) {
    const auto sent = std::ranges::find_if(
        flow, [&](const Sent& each) { return std::ranges::equal(each.bytes, frame); });
    return sent == flow.end() ? "no such frame was sent" : "it was overtaken in its flow";
  }
  if ((header.flags & ~regs::kNetHdrFDataValid) != 0) return "flags without a meaning here";
  take(flow, {static_cast<std::size_t>(found - flow.begin())});
  return {};
}

std::string GroChecker::merged_frame(Flow& flow, View frame, const ParsedFrame& parsed,
                                     const virtio::NetHeader& header) {
  if (parsed.l4 != L4::tcp) return "merged, and not TCP";
  std::vector<ParsedFrame> members;
  std::vector<Bytes> bytes;
  std::vector<std::size_t> places;
  std::size_t at = parsed.payload;
  std::uint8_t flags = 0;
  for (std::size_t i = 0; i < flow.size() && at < frame.size(); ++i) {
    if (!eligible(flow[i])) continue;
    const View candidate = flow[i].bytes;
    const ParsedFrame sent = parse(candidate);
    const auto offset = static_cast<std::uint32_t>(at - parsed.payload);
    if (sent.l4 != L4::tcp || sent.seq != parsed.seq + offset || sent.payload_len == 0 ||
        at + sent.payload_len > frame.size() ||
        !std::ranges::equal(candidate.subspan(sent.payload, sent.payload_len),
                            frame.subspan(at, sent.payload_len))) {
      continue;  // lost on the way, if this is the frame that came after it
    }
    if (!members.empty()) {
      const std::string why = joins(members, bytes, sent, candidate);
      if (!why.empty()) return "merged against the rules: " + why;
    }
    const std::uint8_t counts = members.empty() ? 0xff : kEnds;
    flags |= static_cast<std::uint8_t>(sent.tcp_flags & counts);
    at += sent.payload_len;
    members.push_back(sent);
    bytes.push_back(flow[i].bytes);
    places.push_back(i);
  }
  if (members.size() < 2) return "called merged, and not made of two frames that were sent";
  if (at != frame.size()) return "has bytes that were not sent, or out of order";
  const ParsedFrame& head = members.front();
  const Bytes headers = merged_headers(bytes.front(), head, frame.size(), flags);
  if (!std::equal(headers.begin(), headers.end(), frame.begin())) return "wrong merged headers";
  const std::uint8_t type = head.l3 == L3::ipv4 ? regs::kNetHdrGsoTcpV4 : regs::kNetHdrGsoTcpV6;
  const std::uint8_t ecn = (head.tcp_flags & tcp::kCwr) != 0 ? regs::kNetHdrGsoEcn : 0;
  if (header.gso_type != (type | ecn)) return "wrong gso_type";
  if (header.flags != regs::kNetHdrFNeedsCsum) return "wrong flags for a merged frame";
  if (header.gso_size != head.payload_len) return "wrong gso_size";
  if (header.hdr_len != head.payload) return "wrong hdr_len";
  if (header.csum_start != head.l4_offset || header.csum_offset != 16) return "wrong csum place";
  take(flow, places);
  merged_ += members.size() - 1;
  ++super_frames_;
  return {};
}

}  // namespace nicroscope::golden
