// SPDX-License-Identifier: Apache-2.0
// What each message of a client does: docs/vhost-user.md.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <array>
#include <string_view>
#include <utility>

#include "nicroscope/registers.h"
#include "sim/host_port/vhost_user/backend.h"

namespace nicroscope::sim::vhost_user {
namespace {

constexpr std::uint64_t bit(unsigned feature) { return std::uint64_t{1} << feature; }

// SET_VRING_BASE and GET_VRING_BASE of a packed ring: a slot and a wrap counter (bit 15) for what
// the driver makes available, and in the upper half, which not every client fills, for what the
// device uses. Both are the same: what the device has fetched and not returned it may fetch again.
constexpr std::uint32_t base_at(std::uint16_t position) {
  return std::uint32_t{position} << 16U | position;
}
constexpr bool is_base(std::uint32_t said, std::uint16_t position) {
  return said == position || said == base_at(position);
}

// An eventfd is what it has to be: reads and writes of anything else could block, or do harm.
bool is_eventfd(int descriptor) {
  std::array<char, 32> target{};
  const std::string link = fmt::format("/proc/self/fd/{}", descriptor);
  const ssize_t length = ::readlink(link.c_str(), target.data(), target.size());
  return length > 0 && std::string_view(target.data(), static_cast<std::size_t>(length)) ==
                           "anon_inode:[eventfd]";
}

bool is_stream_socket(int descriptor) {
  int type = 0;
  socklen_t size = sizeof type;
  return ::getsockopt(descriptor, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}

}  // namespace

template <typename T>
Backend::Outcome Backend::answer_with(const T& value) {
  const auto bytes = std::as_bytes(std::span(&value, 1));
  return {{}, {bytes.begin(), bytes.end()}};
}

std::vector<std::byte> Backend::acknowledgement(bool failed) {
  return answer_with(std::uint64_t{failed}).answer;
}

// Address translation is what the memory table is for; a client that sees this feature sends the
// messages of an IOMMU. The device itself needs it, and gets it from NicDevice.
std::uint64_t Backend::offered_features() const noexcept {
  return (device_.offered() & ~bit(regs::kFeatureAccessPlatform)) | bit(kFeatureProtocolFeatures);
}

std::uint64_t Backend::offered_protocol_features() const noexcept {
  return bit(kProtocolMq) | bit(kProtocolReplyAck) | bit(kProtocolBackendReq) |
         bit(kProtocolConfig) | bit(kProtocolResetDevice) | bit(kProtocolInbandNotifications);
}

Backend::Outcome Backend::dispatch(Message& message) {
  switch (message.request()) {
    case Request::get_features:
      return answer_with(offered_features());
    case Request::set_features:
      return set_features(message.read<std::uint64_t>());
    case Request::set_owner:
      return {};
    case Request::reset_owner:
    case Request::reset_device:
      stop_all();
      for (Vring& ring : rings_) ring = Vring{};
      return {};
    case Request::set_mem_table:
      return set_mem_table(message);
    case Request::get_protocol_features:
      return answer_with(offered_protocol_features());
    case Request::set_protocol_features:
      return set_protocol_features(message.read<std::uint64_t>());
    case Request::get_queue_num:
      return answer_with(std::uint64_t{device_.pairs()});
    case Request::set_backend_req_fd:
      return set_backend_req_fd(message);
    case Request::get_config:
      return get_config(message);
    case Request::set_vring_kick:
    case Request::set_vring_call:
    case Request::set_vring_err:
      return set_vring_descriptor(message);
    default:
      return vring_message(message);
  }
}

Backend::Outcome Backend::set_features(std::uint64_t features) {
  if ((features & ~offered_features()) != 0) {
    return refuse(fmt::format("features {:#x} are not offered", features & ~offered_features()));
  }
  if (running_rings() != 0 && features != features_) {
    return refuse("other features while virtqueues run");
  }
  if (features != features_) stop_all();
  features_ = features;
  features_set_ = true;
  return {};
}

Backend::Outcome Backend::set_protocol_features(std::uint64_t features) {
  if ((features & ~offered_protocol_features()) != 0) {
    return refuse(fmt::format("protocol features {:#x} are not offered",
                              features & ~offered_protocol_features()));
  }
  const std::uint64_t needed = bit(kProtocolBackendReq) | bit(kProtocolReplyAck);
  if ((features & bit(kProtocolInbandNotifications)) != 0 && (features & needed) != needed) {
    return refuse("in-band notifications without BACKEND_REQ and REPLY_ACK");
  }
  if (running_rings() != 0 && features != protocol_features_) {
    return refuse("other protocol features while virtqueues run");
  }
  protocol_features_ = features;
  return {};
}

Backend::Outcome Backend::set_mem_table(const Message& message) {
  const auto head = message.read<MemoryTableHeader>();
  std::array<MemoryRegion, kMostRegions> regions;
  const std::size_t room = (message.header.size - sizeof head) / sizeof(MemoryRegion);
  if (head.regions > kMostRegions || head.regions > room) {
    return refuse(fmt::format("{} regions in {} bytes", head.regions, message.header.size));
  }
  for (std::size_t i = 0; i < head.regions; ++i) {
    regions[i] = message.read<MemoryRegion>(sizeof head + i * sizeof(MemoryRegion));
  }
  std::vector<std::optional<QueueAreas>> before(rings_.size());
  for (unsigned queue = 0; queue < rings_.size(); ++queue) {
    if (rings_[queue].running) before[queue] = areas(queue);
  }
  if (std::string problem =
          memory_.set(std::span(regions).first(head.regions), message.descriptors);
      !problem.empty()) {
    return refuse(std::move(problem));
  }
  // The device knows the addresses of rings that run: they must be what they were.
  for (unsigned queue = 0; queue < rings_.size(); ++queue) {
    if (!before[queue]) continue;
    const auto now = areas(queue);
    if (!now || now->descriptors != before[queue]->descriptors ||
        now->driver != before[queue]->driver || now->device != before[queue]->device) {
      return refuse(fmt::format("virtqueue {} runs and is not where it was", queue));
    }
  }
  return {};
}

Backend::Outcome Backend::set_backend_req_fd(Message& message) {
  if (message.descriptors.size() != 1 || !is_stream_socket(message.descriptors[0].get())) {
    return refuse("it comes with one stream socket");
  }
  backend_channel_ = std::move(message.descriptors[0]);
  return {};
}

Backend::Outcome Backend::get_config(const Message& message) {
  const auto head = message.read<ConfigHeader>();
  if (head.size != message.header.size - sizeof head || head.offset > kMostConfig ||
      head.size > kMostConfig - head.offset) {
    return refuse(fmt::format("{} bytes at {} in a message of {}", head.size, head.offset,
                              message.header.size));
  }
  Outcome outcome{{}, {message.bytes().begin(), message.bytes().end()}};
  device_.read_config(head.offset, std::span(outcome.answer).subspan(sizeof head));
  return outcome;
}

// ---- messages about one ring

Backend::Outcome Backend::vring_message(Message& message) {
  const auto state = message.read<VringState>();  // begins every one of them
  if (state.index >= rings_.size()) {
    return refuse(fmt::format("virtqueue {}; there are {}", state.index, rings_.size()));
  }
  Vring& ring = rings_[state.index];
  switch (message.request()) {
    case Request::set_vring_num:
      return set_vring_num(ring, state);
    case Request::set_vring_addr:
      return set_vring_addr(ring, message.read<VringAddress>());
    case Request::set_vring_base:
      return set_vring_base(ring, state);
    case Request::get_vring_base:
      return get_vring_base(state);
    case Request::set_vring_enable:
      return set_vring_enable(state);
    default:
      return vring_kick(state.index);
  }
}

Backend::Outcome Backend::set_vring_num(Vring& ring, const VringState& state) {
  if (state.num == 0 || state.num > device_.largest_ring()) {
    return refuse(
        fmt::format("a ring of {} slots, not 1 to {}", state.num, device_.largest_ring()));
  }
  if (ring.running && enabled(ring) && state.num != ring.size) {
    return refuse(fmt::format("another size while virtqueue {} runs", state.index));
  }
  ring.size = state.num;
  return outcome_of(ring.running && !enabled(ring) ? stop_ring(state.index) : std::string{});
}

Backend::Outcome Backend::set_vring_addr(Vring& ring, const VringAddress& address) {
  if ((address.flags & 1) != 0) return refuse("a log of writes, which was not offered");
  const auto old = ring.address;
  if (ring.running && (old->descriptors != address.descriptors || old->used != address.used ||
                       old->avail != address.avail)) {
    return refuse(fmt::format("another place while virtqueue {} runs", address.index));
  }
  ring.address = address;
  return {};
}

Backend::Outcome Backend::set_vring_base(Vring& ring, const VringState& state) {
  if (ring.running && enabled(ring)) return refuse(fmt::format("virtqueue {} runs", state.index));
  if (ring.paused() && is_base(state.num, ring.held->progress.position())) {
    ring.base = ring.held->progress.position();
    return {};
  }
  // A plain 0 comes from clients that know no wrap counters (User-mode Linux).
  if (state.num == 0 || is_base(state.num, RingProgress::kStart)) {
    ring.base = RingProgress::kStart;
    return {};
  }
  std::string problem = fmt::format(
      "the device starts a ring at slot 0 with wrap counter 1, not at {:#x}", state.num);
  if (ring.paused()) {
    problem += fmt::format(", or goes on at {:#x}", base_at(ring.held->progress.position()));
  }
  return refuse(std::move(problem));
}

Backend::Outcome Backend::get_vring_base(const VringState& state) {
  Vring& ring = rings_[state.index];
  if (std::string problem = pause_ring(state.index); !problem.empty()) {
    return refuse(std::move(problem));
  }
  // The ring is stopped until there is a descriptor for kicks again.
  ring.has_kick = false;
  ring.kick = Descriptor{};
  return answer_with(VringState{state.index, base_at(ring.base)});
}

// A client with in-band notifications has no other way to stop a ring, and brings a new one. Where
// kicks come by descriptor a disabled ring keeps its place, and gets no frames: share_pairs().
Backend::Outcome Backend::set_vring_enable(const VringState& state) {
  if (state.num > 1) return refuse(fmt::format("a ring is on or off, not {}", state.num));
  Vring& ring = rings_[state.index];
  ring.enabled = state.num == 1;
  return outcome_of(!ring.enabled && inband() ? stop_ring(state.index) : std::string{});
}

Backend::Outcome Backend::set_vring_descriptor(Message& message) {
  const auto value = message.read<std::uint64_t>();
  const auto queue = static_cast<unsigned>(value & kVringIndexMask);
  const bool none = (value & kVringNoDescriptor) != 0;
  if (queue >= rings_.size()) {
    return refuse(fmt::format("virtqueue {}; there are {}", queue, rings_.size()));
  }
  if (message.descriptors.size() != (none ? 0U : 1U)) {
    return refuse(fmt::format("{} file descriptors", message.descriptors.size()));
  }
  Descriptor descriptor;
  if (!none) {
    descriptor = std::move(message.descriptors[0]);
    if (!is_eventfd(descriptor.get())) return refuse("the descriptor is no eventfd");
    // Neither end may make the other one wait.
    if (::fcntl(descriptor.get(), F_SETFL, O_NONBLOCK) != 0) return refuse("it cannot be set up");
  }
  by_descriptor_ = true;
  Vring& ring = rings_[queue];
  switch (message.request()) {
    case Request::set_vring_kick:
      ring.kick = std::move(descriptor);
      ring.has_kick = true;
      break;
    case Request::set_vring_call:
      ring.call = std::move(descriptor);
      // The descriptor before may have had one that the client does not see any more.
      if (ring.running && !inband()) interrupt(queue);
      break;
    default:
      ring.error = std::move(descriptor);
      break;
  }
  return {};
}

Backend::Outcome Backend::vring_kick(unsigned queue) {
  if (!inband()) return refuse("in-band notifications were not agreed on");
  ++kicks_;
  if (hooks_.before_kick) hooks_.before_kick(queue);
  if (rings_[queue].running) device_.kick(queue);
  if (hooks_.after_kick) hooks_.after_kick(queue);
  return {};
}

}  // namespace nicroscope::sim::vhost_user
