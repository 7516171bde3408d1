// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "sim/wire/pcap_sink.h"
#include "sim/wire/pcap_source.h"

namespace nicroscope::sim {
namespace {

using ::testing::HasSubstr;

class Pcap : public ::testing::Test {
 protected:
  void SetUp() override {
    directory_ =
        std::filesystem::temp_directory_path() / ("nicroscope_pcap_" + std::to_string(::getpid()));
    std::filesystem::create_directories(directory_);
  }
  void TearDown() override { std::filesystem::remove_all(directory_); }

  [[nodiscard]] std::string path(const std::string& name) const { return directory_ / name; }
  [[nodiscard]] std::string file(const std::string& name, const std::string& content) const {
    std::ofstream(path(name), std::ios::binary) << content;
    return path(name);
  }
  [[nodiscard]] static std::string read_back(const std::string& name) {
    std::ifstream in(name, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  // A capture of three frames, 60, 1514 and 42 bytes, a microsecond and 1 ns apart.
  [[nodiscard]] std::string three_frames() const {
    auto writer = PcapWriter::create(path("three.pcap"));
    EXPECT_TRUE(writer);
    for (const std::size_t length : {60U, 1514U, 42U}) {
      const std::vector<std::byte> frame(length, static_cast<std::byte>(length));
      (*writer)->write(Time{static_cast<std::int64_t>((*writer)->frames()) * 1'001'000}, frame);
    }
    EXPECT_FALSE((*writer)->close());
    return path("three.pcap");
  }
  [[nodiscard]] static std::string refusal(const std::string& name) {
    auto source = PcapSource::open(name, {});
    return source ? "accepted" : source.error();
  }

 private:
  std::filesystem::path directory_;
};

TEST_F(Pcap, WhatIsWrittenIsReadWithItsTimes) {
  auto source = PcapSource::open(three_frames(), {.start = Time{5'000}});
  ASSERT_TRUE(source) << source.error();
  EXPECT_EQ((*source)->frames(), 3U);
  const std::vector<std::size_t> lengths{60, 1514, 60};
  for (std::size_t i = 0; i < 3; ++i) {
    const WireFrame* frame = (*source)->peek();
    ASSERT_NE(frame, nullptr);
    EXPECT_EQ(frame->bytes.size(), lengths[i]);
    EXPECT_EQ(frame->earliest, Time{5'000 + static_cast<std::int64_t>(i) * 1'001'000});
    (*source)->pop();
  }
  EXPECT_EQ((*source)->peek(), nullptr);
  EXPECT_EQ((*source)->passed(), 3U);
}

TEST_F(Pcap, ShortFramesArePaddedWithZeros) {
  auto source = PcapSource::open(three_frames(), {.line_rate = true});
  ASSERT_TRUE(source);
  for (int i = 0; i < 2; ++i) {
    ASSERT_NE((*source)->peek(), nullptr);
    (*source)->pop();
  }
  const WireFrame* frame = (*source)->peek();
  ASSERT_NE(frame, nullptr);
  EXPECT_EQ(frame->bytes[41], std::byte{42});
  EXPECT_EQ(frame->bytes[42], std::byte{0});
  EXPECT_EQ(frame->earliest, Time{0});
}

TEST_F(Pcap, MicrosecondAndByteSwappedFilesAreRead) {
  // Magic number, version 2.4, link type Ethernet, one frame of 14 bytes at 1.000002 s.
  const std::string little(
      "\xd4\xc3\xb2\xa1\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x01\x00"
      "\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00\x0e\x00\x00\x00\x0e\x00\x00\x00",
      40);
  const std::string big(
      "\xa1\xb2\xc3\xd4\x00\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00"
      "\x00\x01\x00\x00\x00\x01\x00\x00\x00\x02\x00\x00\x00\x0e\x00\x00\x00\x0e",
      40);
  const std::string frame(14, 'x');
  for (const std::string& header : {little, big}) {
    auto source = PcapSource::open(file("us.pcap", header + frame), {});
    ASSERT_TRUE(source) << source.error();
    EXPECT_EQ((*source)->frames(), 1U);
  }
}

TEST_F(Pcap, WhatCannotBeUsedIsRefusedInOneLine) {
  EXPECT_THAT(refusal(path("missing.pcap")), HasSubstr("No such file"));
  EXPECT_THAT(refusal(file("empty.pcap", "")), HasSubstr("empty.pcap"));
  EXPECT_THAT(refusal(file("text.pcap", std::string(500, 'a'))), HasSubstr("text.pcap"));
  const std::string good = read_back(three_frames());
  EXPECT_THAT(refusal(file("cut.pcap", good.substr(0, good.size() - 5))),
              HasSubstr("after frame 2"));
  EXPECT_THAT(refusal(file("header.pcap", good.substr(0, 24))), HasSubstr("holds no frames"));
  std::string raw = good;
  raw[20] = 101;  // LINKTYPE_RAW
  EXPECT_THAT(refusal(file("raw.pcap", raw)), HasSubstr("is not Ethernet"));
  std::string part = good;
  part[24 + 12] = 100;  // original length of the first frame
  EXPECT_THAT(refusal(file("part.pcap", part)), HasSubstr("captured in part"));
  auto longer = PcapSource::open(three_frames(), {.max_frame_bytes = 1500});
  ASSERT_FALSE(longer);
  EXPECT_THAT(longer.error(), HasSubstr("frame 2 of 1514 bytes is longer"));
  for (const char* name : {"empty.pcap", "text.pcap", "cut.pcap", "raw.pcap"}) {
    EXPECT_EQ(refusal(path(name)).find('\n'), std::string::npos);
  }
}

TEST_F(Pcap, AWriterThatIsNotClosedLeavesNothing) {
  {
    auto writer = PcapWriter::create(path("lost.pcap"));
    ASSERT_TRUE(writer);
    (*writer)->write(Time{0}, std::vector<std::byte>(60));
  }
  EXPECT_FALSE(std::filesystem::exists(path("lost.pcap")));
  EXPECT_FALSE(std::filesystem::exists(path("lost.pcap.partial")));
  auto nowhere = PcapWriter::create(path("no/such/directory/x.pcap"));
  ASSERT_FALSE(nowhere);
  EXPECT_THAT(nowhere.error(), HasSubstr("No such file"));
}

}  // namespace
}  // namespace nicroscope::sim
