// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

namespace nicroscope::driver {

/// How received frames get from the ring to the stack.
enum class Receive : std::uint8_t {
  napi,       ///< an interrupt starts polling in the NET_RX softirq, which ends it
  interrupt,  ///< the interrupt handler empties the ring and queues each frame by netif_rx
  poll,       ///< no interrupts: a process polls the ring itself (poll_mode.h)
};

/// What happens when the device says that it needs a reset, or breaks a ring.
enum class Recovery : std::uint8_t {
  report,  ///< the owner is told, the interface loses its carrier
  reset,   ///< and the driver resets the device
};

/// Reads of a device register to receive, for studies: virtio needs none, but drivers of devices do
/// that keep the ring's head in one.
enum class HeadReads : std::uint8_t {
  none,
  poll,   ///< one in every poll
  frame,  ///< one before every frame
};

/// Settings of a device from its probe on.
struct Options {
  std::string name = "eth0";
  Receive receive = Receive::napi;
  unsigned max_interrupt_work = 20;  ///< Receive::interrupt: frames that an interrupt handles
  Recovery recovery = Recovery::report;
  std::uint16_t queue_pairs = 0;  ///< in use at first; 0: one a CPU, as far as there are
  std::uint16_t rx_ring = 0;      ///< slots; 0 for the device's maximum (ethtool -G)
  std::uint16_t tx_ring = 0;
  std::uint32_t rx_buffer_bytes = 1536;
  std::uint32_t rx_buffer_offset = 0;
  std::uint32_t rx_copybreak = 128;  ///< frames of so many bytes or fewer are copied
  bool page_recycling = true;
  bool byte_queue_limits = false;
  HeadReads head_reads = HeadReads::none;
  bool mergeable = true;           ///< accept VIRTIO_NET_F_MRG_RXBUF if offered
  bool event_idx = true;           ///< accept VIRTIO_F_EVENT_IDX if offered
  std::uint64_t features = ~0ULL;  ///< accept none beyond these
  unsigned first_vector = 0;       ///< of this device among the host's interrupts
};

}  // namespace nicroscope::driver
