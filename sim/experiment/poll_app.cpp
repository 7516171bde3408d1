// SPDX-License-Identifier: Apache-2.0
#include "sim/experiment/poll_app.h"

#include "sim/wire/stamp.h"
#include "stack/ipv4/ip_header.h"

namespace nicroscope::sim {

PollApp::PollApp(Machine& machine, const std::array<std::uint8_t, 6>* next_hop)
    : machine_(machine), next_hop_(next_hop) {}

void PollApp::start(unsigned cpu) {
  kernel::TaskOptions options;
  options.cpu = cpu;
  machine_.host().spawn(
      "poll", [this] { poll(); }, options);
}

void PollApp::poll() {
  driver::PollPort port(machine_.driver(), 0);
  std::array<driver::mbuf, kBurst> burst;
  while (!stopped_) {
    const std::span<driver::mbuf> frames(burst.data(), port.rx_burst(burst));
    if (frames.empty()) continue;
    if (next_hop_ == nullptr) {
      consume(frames);
    } else {
      forward(port, frames);
    }
    for (driver::mbuf& frame : frames) frame = {};
  }
  ended_ = true;
}

void PollApp::consume(std::span<driver::mbuf> frames) {
  kernel::Kernel& host = machine_.host();
  for (const driver::mbuf& frame : frames) {
    host.spend(kernel::cost::eth_type_trans);  // the first touch of its bytes
    const auto stamp = Stamp::of_frame({frame.data(), frame.length});
    if (!stamp) continue;
    ++received_;
    if (stamp->due < from_ || stamp->due >= to_) continue;
    latency_.add(static_cast<std::uint64_t>((host.now() - stamp->due).count() / 1000));
  }
}

void PollApp::forward(driver::PollPort& port, std::span<driver::mbuf> frames) {
  kernel::Kernel& host = machine_.host();
  const auto& own = machine_.netdev().dev_addr().bytes;
  for (const driver::mbuf& frame : frames) {
    host.spend(kernel::cost::eth_type_trans);
    host.spend(kernel::cost::ip_forward);
    for (std::size_t i = 0; i < own.size(); ++i) {
      frame.data()[i] = std::byte{(*next_hop_)[i]};
      frame.data()[own.size() + i] = std::byte{own[i]};
    }
    if (!Stamp::of_frame({frame.data(), frame.length})) continue;
    auto iph = net::Ipv4View::at(frame.data() + Stamp::kIp);
    iph.set_ttl(static_cast<std::uint8_t>(iph.ttl() - 1));
    iph.update_check();
  }
  no_room_ += frames.size() - port.tx_burst(frames);
}

}  // namespace nicroscope::sim
