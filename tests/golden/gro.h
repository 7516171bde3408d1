// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <vector>

#include "nicroscope/virtio.h"
#include "tests/golden/parse.h"

namespace nicroscope::golden {

/// Which frames Linux's GRO puts together (Documentation/networking/segmentation-offloads and the
/// receive half of net/ipv4/tcp_offload.c, af_inet.c, net/ipv6/ip6_offload.c of Linux 6.1, as
/// rules):
///
/// a frame that starts: mergeable by itself, no flag of SYN RST URG PSH FIN; a frame that joins:
/// - the same MAC header, VLAN tags included
/// - IPv4: TTL, ToS and DF equal, header of 20 bytes, whole, no padding behind it; identification
///   up by one a frame, or, with DF on both, all equal
/// - IPv6: version, traffic class, flow label, hop limit equal, no extension headers
/// - TCP: ports, acknowledgement, window, data offset and options bytewise equal;
///   flags equal but for CWR FIN PSH; no CWR in it; its sequence number is the next
/// - it is not longer than the first; an IP packet of at most 65,535 bytes results
/// - the frame before it was not shorter than the first, and had no PSH or FIN
///
/// `joins` says whether `frame` may be appended to `members`; the text says why not.
[[nodiscard]] std::string joins(const std::vector<ParsedFrame>& members,
                                const std::vector<Bytes>& bytes, const ParsedFrame& parsed,
                                View frame);

/// Judges what a device delivers, given what was sent to it.
class GroChecker {
 public:
  struct Sent {
    Bytes bytes;
    std::uint64_t mark = 0;  ///< the caller's
    bool overtaken = false;  ///< a later frame of its flow was delivered
  };

  /// This frame came over the wire.
  void arrived(View frame, std::uint64_t mark = 0);
  /// The device delivered this with this header. Frames are matched by their bytes, in the order of
  /// their flow: one that was overtaken is taken for lost. An empty text, or what is wrong.
  /// `allow_lro`: merging is allowed.
  [[nodiscard]] std::string delivered(View frame, const virtio::NetHeader& header, bool allow_lro);
  /// From now on frames of one flow may overtake each other: its queue has changed.
  void allow_overtaking(bool allow) noexcept { overtaking_ = allow; }
  /// What was not delivered will not be: says what that was, and forgets it.
  [[nodiscard]] std::vector<Sent> forget();

  [[nodiscard]] std::uint64_t frames() const noexcept { return frames_; }  ///< delivered, as sent
  [[nodiscard]] std::uint64_t merged() const noexcept { return merged_; }  ///< behind a first one
  [[nodiscard]] std::uint64_t super_frames() const noexcept { return super_frames_; }
  [[nodiscard]] std::uint64_t pending() const noexcept { return pending_; }
  /// What was delivered last, as it was sent.
  [[nodiscard]] const std::vector<Sent>& members() const noexcept { return members_; }

 private:
  using Flow = std::deque<Sent>;

  [[nodiscard]] bool eligible(const Sent& sent) const { return overtaking_ || !sent.overtaken; }
  [[nodiscard]] std::string plain(Flow& flow, View frame, const virtio::NetHeader& header);
  [[nodiscard]] std::string merged_frame(Flow& flow, View frame, const ParsedFrame& parsed,
                                         const virtio::NetHeader& header);
  void take(Flow& flow, const std::vector<std::size_t>& places);

  std::map<Bytes, Flow> flows_;
  std::vector<Sent> members_;
  bool overtaking_ = false;
  std::uint64_t frames_ = 0;
  std::uint64_t merged_ = 0;
  std::uint64_t super_frames_ = 0;
  std::uint64_t pending_ = 0;
};

}  // namespace nicroscope::golden
