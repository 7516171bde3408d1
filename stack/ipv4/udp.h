// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <vector>

#include "stack/core/result.h"
#include "stack/core/sock.h"
#include "stack/ipv4/ipv4_address.h"
#include "stack/ipv4/net_protocol.h"

namespace nicroscope::net {

class Ipv4;

/// A UDP header (RFC 768): source and destination port, length of header and data, checksum.
class UdpView {
 public:
  static constexpr unsigned kSize = 8;
  /// Where the checksum is: CHECKSUM_PARTIAL's csum_offset.
  static constexpr std::uint16_t kCheckOffset = 6;

  /// Nothing if there are fewer than 8 bytes.
  [[nodiscard]] static std::optional<UdpView> parse(std::span<std::byte> bytes) noexcept {
    if (bytes.size() < kSize) return std::nullopt;
    return UdpView(bytes.data());
  }
  [[nodiscard]] std::uint16_t source() const noexcept { return load_be16(p_); }
  [[nodiscard]] std::uint16_t dest() const noexcept { return load_be16(p_ + 2); }
  [[nodiscard]] std::uint16_t len() const noexcept { return load_be16(p_ + 4); }
  [[nodiscard]] std::uint16_t check() const noexcept { return load_be16(p_ + 6); }

  void set(std::uint16_t source, std::uint16_t dest, std::size_t len) noexcept {
    store_be16(p_, source);
    store_be16(p_ + 2, dest);
    store_be16(p_ + 4, static_cast<std::uint16_t>(len));
    store_be16(p_ + 6, 0);
  }
  void set_check(std::uint16_t v) noexcept { store_be16(p_ + 6, v); }

 private:
  explicit UdpView(std::byte* p) noexcept : p_(p) {}
  std::byte* p_;
};

/// The most data that one datagram carries over IPv4.
inline constexpr std::size_t kUdpMaxData = 65'507;

/// An IPv4 address and a port (Linux: struct sockaddr_in).
struct ipv4_endpoint {
  ipv4_address address;
  std::uint16_t port = 0;
  friend bool operator==(const ipv4_endpoint&, const ipv4_endpoint&) = default;
};
[[nodiscard]] std::string to_string(const ipv4_endpoint& endpoint);

/// A UDP socket (Linux: struct udp_sock).
struct udp_sock final : sock {
  using sock::sock;
  ipv4_endpoint local;  ///< kInaddrAny: every address of the host; port 0: not bound
  std::optional<ipv4_endpoint> remote;  ///< connected to
  bool bound_to_address = false;        ///< the process named the local address
};

/// What a received datagram was.
struct udp_datagram {
  std::size_t copied = 0;  ///< bytes in the caller's buffer
  std::size_t size = 0;    ///< bytes that the datagram had
  ipv4_endpoint source;
  FrameId frame = kNoFrame;
};

/// Linux: net/ipv4/udp.c. Calls for sockets are made in process context, inside a system call.
class Udp final : public net_protocol {
 public:
  explicit Udp(Ipv4& ipv4);

  /// udp_rcv.
  void handler(skb_ptr skb) override;
  void err_handler(sk_buff& skb, std::uint8_t type, std::uint8_t code) override;

  /// A socket with one reference, the caller's.
  [[nodiscard]] udp_sock& create();
  /// Frees the port and what was not read, wakes who waits, and gives up the caller's reference.
  void close(udp_sock& sk);

  /// Port 0 picks a free one of 32768 to 60999. EADDRINUSE, EADDRNOTAVAIL, EINVAL if bound already.
  Errno bind(udp_sock& sk, const ipv4_endpoint& local);
  /// From then on only this peer's datagrams and errors reach the socket. ENETUNREACH, EACCES.
  Errno connect(udp_sock& sk, const ipv4_endpoint& remote);
  /// Forgets the peer (connect to AF_UNSPEC).
  void disconnect(udp_sock& sk);

  /// Sends one datagram, `frame` in the trace; without `to`, to the connected peer. EDESTADDRREQ,
  /// EMSGSIZE, EAGAIN, EACCES (a broadcast without SO_BROADCAST), ENETUNREACH, ENOBUFS, a pending
  /// error. As in Linux a datagram that a full queue on the way drops was sent, and is counted.
  Result<std::size_t> udp_sendmsg(udp_sock& sk, std::span<const std::byte> data,
                                  const std::optional<ipv4_endpoint>& to, bool nonblock,
                                  FrameId frame);
  /// Receives one datagram; what does not fit into `out` is lost. EAGAIN, a pending error.
  Result<udp_datagram> udp_recvmsg(udp_sock& sk, std::span<std::byte> out, bool nonblock,
                                   bool peek);

 private:
  [[nodiscard]] udp_sock* lookup(const ipv4_endpoint& local, const ipv4_endpoint& remote,
                                 const net_device& dev) const;
  void deliver_to_group(skb_ptr skb, const ipv4_endpoint& local, const ipv4_endpoint& remote);
  void queue_rcv(udp_sock& sk, skb_ptr skb);
  [[nodiscard]] bool checksum_ok(const sk_buff& skb, std::uint16_t check);
  void make_checksum(sk_buff& skb, ipv4_address saddr, ipv4_address daddr, bool offload);
  [[nodiscard]] bool port_taken(std::uint16_t port, ipv4_address address) const;
  [[nodiscard]] std::optional<std::uint16_t> free_port(ipv4_address address);

  Ipv4& ipv4_;
  std::map<std::uint16_t, std::vector<udp_sock*>> ports_;
  std::uint16_t next_port_;
};

}  // namespace nicroscope::net
