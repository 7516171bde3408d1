// SPDX-License-Identifier: Apache-2.0
//
// ctrl_command: reads commands of the control virtqueue byte by byte (virtio 1.2, 5.1.6.5) and
// checks them.
//
//   pass      start_i begins one; the command's bytes follow, then end_i. It is answered by done_o
//             (under end_i, until the next start_i) or by refuse_o (at any time, until then). A
//             pass without apply_i changes nothing; one with apply_i carries out a command that has
//             passed the other.
//   long_o    the answer has data before the acknowledgement: the moderation of a queue
//   result_o  it has a result behind it, see ctrl_stats; query_o: what is supported
//   store_o   in either pass: statistics of virtqueue store_vq_o are asked for; not if list_full_i
//   action_o  what a field changes, for ctrl_settings and ctrl_tables, which take it at once; but
//             under walking_i a new table of addresses waits for the old one's clearing
//   mod_*     asks ctrl_moderation: mod_valid_o until mod_done_i, mod_ok_i with it
//   settle_o  the pairs in use may be fewer: pair settle_queue_o is out of use, and the command
//             waits until settled_i says that no frame is in hand for it. One such pair after the
//             other; pairs_i is what ctrl_settings has now
//   idle_o    nothing moves before the next byte
//
// A command is a sequence of fields; each is shifted into acc_q, its last byte on top, and acted on
// in the cycle after that:
//
//   Head 2 -+-> Simple 0 to 8 ------------------------------------------> Settle -> Done
//           |
//           +-> Vq 4 -> Simple 0 or 8 (moderation of one queue)
//           |
//           +-> (Vq 8 -> Simple 8) x n (statistics: virtqueue, types), as far as the bytes go
//           |
//           +-> Clear -> Count 4 -> Mac 6 x n -> Count 4 -> Mac 6 x m -> Commit ----> Done
//           |
//           |                .-> RssHead 4 -> Table 2 x (mask + 1) -> MaxTx 2 -.
//           '--> Types 4 ---<                                                   +-> KeyLen 1 -.
//                            '-> Reserved 8 ------------------------------------'             |
//                                              Done <- Settle <- Commit <- Key 4 x 10 <------'
//
// A key shorter than 40 bytes is filled up with zeros; one of length 0 leaves the key as it is. Up to
// three bytes behind the key are taken and mean nothing: Linux (6.11 and later) sends the padding of a
// structure along.
//
// Parameters:
//   QueuePairs   receive and transmit pairs

module ctrl_command #(
  parameter int unsigned QueuePairs = 1,
  localparam int unsigned IndexWidth = $clog2(2 * QueuePairs + 1)
) (
  input  logic                clk_i,
  input  logic                rst_i,
  output logic                idle_o,
  input  logic [63:0]         features_i,

  input  logic                start_i,
  input  logic                apply_i,
  input  logic                byte_valid_i,
  output logic                byte_ready_o,
  input  logic [7:0]          byte_i,
  input  logic                end_i,
  output logic                refuse_o,
  output logic                done_o,
  output logic                long_o,
  output logic                result_o,
  output logic                query_o,
  output logic                store_o,
  output logic [IndexWidth-1:0] store_vq_o,
  input  logic                list_full_i,
  output logic                few_o,          // the driver knows one pair

  output ctrl_pkg::action_t   action_o,
  input  logic                walking_i,

  output logic                mod_valid_o,
  output logic [1:0]          mod_op_o,       // CtrlNotfCoal* of virtio_pkg
  output logic [15:0]         mod_queue_o,
  output logic [15:0]         mod_packets_o,
  output logic [15:0]         mod_usecs_o,
  input  logic                mod_done_i,
  input  logic                mod_ok_i,

  input  logic [15:0]         pairs_i,
  output logic                settle_o,
  output logic [15:0]         settle_queue_o,
  input  logic                settled_i
);

  localparam logic [3:0] LastKeyWord = 4'(virtio_pkg::RssKeyBytes / 4 - 1);

  logic [3:0]  phase_q;
  logic [3:0]  left_q;       // bytes of the field that are to come
  logic [63:0] acc_q;
  logic [3:0]  op_q;
  logic [2:0]  cmd_q;
  logic        refuse_q;
  logic [1:0]  surplus_q;    // bytes behind the key
  logic [15:0] items_q;      // addresses in the list; mask of the RSS table
  logic [15:0] item_q;       // number of the address, from 1; RSS entry, key word or pair, from 0
  logic        second_q;     // the list of multicast addresses
  logic        no_types_q;   // no hash type is asked for
  logic [5:0]  key_left_q;   // bytes of the key to come; what lacks behind them is 0
  logic [15:0] vq_q;

  ////////////////////
  // Head           //
  ////////////////////

  logic [3:0] op;
  logic       allowed;       // negotiated
  logic [3:0] next_phase;
  logic [3:0] next_left;

  always_comb begin
    op         = ctrl_pkg::OpNone;
    allowed    = 1'b0;
    next_phase = ctrl_pkg::PhSimple;
    next_left  = 4'd0;
    if (phase_q == ctrl_pkg::PhHead) begin
      case ({acc_q[55:48], acc_q[63:56]})
        {virtio_pkg::CtrlClassRx, virtio_pkg::CtrlRxPromisc},
        {virtio_pkg::CtrlClassRx, virtio_pkg::CtrlRxAllmulti}: begin
          op        = ctrl_pkg::OpRxMode;
          allowed   = features_i[virtio_pkg::FeatureCtrlRx];
          next_left = 4'd1;
        end
        {virtio_pkg::CtrlClassRx, virtio_pkg::CtrlRxAlluni},
        {virtio_pkg::CtrlClassRx, virtio_pkg::CtrlRxNomulti},
        {virtio_pkg::CtrlClassRx, virtio_pkg::CtrlRxNouni},
        {virtio_pkg::CtrlClassRx, virtio_pkg::CtrlRxNobcast}: begin
          op        = ctrl_pkg::OpRxMode;
          allowed   = features_i[virtio_pkg::FeatureCtrlRxExtra];
          next_left = 4'd1;
        end
        {virtio_pkg::CtrlClassMac, virtio_pkg::CtrlMacTableSet}: begin
          op         = ctrl_pkg::OpMacTable;
          allowed    = features_i[virtio_pkg::FeatureCtrlRx];
          next_phase = ctrl_pkg::PhCount;
          next_left  = 4'd4;
        end
        {virtio_pkg::CtrlClassMac, virtio_pkg::CtrlMacAddrSet}: begin
          op        = ctrl_pkg::OpMacAddr;
          allowed   = features_i[virtio_pkg::FeatureCtrlMacAddr] ||
                      features_i[virtio_pkg::FeatureCtrlRx];
          next_left = 4'd6;
        end
        {virtio_pkg::CtrlClassVlan, virtio_pkg::CtrlVlanAdd},
        {virtio_pkg::CtrlClassVlan, virtio_pkg::CtrlVlanDel}: begin
          op        = ctrl_pkg::OpVlan;
          allowed   = features_i[virtio_pkg::FeatureCtrlVlan];
          next_left = 4'd2;
        end
        {virtio_pkg::CtrlClassAnnounce, 8'd0}: begin
          op      = ctrl_pkg::OpAnnounce;
          allowed = features_i[virtio_pkg::FeatureGuestAnnounce];
        end
        {virtio_pkg::CtrlClassMq, virtio_pkg::CtrlMqVqPairsSet}: begin
          op        = ctrl_pkg::OpPairs;
          allowed   = features_i[virtio_pkg::FeatureMq];
          next_left = 4'd2;
        end
        {virtio_pkg::CtrlClassMq, virtio_pkg::CtrlMqRssConfig}: begin
          op         = ctrl_pkg::OpRss;
          allowed    = features_i[virtio_pkg::FeatureRss];
          next_phase = ctrl_pkg::PhTypes;
          next_left  = 4'd4;
        end
        {virtio_pkg::CtrlClassMq, virtio_pkg::CtrlMqHashConfig}: begin
          op         = ctrl_pkg::OpHash;
          allowed    = features_i[virtio_pkg::FeatureHashReport];
          next_phase = ctrl_pkg::PhTypes;
          next_left  = 4'd4;
        end
        {virtio_pkg::CtrlClassGuestOffloads, 8'd0}: begin
          op        = ctrl_pkg::OpOffloads;
          allowed   = features_i[virtio_pkg::FeatureCtrlGuestOffloads];
          next_left = 4'd8;
        end
        {virtio_pkg::CtrlClassNotfCoal, virtio_pkg::CtrlNotfCoalTxSet},
        {virtio_pkg::CtrlClassNotfCoal, virtio_pkg::CtrlNotfCoalRxSet}: begin
          op        = ctrl_pkg::OpCoal;
          allowed   = features_i[virtio_pkg::FeatureNotfCoal];
          next_left = 4'd8;
        end
        {virtio_pkg::CtrlClassNotfCoal, virtio_pkg::CtrlNotfCoalVqSet}: begin
          op         = ctrl_pkg::OpCoalSet;
          allowed    = features_i[virtio_pkg::FeatureVqNotfCoal];
          next_phase = ctrl_pkg::PhVq;
          next_left  = 4'd4;
        end
        {virtio_pkg::CtrlClassNotfCoal, virtio_pkg::CtrlNotfCoalVqGet}: begin
          op         = ctrl_pkg::OpCoalGet;
          allowed    = features_i[virtio_pkg::FeatureVqNotfCoal];
          next_phase = ctrl_pkg::PhVq;
          next_left  = 4'd4;
        end
        {virtio_pkg::CtrlClassStats, virtio_pkg::CtrlStatsQuery}: begin
          op      = ctrl_pkg::OpQuery;
          allowed = features_i[virtio_pkg::FeatureDeviceStats];
        end
        {virtio_pkg::CtrlClassStats, virtio_pkg::CtrlStatsGet}: begin
          op         = ctrl_pkg::OpStats;
          allowed    = features_i[virtio_pkg::FeatureDeviceStats];
          next_phase = ctrl_pkg::PhVq;
          next_left  = 4'd8;
        end
        default: op = ctrl_pkg::OpNone;
      endcase
    end
  end

  ////////////////////
  // Fields         //
  ////////////////////

  logic        active;
  logic        padding;
  logic        wants;        // a byte of a field
  logic        surplus;      // a byte behind the key
  logic        shift;
  logic        act;
  logic        waits;        // the action is not complete
  logic        good;         // the field can be taken
  logic [15:0] half;         // the field's last two bytes
  logic [63:0] offloads;     // that can be asked for
  logic        coal_fits;
  logic        item_last;
  logic        in_use;       // the pair
  logic        settle_step;  // to the next one
  logic        vq_control;   // vq_q is the control virtqueue
  logic        types_fit;    // the types of statistics are those of the virtqueue
  logic        list_ends;    // no further virtqueue in the list

  assign active       = !refuse_q && phase_q != ctrl_pkg::PhDone;
  assign padding      = phase_q == ctrl_pkg::PhKey && key_left_q == '0;
  assign wants        = active && left_q != '0 && !padding;
  assign surplus      = done_o && (op_q == ctrl_pkg::OpRss || op_q == ctrl_pkg::OpHash) &&
                        surplus_q != '1;
  assign shift        = active && left_q != '0 && (padding || byte_valid_i);
  assign act          = active && left_q == '0;
  assign byte_ready_o = wants || surplus;
  assign half         = acc_q[63:48];
  assign item_last    = item_q == items_q;
  // A limit of the device: 16 bits each.
  assign coal_fits    = acc_q[31:16] == '0 && acc_q[63:48] == '0;

  // Without MQ and RSS there is one pair, and control is behind it.
  assign few_o      = !features_i[virtio_pkg::FeatureMq] && !features_i[virtio_pkg::FeatureRss];
  assign vq_control = vq_q == (few_o ? 16'd2 : 16'(2 * QueuePairs));
  assign list_ends  = end_i && op_q == ctrl_pkg::OpStats && phase_q == ctrl_pkg::PhVq &&
                      left_q == 4'd8;

  always_comb begin : p_types
    logic [63:0] rest;
    rest      = acc_q;
    types_fit = 1'b0;
    if (act && op_q == ctrl_pkg::OpStats) begin
      if (vq_control)    rest[virtio_pkg::StatsTypeCvq]     = 1'b0;
      else if (!vq_q[0]) rest[virtio_pkg::StatsTypeRxBasic] = 1'b0;
      else               rest[virtio_pkg::StatsTypeTxBasic] = 1'b0;
      types_fit = rest == '0 && (vq_control || vq_q < (few_o ? 16'd2 : 16'(2 * QueuePairs)));
    end
  end

  always_comb begin
    offloads = '0;
    offloads[virtio_pkg::FeatureGuestCsum] = features_i[virtio_pkg::FeatureGuestCsum];
    offloads[virtio_pkg::FeatureGuestTso4] = features_i[virtio_pkg::FeatureGuestTso4];
    offloads[virtio_pkg::FeatureGuestTso6] = features_i[virtio_pkg::FeatureGuestTso6];
    offloads[virtio_pkg::FeatureGuestEcn]  = features_i[virtio_pkg::FeatureGuestEcn];
  end

  // What a field must be.
  always_comb begin
    good  = 1'b1;
    waits = 1'b0;
    if (act) begin
      case (phase_q)
        ctrl_pkg::PhHead:  good  = allowed;
        ctrl_pkg::PhClear: waits = walking_i;
        ctrl_pkg::PhSimple: begin
          case (op_q)
            ctrl_pkg::OpRxMode:   good = acc_q[63:57] == '0;
            ctrl_pkg::OpMacAddr:  good = !acc_q[16];
            ctrl_pkg::OpVlan:     good = half[15:12] == '0;
            ctrl_pkg::OpPairs:    good = half != '0 && half <= 16'(QueuePairs);
            ctrl_pkg::OpOffloads: good = (acc_q & ~offloads) == '0;
            ctrl_pkg::OpCoal: begin
              good  = coal_fits;
              waits = coal_fits && apply_i && !mod_done_i;
            end
            ctrl_pkg::OpCoalSet: begin
              good  = coal_fits && (!mod_done_i || mod_ok_i);
              waits = coal_fits && !mod_done_i;
            end
            ctrl_pkg::OpCoalGet: begin
              good  = !mod_done_i || mod_ok_i;
              waits = !mod_done_i;
            end
            ctrl_pkg::OpStats: good = types_fit && (!list_full_i || acc_q == '0);
            default: good = 1'b1;
          endcase
        end
        ctrl_pkg::PhCount:    good = acc_q[63:48] == '0;
        ctrl_pkg::PhTypes:    good = acc_q[63:38] == '0;  // but HashTypeIpEx and those above
        ctrl_pkg::PhRssHead:  good = acc_q[47:39] == '0 && half < 16'(QueuePairs) &&
                           (acc_q[38:32] & (acc_q[38:32] + 1'b1)) == '0;
        ctrl_pkg::PhTable:    good = half < 16'(QueuePairs);
        ctrl_pkg::PhMaxTx:    good = half != '0 && half <= 16'(QueuePairs);
        ctrl_pkg::PhKeyLen:   good = acc_q[63:56] <= 8'(virtio_pkg::RssKeyBytes) &&
                           (no_types_q || acc_q[63:56] != '0);
        ctrl_pkg::PhSettle:   waits = item_q != 16'(QueuePairs);
        default:    good = 1'b1;
      endcase
    end
  end

  logic taken;      // the field is right, and its action complete

  assign taken = act && good && !waits;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      phase_q  <= ctrl_pkg::PhDone;
      refuse_q <= 1'b0;
      op_q     <= ctrl_pkg::OpNone;
    end else if (start_i) begin
      phase_q  <= ctrl_pkg::PhHead;
      left_q   <= 4'd2;
      refuse_q <= 1'b0;
      op_q     <= ctrl_pkg::OpNone;
      second_q <= 1'b0;
    end else begin
      // Too short, too long, or wrong in itself.
      if ((end_i && wants && !list_ends) ||
          (byte_valid_i && phase_q == ctrl_pkg::PhDone && !surplus) || (act && !good)) begin
        refuse_q <= 1'b1;
      end
      if (shift) begin
        left_q <= left_q - 1'b1;
      end
      if (act && phase_q == ctrl_pkg::PhHead) op_q <= op;
      if (list_ends) phase_q <= ctrl_pkg::PhDone;
      if (taken) begin
        case (phase_q)
          ctrl_pkg::PhHead: begin
            phase_q <= (op == ctrl_pkg::OpMacTable && apply_i) ? ctrl_pkg::PhClear : next_phase;
            left_q  <= (op == ctrl_pkg::OpMacTable && apply_i) ? 4'd0 : next_left;
          end
          ctrl_pkg::PhClear: begin
            phase_q <= ctrl_pkg::PhCount;
            left_q  <= 4'd4;
          end
          ctrl_pkg::PhSimple: begin
            phase_q <= (op_q == ctrl_pkg::OpPairs && apply_i) ? ctrl_pkg::PhSettle :
                       (op_q == ctrl_pkg::OpStats) ? ctrl_pkg::PhVq : ctrl_pkg::PhDone;
            if (op_q == ctrl_pkg::OpStats) left_q <= 4'd8;
          end
          ctrl_pkg::PhVq: begin
            phase_q <= ctrl_pkg::PhSimple;
            left_q  <= (op_q == ctrl_pkg::OpCoalGet) ? 4'd0 : 4'd8;
          end
          ctrl_pkg::PhCount, ctrl_pkg::PhMac: begin
            if ((phase_q == ctrl_pkg::PhCount) ? acc_q[47:32] != '0 : !item_last) begin
              phase_q <= ctrl_pkg::PhMac;
              left_q  <= 4'd6;
            end else begin
              second_q <= 1'b1;
              phase_q  <= second_q ? ctrl_pkg::PhCommit : ctrl_pkg::PhCount;
              left_q   <= second_q ? 4'd0 : 4'd4;
            end
          end
          ctrl_pkg::PhTypes: begin
            phase_q <= (op_q == ctrl_pkg::OpRss) ? ctrl_pkg::PhRssHead : ctrl_pkg::PhReserved;
            left_q  <= (op_q == ctrl_pkg::OpRss) ? 4'd4 : 4'd8;
          end
          ctrl_pkg::PhRssHead: begin
            phase_q <= ctrl_pkg::PhTable;
            left_q  <= 4'd2;
          end
          ctrl_pkg::PhTable: begin
            left_q <= 4'd2;
            if (item_last) phase_q <= ctrl_pkg::PhMaxTx;
          end
          ctrl_pkg::PhMaxTx, ctrl_pkg::PhReserved: begin
            phase_q <= ctrl_pkg::PhKeyLen;
            left_q  <= 4'd1;
          end
          ctrl_pkg::PhKeyLen: begin
            phase_q <= (acc_q[61:56] == '0) ? ctrl_pkg::PhCommit : ctrl_pkg::PhKey;
            left_q  <= (acc_q[61:56] == '0) ? 4'd0 : 4'd4;
          end
          ctrl_pkg::PhKey: begin
            left_q <= 4'd4;
            if (item_q[3:0] == LastKeyWord) begin
              phase_q <= ctrl_pkg::PhCommit;
              left_q  <= 4'd0;
            end
          end
          ctrl_pkg::PhCommit: begin
            phase_q <= (op_q != ctrl_pkg::OpMacTable && apply_i) ? ctrl_pkg::PhSettle :
                                                                  ctrl_pkg::PhDone;
          end
          default:  phase_q <= ctrl_pkg::PhDone;   // ctrl_pkg::PhSettle
        endcase
      end
    end
  end

  // What is kept of a field, and counted.
  always_ff @(posedge clk_i) begin
    if (taken) begin
      if (phase_q == ctrl_pkg::PhHead)  cmd_q      <= acc_q[58:56];
      if (phase_q == ctrl_pkg::PhVq)    vq_q       <= (op_q == ctrl_pkg::OpStats) ? acc_q[15:0] :
                                                                                  acc_q[47:32];
      if (phase_q == ctrl_pkg::PhTypes) no_types_q <= acc_q[37:32] == '0;
      if (phase_q == ctrl_pkg::PhCount || phase_q == ctrl_pkg::PhRssHead) items_q <= acc_q[47:32];
    end
  end

  always_ff @(posedge clk_i) begin
    if (taken && (phase_q == ctrl_pkg::PhCount || phase_q == ctrl_pkg::PhRssHead ||
                  phase_q == ctrl_pkg::PhKeyLen || phase_q == ctrl_pkg::PhSimple ||
                  phase_q == ctrl_pkg::PhCommit)) begin
      item_q <= {15'd0, phase_q == ctrl_pkg::PhCount};
    end else if (taken || settle_step) begin
      item_q <= item_q + 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (taken && phase_q == ctrl_pkg::PhKeyLen) begin
      key_left_q <= acc_q[61:56];
    end else if (shift && !padding) begin
      key_left_q <= key_left_q - 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (start_i) begin
      surplus_q <= '0;
    end else if (surplus && byte_valid_i) begin
      surplus_q <= surplus_q + 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (shift) begin
      acc_q <= {padding ? 8'h00 : byte_i, acc_q[63:8]};
    end
  end

  assign refuse_o = refuse_q;
  assign done_o   = phase_q == ctrl_pkg::PhDone && !refuse_q;
  assign long_o   = op_q == ctrl_pkg::OpCoalGet;
  assign query_o  = op_q == ctrl_pkg::OpQuery;
  assign result_o = query_o || op_q == ctrl_pkg::OpStats;

  assign store_o    = taken && op_q == ctrl_pkg::OpStats && phase_q == ctrl_pkg::PhSimple &&
                      acc_q != '0;
  assign store_vq_o = vq_control ? IndexWidth'(2 * QueuePairs) : vq_q[IndexWidth-1:0];

  assign in_use         = item_q < pairs_i;
  assign settle_step    = act && phase_q == ctrl_pkg::PhSettle && (in_use || settled_i);
  assign settle_o       = active && phase_q == ctrl_pkg::PhSettle && waits && !in_use;
  assign settle_queue_o = item_q;

  always_comb begin
    mod_valid_o = 1'b0;
    mod_op_o    = virtio_pkg::CtrlNotfCoalVqGet[1:0];
    if (act && phase_q == ctrl_pkg::PhSimple) begin
      case (op_q)
        ctrl_pkg::OpCoal: begin
          mod_valid_o = coal_fits && apply_i;
          mod_op_o    = cmd_q[1:0];
        end
        ctrl_pkg::OpCoalSet: begin
          mod_valid_o = coal_fits;
          if (apply_i) mod_op_o = virtio_pkg::CtrlNotfCoalVqSet[1:0];
        end
        ctrl_pkg::OpCoalGet: mod_valid_o = 1'b1;
        default:   mod_valid_o = 1'b0;
      endcase
    end
  end

  assign mod_queue_o   = vq_q;
  assign mod_packets_o = acc_q[15:0];
  assign mod_usecs_o   = acc_q[47:32];

  // Settings and tables.
  always_comb begin
    action_o.valid  = taken && apply_i;
    action_o.phase  = phase_q;
    action_o.op     = (phase_q == ctrl_pkg::PhHead) ? op : op_q;
    action_o.cmd    = cmd_q;
    action_o.data   = acc_q;
    action_o.items  = items_q;
    action_o.item   = item_q;
    action_o.second = second_q;
  end

  assign idle_o = !padding && !act && !list_ends;

  logic unused_features;
  assign unused_features = ^features_i;

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (!rst_i) begin
      // A pass has one verdict.
      a_verdict: assert (!(done_o && refuse_o));
      // A field is not acted on while its bytes still come.
      a_field: assert (!(act && byte_ready_o));
      // Bytes of a field come one after the other: none is lost.
      a_left: assert (!shift || left_q != '0);
    end
  end
`endif

endmodule
