// SPDX-License-Identifier: Apache-2.0
// ethtool -k and -K.
#include <string_view>
#include <vector>

#include "driver/ethtool/internal.h"

namespace nicroscope::driver::ethtool_detail {

namespace {

/// A line of -k: what it is called, whether it stands below a group's line, and which feature it
/// is. Those that no bit stands for are off for good.
struct Row {
  std::string_view name;
  bool indented;
  std::uint32_t bits;  ///< of a group's line: all that it sums up
  std::string_view shorthand;
};

constexpr Row kRows[] = {
    {"rx-checksumming", false, net::NETIF_F_RXCSUM, "rx"},
    {"tx-checksumming", false, net::NETIF_F_HW_CSUM, "tx"},
    {"tx-checksum-ipv4", true, 0, ""},
    {"tx-checksum-ip-generic", true, net::NETIF_F_HW_CSUM, ""},
    {"tx-checksum-ipv6", true, 0, ""},
    {"tx-checksum-fcoe-crc", true, 0, ""},
    {"tx-checksum-sctp", true, 0, ""},
    {"scatter-gather", false, net::NETIF_F_SG, "sg"},
    {"tx-scatter-gather", true, net::NETIF_F_SG, ""},
    {"tx-scatter-gather-fraglist", true, net::NETIF_F_FRAGLIST, ""},
    {"tcp-segmentation-offload", false, net::NETIF_F_TSO | net::NETIF_F_TSO6 | net::NETIF_F_TSO_ECN,
     "tso"},
    {"tx-tcp-segmentation", true, net::NETIF_F_TSO, ""},
    {"tx-tcp-ecn-segmentation", true, net::NETIF_F_TSO_ECN, ""},
    {"tx-tcp-mangleid-segmentation", true, 0, ""},
    {"tx-tcp6-segmentation", true, net::NETIF_F_TSO6, ""},
    {"large-receive-offload", false, 0, "lro"},
    {"rx-vlan-offload", false, 0, "rxvlan"},
    {"tx-vlan-offload", false, 0, "txvlan"},
    {"ntuple-filters", false, 0, "ntuple"},
    {"receive-hashing", false, net::NETIF_F_RXHASH, "rxhash"},
    {"rx-vlan-filter", false, net::NETIF_F_HW_VLAN_CTAG_FILTER, ""},
    {"tx-udp-segmentation", false, net::NETIF_F_GSO_UDP_L4, ""},
    {"loopback", false, net::NETIF_F_LOOPBACK, ""},
    {"rx-fcs", false, 0, ""},
    {"rx-all", false, 0, ""},
    {"rx-gro-hw", false, net::NETIF_F_GRO_HW, ""},
};

/// One feature a line: what -K reports changes of.
bool single(const Row& row) { return row.bits != 0 && (row.bits & (row.bits - 1)) == 0; }

const Row* row_of_bit(std::uint32_t bit) {
  const Row* found = nullptr;
  for (const Row& row : kRows) {
    if (row.bits == bit && (found == nullptr || row.indented)) found = &row;
  }
  return found;
}

}  // namespace

EthtoolResult show_features(VirtioNet& device) {
  const net::net_device& dev = device.netdev();
  std::string out = "Features for " + dev.name() + ":\n";
  for (const Row& row : kRows) {
    out += (row.indented ? "\t" : "") + std::string(row.name) + ": ";
    out += on_off((dev.features & row.bits) != 0);
    if ((dev.hw_features & row.bits) == 0) out += " [fixed]";
    out += "\n";
  }
  return done(out);
}

EthtoolResult set_features(VirtioNet& device, Args args) {
  net::net_device& dev = device.netdev();
  std::uint32_t on = 0;
  std::uint32_t off = 0;
  if (args.empty() || args.size() % 2 != 0) return bad_arguments();
  for (; !args.empty(); args = args.subspan(2)) {
    const auto value = on_off(std::string_view(args[1]));
    if (!value) return bad_arguments();
    const Row* found = nullptr;
    for (const Row& row : kRows) {
      if (row.name == args[0] || (!row.shorthand.empty() && row.shorthand == args[0])) found = &row;
    }
    if (found == nullptr) return bad_arguments();
    (*value ? on : off) |=
        found->bits & (found->bits == (found->bits & -found->bits) ? ~0U : dev.hw_features);
    if (found->bits == 0) return {1, {}, "Could not change any device features\n"};
  }
  const std::uint32_t before = dev.features;
  const std::uint32_t wanted = (before | on) & ~off;
  if (!net::netdev_update_features(dev, wanted)) {
    return {1, {}, "netlink error: Input/output error\n"};
  }
  const std::uint32_t changed = before ^ dev.features;
  const std::uint32_t asked = before ^ wanted;
  if (asked != 0 && changed == 0) return {1, {}, "Could not change any device features\n"};
  if (changed == asked) return done();
  std::string out = "Actual changes:\n";
  for (const Row& row : kRows) {
    if (!single(row) || &row != row_of_bit(row.bits)) continue;
    const bool is_on = (dev.features & row.bits) != 0;
    const bool was_asked = (asked & row.bits) != 0;
    const bool did_change = (changed & row.bits) != 0;
    if (!was_asked && !did_change) continue;
    out += std::string(row.name) + ": " + on_off(is_on);
    if (was_asked && !did_change) out += std::string(" [requested ") + on_off(!is_on) + "]";
    if (!was_asked) out += " [not requested]";
    out += "\n";
  }
  return done(out);
}

}  // namespace nicroscope::driver::ethtool_detail
