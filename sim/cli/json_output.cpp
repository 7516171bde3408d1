// SPDX-License-Identifier: Apache-2.0
#include "sim/cli/json_output.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <nlohmann/json.hpp>

namespace nicroscope::cli {
namespace {

std::FILE* output = stdout;  // open for the life of the process

}  // namespace

void reserve_standard_output() {
  std::fflush(stdout);
  const int copy = dup(STDOUT_FILENO);
  std::FILE* stream = copy < 0 ? nullptr : fdopen(copy, "w");
  if (stream == nullptr) return;
  output = stream;
  dup2(STDERR_FILENO, STDOUT_FILENO);
}

void print_json(const nlohmann::json& object) {
  fmt::print(output, "{}\n", object.dump(2));
  std::fflush(output);
}

}  // namespace nicroscope::cli
