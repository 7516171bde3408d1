// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "nicroscope/time.h"
#include "nicroscope/trace.h"
#include "stack/kernel/timer.h"

namespace nicroscope::kernel {

class Kernel;
class Task;

/// A device queue that is polled from the NET_RX softirq instead of interrupting for each packet.
///
///     interrupt -> napi_schedule -> [poll: weight used up -> again] -> poll: done early
///         ^                                                               |
///         +------------- interrupts on <- napi_complete_done <------------+
///
/// With defer_hard_irqs the way back goes by a timer that polls again, so many times without
/// finding anything before interrupts are on. Threaded, a kernel thread polls; a process may poll
/// too (napi_busy_loop). Every change of state is an event of the trace (napi_state).
struct napi_struct {
  /// Handles up to `budget` packets and returns how many. If fewer, it has called
  /// napi_complete_done and owns the instance no more.
  std::function<int(int budget)> poll;
  int weight = 64;
  std::uint16_t queue = 0;  ///< queue pair, for the trace
  /// /sys/class/net/DEV/napi_defer_hard_irqs: polls without a packet before interrupts are on...
  unsigned defer_hard_irqs = 0;
  /// ...and the time between them: gro_flush_timeout. Both must be set to have an effect.
  Duration gro_flush_timeout{};

  // The rest is NapiCore's. By Linux's names: NAPI_STATE_SCHED and so on.
  napi_struct* next = nullptr;
  bool scheduled = false;
  bool disabled = true;
  bool missed = false;  ///< scheduled again while it was polled
  bool in_busy_poll = false;
  bool prefer_busy_poll = false;
  bool threaded = false;
  bool sched_threaded = false;  ///< its thread is to poll
  unsigned defer_hard_irqs_count = 0;
  unsigned napi_id = 0;  ///< while it is enabled
  std::unique_ptr<hrtimer> timer;
  Task* thread = nullptr;

  /// The states as bits, as napi_state events have them: in the order of Linux's NAPI_STATE_*.
  [[nodiscard]] std::uint32_t state() const noexcept {
    return (scheduled ? 1U : 0U) | (missed ? 2U : 0U) | (disabled ? 4U : 0U) |
           (in_busy_poll ? 64U : 0U) | (prefer_busy_poll ? 128U : 0U) | (threaded ? 256U : 0U) |
           (sched_threaded ? 512U : 0U);
  }
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

  // ---- later knobs
  /// Polls it in a kernel thread of that name (Linux: "napi/eth0-1"), which shares the CPU with
  /// processes, or in softirq again (/sys/class/net/DEV/threaded).
  void napi_set_threaded(napi_struct& napi, bool threaded, const std::string& name);
  [[nodiscard]] napi_struct* napi_by_id(unsigned napi_id) const noexcept;
  /// What this CPU polls, for packets to know where they came from; null between polls.
  [[nodiscard]] const napi_struct* polling() noexcept { return this_cpu().polling; }
  /// SO_BUSY_POLL_BUDGET's default.
  static constexpr int kBusyPollBudget = 8;
  /// In process context: polls the instance until `loop_end` says so; looks once if it is null.
  /// With `prefer_busy_poll` the softirq leaves it to the process while the latter comes again
  /// within gro_flush_timeout (SO_PREFER_BUSY_POLL).
  void napi_busy_loop(unsigned napi_id, const std::function<bool()>& loop_end,
                      bool prefer_busy_poll = false, int budget = kBusyPollBudget);

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
  /// Polls once; true if it is to be polled again.
  [[nodiscard]] bool poll_once(napi_struct& napi, int& work);
  int call_poll(napi_struct& napi, int budget);
  void napi_watchdog(napi_struct& napi);
  void napi_threaded_poll(napi_struct& napi);
  void busy_poll_stop(napi_struct& napi, bool prefer_busy_poll, int budget);
  void emit_state(const napi_struct& napi);

  struct PerCpu {
    List poll_list;
    softnet_stat stat;
    const napi_struct* polling = nullptr;
  };
  [[nodiscard]] PerCpu& this_cpu() noexcept;

  Kernel& kernel_;
  std::vector<PerCpu> cpus_;
  std::function<void()> rps_action_;
  std::map<unsigned, napi_struct*> by_id_;
  unsigned next_id_ = 1;
  std::uint64_t polls_ = 0;
};

}  // namespace nicroscope::kernel
