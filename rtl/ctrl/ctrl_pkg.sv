// SPDX-License-Identifier: Apache-2.0
// What the parts of the control virtqueue's command processor share.
package ctrl_pkg;

  // Commands.
  localparam logic [3:0] OpNone     = 4'd0;
  localparam logic [3:0] OpRxMode   = 4'd1;
  localparam logic [3:0] OpMacTable = 4'd2;
  localparam logic [3:0] OpMacAddr  = 4'd3;
  localparam logic [3:0] OpVlan     = 4'd4;
  localparam logic [3:0] OpAnnounce = 4'd5;
  localparam logic [3:0] OpPairs    = 4'd6;
  localparam logic [3:0] OpRss      = 4'd7;
  localparam logic [3:0] OpHash     = 4'd8;
  localparam logic [3:0] OpOffloads = 4'd9;
  localparam logic [3:0] OpCoal     = 4'd10;   // all queues of a direction
  localparam logic [3:0] OpCoalSet  = 4'd11;   // one queue
  localparam logic [3:0] OpCoalGet  = 4'd12;
  localparam logic [3:0] OpQuery    = 4'd13;   // types of statistics
  localparam logic [3:0] OpStats    = 4'd14;   // statistics

  // Fields, in the order of their pictures in ctrl_command.
  localparam logic [3:0] PhHead     = 4'd0;
  localparam logic [3:0] PhSimple   = 4'd1;
  localparam logic [3:0] PhVq       = 4'd2;
  localparam logic [3:0] PhClear    = 4'd3;    // no field: the table of addresses is cleared
  localparam logic [3:0] PhCount    = 4'd4;
  localparam logic [3:0] PhMac      = 4'd5;
  localparam logic [3:0] PhTypes    = 4'd6;
  localparam logic [3:0] PhRssHead  = 4'd7;
  localparam logic [3:0] PhTable    = 4'd8;
  localparam logic [3:0] PhMaxTx    = 4'd9;
  localparam logic [3:0] PhReserved = 4'd10;
  localparam logic [3:0] PhKeyLen   = 4'd11;
  localparam logic [3:0] PhKey      = 4'd12;
  localparam logic [3:0] PhCommit   = 4'd13;   // no field
  localparam logic [3:0] PhSettle   = 4'd14;   // no field
  localparam logic [3:0] PhDone     = 4'd15;

  // A field of a command, complete and right, takes effect when `valid`.
  typedef struct packed {
    logic        valid;
    logic [3:0]  phase;    // field, Ph*
    logic [3:0]  op;       // command, Op*
    logic [2:0]  cmd;      // its number in its class
    logic [63:0] data;     // the last eight bytes, the last one on top
    logic [15:0] items;    // addresses in the list; mask of the RSS table
    logic [15:0] item;     // number of the address, from 1; RSS entry or word of the key, from 0
    logic        second;   // of the list of multicast addresses
  } action_t;

endpackage
