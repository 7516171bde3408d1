// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "driver/ethtool/command.h"

namespace nicroscope::driver::ethtool_detail {

using Args = std::span<const std::string>;

// ---- how a command ends
[[nodiscard]] EthtoolResult done(std::string out = {});
/// Wrong arguments.
[[nodiscard]] EthtoolResult bad_arguments();
/// The kernel's answer: EOPNOTSUPP, or EINVAL with why.
[[nodiscard]] EthtoolResult not_supported();
[[nodiscard]] EthtoolResult invalid(const std::string& why);
/// Nothing if `why` is empty, else invalid.
[[nodiscard]] EthtoolResult result_of(const std::string& why);

// ---- arguments
/// A number, decimal or with 0x, up to `most`.
[[nodiscard]] std::optional<std::uint64_t> number(std::string_view text, std::uint64_t most);
[[nodiscard]] std::optional<bool> on_off(std::string_view text);
[[nodiscard]] inline const char* on_off(bool on) { return on ? "on" : "off"; }

// ---- the commands; `args` are those behind the device's name
[[nodiscard]] EthtoolResult show_settings(VirtioNet& device);
[[nodiscard]] EthtoolResult show_driver(VirtioNet& device);
[[nodiscard]] EthtoolResult show_statistics(VirtioNet& device);
[[nodiscard]] EthtoolResult show_rings(VirtioNet& device);
[[nodiscard]] EthtoolResult set_rings(VirtioNet& device, Args args);
[[nodiscard]] EthtoolResult show_channels(VirtioNet& device);
[[nodiscard]] EthtoolResult set_channels(VirtioNet& device, Args args);
[[nodiscard]] EthtoolResult show_pause(VirtioNet& device);
[[nodiscard]] EthtoolResult set_pause(VirtioNet& device, Args args);
[[nodiscard]] EthtoolResult show_coalesce(VirtioNet& device);
[[nodiscard]] EthtoolResult set_coalesce(VirtioNet& device, Args args);
[[nodiscard]] EthtoolResult per_queue(VirtioNet& device, Args args);
[[nodiscard]] EthtoolResult show_features(VirtioNet& device);
[[nodiscard]] EthtoolResult set_features(VirtioNet& device, Args args);
[[nodiscard]] EthtoolResult show_rxfh(VirtioNet& device);
[[nodiscard]] EthtoolResult set_rxfh(VirtioNet& device, Args args);

}  // namespace nicroscope::driver::ethtool_detail
