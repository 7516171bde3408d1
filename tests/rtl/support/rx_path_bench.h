// SPDX-License-Identifier: Apache-2.0
// Drives rx_harness with real frames for many queues: each queue has its buffers and its driver,
// frames are steered by RSS, coalesced and filtered. What every queue gets is compared with what
// tests/golden says of the frames that were sent, and each frame has to be delivered or counted.
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "Vrx_harness.h"
#include "sim/base/random.h"
#include "tests/golden/filter.h"
#include "tests/golden/frame_builder.h"
#include "tests/golden/gro.h"
#include "tests/golden/rss.h"
#include "tests/rtl/support/axi_memory.h"
#include "verilated.h"

namespace nicroscope::test {

struct PathConfig {
  uint64_t seed = 1;
  unsigned pairs = 0;  // queues in use, 0 for all
  bool mrg_rxbuf = true;
  bool hash_report = false;
  bool csum = true;
  bool lro = false;
  bool promisc = true;
  unsigned ring = 64;           // buffers of a queue
  unsigned buffer_bytes = 600;  // of a buffer, at most; at least a third of it
  unsigned return_cycles = 50;  // until a buffer is given back, at most
  unsigned gap_cycles = 20;     // between frames, at most
  unsigned bad_percent = 0;     // of frames with an error of the MAC
  unsigned streams = 4;         // TCP flows that send segments in order
  unsigned stream_percent = 50;
  unsigned pause_cycles = 0;  // after every eighth frame, at most
  bool skip_idle = false;     // do not clock what is idle, until its deadline
  golden::FrameMix mix{};
  AxiTiming timing{};
};

// What was counted.
struct PathCounts {
  uint64_t bad = 0;
  uint64_t fifo = 0;
  uint64_t disabled = 0;
  uint64_t filter = 0;
  uint64_t no_fit = 0;
  uint64_t no_buffer = 0;
  uint64_t reset = 0;
  uint64_t merged = 0;
  uint64_t delivered = 0;
  uint64_t csum_good = 0;
  uint64_t csum_bad = 0;

  uint64_t lost() const { return fifo + no_fit + no_buffer + reset; }
  uint64_t all() const { return bad + disabled + filter + lost() + merged + delivered; }
};

class RxPathBench {
 public:
  static constexpr unsigned kStream = sizeof(Vrx_harness::s_axis_tdata_i);
  static constexpr unsigned kAxi = sizeof(Vrx_harness::m_axi_wdata_o);
  static constexpr uint64_t kBase = 0x40'0000'0000;

  explicit RxPathBench(const PathConfig& config);
  ~RxPathBench();
  RxPathBench(const RxPathBench&) = delete;
  RxPathBench& operator=(const RxPathBench&) = delete;

  void step();
  // Sends so many more frames and waits for the last one's end.
  void send(unsigned frames);
  // Until nothing moves any more; false if that takes too long.
  bool settle();
  // Until all frames are accounted for and nothing is pending in the device.
  void check_balance();
  // The driver of this queue gives no more buffers, or gives them again.
  void starve(unsigned queue, bool on);
  // A queue is reset and set up again.
  void reset_queue(unsigned queue);
  // The whole device is reset, whatever it does, and set up again.
  void reset_device();

  Vrx_harness& model() { return *model_; }
  unsigned queues() const { return queues_; }
  uint64_t sent() const { return sent_; }
  uint64_t cycle() const { return cycle_; }
  const PathCounts& counts() const { return counts_; }
  uint64_t delivered(unsigned queue) const { return lines_.at(queue).delivered; }
  uint64_t verdicts() const { return verdicts_; }
  uint64_t hashes() const { return hashes_; }
  uint64_t super_frames() const;
  const std::string& failure() const { return failure_; }
  uint64_t skipped() const { return skipped_; }
  // What came out, and when.
  const std::vector<uint64_t>& events() const { return events_; }

 private:
  struct Buffer {
    uint64_t addr;
    uint32_t len;
    uint16_t id;
  };
  // A receive queue and its driver.
  struct Line {
    std::vector<Buffer> buffers;                     // by id
    std::deque<uint16_t> given;                      // with the device, oldest first
    std::deque<uint16_t> waiting;                    // of them: not taken by it yet
    std::deque<std::pair<uint64_t, uint16_t>> idle;  // from when on they can be given
    std::vector<uint16_t> group;
    std::vector<std::byte> bytes;
    golden::GroChecker checker;
    uint64_t delivered = 0;
    bool starved = false;
  };

  void quiet_clock();
  void configure();
  void set_up_queue(unsigned queue);
  void give_buffers();
  void drive_stream();
  void next_frame();
  void note_counts();
  void note_used();
  void finish_group(unsigned queue);
  void fail(const std::string& why);

  PathConfig config_;
  sim::Random random_;
  VerilatedContext context_;
  std::unique_ptr<Vrx_harness> model_;
  unsigned queues_ = 1;
  unsigned pairs_ = 1;
  unsigned slot_ = 0;  // bytes of memory for a buffer
  std::unique_ptr<Memory> memory_;
  std::unique_ptr<AxiWriteMemory<Vrx_harness, kAxi>> write_;
  std::vector<Line> lines_;
  std::vector<golden::TcpFlow> streams_;
  golden::RssConfig rss_;
  golden::ReceiveFilter filter_;
  PathCounts counts_;
  std::string failure_;

  golden::Bytes frame_;
  size_t at_ = 0;  // bytes of frame_ that were sent
  bool sending_ = false;
  bool frame_bad_ = false;
  unsigned gap_ = 0;
  unsigned to_send_ = 0;
  uint32_t tag_ = 0;
  int popped_ = -1;  // queue whose descriptor is due
  Buffer popped_buffer_{};
  uint32_t avail_ = 0;
  std::vector<uint64_t> events_;
  uint64_t skipped_ = 0;
  uint64_t cycle_ = 0;
  uint64_t sent_ = 0;
  uint64_t verdicts_ = 0;
  uint64_t hashes_ = 0;
};

}  // namespace nicroscope::test
