// SPDX-License-Identifier: Apache-2.0
//
// Proof harness of interrupts: any interrupts and configuration changes, vectors, settings, holds and
// reads of the ISR; messages are taken whenever, but not in the cycle that first offers them. There is
// no device reset, which forgets on purpose.

module interrupts_formal (
  input logic        clk_i,
  input logic        rst_i,
  input logic        hold_i,
  input logic        irq_valid_i,
  input logic [15:0] irq_queue_i,
  input logic        config_event_i,
  input logic [15:0] config_vector_i,
  input logic [15:0] lookup_vector_i,
  input logic        msix_enable_i,
  input logic        msg_ready_i,
  input logic        sel_i,
  input logic        write_i,
  input logic [11:0] offset_i
);

  logic        settled, irq_ready, lookup, msg_valid, intx, raised, ack, idle;
  logic [15:0] lookup_queue, msg_vector;
  logic [31:0] rdata;

  interrupts u_dut (
    .clk_i          (clk_i),
    .rst_i          (rst_i),
    .clear_i        (1'b0),
    .hold_i         (hold_i),
    .settled_o      (settled),
    .irq_valid_i    (irq_valid_i),
    .irq_ready_o    (irq_ready),
    .irq_queue_i    (irq_queue_i),
    .config_event_i (config_event_i),
    .config_vector_i(config_vector_i),
    .lookup_o       (lookup),
    .lookup_queue_o (lookup_queue),
    .lookup_vector_i(lookup_vector_i),
    .msix_enable_i  (msix_enable_i),
    .msg_valid_o    (msg_valid),
    .msg_ready_i    (msg_ready_i),
    .msg_vector_o   (msg_vector),
    .intx_o         (intx),
    .raised_o       (raised),
    .sel_i          (sel_i),
    .write_i        (write_i),
    .offset_i       (offset_i),
    .ack_o          (ack),
    .rdata_o        (rdata),
    .idle_o         (idle)
  );

  // What the induction has to know of u_dut.
  (* hierconn *) wire [1:0]  \u_dut.state_q ;
  (* hierconn *) wire        \u_dut.is_config_q ;
  (* hierconn *) wire        \u_dut.config_pending_q ;
  (* hierconn *) wire [15:0] \u_dut.vector_q ;
  (* hierconn *) wire [7:0]  \u_dut.isr_q ;

  localparam logic [15:0] NoVector = 16'hffff;

  logic        started_q = 1'b0;
  logic        taken_q;          // an interrupt was taken in the cycle before
  logic        changed_q;        // a change of the configuration that nobody was told of
  logic        picked_q;         // one was taken up in the cycle before
  logic        owed_q;           // a message is to be sent, or being sent
  logic [15:0] vector_q;         // with this vector
  logic [1:0]  isr_q;            // bits that came since the last read
  logic        was_irq_q, was_msg_q, was_sel_q, was_ack_q;
  logic [15:0] was_queue_q;
  logic        read_q;
  logic [1:0]  was_isr_q;
  logic        takes, tells;     // the cell takes an interrupt; acts upon a change,
  logic        picks;            // which it took up in the cycle before
  logic        sends;
  logic        reads;

  assign takes = irq_valid_i && irq_ready;
  // In the cycle behind that the ISR's bit is set, and the message offered.
  assign tells = \u_dut.state_q  == 2'd1 && \u_dut.is_config_q ;
  assign picks = changed_q && settled && !hold_i;
  assign sends = msix_enable_i && (taken_q ? lookup_vector_i != NoVector
                                           : tells && config_vector_i != NoVector);
  assign reads = sel_i && !ack && !write_i && offset_i == 12'd0;

  always_ff @(posedge clk_i) begin
    started_q <= 1'b1;
    if (rst_i) begin
      taken_q   <= 1'b0;
      changed_q <= 1'b0;
      picked_q  <= 1'b0;
      owed_q    <= 1'b0;
      isr_q     <= '0;
      was_irq_q <= 1'b0;
      was_msg_q <= 1'b0;
      was_sel_q <= 1'b0;
      was_ack_q <= 1'b0;
      read_q    <= 1'b0;
    end else begin
      taken_q   <= takes;
      changed_q <= config_event_i || (changed_q && !picks);
      picked_q  <= picks;
      owed_q    <= (owed_q && !msg_ready_i) || sends;
      if (sends) vector_q <= taken_q ? lookup_vector_i : config_vector_i;
      isr_q     <= (reads ? 2'b00 : isr_q) | {tells, taken_q};
      was_irq_q <= irq_valid_i && !irq_ready;
      was_msg_q <= msg_valid && !msg_ready_i;
      was_sel_q <= sel_i && !ack;
      was_ack_q <= ack;
      read_q    <= reads;
    end
    was_queue_q <= irq_queue_i;
    was_isr_q   <= isr_q;
  end

  always_comb begin
    // A run begins with a reset.
    m_reset_first: assume (started_q || rst_i);
    // An interrupt stays until it is taken.
    m_irq: assume (!was_irq_q || (irq_valid_i && irq_queue_i == was_queue_q));
    // Messages are taken when they are there, and not in their first cycle.
    m_msg: assume (!msg_ready_i || owed_q);
    // An access stays until its answer, and ends with it.
    m_sel: assume ((!was_sel_q || sel_i) && (!was_ack_q || !sel_i));
  end

  always_ff @(posedge clk_i) begin
    if (started_q && !rst_i) begin
      // Every interrupt that is taken sets the ISR's bit, and is a message if its queue has a vector.
      a_sends: assert (!sends || (msg_valid && msg_vector == (taken_q ? lookup_vector_i
                                                                      : config_vector_i)));
      // A message waits, with its vector, until it is taken; there is none without an interrupt.
      a_owed: assert (!owed_q || (msg_valid && msg_vector == vector_q));
      a_only: assert (!msg_valid || owed_q || sends);
      // The vector that is looked up is that of the queue whose interrupt is taken.
      a_lookup: assert (!takes || (lookup && lookup_queue == irq_queue_i));
      // No interrupt is taken while one is under way, nor while nothing may start.
      a_alone: assert (!takes || (!owed_q && !taken_q && !tells && !hold_i && settled));
      // A change is told of as soon as nothing is under way, before any interrupt: it is never lost.
      a_change: assert (tells == picked_q);
      a_change_first: assert (!takes || !changed_q);
      // Nothing waits that could go.
      a_goes: assert (!(irq_valid_i && settled && !hold_i && !changed_q) || irq_ready);
      // A read gives the bits that came since the one before, and none is lost in between.
      a_read: assert (!read_q || (ack && rdata == {30'd0, was_isr_q}));
      // Without MSI-X the line is up exactly while a bit is set.
      a_line: assert (intx == (isr_q != 2'b00 && !msix_enable_i));
      // Idle is when nothing waits or is under way.
      a_idle: assert (!idle || (!owed_q && !taken_q && !changed_q && !irq_valid_i));

      // What the cell holds.
      a_state_q: assert (\u_dut.state_q  == (owed_q ? 2'd2 : (taken_q || tells) ? 2'd1 : 2'd0));
      a_one_q: assert (2'(owed_q) + 2'(taken_q) + 2'(picked_q) <= 2'd1);
      a_isr_q: assert (\u_dut.isr_q  == {6'd0, isr_q});
      a_pending_q: assert (\u_dut.config_pending_q  == changed_q);
      a_vector_q: assert (!owed_q || \u_dut.vector_q  == vector_q);
      // A message, a change in the cycle in which the one before is told of, a read of both bits.
      c_message: cover (owed_q && msg_ready_i && $past(was_msg_q));
      c_again: cover (changed_q && tells);
      c_both: cover (ack && rdata == 32'd3);
      c_row: cover (takes && $past(taken_q) && !msg_valid);
    end
  end

  logic unused_outputs;
  assign unused_outputs = raised;

endmodule
