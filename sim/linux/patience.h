// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <initializer_list>
#include <string>

namespace nicroscope::uml {

/// What is waited for besides a guest.
struct Patience {
  /// Wall time that a guest may take until it says something. It says nothing while it computes.
  std::chrono::seconds limit{60};
  /// Ends every wait once it can be read; -1 for none.
  int stop = -1;
};

/// The first of `descriptors`, in their order, that can be read or has been closed; waits for one.
/// Throws WaitEnded, with the guest's name, if none comes in time or the wait is to end.
[[nodiscard]] int wait_readable(std::initializer_list<int> descriptors, const Patience& patience,
                                const std::string& guest);

/// Throws WaitEnded if every wait is to end.
void check_stop(const Patience& patience);

}  // namespace nicroscope::uml
