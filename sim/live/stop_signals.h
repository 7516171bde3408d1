// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "sim/base/descriptor.h"

namespace nicroscope::sim {

/// SIGINT and SIGTERM as something to poll for, instead of the end of the process, as long as this
/// lives.
class StopSignals {
 public:
  StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
  ~StopSignals();

  /// Readable once one of them came.
  [[nodiscard]] int descriptor() const noexcept { return signals_.get(); }

 private:
  Descriptor signals_;
};

}  // namespace nicroscope::sim
