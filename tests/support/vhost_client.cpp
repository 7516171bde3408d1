// SPDX-License-Identifier: Apache-2.0
#include "tests/support/vhost_client.h"

#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <system_error>

namespace nicroscope::test {
namespace {

using sim::Descriptor;
using sim::vhost_user::Header;
using sim::vhost_user::Request;

constexpr std::size_t kRingBytes = 0x8000;  // of memory for each ring

int checked(int result, const char* what) {
  if (result < 0) throw std::system_error(errno, std::generic_category(), what);
  return result;
}

std::pair<Descriptor, Descriptor> make_sockets() {
  std::array<int, 2> ends{};
  checked(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), "socketpair");
  return {Descriptor(ends[0]), Descriptor(ends[1])};
}

}  // namespace

VhostClient::VhostClient(sim::vhost_user::Backend& backend)
    : backend_(backend),
      file_(checked(::memfd_create("client", MFD_CLOEXEC), "memfd_create")),
      rings_(64) {
  auto [mine, other] = make_sockets();
  socket_ = std::move(mine);
  backend_.attach(::dup(other.get()));
  checked(::ftruncate(file_.get(), kBytes), "ftruncate");
  void* data = ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_SHARED, file_.get(), 0);
  if (data == MAP_FAILED) throw std::bad_alloc();
  memory_ = static_cast<std::byte*>(data);
}

VhostClient::~VhostClient() { ::munmap(memory_, kBytes); }

void VhostClient::send_raw(std::uint32_t request, std::uint32_t flags,
                           std::span<const std::byte> payload, std::span<const int> descriptors) {
  const Header header{request, flags, static_cast<std::uint32_t>(payload.size())};
  std::vector<std::byte> bytes(sizeof header + payload.size());
  std::memcpy(bytes.data(), &header, sizeof header);
  std::ranges::copy(payload, bytes.begin() + sizeof header);
  iovec piece{bytes.data(), bytes.size()};
  msghdr head{};
  head.msg_iov = &piece;
  head.msg_iovlen = 1;
  alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(16 * sizeof(int))> control{};
  if (!descriptors.empty()) {
    head.msg_control = control.data();
    head.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
    cmsghdr* const part = CMSG_FIRSTHDR(&head);
    part->cmsg_level = SOL_SOCKET;
    part->cmsg_type = SCM_RIGHTS;
    part->cmsg_len = CMSG_LEN(descriptors.size_bytes());
    std::memcpy(CMSG_DATA(part), descriptors.data(), descriptors.size_bytes());
  }
  static_cast<void>(::sendmsg(socket_.get(), &head, MSG_NOSIGNAL));
  static_cast<void>(backend_.handle_available());
}

std::optional<std::pair<Header, std::vector<std::byte>>> VhostClient::answer() {
  Header header{};
  if (::recv(socket_.get(), &header, sizeof header, MSG_DONTWAIT) != sizeof header) return {};
  std::vector<std::byte> payload(header.size);
  if (::recv(socket_.get(), payload.data(), payload.size(), MSG_DONTWAIT) !=
      static_cast<ssize_t>(payload.size())) {
    return {};
  }
  return std::pair{header, std::move(payload)};
}

bool VhostClient::acknowledged() {
  const auto got = answer();
  std::uint64_t status = 1;
  if (!got || got->second.size() != sizeof status) return false;
  std::memcpy(&status, got->second.data(), sizeof status);
  return status == 0;
}

bool VhostClient::share_memory() {
  struct {
    sim::vhost_user::MemoryTableHeader header{1, 0};
    sim::vhost_user::MemoryRegion region{kGuest, kBytes, kUser, 0};
  } table;
  return set(Request::set_mem_table, table, std::array{file_.get()});
}

bool VhostClient::negotiate(std::uint64_t features, bool inband) {
  using namespace sim::vhost_user;
  std::uint64_t protocol = 1U << kProtocolMq | 1U << kProtocolReplyAck | 1U << kProtocolConfig |
                           1U << kProtocolBackendReq | 1U << kProtocolResetDevice;
  if (inband) protocol |= 1U << kProtocolInbandNotifications;
  const auto offered = get<std::uint64_t>(Request::get_features);
  if (!offered || (features & ~*offered) != 0) return false;
  if (!set(Request::set_protocol_features, protocol)) return false;
  if (!plain(Request::set_owner)) return false;
  if (inband) {
    auto [mine, other] = make_sockets();
    channel_ = std::move(mine);
    if (!plain(Request::set_backend_req_fd, std::array{other.get()})) return false;
  }
  features |= std::uint64_t{1} << kFeatureProtocolFeatures;
  return set(Request::set_features, features) && share_memory();
}

bool VhostClient::enable_ring(unsigned queue, bool on) {
  return set(Request::set_vring_enable, sim::vhost_user::VringState{queue, on});
}

bool VhostClient::start_ring(unsigned queue, unsigned slots, bool inband) {
  Ring& ring = rings_.at(queue);
  ring = Ring{};
  ring.slots = slots;
  ring.descriptors = queue * kRingBytes;
  ring.events = ring.descriptors + kRingBytes - 64;
  ring.chains.resize(slots);
  std::memset(memory_ + ring.descriptors, 0, kRingBytes);
  return announce_ring(queue, inband ? 0 : 0x8000, inband);  // as User-mode Linux and DPDK say it
}

std::optional<std::uint32_t> VhostClient::stop_ring(unsigned queue) {
  using sim::vhost_user::VringState;
  const auto base = get<VringState>(Request::get_vring_base, VringState{queue, 0});
  if (!base || base->index != queue) return std::nullopt;
  return base->num;
}

bool VhostClient::resume_ring(unsigned queue, std::uint32_t base) {
  return announce_ring(queue, base, false);
}

bool VhostClient::announce_ring(unsigned queue, std::uint32_t base, bool inband) {
  using sim::vhost_user::VringAddress;
  using sim::vhost_user::VringState;
  Ring& ring = rings_.at(queue);
  if (!set(Request::set_vring_num, VringState{queue, ring.slots})) return false;
  if (!set(Request::set_vring_base, VringState{queue, base})) return false;
  const VringAddress address{
      queue, 0, kUser + ring.descriptors, kUser + ring.events + 4, kUser + ring.events, 0};
  if (!set(Request::set_vring_addr, address)) return false;
  if (!inband) {
    ring.kick = Descriptor(checked(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), "eventfd"));
    ring.call = Descriptor(checked(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC), "eventfd"));
    const std::uint64_t index = queue;
    if (!set(Request::set_vring_kick, index, std::array{ring.kick.get()})) return false;
    if (!set(Request::set_vring_call, index, std::array{ring.call.get()})) return false;
  }
  return enable_ring(queue, true);
}

void VhostClient::add(unsigned queue, std::size_t offset, std::uint32_t length,
                      bool device_writes) {
  add_chain(queue, offset, length, device_writes, 1);
}

// The first descriptor last: with it the device may take the chain.
void VhostClient::add_chain(unsigned queue, std::size_t offset, std::uint32_t length,
                            bool device_writes, unsigned buffers) {
  Ring& ring = rings_.at(queue);
  const unsigned first = ring.next_available;
  ring.chains[first] = buffers;
  std::vector<std::pair<unsigned, virtio::PackedDescriptor>> chain;
  for (unsigned i = 0; i < buffers; ++i) {
    unsigned flags = ring.available_wrap ? regs::kDescFAvail : regs::kDescFUsed;
    if (device_writes) flags |= regs::kDescFWrite;
    if (i + 1 < buffers) flags |= regs::kDescFNext;
    chain.push_back({ring.next_available,
                     {kGuest + offset + i * std::size_t{length}, length,
                      static_cast<std::uint16_t>(first), static_cast<std::uint16_t>(flags)}});
    if (++ring.next_available == ring.slots) {
      ring.next_available = 0;
      ring.available_wrap = !ring.available_wrap;
    }
  }
  for (auto each = chain.rbegin(); each != chain.rend(); ++each) {
    std::memcpy(memory_ + ring.descriptors + each->first * sizeof each->second, &each->second,
                sizeof each->second);
  }
}

std::optional<VhostClient::Used> VhostClient::used(unsigned queue) {
  Ring& ring = rings_.at(queue);
  virtio::PackedDescriptor slot{};
  std::memcpy(&slot, memory_ + ring.descriptors + ring.next_used * sizeof slot, sizeof slot);
  constexpr unsigned kBoth = regs::kDescFAvail | regs::kDescFUsed;
  if ((slot.flags & kBoth) != (ring.used_wrap ? kBoth : 0)) return std::nullopt;
  if (ring.used_wrap && slot.flags == 0) return std::nullopt;
  ring.next_used += ring.chains[ring.next_used];
  if (ring.next_used >= ring.slots) {
    ring.next_used -= ring.slots;
    ring.used_wrap = !ring.used_wrap;
  }
  return Used{slot.id, slot.len};
}

std::uint16_t VhostClient::position(unsigned queue) const {
  const Ring& ring = rings_.at(queue);
  return static_cast<std::uint16_t>(ring.next_used | (ring.used_wrap ? 0x8000U : 0U));
}

void VhostClient::kick(unsigned queue) {
  const std::uint64_t one = 1;
  if (::write(rings_.at(queue).kick.get(), &one, sizeof one) == sizeof one) backend_.take_kicks();
}

bool VhostClient::kick_inband(unsigned queue) {
  return set(Request::vring_kick, sim::vhost_user::VringState{queue, 0});
}

std::uint64_t VhostClient::calls(unsigned queue) {
  std::uint64_t count = 0;
  const ssize_t got = ::read(rings_.at(queue).call.get(), &count, sizeof count);
  return got == sizeof count ? count : 0;
}

}  // namespace nicroscope::test
