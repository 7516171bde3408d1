// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "stack/core/byte_order.h"
#include "stack/core/checksum.h"
#include "stack/ipv4/ipv4_address.h"

namespace nicroscope::net {

/// Protocol numbers (IANA).
inline constexpr std::uint8_t kIpprotoIcmp = 1;
inline constexpr std::uint8_t kIpprotoTcp = 6;
inline constexpr std::uint8_t kIpprotoUdp = 17;

/// Without options, and the longest packet.
inline constexpr unsigned kIpHlen = 20;
inline constexpr unsigned kIpMaxLen = 65'535;
/// Bits of the fragment field, in host order (RFC 791 3.1).
inline constexpr std::uint16_t kIpDf = 0x4000;
inline constexpr std::uint16_t kIpMf = 0x2000;
inline constexpr std::uint16_t kIpOffset = 0x1fff;

/// An IPv4 header (RFC 791 3.1) in the bytes of a packet.
///
///      0                   1                   2                   3
///     |version|  ihl  |      tos      |            tot_len            |
///     |              id               |flags|      frag_off           |
///     |      ttl      |   protocol    |             check             |
///     |                             saddr                             |
///     |                             daddr                             |
class Ipv4View {
 public:
  static constexpr std::uint8_t kVersion = 4;

  /// Nothing if there are fewer than 20 bytes. The options may be cut off: see header_len().
  [[nodiscard]] static std::optional<Ipv4View> parse(std::span<std::byte> bytes) noexcept {
    if (bytes.size() < kIpHlen) return std::nullopt;
    return Ipv4View(bytes.data());
  }
  /// Of a packet whose header was parsed before: see ip_hdr().
  [[nodiscard]] static Ipv4View at(std::byte* header) noexcept { return Ipv4View(header); }

  [[nodiscard]] unsigned version() const noexcept { return byte(0) >> 4U; }
  /// In bytes: 20 to 60 in a valid header.
  [[nodiscard]] unsigned header_len() const noexcept { return (byte(0) & 15U) * 4U; }
  [[nodiscard]] std::uint8_t tos() const noexcept { return byte(1); }
  [[nodiscard]] std::uint16_t tot_len() const noexcept { return load_be16(p_ + 2); }
  [[nodiscard]] std::uint16_t id() const noexcept { return load_be16(p_ + 4); }
  [[nodiscard]] std::uint16_t frag_off() const noexcept { return load_be16(p_ + 6); }
  [[nodiscard]] std::uint8_t ttl() const noexcept { return byte(8); }
  [[nodiscard]] std::uint8_t protocol() const noexcept { return byte(9); }
  [[nodiscard]] std::uint16_t check() const noexcept { return load_be16(p_ + 10); }
  [[nodiscard]] ipv4_address saddr() const noexcept { return ipv4_address::load(p_ + 12); }
  [[nodiscard]] ipv4_address daddr() const noexcept { return ipv4_address::load(p_ + 16); }

  [[nodiscard]] bool is_fragment() const noexcept {
    return (frag_off() & (kIpMf | kIpOffset)) != 0;
  }
  /// Where a fragment's data goes, in bytes.
  [[nodiscard]] unsigned fragment_offset() const noexcept { return (frag_off() & kIpOffset) * 8U; }
  /// The header with its options must be there.
  [[nodiscard]] bool checksum_ok() const noexcept { return header_sum() == 0; }

  void set_version_and_len(unsigned header_bytes) noexcept {
    p_[0] = static_cast<std::byte>(kVersion << 4U | header_bytes / 4U);
  }
  void set_tos(std::uint8_t v) noexcept { p_[1] = std::byte{v}; }
  void set_tot_len(std::uint32_t v) noexcept { store_be16(p_ + 2, static_cast<std::uint16_t>(v)); }
  void set_id(std::uint16_t v) noexcept { store_be16(p_ + 4, v); }
  void set_frag_off(std::uint16_t v) noexcept { store_be16(p_ + 6, v); }
  void set_ttl(std::uint8_t v) noexcept { p_[8] = std::byte{v}; }
  void set_protocol(std::uint8_t v) noexcept { p_[9] = std::byte{v}; }
  void set_saddr(ipv4_address a) noexcept { a.store(p_ + 12); }
  void set_daddr(ipv4_address a) noexcept { a.store(p_ + 16); }
  /// Makes the checksum right (Linux: ip_send_check).
  void update_check() noexcept {
    store_be16(p_ + 10, 0);
    store_be16(p_ + 10, header_sum());
  }

 private:
  explicit Ipv4View(std::byte* p) noexcept : p_(p) {}
  [[nodiscard]] std::uint8_t byte(unsigned i) const noexcept {
    return std::to_integer<std::uint8_t>(p_[i]);
  }
  [[nodiscard]] std::uint16_t header_sum() const noexcept {
    return csum_fold(csum_partial({p_, header_len()}, 0));
  }
  std::byte* p_;
};

}  // namespace nicroscope::net
