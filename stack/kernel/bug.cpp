// SPDX-License-Identifier: Apache-2.0
#include "stack/kernel/bug.h"

#include <cstdio>
#include <cstdlib>

namespace nicroscope::kernel {

void bug(const char* what) {
  std::fprintf(stderr, "kernel BUG: %s\n", what);
  std::abort();
}

}  // namespace nicroscope::kernel
