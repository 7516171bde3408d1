// SPDX-License-Identifier: Apache-2.0
//
// Proof harness of feature_rules: any set of features, whatever is offered. The dependencies are written
// down here from the specification (virtio 1.2, 5.1.3.1 and 6.1), by bit number.

module feature_rules_formal (
  input logic        clk_i,
  input logic [63:0] features_i
);

  localparam logic [63:0] Offered = virtio_pkg::FeaturesOffered;

  logic acceptable, every;

  feature_rules u_dut (
    .features_i  (features_i),
    .acceptable_o(acceptable)
  );

  // Every feature that the standard names is offered here.
  feature_rules #(
    .Offered({64{1'b1}})
  ) u_every (
    .features_i  (features_i),
    .acceptable_o(every)
  );

  logic needs_csum, needs_guest_csum, needs_tso, needs_guest_tso, needs_ctrl;

  always_comb begin
    // HOST_TSO4 11, HOST_TSO6 12, HOST_UFO 14, HOST_USO 56; CSUM 0.
    needs_csum       = features_i[11] || features_i[12] || features_i[14] || features_i[56];
    // GUEST_TSO4 7, GUEST_TSO6 8, GUEST_UFO 10, GUEST_USO4 54, GUEST_USO6 55; GUEST_CSUM 1.
    needs_guest_csum = features_i[7] || features_i[8] || features_i[10] || features_i[54] ||
                       features_i[55];
    // HOST_ECN 13, RSC_EXT 61; HOST_TSO4 or HOST_TSO6.
    needs_tso        = features_i[13] || features_i[61];
    // GUEST_ECN 9; GUEST_TSO4 or GUEST_TSO6.
    needs_guest_tso  = features_i[9];
    // CTRL_RX 18, CTRL_VLAN 19, GUEST_ANNOUNCE 21, MQ 22, CTRL_MAC_ADDR 23, NOTF_COAL 53,
    // HASH_REPORT 57, RSS 60; CTRL_VQ 17.
    needs_ctrl       = features_i[18] || features_i[19] || features_i[21] || features_i[22] ||
                       features_i[23] || features_i[53] || features_i[57] || features_i[60];
  end

  always_ff @(posedge clk_i) begin
    // Nothing is accepted that is not offered, nor without VERSION_1, ACCESS_PLATFORM, RING_PACKED.
    a_offered: assert (!acceptable || (features_i & ~Offered) == '0);
    a_required: assert (!every || (features_i[32] && features_i[33] && features_i[34]));
    // Nothing without what it needs.
    a_csum: assert (!every || !needs_csum || features_i[0]);
    a_guest_csum: assert (!every || !needs_guest_csum || features_i[1]);
    a_tso: assert (!every || !needs_tso || features_i[11] || features_i[12]);
    a_guest_tso: assert (!every || !needs_guest_tso || features_i[7] || features_i[8]);
    a_ctrl: assert (!every || !needs_ctrl || features_i[17]);
    // What is accepted is accepted by the rules of all features, and what is offered whole is.
    a_same: assert (acceptable == (every && (features_i & ~Offered) == '0));
    a_all: assert (features_i != Offered || acceptable);
    // And nothing else is refused, as far as the features above go.
    a_least: assert (every || needs_csum || needs_guest_csum || needs_tso || needs_guest_tso ||
                     needs_ctrl || features_i[2] || features_i[50] || features_i[52] ||
                     !(features_i[32] && features_i[33] && features_i[34]));
    c_some: cover (acceptable && features_i != Offered && features_i[60]);
  end

endmodule
