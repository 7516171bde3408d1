// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstring>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "sim/base/random.h"
#include "sim/machine/machine.h"
#include "sim/machine/receive_drops.h"
#include "sim/wire/wire_port.h"
#include "stack/core/packet_tap.h"

namespace nicroscope::test {

/// A frame for the host's interface, of an EtherType that no protocol takes: only taps see it.
inline std::vector<std::byte> plain_frame(std::size_t bytes, std::uint64_t seed) {
  sim::Random random(seed);
  std::vector<std::byte> frame(bytes);
  for (std::byte& byte : frame) byte = static_cast<std::byte>(random.next());
  const unsigned char header[14] = {0x52, 0x54, 0, 0x12, 0x34, 0x56, 2, 0, 0, 0, 0, 9, 0x88, 0xb5};
  std::memcpy(frame.data(), header, sizeof(header));
  return frame;
}

/// The whole machine with the checked model, and frames of random sizes both ways. Each
/// that comes out at either end is held against what went in there: its place in the sequence is in
/// its bytes.
class MachineRig {
 public:
  explicit MachineRig(const sim::Scenario& scenario)
      : machine_(sim::Machine::create(options_for(scenario))),
        source_(simulation().wire()),
        tap_(machine_->stack().net, nullptr,
             [this](std::span<const std::byte> frame, const net::sk_buff& skb) {
               if (skb.pkt_type != net::pkt_type_t::outgoing) to_host_.check(frame);
             }) {
    simulation().wire().add_sink(sink_);
  }
  MachineRig(const MachineRig&) = delete;
  MachineRig& operator=(const MachineRig&) = delete;

  [[nodiscard]] sim::Machine& machine() noexcept { return *machine_; }
  [[nodiscard]] sim::Simulation& simulation() noexcept { return machine_->simulation(); }
  [[nodiscard]] std::uint64_t delivered() const noexcept { return to_host_.seen; }
  [[nodiscard]] std::uint64_t on_wire() const noexcept { return to_wire_.seen; }
  [[nodiscard]] std::uint64_t passed() const noexcept { return sink_.to_nic; }
  [[nodiscard]] std::uint64_t submitted() const noexcept { return submitted_; }

  [[nodiscard]] std::string run_for(Duration time) {
    return machine_->run_until(simulation().timeline().now() + time);
  }
  [[nodiscard]] std::string in_process(const std::string& name, std::function<void()> function) {
    return machine_->run_process(name, std::move(function));
  }

  /// From now on: `count` frames to the NIC.
  void receive(std::uint64_t count, Duration gap) {
    source_.left = count;
    source_.gap = gap;
    source_.earliest = simulation().timeline().now();
    simulation().wire().wake();
  }
  /// A process sends `count` frames, in bursts, on the average `gap` apart.
  void send(std::uint64_t count, Duration gap) {
    stop_sending_ = false;
    machine_->host().spawn("sender", [this, count, gap] {
      for (std::uint64_t n = 0; n < count && !stop_sending_; ++n) {
        send_one();
        if (n % kBurst == kBurst - 1) machine_->host().usleep(gap * kBurst);
      }
    });
  }
  void stop() {
    source_.left = 0;
    stop_sending_ = true;
  }

  /// With nothing under way: every frame that reached the NIC was delivered, or is in one of its
  /// counters or the host's; every frame of the host is on the wire or was dropped by it, and no
  /// other is. `unseen`: frames of which the device failed to tell the driver.
  void expect_conservation(std::uint64_t unseen = 0) {
    const auto statistics = machine_->statistics();
    std::uint64_t drops = 0;
    for (const regs::CounterInfo& counter : regs::kCounters) {
      if (counter.drop && counter.name.starts_with("rx_")) {
        drops += statistics.at(std::string(counter.name));
      }
    }
    const net::net_device_stats& device = machine_->netdev().stats;
    EXPECT_EQ(passed(), drops + statistics.at("rx_delivered"));
    EXPECT_EQ(statistics.at("rx_delivered"), device.rx_packets + device.rx_dropped + unseen);
    // The stack drops what comes up from an interface that goes down.
    const auto& skbs = machine_->stack().net.skbs();
    EXPECT_LE(delivered(), device.rx_packets);
    EXPECT_GE(delivered() + skbs.dropped(net::skb_drop_reason::DEV_DOWN), device.rx_packets);
    const std::uint64_t lost = skbs.dropped() - skbs.dropped(net::skb_drop_reason::UNHANDLED_PROTO);
    EXPECT_LE(on_wire(), submitted());
    EXPECT_GE(on_wire() + lost, submitted());
    EXPECT_EQ(on_wire() + to_wire_.others, statistics.at("tx_frames"));
    EXPECT_EQ(skbs.dropped(net::skb_drop_reason::NOT_SPECIFIED), 0U);
  }

  /// Takes the interface down and finds that everything was given back: what is still held is what
  /// a machine holds whose interface never carried a frame.
  void expect_nothing_held(std::size_t objects) {
    EXPECT_EQ(in_process("ifdown", [this] { net::dev_close(machine_->netdev()); }), "");
    kernel::Kernel& host = machine_->host();
    EXPECT_EQ(machine_->stack().net.skbs().live(), 0U);
    EXPECT_EQ(host.dma().mappings(), 0U);
    EXPECT_EQ(host.dma().errors(), std::vector<std::string>{});
    EXPECT_EQ(host.lockdep().errors(), std::vector<std::string>{});
    EXPECT_EQ(host.memory().outstanding(), objects);
  }

  /// What expect_nothing_held wants to see.
  [[nodiscard]] static std::size_t objects_when_down(sim::Scenario scenario) {
    scenario.fault = {};
    MachineRig rig(scenario);
    EXPECT_EQ(rig.machine().boot(), "");
    EXPECT_EQ(rig.in_process("ifdown", [&] { net::dev_close(rig.machine().netdev()); }), "");
    return rig.machine().host().memory().outstanding();
  }

 private:
  static constexpr unsigned kBurst = 4;
  static constexpr std::size_t kSequenceAt = 14;
  static constexpr std::size_t kSmallest = 60;
  static constexpr std::size_t kSizes = 1455;  // to 1,514 bytes

  static sim::MachineOptions options_for(const sim::Scenario& scenario) {
    sim::MachineOptions options;
    options.scenario = scenario;
    options.scenario.host.mac = "52:54:00:12:34:56";  // plain_frame's
    options.assertions = true;
    return options;
  }

  static std::vector<std::byte> numbered(std::uint64_t stream, std::uint64_t number) {
    const std::uint64_t seed = stream << 32U | number;
    auto frame = plain_frame(kSmallest + sim::mix64(seed) % kSizes, seed);
    std::memcpy(frame.data() + kSequenceAt, &number, sizeof(number));
    return frame;
  }

  // One end of a stream of numbered frames: in order, with holes only, each as it was made.
  struct End {
    std::uint64_t stream;
    std::uint64_t seen = 0;
    std::uint64_t others = 0;
    std::uint64_t next = 0;
    void check(std::span<const std::byte> frame) {
      std::uint64_t number = 0;
      ASSERT_GE(frame.size(), kSmallest);
      if (frame[12] != std::byte{0x88} || frame[13] != std::byte{0xb5}) {  // the host's own
        ++others;
        return;
      }
      std::memcpy(&number, frame.data() + kSequenceAt, sizeof(number));
      EXPECT_GE(number, next) << "out of order or twice";
      const auto made = numbered(stream, number);
      EXPECT_TRUE(std::equal(frame.begin(), frame.end(), made.begin(), made.end()))
          << "frame " << number << " of stream " << stream;
      next = number + 1;
      ++seen;
    }
  };

  struct Source final : sim::FrameSource {
    explicit Source(sim::WirePort& wire) { wire.set_source(this); }
    [[nodiscard]] const sim::WireFrame* peek() override {
      if (left == 0 && !loaded) return nullptr;
      if (!loaded) {
        bytes = numbered(1, number++);
        frame = {bytes, earliest};
        loaded = true;
        --left;
      }
      return &frame;
    }
    void pop() override {
      loaded = false;
      earliest += gap;
    }
    std::uint64_t left = 0;
    std::uint64_t number = 0;
    Duration gap{0};
    Time earliest{0};
    bool loaded = false;
    std::vector<std::byte> bytes;
    sim::WireFrame frame;
  };

  struct Sink final : sim::FrameSink {
    explicit Sink(End& end) : to_wire(end) {}
    void on_frame(const sim::PassedFrame& frame) override {
      if (frame.direction == sim::WireDirection::to_nic) {
        ++to_nic;
      } else {
        EXPECT_TRUE(frame.good);
        to_wire.check(frame.bytes);
      }
    }
    End& to_wire;
    std::uint64_t to_nic = 0;
  };

  void send_one() {
    const auto frame = numbered(2, submitted_++);
    net::net_device& dev = machine_->netdev();
    net::skb_ptr skb = net::netdev_alloc_skb(dev, static_cast<std::uint32_t>(frame.size()));
    ASSERT_NE(skb, nullptr);
    std::memcpy(net::skb_put(*skb, static_cast<std::uint32_t>(frame.size())), frame.data(),
                frame.size());
    skb->frame = machine_->stack().net.next_frame();
    net::dev_queue_xmit(std::move(skb));
  }

  End to_host_{1};
  End to_wire_{2};
  Sink sink_{to_wire_};
  std::unique_ptr<sim::Machine> machine_;
  Source source_;
  net::PacketTap tap_;
  std::uint64_t submitted_ = 0;
  bool stop_sending_ = false;
};

}  // namespace nicroscope::test
