// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "driver/virtio_net.h"
#include "stack/core/net.h"
#include "tests/support/model_device.h"
#include "tests/support/rig.h"

namespace nicroscope::test {

/// A frame of `size` bytes for the rig's interface, of an EtherType that no protocol takes, filled
/// with a pattern that `seed` decides.
inline Frame make_frame(std::size_t size, unsigned seed) {
  Frame frame(size);
  for (std::size_t i = 0; i < size; ++i)
    frame[i] = static_cast<std::byte>(i * 7 + seed * 13 + i / 256);
  const unsigned char header[14] = {0x52, 0x54, 0, 0x12, 0x34, 0x56, 2, 0, 0, 0, 0, 9, 0x88, 0xb5};
  std::memcpy(frame.data(), header, sizeof(header));
  return frame;
}

/// Keeps what the host's packet tap sees.
struct Tap : net::packet_type {
  Tap() : packet_type(net::kEthPAll, nullptr) {}
  void func(net::skb_ptr skb) override {
    net::skb_push(*skb, net::kEthHlen);
    Frame frame(skb->len);
    EXPECT_TRUE(net::skb_copy_bits(*skb, 0, frame));
    if (skb->pkt_type == net::pkt_type_t::outgoing) {
      ++outgoing;
    } else {
      frames.push_back(std::move(frame));
      ids.push_back(skb->frame);
    }
    net::consume_skb(std::move(skb));
  }
  std::vector<Frame> frames;
  std::vector<FrameId> ids;
  std::size_t outgoing = 0;
};

/// A host with the driver under test and the model of a device.
struct DriverRig : Rig {
  explicit DriverRig(driver::Options driver_options = {}, ModelOptions model_options = {},
                     kernel::Config config = {})
      : Rig(std::move(config)),
        device(
            timeline, memory,
            [this](BusAddress address, std::size_t size, bool write) {
              return memory.reachable(address, size, write);
            },
            model_options),
        net(kernel),
        driver(net, device, driver_options,
               [this](const driver::DeviceError& error) { errors.push_back(error); }) {
    net.dev_add_pack(tap);
    device.on_transmit = [this](Frame frame) { sent.push_back(std::move(frame)); };
  }
  ~DriverRig() { kernel.shutdown(); }

  /// Runs `function` in a process and everything that follows from it.
  void in_process(std::function<void()> function) {
    kernel.spawn("test", std::move(function));
    timeline.run();
  }
  [[nodiscard]] std::string probe() {
    std::string error;
    in_process([&] { error = driver.probe(); });
    return error;
  }
  [[nodiscard]] bool up() {
    const std::string error = probe();
    EXPECT_EQ(error, "");
    if (!error.empty()) return false;
    bool opened = false;
    in_process([&] { opened = net::dev_open(driver.netdev()); });
    return opened;
  }
  void down() {
    in_process([&] { net::dev_close(driver.netdev()); });
  }
  /// Everything that was taken was given back, and nobody misused the DMA API.
  void expect_nothing_held() {
    EXPECT_EQ(net.skbs().live(), 0U);
    EXPECT_EQ(kernel.dma().mappings(), 0U);
    EXPECT_EQ(memory.ranges(), 0U);
    EXPECT_EQ(kernel.memory().outstanding(), 0U);
    EXPECT_EQ(kernel.dma().errors(), std::vector<std::string>{});
    EXPECT_EQ(kernel.lockdep().errors(), std::vector<std::string>{});
  }
  /// A packet with `size` bytes, `linear` of them in its linear part and the rest in fragments of
  /// `piece` bytes.
  [[nodiscard]] net::skb_ptr packet(std::size_t size, unsigned seed, std::size_t linear,
                                    std::size_t piece) {
    const Frame frame = make_frame(size, seed);
    net::skb_ptr skb =
        net::netdev_alloc_skb(driver.netdev(), static_cast<std::uint32_t>(std::min(size, linear)));
    EXPECT_NE(skb, nullptr);
    std::size_t at = std::min(size, linear);
    std::memcpy(net::skb_put(*skb, static_cast<std::uint32_t>(at)), frame.data(), at);
    while (at < size) {
      const std::size_t n = std::min(piece, size - at);
      auto page = net::page_ref::alloc(kernel.memory(), n + at % 61 > kernel::kPageSize ? 2 : 0);
      std::memcpy(page.address() + at % 61, frame.data() + at, n);
      net::skb_add_rx_frag(*skb, page, static_cast<std::uint32_t>(at % 61),
                           static_cast<std::uint32_t>(n), static_cast<std::uint32_t>(n));
      at += n;
    }
    skb->frame = net.next_frame();
    return skb;
  }

  ModelDevice device;
  net::Net net;
  Tap tap;
  std::vector<driver::DeviceError> errors;
  driver::VirtioNet driver;
  std::vector<Frame> sent;
};

}  // namespace nicroscope::test
