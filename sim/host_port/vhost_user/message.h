// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "sim/base/descriptor.h"

/// The wire format of vhost-user (QEMU, docs/interop/vhost-user.rst): what crosses the socket, in
/// the byte order of this machine, which is little-endian.
namespace nicroscope::sim::vhost_user {

/// Requests of the front-end (the client) that this back-end carries out.
enum class Request : std::uint32_t {
  get_features = 1,
  set_features = 2,
  set_owner = 3,
  reset_owner = 4,
  set_mem_table = 5,
  set_vring_num = 8,
  set_vring_addr = 9,
  set_vring_base = 10,
  get_vring_base = 11,
  set_vring_kick = 12,
  set_vring_call = 13,
  set_vring_err = 14,
  get_protocol_features = 15,
  set_protocol_features = 16,
  get_queue_num = 17,
  set_vring_enable = 18,
  set_backend_req_fd = 21,
  get_config = 24,
  reset_device = 34,
  vring_kick = 35,
};

/// Requests of the back-end, on a channel of their own.
enum class BackendRequest : std::uint32_t { config_change = 2, vring_call = 4 };

inline constexpr std::uint32_t kVersion = 1;
inline constexpr std::uint32_t kVersionMask = 3;
inline constexpr std::uint32_t kFlagReply = 4;
inline constexpr std::uint32_t kFlagNeedReply = 8;

/// Protocol feature bits.
inline constexpr unsigned kProtocolMq = 0;
inline constexpr unsigned kProtocolReplyAck = 3;
inline constexpr unsigned kProtocolBackendReq = 5;
inline constexpr unsigned kProtocolConfig = 9;
inline constexpr unsigned kProtocolResetDevice = 13;
inline constexpr unsigned kProtocolInbandNotifications = 14;
/// The virtio feature bit that says that there are protocol features.
inline constexpr unsigned kFeatureProtocolFeatures = 30;

struct Header {
  std::uint32_t request;
  std::uint32_t flags;
  std::uint32_t size;  ///< of the payload
};
static_assert(sizeof(Header) == 12);

struct VringState {
  std::uint32_t index;
  std::uint32_t num;
};
static_assert(sizeof(VringState) == 8);

/// For a packed ring `used` is the device's event suppression structure and `avail` the driver's.
struct VringAddress {
  std::uint32_t index;
  std::uint32_t flags;
  std::uint64_t descriptors;
  std::uint64_t used;
  std::uint64_t avail;
  std::uint64_t log;
};
static_assert(sizeof(VringAddress) == 40 && offsetof(VringAddress, descriptors) == 8);

struct MemoryRegion {
  std::uint64_t guest;   ///< guest-physical address: what descriptors hold
  std::uint64_t size;    ///< bytes
  std::uint64_t user;    ///< address in the client's process: what SET_VRING_ADDR holds
  std::uint64_t offset;  ///< of the first byte in the file
};
static_assert(sizeof(MemoryRegion) == 32);

struct MemoryTableHeader {
  std::uint32_t regions;
  std::uint32_t padding;
};
static_assert(sizeof(MemoryTableHeader) == 8);

struct ConfigHeader {
  std::uint32_t offset;
  std::uint32_t size;
  std::uint32_t flags;
};
static_assert(sizeof(ConfigHeader) == 12);

/// SET_VRING_KICK, CALL and ERR: the ring's index, and that no descriptor comes with it.
inline constexpr std::uint64_t kVringIndexMask = 0xff;
inline constexpr std::uint64_t kVringNoDescriptor = 0x100;

inline constexpr std::size_t kMostRegions = 8;
inline constexpr std::size_t kMostConfig = 256;  ///< bytes of device configuration in a message
inline constexpr std::size_t kMostPayload = sizeof(ConfigHeader) + kMostConfig;

/// A message that has come, whole: its payload has a length that its request can have, and no more
/// descriptors than that takes.
struct Message {
  Header header{};
  std::array<std::byte, kMostPayload> payload{};
  std::vector<Descriptor> descriptors;

  [[nodiscard]] Request request() const noexcept { return static_cast<Request>(header.request); }
  [[nodiscard]] bool needs_reply() const noexcept { return (header.flags & kFlagNeedReply) != 0; }
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept {
    return {payload.data(), header.size};
  }
  /// The T at `offset`; the payload's length must have been checked to hold it.
  template <typename T>
  [[nodiscard]] T read(std::size_t offset = 0) const noexcept {
    static_assert(std::is_trivially_copyable_v<T>);
    T value;
    std::memcpy(&value, payload.data() + offset, sizeof value);
    return value;
  }
};

/// What a request may look like.
struct Shape {
  Request request;
  std::string_view name;
  std::uint32_t least;  ///< bytes of payload
  std::uint32_t most;
  std::size_t descriptors;  ///< at most
  bool has_answer;          ///< a payload comes back, and no acknowledgement
};

/// The shape of a request; null if it is none of the above.
[[nodiscard]] const Shape* find_shape(std::uint32_t request) noexcept;

/// What is wrong with a header, before anything of the payload is read; empty if nothing.
[[nodiscard]] std::string check_header(const Header& header);
/// What is wrong with a whole message: the payload's length, the number of descriptors.
[[nodiscard]] std::string check_message(const Message& message);

}  // namespace nicroscope::sim::vhost_user
