// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "driver/virtio_pci.h"
#include "driver/virtqueue.h"
#include "stack/kernel/lock/mutex.h"

namespace nicroscope::driver {

/// What became of a command.
enum class ControlAnswer : std::uint8_t {
  ok,
  refused,    ///< the device answered VIRTIO_NET_ERR
  no_answer,  ///< it did not answer in time, or broke the ring: no more commands until its reset
  too_long,   ///< the command does not fit into the driver's buffer; the device was not asked
};

/// The fields of a command, little-endian, in their order.
class ControlData {
 public:
  ControlData& u8(std::uint8_t v) { return put(v, 1); }
  ControlData& le16(std::uint16_t v) { return put(v, 2); }
  ControlData& le32(std::uint32_t v) { return put(v, 4); }
  ControlData& le64(std::uint64_t v) { return put(v, 8); }
  ControlData& bytes(std::span<const std::uint8_t> data) {
    for (const std::uint8_t b : data) put(b, 1);
    return *this;
  }
  [[nodiscard]] std::span<const std::byte> data() const noexcept { return data_; }

 private:
  ControlData& put(std::uint64_t v, unsigned size) {
    for (unsigned i = 0; i < size; ++i) data_.push_back(static_cast<std::byte>(v >> (8 * i)));
    return *this;
  }
  std::vector<std::byte> data_;
};

/// The control virtqueue (virtio 1.2, 5.1.6.5): one command at a time, each waited for.
class ControlQueue {
 public:
  /// Bytes of a command, its class and number included, and of an answer that are taken.
  static constexpr std::size_t kMaxCommand = 4096;
  static constexpr std::size_t kMaxReply = 2048;
  /// The longest that a device may take.
  static constexpr Duration kPatience = std::chrono::milliseconds{100};

  /// `size` slots. valid() says whether there was memory.
  ControlQueue(kernel::Kernel& kernel, VirtioPci& pci, std::uint16_t index, std::uint16_t size,
               bool event_idx);
  ControlQueue(const ControlQueue&) = delete;
  ControlQueue& operator=(const ControlQueue&) = delete;
  /// The device must have been reset.
  ~ControlQueue();

  [[nodiscard]] bool valid() const noexcept { return vq_.valid() && buffer_.cpu != nullptr; }
  [[nodiscard]] Virtqueue& vq() noexcept { return vq_; }

  /// Where in the writable part of the chain a command's own answer lies.
  enum class ReplyPlace : std::uint8_t { before_ack, behind_ack };

  /// Sends a command and sleeps until it is carried out; in process context. `reply` is filled with
  /// what the device answers beside the acknowledgement; *replied, where asked for, is how many
  /// bytes of it the device wrote.
  [[nodiscard]] ControlAnswer send(std::uint8_t command_class, std::uint8_t command,
                                   const ControlData& data, std::span<std::byte> reply = {},
                                   ReplyPlace place = ReplyPlace::before_ack,
                                   std::size_t* replied = nullptr);

 private:
  kernel::Kernel& kernel_;
  VirtioPci& pci_;
  Virtqueue vq_;
  kernel::CoherentBuffer buffer_;
  kernel::mutex lock_;
  bool dead_ = false;
};

}  // namespace nicroscope::driver
