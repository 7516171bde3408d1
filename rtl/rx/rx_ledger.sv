// SPDX-License-Identifier: Apache-2.0
//
// rx_ledger: accounts for every frame between the receive store and the driver, so that a reset of
// the device loses none without a count.
//
//   stored_i      a whole frame came into the store.
//   left_i        frames that leave, a bit for each way: returned to the driver, appended to
//                 another, or dropped and counted elsewhere.
//   give_up_i     nothing behind the store moves any more until the reset: the frames held are lost.
//   drop_reset_o  pulses once for each frame so lost, one a cycle.
//   quiet_o       no frame is held.
//
// Parameters:
//   Frames   most frames held at once
//   Ways     ways of leaving

module rx_ledger #(
  parameter int unsigned Frames = 1024,
  parameter int unsigned Ways = 2
) (
  input  logic            clk_i,
  input  logic            rst_i,
  input  logic            stored_i,
  input  logic [Ways-1:0] left_i,
  input  logic            give_up_i,
  output logic            drop_reset_o,
  output logic            quiet_o
);

  localparam int unsigned Width = $clog2(Frames + 1);

  logic [Width-1:0] held_q;
  logic             drop;

  assign quiet_o      = held_q == '0;
  assign drop         = give_up_i && !quiet_o;
  assign drop_reset_o = drop;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      held_q <= '0;
    end else if (stored_i || left_i != '0 || drop) begin
      held_q <= held_q + Width'(stored_i) - Width'($countones(left_i)) - Width'(drop);
    end
  end

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (!rst_i) begin
      // Frames that leave were held.
      a_held: assert (Width'($countones(left_i)) <= held_q);
      // Frames that are given up do not leave by another way.
      a_final: assert (!(give_up_i && left_i != '0));
      // The count has room.
      a_room: assert (held_q <= Width'(Frames));
    end
  end
`endif

endmodule
