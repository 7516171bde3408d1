// SPDX-License-Identifier: Apache-2.0
//
// ctrl_chain: takes one chain after the other from the control virtqueue, hands its device-readable
// bytes to the command processor twice, once to check and once to apply them, writes the answer
// into the device-writable bytes and returns the chain. docs/control.md is its page.
//
//   descriptor:   readable    readable        writable   writable        any division of
//   bytes:       | class, command, data ... | answer ... answer |        either into descriptors
//
//   descriptors   popped one at a time while ready_i is high; the descriptors of a chain behind its
//                 head may come late. A chain has at most 240 readable descriptors, else it is
//                 refused; a readable one behind a writable one refuses it too.
//   start_o       a pulse, a pass begins; apply_o says which one. Then bytes with valid and ready;
//                 end_o stays high when there are no more. refuse_i at any time ends the pass, and
//                 done_i under end_o completes it.
//   answer        one byte, the acknowledgement; with long_i eight bytes of data_i before it. Where
//                 there is no room for these, the command is refused in the last byte that there
//                 is. The bytes written are the used element's length. A chain without a writable
//                 byte is not executed. A chain's first 255 writable descriptors are written to.
//   res_*         with res_i (and, if it needs room for eight bytes, res_need_i) an acknowledgement
//                 that is OK has a result behind it, of as many bytes as there is room for: asked for
//                 with a pulse of res_begin_o; some_i: there are any. Each moves when valid and
//                 ready; last_i is high with the last one.
//   over_o        a pulse: the chain was returned or given up
//   judged_o      a pulse: the command's answer is decided; judged_ok_o: it will be OK
//   req_*, rsp_*  client of axi_read: at most 16 bytes that lie in one aligned 16
//   wr_*          small client of axi_write: a byte; up to 15 bytes of a result are under way at once
//   stop_i        gives up the chain in hand where the bus allows it and takes no other. Under
//                 qrst_i a command that is being applied is completed.
//   quiet_o       nothing of a chain in hand
//   err_*         a read or a write was answered with an error; nothing moves until reset. Of a
//                 result's byte err_o.addr may lie up to 15 bytes too far.
//   ok_o, bad_o   pulses, a chain was returned: its command was carried out, or was refused
//   idle_o        a clock edge without inputs changes no state
//
// Parameters:
//   AxiBytes     bytes in a bus beat
//   QueueIndex   virtqueue index of the control virtqueue, for err_o

module ctrl_chain #(
  parameter int unsigned AxiBytes = 16,
  parameter logic [15:0] QueueIndex = 16'd2
) (
  input  logic                         clk_i,
  input  logic                         rst_i,
  input  logic                         ready_i,
  input  logic                         stop_i,
  input  logic                         qrst_i,
  output logic                         quiet_o,
  output logic                         idle_o,

  input  logic                         avail_i,
  output logic                         pop_o,
  input  logic                         desc_valid_i,
  input  nic_pkg::desc_t               desc_i,
  input  logic [15:0]                  desc_index_i,
  output logic                         used_valid_o,
  input  logic                         used_ready_i,
  output nic_pkg::used_t               used_o,

  output logic                         req_valid_o,
  input  logic                         req_ready_i,
  output logic [63:0]                  req_addr_o,
  output logic [nic_pkg::LenWidth-1:0] req_bytes_o,
  input  logic                         rsp_valid_i,
  input  logic [8*AxiBytes-1:0]        rsp_data_i,
  input  logic                         rsp_error_i,

  output logic                         wr_valid_o,
  input  logic                         wr_ready_i,
  output logic [63:0]                  wr_addr_o,
  output logic [8*AxiBytes-1:0]        wr_data_o,
  output logic [AxiBytes-1:0]          wr_strb_o,
  input  logic                         wr_done_i,
  input  logic                         wr_error_i,

  output logic                         start_o,
  output logic                         apply_o,
  output logic                         byte_valid_o,
  input  logic                         byte_ready_i,
  output logic [7:0]                   byte_o,
  output logic                         end_o,
  input  logic                         refuse_i,
  input  logic                         done_i,
  input  logic                         long_i,
  input  logic [63:0]                  data_i,
  input  logic                         res_i,
  input  logic                         res_need_i,
  output logic                         res_begin_o,
  input  logic                         res_some_i,
  input  logic                         res_valid_i,
  output logic                         res_ready_o,
  input  logic [7:0]                   res_byte_i,
  input  logic                         res_last_i,
  output logic                         over_o,
  output logic                         judged_o,
  output logic                         judged_ok_o,

  output logic                         err_valid_o,
  output nic_pkg::vq_error_t           err_o,
  output logic                         ok_o,
  output logic                         bad_o
);

  localparam int unsigned LenWidth = nic_pkg::LenWidth;
  localparam int unsigned LaneWidth = $clog2(AxiBytes);
  localparam logic [3:0]  LongBytes = 4'd9;
  localparam logic [7:0]  MostReadable = 8'd240;
  localparam logic [8:0]  FirstWritable = 9'h100;  // entries of readable descriptors lie below

  if (AxiBytes < 16) $error("ctrl_chain: AxiBytes must be at least 16");

  localparam logic [3:0] StTake   = 4'd0;    // pop a descriptor, the chain's first or a later one
  localparam logic [3:0] StDesc   = 4'd1;    // it is there
  localparam logic [3:0] StStart  = 4'd2;    // begin a pass
  localparam logic [3:0] StLoad   = 4'd3;    // fetch the next entry
  localparam logic [3:0] StOpen   = 4'd4;    // it is there
  localparam logic [3:0] StAsk    = 4'd5;    // ask for up to 16 bytes
  localparam logic [3:0] StAnswer = 4'd6;    // wait for them
  localparam logic [3:0] StBytes  = 4'd7;    // hand them on
  localparam logic [3:0] StEnd    = 4'd8;    // wait for the verdict
  localparam logic [3:0] StWrite  = 4'd9;    // write a byte
  localparam logic [3:0] StWrote  = 4'd10;   // wait for its answer
  localparam logic [3:0] StUsed   = 4'd11;   // return the chain
  localparam logic [3:0] StDrain  = 4'd12;   // wait for the answers to a result's bytes
  localparam logic [3:0] StError  = 4'd13;

  logic [3:0]          state_q;
  logic [7:0]          readable_q;      // descriptors
  logic [7:0]          writable_q;      // descriptors, 255 for 255 or more
  logic [3:0]          room_q;          // writable bytes, 9 for 9 or more
  logic [15:0]         ndesc_q;
  logic [15:0]         id_q;
  logic                bad_q;           // refused for its descriptors
  logic                apply_q;
  logic                answering_q;     // the writable part's turn
  logic                refused_q;
  logic [8:0]          entry_q;
  logic [LenWidth-1:0] offset_q;        // in the open descriptor
  logic [LenWidth-1:0] left_q;          // bytes of it behind offset_q, that one included
  logic                last;            // byte of the open descriptor
  logic [15:0]         answer_q;        // bytes of the answer written
  logic [3:0]          flight_q;        // bytes of a result that are not answered
  logic                ends_q;          // the answer's last byte is under way
  logic                failed_q;        // a write
  logic [127:0]        data_q;
  logic                failed_read_q;

  ////////////////////
  // Descriptors    //
  ////////////////////

  logic                writable;
  logic                fits;
  logic                fresh;           // no chain in hand
  logic [4:0]          room;
  logic                halt;
  logic                give_up;
  logic [15:0]         entry_index;
  logic [LenWidth-1:0] entry_len;
  logic [63:0]         entry_addr;
  logic [63:0]         addr;

  assign writable = (desc_i.flags & virtio_pkg::DescFWrite) != '0;
  assign fits     = writable ? writable_q != '1 : readable_q != MostReadable;
  assign fresh    = ndesc_q == '0;
  assign halt     = stop_i || qrst_i;
  assign give_up  = stop_i || (qrst_i && !apply_q);
  assign pop_o    = state_q == StTake && avail_i && ready_i && !halt;

  ram_1r1w #(.Width(16 + LenWidth + 64), .Depth(512)) u_entries (
    .clk_i  (clk_i),
    .we_i   (state_q == StDesc && desc_valid_i && fits),
    .waddr_i({writable, writable ? writable_q : readable_q}),
    .wdata_i({desc_index_i, desc_i.len[LenWidth-1:0], desc_i.addr}),
    .re_i   (state_q == StLoad),
    .raddr_i(entry_q),
    .rdata_o({entry_index, entry_len, entry_addr})
  );

  assign room = {1'b0, room_q} + {1'b0, desc_i.len[3:0]};
  assign addr = entry_addr + 64'(offset_q);

  ////////////////////
  // Reads, writes  //
  ////////////////////

  logic [4:0] to_edge;     // bytes from addr to the end of its aligned 16
  logic       whole;       // the descriptor reaches that far
  logic       no_room;     // for a long answer
  logic [3:0] answer_len;
  logic       result;      // the answer has one
  logic       ack;         // the byte to write is the acknowledgement
  logic       ends;        // and the last one
  logic [7:0] answer;
  logic       write_fire;

  assign to_edge     = 5'd16 - {1'b0, addr[3:0]};
  assign whole       = left_q >= LenWidth'(to_edge);
  assign req_valid_o = state_q == StAsk;
  assign req_addr_o  = addr;
  assign req_bytes_o = whole ? LenWidth'(to_edge) : left_q;

  assign start_o      = state_q == StStart && !give_up && !bad_q && room_q != '0;
  assign apply_o      = apply_q;
  assign byte_valid_o = state_q == StBytes && !refuse_i && !give_up;
  assign byte_o       = data_q[{addr[3:0], 3'b000} +: 8];
  assign end_o        = state_q == StEnd;

  assign no_room    = (long_i || res_need_i) && room_q != LongBytes;
  assign answer_len = (!long_i || bad_q) ? 4'd1 : room_q;
  assign result     = res_i && !refused_q;
  assign ack        = result ? answer_q == '0 : answer_q[3:0] + 4'd1 == answer_len;
  assign ends       = !result ? ack : ack ? !res_some_i : res_last_i;
  assign answer     = ack ? (refused_q ? virtio_pkg::CtrlAckErr : virtio_pkg::CtrlAckOk) :
                      result ? res_byte_i : data_i[{answer_q[2:0], 3'b000} +: 8];
  assign wr_valid_o = state_q == StWrite && flight_q != '1 && (ack || !result || res_valid_i);
  assign write_fire = wr_valid_o && wr_ready_i;

  assign res_begin_o = state_q == StEnd && done_i && apply_q && res_i && !over && !refused;
  assign res_ready_o = write_fire && result && !ack;
  assign wr_addr_o  = {addr[63:LaneWidth], LaneWidth'(0)};
  assign wr_data_o  = {AxiBytes{answer}};
  assign wr_strb_o  = AxiBytes'(1) << addr[LaneWidth-1:0];

  always_comb begin
    used_o       = '0;
    used_o.last  = 1'b1;
    used_o.first = 1'b1;
    used_o.ndesc = ndesc_q;
    used_o.id    = id_q;
    used_o.len   = 32'(answer_q);
  end

  assign used_valid_o = state_q == StUsed;
  assign ok_o         = used_valid_o && used_ready_i && !refused_q;
  assign bad_o        = used_valid_o && used_ready_i && refused_q;

  assign err_valid_o = state_q == StError;

  always_comb begin
    err_o       = '0;
    err_o.code  = failed_read_q ? virtio_pkg::ErrorDmaRead : virtio_pkg::ErrorDmaWrite;
    err_o.queue = QueueIndex;
    err_o.index = entry_index;
    err_o.addr  = addr;
  end

  // The lane of 16 bytes that was asked for.
  if (AxiBytes == 16) begin : g_one_lane
    always_ff @(posedge clk_i) begin
      if (state_q == StAnswer && rsp_valid_i) begin
        data_q <= rsp_data_i;
      end
    end
  end else begin : g_lanes
    always_ff @(posedge clk_i) begin
      if (state_q == StAnswer && rsp_valid_i) begin
        data_q <= rsp_data_i[{addr[LaneWidth-1:4], 7'd0} +: 128];
      end
    end
  end

  ////////////////////
  // States         //
  ////////////////////

  assign judged_o    = !over && (refused || (state_q == StEnd && done_i && apply_q) ||
                                 (state_q == StStart && (bad_q || room_q == '0)));
  assign judged_ok_o = state_q == StEnd && done_i && !refused;
  assign over_o      = over;

  assign quiet_o = (state_q == StTake && fresh) || state_q == StError;
  assign idle_o  = (state_q == StTake && !pop_o && (fresh || !halt)) || state_q == StError;

  logic take;        // a descriptor is there
  logic over;        // nothing of the chain is in hand any more
  logic advance;     // a byte was handed on or written, and another one follows
  logic drained;     // no byte of a result is under way
  logic refused;

  assign take    = state_q == StDesc && desc_valid_i;
  assign refused = (state_q == StBytes && refuse_i) ||
                   (state_q == StEnd && (refuse_i || no_room));
  assign advance = (byte_valid_o && byte_ready_i) ||
                   (write_fire && result) ||
                   (state_q == StWrote && wr_done_i && !wr_error_i && !ack);
  assign drained = state_q == StDrain && flight_q == '0;
  assign over    = (state_q == StTake && halt) || (used_valid_o && used_ready_i) ||
                   (give_up && (state_q == StStart || state_q == StLoad || state_q == StOpen ||
                                state_q == StBytes || state_q == StEnd ||
                                (drained && !failed_q && !ends_q)));

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      state_q <= StTake;
    end else if (!idle_o) begin
      case (state_q)
        StTake:  if (pop_o) state_q <= StDesc;
        StDesc:  if (take) state_q <= ((desc_i.flags & virtio_pkg::DescFNext) != '0) ? StTake :
                                                                                      StStart;
        StStart: state_q <= (room_q == '0) ? StUsed : StLoad;
        StLoad:  state_q <= (entry_q == {1'b0, readable_q}) ? StEnd :
                            (entry_q == {1'b1, writable_q}) ? StUsed : StOpen;
        StOpen:  state_q <= answering_q ? StWrite : StAsk;
        StAsk:   if (req_ready_i) state_q <= StAnswer;
        StAnswer: if (rsp_valid_i) state_q <= rsp_error_i ? StError : StBytes;
        StBytes: begin
          if (advance && last)               state_q <= StLoad;
          else if (advance && addr[3:0] == 4'hf) state_q <= StAsk;
        end
        StEnd:   if (done_i) state_q <= apply_q ? StLoad : StStart;
        StWrite: begin
          if (write_fire && !result) begin
            state_q <= StWrote;
          end else if ((write_fire && (ends || last || stop_i)) ||
                       (!wr_valid_o && (failed_q || stop_i))) begin
            state_q <= StDrain;
          end
        end
        StWrote: if (wr_done_i) state_q <= wr_error_i ? StError : ack ? StUsed :
                                           last ? StLoad : StWrite;
        StDrain: if (drained) state_q <= failed_q ? StError : ends_q ? StUsed : StLoad;
        default: if (used_ready_i) state_q <= StTake;   // StUsed
      endcase
      if (refused) state_q <= StLoad;
      if (over)    state_q <= StTake;
    end
  end

  // The chain.
  always_ff @(posedge clk_i) begin
    if (rst_i || over) begin
      ndesc_q    <= '0;
      readable_q <= '0;
      writable_q <= '0;
      room_q     <= '0;
      bad_q      <= 1'b0;
    end else if (take) begin
      ndesc_q <= ndesc_q + 1'b1;
      if (writable) begin
        writable_q <= writable_q + 8'(fits);
        room_q     <= (desc_i.len[LenWidth-1:4] != '0 || room > {1'b0, LongBytes}) ? LongBytes :
                                                                                   room[3:0];
      end else begin
        readable_q <= readable_q + 8'(fits);
        if (!fits || writable_q != '0) bad_q <= 1'b1;
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (take) begin
      id_q <= desc_i.id;
    end
    if (rsp_valid_i || wr_done_i) begin
      failed_read_q <= state_q == StAnswer;
    end
  end

  // Bytes of a result that are under way.
  always_ff @(posedge clk_i) begin
    if (rst_i || take) begin
      flight_q <= '0;
      ends_q   <= 1'b0;
      failed_q <= 1'b0;
    end else if (result && (write_fire || wr_done_i)) begin
      flight_q <= flight_q + 4'(write_fire) - 4'(wr_done_i);
      ends_q   <= ends_q || (write_fire && ends);
      failed_q <= failed_q || (wr_done_i && wr_error_i);
    end
  end

  // The pass: to check, to apply, to answer.
  always_ff @(posedge clk_i) begin
    if (rst_i || over || take) begin
      apply_q     <= 1'b0;
      answering_q <= 1'b0;
      refused_q   <= 1'b1;
    end else if (refused || (state_q == StStart && bad_q)) begin
      answering_q <= 1'b1;
      refused_q   <= 1'b1;
    end else if (state_q == StEnd && done_i) begin
      apply_q     <= 1'b1;
      answering_q <= apply_q;
      refused_q   <= !apply_q;
    end
  end

  // The place: a descriptor and a byte in it.
  always_ff @(posedge clk_i) begin
    if (refused || state_q == StEnd || (state_q == StStart && bad_q)) begin
      entry_q <= FirstWritable;
    end else if (state_q == StStart) begin
      entry_q <= '0;
    end else if (state_q == StOpen) begin
      entry_q <= entry_q + 1'b1;
    end
  end

  assign last = left_q == LenWidth'(1);

  always_ff @(posedge clk_i) begin
    if (state_q == StOpen) begin
      offset_q <= '0;
    end else if (advance) begin
      offset_q <= offset_q + 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (state_q == StOpen || advance) begin
      left_q <= (state_q == StOpen) ? entry_len : left_q - 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (take) begin
      answer_q <= '0;
    end else if ((state_q == StWrote && wr_done_i) || (write_fire && result)) begin
      answer_q <= answer_q + 1'b1;
    end
  end

  logic unused_bits;
  assign unused_bits = ^{desc_i.flags, desc_i.len[31:LenWidth]};

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (!rst_i) begin
      // A descriptor comes in the cycle after it was popped and in no other.
      a_desc: assert (desc_valid_i == (state_q == StDesc));
      // Descriptors have a length that the reader can count.
      a_len: assert (!desc_valid_i || (desc_i.len != '0 && desc_i.len[31:LenWidth] == '0));
      // A read stays within its descriptor and within 16 aligned bytes.
      a_read: assert (!req_valid_o || (left_q != '0 && req_bytes_o <= left_q &&
                                       LenWidth'(addr[3:0]) + req_bytes_o <= LenWidth'(16)));
      // The answer stays within the writable bytes.
      a_write: assert (!wr_valid_o || (left_q != '0 && (result || answer_q < 16'(room_q))));
      // A read in one beat is answered by one beat, when it was asked for.
      a_rsp: assert (!rsp_valid_i || state_q == StAnswer);
    end
  end
`endif

endmodule
