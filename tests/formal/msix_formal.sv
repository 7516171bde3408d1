// SPDX-License-Identifier: Apache-2.0
//
// Proof harness of msix: any accesses, interrupts, masks, and answers of the bus; one vector, chosen
// freely, is watched. There is no device reset, which forgets what is pending on purpose.

module msix_formal #(
  parameter int unsigned NumVectors = 2
) (
  input logic        clk_i,
  input logic        rst_i,
  input logic        enable_i,
  input logic        mask_i,
  input logic        sel_table_i,
  input logic        sel_pba_i,
  input logic        write_i,
  input logic [13:0] offset_i,
  input logic [31:0] wdata_i,
  input logic [3:0]  wstrb_i,
  input logic        msg_valid_i,
  input logic        msg_vector_i,
  input logic        wr_ready_i,
  input logic        wr_done_i,
  input logic        wr_error_i
);

  logic        settled, enable, ack, msg_ready, wr_valid, issued, failed, quiet, idle;
  logic [31:0] rdata, wr_data;
  logic [63:0] wr_addr, failed_addr;
  logic [15:0] issued_vector, failed_vector;

  msix #(
    .NumVectors (NumVectors),
    .Outstanding(2)
  ) u_dut (
    .clk_i          (clk_i),
    .rst_i          (rst_i),
    .clear_i        (1'b0),
    .settled_o      (settled),
    .enable_i       (enable_i),
    .mask_i         (mask_i),
    .enable_o       (enable),
    .sel_table_i    (sel_table_i),
    .sel_pba_i      (sel_pba_i),
    .write_i        (write_i),
    .offset_i       (offset_i),
    .wdata_i        (wdata_i),
    .wstrb_i        (wstrb_i),
    .ack_o          (ack),
    .rdata_o        (rdata),
    .msg_valid_i    (msg_valid_i),
    .msg_ready_o    (msg_ready),
    .msg_vector_i   ({15'd0, msg_vector_i}),
    .wr_valid_o     (wr_valid),
    .wr_ready_i     (wr_ready_i),
    .wr_addr_o      (wr_addr),
    .wr_data_o      (wr_data),
    .wr_done_i      (wr_done_i),
    .wr_error_i     (wr_error_i),
    .issued_o       (issued),
    .issued_vector_o(issued_vector),
    .failed_o       (failed),
    .failed_vector_o(failed_vector),
    .failed_addr_o  (failed_addr),
    .quiet_o        (quiet),
    .idle_o         (idle)
  );

  // What the induction has to know of u_dut.
  (* hierconn *) wire [1:0]  \u_dut.state_q ;
  (* hierconn *) wire [2:0]  \u_dut.op_q ;
  (* hierconn *) wire        \u_dut.vector_q ;
  (* hierconn *) wire        \u_dut.scan_vector_q ;
  (* hierconn *) wire        \u_dut.unmasked_q ;
  (* hierconn *) wire        \u_dut.scan_q ;
  (* hierconn *) wire        \u_dut.clear_q ;
  (* hierconn *) wire        \u_dut.failed_q ;
  (* hierconn *) wire [1:0]  \u_dut.pending_count_q ;
  (* hierconn *) wire        \u_dut.deliver ;
  (* hierconn *) wire        \u_dut.deliver_q ;
  (* hierconn *) wire        \u_dut.control_we_q ;
  (* hierconn *) wire        \u_dut.waddr_q ;
  (* hierconn *) wire [33:0] \u_dut.control_wdata_q ;
  (* hierconn *) wire [33:0] \u_dut.control ;
  (* hierconn *) wire [33:0] \u_dut.u_control.mem[0] ;
  (* hierconn *) wire [33:0] \u_dut.u_control.mem[1] ;
  (* hierconn *) wire [1:0]  \u_dut.slot_valid_q ;
  (* hierconn *) wire        \u_dut.slot_vector_q[0] ;
  (* hierconn *) wire        \u_dut.slot_vector_q[1] ;
  (* hierconn *) wire        \u_dut.head_q ;
  (* hierconn *) wire        \u_dut.tail_q ;
  (* hierconn *) wire        \u_dut.wr_vector_q ;
  (* hierconn *) wire        \u_dut.msg_ready_q ;

  localparam logic [1:0] StInit     = 2'd0;
  localparam logic [1:0] StIdle     = 2'd1;
  localparam logic [1:0] StFetch    = 2'd2;
  localparam logic [1:0] StAct      = 2'd3;
  localparam logic [2:0] OpUnmasked = 3'd0;
  localparam logic [2:0] OpClear    = 3'd1;
  localparam logic [2:0] OpTable    = 3'd2;
  localparam logic [2:0] OpPba      = 3'd3;
  localparam logic [2:0] OpMessage  = 3'd4;

  (* anyconst *) logic who;

  logic        started_q = 1'b0;
  logic        owed_q;        // an interrupt of `who` was taken, and no message left for it since
  logic        masked_q;      // by the register writes that were answered
  logic [1:0]  flying_q;      // messages on the bus
  logic        was_wr_q;
  logic        was_sel_q, was_msg_q, was_ack_q;
  logic [51:0] was_access_q;
  logic [51:0] access;
  logic        was_vector_q;
  logic        sends, takes, owed;
  logic [33:0] word0, word1, word;
  logic        flies;         // a message of `who` is under way

  assign access = {sel_table_i, sel_pba_i, write_i, offset_i[12:0], wdata_i, wstrb_i};
  assign sends  = wr_valid && !was_wr_q && issued_vector[0] == who;
  assign takes  = msg_ready && msg_vector_i == who;
  assign owed   = !sends && (owed_q || takes);

  // The entries, with what is on its way to them.
  assign word0 = (\u_dut.control_we_q && !\u_dut.waddr_q ) ? \u_dut.control_wdata_q
                                                           : \u_dut.u_control.mem[0] ;
  assign word1 = (\u_dut.control_we_q && \u_dut.waddr_q )  ? \u_dut.control_wdata_q
                                                           : \u_dut.u_control.mem[1] ;
  assign word  = who ? word1 : word0;
  assign flies = (\u_dut.slot_valid_q [0] && \u_dut.slot_vector_q[0] == who)
              || (\u_dut.slot_valid_q [1] && \u_dut.slot_vector_q[1] == who);

  always_ff @(posedge clk_i) begin
    started_q <= 1'b1;
    if (rst_i) begin
      owed_q         <= 1'b0;
      masked_q       <= 1'b1;
      flying_q       <= '0;
      was_wr_q       <= 1'b0;
      was_sel_q      <= 1'b0;
      was_msg_q      <= 1'b0;
      was_ack_q      <= 1'b0;
    end else begin
      owed_q <= owed;
      if (ack && sel_table_i && write_i && offset_i == {9'd0, who, 4'hC} && wstrb_i[0]) begin
        masked_q <= wdata_i[0];
      end
      flying_q     <= flying_q + 2'(issued) - 2'(wr_done_i);
      was_wr_q     <= wr_valid;
      was_sel_q    <= (sel_table_i || sel_pba_i) && !ack;
      was_ack_q    <= ack;
      was_access_q <= access;
      was_msg_q    <= msg_valid_i && !msg_ready;
      was_vector_q <= msg_vector_i;
    end
  end

  always_comb begin
    // A run begins with a reset.
    m_reset_first: assume (started_q || rst_i);
    // An access is to one of the two, stays until its answer, and ends with it.
    m_one: assume (!(sel_table_i && sel_pba_i));
    m_access: assume (!was_sel_q || access == was_access_q);
    m_ended: assume (!was_ack_q || !(sel_table_i || sel_pba_i));
    m_words: assume (!offset_i[13] && offset_i[1:0] == 2'b00);
    // An interrupt waits until it is taken, with its vector.
    m_message: assume (!was_msg_q || (msg_valid_i && msg_vector_i == was_vector_q));
    // The bus answers messages that it has, and no others.
    m_answer: assume (!wr_done_i || flying_q != '0);
  end

  always_ff @(posedge clk_i) begin
    if (started_q && !rst_i) begin
      // What was taken and not sent is pending, and nothing else is.
      a_not_lost: assert (\u_dut.state_q == StInit || owed == word[33]);
      // A message leaves for an interrupt that was taken, and for no other reason.
      a_not_spurious: assert (!sends || owed_q || takes);
      // The machine does not rest while what is owed could be sent.
      a_not_forgotten: assert (!(idle && owed && \u_dut.deliver  && !masked_q));
      // A masked vector is silent, from the answer to the write that masks it on.
      a_silent: assert (!(masked_q && (sends || flies)));
      // A vector has one message under way at most.
      a_one: assert (!(flies && \u_dut.slot_valid_q == 2'b11
                       && \u_dut.slot_vector_q[0] == \u_dut.slot_vector_q[1] ));
      // The mask is what was written last.
      a_mask: assert (\u_dut.state_q == StInit || word[32] == masked_q
                      || (ack && sel_table_i && write_i && wdata_i[0] == word[32]));
      // What the machine is about: the entry that it has fetched is the one in the memory;
      a_fetched: assert (\u_dut.state_q != StAct
                         || \u_dut.control == (\u_dut.vector_q ? \u_dut.u_control.mem[1]
                                                               : \u_dut.u_control.mem[0] ));
      a_no_write: assert (!\u_dut.control_we_q || \u_dut.state_q == StIdle
                          || \u_dut.waddr_q != \u_dut.vector_q );
      // it counts what is pending;
      a_count: assert (\u_dut.state_q == StInit
                       || \u_dut.pending_count_q == 2'(word0[33]) + 2'(word1[33]));
      // it knows of everything owed that is not masked;
      a_known: assert (!(owed && \u_dut.deliver && !word[32] && \u_dut.state_q != StInit)
                       || \u_dut.deliver != \u_dut.deliver_q
                       || (\u_dut.scan_q && \u_dut.scan_vector_q <= who)
                       || (\u_dut.unmasked_q && \u_dut.vector_q == who)
                       || ((\u_dut.state_q == StFetch || \u_dut.state_q == StAct)
                           && \u_dut.op_q == OpUnmasked && \u_dut.vector_q == who));
      a_states: assert (!\u_dut.clear_q && \u_dut.op_q != OpClear && \u_dut.op_q != 3'd7
                        && (!\u_dut.unmasked_q || \u_dut.state_q == StIdle)
                        && (\u_dut.state_q == StIdle || \u_dut.state_q == StInit
                            || !\u_dut.msg_ready_q ));
      // what it serves is what is asked for;
      a_serves: assert (!((\u_dut.state_q == StFetch || \u_dut.state_q == StAct)
                          && \u_dut.op_q == OpMessage)
                        || (msg_valid_i && msg_vector_i == \u_dut.vector_q && !msg_ready));
      a_serves_table: assert (!((\u_dut.state_q == StFetch || \u_dut.state_q == StAct)
                                && \u_dut.op_q == OpTable)
                              || (sel_table_i && offset_i[13:4] == {9'd0, \u_dut.vector_q } && !ack));
      a_serves_pba: assert (!((\u_dut.state_q == StFetch || \u_dut.state_q == StAct)
                              && \u_dut.op_q == OpPba)
                            || (sel_pba_i && !write_i && !ack));
      // and after reset it has cleared what it has passed.
      a_init: assert (\u_dut.state_q != StInit
                      || (\u_dut.pending_count_q == '0 && !owed && masked_q && quiet && !wr_valid
                          && (!\u_dut.vector_q || word0[33:32] == 2'b01)));
      // Every message waits for its answer in a place of its own.
      a_places: assert (3'(\u_dut.slot_valid_q [0]) + 3'(\u_dut.slot_valid_q [1])
                        == 3'(flying_q) + 3'(wr_valid)
                        && (\u_dut.slot_valid_q == 2'b11
                            || \u_dut.slot_valid_q == {\u_dut.head_q && !\u_dut.tail_q ,
                                                       !\u_dut.head_q && \u_dut.tail_q })
                        && (\u_dut.slot_valid_q != 2'b11 || \u_dut.head_q == \u_dut.tail_q ));
      // Interrupts become pending, and messages leave.
      c_pending: cover (owed_q);
      c_sends: cover (sends);
    end
  end

endmodule
