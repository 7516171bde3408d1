// SPDX-License-Identifier: Apache-2.0
// The checker of merging: what GRO allows passes; each rule that is broken is found.
#include <gtest/gtest.h>

#include <functional>

#include "nicroscope/registers.h"
#include "tests/golden/checksum.h"
#include "tests/golden/frame_builder.h"
#include "tests/golden/gro.h"

namespace nicroscope::golden {
namespace {

struct Merged {
  Bytes bytes;
  virtio::NetHeader header{};
};

// Puts frames together without asking whether that is right.
Merged merge(const std::vector<Bytes>& frames) {
  Merged out;
  out.bytes = frames.front();
  const ParsedFrame head = parse(out.bytes);
  std::uint8_t flags = head.tcp_flags;
  for (std::size_t i = 1; i < frames.size(); ++i) {
    const ParsedFrame parsed = parse(frames[i]);
    append(out.bytes, View(frames[i]).subspan(parsed.payload, parsed.payload_len));
    flags |= static_cast<std::uint8_t>(parsed.tcp_flags & (tcp::kPsh | tcp::kFin));
  }
  const std::size_t l3 = head.l3_offset;
  if (head.l3 == L3::ipv4) {
    put16(out.bytes, l3 + 2, static_cast<std::uint32_t>(out.bytes.size() - l3));
    put16(out.bytes, l3 + 10, 0);
    put16(out.bytes, l3 + 10, internet_checksum(View(out.bytes).subspan(l3, 20)));
  } else {
    put16(out.bytes, l3 + 4, static_cast<std::uint32_t>(out.bytes.size() - l3 - 40));
  }
  put8(out.bytes, head.l4_offset + 13, flags);
  put16(out.bytes, head.l4_offset + 16,
        pseudo_sum(head.source_address, head.destination_address, kTcp,
                   static_cast<std::uint32_t>(out.bytes.size() - head.l4_offset)));
  out.header.flags = regs::kNetHdrFNeedsCsum;
  out.header.gso_type = head.l3 == L3::ipv4 ? regs::kNetHdrGsoTcpV4 : regs::kNetHdrGsoTcpV6;
  out.header.gso_size = static_cast<std::uint16_t>(head.payload_len);
  out.header.hdr_len = static_cast<std::uint16_t>(head.payload);
  out.header.csum_start = static_cast<std::uint16_t>(head.l4_offset);
  out.header.csum_offset = 16;
  return out;
}

std::vector<Recipe> stream(L3 l3, std::size_t count) {
  std::vector<Recipe> out(count);
  for (std::size_t i = 0; i < count; ++i) {
    out[i].l3 = l3;
    out[i].payload_bytes = 500;
    out[i].payload_seed = i;
    out[i].seq = static_cast<std::uint32_t>(7 + 500 * i);
    out[i].id = static_cast<std::uint16_t>(i);
    append32(out[i].tcp_options, 0x0101080a);
    append32(out[i].tcp_options, 1);
    append32(out[i].tcp_options, 2);
  }
  return out;
}

std::string verdict(const std::vector<Recipe>& recipes) {
  GroChecker checker;
  std::vector<Bytes> frames;
  for (const Recipe& recipe : recipes) {
    frames.push_back(build(recipe));
    checker.arrived(frames.back());
  }
  const Merged merged = merge(frames);
  return checker.delivered(merged.bytes, merged.header, true);
}

TEST(Gro, AllowsWhatGroDoes) {
  for (const L3 l3 : {L3::ipv4, L3::ipv6}) {
    auto frames = stream(l3, 5);
    EXPECT_EQ(verdict(frames), "");
    frames.back().payload_bytes = 3;
    frames.back().flags |= tcp::kPsh | tcp::kFin;
    EXPECT_EQ(verdict(frames), "");
  }
  auto fixed = stream(L3::ipv4, 4);
  for (Recipe& recipe : fixed) recipe.id = 9;
  EXPECT_EQ(verdict(fixed), "") << "with DF an identification may stay";
}

TEST(Gro, RefusesEachDifference) {
  using Change = std::function<void(Recipe&)>;
  const std::vector<std::pair<const char*, Change>> changes = {
      {"ToS or class", [](Recipe& r) { r.tos = 4; }},
      {"TTL or hop limit", [](Recipe& r) { r.ttl = 63; }},
      {"source MAC", [](Recipe& r) { r.source[0] = 6; }},
      {"VLAN", [](Recipe& r) { r.tags = {0x81000005}; }},
      {"ack", [](Recipe& r) { ++r.ack; }},
      {"window", [](Recipe& r) { ++r.window; }},
      {"sequence", [](Recipe& r) { ++r.seq; }},
      {"timestamp", [](Recipe& r) { r.tcp_options[7] = std::byte{9}; }},
      {"option length", [](Recipe& r) { r.tcp_options.resize(16); }},
      {"URG", [](Recipe& r) { r.flags |= tcp::kUrg; }},
      {"SYN", [](Recipe& r) { r.flags |= tcp::kSyn; }},
      {"RST", [](Recipe& r) { r.flags |= tcp::kRst; }},
      {"ECE", [](Recipe& r) { r.flags |= tcp::kEce; }},
      {"CWR", [](Recipe& r) { r.flags |= tcp::kCwr; }},
      {"longer", [](Recipe& r) { r.payload_bytes = 501; }},
      {"bad checksum", [](Recipe& r) { r.damage = Damage::l4_checksum; }},
  };
  for (const L3 l3 : {L3::ipv4, L3::ipv6}) {
    for (const auto& [what, change] : changes) {
      auto frames = stream(l3, 3);
      change(frames.back());
      EXPECT_NE(verdict(frames), "") << what;
    }
  }
  const auto v4 = [](const Change& change) {
    auto frames = stream(L3::ipv4, 3);
    change(frames.back());
    return verdict(frames);
  };
  EXPECT_NE(v4([](Recipe& r) { r.id = 7; }), "");
  EXPECT_NE(v4([](Recipe& r) { r.id = 0; }), "") << "counted so far";
  EXPECT_NE(v4([](Recipe& r) { r.dont_fragment = false; }), "");
  EXPECT_NE(v4([](Recipe& r) { r.option_words = 1; }), "");
  auto labels = stream(L3::ipv6, 2);
  labels.back().flow_label = 1;
  EXPECT_NE(verdict(labels), "");
}

TEST(Gro, RefusesAFrameBehindTheEnd) {
  for (const auto& end : std::vector<std::function<void(Recipe&)>>{
           [](Recipe& r) { r.flags |= tcp::kPsh; }, [](Recipe& r) { r.flags |= tcp::kFin; },
           [](Recipe& r) { r.payload_bytes = 499; }}) {
    auto frames = stream(L3::ipv4, 3);
    end(frames[1]);
    frames[2].seq = frames[1].seq + static_cast<std::uint32_t>(frames[1].payload_bytes);
    EXPECT_NE(verdict(frames), "");
    frames.pop_back();
    EXPECT_EQ(verdict(frames), "");
  }
}

TEST(Gro, SeesWrongHeadersAndBytes) {
  GroChecker checker;
  std::vector<Bytes> frames;
  for (const Recipe& recipe : stream(L3::ipv4, 3)) frames.push_back(build(recipe));
  const Merged good = merge(frames);
  const auto judge = [&](const std::function<void(Merged&)>& change) {
    GroChecker fresh;
    for (const Bytes& frame : frames) fresh.arrived(frame);
    Merged merged = good;
    change(merged);
    return fresh.delivered(merged.bytes, merged.header, true);
  };
  EXPECT_EQ(judge([](Merged&) {}), "");
  for (const std::size_t at : {16U, 24U, 47U, 50U, 600U, 1500U}) {
    EXPECT_NE(judge([at](Merged& m) { m.bytes[at] ^= std::byte{1}; }), "") << at;
  }
  EXPECT_NE(judge([](Merged& m) { m.header.gso_size = 499; }), "");
  EXPECT_NE(judge([](Merged& m) { m.header.gso_type = regs::kNetHdrGsoTcpV6; }), "");
  EXPECT_NE(judge([](Merged& m) { m.header.flags = regs::kNetHdrFDataValid; }), "");
  EXPECT_NE(judge([](Merged& m) { m.header.csum_start = 0; }), "");
  EXPECT_NE(judge([](Merged& m) { m.header.hdr_len = 54; }), "");
}

TEST(Gro, OrderAndLoss) {
  GroChecker checker;
  std::vector<Bytes> frames;
  for (const Recipe& recipe : stream(L3::ipv4, 4)) {
    frames.push_back(build(recipe));
    checker.arrived(frames.back());
  }
  const virtio::NetHeader plain{};
  EXPECT_EQ(checker.delivered(frames[0], plain, true), "");
  EXPECT_EQ(checker.delivered(frames[2], plain, true), "");
  EXPECT_NE(checker.delivered(frames[1], plain, true), "") << "overtaken";
  EXPECT_EQ(checker.pending(), 2U);
  EXPECT_EQ(checker.frames(), 2U);
  checker.allow_overtaking(true);
  EXPECT_EQ(checker.delivered(frames[1], plain, true), "");
  const auto lost = checker.forget();
  ASSERT_EQ(lost.size(), 1U);
  EXPECT_EQ(lost.front().bytes, frames[3]);
  EXPECT_EQ(checker.pending(), 0U);
}

}  // namespace
}  // namespace nicroscope::golden
