// SPDX-License-Identifier: Apache-2.0
#include "driver/control_queue.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "nicroscope/registers.h"

namespace nicroscope::driver {

namespace {

constexpr Duration kFirstLook = std::chrono::microseconds{2};
constexpr Duration kLongestSleep = std::chrono::microseconds{64};
/// What the acknowledgement is before the device writes it: neither of its values.
constexpr std::byte kNotAnswered{0xff};

}  // namespace

ControlQueue::ControlQueue(kernel::Kernel& kernel, VirtioPci& pci, std::uint16_t index,
                           std::uint16_t size, bool event_idx)
    : kernel_(kernel), pci_(pci), vq_(kernel, index, size, event_idx), lock_(kernel, "cvq_lock") {
  buffer_ = kernel_.dma().dma_alloc_coherent(kMaxCommand + kMaxReply + 1);
  if (valid()) vq_.disable_cb();
}

ControlQueue::~ControlQueue() {
  vq_.detach_unused([](std::uint16_t) {});
  kernel_.dma().dma_free_coherent(buffer_);
}

ControlAnswer ControlQueue::send(std::uint8_t command_class, std::uint8_t command,
                                 const ControlData& data, std::span<std::byte> reply,
                                 ReplyPlace place, std::size_t* replied) {
  const kernel::mutex_guard guard(lock_);
  const std::size_t size = 2 + data.data().size();
  if (size > kMaxCommand || reply.size() > kMaxReply) return ControlAnswer::too_long;
  if (dead_) return ControlAnswer::no_answer;

  // 5.1.6.5: class, command and data are read by the device, the acknowledgement written.
  buffer_.cpu[0] = static_cast<std::byte>(command_class);
  buffer_.cpu[1] = static_cast<std::byte>(command);
  std::copy(data.data().begin(), data.data().end(), buffer_.cpu + 2);
  std::byte* const answer = buffer_.cpu + kMaxCommand;
  const std::size_t answer_bytes = 1 + reply.size();
  std::byte& ack = answer[place == ReplyPlace::before_ack ? reply.size() : 0];
  std::fill_n(answer, answer_bytes, std::byte{0});
  ack = kNotAnswered;
  const std::array<VirtqueueBuffer, 2> chain{
      {{buffer_.bus, static_cast<std::uint32_t>(size), false},
       {buffer_.bus + kMaxCommand, static_cast<std::uint32_t>(answer_bytes), true}}};
  if (!vq_.add(chain)) {
    dead_ = true;
    return ControlAnswer::no_answer;
  }
  if (vq_.kick_prepare()) pci_.notify(vq_.index());

  const Time deadline = kernel_.now() + kPatience;
  std::optional<UsedBuffer> used;
  for (Duration sleep = kFirstLook; !(used = vq_.get_buf());
       sleep = std::min(2 * sleep, kLongestSleep)) {
    // A device that needs a reset answers no more; asking costs a register read, so not at once.
    const bool failed = sleep == kLongestSleep && (pci_.status() & regs::kStatusNeedsReset) != 0;
    if (vq_.broken() || failed || kernel_.now() >= deadline) {
      dead_ = true;  // the buffer is the device's until its reset
      return ControlAnswer::no_answer;
    }
    kernel_.usleep(sleep);
  }
  if (ack != static_cast<std::byte>(regs::kCtrlAckOk)) return ControlAnswer::refused;
  const std::byte* const from = answer + (place == ReplyPlace::before_ack ? 0 : 1);
  std::copy_n(from, reply.size(), reply.begin());
  if (replied != nullptr) {
    *replied = used->length == 0 ? 0 : std::min<std::size_t>(used->length - 1, reply.size());
  }
  return ControlAnswer::ok;
}

}  // namespace nicroscope::driver
