// SPDX-License-Identifier: Apache-2.0
// The golden segmenter against this machine's kernel: super-frames with their virtio_net_hdr go
// into a packet socket on one end of a veth pair that has no offloads, so that Linux cuts them and
// puts checksums in by software; what its driver gets is compared byte for byte. In a network
// namespace of its own.
#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <linux/ethtool.h>
#include <linux/if_packet.h>
#include <linux/sockios.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <optional>
#include <vector>

#include "nicroscope/registers.h"
#include "tests/golden/frame_builder.h"
#include "tests/golden/parse.h"
#include "tests/golden/segment.h"

namespace nicroscope::golden {
namespace {

constexpr std::size_t kVnetHeader = 10;  // struct virtio_net_hdr, without num_buffers
constexpr int kPatienceMs = 200;
constexpr const char* kSender = "gso0";

bool set_feature(int socket, std::uint32_t command) {
  ethtool_value value{.cmd = command, .data = 0};
  ifreq request{};
  std::strncpy(request.ifr_name, kSender, sizeof(request.ifr_name) - 1);
  request.ifr_data = reinterpret_cast<char*>(&value);  // NOLINT: as the ioctl takes it
  return ioctl(socket, SIOCETHTOOL, &request) == 0;
}

// A pair of interfaces, the first without offloads, and sockets on it.
class Veth {
 public:
  static std::optional<Veth> create() {
    if (unshare(CLONE_NEWNET) != 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) != 0) return {};
    const int made = std::system(  // NOLINT: one thread, and nothing of it is input
        "ip link add gso0 mtu 9000 type veth peer name gso1 mtu 9000 2>/dev/null"
        " && ip link set gso0 up && ip link set gso1 up");
    if (made != 0) return {};
    Veth veth;
    veth.send_ = socket(AF_PACKET, SOCK_RAW, 0);
    veth.receive_ = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
    const int on = 1;
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_protocol = htons(ETH_P_ALL);
    address.sll_ifindex = static_cast<int>(if_nametoindex(kSender));
    const auto* generic = reinterpret_cast<const sockaddr*>(&address);  // NOLINT
    const int room = 8 << 20;
    const bool ready =
        veth.send_ >= 0 && veth.receive_ >= 0 &&
        setsockopt(veth.send_, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)) == 0 &&
        setsockopt(veth.receive_, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room)) == 0 &&
        bind(veth.receive_, generic, sizeof(address)) == 0 &&
        set_feature(veth.send_, ETHTOOL_STSO) && set_feature(veth.send_, ETHTOOL_SGSO) &&
        set_feature(veth.send_, ETHTOOL_STXCSUM);
    if (!ready) return {};
    veth.address_ = address;
    return veth;
  }

  [[nodiscard]] bool send(const TransmitFrame& frame) const {
    std::vector<std::byte> bytes(kVnetHeader);
    std::memcpy(bytes.data(), &frame.header, kVnetHeader);
    bytes.insert(bytes.end(), frame.bytes.begin(), frame.bytes.end());
    const auto* generic = reinterpret_cast<const sockaddr*>(&address_);  // NOLINT
    return sendto(send_, bytes.data(), bytes.size(), 0, generic, sizeof(address_)) ==
           static_cast<ssize_t>(bytes.size());
  }

  // The next frame from `source` that the driver was given; empty if none comes.
  [[nodiscard]] Bytes receive(const Mac& source) const {
    for (;;) {
      pollfd waiting{.fd = receive_, .events = POLLIN, .revents = 0};
      if (poll(&waiting, 1, kPatienceMs) <= 0) return {};
      Bytes bytes(1 << 17);
      sockaddr_ll from{};
      socklen_t length = sizeof(from);
      const ssize_t size = recvfrom(receive_, bytes.data(), bytes.size(), 0,
                                    reinterpret_cast<sockaddr*>(&from), &length);  // NOLINT
      if (size < ETH_HLEN || from.sll_pkttype != PACKET_OUTGOING) continue;
      bytes.resize(static_cast<std::size_t>(size));
      if (parse(bytes).source == source) return bytes;
    }
  }

 private:
  int send_ = -1;
  int receive_ = -1;
  sockaddr_ll address_{};
};

// What software GSO refuses, or this test's way to it: a super-frame of one segment, an
// authentication header in front of TCP.
bool kernel_takes(const TransmitFrame& frame) {
  if (frame.header.flags == 0) return false;
  const ParsedFrame parsed = parse(frame.bytes);
  if (parsed.tags.size() > 1 || parsed.l4 == L4::none) return false;
  if (parsed.extensions && frame.header.gso_type != 0) {
    for (std::size_t at = parsed.l3_offset + 40, next = get8(frame.bytes, parsed.l3_offset + 6);
         at < parsed.l4_offset;) {
      if (next == 51) return false;
      next = get8(frame.bytes, at);
      at += (std::size_t{get8(frame.bytes, at + 1)} + 1) * 8;
    }
  }
  return frame.header.gso_type == 0 || parsed.payload_len > frame.header.gso_size;
}

TEST(KernelGso, CutsAsTheGoldenSegmenter) {
  const auto veth = Veth::create();
  if (!veth) GTEST_SKIP() << "no veth pair in a network namespace";
  sim::Random random(11);
  unsigned supers[3] = {};
  unsigned checksums = 0;
  for (unsigned round = 0; round < 1500; ++round) {
    TransmitFrame frame = random_transmit(random, {});
    if (!kernel_takes(frame)) continue;
    const auto golden = segment(frame.bytes, frame.header);
    ASSERT_TRUE(golden);
    const ParsedFrame parsed = parse(frame.bytes);
    ASSERT_TRUE(veth->send(frame)) << "round " << round << ": " << std::strerror(errno);
    const bool tcp = parsed.l4 == L4::tcp;
    const std::size_t check = tcp ? parsed.l4_offset + 16 : frame.bytes.size() + 64;
    for (std::size_t n = 0; n < golden->size(); ++n) {
      const Bytes from_kernel = veth->receive(parsed.source);
      ASSERT_TRUE(same_frame((*golden)[n], from_kernel, check))
          << "round " << round << ", segment " << n << " of " << golden->size() << ", gso_type "
          << unsigned{frame.header.gso_type} << ", bytes " << from_kernel.size();
    }
    if (frame.header.gso_type == 0) {
      ++checksums;
    } else {
      ++supers[!tcp ? 2 : parsed.l3 == L3::ipv4 ? 0 : 1];
    }
  }
  EXPECT_GT(checksums, 100U);
  for (const unsigned count : supers) EXPECT_GT(count, 30U);
}

}  // namespace
}  // namespace nicroscope::golden
