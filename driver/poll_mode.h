// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "driver/page_pool.h"
#include "driver/virtio_net.h"

namespace nicroscope::driver {

/// A frame outside the kernel's stack (DPDK: struct rte_mbuf): bytes in a page block, more of them
/// in `next`. In front of the first piece there is room for a header of the device.
struct mbuf {
  net::page_ref page;
  std::uint32_t offset = 0;
  std::uint32_t length = 0;  ///< of this piece
  std::unique_ptr<mbuf> next;
  FrameId frame = kNoFrame;

  [[nodiscard]] std::byte* data() const noexcept { return page.address() + offset; }
  [[nodiscard]] explicit operator bool() const noexcept { return static_cast<bool>(page); }
};

/// One queue pair of a device that is up with Receive::poll, as a program in user space drives it:
/// no interrupts, no system calls, no sk_buff; bursts of buffers, and whoever waits for frames asks
/// again. The rings, the buffers and the device are those of the kernel's driver.
///
/// A process calls it in a loop. It ends before the interface goes down or the device is reset.
class PollPort {
 public:
  PollPort(VirtioNet& device, std::uint16_t pair);
  PollPort(const PollPort&) = delete;
  PollPort& operator=(const PollPort&) = delete;
  ~PollPort();

  /// Takes frames that have come, at most as many as there is room in `frames`; returns how many.
  [[nodiscard]] std::size_t rx_burst(std::span<mbuf> frames);
  /// Gives frames to the device, from the first one on; returns how many it took. Those are empty
  /// afterwards; the others are still the caller's.
  std::size_t tx_burst(std::span<mbuf> frames);
  /// An empty frame with room for `size` bytes, up to 4000. Empty without memory.
  [[nodiscard]] mbuf alloc(std::uint32_t size);
  /// Frames that the device has and has not sent yet, as far as is known.
  [[nodiscard]] std::size_t outstanding() const noexcept { return outstanding_; }

 private:
  struct Sent {
    mbuf frame;
    std::vector<VirtqueueBuffer> mapped;
  };
  void reclaim();
  void unmap(Sent& sent);

  kernel::Kernel& kernel_;
  VirtioNet& device_;
  QueuePair& pair_;
  const std::uint32_t header_bytes_;
  PagePool pool_;
  std::vector<ReceiveQueue::Piece> pieces_;
  std::vector<Sent> sent_;  ///< by id
  std::size_t outstanding_ = 0;
};

}  // namespace nicroscope::driver
