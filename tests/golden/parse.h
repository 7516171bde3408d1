// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/golden/bytes.h"

namespace nicroscope::golden {

using Mac = std::array<std::uint8_t, 6>;

enum class L3 : std::uint8_t { none, ipv4, ipv6 };
enum class L4 : std::uint8_t { none, tcp, udp };
enum class Verdict : std::uint8_t { none, good, bad };

/// How many bytes of a frame the device looks at for headers.
inline constexpr std::size_t kHeaderReach = 128;

// IP protocol numbers and TCP flags in use here (RFC 9293 3.1).
inline constexpr std::uint8_t kTcp = 6;
inline constexpr std::uint8_t kUdp = 17;
namespace tcp {
inline constexpr std::uint8_t kFin = 0x01;
inline constexpr std::uint8_t kSyn = 0x02;
inline constexpr std::uint8_t kRst = 0x04;
inline constexpr std::uint8_t kPsh = 0x08;
inline constexpr std::uint8_t kAck = 0x10;
inline constexpr std::uint8_t kUrg = 0x20;
inline constexpr std::uint8_t kEce = 0x40;
inline constexpr std::uint8_t kCwr = 0x80;
}  // namespace tcp

/// What is in a frame, without any limit of reach. Offsets are from the frame's first byte.
struct ParsedFrame {
  Mac destination{};
  Mac source{};
  std::vector<std::uint16_t>
      tags;                     ///< TCI of up to two VLAN tags (0x8100, 0x88a8), outermost first
  std::uint16_t ethertype = 0;  ///< behind the tags

  L3 l3 = L3::none;        ///< an IP header, whole, in which all lengths agree with the frame
  bool malformed = false;  ///< the ethertype says IP, but the header or an extension is broken
  std::size_t l3_offset = 0;
  bool ip_options = false;  ///< IPv4 options
  bool extensions = false;  ///< IPv6 extension headers
  bool fragment = false;    ///< one of several, or an IPv6 fragment header at all
  bool atomic = false;      ///< an IPv6 fragment header around something whole (RFC 6946)
  bool ip_checksum_ok = true;
  Bytes source_address;  ///< 4 or 16 bytes
  Bytes destination_address;
  Bytes home_address;          ///< of a home address option (RFC 6275 6.3), or empty
  Bytes routing_address;       ///< of a type 2 routing header (RFC 6275 6.4), or empty
  bool final_unknown = false;  ///< a routing header has segments left, or there is a home address:
                               ///< the pseudo-header has an address that is not in the IP header
  std::uint8_t protocol = 0;   ///< behind the extensions
  std::size_t ip_end = 0;      ///< where the IP packet ends; padding follows

  L4 l4 = L4::none;           ///< its header is whole, lengths agree, not a fragment
  bool l4_malformed = false;  ///< TCP or UDP by its number, but too short or with wrong lengths
  std::size_t l4_offset = 0;
  std::uint16_t source_port = 0;
  std::uint16_t destination_port = 0;
  std::uint32_t seq = 0;
  std::uint32_t ack = 0;
  std::uint8_t tcp_flags = 0;
  std::size_t payload = 0;  ///< of TCP or UDP
  std::size_t payload_len = 0;

  /// Whether IPv4 header and TCP or UDP checksum are right. none: there is nothing to check, or no
  /// way to. It can be bad for the IPv4 header's sake alone.
  Verdict verdict = Verdict::none;
  /// A device must find that verdict; where false it may also say nothing.
  bool verdict_required = false;
  /// Hash and queue are determined (all that is needed is well formed and within kHeaderReach).
  bool hash_required = true;
  /// GRO could merge it, as far as the frame alone tells (gro.h has the rules).
  bool mergeable = false;

  [[nodiscard]] bool tagged() const { return !tags.empty(); }
  [[nodiscard]] std::uint16_t vid() const {
    return tags.empty() ? std::uint16_t{0} : static_cast<std::uint16_t>(tags.front() & 0xfff);
  }
  [[nodiscard]] bool multicast() const { return (destination[0] & 1) != 0; }
  [[nodiscard]] bool broadcast() const;
};

/// Takes any bytes at all; fewer than an Ethernet header give an empty answer.
[[nodiscard]] ParsedFrame parse(View frame);

/// Whether a device may say this of the frame: an empty text, or what is wrong.
[[nodiscard]] std::string judge_verdict(const ParsedFrame& frame, bool says_good, bool says_bad);

}  // namespace nicroscope::golden
