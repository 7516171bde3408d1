// SPDX-License-Identifier: Apache-2.0
//
// rx_lane_frames: the first 128 bytes of the frames of one rx_lane, their lengths and their sums.
//
//   beats, ends   as rx_lane has them; put_slot_i is the place of the frame that is coming in
//   get_i         place of the frame that is read, with a bit more than a place needs, so that it also
//                 tells rounds apart. have_o: 8-byte words of it that are there, 31 when it has ended.
//                 lost_o: it will not stay, and the next frame takes its place. summed_o: len_o and
//                 rest_o, its length and sum, are there.
//   read_*        word read_word_i of frame read_get_i, which is at get_i or comes next, first byte on
//                 top, in the same cycle. read_have_o: words of that frame, as have_o, but 0 when it
//                 is lost.
//   dst_o         destination address of the frame at dst_slot_i
//   idle_o        no frame at get_i; a clock edge with quiet inputs changes no state
//
// Parameters: those of rx_lane.

module rx_lane_frames #(
  parameter int unsigned StreamBytes = 8,
  parameter int unsigned Slots = 4,
  localparam int unsigned Rows = 128 / StreamBytes,
  localparam int unsigned RowWidth = $clog2(Rows),
  localparam int unsigned SlotWidth = $clog2(Slots)
) (
  input  logic                     clk_i,
  input  logic                     forget_i,

  input  logic                     beat_valid_i,
  input  logic [SlotWidth-1:0]     put_slot_i,
  input  logic [RowWidth-1:0]      beat_row_i,
  input  logic [8*StreamBytes-1:0] beat_data_i,
  input  logic                     last_i,
  input  logic                     kept_i,
  input  logic                     sum_valid_i,
  input  logic [15:0]              sum_len_i,
  input  logic [15:0]              sum_rest_i,

  input  logic [SlotWidth:0]       get_i,
  output logic [4:0]               have_o,
  output logic                     lost_o,
  output logic                     summed_o,
  output logic [15:0]              len_o,
  output logic [15:0]              rest_o,

  input  logic [SlotWidth:0]       read_get_i,
  input  logic [3:0]               read_word_i,
  output logic [63:0]              read_o,
  output logic [4:0]               read_have_o,

  input  logic [SlotWidth-1:0]     dst_slot_i,
  output logic [47:0]              dst_o,

  output logic                     idle_o
);

  localparam int unsigned Words = StreamBytes / 8;

  if (StreamBytes * Rows != 128 || StreamBytes < 8 || Rows < 2) begin : g_bytes
    $error("rx_lane: StreamBytes: 8, 16, 32 or 64");
  end
  if ((1 << SlotWidth) != Slots) $error("rx_lane: Slots: a power of two");

  logic [SlotWidth:0] put_q;    // frame that is coming in
  logic [SlotWidth:0] summed_q; // first frame whose sum has not come
  logic [4:0]         have_q;   // words of the frame that is coming in

  logic [8*StreamBytes-1:0] mem [Slots * Rows];
  logic [47:0]              dst [Slots];
  logic [31:0]              sums [Slots];

  always_ff @(posedge clk_i) begin
    if (beat_valid_i) begin
      mem[{put_slot_i, beat_row_i}] <= beat_data_i;
    end
  end

  always_ff @(posedge clk_i) begin
    if (beat_valid_i && beat_row_i == '0) begin
      dst[put_slot_i] <= {beat_data_i[7:0], beat_data_i[15:8], beat_data_i[23:16],
                                    beat_data_i[31:24], beat_data_i[39:32], beat_data_i[47:40]};
    end
  end

  always_ff @(posedge clk_i) begin
    if (sum_valid_i) begin
      sums[summed_q[SlotWidth-1:0]] <= {sum_len_i, sum_rest_i};
    end
  end

  always_ff @(posedge clk_i) begin
    if (forget_i) begin
      put_q    <= '0;
      summed_q <= '0;
      have_q   <= '0;
    end else if (beat_valid_i || last_i || sum_valid_i) begin
      if (last_i && kept_i) begin
        put_q <= put_q + 1'b1;
      end
      if (beat_valid_i) begin
        have_q <= ((beat_row_i == '0) ? 5'd0 : have_q) + 5'(Words);
      end else if (last_i) begin
        have_q <= '0;
      end
      if (sum_valid_i) begin
        summed_q <= summed_q + 1'b1;
      end
    end
  end

  assign have_o          = (get_i != put_q) ? 5'd31 : have_q;
  assign lost_o          = last_i && !kept_i && get_i == put_q;
  assign summed_o        = get_i != summed_q;
  assign {len_o, rest_o} = sums[get_i[SlotWidth-1:0]];
  assign dst_o           = dst[dst_slot_i];
  assign idle_o          = get_i == put_q && have_q == '0;

  logic [63:0] word;

  if (Words == 1) begin : g_word
    assign word = mem[{read_get_i[SlotWidth-1:0], read_word_i}];
  end else begin : g_words
    localparam int unsigned SelectWidth = $clog2(Words);
    assign word = mem[{read_get_i[SlotWidth-1:0], read_word_i[3:SelectWidth]}]
                     [64*read_word_i[SelectWidth-1:0] +: 64];
  end

  assign read_o = {word[7:0], word[15:8], word[23:16], word[31:24],
                   word[39:32], word[47:40], word[55:48], word[63:56]};

  assign read_have_o = (read_get_i != put_q) ? 5'd31 : (last_i && !kept_i) ? 5'd0 : have_q;

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (!forget_i) begin
      // There is never one frame more than there are places.
      a_slots: assert ((put_q - get_i) <= (SlotWidth + 1)'(Slots));
      // A sum is for a frame that has ended.
      a_sum: assert (!sum_valid_i || summed_q != put_q);
      // Sums come for frames that have not been left behind.
      a_order: assert ((put_q - summed_q) <= (put_q - get_i));
    end
  end
`endif

endmodule
