// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace nicroscope::cli {

/// With --json, standard output is for one JSON object alone, but Verilator's models print there
/// when an assertion fails. From this call on, what anybody prints goes to standard error, and
/// print_json to what standard output was.
void reserve_standard_output();

/// Prints the object on standard output.
void print_json(const nlohmann::json& object);

}  // namespace nicroscope::cli
