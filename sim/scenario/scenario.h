// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <filesystem>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace nicroscope::sim {

/// Input that a person gave and that cannot be used: one line saying what, where, and what would be
/// accepted. The command line prints it and exits with status 2.
class BadInput : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Everything that decides a run, with its defaults. A TOML file sets any of it by the key named
/// beside each member; `--set key=value` does the same on the command line.
struct Scenario {
  std::string profile = "edge10";  ///< profile: a row of rtl/profiles.toml
  std::uint64_t seed = 1;          ///< seed: of everything random

  struct Bus {
    std::string timing = "pcie";       ///< bus.timing: "pcie" (bandwidth and latency) or "ideal"
    bool adversary = false;            ///< bus.adversary: reorder and delay all that AXI4 allows
    unsigned generation = 3;           ///< bus.generation: PCIe generation, 1 to 5
    unsigned lanes = 8;                ///< bus.lanes: 1 to 16
    unsigned read_latency_ns = 500;    ///< bus.read_latency_ns: request to first data, unloaded
    unsigned read_jitter_ns = 100;     ///< bus.read_jitter_ns: widest addition to it
    unsigned write_latency_ns = 250;   ///< bus.write_latency_ns: posted write to visibility
    unsigned register_read_ns = 800;   ///< bus.register_read_ns: the round trip of an MMIO read
    unsigned register_write_ns = 300;  ///< bus.register_write_ns: an MMIO write's way to the NIC
  } bus;

  struct Wire {
    std::string rate = "capture";  ///< wire.rate: "capture" (its times) or "line" (back to back)
  } wire;

  struct Host {
    std::string costs;  ///< host.costs: a cost profile, by name or path; the default one if empty
    unsigned hz = 250;  ///< host.hz: jiffies a second
    unsigned netdev_budget = 300;       ///< host.netdev_budget: packets of one NET_RX softirq
    unsigned netdev_max_backlog = 300;  ///< host.netdev_max_backlog: packets of netif_rx, a CPU
    bool backlog_throttle = true;  ///< host.backlog_throttle: a full backlog takes none until empty
    std::string rps_cpus = "0";    ///< host.rps_cpus: a mask in hexadecimal, as in /sys; 0 for none
    unsigned rps_flow_cnt = 0;     ///< host.rps_flow_cnt: of each queue, as in /sys; 0 for no RFS
    unsigned rps_sock_flow_entries = 0;  ///< host.rps_sock_flow_entries: as in /proc/sys/net/core
    std::string
        irq_cpus;  ///< host.irq_cpus: "0,2": that take the queue pairs' interrupts, in turn;
                   ///< "": each pair's goes to the CPU of its number
    std::string tick = "none";         ///< host.tick: "none", "nohz" or "periodic", as CONFIG_HZ_*
    unsigned cpus = 1;                 ///< host.cpus
    int ksoftirqd_nice = 0;            ///< host.ksoftirqd_nice: 19 in Linux 2.4
    std::string receive = "napi";      ///< host.receive: "napi", "interrupt" or "poll"
    unsigned max_interrupt_work = 20;  ///< host.max_interrupt_work: frames of one interrupt handler
    unsigned queue_pairs = 0;  ///< host.queue_pairs: in use; 0: one a CPU, as far as there are
    unsigned rx_usecs = 0;     ///< host.rx_usecs: interrupt moderation, as ethtool -C
    unsigned rx_frames = 0;    ///< host.rx_frames
    unsigned tx_usecs = 0;     ///< host.tx_usecs
    unsigned tx_frames = 0;    ///< host.tx_frames
    bool adaptive_rx = false;  ///< host.adaptive_rx: net_dim moderates receive queues
    bool adaptive_tx = false;  ///< host.adaptive_tx
    std::string head_reads = "none";  ///< host.head_reads: register reads of the driver to receive:
                                      ///< "none", one a "poll", one a "frame"
    std::string address = "10.0.0.2/24";  ///< host.address: IPv4 address and prefix length
    std::string gateway;                  ///< host.gateway: IPv4 address, none if empty
    std::string mac;                      ///< host.mac: station address; the device's own if empty
    unsigned mtu = 1500;                  ///< host.mtu: of the interface, for what it sends
    unsigned rx_ring = 256;               ///< host.rx_ring: descriptors, 1 to the device's maximum
    unsigned tx_ring = 256;               ///< host.tx_ring
    unsigned rx_buffer_bytes = 1536;      ///< host.rx_buffer_bytes: size of a receive buffer
    unsigned echo_port = 7;               ///< host.echo_port: of the UDP echo server
  } host;

  struct Workload {
    std::string capture;      ///< workload.capture: pcap or pcapng file to put on the wire
    std::uint64_t limit = 0;  ///< workload.limit: frames of it; 0 for all
  } workload;

  struct Fault {
    std::string kind = "none";  ///< fault.kind: a mistake that the driver makes; docs/faults.md
    std::string queue = "rx";   ///< fault.queue: "rx" or "tx"
    std::uint64_t after = 0;    ///< fault.after: frames that the queue carries before it
  } fault;

  std::uint64_t watchdog_cycles =
      2'000'000;  ///< watchdog_cycles: simulated cycles without progress
};

/// Sets the keys that `path` holds. Throws BadInput on a file that cannot be read or is not TOML,
/// an unknown key, or a value of the wrong type or out of range.
void read_scenario(const std::filesystem::path& path, Scenario& scenario);

/// Sets one key from "key=value"; a value that is not TOML is taken as a string. `origin` is what a
/// person wrote it behind, for the message of a BadInput.
void set_key(std::string_view assignment, Scenario& scenario, std::string_view origin = "--set");

/// A key as `nicroscope run --keys` lists it.
struct ScenarioKey {
  std::string name;
  std::string accepted;
  std::string value;
};
[[nodiscard]] std::vector<ScenarioKey> scenario_keys(const Scenario& scenario);

}  // namespace nicroscope::sim
