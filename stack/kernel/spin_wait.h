// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <utility>
#include <vector>

#include "stack/kernel/kernel.h"

namespace nicroscope::kernel {

/// Contexts that wait on the spot, each on its CPU, until another CPU has done something. In
/// Linux they poll a variable with cpu_relax() between; here they are told.
class SpinWait {
 public:
  /// From a context: waits until release(). Outside every context it does nothing.
  void wait(Kernel& kernel) {
    Cpu& cpu = kernel.cpu();
    if (cpu.running() == nullptr) return;
    waiting_.emplace_back(&cpu, cpu.running());
    cpu.spin();
  }
  /// From anywhere: all go on.
  void release() {
    if (waiting_.empty()) return;
    for (const auto& [cpu, context] : std::exchange(waiting_, {})) cpu->stop_spinning(*context);
  }

 private:
  std::vector<std::pair<Cpu*, Context*>> waiting_;
};

}  // namespace nicroscope::kernel
