// SPDX-License-Identifier: Apache-2.0
#include "sim/linux/bench_linux.h"

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <vector>

#include "sim/linux/stream_meter.h"

namespace nicroscope::uml {
namespace {

constexpr std::uint16_t kPort = 5201;

/// An Ethernet frame with IPv4 and TCP, whose headers have options of 4 and 12 bytes.
std::vector<std::byte> segment(std::uint16_t port, unsigned payload) {
  const unsigned length = 24 + 32 + payload;
  std::vector<std::byte> frame(14 + length);
  const auto put = [&frame](std::size_t at, unsigned value) {
    frame[at] = static_cast<std::byte>(value);
  };
  put(12, 0x08);
  put(14, 0x46);
  put(16, length >> 8);
  put(17, length & 0xff);
  put(23, 6);
  put(40, port >> 8);
  put(41, port & 0xffU);
  put(50, 0x80);
  return frame;
}

void pass(StreamMeter& meter, const std::vector<std::byte>& frame, std::int64_t ns,
          sim::WireDirection direction = sim::WireDirection::to_nic) {
  const Time last = std::chrono::nanoseconds{ns};
  meter.on_frame({direction, kNoFrame, frame, last, last, true});
}

TEST(StreamMeterTest, RateIsThatOfTheSecondHalf) {
  StreamMeter meter(4000, kPort);
  pass(meter, segment(kPort, 1000), 1000);
  pass(meter, segment(kPort, 1000), 9000);  // half
  pass(meter, segment(kPort, 1000), 9500);
  pass(meter, segment(kPort, 1000), 10000);
  EXPECT_DOUBLE_EQ(meter.gbps(), 16);  // 2000 bytes in 1000 ns
  pass(meter, segment(kPort, 10), 50000);
  EXPECT_DOUBLE_EQ(meter.gbps(), 16);
  EXPECT_EQ(meter.bytes(), 4010U);
}

TEST(StreamMeterTest, CountsPayloadToThePortAlone) {
  StreamMeter meter(4000, kPort);
  pass(meter, segment(kPort, 0), 1);
  pass(meter, segment(kPort + 1, 100), 2);
  pass(meter, segment(kPort, 100), 3, sim::WireDirection::from_nic);
  auto other = segment(kPort, 100);
  other[23] = std::byte{17};
  pass(meter, other, 4);
  other = segment(kPort, 100);
  other[12] = std::byte{0x86};
  pass(meter, other, 5);
  other = segment(kPort, 100);
  other.resize(45);
  pass(meter, other, 6);
  EXPECT_EQ(meter.bytes(), 0U);
  // What pads a short frame is no payload.
  other = segment(kPort, 1);
  other.resize(other.size() + 9);
  pass(meter, other, 7);
  EXPECT_EQ(meter.bytes(), 1U);
  EXPECT_EQ(meter.gbps(), 0);
}

TEST(LinuxBenchTest, Bounds) {
  const Profile profile = *find_profile("edge10");
  EXPECT_DOUBLE_EQ(tcp_link_bound(profile, 1500), 10.0 * 1448 / 1538);
  EXPECT_DOUBLE_EQ(tcp_link_bound(profile, 9000), 10.0 * 8948 / 9038);
  sim::BusOptions bus;
  bus.register_write = std::chrono::nanoseconds{300};
  bus.read_latency = std::chrono::nanoseconds{500};
  bus.write_latency = std::chrono::nanoseconds{250};
  const Duration delay = std::chrono::microseconds{1};
  // Doorbell 300, two reads 1000, wire 2 x 88 and 1000 of the switch, two writes 500, read and
  // message 750: nanoseconds each way. 98 bytes, FCS and preamble take 88 ns.
  EXPECT_NEAR(round_trip_bound(profile, bus, delay, {98, 2, 0}), 2 * 3.726, 1e-9);
  // One read more, two readings of the clock; and no frame is shorter than 60 bytes.
  EXPECT_NEAR(round_trip_bound(profile, bus, delay, {60, 3, 2}),
              round_trip_bound(profile, bus, delay, {10, 2, 0}) + 2 * (0.5 + 2 * 0.256), 1e-9);
}

}  // namespace
}  // namespace nicroscope::uml
