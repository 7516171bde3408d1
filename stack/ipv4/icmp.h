// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>

#include "stack/core/net.h"
#include "stack/ipv4/ipv4_address.h"
#include "stack/ipv4/net_protocol.h"

namespace nicroscope::net {

class Ipv4;

/// ICMP types and codes (RFC 792).
enum icmp_type : std::uint8_t {
  ICMP_TYPE_ECHO_REPLY = 0,
  ICMP_TYPE_DEST_UNREACH = 3,
  ICMP_TYPE_REDIRECT = 5,
  ICMP_TYPE_ECHO = 8,
  ICMP_TYPE_TIME_EXCEEDED = 11,
  ICMP_TYPE_PARAMETER_PROB = 12,
};
enum icmp_unreach_code : std::uint8_t {
  ICMP_CODE_NET_UNREACH = 0,
  ICMP_CODE_HOST_UNREACH = 1,
  ICMP_CODE_PROT_UNREACH = 2,
  ICMP_CODE_PORT_UNREACH = 3,
  ICMP_CODE_FRAG_NEEDED = 4,
};
/// Code of redirect: for this destination alone.
inline constexpr std::uint8_t ICMP_CODE_REDIRECT_HOST = 1;
/// Codes of time exceeded: on the way, and in reassembly.
inline constexpr std::uint8_t ICMP_CODE_TTL = 0;
inline constexpr std::uint8_t ICMP_CODE_FRAG_TIME = 1;

/// An ICMP header (RFC 792): type, code, checksum, four bytes that depend on the type.
class IcmpView {
 public:
  static constexpr unsigned kSize = 8;

  /// Nothing if there are fewer than 8 bytes.
  [[nodiscard]] static std::optional<IcmpView> parse(std::span<std::byte> bytes) noexcept {
    if (bytes.size() < kSize) return std::nullopt;
    return IcmpView(bytes.data());
  }
  [[nodiscard]] std::uint8_t type() const noexcept { return std::to_integer<std::uint8_t>(p_[0]); }
  [[nodiscard]] std::uint8_t code() const noexcept { return std::to_integer<std::uint8_t>(p_[1]); }
  [[nodiscard]] std::uint16_t check() const noexcept { return load_be16(p_ + 2); }
  [[nodiscard]] std::uint32_t rest() const noexcept { return load_be32(p_ + 4); }

  void set_type_and_code(std::uint8_t type, std::uint8_t code) noexcept {
    p_[0] = std::byte{type};
    p_[1] = std::byte{code};
  }
  void set_check(std::uint16_t v) noexcept { store_be16(p_ + 2, v); }
  void set_rest(std::uint32_t v) noexcept { store_be32(p_ + 4, v); }

 private:
  explicit IcmpView(std::byte* p) noexcept : p_(p) {}
  std::byte* p_;
};

/// Linux's limits on ICMP errors: net.ipv4.icmp_ratelimit for each destination, icmp_msgs_per_sec
/// and icmp_msgs_burst for the host.
struct icmp_parms {
  Duration ratelimit = std::chrono::seconds{1};
  unsigned ratelimit_burst = 6;
  unsigned msgs_per_sec = 1000;
  unsigned msgs_burst = 50;
};

/// Grants up to `burst` at once and then one every `interval`.
class TokenBucket {
 public:
  TokenBucket(Duration interval, unsigned burst) : interval_(interval), burst_(burst) {}
  [[nodiscard]] bool take(Time now) noexcept;
  /// As many tokens as there can be.
  [[nodiscard]] bool full(Time now) const noexcept { return credit(now) >= interval_ * burst_; }

 private:
  [[nodiscard]] Duration credit(Time now) const noexcept;
  Duration interval_;
  unsigned burst_;
  Time last_{};
  std::optional<Duration> left_;  ///< of credit, at `last_`; none means full
};

/// Linux: net/ipv4/icmp.c.
class Icmp final : public net_protocol {
 public:
  explicit Icmp(Ipv4& ipv4, const icmp_parms& parms = {});

  /// icmp_rcv.
  void handler(skb_ptr skb) override;

  /// Tells the sender of `skb`, whose IPv4 header was checked, what went wrong, if RFC 1122 3.2.2
  /// and the rate limits allow. `rest`: the header's last four bytes, in host order.
  void icmp_send(const sk_buff& skb, icmp_type type, std::uint8_t code, std::uint32_t rest);

 private:
  void icmp_echo(const sk_buff& skb);
  [[nodiscard]] skb_drop_reason icmp_unreach(sk_buff& skb);
  [[nodiscard]] bool allowed(ipv4_address destination);
  void send(skb_ptr skb, ipv4_address saddr, ipv4_address daddr, std::uint8_t tos);

  Ipv4& ipv4_;
  const icmp_parms parms_;
  TokenBucket global_;
  std::map<ipv4_address, TokenBucket> peers_;
};

}  // namespace nicroscope::net
