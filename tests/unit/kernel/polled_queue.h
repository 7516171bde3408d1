// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/support/rig.h"

namespace nicroscope::test {

/// A queue with packets that interrupts unless it is being polled, and a note of who polled how
/// many.
struct PolledQueue {
  static constexpr unsigned kVector = 1;

  explicit PolledQueue(Rig& r, Duration cost = std::chrono::microseconds{1})
      : rig(r), packet_cost(cost) {
    napi.poll = [this](int budget) { return poll(budget); };
    EXPECT_TRUE(rig.kernel.irq().request_irq(kVector, "dev", [this](unsigned) {
      ++interrupts;
      interrupts_on = false;
      rig.kernel.napi().napi_schedule(napi);
      return kernel::irqreturn_t::IRQ_HANDLED;
    }));
    rig.kernel.napi().napi_enable(napi);
  }
  void arrive(int n) {
    packets += n;
    if (interrupts_on) rig.kernel.irq().raise(kVector);
  }
  void arrive_at(Duration when, int n) {
    rig.timeline.at(when, [this, n] { arrive(n); });
  }
  int poll(int budget) {
    const kernel::Task* const task = rig.kernel.cpu().current();
    pollers.push_back(task == nullptr ? "softirq" : task->name());
    EXPECT_TRUE(rig.kernel.cpu().in_softirq());
    int done = 0;
    for (; done < budget && packets > 0; ++done) {
      --packets;
      ++delivered;
      delivered_at = rig.kernel.now();
      rig.kernel.spend(packet_cost);
    }
    polls.push_back(done);
    if (done < budget && rig.kernel.napi().napi_complete_done(napi, done)) {
      interrupts_on = true;
      if (packets > 0) arrive(0);
    }
    return done;
  }

  Rig& rig;
  Duration packet_cost;
  kernel::napi_struct napi;
  bool interrupts_on = true;
  unsigned interrupts = 0;
  int packets = 0;
  int delivered = 0;
  Time delivered_at{};
  std::vector<std::string> pollers;  ///< of each poll: a task, or "softirq"
  std::vector<int> polls;            ///< packets of each
};

}  // namespace nicroscope::test
