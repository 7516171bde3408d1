// SPDX-License-Identifier: Apache-2.0
//
// From events to interrupts: arbitration, vector lookup and the ISR status
// (virtio 1.2, 4.1.4.5 and 4.1.5.3 to 4.1.5.5).
//
//   rx engine ---\                              /--> message to msix   (MSI-X on, has a vector)
//   tx engine ----+--> lookup --> ISR bit ---> +
//   config change /                             \--> intx_o            (MSI-X off)
//
// Engines: irq_queue_i is a virtqueue index and holds with irq_valid_i until irq_ready_o. The two
// take turns; configuration changes go first and merge while they wait. With MSI-X on, an event
// without a vector raises nothing; with it off, intx_o is high while a bit of the ISR is set. The
// ISR's bit is set before the message leaves, with MSI-X too, as drivers exist that look.
// While hold_i is high no event is taken up; settled_o says that none is under way.
// Reading the ISR clears it; an event in the same cycle stays. An access takes one cycle.
module interrupts (
  input  logic        clk_i,
  input  logic        rst_i,
  input  logic        clear_i,           // device reset
  input  logic        hold_i,
  output logic        settled_o,

  input  logic [1:0]  irq_valid_i,
  output logic [1:0]  irq_ready_o,
  input  logic [31:0] irq_queue_i,
  input  logic        config_event_i,    // one cycle
  input  logic [15:0] config_vector_i,

  output logic        lookup_o,          // the vector comes in the next cycle
  output logic [15:0] lookup_queue_o,
  input  logic [15:0] lookup_vector_i,

  input  logic        msix_enable_i,     // registered
  output logic        msg_valid_o,
  input  logic        msg_ready_i,
  output logic [15:0] msg_vector_o,
  output logic        intx_o,
  output logic        raised_o,          // one cycle: intx_o is about to rise

  input  logic        sel_i,             // the ISR register
  input  logic        write_i,
  input  logic [11:0] offset_i,
  output logic        ack_o,
  output logic [31:0] rdata_o,

  output logic        idle_o
);

  localparam logic [1:0] StIdle   = 2'd0;
  localparam logic [1:0] StLookup = 2'd1;
  localparam logic [1:0] StDecide = 2'd2;
  localparam logic [1:0] StSend   = 2'd3;

  logic [1:0]  state_q;
  logic        config_pending_q;
  logic        is_config_q, from_tx_q;
  logic [15:0] queue_q, vector_q;
  logic [1:0]  ready_q;
  logic [7:0]  isr_q, isr_set;
  logic        isr_read;
  logic        ack_q;
  logic [31:0] rdata_q;
  logic        pick_tx;
  logic [15:0] vector;

  assign settled_o      = state_q == StIdle && ready_q == 2'b00;
  assign irq_ready_o    = ready_q;
  assign lookup_o       = (state_q == StLookup);
  assign lookup_queue_o = queue_q;
  assign msg_valid_o    = (state_q == StSend);
  assign msg_vector_o   = vector_q;
  assign intx_o         = (isr_q != 8'h0) && !msix_enable_i;
  assign raised_o       = (state_q == StDecide) && isr_q == 8'h0 && !msix_enable_i;
  assign ack_o          = ack_q;
  assign rdata_o        = rdata_q;
  assign idle_o         = (state_q == StIdle) && !config_pending_q && !ack_q
                       && irq_valid_i == 2'b00;

  assign pick_tx  = irq_valid_i[1] && !(irq_valid_i[0] && from_tx_q);
  assign vector   = is_config_q ? config_vector_i : lookup_vector_i;
  assign isr_read = sel_i && !ack_q && !write_i && offset_i == 12'h0;
  assign isr_set  = (state_q != StDecide) ? 8'h0
                  : is_config_q ? virtio_pkg::IsrConfig : virtio_pkg::IsrQueue;

  always_ff @(posedge clk_i) begin
    if (config_event_i || config_pending_q || state_q != StIdle
        || irq_valid_i != 2'b00) begin
      if (config_event_i) config_pending_q <= 1'b1;
      ready_q <= 2'b00;
      case (state_q)
        StIdle: begin
          is_config_q <= config_pending_q;
          if (hold_i) begin
            state_q <= StIdle;
          end else if (config_pending_q) begin
            config_pending_q <= config_event_i;
            state_q          <= StDecide;
          end else if (irq_valid_i != 2'b00) begin
            from_tx_q <= pick_tx;
            ready_q   <= {pick_tx, !pick_tx};
            queue_q   <= pick_tx ? irq_queue_i[31:16] : irq_queue_i[15:0];
            state_q   <= StLookup;
          end
        end
        StLookup: state_q <= StDecide;
        StDecide: begin
          vector_q <= vector;
          state_q  <= (msix_enable_i && vector != virtio_pkg::NoVector) ? StSend : StIdle;
        end
        default: if (msg_ready_i) state_q <= StIdle;
      endcase
    end
    if (rst_i || clear_i) begin
      state_q          <= StIdle;
      config_pending_q <= 1'b0;
      ready_q          <= 2'b00;
      from_tx_q        <= 1'b0;
    end
  end

  always_ff @(posedge clk_i) begin
    if (isr_read || state_q == StDecide) begin
      isr_q <= (isr_read ? 8'h0 : isr_q) | isr_set;
    end
    if (rst_i || clear_i) begin
      isr_q <= 8'h0;
    end
  end

  always_ff @(posedge clk_i) begin
    if (sel_i || ack_q) begin
      ack_q   <= sel_i && !ack_q;
      rdata_q <= isr_read ? {24'h0, isr_q} : 32'h0;
    end
    if (rst_i) begin
      ack_q   <= 1'b0;
      rdata_q <= 32'h0;
    end
  end

`ifndef SYNTHESIS
  logic was_reset_q, was_msg_q;
  logic [1:0] was_waiting_q;

  always_ff @(posedge clk_i) begin
    was_reset_q   <= rst_i || clear_i;
    was_msg_q     <= msg_valid_o && !msg_ready_i;
    was_waiting_q <= irq_valid_i & ~irq_ready_o;
    if (!rst_i && !clear_i && !was_reset_q) begin
      // A message that was not taken stays.
      msg_holds: assert (!was_msg_q || msg_valid_o);
      // An engine's interrupt is only taken while it is offered, and one at a time.
      ready_answers: assert ((irq_ready_o & ~irq_valid_i) == 2'b00 && irq_ready_o != 2'b11);
      // An engine keeps its interrupt up until it is taken.
      irq_holds: assert ((was_waiting_q & ~irq_valid_i) == 2'b00);
    end
  end
`endif

endmodule
