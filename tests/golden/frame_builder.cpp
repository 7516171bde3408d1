// SPDX-License-Identifier: Apache-2.0
#include "tests/golden/frame_builder.h"

#include <algorithm>

#include "tests/golden/checksum.h"

namespace nicroscope::golden {

namespace {

constexpr std::uint8_t kNextHeader[] = {0, 43, 43, 60, 60, 51, 44};

void append_random(Bytes& to, std::size_t count, std::uint64_t seed) {
  sim::Random random(seed);
  while (count >= 8) {
    append32(to, static_cast<std::uint32_t>(random.next()));
    append32(to, static_cast<std::uint32_t>(random.next()));
    count -= 8;
  }
  for (; count != 0; --count) append8(to, static_cast<unsigned>(random.next() & 0xff));
}

Bytes address(bool ip6, bool destination, unsigned flow) {
  Bytes out;
  if (ip6) {
    append32(out, destination ? 0xfd000001 : 0xfd000000);
    append32(out, 0);
    append32(out, flow);
    append32(out, destination ? 1 : 0x10000 + flow * 7);
  } else {
    append32(out, destination ? 0x0a010001 + flow : 0x0a000100 + flow * 5);
  }
  return out;
}

// A frame as it grows; the fields that Damage aims at are remembered.
class Builder {
 public:
  explicit Builder(const Recipe& recipe) : r_(recipe), ip6_(recipe.l3 == L3::ipv6) {
    source_ = r_.source_address.empty() ? address(ip6_, false, r_.flow) : r_.source_address;
    destination_ =
        r_.destination_address.empty() ? address(ip6_, true, r_.flow) : r_.destination_address;
    pseudo_source_ = source_;
    pseudo_destination_ = destination_;
  }

  Bytes build() {
    ethernet();
    if (r_.l3 == L3::none) {
      append_random(out_, r_.payload_bytes, r_.payload_seed);
    } else {
      Bytes extensions = extension_headers();
      l3_ = out_.size();
      ip_header(extensions.size());
      ext_ = out_.size();
      append(out_, extensions);
      transport();
      finish_ip();
      damage_ip();
    }
    append_random(out_, r_.trailing_bytes, r_.payload_seed + 1);
    if (r_.damage == Damage::cut && l3_ != 0) {
      const std::size_t room = l4_ + 20 - l3_;
      out_.resize(std::min(out_.size(), l3_ + r_.payload_seed % room));
    }
    if (r_.pad && out_.size() < kLeastFrame) out_.resize(kLeastFrame);
    return std::move(out_);
  }

 private:
  void ethernet() {
    for (const std::uint8_t byte : r_.destination) append8(out_, byte);
    for (const std::uint8_t byte : r_.source) append8(out_, byte);
    for (const std::uint32_t tag : r_.tags) append32(out_, tag);
    append16(out_, r_.l3 == L3::none ? r_.ethertype : ip6_ ? 0x86dd : 0x0800);
  }

  void ip_header(std::size_t extension_bytes) {
    if (ip6_) {
      append32(out_, 0x60000000U | std::uint32_t{r_.tos} << 20 | (r_.flow_label & 0xfffff));
      append16(out_, 0);
      append8(out_, extension_bytes == 0
                        ? r_.protocol
                        : kNextHeader[static_cast<std::size_t>(extensions_.front())]);
      append8(out_, r_.ttl);
      append(out_, source_);
      append(out_, destination_);
      return;
    }
    append8(out_, static_cast<unsigned>(0x45 + r_.option_words));
    append8(out_, r_.tos);
    append16(out_, 0);
    append16(out_, r_.id);
    append16(out_, (r_.dont_fragment ? 0x4000U : 0U) | (r_.more_fragments ? 0x2000U : 0U) |
                       r_.fragment_offset);
    append8(out_, r_.ttl);
    append8(out_, r_.protocol);
    append16(out_, 0);
    append(out_, source_);
    append(out_, destination_);
    for (std::size_t i = 0; i < r_.option_words; ++i) append32(out_, 0x01010101);  // no operation
  }

  Bytes extension_headers() {
    if (ip6_) extensions_ = r_.extensions;
    Bytes out;
    const bool fragment = ip6_ && (r_.more_fragments || r_.fragment_offset != 0);
    if (fragment) extensions_.push_back(Extension::atomic_fragment);
    for (std::size_t i = 0; i < extensions_.size(); ++i) {
      const bool last = i + 1 == extensions_.size();
      const unsigned next =
          last ? r_.protocol : kNextHeader[static_cast<std::size_t>(extensions_[i + 1])];
      append8(out, next);
      switch (extensions_[i]) {
        case Extension::hop_by_hop:
        case Extension::destination:
          append8(out, 0);
          append32(out, 0x01040000);  // PadN, 6 bytes in all
          append16(out, 0);
          break;
        case Extension::routing:
          append8(out, 2);
          append16(out, 0);
          append32(out, 0);
          append(out, address(true, true, r_.flow + 77));
          break;
        case Extension::routing_home:
          append8(out, 2);
          append16(out, 0x0200U | (r_.payload_seed & 1));
          append32(out, 0);
          append(out, address(true, true, r_.flow + 78));
          if ((r_.payload_seed & 1) != 0) pseudo_destination_ = address(true, true, r_.flow + 78);
          break;
        case Extension::home_address:
          append8(out, 2);
          append32(out, 0x01020000);  // PadN to the option's alignment
          append16(out, 0xc910);
          pseudo_source_ = address(true, false, r_.flow + 79);
          append(out, pseudo_source_);
          break;
        case Extension::authentication:
          append8(out, 4);  // 24 bytes: words less two
          append16(out, 0);
          append32(out, 0x1000);
          append_random(out, 16, r_.payload_seed + 5);
          break;
        case Extension::atomic_fragment:
          append8(out, 0);
          append16(out, last && fragment ? static_cast<std::uint32_t>(r_.fragment_offset << 3) |
                                               (r_.more_fragments ? 1U : 0U)
                                         : 0);
          append32(out, 0xabcd0000 + r_.flow);
          break;
      }
    }
    return out;
  }

  void transport() {
    l4_ = out_.size();
    const bool first = r_.fragment_offset == 0;
    const auto port = [&](std::uint16_t given, unsigned base) {
      return given != 0 ? given : static_cast<std::uint16_t>(base + r_.flow);
    };
    if (first && (r_.protocol == kTcp || r_.protocol == kUdp)) {
      append16(out_, port(r_.source_port, 10000));
      append16(out_, port(r_.destination_port, 5001));
    }
    if (first && r_.protocol == kTcp) {
      append32(out_, r_.seq);
      append32(out_, r_.ack);
      append8(out_, static_cast<unsigned>(20 + r_.tcp_options.size()) / 4 << 4);
      append8(out_, r_.flags);
      append16(out_, r_.window);
      check_ = out_.size();
      append32(out_, 0);
      append(out_, r_.tcp_options);
    } else if (first && r_.protocol == kUdp) {
      append16(out_, static_cast<std::uint32_t>(8 + r_.payload_bytes));
      check_ = out_.size();
      append16(out_, 0);
    }
    payload_ = out_.size();
    append_random(out_, r_.payload_bytes, r_.payload_seed);
    if (check_ == 0) return;
    std::uint16_t sum = internet_checksum(
        View(out_).subspan(l4_), pseudo_sum(pseudo_source_, pseudo_destination_, r_.protocol,
                                            static_cast<std::uint32_t>(out_.size() - l4_)));
    if (r_.protocol == kUdp && sum == 0) sum = 0xffff;
    if (r_.protocol == kUdp && r_.damage == Damage::no_checksum) sum = 0;
    if (r_.damage == Damage::l4_checksum) {
      sum = static_cast<std::uint16_t>(sum ^ 1U << r_.payload_seed % 16);
      if (sum == 0) sum = 2;  // not UDP's way to say that there is none
    }
    put16(out_, check_, sum);
    if (r_.damage == Damage::payload_byte && r_.payload_bytes != 0) {
      out_[payload_ + r_.payload_seed % r_.payload_bytes] ^= std::byte{0x10};
    }
    if (r_.damage == Damage::data_offset && r_.protocol == kTcp) {
      put8(out_, l4_ + 12, r_.payload_seed % 2 == 0 ? 0x40 : 0xf0);
    }
    if (r_.damage == Damage::udp_length && r_.protocol == kUdp) {
      put16(out_, l4_ + 4, r_.payload_seed % 2 == 0 ? 7 : static_cast<unsigned>(60000));
    }
  }

  void finish_ip() {
    if (ip6_) {
      put16(out_, l3_ + 4, static_cast<std::uint32_t>(out_.size() - l3_ - 40));
      return;
    }
    put16(out_, l3_ + 2, static_cast<std::uint32_t>(out_.size() - l3_));
    put16(out_, l3_ + 10, internet_checksum(View(out_).subspan(l3_, ext_ - l3_)));
  }

  void damage_ip() {
    const std::size_t field = ip6_ ? l3_ + 4 : l3_ + 2;
    switch (r_.damage) {
      case Damage::ip_checksum:
        if (!ip6_) put16(out_, l3_ + 10, get16(out_, l3_ + 10) ^ 0x0100U);
        break;
      case Damage::ip_length_long:
        put16(out_, field, get16(out_, field) + 40U + static_cast<unsigned>(r_.payload_seed % 999));
        break;
      case Damage::ip_length_short:
        put16(out_, field, static_cast<std::uint32_t>(r_.payload_seed % (ip6_ ? 8 : 20)));
        break;
      case Damage::ip_version:
        put8(out_, l3_, get8(out_, l3_) ^ 0x20U);
        break;
      case Damage::header_length:
        if (!ip6_) put8(out_, l3_, 0x40 + static_cast<unsigned>(r_.payload_seed % 5));
        if (ip6_ && !extensions_.empty()) put8(out_, ext_ + 1, 0xff);
        break;
      default:
        break;
    }
  }

  const Recipe& r_;
  bool ip6_;
  Bytes out_;
  Bytes source_;
  Bytes destination_;
  Bytes pseudo_source_;
  Bytes pseudo_destination_;
  std::vector<Extension> extensions_;
  std::size_t l3_ = 0;
  std::size_t ext_ = 0;
  std::size_t l4_ = 0;
  std::size_t check_ = 0;
  std::size_t payload_ = 0;
};

}  // namespace

Bytes build(const Recipe& recipe) { return Builder(recipe).build(); }

}  // namespace nicroscope::golden
