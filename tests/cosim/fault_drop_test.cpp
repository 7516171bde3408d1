// SPDX-License-Identifier: Apache-2.0
// Received frames that are lost though nobody is at fault: each is in exactly one counter.
#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "tests/cosim/fault_host.h"
#include "tests/golden/frame_builder.h"

namespace nicroscope::test {
namespace {

using std::chrono::microseconds;

void expect_dropped(FaultHost& host, unsigned counter, std::uint64_t count) {
  EXPECT_EQ(host.counter(counter), count) << regs::kCounters[counter].name;
}

TEST(ReceiveDrops, OfEveryKindAreCounted) {
  for (const char* profile : {"edge10", "dc25"}) {
    SCOPED_TRACE(profile);
    FaultHost host(profile);
    const auto to_nic = [&](unsigned frames, std::size_t bytes) {
      for (unsigned n = 0; n < frames; ++n) host.to_nic(host.plain_frame(bytes));
      const auto passed = host.passed();
      EXPECT_TRUE(host.run_until([&] { return host.passed() == passed + frames; }));
      host.run_for(microseconds{20});
    };

    to_nic(7, 100);  // before there is a driver
    expect_dropped(host, regs::kCounterRxDropDisabled, 7);

    // A frame has to fit into one buffer.
    host.start(host.offered() & ~feature(regs::kFeatureMrgRxbuf));
    to_nic(5, FaultHost::kBufferBytes + 1);
    expect_dropped(host, regs::kCounterRxDropNoFit, 5);
    host.expect_service(20);
    host.reset();

    // The store fills, as there are no buffers, and is emptied by a reset.
    host.start(host.offered(), 0);
    const auto delivered = host.counter(regs::kCounterRxDelivered);
    const std::size_t frames = host.simulation().profile().rx_store_bytes / 1000;
    to_nic(static_cast<unsigned>(frames), 1400);
    const auto lost = host.counter(regs::kCounterRxDropFifo);
    EXPECT_GT(lost, 5U);
    EXPECT_LT(lost, frames);
    expect_dropped(host, regs::kCounterRxDelivered, delivered);
    host.reset();
    expect_dropped(host, regs::kCounterRxDropReset, frames - lost);

    // Out of promiscuous mode another station's frames are kept out.
    host.start();
    EXPECT_EQ(
        host.command(std::array<std::uint8_t, 3>{regs::kCtrlClassRx, regs::kCtrlRxPromisc, 0}),
        regs::kCtrlAckOk);
    auto frame = host.plain_frame(100);
    frame[5] = std::byte{7};
    for (unsigned n = 0; n < 6; ++n) host.to_nic(frame);
    host.run_for(microseconds{50});
    expect_dropped(host, regs::kCounterRxDropFilter, 6);
    host.expect_service();
    host.expect_conservation();
  }
}

TEST(ReceiveDrops, OfAQueueWithoutBuffersLeaveTheOthersAlone) {
  FaultHost host("dc25");
  host.start(host.offered(), 2);
  host.steer(0, 1);
  golden::Recipe recipe;
  recipe.payload_bytes = 500;
  unsigned lost = 0;
  for (unsigned n = 0; n < 300; ++n) {
    recipe.payload_seed = n;
    host.receive_frame(golden::build(recipe));  // to the first pair
    host.to_nic(host.plain_frame(1000));        // to the second one
    ++lost;
    if (n % 10 == 0) host.run_for(microseconds{15});
  }
  EXPECT_TRUE(host.run_until([&] { return host.passed() == 600; }));
  host.run_for(microseconds{50});
  EXPECT_EQ(host.received(), 300U);
  expect_dropped(host, regs::kCounterRxDropFifo, 0);
  const auto dropped = host.counter(regs::kCounterRxDropNoBuffer);
  EXPECT_GT(dropped, 100U);
  host.reset();
  expect_dropped(host, regs::kCounterRxDropReset, lost - dropped);
  host.start();
  host.expect_service();
  host.expect_conservation();
}

}  // namespace
}  // namespace nicroscope::test
