// SPDX-License-Identifier: Apache-2.0
// ethtool: settings, driver, statistics, rings, channels, pause frames.
#include <array>

#include "driver/ethtool/internal.h"
#include "nicroscope/registers.h"

namespace nicroscope::driver::ethtool_detail {

namespace {

constexpr std::uint32_t kSpeedUnknown = 0xffff'ffffU;
constexpr std::uint64_t kMost16 = 0xffff;

std::string line(const char* label, const std::string& value) { return label + value + "\n"; }

}  // namespace

EthtoolResult show_settings(VirtioNet& device) {
  const VirtioPci::NetConfig& config = device.config();
  const bool known =
      device.has(regs::kFeatureSpeedDuplex) && config.speed != 0 && config.speed != kSpeedUnknown;
  std::string out = line("Settings for ", device.netdev().name() + ":");
  out +=
      "\tSupported ports: [  ]\n"
      "\tSupported link modes:   Not reported\n"
      "\tSupported pause frame use: No\n"
      "\tSupports auto-negotiation: No\n"
      "\tSupported FEC modes: Not reported\n"
      "\tAdvertised link modes:  Not reported\n"
      "\tAdvertised pause frame use: No\n"
      "\tAdvertised auto-negotiation: No\n"
      "\tAdvertised FEC modes: Not reported\n";
  out += known ? line("\tSpeed: ", std::to_string(config.speed) + "Mb/s") : "\tSpeed: Unknown!\n";
  if (!known || config.duplex > 1) {
    out += "\tDuplex: Unknown! (255)\n";
  } else {
    out += config.duplex == 1 ? "\tDuplex: Full\n" : "\tDuplex: Half\n";
  }
  out +=
      "\tAuto-negotiation: off\n"
      "\tPort: Other\n"
      "\tPHYAD: 0\n"
      "\tTransceiver: internal\n";
  return done(out + line("\tLink detected: ", netif_carrier_ok(device.netdev()) ? "yes" : "no"));
}

EthtoolResult show_driver(VirtioNet& /*device*/) {
  return done(
      "driver: virtio_net\n"
      "version: 1.0.0\n"
      "firmware-version: \n"
      "expansion-rom-version: \n"
      "bus-info: \n"
      "supports-statistics: yes\n"
      "supports-test: no\n"
      "supports-eeprom-access: no\n"
      "supports-register-dump: no\n"
      "supports-priv-flags: no\n");
}

EthtoolResult show_statistics(VirtioNet& device) {
  std::string out = "NIC statistics:\n";
  for (const auto& statistics : {device.ethtool_stats(), device.device_stats()}) {
    for (const auto& [name, value] : statistics) {
      out += "     " + name + ": " + std::to_string(value) + "\n";
    }
  }
  return done(out);
}

// ---- rings
// ---------------------------------------------------------------------------------------

EthtoolResult show_rings(VirtioNet& device) {
  const RingSettings& rings = device.ringparam();
  const auto block = [](std::uint16_t rx, std::uint16_t tx) {
    return line("RX:\t\t", std::to_string(rx)) + "RX Mini:\tn/a\nRX Jumbo:\tn/a\n" +
           line("TX:\t\t", std::to_string(tx));
  };
  return done(line("Ring parameters for ", device.netdev().name() + ":") + "Pre-set maximums:\n" +
              block(rings.rx_max, rings.tx_max) + "Current hardware settings:\n" +
              block(rings.rx, rings.tx) +
              "RX Buf Len:\t\tn/a\nCQE Size:\t\tn/a\nTX Push:\toff\nTCP data split:\tn/a\n");
}

EthtoolResult set_rings(VirtioNet& device, Args args) {
  std::uint16_t rx = device.ringparam().rx;
  std::uint16_t tx = device.ringparam().tx;
  if (args.empty() || args.size() % 2 != 0) return bad_arguments();
  for (; !args.empty(); args = args.subspan(2)) {
    const auto value = number(args[1], kMost16);
    if (!value) return bad_arguments();
    if (args[0] == "rx") {
      rx = static_cast<std::uint16_t>(*value);
    } else if (args[0] == "tx") {
      tx = static_cast<std::uint16_t>(*value);
    } else {
      return bad_arguments();
    }
  }
  return result_of(device.set_ringparam(rx, tx));
}

// ---- channels
// ------------------------------------------------------------------------------------

EthtoolResult show_channels(VirtioNet& device) {
  const auto block = [](std::uint16_t combined) {
    return "RX:\t\tn/a\nTX:\t\tn/a\nOther:\t\tn/a\n" +
           line("Combined:\t", std::to_string(combined));
  };
  return done(line("Channel parameters for ", device.netdev().name() + ":") +
              "Pre-set maximums:\n" + block(device.max_channels()) +
              "Current hardware settings:\n" + block(device.channels()));
}

EthtoolResult set_channels(VirtioNet& device, Args args) {
  if (args.size() != 2) return bad_arguments();
  const auto value = number(args[1], kMost16);
  if (!value) return bad_arguments();
  if (args[0] == "combined") {
    return result_of(device.set_channels(static_cast<std::uint16_t>(*value)));
  }
  const bool other = args[0] == "rx" || args[0] == "tx" || args[0] == "other";
  return other ? invalid("queues come in pairs") : bad_arguments();
}

// ---- pause frames
// --------------------------------------------------------------------------------

EthtoolResult show_pause(VirtioNet& device) {
  const PauseSettings pause = device.pauseparam();
  return done(line("Pause parameters for ", device.netdev().name() + ":") +
              "Autonegotiate:\toff\n" + line("RX:\t\t", on_off(pause.rx)) +
              line("TX:\t\t", on_off(pause.tx)));
}

EthtoolResult set_pause(VirtioNet& device, Args args) {
  PauseSettings pause = device.pauseparam();
  if (args.empty() || args.size() % 2 != 0) return bad_arguments();
  for (; !args.empty(); args = args.subspan(2)) {
    const auto value = on_off(std::string_view(args[1]));
    if (!value) return bad_arguments();
    if (args[0] == "rx") {
      pause.rx = *value;
    } else if (args[0] == "tx") {
      pause.tx = *value;
    } else if (args[0] != "autoneg") {
      return bad_arguments();
    } else if (*value) {
      return invalid("pause frames are not negotiated");
    }
  }
  return result_of(device.set_pauseparam(pause));
}

}  // namespace nicroscope::driver::ethtool_detail
