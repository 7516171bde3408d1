// SPDX-License-Identifier: Apache-2.0
//
// ctrl_tables: fills the tables of the receive path (rx_table_t): addresses, VLANs, RSS queues,
// RSS key.
//
//   action_i    see ctrl_pkg
//   tbl_o       a write, in the cycle of the action; one a cycle while walking
//   overflow_o  {multicast, unicast}: the table has no place for an address that was asked for, so
//               that kind of frame has to be let in whole. Both are high while the table is being
//               rewritten: meanwhile no frame is lost.
//   walking_o   entries are being cleared: all after reset, the addresses before new ones come
//   ready_o     the walk that follows a reset (4,234 cycles) is complete. There is a key
//               then, so that flows can be told apart before the driver sets one.
//
// An address lies in one of two ways of its bucket (mac_bucket of nic_pkg), the first that comes in
// way 0. How many ways are taken is kept here, the addresses only in the receive path.

module ctrl_tables (
  input  logic               clk_i,
  input  logic               rst_i,
  input  ctrl_pkg::action_t  action_i,
  output nic_pkg::rx_table_t tbl_o,
  output logic [1:0]         overflow_o,
  output logic               walking_o,
  output logic               ready_o
);

  ////////////////////
  // Walk           //
  ////////////////////

  // VLANs from 0, addresses from 4096, words of the key from 4224; after a reset all, for a new
  // table of addresses these alone.
  localparam logic [12:0] WalkMac  = 13'd4096;
  localparam logic [12:0] WalkKey  = 13'd4224;
  localparam logic [12:0] WalkLast = WalkKey + 13'(virtio_pkg::RssKeyBytes / 4 - 1);

  logic        walking_q;
  logic [12:0] walk_q;
  logic        ready_q;
  logic        walk_mac, walk_key;
  logic        renew;

  assign walk_mac = walking_q && walk_q[12] && !walk_q[7];
  assign walk_key = walking_q && walk_q[12] && walk_q[7];
  assign renew    = action_i.valid && action_i.phase == ctrl_pkg::PhHead &&
                    action_i.op == ctrl_pkg::OpMacTable;

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      walking_q <= 1'b1;
      walk_q    <= '0;
      ready_q   <= 1'b0;
    end else if (walking_q) begin
      walk_q <= walk_q + 1'b1;
      if (walk_q == (ready_q ? WalkKey - 1'b1 : WalkLast)) begin
        walking_q <= 1'b0;
        ready_q   <= 1'b1;
      end
    end else if (renew) begin
      walking_q <= 1'b1;
      walk_q    <= WalkMac;
    end
  end

  assign walking_o = walking_q;
  assign ready_o   = ready_q;

  ////////////////////
  // Addresses      //
  ////////////////////

  logic [48:0] entry;             // the field's last six bytes as an address
  logic [5:0]  bucket;
  logic [1:0]  occupied;          // ways of the bucket
  logic        insert;
  logic [1:0]  overflow_q;
  logic [1:0]  over_q;            // of the table that is being written
  logic [1:0]  occupied_mem [64];

  assign entry    = {1'b1, action_i.data[23:16], action_i.data[31:24], action_i.data[39:32],
                     action_i.data[47:40], action_i.data[55:48], action_i.data[63:56]};
  assign bucket   = nic_pkg::mac_bucket(entry[47:0]);
  assign occupied = occupied_mem[bucket];
  assign insert   = action_i.valid && action_i.phase == ctrl_pkg::PhMac;

  always_ff @(posedge clk_i) begin
    if (walk_mac || (insert && !occupied[1])) begin
      occupied_mem[walk_mac ? walk_q[5:0] : bucket] <= walk_mac ? 2'd0 : occupied + 1'b1;
    end
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      overflow_q <= '0;
    end else if (renew) begin
      overflow_q <= '1;
      over_q     <= '0;
    end else if (insert && occupied[1]) begin
      over_q[action_i.second] <= 1'b1;
    end else if (action_i.valid && action_i.phase == ctrl_pkg::PhCommit &&
                 action_i.op == ctrl_pkg::OpMacTable) begin
      overflow_q <= over_q;
    end
  end

  assign overflow_o = overflow_q;

  ////////////////////
  // Writes         //
  ////////////////////

  logic [31:0] default_key;

  // Every word of it is another one, at no cost.
  assign default_key = 32'h6d5a56da ^ {8{walk_q[3:0]}};

  // Data without a meaning in a cycle is left as it is; an address is cleared by its valid bit.
  always_comb begin
    tbl_o.select = nic_pkg::TableNone;
    tbl_o.addr   = action_i.item[6:0];
    tbl_o.data   = entry;
    if (walk_mac) begin
      tbl_o.select   = nic_pkg::TableMac;
      tbl_o.addr     = walk_q[6:0];
      tbl_o.data[48] = 1'b0;
    end else if (walk_key) begin
      tbl_o.select     = nic_pkg::TableKey;
      tbl_o.addr       = walk_q[6:0];
      tbl_o.data[31:0] = default_key;
    end else if (walking_q) begin
      tbl_o.select     = nic_pkg::TableVlan;
      tbl_o.addr       = walk_q[11:5];
      tbl_o.data[48]   = 1'b0;
      tbl_o.data[12:8] = walk_q[4:0];
    end else if (action_i.valid) begin
      case (action_i.phase)
        ctrl_pkg::PhMac: begin
          tbl_o.select = occupied[1] ? nic_pkg::TableNone : nic_pkg::TableMac;
          tbl_o.addr   = {occupied[0], bucket};
        end
        ctrl_pkg::PhKey:   tbl_o.select = nic_pkg::TableKey;
        ctrl_pkg::PhTable: begin
          tbl_o.select    = nic_pkg::TableRss;
          tbl_o.data[7:0] = action_i.data[55:48];   // pairs have eight-bit numbers
        end
        ctrl_pkg::PhSimple: begin
          if (action_i.op == ctrl_pkg::OpVlan) tbl_o.select = nic_pkg::TableVlan;
          tbl_o.addr     = action_i.data[59:53];
          tbl_o.data[48] = action_i.cmd[0] == virtio_pkg::CtrlVlanAdd[0];
        end
        default: ;
      endcase
    end
  end

  logic unused_action;
  assign unused_action = ^action_i;

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (!rst_i) begin
      // Nothing is entered while entries are being cleared.
      a_walk: assert (!walking_q || !action_i.valid);
      // A bucket has two ways.
      a_ways: assert (!insert || occupied != 2'd3);
    end
  end
`endif

endmodule
