// SPDX-License-Identifier: Apache-2.0
//
// Which sets of features a driver may accept (virtio 1.2, 2.2 and 5.1.3.1): only what is offered, all
// that the device cannot do without, and no feature without those that it needs:
//
//   GUEST_TSO4, GUEST_TSO6, GUEST_UFO, GUEST_USO4, GUEST_USO6     GUEST_CSUM
//   HOST_TSO4, HOST_TSO6, HOST_UFO, HOST_USO                      CSUM
//   GUEST_ECN                                                     GUEST_TSO4 or GUEST_TSO6
//   HOST_ECN, RSC_EXT                                             HOST_TSO4 or HOST_TSO6
//   whatever is set through the control virtqueue                 CTRL_VQ
//
// acceptable_o follows features_i in the same cycle.
module feature_rules #(
  parameter logic [63:0] Offered = virtio_pkg::FeaturesOffered
) (
  input  logic [63:0] features_i,
  output logic        acceptable_o
);

  localparam logic [63:0] Required = (64'h1 << virtio_pkg::FeatureVersion1)
                                   | (64'h1 << virtio_pkg::FeatureAccessPlatform)
                                   | (64'h1 << virtio_pkg::FeatureRingPacked);
  localparam logic [63:0] GuestTso = (64'h1 << virtio_pkg::FeatureGuestTso4)
                                   | (64'h1 << virtio_pkg::FeatureGuestTso6);
  localparam logic [63:0] HostTso  = (64'h1 << virtio_pkg::FeatureHostTso4)
                                   | (64'h1 << virtio_pkg::FeatureHostTso6);
  localparam logic [63:0] NeedGuestCsum = GuestTso
                                        | (64'h1 << virtio_pkg::FeatureGuestUfo)
                                        | (64'h1 << virtio_pkg::FeatureGuestUso4)
                                        | (64'h1 << virtio_pkg::FeatureGuestUso6);
  localparam logic [63:0] NeedCsum      = HostTso
                                        | (64'h1 << virtio_pkg::FeatureHostUfo)
                                        | (64'h1 << virtio_pkg::FeatureHostUso);
  localparam logic [63:0] NeedHostTso   = (64'h1 << virtio_pkg::FeatureHostEcn)
                                        | (64'h1 << virtio_pkg::FeatureRscExt);
  localparam logic [63:0] NeedCtrlVq    = (64'h1 << virtio_pkg::FeatureCtrlGuestOffloads)
                                        | (64'h1 << virtio_pkg::FeatureCtrlRx)
                                        | (64'h1 << virtio_pkg::FeatureCtrlVlan)
                                        | (64'h1 << virtio_pkg::FeatureCtrlRxExtra)
                                        | (64'h1 << virtio_pkg::FeatureGuestAnnounce)
                                        | (64'h1 << virtio_pkg::FeatureMq)
                                        | (64'h1 << virtio_pkg::FeatureCtrlMacAddr)
                                        | (64'h1 << virtio_pkg::FeatureDeviceStats)
                                        | (64'h1 << virtio_pkg::FeatureVqNotfCoal)
                                        | (64'h1 << virtio_pkg::FeatureNotfCoal)
                                        | (64'h1 << virtio_pkg::FeatureHashReport)
                                        | (64'h1 << virtio_pkg::FeatureRss);

  logic [63:0] f;

  // Bits that are not offered are refused as such, so that no rule costs anything for them.
  assign f = features_i & Offered;

  always_comb begin
    acceptable_o = (features_i & ~Offered) == 64'h0 && (~features_i & Required) == 64'h0;
    if ((f & NeedGuestCsum) != 64'h0 && !f[virtio_pkg::FeatureGuestCsum]) acceptable_o = 1'b0;
    if ((f & NeedCsum) != 64'h0      && !f[virtio_pkg::FeatureCsum])      acceptable_o = 1'b0;
    if ((f & NeedCtrlVq) != 64'h0    && !f[virtio_pkg::FeatureCtrlVq])    acceptable_o = 1'b0;
    if ((f & NeedHostTso) != 64'h0   && (f & HostTso) == 64'h0)           acceptable_o = 1'b0;
    if (f[virtio_pkg::FeatureGuestEcn] && (f & GuestTso) == 64'h0)        acceptable_o = 1'b0;
  end

endmodule
