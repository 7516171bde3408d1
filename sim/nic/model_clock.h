// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace nicroscope::sim {

/// One rising edge of a Verilated model's clk_i, which is the only edge that the RTL uses.
///
/// A model finds an edge by comparing the clock with its value in the last evaluation, so plainly
/// an edge takes two evaluations, the second of which does nothing but note the clock's fall. Where
/// the noted value can be reached (the name is Verilator's and can change) it is set instead.
template <typename Model, typename Root>
void rising_edge(Model& model, Root& root) {
  root.clk_i = 1;
  if constexpr (requires { root.__Vtrigrprev__TOP__clk_i; }) {
    root.__Vtrigrprev__TOP__clk_i = 0;
    model.eval();
  } else {
    model.eval();
    root.clk_i = 0;
    model.eval();
  }
}

}  // namespace nicroscope::sim
