// SPDX-License-Identifier: Apache-2.0
//
// ctrl_stats: the results of the statistics commands (virtio 1.3, 5.1.6.5.10), byte by byte.
//
//   list      start_i empties it. store_i: a pass of the command has virtqueue store_vq_i in it, of
//             which statistics are asked for, and there is room (!full_o).
//   result    begin_i: its bytes are wanted, with query_i those that say what is supported, else the
//             replies for the virtqueues in the list. some_o: there are any. Each byte stays until
//             next_i; last_o: none follows it. clear_i: no more of them.
//
//                   byte   0      1  2    3  4  5  6    7   8                   8 fields
//       a reply           | type | 0 | index | 0  0 | size | field 1 | field 2 | ...
//       of control                                         | commands | carried out |
//       of the others        | doorbells | frames | bytes | interrupts | drops | dry, malformed |
//
//   few_i     the driver knows one pair of virtqueues: to it control is virtqueue 2
//   rd_*      see device_stats
//   idle_o    nothing moves before an input does
//
// Parameters:
//   QueuePairs   receive and transmit pairs

module ctrl_stats #(
  parameter int unsigned QueuePairs = 1,
  localparam int unsigned VqWidth = $clog2(2 * QueuePairs),
  localparam int unsigned IndexWidth = $clog2(2 * QueuePairs + 1)
) (
  input  logic                  clk_i,
  input  logic                  rst_i,
  output logic                  idle_o,
  input  logic                  few_i,

  input  logic                  start_i,
  input  logic                  store_i,
  input  logic [IndexWidth-1:0] store_vq_i,
  output logic                  full_o,

  input  logic                  query_i,
  input  logic                  begin_i,
  input  logic                  clear_i,
  output logic                  some_o,
  output logic                  valid_o,
  output logic [7:0]            byte_o,
  output logic                  last_o,
  input  logic                  next_i,

  output logic                  rd_valid_o,
  output logic [VqWidth-1:0]    rd_vq_o,
  output logic [2:0]            rd_field_o,
  input  logic                  rd_done_i,
  input  logic [63:0]           rd_value_i
);

  // As many as there are virtqueues, and some more for drivers that ask twice.
  localparam int unsigned Places     = (QueuePairs > 31) ? 1024 : 64;
  localparam int unsigned PlaceWidth = $clog2(Places);
  localparam logic [2:0]  CtrlFields = 3'd2;
  localparam logic [2:0]  Fields     = 3'd6;

  localparam logic [1:0] StRest  = 2'd0;
  localparam logic [1:0] StEntry = 2'd1;    // read the list
  localparam logic [1:0] StValue = 2'd2;    // wait for a field's value
  localparam logic [1:0] StBytes = 2'd3;

  logic [1:0]            state_q;
  logic [PlaceWidth:0]   count_q;      // entries in the list
  logic [PlaceWidth:0]   entry_q;      // the next one
  logic [IndexWidth-1:0] vq;
  logic                  control;
  logic [2:0]            field_q;      // 0: the header
  logic [2:0]            place_q;      // byte of the field
  logic [2:0]            last_field;
  logic                  field_ends, reply_ends;

  assign full_o     = count_q[PlaceWidth];
  assign some_o     = query_i || count_q != '0;
  assign control    = vq == IndexWidth'(2 * QueuePairs);
  assign last_field = query_i ? 3'd0 : control ? CtrlFields : Fields;
  assign field_ends = place_q == 3'd7;
  assign reply_ends = field_ends && field_q == last_field;
  assign valid_o    = state_q == StBytes;
  assign last_o     = reply_ends && (query_i || entry_q == count_q);

  ram_1r1w #(.Width(IndexWidth), .Depth(Places)) u_list (
    .clk_i  (clk_i),
    .we_i   (store_i),
    .waddr_i(count_q[PlaceWidth-1:0]),
    .wdata_i(store_vq_i),
    .re_i   (state_q == StEntry),
    .raddr_i(entry_q[PlaceWidth-1:0]),
    .rdata_o(vq)
  );

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      state_q <= StRest;
      count_q <= '0;
    end else begin
      if (start_i) begin
        count_q <= '0;
      end else if (store_i) begin
        count_q <= count_q + 1'b1;
      end
      case (state_q)
        StRest: if (begin_i && some_o) begin
          entry_q <= '0;
          field_q <= '0;
          place_q <= '0;
          state_q <= query_i ? StBytes : StEntry;
        end
        StEntry: begin
          entry_q <= entry_q + 1'b1;
          state_q <= StBytes;
        end
        StValue: if (rd_done_i) state_q <= StBytes;
        default: if (next_i) begin   // StBytes
          place_q <= place_q + 1'b1;
          if (field_ends) begin
            field_q <= reply_ends ? '0 : field_q + 1'b1;
            state_q <= last_o ? StRest : reply_ends ? StEntry : StValue;
          end
        end
      endcase
      if (clear_i) state_q <= StRest;
    end
  end

  ////////////////////
  // Values         //
  ////////////////////

  assign rd_valid_o = state_q == StValue && !clear_i;
  assign rd_vq_o    = control ? '0 : vq[VqWidth-1:0];

  always_comb begin
    rd_field_o = field_q - 3'd1;
    if (control) begin
      rd_field_o = (field_q == 3'd1) ? nic_pkg::StatCommands : nic_pkg::StatGood;
    end else if (vq[0] && rd_field_o == nic_pkg::StatDries) begin
      rd_field_o = nic_pkg::StatDrops;   // what is dropped of transmit was malformed
    end
  end

  ////////////////////
  // Bytes          //
  ////////////////////

  localparam logic [7:0] ReplySize = 8'(8 * (32'(Fields) + 1));
  localparam logic [7:0] CtrlSize  = 8'(8 * (32'(CtrlFields) + 1));

  logic [15:0] index;     // the driver's number of the virtqueue

  assign index = (control && few_i) ? 16'd2 : 16'(vq);

  always_comb begin
    byte_o = '0;
    if (state_q == StBytes) begin
      if (query_i) begin
        byte_o[0] = place_q == 3'(virtio_pkg::StatsTypeRxBasic / 8) ||
                    place_q == 3'(virtio_pkg::StatsTypeTxBasic / 8) ||
                    place_q == 3'(virtio_pkg::StatsTypeCvq / 8);
      end else if (field_q != '0) begin
        byte_o = rd_value_i[{place_q, 3'b000} +: 8];
      end else begin
        case (place_q)
          3'd0:    byte_o = control ? 8'(virtio_pkg::StatsTypeCvq) :
                            vq[0]   ? 8'(virtio_pkg::StatsTypeTxBasic) :
                                      8'(virtio_pkg::StatsTypeRxBasic);
          3'd2:    byte_o = index[7:0];
          3'd3:    byte_o = index[15:8];
          3'd6:    byte_o = control ? CtrlSize : ReplySize;
          default: byte_o = '0;
        endcase
      end
    end
  end

  assign idle_o = state_q == StRest && !begin_i && !start_i && !store_i;

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (!rst_i) begin
      // An entry that is stored has its place.
      a_full: assert (!store_i || !full_o);
      // The list stays while replies are made of it.
      a_list: assert (state_q == StRest || !(start_i || store_i) || clear_i);
    end
  end
`endif

endmodule
