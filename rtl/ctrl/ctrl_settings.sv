// SPDX-License-Identifier: Apache-2.0
//
// ctrl_settings: what commands of the control virtqueue have set, and what holds before the first.
//
//   action_i    see ctrl_pkg
//   features_i  the features that the driver accepted; fields of cfg_o that they decide are theirs
//   overflow_i  from ctrl_tables
//   cfg_o       settings of the receive path, from the cycle after the action on
//   announce_ack_o   a pulse: the driver has announced itself
//
// After reset every frame is let in, multiqueue is off, no hash is reported, and every offload that
// was negotiated is on.
//
// Parameters:
//   QueuePairs   receive and transmit pairs
//   Mac          station address after reset, first byte on the wire first

module ctrl_settings #(
  parameter int unsigned QueuePairs = 1,
  parameter logic [47:0] Mac = 48'h02_00_00_00_00_01
) (
  input  logic                clk_i,
  input  logic                rst_i,
  input  logic [63:0]         features_i,
  input  ctrl_pkg::action_t   action_i,
  input  logic [1:0]          overflow_i,
  output nic_pkg::rx_config_t cfg_o,
  output logic                announce_ack_o
);

  localparam int unsigned PairsWidth = $clog2(QueuePairs + 1);

  logic                  promisc_q, allmulti_q, alluni_q, nomulti_q, nouni_q, nobcast_q;
  logic [47:0]           mac_q;
  logic                  rss_q;
  logic [5:0]            types_q;
  logic [6:0]            rss_mask_q;
  logic [15:0]           unclassified_q;
  logic [PairsWidth-1:0] pairs_q;
  logic                  csum_q, tso4_q, tso6_q;
  logic [63:0]           data;

  assign data = action_i.data;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      // A driver without CTRL_RX could not ask for a single multicast frame: promiscuous until the
      // driver says otherwise.
      promisc_q      <= 1'b1;
      allmulti_q     <= 1'b0;
      alluni_q       <= 1'b0;
      nomulti_q      <= 1'b0;
      nouni_q        <= 1'b0;
      nobcast_q      <= 1'b0;
      mac_q          <= Mac;
      rss_q          <= 1'b0;
      types_q        <= '0;
      rss_mask_q     <= '0;
      unclassified_q <= '0;
      pairs_q        <= PairsWidth'(1);
      csum_q         <= 1'b1;
      tso4_q         <= 1'b1;
      tso6_q         <= 1'b1;
    end else if (action_i.valid) begin
      case (action_i.phase)
        ctrl_pkg::PhSimple: begin
          case (action_i.op)
            ctrl_pkg::OpRxMode: begin
              case (action_i.cmd)
                virtio_pkg::CtrlRxPromisc[2:0]:  promisc_q  <= data[56];
                virtio_pkg::CtrlRxAllmulti[2:0]: allmulti_q <= data[56];
                virtio_pkg::CtrlRxAlluni[2:0]:   alluni_q   <= data[56];
                virtio_pkg::CtrlRxNomulti[2:0]:  nomulti_q  <= data[56];
                virtio_pkg::CtrlRxNouni[2:0]:    nouni_q    <= data[56];
                default:                         nobcast_q  <= data[56];
              endcase
            end
            ctrl_pkg::OpMacAddr: begin
              mac_q <= {data[23:16], data[31:24], data[39:32], data[47:40], data[55:48],
                        data[63:56]};
            end
            ctrl_pkg::OpPairs: begin
              pairs_q <= data[48 +: PairsWidth];
              rss_q   <= 1'b0;
            end
            ctrl_pkg::OpOffloads: begin
              csum_q <= data[virtio_pkg::FeatureGuestCsum];
              tso4_q <= data[virtio_pkg::FeatureGuestTso4];
              tso6_q <= data[virtio_pkg::FeatureGuestTso6];
            end
            default: ;
          endcase
        end
        ctrl_pkg::PhTypes:   types_q        <= data[37:32];
        ctrl_pkg::PhRssHead: unclassified_q <= data[63:48];
        ctrl_pkg::PhMaxTx:   pairs_q        <= data[48 +: PairsWidth];
        ctrl_pkg::PhCommit: begin
          // The mode of the last command holds: HASH_CONFIG is of automatic steering.
          if (action_i.op != ctrl_pkg::OpMacTable) rss_q <= action_i.op == ctrl_pkg::OpRss;
          if (action_i.op == ctrl_pkg::OpRss) rss_mask_q <= action_i.items[6:0];
        end
        default: ;
      endcase
    end
  end

  assign announce_ack_o = action_i.valid && action_i.phase == ctrl_pkg::PhSimple &&
                          action_i.op == ctrl_pkg::OpAnnounce;

  always_comb begin
    cfg_o = '0;
    cfg_o.promisc          = promisc_q;
    cfg_o.allmulti         = allmulti_q;
    cfg_o.alluni           = alluni_q;
    cfg_o.nomulti          = nomulti_q;
    cfg_o.nouni            = nouni_q;
    cfg_o.nobcast          = nobcast_q;
    cfg_o.vlan_filter      = features_i[virtio_pkg::FeatureCtrlVlan];
    cfg_o.mac_overflow     = overflow_i[0];
    cfg_o.multi_overflow   = overflow_i[1];
    cfg_o.mac              = mac_q;
    cfg_o.rss              = rss_q;
    cfg_o.hash_types       = {3'b000, types_q};
    cfg_o.rss_mask         = rss_mask_q;
    cfg_o.rss_unclassified = unclassified_q;
    cfg_o.pairs            = rss_q ? 16'(QueuePairs) : 16'(pairs_q);
    cfg_o.csum             = features_i[virtio_pkg::FeatureGuestCsum] && csum_q;
    // A coalesced frame has a partial checksum, which the driver must have allowed.
    cfg_o.lro4             = features_i[virtio_pkg::FeatureGuestTso4] && tso4_q && cfg_o.csum;
    cfg_o.lro6             = features_i[virtio_pkg::FeatureGuestTso6] && tso6_q && cfg_o.csum;
    cfg_o.hash_report      = features_i[virtio_pkg::FeatureHashReport];
    cfg_o.mrg_rxbuf        = features_i[virtio_pkg::FeatureMrgRxbuf];
  end

  logic unused_bits;
  assign unused_bits = ^{features_i, action_i};

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (!rst_i) begin
      // The pairs in use exist.
      a_pairs: assert (cfg_o.pairs != '0 && cfg_o.pairs <= 16'(QueuePairs));
      // The mask of the RSS table is one less than a power of two.
      a_mask: assert ((rss_mask_q & (rss_mask_q + 1'b1)) == '0);
      // Frames without a hash have a queue pair.
      a_unclassified: assert (unclassified_q < 16'(QueuePairs));
    end
  end
`endif

endmodule
