// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <CLI/CLI.hpp>

#include "sim/cli/command.h"

namespace nicroscope::cli {

/// `bench linux`: what two User-mode Linux guests get out of their NICs, and how long that takes.
struct BenchLinux {
  CLI::App* app;
  Action run;
};

[[nodiscard]] BenchLinux add_bench_linux(CLI::App& bench);

}  // namespace nicroscope::cli
