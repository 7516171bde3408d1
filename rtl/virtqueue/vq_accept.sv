// SPDX-License-Identifier: Apache-2.0
//
// vq_accept: looks at descriptors as they come from memory and accepts the leading run of available
// ones of each batch, one bus beat a cycle.
//
//   A descriptor is available when its AVAIL bit equals the wrap counter and its USED bit does not
//   (virtio 1.2, 2.8.1). Each one is judged by its own bits, because a bus may sample the beats of
//   one read at different times and in any order.
//
//     slot      4      5      6      7      8      9
//            | avail| avail|  no  | avail|  no  | avail|     one batch
//            '--- accepted --'      '---- read again, later ----'
//
//   beats     always taken. batch_* says what batch they belong to; the beat after rsp_last_i is
//             the first of the next batch.
//   insert    combinational from the beat: the beat holds accepted descriptors in a run of lanes.
//   end       combinational from the last beat: end_taken_o descriptors of the batch were accepted,
//             end_chain_o: the last of them says that its chain goes on.
//   position  pos_o, chain_o of the queue look_queue_i: registered.
//   error     err_valid_o for one cycle. The beat with the error and all after it are not accepted
//             until reset.
//
// Errors, with the ring slot and an address:
//   ErrorDmaRead          a beat was answered with an error; address of the first slot in the beat
//   ErrorZeroLength, ErrorBadLength, ErrorWrongDirection, ErrorIndirect
//                         a descriptor that the device cannot take; the buffer address in it
//   ErrorChainTooLong     the chain has as many descriptors as the ring and goes on; address of the
//                         last one's slot
//   ErrorIncompleteChain  not available in a read that was asked for after its chain's head was
//                         seen to be; address of its slot
//
// Parameters:
//   Queues        number of queues
//   AxiBytes      bytes in a bus beat, 16 for each lane
//   DeviceWrites  buffers are written by the device (receive) and not read (transmit)
//   ControlQueue  in chains of the last queue device-writable descriptors may follow the others
//   StrictChains  accept the descriptors behind a head only from a read that was asked for after
//                 the head was seen. Needed where the bus may sample a read's beats out of order
//                 and the driver sets the flags of a chain's later descriptors before the rest of
//                 them; costs a read latency for each chain.

module vq_accept #(
  parameter int unsigned Queues = 1,
  parameter int unsigned AxiBytes = 16,
  parameter bit DeviceWrites = 1'b0,
  parameter bit ControlQueue = 1'b0,
  parameter bit StrictChains = 1'b0,
  localparam int unsigned QueueWidth = (Queues > 1) ? $clog2(Queues) : 1,
  localparam int unsigned Lanes = AxiBytes / 16,
  localparam int unsigned LaneWidth = (Lanes > 1) ? $clog2(Lanes) : 1
) (
  input  logic                  clk_i,
  input  logic                  rst_i,

  input  logic                  en_valid_i,
  input  logic [QueueWidth-1:0] en_queue_i,
  input  logic [15:0]           en_size_i,

  input  logic                  rsp_valid_i,
  input  logic [8*AxiBytes-1:0] rsp_data_i,
  input  logic                  rsp_last_i,
  input  logic                  rsp_error_i,

  input  logic [QueueWidth-1:0] batch_queue_i,
  input  logic [14:0]           batch_slot_i,
  input  logic [5:0]            batch_count_i,
  input  logic                  batch_late_i,
  input  logic                  batch_stale_i,
  input  logic [63:0]           batch_base_i,

  output logic                  insert_valid_o,
  output logic [LaneWidth-1:0]  insert_first_o,
  output logic [LaneWidth-1:0]  insert_last_o,

  output logic                  end_valid_o,
  output logic [5:0]            end_taken_o,
  output logic                  end_chain_o,

  input  logic [QueueWidth-1:0] look_queue_i,
  output logic [15:0]           pos_o,
  output logic                  chain_o,

  output logic                  err_valid_o,
  output logic [7:0]            err_code_o,
  output logic [15:0]           err_index_o,
  output logic [63:0]           err_addr_o
);

  // Bits of a descriptor's flags, at their place in it.
  localparam int unsigned FlagsAt = 112;
  localparam int unsigned LenAt = 64;

  ////////////////////
  // State          //
  ////////////////////

  logic        begun_q;             // the batch's first beat has passed
  logic [5:0]  seen_q;              // descriptors of the batch in the beats so far
  logic [5:0]  taken_q;             // accepted of them
  logic        broken_q;            // one of them was not available
  logic        late_q;              // the open chain's head was seen before the batch was asked for
  logic        wrote_q;             // the control queue's open chain has a writable descriptor
  logic        failed_q;            // there was an error: accept no more

  ////////////////////
  // Beat           //
  ////////////////////

  logic [15:0]          pos;         // {wrap counter, slot} of the next descriptor to accept
  logic [15:0]          pos_next;
  logic [15:0]          size;
  logic [15:0]          chain_was;   // descriptors accepted of the open chain, 0 if none is
  logic [15:0]          chain;
  logic [15:0]          look_chain;
  logic                 late;
  logic                 may_write;   // device-writable descriptors may come
  logic                 wrote;       // no others may come
  logic                 open;        // still in the leading run
  logic [5:0]           seen;
  logic [5:0]           count;       // accepted of this beat
  logic [LaneWidth-1:0] first;
  logic [63:0]          first_addr;  // of the batch's first slot
  logic [7:0]           error;
  logic [5:0]           error_seen;  // descriptors of the batch before the offender
  logic [63:0]          error_addr;
  logic                 error_slot;  // the address wanted is that of the slot
  logic [15:0]          flags;
  logic [31:0]          len;

  queue_state #(.Queues(Queues), .Width(16)) u_size (
    .clk_i,
    .write_i       (en_valid_i),
    .write_queue_i (en_queue_i),
    .write_data_i  (en_size_i),
    .read_queue_i  (batch_queue_i),
    .read_data_o   (size)
  );

  queue_state #(.Queues(Queues), .Width(16), .Reads(2)) u_pos (
    .clk_i,
    .write_i       (en_valid_i || insert_valid_o),
    .write_queue_i (en_valid_i ? en_queue_i : batch_queue_i),
    .write_data_i  (en_valid_i ? 16'h8000 : pos_next),
    .read_queue_i  ({look_queue_i, batch_queue_i}),
    .read_data_o   ({pos_o, pos})
  );

  queue_state #(.Queues(Queues), .Width(16), .Reads(2)) u_chain (
    .clk_i,
    .write_i       (en_valid_i || insert_valid_o),
    .write_queue_i (en_valid_i ? en_queue_i : batch_queue_i),
    .write_data_i  (en_valid_i ? 16'd0 : chain),
    .read_queue_i  ({look_queue_i, batch_queue_i}),
    .read_data_o   ({look_chain, chain_was})
  );

  if (ControlQueue) begin : g_control
    assign may_write = DeviceWrites || 32'(batch_queue_i) == Queues - 1;

    always_ff @(posedge clk_i) begin
      if (insert_valid_o && may_write) begin
        wrote_q <= wrote;
      end
    end
  end else begin : g_one_way
    assign may_write = DeviceWrites;
    assign wrote_q   = DeviceWrites;
  end

  always_comb begin
    chain      = '0;
    late       = 1'b0;
    wrote      = 1'b0;
    open       = 1'b0;
    seen       = '0;
    count      = '0;
    first      = '0;
    first_addr = '0;
    error      = virtio_pkg::ErrorNone;
    error_seen = '0;
    error_addr = '0;
    error_slot = 1'b0;
    flags      = '0;
    len        = '0;
    if (rsp_valid_i) begin
      chain      = chain_was;
      late       = begun_q ? late_q : batch_late_i;
      wrote      = DeviceWrites || (may_write && wrote_q && chain_was != '0);
      open       = !batch_stale_i && !broken_q && !failed_q && !rsp_error_i;
      seen       = seen_q;
      first_addr = batch_base_i + 64'({batch_slot_i, 4'd0});
      if (Lanes > 1 && !begun_q) begin
        first = first_addr[4 +: LaneWidth];
      end
      if (rsp_error_i && !failed_q) begin
        error      = virtio_pkg::ErrorDmaRead;
        error_seen = seen_q;
        error_slot = 1'b1;
      end
      for (int unsigned i = 0; i < Lanes; i++) begin
        if (i >= 32'(first) && seen != batch_count_i) begin
          flags = rsp_data_i[128*i + FlagsAt +: 16];
          len   = rsp_data_i[128*i + LenAt +: 32];
          if (open) begin
            error_seen = seen;
            error_addr = rsp_data_i[128*i +: 64];
          end
          if (open && ((flags & virtio_pkg::DescFAvail) != '0) == pos[15] &&
              ((flags & virtio_pkg::DescFUsed) != '0) != pos[15] &&
              (!StrictChains || chain == '0 || late)) begin
            count = count + 6'd1;
            chain = chain + 16'd1;
            if ((flags & virtio_pkg::DescFIndirect) != '0) begin
              error = virtio_pkg::ErrorIndirect;
            end else if (((flags & virtio_pkg::DescFWrite) != '0) ? !may_write
                                                                    : wrote) begin
              error = virtio_pkg::ErrorWrongDirection;
            end else if (len == '0) begin
              error = virtio_pkg::ErrorZeroLength;
            end else if (len > 32'h1_0000) begin
              error = virtio_pkg::ErrorBadLength;
            end else if ((flags & virtio_pkg::DescFNext) == '0) begin
              chain = '0;
              late  = 1'b0;
            end else if (chain == size) begin
              error      = virtio_pkg::ErrorChainTooLong;
              error_slot = 1'b1;
            end
            open  = error == virtio_pkg::ErrorNone;
            wrote = DeviceWrites || (may_write && (flags & virtio_pkg::DescFWrite) != '0 &&
                                     chain != '0);
          end else begin
            if (open && chain != '0 && late) begin
              error      = virtio_pkg::ErrorIncompleteChain;
              error_slot = 1'b1;
            end
            open = 1'b0;
          end
          seen = seen + 6'd1;
        end
      end
    end
  end

  assign err_valid_o = error != virtio_pkg::ErrorNone;
  assign err_code_o  = error;
  assign err_index_o = 16'(batch_slot_i) + 16'(error_seen);
  assign err_addr_o  = error_slot ? first_addr + 64'({error_seen, 4'd0}) : error_addr;

  assign insert_valid_o = count != '0 && !err_valid_o;
  assign insert_first_o = first;
  assign insert_last_o  = first + LaneWidth'(count) - 1'b1;

  assign pos_next = (16'(pos[14:0]) + 16'(count) == size) ? {!pos[15], 15'd0}
                                                         : pos + 16'(count);

  assign end_valid_o = rsp_valid_i && rsp_last_i;
  assign end_taken_o = taken_q + count;
  assign end_chain_o = chain != '0;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      begun_q  <= 1'b0;
      seen_q   <= '0;
      taken_q  <= '0;
      broken_q <= 1'b0;
      late_q   <= 1'b0;
      failed_q <= 1'b0;
    end else if (rsp_valid_i) begin
      begun_q  <= !rsp_last_i;
      seen_q   <= rsp_last_i ? '0 : seen;
      taken_q  <= rsp_last_i ? '0 : end_taken_o;
      broken_q <= !rsp_last_i && !open;
      late_q   <= late;
      if (err_valid_o) begin
        failed_q <= 1'b1;
      end
    end
  end

  assign chain_o = look_chain != '0;

  ////////////////////
  // Properties     //
  ////////////////////

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (!rst_i) begin
      // The last beat of a read brings the last descriptor of its batch, and no other beat does.
      a_beats: assert (!rsp_valid_i || rsp_last_i == (seen == batch_count_i));
      // What is accepted of a batch lies at the queue's accepted position.
      a_position: assert (!insert_valid_o ||
                          16'(batch_slot_i) + 16'(taken_q) == 16'(pos[14:0]));
      // A position lies in the ring.
      a_in_ring: assert (!insert_valid_o || 16'(pos[14:0]) + 16'(count) <= size);
    end
  end
`endif

endmodule
