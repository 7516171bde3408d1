// SPDX-License-Identifier: Apache-2.0
// Errors of the parser come as values; every file of a program must ask for the same.
#define TOML_EXCEPTIONS 0
#include <toml++/toml.h>

#include "sim/scenario/scenario.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <functional>
#include <limits>
#include <optional>

#include "nicroscope/profiles.h"

namespace nicroscope::sim {
namespace {

/// One settable key: what it accepts, how it is stored, and how it is shown.
struct Key {
  std::string name;
  std::string accepted;
  std::function<bool(const toml::node&)> store;  ///< false: not an accepted value
  std::function<std::string()> show;
};

Key text(std::string name, std::string accepted, std::string& target,
         std::function<bool(const std::string&)> good = {}) {
  return {std::move(name), std::move(accepted),
          [&target, good = std::move(good)](const toml::node& node) {
            const auto value = node.value_exact<std::string>();
            if (!value || (good && !good(*value))) return false;
            target = *value;
            return true;
          },
          [&target] { return '"' + target + '"'; }};
}

Key choice(std::string name, std::vector<std::string> choices, std::string& target) {
  std::string accepted = fmt::format("\"{}\"", fmt::join(choices, "\", \""));
  return text(std::move(name), std::move(accepted), target,
              [choices = std::move(choices)](const std::string& value) {
                return std::find(choices.begin(), choices.end(), value) != choices.end();
              });
}

template <typename Integer>
Key number(std::string name, std::int64_t low, std::int64_t high, Integer& target) {
  return {std::move(name), fmt::format("a whole number from {} to {}", low, high),
          [&target, low, high](const toml::node& node) {
            const auto value = node.value_exact<std::int64_t>();
            if (!value || *value < low || *value > high) return false;
            target = static_cast<Integer>(*value);
            return true;
          },
          [&target] { return fmt::format("{}", target); }};
}

Key flag(std::string name, bool& target) {
  return {std::move(name), "true or false",
          [&target](const toml::node& node) {
            const auto value = node.value_exact<bool>();
            if (value) target = *value;
            return value.has_value();
          },
          [&target] { return target ? "true" : "false"; }};
}

bool is_mask(const std::string& value) {
  constexpr std::size_t kMostDigits = 16;
  return !value.empty() && value.size() <= kMostDigits &&
         std::ranges::all_of(value, [](unsigned char c) { return std::isxdigit(c) != 0; });
}

/// Numbers with commas between them, or nothing.
bool is_list(const std::string& value) {
  bool digit = false;
  for (const char c : value) {
    if (c != ',' && std::isdigit(static_cast<unsigned char>(c)) == 0) return false;
    if (c == ',' && !digit) return false;
    digit = c != ',';
  }
  return value.empty() || digit;
}

std::vector<Key> keys_of(Scenario& s) {
  std::vector<std::string> profiles;
  for (const Profile& profile : kProfiles) profiles.emplace_back(profile.name);
  constexpr std::int64_t kMax = std::numeric_limits<std::int64_t>::max();
  return {
      choice("profile", std::move(profiles), s.profile),
      number("seed", 0, kMax, s.seed),
      number("watchdog_cycles", 1000, kMax, s.watchdog_cycles),
      choice("bus.timing", {"pcie", "ideal"}, s.bus.timing),
      flag("bus.adversary", s.bus.adversary),
      number("bus.generation", 1, 5, s.bus.generation),
      number("bus.lanes", 1, 16, s.bus.lanes),
      number("bus.read_latency_ns", 0, 1'000'000, s.bus.read_latency_ns),
      number("bus.read_jitter_ns", 0, 1'000'000, s.bus.read_jitter_ns),
      number("bus.write_latency_ns", 0, 1'000'000, s.bus.write_latency_ns),
      number("bus.register_read_ns", 0, 1'000'000, s.bus.register_read_ns),
      number("bus.register_write_ns", 0, 1'000'000, s.bus.register_write_ns),
      choice("wire.rate", {"capture", "line"}, s.wire.rate),
      text("host.costs", "a cost profile: its name in the program, or its path", s.host.costs),
      number("host.hz", 10, 10'000, s.host.hz),
      choice("host.tick", {"none", "nohz", "periodic"}, s.host.tick),
      number("host.cpus", 1, 64, s.host.cpus),
      number("host.ksoftirqd_nice", -20, 19, s.host.ksoftirqd_nice),
      choice("host.receive", {"napi", "interrupt", "poll"}, s.host.receive),
      number("host.max_interrupt_work", 1, 10'000, s.host.max_interrupt_work),
      number("host.queue_pairs", 0, 256, s.host.queue_pairs),
      number("host.rx_usecs", 0, 65'535, s.host.rx_usecs),
      number("host.rx_frames", 0, 65'535, s.host.rx_frames),
      number("host.tx_usecs", 0, 65'535, s.host.tx_usecs),
      number("host.tx_frames", 0, 65'535, s.host.tx_frames),
      flag("host.adaptive_rx", s.host.adaptive_rx),
      flag("host.adaptive_tx", s.host.adaptive_tx),
      choice("host.head_reads", {"none", "poll", "frame"}, s.host.head_reads),
      number("host.netdev_max_backlog", 1, 1'000'000, s.host.netdev_max_backlog),
      flag("host.backlog_throttle", s.host.backlog_throttle),
      text("host.rps_cpus", "a mask of CPUs in hexadecimal", s.host.rps_cpus, is_mask),
      number("host.rps_flow_cnt", 0, 1 << 20, s.host.rps_flow_cnt),
      number("host.rps_sock_flow_entries", 0, 1 << 20, s.host.rps_sock_flow_entries),
      text("host.irq_cpus", "CPUs as \"0,2\", \"\" for the driver's choice", s.host.irq_cpus,
           is_list),
      number("host.netdev_budget", 1, 100'000, s.host.netdev_budget),
      text("host.address", "an IPv4 address and prefix length, as \"10.0.0.2/24\"", s.host.address),
      text("host.gateway", "an IPv4 address, or \"\" for none", s.host.gateway),
      text("host.mac", "a MAC address as \"52:54:00:12:34:56\", \"\" for the device's", s.host.mac),
      number("host.mtu", 68, 9000, s.host.mtu),
      number("host.rx_ring", 1, 32768, s.host.rx_ring),
      number("host.tx_ring", 1, 32768, s.host.tx_ring),
      number("host.rx_buffer_bytes", 64, 16384, s.host.rx_buffer_bytes),
      number("host.echo_port", 1, 65535, s.host.echo_port),
      text("workload.capture", "the path of a pcap or pcapng file", s.workload.capture),
      number("workload.limit", 0, kMax, s.workload.limit),
      choice("fault.kind",
             {"none", "zero_length", "bad_length", "wrong_direction", "indirect", "unmapped",
              "loop", "too_long", "ring_unmapped", "ring_read_only", "event_unmapped"},
             s.fault.kind),
      choice("fault.queue", {"rx", "tx"}, s.fault.queue),
      number("fault.after", 0, kMax, s.fault.after),
  };
}

std::string place(const toml::node& node, std::string_view origin) {
  const toml::source_region& source = node.source();
  if (!source.path || source.begin.line == 0) return std::string(origin);
  return fmt::format("{}:{}", origin, source.begin.line);
}

void store_leaf(const std::string& name, const toml::node& node, std::vector<Key>& keys,
                std::string_view origin) {
  const auto key =
      std::find_if(keys.begin(), keys.end(), [&](const Key& k) { return k.name == name; });
  if (key == keys.end()) {
    std::string known;
    for (const Key& k : keys) known += (known.empty() ? "" : ", ") + k.name;
    throw BadInput(
        fmt::format("{}: unknown key '{}'; known are {}", place(node, origin), name, known));
  }
  if (!key->store(node)) {
    throw BadInput(fmt::format("{}: the value of '{}' is not accepted; it takes {}",
                               place(node, origin), name, key->accepted));
  }
}

void store_table(const toml::table& table, const std::string& prefix, std::vector<Key>& keys,
                 std::string_view origin) {
  for (const auto& [name, node] : table) {
    const std::string full = prefix + std::string(name.str());
    if (const toml::table* inner = node.as_table()) {
      store_table(*inner, full + ".", keys, origin);
    } else {
      store_leaf(full, node, keys, origin);
    }
  }
}

}  // namespace

void read_scenario(const std::filesystem::path& path, Scenario& scenario) {
  if (!std::filesystem::is_regular_file(path)) {
    throw BadInput(
        fmt::format("{}: there is no such file; a scenario (TOML) is expected", path.string()));
  }
  const toml::parse_result table = toml::parse_file(path.string());
  if (!table) {
    const toml::parse_error& error = table.error();
    throw BadInput(fmt::format("{}:{}: not a scenario: {}", path.string(),
                               error.source().begin.line, error.description()));
  }
  std::vector<Key> keys = keys_of(scenario);
  store_table(table.table(), "", keys, path.string());
}

void set_key(std::string_view assignment, Scenario& scenario, std::string_view origin) {
  const std::size_t equals = assignment.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    throw BadInput(fmt::format("{} {}: expected key=value", origin, assignment));
  }
  const std::string name(assignment.substr(0, equals));
  const std::string value(assignment.substr(equals + 1));
  toml::table table;
  if (toml::parse_result parsed = toml::parse("value = " + value)) {
    table = std::move(parsed).table();
  } else {
    table.insert_or_assign("value", value);
  }
  std::vector<Key> keys = keys_of(scenario);
  store_leaf(name, *table.get("value"), keys, origin);
}

std::vector<ScenarioKey> scenario_keys(const Scenario& scenario) {
  Scenario copy = scenario;
  std::vector<ScenarioKey> rows;
  for (const Key& key : keys_of(copy)) rows.push_back({key.name, key.accepted, key.show()});
  return rows;
}

}  // namespace nicroscope::sim
