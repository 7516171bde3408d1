// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "driver/virtio_net.h"
#include "nicroscope/registers.h"
#include "sim/simulation.h"
#include "sim/wire/frame_queue.h"
#include "stack/core/net.h"
#include "tests/golden/bytes.h"

namespace nicroscope::test {

/// The RTL between a wire and a host that has nothing but the driver and a packet tap.
class NicRig {
 public:
  explicit NicRig(const std::string& profile, driver::Options options = {}, unsigned cpus = 1,
                  bool adversary = true)
      : simulation_(create(profile, adversary)),
        kernel_(simulation_->timeline(), simulation_->memory(), simulation_->trace(), config(cpus)),
        net_(kernel_),
        driver_(net_, simulation_->port(), limited(std::move(options)),
                [this](const driver::DeviceError& error) { errors.push_back(error.text); }),
        queue_(simulation_->wire()),
        sink_(*this),
        tap_(*this) {
    simulation_->wire().add_sink(sink_);
    net_.dev_add_pack(tap_);
    std::string problem;
    in_process([&] {
      problem = driver_.probe();
      // The address that the golden models' frames are for.
      const net::mac_address mac{{0x52, 0x54, 0x00, 0x12, 0x34, 0x56}};
      if (problem.empty() && !net::dev_set_mac_address(dev(), mac)) problem = "no address";
      if (problem.empty() && !net::dev_open(driver_.netdev())) problem = "not up";
    });
    EXPECT_EQ(problem, "");
  }
  ~NicRig() {
    kernel_.shutdown();
    simulation_->wire().set_source(nullptr);
  }
  NicRig(const NicRig&) = delete;
  NicRig& operator=(const NicRig&) = delete;

  /// A received packet.
  struct Seen {
    golden::Bytes bytes;
    net::ip_summed_t ip_summed;
    std::uint16_t gso_size;
    std::uint32_t hash;
    std::uint16_t queue;
    FrameId frame;
  };

  [[nodiscard]] kernel::Kernel& host() noexcept { return kernel_; }
  [[nodiscard]] net::Net& net() noexcept { return net_; }
  [[nodiscard]] driver::VirtioNet& driver() noexcept { return driver_; }
  [[nodiscard]] net::net_device& dev() noexcept { return driver_.netdev(); }
  [[nodiscard]] sim::Simulation& simulation() noexcept { return *simulation_; }
  [[nodiscard]] TraceBus& trace() noexcept { return simulation_->trace(); }
  [[nodiscard]] Time now() const noexcept { return simulation_->timeline().now(); }

  void run_for(Duration time) {
    const auto result = simulation_->run_until(now() + time, {});
    EXPECT_TRUE(result.ok()) << result.message;
  }
  /// Runs `function` in a process, to its end.
  void in_process(std::function<void()> function) {
    kernel::Task& task = kernel_.spawn("test", std::move(function));
    const auto result =
        simulation_->run_until(now() + std::chrono::seconds{1}, [&task] { return task.exited(); });
    EXPECT_TRUE(result.ok()) << result.message;
    EXPECT_TRUE(task.exited());
  }
  /// A frame that comes over the wire `after` from now, or behind those before it.
  void receive(const golden::Bytes& frame, Duration after = Duration{0}) {
    queue_.push(frame, now() + after);
  }
  [[nodiscard]] bool all_received() const noexcept { return queue_.size() == 0; }
  /// Whether the frame gets to the host.
  [[nodiscard]] bool arrives(const golden::Bytes& frame) {
    const std::size_t before = seen.size();
    receive(frame);
    run_for(std::chrono::microseconds{40});
    return seen.size() == before + 1;
  }
  [[nodiscard]] std::map<std::string, std::uint64_t> statistics() {
    std::map<std::string, std::uint64_t> values;
    in_process([&] {
      for (auto& [name, value] : driver_.ethtool_stats()) values[name] = value;
    });
    return values;
  }
  [[nodiscard]] std::uint64_t interrupts(unsigned first, unsigned last) {
    std::uint64_t sum = 0;
    for (unsigned vector = first; vector <= last; ++vector) sum += kernel_.irq().count(vector);
    return sum;
  }
  void expect_nothing_held_when_down() {
    in_process([&] { net::dev_close(dev()); });
    EXPECT_EQ(net_.skbs().live(), 0U);
    EXPECT_EQ(net_.skbs().dropped(net::skb_drop_reason::NOT_SPECIFIED), 0U);
    EXPECT_EQ(kernel_.dma().mappings(), 0U);
    EXPECT_EQ(kernel_.dma().errors(), std::vector<std::string>{});
    EXPECT_EQ(kernel_.memory().outstanding(), 0U);
    EXPECT_EQ(errors, std::vector<std::string>{});
  }

  std::vector<golden::Bytes> sent;        ///< on the wire
  std::vector<FrameId> sent_ids;          ///< theirs
  std::map<FrameId, golden::Bytes> came;  ///< over the wire
  std::vector<Seen> seen;
  std::vector<std::string> errors;
  std::uint64_t passed = 0;  ///< frames that came over the wire

 private:
  struct Sink final : sim::FrameSink {
    explicit Sink(NicRig& r) : rig(r) {}
    void on_frame(const sim::PassedFrame& frame) override {
      EXPECT_TRUE(frame.good);
      if (frame.direction == sim::WireDirection::to_nic) {
        ++rig.passed;
        rig.came[frame.id].assign(frame.bytes.begin(), frame.bytes.end());
      } else {
        rig.sent_ids.push_back(frame.id);
        rig.sent.emplace_back(frame.bytes.begin(), frame.bytes.end());
      }
    }
    NicRig& rig;
  };
  struct Tap final : net::packet_type {
    explicit Tap(NicRig& r) : packet_type(net::kEthPAll, nullptr), rig(r) {}
    void func(net::skb_ptr skb) override {
      if (skb->pkt_type != net::pkt_type_t::outgoing) {
        net::skb_push(*skb, net::kEthHlen);
        golden::Bytes bytes(skb->len);
        EXPECT_TRUE(net::skb_copy_bits(*skb, 0, bytes));
        rig.seen.push_back({std::move(bytes), skb->ip_summed, skb->shinfo->gso_size, skb->hash,
                            skb->queue_mapping, skb->frame});
      }
      net::consume_skb(std::move(skb));
    }
    NicRig& rig;
  };

  static std::unique_ptr<sim::Simulation> create(const std::string& profile, bool adversary) {
    sim::SimulationOptions options;
    options.profile = profile;
    options.variant = sim::Variant::checked;
    options.bus.adversary = adversary;
    options.watchdog_cycles = 2'000'000;
    auto simulation = sim::Simulation::create(options);
    EXPECT_TRUE(simulation);
    return std::move(*simulation);
  }
  static kernel::Config config(unsigned cpus) {
    kernel::Config config;
    config.cpus = cpus;
    return config;
  }
  /// Rings as in a usual machine, where the device would take 32,768 slots.
  static driver::Options limited(driver::Options options) {
    if (options.rx_ring == 0) options.rx_ring = 256;
    if (options.tx_ring == 0) options.tx_ring = 256;
    return options;
  }

  std::unique_ptr<sim::Simulation> simulation_;
  kernel::Kernel kernel_;
  net::Net net_;
  driver::VirtioNet driver_;
  sim::FrameQueue queue_;
  Sink sink_;
  Tap tap_;
};

}  // namespace nicroscope::test
