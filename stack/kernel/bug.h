// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace nicroscope::kernel {

/// Host software broke a rule of the kernel (slept in an interrupt, freed twice, ...): says so on
/// standard error and aborts. For bugs only; what input can cause is a result.
[[noreturn]] void bug(const char* what);

inline void bug_on(bool condition, const char* what) {
  if (condition) [[unlikely]]
    bug(what);
}

}  // namespace nicroscope::kernel
