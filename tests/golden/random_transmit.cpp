// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "nicroscope/registers.h"
#include "tests/golden/checksum.h"
#include "tests/golden/frame_builder.h"

namespace nicroscope::golden {

namespace {

bool percent(sim::Random& random, unsigned chance) { return random.below(100) < chance; }

// The sum of the pseudo-header where the checksum goes, as a driver leaves it.
void leave_checksum(TransmitFrame& out, const ParsedFrame& parsed, std::size_t l4, bool udp) {
  out.header.flags = regs::kNetHdrFNeedsCsum;
  out.header.csum_start = static_cast<std::uint16_t>(l4);
  out.header.csum_offset = udp ? 6 : 16;
  put16(out.bytes, l4 + out.header.csum_offset,
        pseudo_sum(parsed.source_address, parsed.destination_address, udp ? kUdp : kTcp,
                   static_cast<std::uint32_t>(out.bytes.size() - l4)));
}

Recipe sendable(sim::Random& random, const TransmitMix& mix) {
  FrameMix frames;
  frames.largest = mix.largest_frame;
  frames.damage_percent = 0;
  Recipe recipe = random_recipe(random, frames);
  std::swap(recipe.destination, recipe.source);
  recipe.pad = false;
  recipe.trailing_bytes = 0;
  return recipe;
}

}  // namespace

TransmitFrame random_transmit(sim::Random& random, const TransmitMix& mix) {
  TransmitFrame out;
  Recipe recipe = sendable(random, mix);
  const bool tcp4 = recipe.protocol == kTcp && recipe.l3 == L3::ipv4;
  const bool tcp6 = recipe.protocol == kTcp && recipe.l3 == L3::ipv6;
  const bool udp = recipe.protocol == kUdp && recipe.l3 != L3::none;
  const bool whole = !recipe.more_fragments && recipe.fragment_offset == 0;
  const bool offload =
      whole && mix.csum && (tcp4 || tcp6 || udp) && percent(random, mix.offload_percent);
  if (!offload) {
    out.bytes = build(recipe);
    return out;
  }
  // Addresses that the IP header does not have would need another sum in their place.
  std::erase(recipe.extensions, Extension::home_address);
  std::erase(recipe.extensions, Extension::routing_home);
  std::erase(recipe.extensions, Extension::atomic_fragment);
  const bool may_segment = (tcp4 && mix.tso4) || (tcp6 && mix.tso6) || (udp && mix.uso);
  const bool super = may_segment && percent(random, 50);
  Recipe bare = recipe;
  bare.payload_bytes = 0;
  Bytes headers = build(bare);
  const ParsedFrame parsed = parse(headers);
  if (!super) {
    out.bytes = build(recipe);
    leave_checksum(out, parsed, parsed.l4_offset, udp);
    return out;
  }
  const std::size_t room = mix.largest_frame - headers.size();
  const std::size_t limit = mix.largest_super_frame - headers.size();
  constexpr std::size_t sizes[] = {99, 999, 9000};     // of segments, about evenly
  constexpr std::size_t counts[] = {1, 2, 8, 20, 60};  // of them
  const std::size_t size =
      percent(random, 20) ? room : 1 + random.below(std::min(room, sizes[random.below(3)]));
  const std::size_t most = std::min(limit, size * counts[random.below(5)]);
  recipe.payload_bytes = most - random.below(std::min(most, size));
  recipe.flags = static_cast<std::uint8_t>(tcp::kAck | random.below(256));
  recipe.flags &= static_cast<std::uint8_t>(~(tcp::kSyn | tcp::kRst | tcp::kUrg));
  const bool ecn = !udp && mix.ecn && (recipe.flags & tcp::kCwr) != 0;
  if (!ecn) recipe.flags &= static_cast<std::uint8_t>(~tcp::kCwr);
  out.bytes = build(recipe);
  out.header.gso_type = udp    ? regs::kNetHdrGsoUdpL4
                        : tcp4 ? regs::kNetHdrGsoTcpV4
                               : regs::kNetHdrGsoTcpV6;
  if (ecn) out.header.gso_type |= regs::kNetHdrGsoEcn;
  out.header.gso_size = static_cast<std::uint16_t>(size);
  out.header.hdr_len = static_cast<std::uint16_t>(headers.size());
  leave_checksum(out, parsed, parsed.l4_offset, udp);
  return out;
}

TransmitFrame spoil(sim::Random& random, TransmitFrame frame) {
  virtio::NetHeader& header = frame.header;
  switch (random.below(6)) {
    case 0:  // a type that there is not, or that no device here takes
      header.flags = regs::kNetHdrFNeedsCsum;
      header.gso_type = percent(random, 50) ? 2 : regs::kNetHdrGsoUdp;
      header.gso_size = 100;
      break;
    case 1:
      header.flags = regs::kNetHdrFNeedsCsum;
      header.gso_type = regs::kNetHdrGsoTcpV4;
      header.gso_size = 0;
      break;
    case 2:  // a checksum that does not lie in the frame
      header.flags = regs::kNetHdrFNeedsCsum;
      header.gso_type = regs::kNetHdrGsoNone;
      header.csum_start = static_cast<std::uint16_t>(frame.bytes.size() - random.below(2));
      header.csum_offset = static_cast<std::uint16_t>(random.below(300));
      break;
    case 3:  // not even an Ethernet header
      header = {};
      frame.bytes.resize(1 + random.below(13));
      break;
    case 4:
      header.gso_type = regs::kNetHdrGsoEcn;
      break;
    default:
      header = {};
      frame.bytes.resize(9023 + random.below(1000));
      break;
  }
  return frame;
}

}  // namespace nicroscope::golden
