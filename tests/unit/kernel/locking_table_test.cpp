// SPDX-License-Identifier: Apache-2.0
// Rusty Russell, "Unreliable Guide To Locking" (Documentation/kernel-hacking/locking.rst): the
// Table of Minimum Requirements, cell by cell. What a cell demands is accepted and so is what is
// stronger; what is weaker is refused.
#include <gtest/gtest.h>

#include <array>
#include <functional>
#include <memory>
#include <string>

#include "stack/kernel/deferred/tasklet.h"
#include "stack/kernel/lock/lockdep.h"
#include "stack/kernel/lock/mutex.h"
#include "stack/kernel/lock/spinlock.h"
#include "tests/support/rig.h"

namespace nicroscope::test {
namespace {

using kernel::irqreturn_t;
using kernel::Softirq;
using std::chrono::microseconds;

enum class Where { irq, softirq, tasklet, timer, user };

struct Place {
  const char* name;
  Where where;
  unsigned which;  ///< A or B
};
constexpr std::array<Place, 10> kPlaces{{{"IrqA", Where::irq, 0},
                                         {"IrqB", Where::irq, 1},
                                         {"SoftirqA", Where::softirq, 0},
                                         {"SoftirqB", Where::softirq, 1},
                                         {"TaskletA", Where::tasklet, 0},
                                         {"TaskletB", Where::tasklet, 1},
                                         {"TimerA", Where::timer, 0},
                                         {"TimerB", Where::timer, 1},
                                         {"UserA", Where::user, 0},
                                         {"UserB", Where::user, 1}}};

enum class With { none, sl, slbh, sli, slis, mli };
using enum With;

/// The table, row by row; a row's own column is its last.
constexpr std::array<std::array<With, 10>, 10> kTable{{
    {none},
    {slis, none},
    {sli, sli, sl},
    {sli, sli, sl, sl},
    {sli, sli, sl, sl, none},
    {sli, sli, sl, sl, sl, none},
    {sli, sli, sl, sl, sl, sl, none},
    {sli, sli, sl, sl, sl, sl, sl, none},
    {sli, sli, slbh, slbh, slbh, slbh, slbh, slbh, none},
    {sli, sli, slbh, slbh, slbh, slbh, slbh, slbh, mli, none},
}};

/// Two CPUs on which two pieces of code share data.
class Host {
 public:
  Host() : rig_(config()), lock_(rig_.kernel, "shared"), mutex_(rig_.kernel, "shared_mutex") {
    for (const unsigned which : {0U, 1U}) {
      EXPECT_TRUE(rig_.kernel.irq().request_irq(1 + which, "dev", [this](unsigned) {
        call();
        return irqreturn_t::IRQ_HANDLED;
      }));
      rig_.kernel.open_softirq(softirq(which), [this] { call(); });
      tasklets_[which] = std::make_unique<kernel::tasklet_struct>(rig_.kernel, [this] { call(); });
      timers_[which] = std::make_unique<kernel::timer_list>(rig_.kernel, [this] { call(); });
      // One process each, which is asked to do it as often as wanted.
      users_[which] = &rig_.kernel.spawn("user", [this] {
        for (;;) {
          rig_.kernel.cpu().block();
          call();
        }
      });
    }
    rig_.timeline.run();
  }
  ~Host() { rig_.kernel.shutdown(); }

  /// Uses the data in that place, with that lock.
  void use(const Place& place, With with) {
    body_ = [this, with] { use_with(with); };
    auto& kernel = rig_.kernel;
    switch (place.where) {
      case Where::irq:
        kernel.irq().raise(1 + place.which);
        break;
      case Where::softirq:
        kernel.raise_softirq(softirq(place.which));
        break;
      case Where::tasklet:
        kernel.tasklets().tasklet_schedule(*tasklets_[place.which]);
        break;
      case Where::timer:
        kernel.timers().mod_timer(*timers_[place.which], 0);
        break;
      case Where::user:
        kernel.wake_up_process(*users_[place.which]);
        break;
    }
    rig_.timeline.run();
    EXPECT_FALSE(body_) << place.name << " did not run";
  }
  [[nodiscard]] std::string errors() {
    std::string text;
    for (const std::string& error : rig_.kernel.lockdep().errors()) text += error + '\n';
    return text;
  }

 private:
  static kernel::Config config() {
    kernel::Config config = only({});
    config.cpus = 2;
    return config;
  }
  static Softirq softirq(unsigned which) { return which == 0 ? Softirq::net_tx : Softirq::net_rx; }

  void call() {
    if (body_) std::exchange(body_, nullptr)();
  }
  void use_with(With with) {
    switch (with) {
      case none:
        return touch();
      case sl: {
        const kernel::spin_guard guard(lock_);
        return touch();
      }
      case slbh: {
        const kernel::spin_guard_bh guard(lock_);
        return touch();
      }
      case sli:
        spin_lock_irq(lock_);
        touch();
        return spin_unlock_irq(lock_);
      case slis: {
        const kernel::spin_guard_irqsave guard(lock_);
        return touch();
      }
      case mli: {
        const kernel::mutex_guard guard(mutex_);
        return touch();
      }
    }
  }
  void touch() {
    data_.access();
    rig_.kernel.spend(microseconds{1});
  }

  Rig rig_;
  kernel::spinlock_t lock_;
  kernel::mutex mutex_;
  kernel::shared_data data_{rig_.kernel, "data"};
  std::array<std::unique_ptr<kernel::tasklet_struct>, 2> tasklets_;
  std::array<std::unique_ptr<kernel::timer_list>, 2> timers_;
  std::array<kernel::Task*, 2> users_{};
  std::function<void()> body_;
};

/// What the other side of the cell takes: the plain lock, as it cannot be interrupted by this one.
With other_side(With with) {
  switch (with) {
    case none:
    case slis:
    case mli:
      return with;
    default:
      return sl;
  }
}

/// A cell: the row's place and the column's.
class Cell : public ::testing::TestWithParam<std::tuple<std::size_t, std::size_t>> {
 protected:
  [[nodiscard]] const Place& row() const { return kPlaces[std::get<0>(GetParam())]; }
  [[nodiscard]] const Place& column() const { return kPlaces[std::get<1>(GetParam())]; }
  [[nodiscard]] With demanded() const {
    return kTable[std::get<0>(GetParam())][std::get<1>(GetParam())];
  }
  /// What the checker says when the row's place takes `with` and the column's `other`; each twice,
  /// as handlers do come again.
  [[nodiscard]] std::string judge(bool row_first, With with, With other) const {
    Host host;
    for (int i = 0; i < 2; ++i) {
      if (row_first) host.use(row(), with);
      host.use(column(), other);
      if (!row_first) host.use(row(), with);
    }
    return host.errors();
  }
  /// In whichever order they come.
  void accepts(With with, With other) const {
    EXPECT_EQ(judge(true, with, other), "") << row().name << " and " << column().name;
    EXPECT_EQ(judge(false, with, other), "") << row().name << " and " << column().name;
  }
  void refuses(With with, With other, const std::string& error) const {
    EXPECT_NE(judge(true, with, other).find(error), std::string::npos) << judge(true, with, other);
    EXPECT_NE(judge(false, with, other).find(error), std::string::npos)
        << judge(false, with, other);
  }
};

TEST_P(Cell, WhatItDemandsIsAccepted) { accepts(demanded(), other_side(demanded())); }

TEST_P(Cell, WhatIsWeakerIsRefused) {
  const With other = other_side(demanded());
  if (demanded() == none) return;  // nothing is
  refuses(none, none, "data race");
  refuses(none, other, "data race");
  switch (demanded()) {
    case slbh:
      refuses(sl, other, "SOFTIRQ-ON-W");
      break;
    case sli:
      refuses(sl, other, "HARDIRQ-ON-W");
      refuses(slbh, other, "HARDIRQ-ON-W");
      break;
    case slis:
      // In a handler interrupts are off: to enable them in spin_unlock_irq is the mistake.
      refuses(sli, other, "spin_lock_irq with interrupts off");
      break;
    default:
      break;
  }
}

TEST_P(Cell, SavingInterruptsIsAlwaysEnough) {
  if (demanded() == mli || demanded() == none) return;  // these may sleep, or need nothing
  accepts(slis, slis);
}

TEST_P(Cell, AMutexIsForProcessesAlone) {
  if (row().where == Where::user && column().where == Where::user) {
    accepts(mli, mli);
  } else {
    refuses(mli, mli, "sleeping function called from invalid context");
  }
}

std::vector<std::tuple<std::size_t, std::size_t>> cells() {
  std::vector<std::tuple<std::size_t, std::size_t>> list;
  for (std::size_t row = 0; row < kPlaces.size(); ++row) {
    for (std::size_t column = 0; column <= row; ++column) list.emplace_back(row, column);
  }
  return list;
}

std::string name_of(const ::testing::TestParamInfo<Cell::ParamType>& cell) {
  return std::string(kPlaces[std::get<0>(cell.param)].name) + "And" +
         kPlaces[std::get<1>(cell.param)].name;
}

INSTANTIATE_TEST_SUITE_P(LockingTable, Cell, ::testing::ValuesIn(cells()), name_of);

}  // namespace
}  // namespace nicroscope::test
