// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "stack/core/ethernet.h"
#include "stack/ipv4/ipv4_address.h"

// Frames made byte by byte, without the stack's own code.
namespace nicroscope::test {

using Bytes = std::vector<std::byte>;

inline const net::mac_address kHostMac{{0x52, 0x54, 0x00, 0x00, 0x00, 0x01}};
inline const net::mac_address kPeerMac{{0x52, 0x54, 0x00, 0x00, 0x00, 0x02}};
inline const net::mac_address kBroadcastMac{{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}};
inline constexpr net::ipv4_address kHostIp{0x0a00'0001};       // 10.0.0.1
inline constexpr net::ipv4_address kPeerIp{0x0a00'0002};       // 10.0.0.2
inline constexpr net::ipv4_address kBroadcastIp{0x0a00'00ff};  // 10.0.0.255

inline void put8(Bytes& b, unsigned v) { b.push_back(static_cast<std::byte>(v)); }
inline void put16(Bytes& b, unsigned v) {
  put8(b, v >> 8U & 0xffU);
  put8(b, v & 0xffU);
}
inline void put32(Bytes& b, std::uint32_t v) {
  put16(b, v >> 16U);
  put16(b, v & 0xffffU);
}
inline void put(Bytes& b, const Bytes& more) { b.insert(b.end(), more.begin(), more.end()); }
inline void put(Bytes& b, const net::mac_address& a) {
  for (const unsigned byte : a.bytes) put8(b, byte);
}
inline void set16(Bytes& b, std::size_t at, unsigned v) {
  b[at] = static_cast<std::byte>(v >> 8U & 0xffU);
  b[at + 1] = static_cast<std::byte>(v & 0xffU);
}
inline unsigned get16(const Bytes& b, std::size_t at) {
  return std::to_integer<unsigned>(b[at]) << 8U | std::to_integer<unsigned>(b[at + 1]);
}
inline unsigned get8(const Bytes& b, std::size_t at) { return std::to_integer<unsigned>(b[at]); }
inline Bytes slice(const Bytes& b, std::size_t from, std::size_t n = ~std::size_t{0}) {
  const std::size_t count = std::min(n, b.size() - from);
  return {b.begin() + static_cast<std::ptrdiff_t>(from),
          b.begin() + static_cast<std::ptrdiff_t>(from + count)};
}

/// Word by word, as RFC 1071 section 4.1 writes it.
inline unsigned naive_checksum(const Bytes& b, std::uint32_t sum = 0) {
  for (std::size_t i = 0; i < b.size(); ++i) {
    sum += i % 2 == 0 ? get8(b, i) << 8U : get8(b, i);
  }
  while (sum >> 16U != 0) sum = (sum & 0xffffU) + (sum >> 16U);
  return ~sum & 0xffffU;
}

/// Numbers that a seed decides.
class Random {
 public:
  explicit Random(unsigned seed) : engine_(seed) {}
  [[nodiscard]] unsigned operator()() { return static_cast<std::uint32_t>(engine_()); }

 private:
  std::mt19937 engine_;
};

/// Bytes that differ from their neighbours.
inline Bytes pattern(std::size_t n, unsigned first = 0) {
  Bytes b;
  for (std::size_t i = 0; i < n; ++i) put8(b, static_cast<unsigned>(first + i * 7) & 0xffU);
  return b;
}

/// A frame; short ones are padded with zeros as the wire does.
inline Bytes ethernet(const net::mac_address& to, const net::mac_address& from, unsigned type,
                      const Bytes& payload) {
  Bytes b;
  put(b, to);
  put(b, from);
  put16(b, type);
  put(b, payload);
  if (b.size() < 60) b.resize(60);
  return b;
}

struct Ip {
  net::ipv4_address from = kPeerIp;
  net::ipv4_address to = kHostIp;
  unsigned protocol = 17;
  unsigned id = 0x1234;
  unsigned fragment = 0;  ///< flags and offset
  unsigned ttl = 64;
  Bytes options{};
};

inline Bytes ipv4(const Ip& ip, const Bytes& payload) {
  Bytes b;
  const unsigned header = static_cast<unsigned>(20 + ip.options.size());
  put8(b, 0x40U | header / 4);
  put8(b, 0);
  put16(b, static_cast<unsigned>(header + payload.size()));
  put16(b, ip.id);
  put16(b, ip.fragment);
  put8(b, ip.ttl);
  put8(b, ip.protocol);
  put16(b, 0);
  put32(b, ip.from.value);
  put32(b, ip.to.value);
  put(b, ip.options);
  set16(b, 10, naive_checksum(b));
  put(b, payload);
  return b;
}

inline Bytes udp(unsigned source, unsigned dest, const Bytes& data, const Ip& ip = {}) {
  Bytes pseudo;
  put32(pseudo, ip.from.value);
  put32(pseudo, ip.to.value);
  put16(pseudo, 17);
  put16(pseudo, static_cast<unsigned>(8 + data.size()));
  Bytes b;
  put16(b, source);
  put16(b, dest);
  put16(b, static_cast<unsigned>(8 + data.size()));
  put16(b, 0);
  put(b, data);
  put(pseudo, b);
  const unsigned check = naive_checksum(pseudo);
  set16(b, 6, check == 0 ? 0xffff : check);
  return b;
}

inline Bytes icmp(unsigned type, unsigned code, std::uint32_t rest, const Bytes& data) {
  Bytes b;
  put8(b, type);
  put8(b, code);
  put16(b, 0);
  put32(b, rest);
  put(b, data);
  set16(b, 2, naive_checksum(b));
  return b;
}

inline Bytes arp(unsigned op, const net::mac_address& sha, net::ipv4_address sip,
                 const net::mac_address& tha, net::ipv4_address tip) {
  Bytes b;
  put16(b, 1);
  put16(b, 0x0800);
  put8(b, 6);
  put8(b, 4);
  put16(b, op);
  put(b, sha);
  put32(b, sip.value);
  put(b, tha);
  put32(b, tip.value);
  return b;
}

/// From the peer to the host.
inline Bytes to_host(unsigned type, const Bytes& payload) {
  return ethernet(kHostMac, kPeerMac, type, payload);
}
inline Bytes ip_to_host(const Ip& ip, const Bytes& payload) {
  return to_host(0x0800, ipv4(ip, payload));
}
inline Bytes echo_request(std::size_t size) { return icmp(8, 0, 0x0102'0003, pattern(size)); }

}  // namespace nicroscope::test
