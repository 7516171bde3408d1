// SPDX-License-Identifier: Apache-2.0
// The vhost-user back-end with the RTL behind it, and a client that is in the test.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>

#include <algorithm>
#include <numeric>

#include "tests/cosim/vhost_user_rig.h"

namespace nicroscope::test {
namespace {

using sim::vhost_user::Backend;
using sim::vhost_user::BackendHooks;
using sim::vhost_user::Request;
using sim::vhost_user::VringState;

TEST_F(VhostUser, OffersWhatTheDeviceOffersButItsAddressTranslation) {
  make("edge10");
  VhostClient client(*backend_);
  const auto offered = client.get<std::uint64_t>(Request::get_features);
  ASSERT_TRUE(offered);
  std::uint64_t device = 0;
  for (const std::uint32_t half : {0U, 1U}) {
    simulation_->port().bar_write(regs::kCommonDeviceFeatureSelect, 4, half);
    const std::uint64_t word = sim::read_register(*simulation_, regs::kCommonDeviceFeature, 4);
    device |= word << (32 * half);
  }
  EXPECT_EQ(*offered, (device & ~bit(regs::kFeatureAccessPlatform)) |
                          bit(sim::vhost_user::kFeatureProtocolFeatures));
  EXPECT_EQ(client.get<std::uint64_t>(Request::get_queue_num), 1U);
}

TEST_F(VhostUser, CarriesAFrameEachWayAndCalls) {
  make("edge10");
  VhostClient client(*backend_);
  ASSERT_TRUE(client.negotiate(kFeatures)) << backend_->reason();
  ASSERT_TRUE(client.start_ring(0, 64)) << backend_->reason();
  ASSERT_TRUE(client.start_ring(1, 64)) << backend_->reason();
  for (unsigned i = 0; i < 150; ++i) {  // more than two laps of the rings
    ASSERT_NO_FATAL_FAILURE(exchange(client, 0, i)) << i;
    EXPECT_EQ(client.calls(0), 1U);
    EXPECT_EQ(client.calls(1), 1U);
  }
}

TEST_F(VhostUser, DoesTheSameByMessagesAlone) {
  int calls = 0;
  VhostClient* answering = nullptr;
  BackendHooks hooks;
  hooks.wait = [&](int) {  // the client's part: answers the call that lies in its channel
    std::array<std::uint32_t, 5> call{};
    if (::recv(answering->channel(), call.data(), sizeof call, MSG_DONTWAIT) != sizeof call) {
      return false;
    }
    EXPECT_EQ(call[0], 4U);
    EXPECT_EQ(call[1], 9U);
    EXPECT_EQ(call[2], 8U);
    ++calls;
    const std::array<std::uint32_t, 5> answer{4, 5, 8, 0, 0};
    return ::send(answering->channel(), answer.data(), sizeof answer, 0) == sizeof answer;
  };
  make("edge10", hooks);
  VhostClient client(*backend_);
  answering = &client;
  ASSERT_TRUE(client.negotiate(kFeatures, true)) << backend_->reason();
  for (unsigned round = 0; round < 2; ++round) {  // bound, unbound and bound again
    ASSERT_TRUE(client.start_ring(0, 256, true)) << backend_->reason();
    ASSERT_TRUE(client.start_ring(1, 256, true)) << backend_->reason();
    for (unsigned i = 0; i < 10; ++i) {
      ASSERT_NO_FATAL_FAILURE(exchange(client, 0, i, true)) << backend_->reason();
    }
    EXPECT_EQ(calls, 20 * static_cast<int>(round + 1));
    ASSERT_TRUE(client.enable_ring(1, false));
    ASSERT_TRUE(client.enable_ring(0, false));
    EXPECT_EQ(backend_->running_rings(), 0U);
  }
}

TEST_F(VhostUser, SpreadsOverThePairsThatAreEnabled) {
  make("dc25");
  VhostClient client(*backend_);
  ASSERT_TRUE(client.negotiate(kFeatures | bit(regs::kFeatureMq))) << backend_->reason();
  EXPECT_EQ(client.get<std::uint64_t>(Request::get_queue_num), 4U);
  for (unsigned queue = 0; queue < 8; ++queue) {
    ASSERT_TRUE(client.start_ring(queue, 64)) << backend_->reason();
  }
  for (unsigned queue = 0; queue < 8; queue += 2) {
    for (unsigned i = 0; i < 64; ++i) {
      client.add(queue, kBuffers + (queue * 32 + i) * 2048, 2048, true);
    }
    client.kick(queue);
  }
  run();
  const auto receive = [&] {
    std::array<unsigned, 4> frames{};
    for (unsigned flow = 0; flow < 32; ++flow) {  // UDP over IPv4, one source port a flow
      std::vector<std::byte> frame(64);
      const std::array<std::uint8_t, 40> head{
          2,    0,    0,    0, 0, 1,  2,  0, 0, 0, 0,    2,
          8,    0,    0x45, 0, 0, 50, 0,  0, 0, 0, 64,   17,
          0xa6, 0xc7, 10,   0, 0, 1,  10, 0, 0, 2, 0x20, static_cast<std::uint8_t>(flow),
          0,    7,    0,    30};
      std::ranges::copy(std::as_bytes(std::span(head)), frame.begin());
      wire_->push(frame);
    }
    run(std::chrono::microseconds{100});
    for (unsigned pair = 0; pair < 4; ++pair) {
      while (client.used(2 * pair)) ++frames[pair];
    }
    return frames;
  };
  const auto all = receive();
  EXPECT_EQ(std::accumulate(all.begin(), all.end(), 0U), 32U);
  EXPECT_EQ(std::ranges::count(all, 0U), 0);
  for (unsigned queue = 2; queue < 8; ++queue) ASSERT_TRUE(client.enable_ring(queue, false));
  const auto one = receive();
  EXPECT_EQ(one[0], 32U);
  EXPECT_EQ(one[1] + one[2] + one[3], 0U);
}

TEST_F(VhostUser, ReadsTheDeviceConfiguration) {
  make("dc25");
  VhostClient client(*backend_);
  ASSERT_TRUE(client.negotiate(kFeatures)) << backend_->reason();
  struct Config {
    sim::vhost_user::ConfigHeader header;
    std::array<std::uint8_t, 40> data;
  };
  const auto config = client.get<Config>(Request::get_config, Config{{0, 40, 0}, {}});
  ASSERT_TRUE(config) << backend_->reason();
  for (unsigned i = 0; i < 24; ++i) {
    EXPECT_EQ(config->data[i], sim::read_register(*simulation_, regs::kBarDeviceConfig + i, 1))
        << i;
  }
  EXPECT_EQ(config->data[8], 4);   // pairs
  EXPECT_EQ(config->data[24], 0);  // behind the end
}

TEST_F(VhostUser, StopsAndStartsRings) {
  make("edge10");
  VhostClient client(*backend_);
  ASSERT_TRUE(client.negotiate(kFeatures)) << backend_->reason();
  for (unsigned round = 0; round < 3; ++round) {
    ASSERT_TRUE(client.start_ring(0, 16U << round)) << backend_->reason();
    ASSERT_TRUE(client.start_ring(1, 16U << round)) << backend_->reason();
    ASSERT_NO_FATAL_FAILURE(exchange(client, 0, round));
    // One ring alone, while the other one goes on.
    ASSERT_TRUE(client.get<VringState>(Request::get_vring_base, VringState{0, 0}));
    EXPECT_EQ(backend_->running_rings(), 1U);
    ASSERT_TRUE(client.start_ring(0, 32)) << backend_->reason();
    ASSERT_NO_FATAL_FAILURE(exchange(client, 0, round));
    for (const unsigned queue : {0U, 1U}) {
      const auto base = client.get<VringState>(Request::get_vring_base, VringState{queue, 0});
      ASSERT_TRUE(base);
      EXPECT_EQ(base->index, queue);
    }
    EXPECT_EQ(backend_->running_rings(), 0U);
  }
  ASSERT_TRUE(client.set(Request::set_features, kFeatures & ~bit(regs::kFeatureMrgRxbuf)));
}

TEST_F(VhostUser, TheNextClientFindsTheDeviceAsNew) {
  make("edge10");
  for (unsigned round = 0; round < 4; ++round) {
    VhostClient client(*backend_);
    ASSERT_TRUE(client.negotiate(kFeatures)) << backend_->reason();
    ASSERT_TRUE(client.start_ring(0, 64)) << backend_->reason();
    ASSERT_TRUE(client.start_ring(1, 64)) << backend_->reason();
    ASSERT_NO_FATAL_FAILURE(exchange(client, 0, round));
    for (unsigned i = 0; i < 8; ++i) client.add(0, kBuffers, 2048, true);
    client.kick(0);
    if (round % 2 == 0) {
      for (unsigned i = 0; i < 8; ++i) wire_->push(make_frame(1000, i));
      client.close();  // with buffers at the device and frames on the wire
      EXPECT_FALSE(backend_->handle_available());
      EXPECT_EQ(backend_->reason(), "the client has closed it");
      ASSERT_TRUE(
          simulation_->run_until(simulation_->timeline().now() + std::chrono::microseconds{100})
              .ok());
    }
  }
  EXPECT_TRUE(simulation_->bus().faults().empty());
}

TEST_F(VhostUser, MemoryThatTheClientTakesAwayEndsTheConnection) {
  make("edge10");
  VhostClient client(*backend_);
  ASSERT_TRUE(client.negotiate(kFeatures)) << backend_->reason();
  ASSERT_TRUE(client.start_ring(0, 64)) << backend_->reason();
  client.add(0, kBuffers, 2048, true);
  client.kick(0);
  ASSERT_EQ(::ftruncate(client.memory_file(), 4096), 0);
  wire_->push(make_frame(500, 1));
  ASSERT_TRUE(
      simulation_->run_until(simulation_->timeline().now() + std::chrono::microseconds{100}).ok());
  EXPECT_FALSE(backend_->check());
  EXPECT_EQ(backend_->reason(), "the client has made its memory's file shorter");
}

TEST_F(VhostUser, ABufferOutsideItsMemoryEndsTheConnection) {
  make("edge10");
  VhostClient client(*backend_);
  ASSERT_TRUE(client.negotiate(kFeatures)) << backend_->reason();
  ASSERT_TRUE(client.start_ring(1, 64)) << backend_->reason();
  client.add(1, VhostClient::kBytes - 64, 100, false);
  client.kick(1);
  ASSERT_TRUE(
      simulation_->run_until(simulation_->timeline().now() + std::chrono::microseconds{100}).ok());
  EXPECT_FALSE(backend_->check());
  EXPECT_THAT(backend_->reason(),
              testing::HasSubstr("the device needs a reset: error 1 in virtqueue 1"));
  EXPECT_EQ(simulation_->bus().faults().size(), 1U);
}

}  // namespace
}  // namespace nicroscope::test
