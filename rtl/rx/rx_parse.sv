// SPDX-License-Identifier: Apache-2.0
//
// rx_parse: reads the headers of every frame that the receive store takes.
//
//   stream in     the beats that the store gets, s_axis_* (see rx_store). room_o, at a frame's first
//                 beat: there is a place for its headers. take_i, at its last: the store keeps it. A
//                 frame is known of only if it had both.
//   info out      info_o says what is in the oldest frame; stable from info_valid_o on until
//                 info_ready_i, in the order of the frames. It is there 6 (with StreamBytes 8) to
//                 11 (64) cycles after the last beat of a minimum-size frame.
//   header port   hdr_data_o: the 8-byte word hdr_addr_i of the frame that info_o is about, first byte
//                 in 7:0, one cycle after its address. Words behind the frame's end are anything.
//   hash_types_i  enabled hash types, bits virtio_pkg::HashType*
//   table_i       writes of the Toeplitz key (nic_pkg::TableKey); all zeros until its last word was
//                 written after forget_i
//   forget_i      a reset of the device: what is held is forgotten, and a frame that is passing by is
//                 not known of; rst_i is the reset of everything.
//   idle_o        nothing held, no frame half in; a clock edge with quiet inputs changes no state
//
//              +-> rx_lane 0 --+
//     s_axis --+-> rx_lane 1 --+--> info      every lane takes its turn
//              +-> header words ----> hdr
//
// A frame's L4 sum is taken from the stream as it passes; its lane takes off what does not belong
// there. So frames of any length get a verdict, but those with more than 128 bytes that have something
// behind the IP packet.
//
// Parameters:
//   StreamBytes   bytes in a beat: 8, 16, 32 or 64
//   Lanes         lanes; each needs 10 cycles at most for a minimum-size frame
//   Slots         frames for which each lane has a place, a power of two

module rx_parse #(
  parameter int unsigned StreamBytes = 8,
  parameter int unsigned Lanes = (StreamBytes <= 8) ? 1 : (StreamBytes <= 16) ? 2 : 6,
  parameter int unsigned Slots = 4
) (
  input  logic                     clk_i,
  input  logic                     rst_i,
  input  logic                     forget_i,

  input  logic [8:0]               hash_types_i,
  input  nic_pkg::rx_table_t       table_i,

  input  logic                     s_axis_tvalid_i,
  input  logic [8*StreamBytes-1:0] s_axis_tdata_i,
  input  logic [StreamBytes-1:0]   s_axis_tkeep_i,
  input  logic                     s_axis_tlast_i,
  input  logic                     take_i,
  output logic                     room_o,

  output logic                     info_valid_o,
  input  logic                     info_ready_i,
  output nic_pkg::rx_info_t        info_o,
  input  logic [3:0]               hdr_addr_i,
  output logic [63:0]              hdr_data_o,

  output logic                     idle_o
);

  localparam int unsigned Rows       = 128 / StreamBytes;
  localparam int unsigned RowWidth   = $clog2(Rows);
  localparam int unsigned SlotWidth  = $clog2(Slots);
  localparam int unsigned LaneWidth  = (Lanes > 1) ? $clog2(Lanes) : 1;
  localparam int unsigned CountWidth = $clog2(Lanes * Slots + 1);
  localparam int unsigned Words      = StreamBytes / 8;
  localparam int unsigned InfoWidth  = 243;
  localparam int unsigned InfoStride = 256;  // words of 64 bits are copied faster in simulation

  if (Lanes < 1) $error("rx_parse: Lanes must be at least 1");

  ////////////////////
  // Frames in      //
  ////////////////////

  logic                  in_frame_q;
  logic                  known_q;   // the frame that is passing by had room
  logic [RowWidth:0]     row_q;     // beats before this one, as far as they are header
  logic [LaneWidth-1:0]  lane_q;    // of the frame that is passing by or comes next
  logic [SlotWidth-1:0]  slot_q;
  logic [CountWidth-1:0] count_q;   // frames held

  logic              forget;
  logic              known;
  logic [RowWidth:0] row;
  logic              header;
  logic              last;
  logic              kept;
  logic                 ended_q;      // the last cycle had a last beat
  logic                 ended_kept_q;
  logic [LaneWidth-1:0] ended_lane_q;
  logic              pop;

  assign forget = rst_i || forget_i;
  assign room_o = count_q != CountWidth'(Lanes * Slots);
  assign known  = in_frame_q ? known_q : room_o;
  assign row    = in_frame_q ? row_q : '0;
  assign header = s_axis_tvalid_i && known && !row[RowWidth];
  assign last   = s_axis_tvalid_i && s_axis_tlast_i && known;
  assign kept   = last && take_i && !forget;
  assign pop    = info_valid_o && info_ready_i;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      in_frame_q <= 1'b0;
    end else if (s_axis_tvalid_i) begin
      in_frame_q <= !s_axis_tlast_i;
      row_q      <= row + (RowWidth + 1)'(!row[RowWidth]);
    end
  end

  always_ff @(posedge clk_i) begin
    if (forget) begin
      known_q <= 1'b0;
    end else if (s_axis_tvalid_i) begin
      known_q <= known;
    end
  end

  always_ff @(posedge clk_i) begin
    if (forget) begin
      ended_q <= 1'b0;
    end else if (last || ended_q) begin
      ended_q      <= last;
      ended_kept_q <= kept;
      ended_lane_q <= lane_q;
    end
  end

  always_ff @(posedge clk_i) begin
    if (forget) begin
      lane_q  <= '0;
      slot_q  <= '0;
      count_q <= '0;
    end else if (kept || pop) begin
      count_q <= count_q + CountWidth'(kept) - CountWidth'(pop);
      if (kept) begin
        lane_q <= (lane_q == LaneWidth'(Lanes - 1)) ? '0 : lane_q + 1'b1;
        if (lane_q == LaneWidth'(Lanes - 1)) begin
          slot_q <= slot_q + 1'b1;
        end
      end
    end
  end

  ////////////////////
  // Their sums     //
  ////////////////////

  logic                 sum_valid;
  logic [LaneWidth-1:0] sum_lane;
  logic [15:0]          sum_len;
  logic [15:0]          sum_rest;
  logic                 sum_idle;

  rx_sum #(
    .StreamBytes(StreamBytes),
    .LaneWidth  (LaneWidth)
  ) u_sum (
    .clk_i       (clk_i),
    .forget_i    (forget),
    .beat_valid_i(s_axis_tvalid_i && known),
    .beat_first_i(!in_frame_q),
    .beat_row_i  (row == (RowWidth + 1)'(1)),
    .beat_data_i (s_axis_tdata_i),
    .beat_keep_i (s_axis_tkeep_i),
    .beat_last_i (s_axis_tlast_i),
    .kept_i      (kept),
    .lane_i      (lane_q),
    .sum_valid_o (sum_valid),
    .sum_lane_o  (sum_lane),
    .sum_len_o   (sum_len),
    .sum_rest_o  (sum_rest),
    .idle_o      (sum_idle)
  );

  ////////////////////
  // Lanes          //
  ////////////////////

  logic [Lanes-1:0]            result_valid;
  logic [Lanes-1:0]            result_ready;
  logic [InfoStride*Lanes-1:0] results;
  logic [SlotWidth*Lanes-1:0]  result_slots;
  logic [Lanes-1:0]            lane_active;
  logic [Lanes-1:0]            lane_idle;
  logic                        lane_clk;

  clock_gate u_clock (
    .clk_i(clk_i),
    .en_i (forget || header || ended_q || sum_valid || lane_active != '0 || result_ready != '0 ||
           table_i.select == nic_pkg::TableKey),
    .clk_o(lane_clk)
  );

  for (genvar l = 0; l < Lanes; l++) begin : g_lane
    nic_pkg::rx_info_t result;

    rx_lane #(
      .StreamBytes(StreamBytes),
      .Slots      (Slots)
    ) u_lane (
      .clk_i         (lane_clk),
      .forget_i      (forget),
      .hash_types_i  (hash_types_i),
      .table_i       (table_i),
      .beat_valid_i  (header && lane_q == LaneWidth'(l)),
      .put_slot_i    (slot_q),
      .beat_row_i    (row[RowWidth-1:0]),
      .beat_data_i   (s_axis_tdata_i),
      .last_i        (ended_q && ended_lane_q == LaneWidth'(l)),
      .kept_i        (ended_kept_q),
      .sum_valid_i   (sum_valid && sum_lane == LaneWidth'(l)),
      .sum_len_i     (sum_len),
      .sum_rest_i    (sum_rest),
      .result_valid_o(result_valid[l]),
      .result_ready_i(result_ready[l]),
      .result_o      (result),
      .result_slot_o (result_slots[SlotWidth*l +: SlotWidth]),
      .active_o      (lane_active[l]),
      .idle_o        (lane_idle[l])
    );

    assign results[InfoStride*l +: InfoStride] = InfoStride'(result);
  end

  logic [LaneWidth-1:0] head_lane;
  logic [SlotWidth-1:0] head_slot;

  if (Lanes == 1) begin : g_direct
    logic unused_results;
    assign unused_results  = ^results;
    assign info_valid_o    = result_valid[0];
    assign info_o          = results[InfoWidth-1:0];
    assign result_ready[0] = pop;
    assign head_lane       = '0;
    assign head_slot       = result_slots;
  end else begin : g_turns
    logic                 valid_q;
    logic [InfoWidth-1:0] info_q;
    logic [LaneWidth-1:0] turn_q;
    logic [LaneWidth-1:0] head_lane_q;
    logic [SlotWidth-1:0] head_slot_q;
    logic                 take;

    always_comb begin
      result_ready = '0;
      if (!valid_q || info_ready_i) begin
        for (int unsigned l = 0; l < Lanes; l++) begin
          result_ready[l] = turn_q == LaneWidth'(l) && result_valid[l];
        end
      end
    end

    assign take = result_ready != '0;

    always_ff @(posedge clk_i) begin
      if (forget) begin
        valid_q <= 1'b0;
        turn_q  <= '0;
      end else if (take || pop) begin
        valid_q <= take;
        if (take) begin
          turn_q      <= (turn_q == LaneWidth'(Lanes - 1)) ? '0 : turn_q + 1'b1;
          head_lane_q <= turn_q;
          for (int unsigned l = 0; l < Lanes; l++) begin
            if (turn_q == LaneWidth'(l)) begin
              info_q      <= results[InfoStride*l +: InfoWidth];
              head_slot_q <= result_slots[SlotWidth*l +: SlotWidth];
            end
          end
        end
      end
    end

    assign info_valid_o = valid_q;
    assign info_o       = info_q;
    assign head_lane    = head_lane_q;
    assign head_slot    = head_slot_q;
  end

  ////////////////////
  // Header words   //
  ////////////////////

  // A beat a word, so that it can be a RAM.
  logic [8*StreamBytes-1:0] hdr [1 << (LaneWidth + SlotWidth + RowWidth)];

  always_ff @(posedge clk_i) begin
    if (header) begin
      hdr[{lane_q, slot_q, row[RowWidth-1:0]}] <= s_axis_tdata_i;
    end
  end

  always_ff @(posedge clk_i) begin
    if (info_valid_o) begin
      hdr_data_o <= hdr[{head_lane, head_slot, hdr_addr_i[3:4-RowWidth]}]
                       [64*(32'(hdr_addr_i) & (Words - 1)) +: 64];
    end
  end

  assign idle_o = !in_frame_q && !ended_q && count_q == '0 && sum_idle && lane_idle == '1;

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (!forget) begin
      // A result is of a frame that is held.
      a_held: assert (!info_valid_o || count_q != '0);
      // No more frames are held than there are places.
      a_places: assert (32'(count_q) <= Lanes * Slots);
    end
  end
`endif

endmodule
