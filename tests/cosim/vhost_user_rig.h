// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "sim/host_port/vhost_user/backend.h"
#include "sim/wire/frame_queue.h"
#include "tests/support/vhost_client.h"

namespace nicroscope::test {

inline constexpr std::uint64_t bit(unsigned feature) { return std::uint64_t{1} << feature; }
inline constexpr std::uint64_t kFeatures =
    bit(regs::kFeatureVersion1) | bit(regs::kFeatureRingPacked) | bit(regs::kFeatureMrgRxbuf);
inline constexpr std::size_t kBuffers = 0x200000;  // in the client's memory, behind its rings
inline constexpr std::size_t kHeader = regs::kNetHdrBytes;

inline std::vector<std::byte> make_frame(std::size_t bytes, unsigned seed) {
  std::vector<std::byte> frame(bytes);
  for (std::size_t i = 0; i < bytes; ++i) frame[i] = static_cast<std::byte>(i * 7 + seed);
  frame[0] = std::byte{2};      // unicast
  frame[12] = std::byte{0x88};  // EtherType 0x88b5, for experiments
  frame[13] = std::byte{0xb5};
  return frame;
}

/// The vhost-user back-end with the RTL behind it, its assertions on; the clients are the test's.
class VhostUser : public testing::Test, private sim::FrameSink {
 protected:
  void make(const std::string& profile, sim::vhost_user::BackendHooks hooks = {}) {
    sim::SimulationOptions options;
    options.profile = profile;
    options.variant = sim::Variant::checked;
    auto made = sim::Simulation::create(sim::vhost_user::simulation_options(options));
    ASSERT_TRUE(made) << made.error();
    simulation_ = std::move(*made);
    wire_ = std::make_unique<sim::FrameQueue>(simulation_->wire());
    simulation_->wire().add_sink(*this);
    backend_ = std::make_unique<sim::vhost_user::Backend>(*simulation_, std::move(hooks));
  }
  void TearDown() override {
    if (simulation_) simulation_->wire().remove_sink(*this);
    backend_.reset();
  }

  void run(Duration time = std::chrono::microseconds{50}) {
    const Time limit = simulation_->timeline().now() + time;
    while (simulation_->timeline().now() < limit) {
      const auto result = simulation_->run_until(limit);
      ASSERT_TRUE(result.ok()) << result.message;
      if (result.reason == sim::RunResult::Reason::limit) break;
      ASSERT_TRUE(backend_->send_calls()) << backend_->reason();
    }
    EXPECT_TRUE(backend_->check()) << backend_->reason();
    EXPECT_TRUE(simulation_->bus().faults().empty());
  }

  // One frame into a receive queue's only buffer, one out of a transmit queue.
  void exchange(VhostClient& client, unsigned pair, unsigned seed, bool inband = false) {
    const auto in = make_frame(100 + seed, seed);
    client.add(2 * pair, kBuffers, 2048, true);
    inband ? static_cast<void>(client.kick_inband(2 * pair)) : client.kick(2 * pair);
    run();
    wire_->push(in);
    run();
    const auto received = client.used(2 * pair);
    ASSERT_TRUE(received);
    ASSERT_EQ(received->length, kHeader + in.size());
    EXPECT_TRUE(std::ranges::equal(client.memory().subspan(kBuffers + kHeader, in.size()), in));

    sent_.clear();
    const auto out = make_frame(200 + seed, seed + 1);
    const auto place = client.memory().subspan(kBuffers + 0x1000, kHeader + out.size());
    std::ranges::fill(place.first(kHeader), std::byte{0});
    std::ranges::copy(out, place.begin() + kHeader);
    client.add(2 * pair + 1, kBuffers + 0x1000, static_cast<std::uint32_t>(place.size()), false);
    inband ? static_cast<void>(client.kick_inband(2 * pair + 1)) : client.kick(2 * pair + 1);
    run();
    EXPECT_TRUE(client.used(2 * pair + 1));
    ASSERT_EQ(sent_.size(), 1U);
    EXPECT_EQ(sent_[0], out);
  }

  std::unique_ptr<sim::Simulation> simulation_;
  std::unique_ptr<sim::FrameQueue> wire_;
  std::unique_ptr<sim::vhost_user::Backend> backend_;
  std::vector<std::vector<std::byte>> sent_;

 private:
  void on_frame(const sim::PassedFrame& frame) override {
    if (frame.direction != sim::WireDirection::from_nic) return;
    EXPECT_TRUE(frame.good);
    sent_.emplace_back(frame.bytes.begin(), frame.bytes.end());
  }
};

}  // namespace nicroscope::test
