// SPDX-License-Identifier: Apache-2.0
// ethtool -c, -C and --per-queue.
#include <array>
#include <string_view>

#include "driver/ethtool/internal.h"
#include "nicroscope/registers.h"

namespace nicroscope::driver::ethtool_detail {

namespace {

constexpr std::uint64_t kMost32 = 0xffff'ffff;
/// 0 queues: all of them.
constexpr unsigned kMaskBits = 64;

std::string flags(const CoalesceSettings& c) {
  return std::string("Adaptive RX: ") + on_off(c.adaptive_rx) + "  TX: " + on_off(c.adaptive_tx) +
         "\n";
}

/// The four lines of one direction; `none` stands for what the driver does not have.
std::string direction(const char* name, const Moderation& m, const char* none) {
  const std::string prefix(name);
  return prefix + "-usecs: " + std::to_string(m.usecs) + "\n" + prefix +
         "-frames: " + std::to_string(m.frames) + "\n" + prefix + "-usecs-irq: " + none + "\n" +
         prefix + "-frames-irq: " + none + "\n\n";
}

/// ethtool writes "rx-frame-low" where it asks by netlink, and "rx-frames-low" by ioctl.
std::string levels(const char* frames, const char* none) {
  std::string out;
  for (const char* level : {"low", "high"}) {
    for (const char* way : {"rx", "tx"}) {
      const std::string prefix(way);
      out += prefix + "-usecs-" + level + ": " + none + "\n" + prefix + "-" + frames + "-" + level +
             ": " + none + "\n";
    }
    out += "\n";
  }
  return out;
}

std::string rates(const char* none) {
  std::string out;
  for (const char* name :
       {"stats-block-usecs", "sample-interval", "pkt-rate-low", "pkt-rate-high"}) {
    out += std::string(name) + ": " + none + "\n";
  }
  return out + "\n";
}

std::string text(const CoalesceSettings& c, const char* frames, const char* none) {
  return flags(c) + rates(none) + direction("rx", c.rx, none) + direction("tx", c.tx, none) +
         levels(frames, none);
}

/// Changes `c` by "name value" pairs. False if they make no sense; *unsupported is true if one asks
/// for something that this driver does not have.
bool apply(CoalesceSettings& c, Args args, bool* unsupported) {
  struct Number {
    std::string_view name;
    std::uint32_t* value;
  };
  const std::array numbers{Number{"rx-usecs", &c.rx.usecs}, Number{"rx-frames", &c.rx.frames},
                           Number{"tx-usecs", &c.tx.usecs}, Number{"tx-frames", &c.tx.frames}};
  constexpr std::array<std::string_view, 15> kOthers{
      "rx-usecs-irq",  "rx-frames-irq", "tx-usecs-irq",   "tx-frames-irq", "stats-block-usecs",
      "pkt-rate-low",  "rx-usecs-low",  "rx-frames-low",  "tx-usecs-low",  "tx-frames-low",
      "pkt-rate-high", "rx-usecs-high", "rx-frames-high", "tx-usecs-high", "tx-frames-high"};
  *unsupported = false;
  if (args.empty() || args.size() % 2 != 0) return false;
  for (; !args.empty(); args = args.subspan(2)) {
    const std::string_view name = args[0];
    if (name == "adaptive-rx" || name == "adaptive-tx") {
      const auto value = on_off(std::string_view(args[1]));
      if (!value) return false;
      (name == "adaptive-rx" ? c.adaptive_rx : c.adaptive_tx) = *value;
      continue;
    }
    const auto value = number(args[1], kMost32);
    if (!value) return false;
    bool found = false;
    for (const Number& n : numbers) {
      if (n.name != name) continue;
      *n.value = static_cast<std::uint32_t>(*value);
      found = true;
    }
    for (const std::string_view other : kOthers) *unsupported = *unsupported || other == name;
    if (!found && !*unsupported) return false;
  }
  return true;
}

/// Linux (virtnet_set_coalesce): what net_dim decides cannot be set by hand.
bool by_hand_and_adaptive(const CoalesceSettings& before, const CoalesceSettings& after) {
  return (after.adaptive_rx && before.rx != after.rx) ||
         (after.adaptive_tx && before.tx != after.tx);
}

}  // namespace

EthtoolResult show_coalesce(VirtioNet& device) {
  if (!device.has(regs::kFeatureNotfCoal)) return not_supported();
  return done("Coalesce parameters for " + device.netdev().name() + ":\n" +
              text(device.coalesce(), "frame", "n/a") + "CQE mode RX: n/a  TX: n/a\n\n");
}

EthtoolResult set_coalesce(VirtioNet& device, Args args) {
  if (!device.has(regs::kFeatureNotfCoal)) return not_supported();
  CoalesceSettings settings = device.coalesce();
  bool unsupported = false;
  if (!apply(settings, args, &unsupported)) return bad_arguments();
  if (unsupported) return not_supported();
  if (by_hand_and_adaptive(device.coalesce(), settings)) {
    return invalid("adaptive moderation is on");
  }
  return result_of(device.set_coalesce(settings));
}

EthtoolResult per_queue(VirtioNet& device, Args args) {
  std::uint64_t mask = ~std::uint64_t{0};
  if (args.size() >= 2 && args[0] == "queue_mask") {
    const auto value =
        number(args[1].starts_with("0x") ? args[1] : "0x" + args[1], ~std::uint64_t{0});
    if (!value || *value == 0) return bad_arguments();
    mask = *value;
    args = args.subspan(2);
  }
  if (args.empty()) return bad_arguments();
  const bool show = args[0] == "-c" || args[0] == "--show-coalesce";
  const bool set = args[0] == "-C" || args[0] == "--coalesce";
  if ((!show && !set) || (show && args.size() != 1)) return bad_arguments();
  if (!device.has(regs::kFeatureVqNotfCoal)) {
    return {1, {}, "Cannot get device per queue parameters: Operation not supported\n"};
  }
  std::string out;
  for (std::uint16_t n = 0; n < device.max_channels() && n < kMaskBits; ++n) {
    if ((mask >> n & 1U) == 0) continue;
    CoalesceSettings settings = device.queue_coalesce(n);
    if (show) {
      out += "Queue: " + std::to_string(n) + "\n" + text(settings, "frames", "0");
      continue;
    }
    const CoalesceSettings before = settings;
    bool unsupported = false;
    if (!apply(settings, args.subspan(1), &unsupported)) return bad_arguments();
    if (unsupported) return not_supported();
    if (by_hand_and_adaptive(before, settings)) return invalid("adaptive moderation is on");
    if (const std::string why = device.set_queue_coalesce(n, settings); !why.empty()) {
      return invalid(why);
    }
  }
  return done(out);
}

}  // namespace nicroscope::driver::ethtool_detail
