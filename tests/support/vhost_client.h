// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "nicroscope/registers.h"
#include "nicroscope/virtio.h"
#include "sim/host_port/vhost_user/backend.h"

namespace nicroscope::test {

/// A front-end of vhost-user for tests, in the same thread as the back-end: every message is
/// handled before the call that sends it comes back. What it sends need not be right.
class VhostClient {
 public:
  /// Where its memory lies for the device, and where in its own address space.
  static constexpr std::uint64_t kGuest = 0x4000'0000;
  static constexpr std::uint64_t kUser = 0x7f12'3400'0000;
  static constexpr std::size_t kBytes = std::size_t{4} << 20U;

  explicit VhostClient(sim::vhost_user::Backend& backend);
  VhostClient(const VhostClient&) = delete;
  VhostClient& operator=(const VhostClient&) = delete;
  ~VhostClient();

  /// The whole message goes out; what was handled of it is the back-end's affair.
  void send_raw(std::uint32_t request, std::uint32_t flags, std::span<const std::byte> payload,
                std::span<const int> descriptors = {});
  /// What has come back, header and payload; nothing if nothing has.
  [[nodiscard]] std::optional<std::pair<sim::vhost_user::Header, std::vector<std::byte>>> answer();

  /// A message with an acknowledgement asked for; true if it was positive.
  template <typename T>
  bool set(sim::vhost_user::Request request, const T& payload,
           std::span<const int> descriptors = {}) {
    send_raw(static_cast<std::uint32_t>(request), kFlags, std::as_bytes(std::span(&payload, 1)),
             descriptors);
    return acknowledged();
  }
  /// The same without a payload.
  bool plain(sim::vhost_user::Request request, std::span<const int> descriptors = {}) {
    send_raw(static_cast<std::uint32_t>(request), kFlags, {}, descriptors);
    return acknowledged();
  }
  /// A message whose answer is a T.
  template <typename T, typename Payload>
  [[nodiscard]] std::optional<T> get(sim::vhost_user::Request request, const Payload& payload) {
    return value<T>(request, std::as_bytes(std::span(&payload, 1)));
  }
  template <typename T>
  [[nodiscard]] std::optional<T> get(sim::vhost_user::Request request) {
    return value<T>(request, {});
  }

  /// Features, protocol features and memory, as QEMU and DPDK do it, or with in-band notifications.
  [[nodiscard]] bool negotiate(std::uint64_t features, bool inband = false);
  /// One region: all of the memory.
  [[nodiscard]] bool share_memory();
  /// Makes the ring in its memory and starts it.
  [[nodiscard]] bool start_ring(unsigned queue, unsigned slots, bool inband = false);
  [[nodiscard]] bool enable_ring(unsigned queue, bool on);
  /// Stops a ring and says where it is: SET_VRING_BASE's value.
  [[nodiscard]] std::optional<std::uint32_t> stop_ring(unsigned queue);
  /// Starts a ring that was stopped, as it is, to go on at `base`.
  [[nodiscard]] bool resume_ring(unsigned queue, std::uint32_t base);

  // ---- its side of the rings
  /// Gives the device a buffer of its memory.
  void add(unsigned queue, std::size_t offset, std::uint32_t length, bool device_writes);
  /// A chain of such buffers.
  void add_chain(unsigned queue, std::size_t offset, std::uint32_t length, bool device_writes,
                 unsigned buffers);
  struct Used {
    std::uint16_t id;
    std::uint32_t length;
  };
  [[nodiscard]] std::optional<Used> used(unsigned queue);
  /// Where it looks for the next used element: slot, and wrap counter in bit 15.
  [[nodiscard]] std::uint16_t position(unsigned queue) const;
  /// By its descriptor.
  void kick(unsigned queue);
  [[nodiscard]] bool kick_inband(unsigned queue);
  /// How often the ring was called by descriptor since this was asked last.
  [[nodiscard]] std::uint64_t calls(unsigned queue);

  [[nodiscard]] std::span<std::byte> memory() noexcept { return {memory_, kBytes}; }
  [[nodiscard]] int memory_file() const noexcept { return file_.get(); }
  [[nodiscard]] int socket() const noexcept { return socket_.get(); }
  /// Its end of the back-end's channel.
  [[nodiscard]] int channel() const noexcept { return channel_.get(); }
  void close() { socket_ = sim::Descriptor{}; }

 private:
  static constexpr std::uint32_t kFlags =
      sim::vhost_user::kVersion | sim::vhost_user::kFlagNeedReply;

  struct Ring {
    unsigned slots = 0;
    std::size_t descriptors = 0;  // offsets in memory
    std::size_t events = 0;       // driver's, then device's
    unsigned next_available = 0;
    bool available_wrap = true;
    unsigned next_used = 0;
    bool used_wrap = true;
    std::vector<unsigned> chains;  // descriptors in the chain that begins at a slot
    sim::Descriptor kick;
    sim::Descriptor call;
  };

  [[nodiscard]] bool acknowledged();
  [[nodiscard]] bool announce_ring(unsigned queue, std::uint32_t base, bool inband);
  template <typename T>
  std::optional<T> value(sim::vhost_user::Request request, std::span<const std::byte> payload) {
    send_raw(static_cast<std::uint32_t>(request), sim::vhost_user::kVersion, payload);
    const auto got = answer();
    if (!got || got->first.flags != 5 || got->second.size() != sizeof(T)) return std::nullopt;
    T result;
    std::memcpy(&result, got->second.data(), sizeof result);
    return result;
  }

  sim::vhost_user::Backend& backend_;
  sim::Descriptor socket_;
  sim::Descriptor channel_;
  sim::Descriptor file_;
  std::byte* memory_;
  std::vector<Ring> rings_;
};

}  // namespace nicroscope::test
