// SPDX-License-Identifier: Apache-2.0
//
// From events to interrupts: arbitration, vector lookup and the ISR status
// (virtio 1.2, 4.1.4.5 and 4.1.5.3 to 4.1.5.5).
//
//   virtqueues ---\                              /--> message to msix   (MSI-X on, has a vector)
//                  +--> lookup --> ISR bit ---> +
//   config change -/                             \--> intx_o            (MSI-X off)
//
// Virtqueues: irq_queue_i is a virtqueue index and holds with irq_valid_i until irq_ready_o.
// Configuration changes go first and merge while they wait. With MSI-X on, an event
// without a vector raises nothing; with it off, intx_o is high while a bit of the ISR is set. The
// ISR's bit is set before the message leaves, with MSI-X too, as drivers exist that look.
// A message is offered in the cycle after its event was taken, and the next event is taken up when
// the message was.
// While hold_i is high no event is taken up; settled_o says that none is under way.
// Reading the ISR clears it; an event in the same cycle stays. An access takes one cycle.
module interrupts (
  input  logic        clk_i,
  input  logic        rst_i,
  input  logic        clear_i,           // device reset
  input  logic        hold_i,
  output logic        settled_o,

  input  logic        irq_valid_i,
  output logic        irq_ready_o,
  input  logic [15:0] irq_queue_i,
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
  output logic        sent_o,            // one cycle: virtqueue sent_queue_o raises an interrupt
  output logic [15:0] sent_queue_o,

  input  logic        sel_i,             // the ISR register
  input  logic        write_i,
  input  logic [11:0] offset_i,
  output logic        ack_o,
  output logic [31:0] rdata_o,

  output logic        idle_o
);

  localparam logic [1:0] StIdle   = 2'd0;
  localparam logic [1:0] StDecide = 2'd1;
  localparam logic [1:0] StSend   = 2'd2;

  logic [1:0]  state_q;
  logic        config_pending_q;
  logic        is_config_q;
  logic [15:0] vector_q, queue_q;
  logic [7:0]  isr_q, isr_set;
  logic        isr_read;
  logic        ack_q;
  logic [31:0] rdata_q;
  logic [15:0] vector;
  logic        has_message;

  assign settled_o      = state_q == StIdle;
  assign irq_ready_o    = state_q == StIdle && irq_valid_i && !config_pending_q && !hold_i;
  assign lookup_o       = irq_ready_o;
  assign lookup_queue_o = irq_queue_i;
  assign vector         = is_config_q ? config_vector_i : lookup_vector_i;
  assign has_message    = msix_enable_i && vector != virtio_pkg::NoVector;
  assign msg_valid_o    = state_q == StSend || (state_q == StDecide && has_message);
  assign msg_vector_o   = (state_q == StSend) ? vector_q : vector;
  assign intx_o         = (isr_q != 8'h0) && !msix_enable_i;
  assign sent_o         = (state_q == StDecide) && !is_config_q && (has_message || !msix_enable_i);
  assign sent_queue_o   = queue_q;
  assign raised_o       = (state_q == StDecide) && isr_q == 8'h0 && !msix_enable_i;
  assign ack_o          = ack_q;
  assign rdata_o        = rdata_q;
  assign idle_o         = (state_q == StIdle) && !config_pending_q && !ack_q
                       && !irq_valid_i;

  assign isr_read = sel_i && !ack_q && !write_i && offset_i == 12'h0;
  assign isr_set  = (state_q != StDecide) ? 8'h0
                  : is_config_q ? virtio_pkg::IsrConfig : virtio_pkg::IsrQueue;

  always_ff @(posedge clk_i) begin
    if (config_event_i || config_pending_q || state_q != StIdle || irq_valid_i) begin
      if (config_event_i) config_pending_q <= 1'b1;
      case (state_q)
        StIdle: begin
          is_config_q <= config_pending_q;
          if (config_pending_q && !hold_i) begin
            config_pending_q <= config_event_i;
            state_q          <= StDecide;
          end else if (irq_ready_o) begin
            state_q <= StDecide;
            queue_q <= irq_queue_i;
          end
        end
        StDecide: begin
          vector_q <= vector;
          state_q  <= has_message ? StSend : StIdle;
        end
        default: if (msg_ready_i) state_q <= StIdle;
      endcase
    end
    if (rst_i || clear_i) begin
      state_q          <= StIdle;
      config_pending_q <= 1'b0;
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
  logic was_reset_q, was_msg_q, was_waiting_q;

  always_ff @(posedge clk_i) begin
    was_reset_q   <= rst_i || clear_i;
    was_msg_q     <= msg_valid_o && !msg_ready_i;
    was_waiting_q <= irq_valid_i && !irq_ready_o;
    if (!rst_i && !clear_i && !was_reset_q) begin
      // A message that was not taken stays.
      msg_holds: assert (!was_msg_q || msg_valid_o);
      // A message is not answered in the cycle in which it is offered first.
      answered_later: assert (state_q != StDecide || !msg_ready_i);
      // An interrupt is kept up until it is taken.
      irq_holds: assert (!was_waiting_q || irq_valid_i);
    end
  end
`endif

endmodule
