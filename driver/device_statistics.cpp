// SPDX-License-Identifier: Apache-2.0
// What the device counts by itself: VIRTIO_NET_F_DEVICE_STATS (virtio 1.3, 5.1.6.5).
#include <algorithm>
#include <array>
#include <string_view>

#include "driver/virtio_net.h"
#include "nicroscope/registers.h"

namespace nicroscope::driver {

namespace {

using Statistics = std::vector<std::pair<std::string, std::uint64_t>>;

constexpr std::array<std::string_view, 6> kReceive{"notifications", "packets", "bytes",
                                                   "interrupts",    "drops",   "drop_overruns"};
constexpr std::array<std::string_view, 6> kTransmit{"notifications", "packets", "bytes",
                                                    "interrupts",    "drops",   "drop_malformed"};
constexpr std::array<std::string_view, 2> kControl{"command_num", "ok_num"};

/// struct virtio_net_stats_reply_hdr: u8 type, u8 reserved, le16 vq_index, le16 reserved, le16
/// size. The values behind it are le64.
constexpr std::size_t kHeader = 8;
constexpr std::size_t kValue = 8;
constexpr std::size_t kMostInOneReply =
    ControlQueue::kMaxReply / (kHeader + kValue * kReceive.size());

std::uint64_t little(std::span<const std::byte> bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) {
    value = value << 8U | std::to_integer<std::uint64_t>(bytes[i]);
  }
  return value;
}

std::span<const std::string_view> names_of(unsigned type) {
  switch (type) {
    case regs::kStatsTypeRxBasic:
      return kReceive;
    case regs::kStatsTypeTxBasic:
      return kTransmit;
    case regs::kStatsTypeCvq:
      return kControl;
    default:
      return {};  // not asked for
  }
}

/// Linux's: rx0_hw_packets, tx0_hw_packets, cq_hw_ok_num.
std::string prefix_of(unsigned type, std::uint64_t virtqueue) {
  if (type == regs::kStatsTypeCvq) return "cq_hw_";
  const char* direction = type == regs::kStatsTypeRxBasic ? "rx" : "tx";
  return direction + std::to_string(virtqueue / 2) + "_hw_";
}

/// As far as the reply makes sense: it is the device's word.
void add_reply(std::span<const std::byte> reply, Statistics& statistics) {
  while (reply.size() >= kHeader) {
    const auto size = static_cast<std::size_t>(little(reply.subspan(6, 2)));
    if (size < kHeader || size > reply.size()) return;
    const auto type = static_cast<unsigned>(little(reply.first(1)));
    const std::string prefix = prefix_of(type, little(reply.subspan(2, 2)));
    const auto names = names_of(type);
    const auto values = reply.subspan(kHeader, size - kHeader);
    for (std::size_t i = 0; i < names.size() && (i + 1) * kValue <= values.size(); ++i) {
      statistics.emplace_back(prefix + std::string(names[i]),
                              little(values.subspan(i * kValue, kValue)));
    }
    reply = reply.subspan(size);
  }
}

}  // namespace

bool VirtioNet::ask_statistics(std::uint8_t number, const ControlData& data,
                               std::span<std::byte> reply, std::size_t& replied) {
  return control_->send(regs::kCtrlClassStats, number, data, reply,
                        ControlQueue::ReplyPlace::behind_ack, &replied) == ControlAnswer::ok;
}

std::vector<std::pair<std::string, std::uint64_t>> VirtioNet::device_stats() {
  Statistics statistics;
  const kernel::mutex_guard guard(lock_);
  if (control_ == nullptr || !has(regs::kFeatureDeviceStats)) return statistics;
  std::array<std::byte, ControlQueue::kMaxReply> reply{};
  std::size_t replied = 0;
  if (!ask_statistics(regs::kCtrlStatsQuery, {}, std::span(reply).first(kValue), replied) ||
      replied < kValue) {
    return statistics;
  }
  const std::uint64_t supported = little(std::span(reply).first(kValue));

  struct Wanted {
    std::uint16_t virtqueue;
    unsigned type;
  };
  std::vector<Wanted> wanted;
  const auto want = [&](std::uint16_t virtqueue, unsigned type) {
    if ((supported >> type & 1U) != 0) wanted.push_back({virtqueue, type});
  };
  want(control_->vq().index(), regs::kStatsTypeCvq);
  for (const auto& pair : pairs_) want(pair->rx_index(), regs::kStatsTypeRxBasic);
  for (const auto& pair : pairs_) want(pair->tx_index(), regs::kStatsTypeTxBasic);

  for (std::span<const Wanted> left(wanted); !left.empty();) {
    const auto now = left.first(std::min(left.size(), kMostInOneReply));
    left = left.subspan(now.size());
    ControlData data;
    for (const Wanted& one : now) {
      data.le16(one.virtqueue).le16(0).le32(0).le64(std::uint64_t{1} << one.type);
    }
    if (!ask_statistics(regs::kCtrlStatsGet, data, reply, replied)) break;
    add_reply(std::span(reply).first(std::min(replied, reply.size())), statistics);
  }
  return statistics;
}

}  // namespace nicroscope::driver
