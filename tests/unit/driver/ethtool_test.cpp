// SPDX-License-Identifier: Apache-2.0
// ethtool's syntax and output, as version 6.1 of the program has them on a virtio_net interface.
#include <gtest/gtest.h>

#include <sstream>

#include "driver/ethtool/command.h"
#include "tests/unit/driver/driver_rig.h"

namespace nicroscope::test {
namespace {

struct EthtoolRig : DriverRig {
  explicit EthtoolRig(unsigned pairs = 4, driver::Options options = {})
      : EthtoolRig(model(pairs), std::move(options)) {}
  EthtoolRig(ModelOptions model_options, driver::Options options)
      : DriverRig(std::move(options), model_options, cpus(model_options.pairs)) {
    EXPECT_TRUE(up());
  }
  static ModelOptions model(unsigned pairs) {
    ModelOptions options;
    options.pairs = pairs;
    return options;
  }
  static kernel::Config cpus(unsigned count) {
    kernel::Config config;
    config.cpus = count;
    return config;
  }
  /// Runs a command line; its words are divided by blanks.
  driver::EthtoolResult run(const std::string& line) {
    std::istringstream words(line);
    std::vector<std::string> args;
    for (std::string word; words >> word;) args.push_back(word);
    driver::EthtoolResult result;
    in_process([&] { result = driver::ethtool(driver, args); });
    return result;
  }
  std::string out(const std::string& line) {
    const driver::EthtoolResult result = run(line);
    EXPECT_EQ(result.status, 0) << line << ": " << result.err;
    EXPECT_EQ(result.err, "") << line;
    return result.out;
  }
  void expect_refused(const std::string& line, const std::string& error) {
    const driver::EthtoolResult result = run(line);
    EXPECT_EQ(result.status, 1) << line;
    EXPECT_EQ(result.out, "") << line;
    EXPECT_NE(result.err.find(error), std::string::npos) << line << ": " << result.err;
  }
};

constexpr const char* kBad = "ethtool: bad command line argument(s)";

TEST(Ethtool, Settings) {
  EthtoolRig rig;
  const std::string out = rig.out("eth0");
  EXPECT_NE(out.find("Settings for eth0:\n\tSupported ports: [  ]\n"), std::string::npos);
  EXPECT_NE(out.find("\tSpeed: 10000Mb/s\n\tDuplex: Full\n\tAuto-negotiation: off\n"),
            std::string::npos);
  EXPECT_NE(out.find("\tLink detected: yes\n"), std::string::npos);
  rig.device.set_link(false);
  rig.timeline.run();
  EXPECT_NE(rig.out("eth0").find("\tLink detected: no\n"), std::string::npos);
}

TEST(Ethtool, Driver) {
  EthtoolRig rig;
  EXPECT_EQ(rig.out("-i eth0"),
            "driver: virtio_net\nversion: 1.0.0\nfirmware-version: \nexpansion-rom-version: \n"
            "bus-info: \nsupports-statistics: yes\nsupports-test: no\n"
            "supports-eeprom-access: no\nsupports-register-dump: no\nsupports-priv-flags: no\n");
  EXPECT_EQ(rig.out("--driver eth0"), rig.out("-i eth0"));
}

TEST(Ethtool, Rings) {
  EthtoolRig rig;
  const auto text = [](const char* rx, const char* tx) {
    return std::string(
               "Ring parameters for eth0:\nPre-set maximums:\nRX:\t\t256\nRX Mini:\tn/a\n"
               "RX Jumbo:\tn/a\nTX:\t\t256\nCurrent hardware settings:\nRX:\t\t") +
           rx + "\nRX Mini:\tn/a\nRX Jumbo:\tn/a\nTX:\t\t" + tx +
           "\nRX Buf Len:\t\tn/a\nCQE Size:\t\tn/a\nTX Push:\toff\nTCP data split:\tn/a\n";
  };
  EXPECT_EQ(rig.out("-g eth0"), text("256", "256"));
  EXPECT_EQ(rig.out("-G eth0 rx 64"), "");
  EXPECT_EQ(rig.out("-G eth0 tx 0x20"), "");
  EXPECT_EQ(rig.out("--show-ring eth0"), text("64", "32"));
  EXPECT_EQ(rig.device.queue_size(2), 64U);
  EXPECT_EQ(rig.device.queue_size(3), 32U);
  rig.expect_refused("-G eth0 rx 300", "Invalid argument");
  rig.expect_refused("-G eth0 rx", kBad);
  rig.expect_refused("-G eth0 rx-mini 7", kBad);
  rig.expect_refused("-G eth0 rx seven", kBad);
}

TEST(Ethtool, Channels) {
  EthtoolRig rig;
  const auto text = [](const char* now) {
    return std::string(
               "Channel parameters for eth0:\nPre-set maximums:\nRX:\t\tn/a\nTX:\t\tn/a\n"
               "Other:\t\tn/a\nCombined:\t4\nCurrent hardware settings:\nRX:\t\tn/a\nTX:\t\tn/a\n"
               "Other:\t\tn/a\nCombined:\t") +
           now + "\n";
  };
  EXPECT_EQ(rig.out("-l eth0"), text("4"));
  EXPECT_EQ(rig.out("-L eth0 combined 2"), "");
  EXPECT_EQ(rig.out("-l eth0"), text("2"));
  rig.expect_refused("-L eth0 combined 5", "Invalid argument");
  rig.expect_refused("-L eth0 rx 2", "Invalid argument");
  rig.expect_refused("-L eth0 both 2", kBad);
}

TEST(Ethtool, Pause) {
  EthtoolRig rig;
  EXPECT_EQ(rig.out("-a eth0"),
            "Pause parameters for eth0:\nAutonegotiate:\toff\nRX:\t\toff\nTX:\t\toff\n");
  EXPECT_EQ(rig.out("-A eth0 rx on tx off"), "");
  EXPECT_EQ(rig.device.vendor_control(), 1U << regs::kControlBitPauseRx);
  EXPECT_EQ(rig.out("-A eth0 tx on autoneg off"), "");
  EXPECT_EQ(rig.out("-a eth0"),
            "Pause parameters for eth0:\nAutonegotiate:\toff\nRX:\t\ton\nTX:\t\ton\n");
  rig.expect_refused("-A eth0 autoneg on", "Invalid argument");
  rig.expect_refused("-A eth0 rx maybe", kBad);
}

TEST(Ethtool, Coalescing) {
  EthtoolRig rig;
  EXPECT_EQ(rig.out("-C eth0 rx-usecs 50 rx-frames 16 tx-usecs 100"), "");
  EXPECT_EQ(rig.out("-c eth0"),
            "Coalesce parameters for eth0:\nAdaptive RX: off  TX: off\n"
            "stats-block-usecs: n/a\nsample-interval: n/a\npkt-rate-low: n/a\npkt-rate-high: n/a\n"
            "\nrx-usecs: 50\nrx-frames: 16\nrx-usecs-irq: n/a\nrx-frames-irq: n/a\n"
            "\ntx-usecs: 100\ntx-frames: 0\ntx-usecs-irq: n/a\ntx-frames-irq: n/a\n"
            "\nrx-usecs-low: n/a\nrx-frame-low: n/a\ntx-usecs-low: n/a\ntx-frame-low: n/a\n"
            "\nrx-usecs-high: n/a\nrx-frame-high: n/a\ntx-usecs-high: n/a\ntx-frame-high: n/a\n"
            "\nCQE mode RX: n/a  TX: n/a\n\n");
  EXPECT_EQ(rig.device.control().moderation[6], (Moderation{16, 50}));
  EXPECT_EQ(rig.device.control().moderation[7], (Moderation{65'535, 100}));

  EXPECT_EQ(rig.out("--per-queue eth0 queue_mask 0x5 -C rx-usecs 8 tx-frames 3"), "");
  const std::string queue = rig.out("--per-queue eth0 queue_mask 4 -c");
  EXPECT_EQ(queue.substr(0, 26), "Queue: 2\nAdaptive RX: off ");
  EXPECT_NE(queue.find("rx-usecs: 8\nrx-frames: 16\n"), std::string::npos);
  EXPECT_NE(queue.find("tx-usecs: 100\ntx-frames: 3\n"), std::string::npos);
  EXPECT_NE(queue.find("rx-frames-low: 0\n"), std::string::npos);
  EXPECT_EQ(rig.device.control().moderation[0], (Moderation{16, 8}));
  EXPECT_EQ(rig.device.control().moderation[2], (Moderation{16, 50}));
  EXPECT_EQ(rig.device.control().moderation[5], (Moderation{3, 100}));
  const std::string all = rig.out("-Q eth0 -c");
  EXPECT_NE(all.find("Queue: 3\n"), std::string::npos);

  rig.expect_refused("-C eth0 rx-usecs 70000", "Invalid argument");
  rig.expect_refused("-C eth0 rx-usecs-irq 7", "Operation not supported");
  rig.expect_refused("-C eth0 rx-usecs", kBad);
  rig.expect_refused("-C eth0 usecs 7", kBad);
  rig.expect_refused("-C eth0 adaptive-rx 7", kBad);
  rig.expect_refused("-Q eth0 queue_mask 0 -c", kBad);
  rig.expect_refused("-Q eth0 -g", kBad);
}

TEST(Ethtool, WhatTheDeviceLacksIsNotSupported) {
  ModelOptions model = EthtoolRig::model(1);
  for (const unsigned feature :
       {regs::kFeatureNotfCoal, regs::kFeatureVqNotfCoal, regs::kFeatureRss, regs::kFeatureMq}) {
    model.features &= ~(std::uint64_t{1} << feature);
  }
  EthtoolRig rig(model, {});
  rig.expect_refused("-c eth0", "netlink error: Operation not supported\n");
  rig.expect_refused("-C eth0 rx-usecs 5", "Operation not supported");
  rig.expect_refused("-Q eth0 -c", "Operation not supported");
  rig.expect_refused("-X eth0 equal 1", "Operation not supported");
  EXPECT_NE(rig.out("-x eth0").find("RSS hash key:\nOperation not supported\n"), std::string::npos);
  rig.expect_refused("-s eth0 speed 1000", "Operation not supported");
  rig.expect_refused("-r eth0", "Operation not supported");
}

TEST(Ethtool, Features) {
  EthtoolRig rig;
  const std::string out = rig.out("-k eth0");
  EXPECT_EQ(out.substr(0, 45), "Features for eth0:\nrx-checksumming: on\ntx-che");
  for (const char* line :
       {"\ttx-checksum-ip-generic: on\n", "\ttx-checksum-ipv4: off [fixed]\n",
        "tcp-segmentation-offload: on\n", "\ttx-tcp6-segmentation: on\n", "rx-gro-hw: on\n",
        "receive-hashing: on\n", "rx-vlan-filter: on [fixed]\n", "tx-udp-segmentation: on\n",
        "large-receive-offload: off [fixed]\n"}) {
    EXPECT_NE(out.find(line), std::string::npos) << line;
  }
  EXPECT_EQ(rig.out("-K eth0 tso off"), "");
  EXPECT_NE(rig.out("-k eth0").find("tcp-segmentation-offload: off\n"), std::string::npos);
  EXPECT_EQ(rig.out("-K eth0 tso on rx-gro-hw off"), "");
  EXPECT_FALSE(rig.device.control().tso4);
  // What depends on it falls with it, and is said to.
  EXPECT_EQ(rig.out("-K eth0 tx off"),
            "Actual changes:\ntx-checksum-ip-generic: off\n"
            "tx-tcp-segmentation: off [not requested]\n"
            "tx-tcp-ecn-segmentation: off [not requested]\n"
            "tx-tcp6-segmentation: off [not requested]\n"
            "tx-udp-segmentation: off [not requested]\n");
  rig.expect_refused("-K eth0 tso on", "Could not change any device features");
  rig.expect_refused("-K eth0 lro on", "Could not change any device features");
  rig.expect_refused("-K eth0 everything on", kBad);
}

TEST(Ethtool, Rss) {
  EthtoolRig rig;
  const std::string out = rig.out("-x eth0");
  EXPECT_EQ(out.substr(0, out.find('\n', 80)),
            "RX flow hash indirection table for eth0 with 4 RX ring(s):\n"
            "    0:      0     1     2     3     0     1     2     3");
  EXPECT_NE(
      out.find("\n  120:      0     1     2     3     0     1     2     3\nRSS hash key:\n6d:5a:"),
      std::string::npos);
  EXPECT_NE(out.find("\nRSS hash function:\n    toeplitz: on\n    xor: off\n    crc32: off\n"),
            std::string::npos);
  EXPECT_EQ(rig.out("-X eth0 equal 2"), "");
  EXPECT_EQ(rig.device.control().table[3], 1U);
  EXPECT_EQ(rig.out("-X eth0 weight 1 0 3"), "");
  EXPECT_EQ(rig.device.control().table[31], 0U);
  EXPECT_EQ(rig.device.control().table[32], 2U);
  EXPECT_EQ(rig.device.control().table[127], 2U);
  std::string key = "01";
  for (int i = 0; i < 39; ++i) key += ":aB";
  EXPECT_EQ(rig.out("-X eth0 default hkey " + key + " hfunc toeplitz"), "");
  EXPECT_EQ(rig.device.control().table[3], 3U);
  EXPECT_EQ(rig.device.control().key[0], 1U);
  EXPECT_EQ(rig.device.control().key[39], 0xabU);
  rig.expect_refused("-X eth0 hkey 01:02", "Invalid RSS hash key format");
  rig.expect_refused("-X eth0 hfunc xor", "Unknown hash function: xor");
  rig.expect_refused("-X eth0 equal 5", "Cannot set RX flow hash configuration");
  rig.expect_refused("-X eth0 weight 0 0", "weight");
  rig.expect_refused("-X eth0 weight", kBad);
  rig.expect_refused("-X eth0", kBad);
}

TEST(Ethtool, Statistics) {
  EthtoolRig rig;
  rig.device.receive(make_frame(100, 1));
  rig.timeline.run();
  const std::string out = rig.out("-S eth0");
  EXPECT_EQ(out.substr(0, 46), "NIC statistics:\n     rx_queue_0_packets: 1\n   ");
  for (const char* line :
       {"     rx_queue_3_page_alloc: ", "     tx_queue_3_tx_timeouts: 0\n", "     rx_frames: 1\n",
        "     used_writes: ", "     rx0_hw_packets: 0\n"}) {
    EXPECT_NE(out.find(line), std::string::npos) << line;
  }
}

TEST(Ethtool, CommandLinesThatMakeNoSense) {
  EthtoolRig rig;
  rig.expect_refused("", kBad);
  rig.expect_refused("-g", kBad);
  rig.expect_refused("-g eth0 more", kBad);
  rig.expect_refused("eth0 more", kBad);
  rig.expect_refused("--frobnicate eth0", kBad);
  rig.expect_refused("-g eth1", "No such device");
  rig.expect_refused("eth1", "No such device");
}

}  // namespace
}  // namespace nicroscope::test
