// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "tests/golden/frame_builder.h"

namespace nicroscope::golden {

namespace {

constexpr std::size_t kLargestJumbo = 9018;
constexpr std::uint8_t kIcmp = 1;
constexpr std::uint8_t kIcmp6 = 58;
constexpr std::uint8_t kEsp = 50;
constexpr std::uint8_t kNoNext = 59;

bool percent(sim::Random& random, unsigned chance) { return random.below(100) < chance; }

template <typename T>
const T& one_of(sim::Random& random, const std::vector<T>& from) {
  return from[random.below(from.size())];
}

void random_tags(sim::Random& random, const FrameMix& mix, Recipe& recipe) {
  if (!percent(random, mix.tag_percent)) return;
  const unsigned tags = 1 + static_cast<unsigned>(random.below(2));
  for (unsigned i = 0; i < tags; ++i) {
    const std::uint32_t type = percent(random, 30) ? 0x88a8 : 0x8100;
    const auto priority = static_cast<std::uint32_t>(random.below(16) << 12);
    recipe.tags.push_back(type << 16 | priority | one_of(random, mix.vids));
  }
}

void random_extensions(sim::Random& random, Recipe& recipe) {
  if (!percent(random, 35)) return;
  if (percent(random, 40)) recipe.extensions.push_back(Extension::hop_by_hop);
  if (percent(random, 30)) recipe.extensions.push_back(Extension::destination);
  if (percent(random, 25)) {
    recipe.extensions.push_back(percent(random, 50) ? Extension::routing : Extension::routing_home);
  }
  if (percent(random, 15)) recipe.extensions.push_back(Extension::authentication);
  if (percent(random, 10)) recipe.extensions.push_back(Extension::atomic_fragment);
  if (percent(random, 15)) recipe.extensions.push_back(Extension::home_address);
}

Bytes random_tcp_options(sim::Random& random) {
  Bytes out;
  switch (random.below(4)) {
    case 0:
      break;
    case 1:  // two no operations and timestamps (RFC 7323)
      append32(out, 0x0101080a);
      append32(out, static_cast<std::uint32_t>(random.next()));
      append32(out, static_cast<std::uint32_t>(random.next()));
      break;
    default:
      for (std::uint64_t words = random.below(11); words != 0; --words) append32(out, 0x01010101);
      break;
  }
  return out;
}

void random_size(sim::Random& random, const FrameMix& mix, Recipe& recipe) {
  recipe.payload_bytes = 0;
  Recipe bare = recipe;
  bare.damage = Damage::none;
  bare.pad = false;
  const std::size_t headers = build(bare).size();
  std::size_t largest = mix.largest;
  if (percent(random, mix.jumbo_percent)) largest = kLargestJumbo;
  if (largest <= headers) return;
  const std::size_t room = largest - headers;
  switch (random.below(5)) {
    case 0:  // about the least frame and the reach of the parser
      recipe.payload_bytes = std::min(room, static_cast<std::size_t>(random.below(90)));
      break;
    case 1:
      recipe.payload_bytes = room - std::min(room, static_cast<std::size_t>(random.below(9)));
      break;
    case 2:  // no payload, or hardly any
      recipe.payload_bytes = std::min(room, static_cast<std::size_t>(random.below(4)));
      break;
    default:
      recipe.payload_bytes = random.below(room + 1);
      break;
  }
  if (percent(random, 6)) {
    recipe.trailing_bytes =
        std::min(room - recipe.payload_bytes, static_cast<std::size_t>(random.below(40)));
  }
}

}  // namespace

Recipe random_recipe(sim::Random& random, const FrameMix& mix) {
  Recipe recipe;
  recipe.destination = one_of(random, mix.destinations);
  recipe.payload_seed = random.next();
  recipe.flow = static_cast<unsigned>(random.below(mix.flows));
  random_tags(random, mix, recipe);
  const auto kind = random.below(100);
  if (kind < 6) {
    recipe.l3 = L3::none;
    constexpr std::uint16_t types[] = {0x0806, 0x88b5, 0x88cc, 0x0040};  // 0x40: 802.3 length
    recipe.ethertype = types[random.below(4)];
  } else if (kind < 55) {
    recipe.l3 = L3::ipv4;
    if (percent(random, 15)) recipe.option_words = 1 + random.below(10);
  } else {
    recipe.l3 = L3::ipv6;
    random_extensions(random, recipe);
  }
  const auto protocol = random.below(100);
  recipe.protocol = protocol < 45   ? kTcp
                    : protocol < 85 ? kUdp
                    : protocol < 95 ? (recipe.l3 == L3::ipv6 ? kIcmp6 : kIcmp)
                    : protocol < 98 ? kEsp
                                    : kNoNext;
  recipe.tos = static_cast<std::uint8_t>(random.below(256));
  recipe.ttl = static_cast<std::uint8_t>(1 + random.below(255));
  recipe.flow_label = static_cast<std::uint32_t>(random.next());
  recipe.id = static_cast<std::uint16_t>(random.next());
  recipe.dont_fragment = percent(random, 50);
  if (percent(random, 8)) {
    recipe.dont_fragment = false;
    recipe.more_fragments = percent(random, 70);
    recipe.fragment_offset = static_cast<std::uint16_t>(random.below(2) * random.below(1000));
  }
  recipe.seq = static_cast<std::uint32_t>(random.next());
  recipe.ack = static_cast<std::uint32_t>(random.next());
  recipe.flags = static_cast<std::uint8_t>(percent(random, 60) ? tcp::kAck : random.below(256));
  recipe.window = static_cast<std::uint16_t>(random.next());
  recipe.tcp_options = random_tcp_options(random);
  if (percent(random, mix.damage_percent)) {
    recipe.damage = static_cast<Damage>(1 + random.below(static_cast<std::uint64_t>(Damage::cut)));
  }
  const bool plain_ip = recipe.l3 == L3::ipv4 && recipe.protocol != kTcp && recipe.protocol != kUdp;
  if (plain_ip && percent(random, mix.damage_percent)) recipe.damage = Damage::ip_checksum;
  random_size(random, mix, recipe);
  return recipe;
}

TcpFlow::TcpFlow(std::uint64_t seed, const FrameMix& mix, unsigned near_miss_percent)
    : random_(seed), near_miss_percent_(near_miss_percent) {
  state_.flow = static_cast<unsigned>(random_.below(1000)) + 100;
  state_.destination = one_of(random_, mix.destinations);
  random_tags(random_, mix, state_);
  state_.l3 = percent(random_, 50) ? L3::ipv4 : L3::ipv6;
  state_.seq = static_cast<std::uint32_t>(random_.next());
  state_.ack = static_cast<std::uint32_t>(random_.next());
  state_.id = static_cast<std::uint16_t>(random_.next());
  state_.dont_fragment = percent(random_, 70);
  state_.flow_label = static_cast<std::uint32_t>(random_.next());
  if (percent(random_, 70)) {
    append32(state_.tcp_options, 0x0101080a);
    append32(state_.tcp_options, static_cast<std::uint32_t>(random_.next()));
    append32(state_.tcp_options, static_cast<std::uint32_t>(random_.next()));
  }
  Recipe bare = state_;
  bare.payload_bytes = 0;
  bare.pad = false;
  const std::size_t room = mix.largest - build(bare).size();
  mss_ = percent(random_, 50) ? room : 8 + random_.below(room - 8);
}

Recipe TcpFlow::next() {
  Recipe recipe = state_;
  recipe.payload_bytes = mss_;
  recipe.payload_seed = random_.next();
  if (percent(random_, 3)) recipe.flags |= tcp::kPsh;
  if (percent(random_, near_miss_percent_)) near_miss(recipe);
  state_.seq = recipe.seq + static_cast<std::uint32_t>(recipe.payload_bytes);
  ++state_.id;
  return recipe;
}

// Changes that stay (a window, an acknowledgement) are kept in state_; the others are this frame's.
void TcpFlow::near_miss(Recipe& recipe) {
  switch (random_.below(20)) {
    case 0:
      recipe.window = state_.window = static_cast<std::uint16_t>(random_.next());
      break;
    case 1:
      recipe.ack = state_.ack = state_.ack + static_cast<std::uint32_t>(random_.below(3000));
      break;
    case 2:
      recipe.seq += static_cast<std::uint32_t>(random_.below(2000));  // a hole
      break;
    case 3:
      recipe.seq -= static_cast<std::uint32_t>(random_.below(2000));  // a repetition
      break;
    case 4:
      recipe.payload_bytes = random_.below(mss_);
      break;
    case 5:
      recipe.tos = static_cast<std::uint8_t>(random_.below(256));
      break;
    case 6:
      recipe.ttl = static_cast<std::uint8_t>(random_.below(256));
      break;
    case 7:
      recipe.id =
          static_cast<std::uint16_t>(random_.below(2) == 0 ? random_.next() : recipe.id - 1);
      break;
    case 8:
      recipe.dont_fragment = !recipe.dont_fragment;
      break;
    case 9:
      recipe.flags = static_cast<std::uint8_t>(random_.below(256));
      break;
    case 10:
      recipe.flags |= static_cast<std::uint8_t>(1U << random_.below(8));
      break;
    case 11:
      if (!recipe.tcp_options.empty()) {
        recipe.tcp_options[4 + random_.below(8)] ^= std::byte{1};
        if (percent(random_, 60)) state_.tcp_options = recipe.tcp_options;
      }
      break;
    case 12:
      recipe.tcp_options.resize(recipe.tcp_options.empty() ? 4 : 0, std::byte{1});
      break;
    case 13:
      recipe.damage = percent(random_, 50) ? Damage::l4_checksum : Damage::payload_byte;
      break;
    case 14:
      recipe.damage = Damage::ip_checksum;
      break;
    case 15:
      recipe.flow_label ^= 1;
      break;
    case 16:
      if (recipe.tags.empty()) {
        recipe.tags.push_back(0x81000005);
      } else {
        recipe.tags.front() ^= 0x2000;  // another priority
      }
      break;
    case 17:
      recipe.source[5] ^= 1;
      break;
    case 18:
      recipe.trailing_bytes = 1 + random_.below(8);
      recipe.payload_bytes -= std::min<std::size_t>(recipe.payload_bytes, 8);
      break;
    default:
      recipe.option_words = recipe.l3 == L3::ipv4 ? 1 : 0;
      if (recipe.l3 == L3::ipv6) recipe.extensions.push_back(Extension::destination);
      recipe.payload_bytes -= std::min<std::size_t>(recipe.payload_bytes, 8);
      break;
  }
}

}  // namespace nicroscope::golden
