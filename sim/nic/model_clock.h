// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace nicroscope::sim {

/// One cycle of a Verilated model's clk_i, up to its rising edge. The low phase comes first: in it
/// the RTL's clock gates see the inputs of this edge. A fast model has a step of its own
/// (docs/simulator.md, "One cycle").
template <typename Model, typename Root>
void rising_edge(Model& model, Root& root) {
  if constexpr (requires { verilated_step(model); }) {
    verilated_step(model);
  } else {
    root.clk_i = 0;
    model.eval();
    root.clk_i = 1;
    model.eval();
  }
}

}  // namespace nicroscope::sim
