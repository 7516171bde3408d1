// SPDX-License-Identifier: Apache-2.0
//
// MSI-X table, pending bits and messages (PCI Express Base 5.0, 6.1.4 and 7.7.2).
//
// A vector is one entry in three RAMs, read together by one machine that serves, in this
// order, the unmasked vector, the clearing of a device reset, register accesses, messages asked for,
// and the scan after the whole function was unmasked:
//
//   address RAMs   | addr_hi 32 |   | addr_lo 32 |
//   control RAM    | pending 1 | mask 1 | data 32 |
//
// A message that was answered with an error is told on failed_*, with the vector's address as the
// table has it then; one of several that come together.
//
// msg_*: a vector to send. Taken when its message has left, or, the vector or the function being
// masked, when its pending bit is set. A pending vector is sent as soon as nothing masks it, once;
// so no interrupt is lost. At most `Outstanding` messages are in flight, one a vector.
//
// A register write that masks a vector is acknowledged when no message is in flight any more: after
// it the vector is silent. An access to the table takes three cycles, to the pending bits up to 66.
// After reset all vectors are masked; accesses wait for the walk that does it (a cycle a vector).
module msix #(
  parameter int unsigned NumVectors  = 3,
  parameter int unsigned Outstanding = 4     // a power of two
) (
  input  logic        clk_i,
  input  logic        rst_i,
  input  logic        clear_i,               // device reset: forget what is pending
  output logic        settled_o,             // that is done, and nothing is in flight

  input  logic        enable_i,              // of the function's MSI-X capability
  input  logic        mask_i,
  output logic        enable_o,              // enable_i, registered

  // One access, held until the cycle of ack_o; at most one of the two is high.
  input  logic        sel_table_i,
  input  logic        sel_pba_i,
  input  logic        write_i,
  input  logic [13:0] offset_i,
  input  logic [31:0] wdata_i,
  input  logic [3:0]  wstrb_i,
  output logic        ack_o,
  output logic [31:0] rdata_o,               // 0 but for a read's ack_o

  input  logic        msg_valid_i,
  output logic        msg_ready_o,
  input  logic [15:0] msg_vector_i,

  // One 32-bit write each; done in the order of issue.
  output logic        wr_valid_o,
  input  logic        wr_ready_i,
  output logic [63:0] wr_addr_o,
  output logic [31:0] wr_data_o,
  input  logic        wr_done_i,
  input  logic        wr_error_i,            // with wr_done_i

  output logic        issued_o,              // one cycle: the message on wr_* is taken
  output logic [15:0] issued_vector_o,
  output logic        failed_o,              // one cycle: a message was answered with an error
  output logic [15:0] failed_vector_o,
  output logic [63:0] failed_addr_o,

  output logic        quiet_o,               // no message in flight
  output logic        idle_o
);

  if (NumVectors < 2 || NumVectors > 1024) begin : g_bad_vectors
    $error("msix: NumVectors must be 2 to 1024");
  end
  if (Outstanding < 2 || (Outstanding & (Outstanding - 1)) != 0) begin : g_bad_outstanding
    $error("msix: Outstanding must be a power of two, at least 2");
  end

  localparam int unsigned VectorWidth = $clog2(NumVectors);
  localparam int unsigned SlotWidth   = $clog2(Outstanding);
  localparam logic [VectorWidth-1:0] LastVector = VectorWidth'(NumVectors - 1);

  localparam logic [1:0] StInit  = 2'd0;     // write reset values
  localparam logic [1:0] StIdle  = 2'd1;     // choose; read the entry of a message
  localparam logic [1:0] StFetch = 2'd2;     // read the entry of vector_q
  localparam logic [1:0] StAct   = 2'd3;     // entry known

  localparam logic [2:0] OpUnmasked = 3'd0;  // vector_q was unmasked while pending
  localparam logic [2:0] OpClear    = 3'd1;
  localparam logic [2:0] OpTable    = 3'd2;
  localparam logic [2:0] OpPba      = 3'd3;
  localparam logic [2:0] OpMessage  = 3'd4;
  localparam logic [2:0] OpScan     = 3'd5;
  localparam logic [2:0] OpFailed   = 3'd6;  // say what a failed message was

  localparam logic [1:0] WordAddrLo  = virtio_pkg::MsixEntryAddrLo[3:2];
  localparam logic [1:0] WordAddrHi  = virtio_pkg::MsixEntryAddrHi[3:2];
  localparam logic [1:0] WordData    = virtio_pkg::MsixEntryData[3:2];

  logic [1:0]             state_q;
  logic [2:0]             op_q;
  logic [VectorWidth-1:0] vector_q, scan_vector_q;
  logic                   unmasked_q, clear_q, scan_q, failed_q;
  logic [VectorWidth-1:0] failed_vector_q;
  logic [VectorWidth:0]   pending_count_q;
  logic                   enable_q, mask_q, deliver_q;
  logic                   ack_q, msg_ready_q;
  logic [31:0]            rdata_q, pba_q;
  logic                   control_we_q;
  logic [1:0]             addr_we_q;         // upper half, lower half
  logic [VectorWidth-1:0] waddr_q;
  logic [31:0]            addr_wdata_q;
  logic [33:0]            control_wdata_q;
  logic [63:0]            addr;
  logic [33:0]            control;
  logic                   deliver, pending, masked;
  logic [31:0]            old_word, new_word;
  logic [4:0]             pba_bit;
  logic                   sel, table_exists, pba_exists;
  logic                   in_flight, sendable, wants_send, send;
  logic                   read, writes;      // the entries, in this cycle
  logic [VectorWidth-1:0] read_vector;

  // The messages in flight, oldest at head_q.
  logic [VectorWidth-1:0] slot_vector_q [Outstanding];
  logic [Outstanding-1:0] slot_valid_q;
  logic [SlotWidth-1:0]   head_q, tail_q;

  logic                   wr_valid_q;
  logic [63:0]            wr_addr_q;
  logic [31:0]            wr_data_q;
  logic [VectorWidth-1:0] wr_vector_q;

  //////////////////////////////////////////////////////////////////////////////////////////////////
  // Outputs
  //////////////////////////////////////////////////////////////////////////////////////////////////

  assign enable_o        = enable_q;
  assign ack_o           = ack_q;
  assign rdata_o         = rdata_q;
  assign msg_ready_o     = msg_ready_q;
  assign wr_valid_o      = wr_valid_q;
  assign wr_addr_o       = wr_addr_q;
  assign wr_data_o       = wr_data_q;
  assign issued_o        = wr_valid_q && wr_ready_i;
  assign issued_vector_o = 16'(wr_vector_q);
  assign failed_o        = state_q == StAct && op_q == OpFailed;
  assign failed_vector_o = 16'(vector_q);
  assign failed_addr_o   = {addr[63:2], 2'b00};
  assign quiet_o         = (slot_valid_q == '0) && !failed_q;
  assign settled_o       = !clear_q && !unmasked_q && !scan_q && state_q == StIdle && quiet_o;
  assign idle_o          = settled_o && !ack_q && addr_we_q == 2'b00 && !control_we_q && !msg_ready_q
                        && deliver == deliver_q;

  //////////////////////////////////////////////////////////////////////////////////////////////////
  // The entry
  //////////////////////////////////////////////////////////////////////////////////////////////////

  ram_1r1w #(.Width(32), .Depth(NumVectors)) u_addr_lo (
    .clk_i,
    .we_i    (addr_we_q[0]),
    .waddr_i (waddr_q),
    .wdata_i (addr_wdata_q),
    .re_i    (read),
    .raddr_i (read_vector),
    .rdata_o (addr[31:0])
  );

  ram_1r1w #(.Width(32), .Depth(NumVectors)) u_addr_hi (
    .clk_i,
    .we_i    (addr_we_q[1]),
    .waddr_i (waddr_q),
    .wdata_i (addr_wdata_q),
    .re_i    (read),
    .raddr_i (read_vector),
    .rdata_o (addr[63:32])
  );

  ram_1r1w #(.Width(34), .Depth(NumVectors)) u_control (
    .clk_i,
    .we_i    (control_we_q),
    .waddr_i (waddr_q),
    .wdata_i (control_wdata_q),
    .re_i    (read),
    .raddr_i (read_vector),
    .rdata_o (control)
  );

  assign read         = state_q == StFetch || (state_q == StIdle && msg_valid_i);
  assign read_vector  = (state_q == StIdle) ? msg_vector_i[VectorWidth-1:0] : vector_q;
  assign writes       = addr_we_q != 2'b00 || control_we_q;
  assign pending      = control[33];
  assign masked       = control[32];
  assign deliver      = enable_q && !mask_q;
  assign sel          = (sel_table_i || sel_pba_i) && !ack_q;
  assign table_exists = offset_i[13:4] < 10'(NumVectors);
  assign pba_bit      = 5'(vector_q);
  assign pba_exists   = {offset_i[11:2], 5'd0} < 15'(NumVectors);

  always_comb begin
    in_flight  = 1'b0;
    wants_send = 1'b0;
    old_word   = 32'h0;
    new_word   = 32'h0;
    if (state_q == StAct) begin
      for (int unsigned i = 0; i < Outstanding; i++) begin
        if (slot_valid_q[i] && slot_vector_q[i] == vector_q) in_flight = 1'b1;
      end
      wants_send = deliver && !masked
                && (op_q == OpMessage || ((op_q == OpUnmasked || op_q == OpScan) && pending));
      case (offset_i[3:2])
        WordAddrLo: old_word = addr[31:0];
        WordAddrHi: old_word = addr[63:32];
        WordData:   old_word = control[31:0];
        default:    old_word = {31'h0, masked};
      endcase
      new_word = {wstrb_i[3] ? wdata_i[31:24] : old_word[31:24],
                  wstrb_i[2] ? wdata_i[23:16] : old_word[23:16],
                  wstrb_i[1] ? wdata_i[15:8]  : old_word[15:8],
                  wstrb_i[0] ? wdata_i[7:0]   : old_word[7:0]};
    end
    sendable = !wr_valid_q && !slot_valid_q[tail_q] && !in_flight;
    send     = wants_send && sendable;
  end

  //////////////////////////////////////////////////////////////////////////////////////////////////
  // The machine
  //////////////////////////////////////////////////////////////////////////////////////////////////

  always_ff @(posedge clk_i) begin
    if (sel || msg_valid_i || clear_i || !idle_o) begin
      ack_q        <= 1'b0;
      rdata_q      <= 32'h0;
      msg_ready_q  <= 1'b0;
      addr_we_q    <= 2'b00;
      control_we_q <= 1'b0;
      case (state_q)
        StInit: begin
          addr_we_q       <= 2'b11;
          control_we_q    <= 1'b1;
          waddr_q         <= vector_q;
          addr_wdata_q    <= 32'h0;
          control_wdata_q <= {1'b0, 1'b1, 32'h0};
          vector_q        <= vector_q + 1'b1;
          if (vector_q == LastVector) state_q <= StIdle;
        end

        StIdle: begin
          pba_q <= 32'h0;
          if (unmasked_q) begin
            op_q       <= OpUnmasked;        // of vector_q, so it comes first
            unmasked_q <= 1'b0;
            state_q    <= StFetch;
          end else if (failed_q) begin
            op_q     <= OpFailed;
            vector_q <= failed_vector_q;
            state_q  <= StFetch;
          end else if (clear_q) begin
            op_q     <= OpClear;
            vector_q <= '0;
            scan_q   <= 1'b0;
            clear_q  <= (pending_count_q != '0);
            if (pending_count_q != '0) state_q <= StFetch;
          end else if (sel_table_i && sel) begin
            op_q     <= OpTable;
            vector_q <= offset_i[4 +: VectorWidth];
            ack_q    <= !table_exists;
            if (table_exists) state_q <= StFetch;
          end else if (sel_pba_i && sel) begin
            op_q     <= OpPba;
            vector_q <= VectorWidth'({offset_i[11:2], 5'd0});
            ack_q    <= !pba_exists || write_i;
            if (pba_exists && !write_i) state_q <= StFetch;
          end else if (msg_valid_i && !msg_ready_q) begin
            op_q     <= OpMessage;
            vector_q <= msg_vector_i[VectorWidth-1:0];
            state_q  <= writes ? StFetch : StAct;
          end else if (scan_q) begin
            op_q     <= OpScan;
            vector_q <= scan_vector_q;
            if (!deliver || pending_count_q == '0) scan_q  <= 1'b0;
            else                                   state_q <= StFetch;
          end
        end

        StFetch: state_q <= StAct;

        default: begin
          waddr_q         <= vector_q;
          addr_wdata_q    <= new_word;
          control_wdata_q <= control;
          state_q         <= StIdle;
          case (op_q)
            OpTable: begin
              if (!write_i) begin
                ack_q   <= 1'b1;
                rdata_q <= old_word;
              end else if (offset_i[3:2] == WordAddrLo || offset_i[3:2] == WordAddrHi) begin
                ack_q     <= 1'b1;
                addr_we_q <= (offset_i[3:2] == WordAddrLo) ? 2'b01 : 2'b10;
              end else if (offset_i[3:2] == WordData) begin
                ack_q                 <= 1'b1;
                control_we_q          <= 1'b1;
                control_wdata_q[31:0] <= new_word;
              end else if (new_word[0] && !masked && !quiet_o) begin
                state_q <= StAct;            // masking: wait for what is in flight
              end else begin
                ack_q               <= 1'b1;
                control_we_q        <= 1'b1;
                control_wdata_q[32] <= new_word[0];
                unmasked_q          <= pending && !new_word[0];
              end
            end
            OpPba: begin
              pba_q    <= pba_q | (32'(pending) << pba_bit);
              vector_q <= vector_q + 1'b1;
              state_q  <= StFetch;
              if (pba_bit == 5'd31 || vector_q == LastVector) begin
                ack_q   <= 1'b1;
                rdata_q <= pba_q | (32'(pending) << pba_bit);
                state_q <= StIdle;
              end
            end
            OpClear: begin
              control_we_q        <= 1'b1;
              control_wdata_q[33] <= 1'b0;
              vector_q            <= vector_q + 1'b1;
              state_q             <= StFetch;
              if (vector_q == LastVector) begin
                clear_q         <= 1'b0;
                pending_count_q <= '0;
                state_q         <= StIdle;
              end
            end
            OpFailed: failed_q <= 1'b0;
            default: begin
              // OpMessage, OpUnmasked, OpScan.
              if (send) begin
                control_we_q        <= pending;
                control_wdata_q[33] <= 1'b0;
                if (pending) pending_count_q <= pending_count_q - 1'b1;
                msg_ready_q <= (op_q == OpMessage);
              end else if (op_q == OpMessage && !wants_send) begin
                control_we_q        <= !pending;
                control_wdata_q[33] <= 1'b1;
                if (!pending) pending_count_q <= pending_count_q + 1'b1;
                msg_ready_q <= 1'b1;
              end else if (op_q == OpUnmasked && wants_send) begin
                scan_q        <= 1'b1;       // later
                scan_vector_q <= '0;
              end
              // A scan that has begun again meanwhile goes on from its new place.
              if (op_q == OpScan && !(wants_send && !sendable) && scan_vector_q == vector_q) begin
                scan_vector_q <= vector_q + 1'b1;
                if (vector_q == LastVector) begin
                  scan_q        <= 1'b0;
                  scan_vector_q <= '0;
                end
              end
            end
          endcase
        end
      endcase

      if (deliver && !deliver_q) begin
        scan_q        <= 1'b1;
        scan_vector_q <= '0;
      end
      if (clear_i) clear_q <= 1'b1;
      if (wr_done_i && wr_error_i && !failed_q) begin
        failed_q        <= 1'b1;
        failed_vector_q <= slot_vector_q[head_q];
      end
    end
    if (rst_i) begin
      state_q         <= StInit;
      op_q            <= OpTable;
      vector_q        <= '0;
      scan_vector_q   <= '0;
      unmasked_q      <= 1'b0;
      clear_q         <= 1'b0;
      scan_q          <= 1'b0;
      failed_q        <= 1'b0;
      pending_count_q <= '0;
      ack_q           <= 1'b0;
      rdata_q         <= 32'h0;
      msg_ready_q     <= 1'b0;
      addr_we_q       <= 2'b00;
      control_we_q    <= 1'b0;
    end
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      enable_q  <= 1'b0;
      mask_q    <= 1'b0;
      deliver_q <= 1'b0;
    end else begin
      enable_q  <= enable_i;
      mask_q    <= mask_i;
      deliver_q <= deliver;
    end
  end

  //////////////////////////////////////////////////////////////////////////////////////////////////
  // Messages
  //////////////////////////////////////////////////////////////////////////////////////////////////

  always_ff @(posedge clk_i) begin
    if (send || wr_valid_q || wr_done_i) begin
      if (wr_ready_i) wr_valid_q <= 1'b0;
      if (wr_done_i) begin
        slot_valid_q[head_q] <= 1'b0;
        head_q               <= head_q + 1'b1;
      end
      if (send) begin
        wr_valid_q            <= 1'b1;
        wr_addr_q             <= {addr[63:2], 2'b00};
        wr_data_q             <= control[31:0];
        wr_vector_q           <= vector_q;
        slot_valid_q[tail_q]  <= 1'b1;
        slot_vector_q[tail_q] <= vector_q;
        tail_q                <= tail_q + 1'b1;
      end
    end
    if (rst_i) begin
      slot_valid_q <= '0;
      head_q       <= '0;
      tail_q       <= '0;
      wr_valid_q   <= 1'b0;
    end
  end

  logic unused_bits;
  assign unused_bits = ^offset_i[1:0];

`ifndef SYNTHESIS
  logic was_reset_q, was_wr_q, clash;

  always_comb begin
    clash = 1'b0;
    if (send) begin
      for (int unsigned i = 0; i < Outstanding; i++) begin
        if (slot_valid_q[i] && slot_vector_q[i] == vector_q) clash = 1'b1;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    was_reset_q <= rst_i;
    was_wr_q    <= wr_valid_q && !wr_ready_i;
    if (!rst_i && !was_reset_q) begin
      // A message that was not taken stays.
      wr_holds: assert (!was_wr_q || wr_valid_q);
      // An answer belongs to a message that was issued.
      done_answers: assert (!wr_done_i || slot_valid_q[head_q]);
      // A vector has at most one message in flight.
      one_a_vector: assert (!clash);
      // Nothing leaves while the function or the vector is masked.
      masked_silent: assert (!send || (deliver && !masked));
      // Vectors asked for exist.
      vector_exists: assert (!msg_valid_i || msg_vector_i < 16'(NumVectors));
      // No more bits are pending than there are vectors.
      pending_bounded: assert (pending_count_q <= (VectorWidth+1)'(NumVectors));
    end
  end
`endif

endmodule
