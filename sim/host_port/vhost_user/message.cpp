// SPDX-License-Identifier: Apache-2.0
#include "sim/host_port/vhost_user/message.h"

#include <fmt/format.h>

#include <algorithm>

namespace nicroscope::sim::vhost_user {
namespace {

constexpr std::uint32_t kU64 = sizeof(std::uint64_t);
constexpr std::uint32_t kState = sizeof(VringState);
constexpr std::uint32_t kAddress = sizeof(VringAddress);
constexpr std::uint32_t kTable = sizeof(MemoryTableHeader);
constexpr std::uint32_t kTableMost = kTable + kMostRegions * sizeof(MemoryRegion);
constexpr std::uint32_t kConfig = sizeof(ConfigHeader);

constexpr std::array kShapes = {
    Shape{Request::get_features, "GET_FEATURES", 0, 0, 0, true},
    Shape{Request::set_features, "SET_FEATURES", kU64, kU64, 0, false},
    Shape{Request::set_owner, "SET_OWNER", 0, 0, 0, false},
    Shape{Request::reset_owner, "RESET_OWNER", 0, 0, 0, false},
    Shape{Request::set_mem_table, "SET_MEM_TABLE", kTable, kTableMost, kMostRegions, false},
    Shape{Request::set_vring_num, "SET_VRING_NUM", kState, kState, 0, false},
    Shape{Request::set_vring_addr, "SET_VRING_ADDR", kAddress, kAddress, 0, false},
    Shape{Request::set_vring_base, "SET_VRING_BASE", kState, kState, 0, false},
    Shape{Request::get_vring_base, "GET_VRING_BASE", kState, kState, 0, true},
    Shape{Request::set_vring_kick, "SET_VRING_KICK", kU64, kU64, 1, false},
    Shape{Request::set_vring_call, "SET_VRING_CALL", kU64, kU64, 1, false},
    Shape{Request::set_vring_err, "SET_VRING_ERR", kU64, kU64, 1, false},
    Shape{Request::get_protocol_features, "GET_PROTOCOL_FEATURES", 0, 0, 0, true},
    Shape{Request::set_protocol_features, "SET_PROTOCOL_FEATURES", kU64, kU64, 0, false},
    Shape{Request::get_queue_num, "GET_QUEUE_NUM", 0, 0, 0, true},
    Shape{Request::set_vring_enable, "SET_VRING_ENABLE", kState, kState, 0, false},
    Shape{Request::set_backend_req_fd, "SET_BACKEND_REQ_FD", 0, 0, 1, false},
    Shape{Request::get_config, "GET_CONFIG", kConfig, kMostPayload, 0, true},
    Shape{Request::reset_device, "RESET_DEVICE", 0, 0, 0, false},
    Shape{Request::vring_kick, "VRING_KICK", kState, kState, 0, false},
};

}  // namespace

const Shape* find_shape(std::uint32_t request) noexcept {
  const auto found = std::ranges::find(kShapes, static_cast<Request>(request), &Shape::request);
  return found == kShapes.end() ? nullptr : &*found;
}

std::string check_header(const Header& header) {
  const Shape* shape = find_shape(header.request);
  if (shape == nullptr) return fmt::format("request {} is not supported", header.request);
  if ((header.flags & kVersionMask) != kVersion) {
    return fmt::format("{}: version {}, not {}", shape->name, header.flags & kVersionMask,
                       kVersion);
  }
  if ((header.flags & kFlagReply) != 0) {
    return fmt::format("{}: an answer that nobody asked for", shape->name);
  }
  if (header.size < shape->least || header.size > shape->most) {
    return fmt::format("{}: a payload of {} bytes, not {} to {}", shape->name, header.size,
                       shape->least, shape->most);
  }
  return {};
}

std::string check_message(const Message& message) {
  if (std::string problem = check_header(message.header); !problem.empty()) return problem;
  const Shape& shape = *find_shape(message.header.request);
  if (message.descriptors.size() > shape.descriptors) {
    return fmt::format("{}: {} file descriptors, not {}", shape.name, message.descriptors.size(),
                       shape.descriptors);
  }
  return {};
}

}  // namespace nicroscope::sim::vhost_user
