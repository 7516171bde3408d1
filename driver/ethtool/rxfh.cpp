// SPDX-License-Identifier: Apache-2.0
// ethtool -x and -X.
#include <array>
#include <charconv>
#include <cstdio>

#include "driver/ethtool/internal.h"
#include "driver/features.h"
#include "nicroscope/registers.h"

namespace nicroscope::driver::ethtool_detail {

namespace {

constexpr std::size_t kEntriesALine = 8;

bool parse_key(std::string_view text, std::array<std::uint8_t, regs::kRssKeyBytes>& key) {
  if (text.size() != 3 * key.size() - 1) return false;
  for (std::size_t i = 0; i < key.size(); ++i) {
    const char* const at = text.data() + 3 * i;
    const auto [end, error] = std::from_chars(at, at + 2, key[i], 16);
    if (error != std::errc{} || end != at + 2) return false;
    if (i + 1 != key.size() && at[2] != ':') return false;
  }
  return true;
}

/// Entries in proportion to `weights`, as ethtool's fill_indir_table does.
bool fill_by_weight(std::vector<std::uint16_t>& table, const std::vector<std::uint64_t>& weights) {
  std::uint64_t sum = 0;
  for (const std::uint64_t weight : weights) sum += weight;
  if (sum == 0 || sum > table.size()) return false;
  std::size_t queue = 0;
  std::uint64_t partial = weights[0];
  for (std::size_t i = 0; i < table.size(); ++i) {
    while (i * sum >= table.size() * partial) partial += weights[++queue];
    table[i] = static_cast<std::uint16_t>(queue);
  }
  return true;
}

}  // namespace

EthtoolResult show_rxfh(VirtioNet& device) {
  std::string out = "RX flow hash indirection table for " + device.netdev().name() + " with " +
                    std::to_string(device.channels()) + " RX ring(s):\n";
  if (!device.has(regs::kFeatureRss)) {
    return done(out +
                "Operation not supported\nRSS hash key:\nOperation not supported\n"
                "RSS hash function:\n    Operation not supported\n");
  }
  const RssSettings& rss = device.rxfh();
  std::array<char, 24> text{};
  for (std::size_t i = 0; i < rss.table.size(); ++i) {
    if (i % kEntriesALine == 0) {
      std::snprintf(text.data(), text.size(), "%5zu: ", i);
      out += text.data();
    }
    std::snprintf(text.data(), text.size(), " %5u", rss.table[i]);
    out += text.data();
    if (i % kEntriesALine == kEntriesALine - 1 || i + 1 == rss.table.size()) out += "\n";
  }
  out += "RSS hash key:\n";
  for (std::size_t i = 0; i < rss.key.size(); ++i) {
    std::snprintf(text.data(), text.size(), i == 0 ? "%02x" : ":%02x", rss.key[i]);
    out += text.data();
  }
  return done(out + "\nRSS hash function:\n    toeplitz: on\n    xor: off\n    crc32: off\n");
}

EthtoolResult set_rxfh(VirtioNet& device, Args args) {
  if (!device.has(regs::kFeatureRss)) {
    return {1, {}, "Cannot get RX flow hash indirection table size: Operation not supported\n"};
  }
  RssSettings rss = device.rxfh();
  if (args.empty()) return bad_arguments();
  while (!args.empty()) {
    const std::string word = args[0];
    args = args.subspan(1);
    if (word == "default") {
      rss.table = default_table(static_cast<unsigned>(rss.table.size()), device.channels());
    } else if (word == "equal" && !args.empty()) {
      const auto queues = number(args[0], 0xffff);
      if (!queues || *queues == 0) return bad_arguments();
      rss.table = default_table(static_cast<unsigned>(rss.table.size()),
                                static_cast<std::uint16_t>(*queues));
      args = args.subspan(1);
    } else if (word == "weight") {
      std::vector<std::uint64_t> weights;
      while (!args.empty()) {
        const auto weight = number(args[0], 0xffff);
        if (!weight) break;
        weights.push_back(*weight);
        args = args.subspan(1);
      }
      if (weights.empty()) return bad_arguments();
      if (!fill_by_weight(rss.table, weights)) {
        return {1, {}, "At least one weight must be non-zero, and their sum fit the table\n"};
      }
    } else if (word == "hkey" && !args.empty()) {
      if (!parse_key(args[0], rss.key)) return {1, {}, "Invalid RSS hash key format\n"};
      args = args.subspan(1);
    } else if (word == "hfunc" && !args.empty()) {
      if (args[0] != "toeplitz") return {1, {}, "Unknown hash function: " + args[0] + "\n"};
      args = args.subspan(1);
    } else {
      return bad_arguments();
    }
  }
  const std::string why = device.set_rxfh(rss);
  if (why.empty()) return done();
  return {1, {}, "Cannot set RX flow hash configuration: " + why + "\n"};
}

}  // namespace nicroscope::driver::ethtool_detail
