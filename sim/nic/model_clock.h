// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace nicroscope::sim {

/// One cycle of a Verilated model's clk_i, up to its rising edge. The low phase comes first: in it
/// the RTL's clock gates see the inputs of this edge.
template <typename Model, typename Root>
void rising_edge(Model& model, Root& root) {
  root.clk_i = 0;
  model.eval();
  root.clk_i = 1;
  model.eval();
}

}  // namespace nicroscope::sim
