// SPDX-License-Identifier: Apache-2.0
//
// rx_sum: ones' complement sum of a frame from byte 14 on, behind the Ethernet header, as it passes.
//
//   beats in   every beat of a frame; beat_row_i: it is the second one. kept_i with its last beat: the
//              sum is wanted, for lane lane_i.
//   sum out    sum_valid_o, three cycles after that beat, one cycle long: the complement of the sum,
//              first byte of a pair on top, and the frame's length and lane
//   idle_o     a clock edge with quiet inputs changes no state
//
// Parameters:
//   StreamBytes   bytes in a beat: 8, 16, 32 or 64
//   LaneWidth     bits of a lane's number

module rx_sum #(
  parameter int unsigned StreamBytes = 8,
  parameter int unsigned LaneWidth = 1
) (
  input  logic                     clk_i,
  input  logic                     forget_i,

  input  logic                     beat_valid_i,
  input  logic                     beat_first_i,
  input  logic                     beat_row_i,
  input  logic [8*StreamBytes-1:0] beat_data_i,
  input  logic [StreamBytes-1:0]   beat_keep_i,
  input  logic                     beat_last_i,
  input  logic                     kept_i,
  input  logic [LaneWidth-1:0]     lane_i,

  output logic                     sum_valid_o,
  output logic [LaneWidth-1:0]     sum_lane_o,
  output logic [15:0]              sum_len_o,
  output logic [15:0]              sum_rest_o,

  output logic                     idle_o
);

  localparam int unsigned Words = StreamBytes / 4;

  ////////////////////
  // A beat         //
  ////////////////////

  logic                     add_q;
  logic                     first_q;
  logic                     kept_q;
  logic [LaneWidth-1:0]     lane_q;
  logic [15:0]              len_q;
  logic [35:0]              beat_sum_q;  // of words of 32 bits

  // A function, so that simulation does this once a beat.
  function automatic logic [35:0] total(input logic [8*StreamBytes-1:0] data,
                                        input logic [StreamBytes-1:0] keep, input logic first,
                                        input logic second, input logic last);
    logic [31:0] word;
    total = '0;
    for (int unsigned i = 0; i < Words; i++) begin
      word = data[32*i +: 32];
      if (last) begin
        word = word & {{8{keep[4*i + 3]}}, {8{keep[4*i + 2]}}, {8{keep[4*i + 1]}}, {8{keep[4*i]}}};
      end
      if (i < 3 && first || (StreamBytes == 8 && i == 0 && second)) begin
        word = '0;
      end
      if ((i == 3 && first) || (StreamBytes == 8 && i == 1 && second)) begin
        word[15:0] = '0;
      end
      total = total + 36'(word);
    end
  endfunction

  always_ff @(posedge clk_i) begin
    if (forget_i) begin
      add_q  <= 1'b0;
      kept_q <= 1'b0;
    end else if (beat_valid_i || add_q) begin
      add_q  <= beat_valid_i;
      kept_q <= kept_i;
      if (beat_valid_i) begin
        first_q    <= beat_first_i;
        lane_q     <= lane_i;
        len_q      <= (beat_first_i ? '0 : len_q) +
                      (beat_last_i ? 16'($countones(beat_keep_i)) : 16'(StreamBytes));
        beat_sum_q <= total(beat_data_i, beat_keep_i, beat_first_i, beat_row_i, beat_last_i);
      end
    end
  end

  ////////////////////
  // A frame        //
  ////////////////////

  logic [31:0]          sum_q;   // of halfwords
  logic                 ready_q;
  logic [LaneWidth-1:0] out_lane_q;
  logic [15:0]          out_len_q;
  logic [17:0]          halves;
  logic [16:0]          folded;
  logic [15:0]          sum_be;

  always_ff @(posedge clk_i) begin
    if (forget_i) begin
      ready_q <= 1'b0;
    end else if (add_q || ready_q) begin
      ready_q <= kept_q;
      if (add_q) begin
        sum_q      <= (first_q ? '0 : sum_q) + 32'(halves);
        out_lane_q <= lane_q;
        out_len_q  <= len_q;
      end
    end
  end

  assign halves = 18'(beat_sum_q[15:0]) + 18'(beat_sum_q[31:16]) + 18'(beat_sum_q[35:32]);

  // The sum of little-endian halfwords is that of big-endian ones, bytes swapped (RFC 1071).
  assign folded      = 17'(sum_q[15:0]) + 17'(sum_q[31:16]);
  assign sum_be      = folded[15:0] + 16'(folded[16]);
  assign sum_valid_o = ready_q;
  assign sum_lane_o  = out_lane_q;
  assign sum_len_o   = out_len_q;
  assign sum_rest_o  = ~{sum_be[7:0], sum_be[15:8]};
  assign idle_o      = !add_q && !ready_q;

endmodule
