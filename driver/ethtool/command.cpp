// SPDX-License-Identifier: Apache-2.0
#include "driver/ethtool/command.h"

#include <charconv>

#include "driver/ethtool/internal.h"

namespace nicroscope::driver {

namespace ethtool_detail {

EthtoolResult done(std::string out) { return {0, std::move(out), {}}; }

EthtoolResult bad_arguments() {
  return {1,
          {},
          "ethtool: bad command line argument(s)\n"
          "For more information run ethtool -h\n"};
}

EthtoolResult not_supported() { return {1, {}, "netlink error: Operation not supported\n"}; }

EthtoolResult invalid(const std::string& why) {
  return {1, {}, "netlink error: " + why + "\nnetlink error: Invalid argument\n"};
}

EthtoolResult result_of(const std::string& why) { return why.empty() ? done() : invalid(why); }

std::optional<std::uint64_t> number(std::string_view text, std::uint64_t most) {
  const bool hex = text.starts_with("0x") || text.starts_with("0X");
  if (hex) text.remove_prefix(2);
  std::uint64_t value = 0;
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), value, hex ? 16 : 10);
  if (error != std::errc{} || end != text.data() + text.size() || value > most) {
    return std::nullopt;
  }
  return value;
}

std::optional<bool> on_off(std::string_view text) {
  if (text == "on") return true;
  if (text == "off") return false;
  return std::nullopt;
}

namespace {

struct Command {
  std::string_view letter;
  std::string_view word;
  EthtoolResult (*show)(VirtioNet& device);
  EthtoolResult (*set)(VirtioNet& device, Args args);
};

EthtoolResult change_settings(VirtioNet& /*device*/, Args /*args*/) {
  return {1, {}, "Cannot set new settings: Operation not supported\n"};
}

EthtoolResult negotiate(VirtioNet& /*device*/) {
  return {1, {}, "Cannot restart autonegotiation: Operation not supported\n"};
}

constexpr Command kCommands[] = {
    {"-i", "--driver", show_driver, nullptr},
    {"-S", "--statistics", show_statistics, nullptr},
    {"-g", "--show-ring", show_rings, nullptr},
    {"-G", "--set-ring", nullptr, set_rings},
    {"-l", "--show-channels", show_channels, nullptr},
    {"-L", "--set-channels", nullptr, set_channels},
    {"-a", "--show-pause", show_pause, nullptr},
    {"-A", "--pause", nullptr, set_pause},
    {"-c", "--show-coalesce", show_coalesce, nullptr},
    {"-C", "--coalesce", nullptr, set_coalesce},
    {"-Q", "--per-queue", nullptr, per_queue},
    {"-k", "--show-features", show_features, nullptr},
    {"-K", "--features", nullptr, set_features},
    {"-x", "--show-rxfh", show_rxfh, nullptr},
    {"-X", "--rxfh", nullptr, set_rxfh},
    {"-s", "--change", nullptr, change_settings},
    {"-r", "--negotiate", negotiate, nullptr},
};

bool is(const Command& command, std::string_view word) {
  if (word == command.letter || word == command.word) return true;
  // Older words that are still taken.
  if (command.letter == "-k") return word == "--show-offload";
  if (command.letter == "-K") return word == "--offload";
  if (command.letter == "-x") return word == "--show-rxfh-indir";
  return command.letter == "-X" && word == "--set-rxfh-indir";
}

}  // namespace
}  // namespace ethtool_detail

EthtoolResult ethtool(VirtioNet& device, std::span<const std::string> args) {
  using namespace ethtool_detail;
  if (args.empty()) return bad_arguments();
  const auto known = [&](std::string_view name) { return name == device.netdev().name(); };
  const EthtoolResult no_device{1, {}, "netlink error: No such device\n"};
  if (!args[0].starts_with("-")) {
    if (args.size() != 1) return bad_arguments();
    return known(args[0]) ? show_settings(device) : no_device;
  }
  for (const Command& command : kCommands) {
    if (!is(command, args[0])) continue;
    if (args.size() < 2) return bad_arguments();
    if (!known(args[1])) return no_device;
    if (command.set != nullptr) return command.set(device, args.subspan(2));
    return args.size() == 2 ? command.show(device) : bad_arguments();
  }
  return bad_arguments();
}

}  // namespace nicroscope::driver
