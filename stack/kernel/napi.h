// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "nicroscope/trace.h"

namespace nicroscope::kernel {

class Kernel;

/// A device queue that is polled from the NET_RX softirq instead of interrupting for each packet.
///
///     interrupt -> napi_schedule -> [poll: weight used up -> again] -> poll: done early
///         ^                                                               |
///         +------------- interrupts on <- napi_complete_done <------------+
struct napi_struct {
  /// Handles up to `budget` packets and returns how many. If fewer, it has called
  /// napi_complete_done and owns the instance no more.
  std::function<int(int budget)> poll;
  int weight = 64;
  std::uint16_t queue = 0;  ///< queue pair, for the trace

  // The rest is NapiCore's.
  napi_struct* next = nullptr;
  bool scheduled = false;  ///< NAPI_STATE_SCHED
  bool disabled = true;    ///< NAPI_STATE_DISABLE
  bool missed = false;     ///< NAPI_STATE_MISSED: scheduled again while it was polled
};

/// What /proc/net/softnet_stat says of one CPU.
struct softnet_stat {
  std::uint64_t processed = 0;         ///< packets polled, those of the backlog included
  std::uint64_t dropped = 0;           ///< that the backlog had no room for
  std::uint64_t time_squeeze = 0;      ///< passes that ended with work left
  std::uint64_t received_rps = 0;      ///< times that another CPU asked this one to receive
  std::uint64_t flow_limit_count = 0;  ///< dropped for taking more than a flow's share
  std::uint64_t backlog_len = 0;       ///< packets in the backlog now
};

/// The NAPI half of net/core/dev.c. An instance is polled by the CPU that scheduled it.
class NapiCore {
 public:
  explicit NapiCore(Kernel& kernel);
  NapiCore(const NapiCore&) = delete;
  NapiCore& operator=(const NapiCore&) = delete;

  /// From a hard interrupt (or with interrupts off): the instance is polled soon. Scheduled
  /// already, it is polled once more.
  void napi_schedule(napi_struct& napi);
  /// False if it is scheduled already or disabled; true makes the caller call __napi_schedule.
  [[nodiscard]] bool napi_schedule_prep(napi_struct& napi);
  void __napi_schedule(napi_struct& napi);
  /// From poll, which handled `work_done` packets. False if it was scheduled meanwhile: it will be
  /// polled again, and interrupts are to stay off.
  bool napi_complete_done(napi_struct& napi, int work_done);
  void napi_enable(napi_struct& napi);
  /// Waits until it is not being polled and keeps it so. In process context.
  void napi_disable(napi_struct& napi);

  /// Called at the end of each NET_RX softirq, on its CPU: for the backlog (net/core: softnet).
  void set_rps_action(std::function<void()> action) { rps_action_ = std::move(action); }

  /// The sum of all CPUs.
  [[nodiscard]] softnet_stat stat() const noexcept;
  /// Of one; what is not NAPI's own the backlog counts here (net/core: softnet).
  [[nodiscard]] softnet_stat& stat(unsigned cpu) noexcept { return cpus_[cpu].stat; }
  [[nodiscard]] const softnet_stat& stat(unsigned cpu) const noexcept { return cpus_[cpu].stat; }
  [[nodiscard]] std::uint64_t polls() const noexcept { return polls_; }
  /// As /proc/net/softnet_stat of Linux 6.1: a line a CPU, hexadecimal.
  [[nodiscard]] std::string proc_net_softnet_stat() const;

 private:
  struct List {
    napi_struct* first = nullptr;
    napi_struct* last = nullptr;

    void push_back(napi_struct& napi) noexcept;
    [[nodiscard]] napi_struct* pop_front() noexcept;
    /// Appends `other`, which is empty afterwards.
    void splice(List& other) noexcept;
  };

  void net_rx_action();
  int napi_poll(napi_struct& napi, List& repoll);

  struct PerCpu {
    List poll_list;
    softnet_stat stat;
  };
  [[nodiscard]] PerCpu& this_cpu() noexcept;

  Kernel& kernel_;
  std::vector<PerCpu> cpus_;
  std::function<void()> rps_action_;
  std::uint64_t polls_ = 0;
};

}  // namespace nicroscope::kernel
