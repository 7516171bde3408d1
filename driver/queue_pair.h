// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

#include "driver/receive_queue.h"
#include "driver/transmit_queue.h"
#include "driver/virtio_net.h"

namespace nicroscope::driver {

/// A virtqueue each way with what the driver keeps beside it (virtio 1.2, 5.1.2: receiveq1 is
/// virtqueue 0, transmitq1 virtqueue 1).
struct VirtioNet::QueuePair {
  static constexpr std::uint16_t kReceiveVector = 1;
  static constexpr std::uint16_t kTransmitVector = 2;

  QueuePair(net::Net& net, DevicePort& port, std::uint16_t rx_size, std::uint16_t tx_size,
            bool event_idx, const ReceiveOptions& options)
      : rx_vq(net.kernel(), 0, rx_size, event_idx),
        tx_vq(net.kernel(), 1, tx_size, event_idx),
        rx(net, port, rx_vq, 0, options),
        tx(net, port, tx_vq, 0) {}

  Virtqueue rx_vq;
  Virtqueue tx_vq;
  ReceiveQueue rx;
  TransmitQueue tx;
  kernel::napi_struct rx_napi;
  kernel::napi_struct tx_napi;
};

}  // namespace nicroscope::driver
