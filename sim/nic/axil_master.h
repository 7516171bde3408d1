// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>

#include "sim/base/ring_queue.h"

namespace nicroscope::sim {

/// Accesses to the NIC's registers, in order and one at a time, over AXI4-Lite. The harness moves
/// the signals; this holds what there is to do.
class AxilMaster {
 public:
  using ReadDone = std::function<void(std::uint32_t word)>;

  struct Access {
    std::uint32_t address = 0;  ///< of a 32-bit word
    std::uint32_t data = 0;
    std::uint8_t strobe = 0;  ///< of a write
    bool is_write = false;
    ReadDone done;  ///< of a read
  };

  void write(std::uint32_t address, std::uint32_t data, std::uint8_t strobe) {
    queue_.push({address, data, strobe, true, {}});
  }
  void read(std::uint32_t address, ReadDone done) {
    queue_.push({address, 0, 0, false, std::move(done)});
  }

  [[nodiscard]] bool idle() const noexcept { return queue_.empty(); }
  [[nodiscard]] std::size_t pending() const noexcept { return queue_.size(); }
  [[nodiscard]] const Access& current() const noexcept { return queue_.front(); }

  /// The current access was answered. A register access never fails on this bus: SLVERR and DECERR
  /// read as all ones, as a PCIe read does that nobody answers.
  void finish(std::uint32_t word, bool error) {
    const ReadDone done = std::move(queue_.front().done);
    queue_.front().done = nullptr;
    queue_.pop();
    if (done) done(error ? ~std::uint32_t{0} : word);
  }

 private:
  RingQueue<Access> queue_;
};

}  // namespace nicroscope::sim
