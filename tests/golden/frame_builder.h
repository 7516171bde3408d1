// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "nicroscope/virtio.h"
#include "sim/base/random.h"
#include "tests/golden/bytes.h"
#include "tests/golden/parse.h"

namespace nicroscope::golden {

/// The least Ethernet frame without its check sequence.
inline constexpr std::size_t kLeastFrame = 60;

/// Extension headers that a recipe can ask for.
enum class Extension : std::uint8_t {
  hop_by_hop,
  routing,       ///< type 0, no segments left
  routing_home,  ///< type 2 with an address; as many segments left as payload_seed is odd
  destination,
  home_address,  ///< destination options with the home address option
  authentication,
  atomic_fragment,
};

/// What goes wrong in a frame on purpose.
enum class Damage : std::uint8_t {
  none,
  ip_checksum,
  l4_checksum,
  payload_byte,     ///< one flipped after the checksum was made
  no_checksum,      ///< UDP without one
  ip_length_long,   ///< the IP header promises more than there is
  ip_length_short,  ///< less than its own headers
  ip_version,
  header_length,  ///< IPv4 IHL or an extension header's length
  data_offset,    ///< TCP's
  udp_length,
  cut,  ///< the frame ends somewhere in its headers; lengths say otherwise
};

/// A frame, described.
struct Recipe {
  Mac destination{0x52, 0x54, 0x00, 0x12, 0x34, 0x56};
  Mac source{0x02, 0x00, 0x00, 0x00, 0x00, 0x09};
  std::vector<std::uint32_t> tags;  ///< TPID in the upper half, TCI in the lower, outermost first
  L3 l3 = L3::ipv4;
  std::uint16_t ethertype = 0x88b5;  ///< where l3 is none
  Bytes source_address{};            ///< 4 or 16 bytes; chosen by `flow` where empty
  Bytes destination_address{};
  unsigned flow = 0;  ///< number of the addresses and ports that are used
  std::uint8_t tos = 0;
  std::uint8_t ttl = 64;
  std::uint32_t flow_label = 0;
  std::uint16_t id = 0;
  bool dont_fragment = true;
  std::uint16_t fragment_offset = 0;  ///< in units of 8 bytes
  bool more_fragments = false;
  std::size_t option_words = 0;  ///< of IPv4 options, up to 10
  std::vector<Extension> extensions;
  std::uint8_t protocol = kTcp;   ///< anything: kTcp and kUdp get their headers
  std::uint16_t source_port = 0;  ///< 0: by `flow`
  std::uint16_t destination_port = 0;
  std::uint32_t seq = 1;
  std::uint32_t ack = 1;
  std::uint8_t flags = tcp::kAck;
  std::uint16_t window = 1024;
  Bytes tcp_options{};  ///< a multiple of 4 bytes, up to 40
  std::size_t payload_bytes = 100;
  std::uint64_t payload_seed = 0;
  std::size_t trailing_bytes = 0;  ///< junk behind the IP packet
  bool pad = true;                 ///< with zeros, to kLeastFrame
  Damage damage = Damage::none;
};

/// The bytes of a recipe. A damage that the frame has no place for is left out.
[[nodiscard]] Bytes build(const Recipe& recipe);

/// What random_recipe chooses from.
struct FrameMix {
  std::size_t largest = 1514;  ///< bytes without check sequence, of most frames
  unsigned jumbo_percent = 0;  ///< of the frames are up to 9,018 bytes long
  unsigned damage_percent = 15;
  unsigned tag_percent = 35;
  unsigned flows = 8;
  std::vector<Mac> destinations{{0x52, 0x54, 0x00, 0x12, 0x34, 0x56}};
  std::vector<std::uint16_t> vids{1, 5, 100, 4094};
};

/// Anything that can come over a wire: all layouts, sizes and mistakes.
[[nodiscard]] Recipe random_recipe(sim::Random& random, const FrameMix& mix);

/// Segments of one TCP connection, as GRO likes them, with now and then a change in some field that
/// ends a merge, a hole or a repetition.
class TcpFlow {
 public:
  /// `near_miss_percent`: how often a frame differs from its predecessor in one field.
  TcpFlow(std::uint64_t seed, const FrameMix& mix, unsigned near_miss_percent);
  [[nodiscard]] Recipe next();

 private:
  void near_miss(Recipe& recipe);

  sim::Random random_;
  unsigned near_miss_percent_;
  Recipe state_;
  std::size_t mss_;
};

/// A chain for the transmit queue: the frame and its header.
struct TransmitFrame {
  virtio::NetHeader header{};
  Bytes bytes;
};

/// What random_transmit may use; features beyond these are not asked for.
struct TransmitMix {
  bool csum = true;
  bool tso4 = true;
  bool tso6 = true;
  bool ecn = true;
  bool uso = true;
  std::size_t largest_frame = 1514;
  std::size_t largest_super_frame = 65535 + 14;
  unsigned offload_percent = 60;
};

/// A frame that a driver may send: complete, with a checksum to be put in, or a super-frame.
[[nodiscard]] TransmitFrame random_transmit(sim::Random& random, const TransmitMix& mix);

/// Makes of a chain one that has to be dropped, whatever was negotiated.
[[nodiscard]] TransmitFrame spoil(sim::Random& random, TransmitFrame frame);

}  // namespace nicroscope::golden
