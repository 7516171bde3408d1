// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>
#include <unistd.h>
#include <verilated.h>
#if VM_COVERAGE
#include <verilated_cov.h>
#endif

#include <cstdlib>

namespace nicroscope::sim {

/// In a build with NICROSCOPE_COVERAGE, writes which lines ran and which bits toggled in a model
/// that ends into a file of its own below the directory that the environment's
/// NICROSCOPE_COVERAGE_DIR names. In other builds, nothing.
inline void write_rtl_coverage([[maybe_unused]] VerilatedContext& context) {
#if VM_COVERAGE
  static unsigned number = 0;
  const char* directory = std::getenv("NICROSCOPE_COVERAGE_DIR");
  if (directory == nullptr) return;
  context.coveragep()->write(fmt::format("{}/{}-{}.dat", directory, getpid(), number++).c_str());
#endif
}

}  // namespace nicroscope::sim
