// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>

#include "stack/kernel/bug.h"
#include "stack/kernel/kernel.h"
#include "stack/kernel/lock/lockdep.h"

// Who polls in the place of the softirq: a thread, or the process that waits for the packets.

namespace nicroscope::kernel {

// ---- a thread
// ------------------------------------------------------------------------------------

void NapiCore::napi_set_threaded(napi_struct& napi, bool threaded, const std::string& name) {
  if (threaded && napi.thread == nullptr) {
    napi.thread =
        &kernel_.spawn(name, [this, &napi] { napi_threaded_poll(napi); }, {.kthread = true});
  }
  napi.threaded = threaded;  // holds from the next __napi_schedule on
  emit_state(napi);
}

void NapiCore::napi_threaded_poll(napi_struct& napi) {
  for (;;) {
    kernel_.cpu().prepare_to_sleep();
    if (!napi.sched_threaded) {
      kernel_.cpu().schedule();
      continue;
    }
    kernel_.cpu().current_is_running();
    for (bool again = true; again;) {
      kernel_.cpu().local_bh_disable();
      int work = 0;
      again = poll_once(napi, work);
      kernel_.cpu().local_bh_enable();
      kernel_.cond_resched();
    }
  }
}

// ---- a process
// -----------------------------------------------------------------------------------

void NapiCore::napi_busy_loop(unsigned napi_id, const std::function<bool()>& loop_end,
                              bool prefer_busy_poll, int budget) {
  kernel_.lockdep().might_sleep("napi_busy_loop");
  napi_struct* napi = napi_by_id(napi_id);
  if (napi == nullptr) return;
  const Duration relax =
      std::max<Duration>(kernel_.config().costs[cost::cpu_relax], std::chrono::nanoseconds{1});
  bool owner = false;
  for (;;) {
    kernel_.cpu().local_bh_disable();
    if (!owner && !napi->disabled && !napi->scheduled) {
      napi->scheduled = napi->in_busy_poll = true;
      emit_state(*napi);
      owner = true;
    } else if (!owner && prefer_busy_poll && !napi->prefer_busy_poll) {
      napi->prefer_busy_poll = true;
      emit_state(*napi);
    }
    if (owner) call_poll(*napi, budget);
    kernel_.cpu().local_bh_enable();
    const bool end = !loop_end || loop_end();
    const bool leave = end || napi->disabled || kernel_.cpu().need_resched();
    if (leave && owner) {
      busy_poll_stop(*napi, prefer_busy_poll, budget);
      owner = false;
    }
    if (end) return;
    kernel_.cond_resched();
    kernel_.spend(relax);
    if (owner) continue;  // it stays while it is owned
    napi = napi_by_id(napi_id);
    if (napi == nullptr) return;
  }
}

// One last poll, which completes it if there is nothing, as the softirq's would.
void NapiCore::busy_poll_stop(napi_struct& napi, bool prefer_busy_poll, int budget) {
  kernel_.cpu().local_bh_disable();
  napi.missed = napi.in_busy_poll = false;
  emit_state(napi);
  bool by_timer = false;
  if (prefer_busy_poll) {
    napi.defer_hard_irqs_count = napi.defer_hard_irqs;
    by_timer = napi.defer_hard_irqs_count != 0 && napi.gro_flush_timeout != Duration::zero();
    if (by_timer) {
      kernel_.timers().hrtimer_start(*napi.timer, kernel_.now() + napi.gro_flush_timeout);
    }
  }
  if (call_poll(napi, budget) == budget) {
    if (napi.disabled || by_timer) {
      napi.scheduled = false;
      emit_state(napi);
    } else {
      __napi_schedule(napi);
    }
  }
  kernel_.cpu().local_bh_enable();
}

}  // namespace nicroscope::kernel
