// SPDX-License-Identifier: Apache-2.0
//
// Proof harness of ring_two: whoever writes has looked at room_o in the cycle before; the readers are
// free. One entry, chosen freely, is followed to both of them.

module ring_two_formal #(
  parameter int unsigned Depth = 4
) (
  input logic       clk_i,
  input logic       rst_i,
  input logic       wr_valid_i,
  input logic [2:0] wr_first_i,
  input logic [2:0] wr_second_i,
  input logic       first_ready_i,
  input logic       second_ready_i,
  input logic       mark_i          // follow the entry that is written now
);

  logic       room, settled, empty, first_valid, second_valid;
  logic [2:0] first_data, second_data;

  ring_two #(
    .FirstWidth (3),
    .SecondWidth(3),
    .Depth      (Depth)
  ) u_dut (
    .clk_i         (clk_i),
    .rst_i         (rst_i),
    .wr_valid_i    (wr_valid_i),
    .wr_first_i    (wr_first_i),
    .wr_second_i   (wr_second_i),
    .room_o        (room),
    .settled_o     (settled),
    .empty_o       (empty),
    .first_valid_o (first_valid),
    .first_ready_i (first_ready_i),
    .first_data_o  (first_data),
    .second_valid_o(second_valid),
    .second_ready_i(second_ready_i),
    .second_data_o (second_data)
  );

  // What the induction has to know of u_dut.
  localparam int unsigned PtrWidth = $clog2(Depth) + 1;
  (* hierconn *) wire [PtrWidth-1:0] \u_dut.wr_ptr_q ;
  (* hierconn *) wire [PtrWidth-1:0] \u_dut.first_ptr_q ;
  (* hierconn *) wire [PtrWidth-1:0] \u_dut.second_ptr_q ;
  (* hierconn *) wire [2:0] \u_dut.u_first.mem[0] ;
  (* hierconn *) wire [2:0] \u_dut.u_first.mem[1] ;
  (* hierconn *) wire [2:0] \u_dut.u_first.mem[2] ;
  (* hierconn *) wire [2:0] \u_dut.u_first.mem[3] ;
  (* hierconn *) wire [2:0] \u_dut.u_second.mem[0] ;
  (* hierconn *) wire [2:0] \u_dut.u_second.mem[1] ;
  (* hierconn *) wire [2:0] \u_dut.u_second.mem[2] ;
  (* hierconn *) wire [2:0] \u_dut.u_second.mem[3] ;

  logic [11:0] first_mem, second_mem;
  assign first_mem  = {\u_dut.u_first.mem[3] , \u_dut.u_first.mem[2] , \u_dut.u_first.mem[1] ,
                       \u_dut.u_first.mem[0] };
  assign second_mem = {\u_dut.u_second.mem[3] , \u_dut.u_second.mem[2] , \u_dut.u_second.mem[1] ,
                       \u_dut.u_second.mem[0] };

  logic       started_q = 1'b0;
  logic       room_q;                    // room_o in the cycle before
  logic [3:0] held_first_q, held_second_q;   // entries that the reader has not taken
  logic       follow_first_q, follow_second_q;
  logic [3:0] ahead_first_q, ahead_second_q;
  logic [2:0] word_first_q, word_second_q;
  logic       stall_first_q, stall_second_q;
  logic [2:0] was_first_q, was_second_q;
  logic [1:0] fresh_q;                   // an entry was written in the cycle before, two before
  logic [3:0] streak_q;
  logic       take_first, take_second;

  assign take_first  = first_valid && first_ready_i;
  assign take_second = second_valid && second_ready_i;

  always_ff @(posedge clk_i) begin
    started_q <= 1'b1;
    room_q    <= room && !rst_i;
    if (rst_i) begin
      held_first_q    <= '0;
      held_second_q   <= '0;
      follow_first_q  <= 1'b0;
      follow_second_q <= 1'b0;
      stall_first_q   <= 1'b0;
      stall_second_q  <= 1'b0;
      fresh_q         <= '0;
      streak_q        <= '0;
    end else begin
      held_first_q  <= held_first_q + 4'(wr_valid_i) - 4'(take_first);
      held_second_q <= held_second_q + 4'(wr_valid_i) - 4'(take_second);
      if (wr_valid_i && mark_i && !follow_first_q && !follow_second_q) begin
        follow_first_q  <= 1'b1;
        follow_second_q <= 1'b1;
        ahead_first_q   <= held_first_q - 4'(take_first);
        ahead_second_q  <= held_second_q - 4'(take_second);
        word_first_q    <= wr_first_i;
        word_second_q   <= wr_second_i;
      end else begin
        if (follow_first_q && take_first) begin
          ahead_first_q  <= ahead_first_q - 1'b1;
          follow_first_q <= ahead_first_q != '0;
        end
        if (follow_second_q && take_second) begin
          ahead_second_q  <= ahead_second_q - 1'b1;
          follow_second_q <= ahead_second_q != '0;
        end
      end
      stall_first_q  <= first_valid && !first_ready_i;
      stall_second_q <= second_valid && !second_ready_i;
      was_first_q    <= first_data;
      was_second_q   <= second_data;
      fresh_q        <= {fresh_q[0], wr_valid_i};
      streak_q       <= (wr_valid_i && take_first && take_second) ? streak_q + 4'(streak_q != '1)
                                                                   : '0;
    end
  end

  always_comb begin
    // A run begins with a reset.
    m_reset_first: assume (started_q || rst_i);
    // An entry is written only where there was room in the cycle before.
    m_room: assume (!wr_valid_i || room_q);
  end

  // Where the followed entry lies in the ring, if it is not at the output.
  logic [PtrWidth-1:0] place_first, place_second;
  assign place_first  = \u_dut.first_ptr_q  + PtrWidth'(ahead_first_q) - PtrWidth'(first_valid);
  assign place_second = \u_dut.second_ptr_q  + PtrWidth'(ahead_second_q) - PtrWidth'(second_valid);

  always_ff @(posedge clk_i) begin
    if (started_q && !rst_i) begin
      // An entry reaches each reader once, unchanged, when those before it have been taken.
      a_first: assert (!(follow_first_q && ahead_first_q == '0 && first_valid) ||
                       first_data == word_first_q);
      a_second: assert (!(follow_second_q && ahead_second_q == '0 && second_valid) ||
                        second_data == word_second_q);
      // Nothing is offered that was not written; what is held is offered two cycles later at most.
      a_offer_first: assert (first_valid ? held_first_q != '0
                                         : held_first_q <= 4'(fresh_q[0]));
      a_offer_second: assert (second_valid ? held_second_q != '0
                                           : held_second_q <= 4'(fresh_q[0]));
      // An entry that is offered stays until it is taken.
      a_stay_first: assert (!stall_first_q || (first_valid && first_data == was_first_q));
      a_stay_second: assert (!stall_second_q || (second_valid && second_data == was_second_q));
      // No reader waits for the other: room is there while neither is behind by the ring's depth less
      // one, and what it promises holds.
      a_room: assert (!room || (held_first_q <= 4'(Depth - 1) && held_second_q <= 4'(Depth - 1)));
      a_empty: assert (empty == (held_second_q == '0));
      a_settled: assert (!settled || (held_first_q == 4'(first_valid) || !first_ready_i));
      // What is followed is held, and lies where the pointers say.
      a_held: assert ((!follow_first_q || ahead_first_q < held_first_q) &&
                      (!follow_second_q || ahead_second_q < held_second_q));
      a_count: assert (4'(PtrWidth'(\u_dut.wr_ptr_q  - \u_dut.first_ptr_q )) + 4'(first_valid) ==
                       held_first_q &&
                       4'(PtrWidth'(\u_dut.wr_ptr_q  - \u_dut.second_ptr_q )) + 4'(second_valid) ==
                       held_second_q);
      a_kept_first: assert (!follow_first_q || (ahead_first_q == '0 && first_valid) ||
                            first_mem[3*place_first[PtrWidth-2:0] +: 3] == word_first_q);
      a_kept_second: assert (!follow_second_q || (ahead_second_q == '0 && second_valid) ||
                             second_mem[3*place_second[PtrWidth-2:0] +: 3] == word_second_q);
      a_promise: assert (!room_q || (held_first_q <= 4'(Depth) && held_second_q <= 4'(Depth) &&
                                     PtrWidth'(\u_dut.wr_ptr_q  - \u_dut.first_ptr_q ) < PtrWidth'(Depth) &&
                                     PtrWidth'(\u_dut.wr_ptr_q  - \u_dut.second_ptr_q ) < PtrWidth'(Depth)));
      // Entries go in and out to both in every one of eight cycles.
      c_throughput: cover (streak_q == 4'd8);
      // One reader is far behind the other.
      c_apart: cover (held_second_q == 4'(Depth) && held_first_q == '0);
    end
  end

endmodule
