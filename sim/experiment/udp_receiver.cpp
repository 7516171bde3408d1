// SPDX-License-Identifier: Apache-2.0
#include "sim/experiment/udp_receiver.h"

#include <vector>

#include "sim/wire/stamp.h"
#include "stack/socket/syscalls.h"

namespace nicroscope::sim {

void UdpReceiver::start(unsigned cpu) {
  kernel::TaskOptions options;
  options.cpu = cpu;
  stack_.kernel.spawn(
      "receiver", [this] { receive(); }, options);
}

void UdpReceiver::receive() {
  net::SystemCalls sys(stack_);
  const auto fd = sys.socket(net::address_family::inet, net::sock_type::dgram);
  if (!fd || sys.bind(fd.value(), net::ipv4_endpoint{net::kInaddrAny, port_}) != net::kOk) return;
  if (peer_ && sys.connect(fd.value(), *peer_) != net::kOk) return;
  std::vector<std::byte> buffer(net::kUdpMaxData);
  ready_ = true;
  for (;;) {
    const auto size = sys.recvfrom(fd.value(), buffer);
    if (!size) continue;
    const auto stamp = Stamp::of_payload({buffer.data(), size.value()});
    if (!stamp) continue;
    ++received_;
    if (stamp->due < from_ || stamp->due >= to_) continue;
    latency_.add(static_cast<std::uint64_t>((stack_.kernel.now() - stamp->due).count() / 1000));
  }
}

}  // namespace nicroscope::sim
