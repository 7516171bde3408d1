// SPDX-License-Identifier: Apache-2.0
#include "tests/rtl/ctrl_model.h"

#include <algorithm>
#include <map>

#include "nicroscope/registers.h"

namespace nicroscope::test {

namespace {

// Ten words, 0x6d5a56da with the number of the word in each half-byte.
std::array<uint8_t, 40> default_key() {
  std::array<uint8_t, 40> key{};
  for (unsigned i = 0; i < 40; ++i) {
    key[i] = static_cast<uint8_t>((0x6d5a56daU >> (24 - 8 * (i % 4))) ^ (i / 4) * 0x11);
  }
  return key;
}

bool has(uint64_t features, unsigned bit) { return (features >> bit & 1) != 0; }

}  // namespace

uint64_t little(std::span<const uint8_t> bytes) {
  uint64_t value = 0;
  for (size_t i = bytes.size(); i-- > 0;) value = value << 8 | bytes[i];
  return value;
}

void append_little(std::vector<uint8_t>& bytes, uint64_t value, unsigned count) {
  for (unsigned i = 0; i < count; ++i) bytes.push_back(static_cast<uint8_t>(value >> (8 * i)));
}

uint64_t address(std::span<const uint8_t> bytes) {
  uint64_t value = 0;
  for (unsigned i = 0; i < 6; ++i) value = value << 8 | bytes[i];
  return value;
}

void append_address(std::vector<uint8_t>& bytes, uint64_t mac) {
  for (unsigned i = 0; i < 6; ++i) bytes.push_back(static_cast<uint8_t>(mac >> (40 - 8 * i)));
}

unsigned bucket_of(uint64_t mac) {
  unsigned bucket = 0;
  for (; mac != 0; mac >>= 6) bucket ^= static_cast<unsigned>(mac & 63);
  return bucket;
}

ControlModel::ControlModel(unsigned pairs_built)
    : key(default_key()),
      moderation(2 * pairs_built),
      enabled(2 * pairs_built),
      statistics(2 * pairs_built),
      built_(pairs_built) {}

void ControlModel::enable(unsigned virtqueue) {
  if (virtqueue >= enabled.size()) return;
  enabled[virtqueue] = true;
  moderation[virtqueue] = defaults[virtqueue % 2];
}

void ControlModel::disable(unsigned virtqueue) {
  if (virtqueue >= enabled.size()) return;
  enabled[virtqueue] = false;
  moderation[virtqueue] = {};
}

ControlModel::Answer ControlModel::execute(uint64_t features, std::span<const uint8_t> bytes,
                                           size_t room) {
  ++commands;
  Answer answer;
  if (room > 0) answer = carry_out(features, bytes, room);
  good += answer.ok ? 1 : 0;
  return answer;
}

ControlModel::Answer ControlModel::carry_out(uint64_t features, std::span<const uint8_t> bytes,
                                             size_t room) {
  using namespace regs;
  if (bytes.size() < 2) return {};
  const unsigned number = bytes[1];
  const std::span<const uint8_t> data = bytes.subspan(2);
  switch (bytes[0]) {
    case kCtrlClassRx: {
      const unsigned feature = number < kCtrlRxAlluni ? kFeatureCtrlRx : kFeatureCtrlRxExtra;
      if (number > kCtrlRxNobcast || !has(features, feature) || data.size() != 1 || data[0] > 1) {
        return {};
      }
      mode.set(number, data[0] != 0);
      return {.ok = true};
    }
    case kCtrlClassMac:
      if (number == kCtrlMacTableSet && has(features, kFeatureCtrlRx)) return mac_table(data);
      if (number != kCtrlMacAddrSet || data.size() != 6 || (data[0] & 1) != 0 ||
          !(has(features, kFeatureCtrlMacAddr) || has(features, kFeatureCtrlRx))) {
        return {};
      }
      mac = address(data);
      return {.ok = true};
    case kCtrlClassVlan:
      if (number > kCtrlVlanDel || !has(features, kFeatureCtrlVlan) || data.size() != 2 ||
          little(data) > 4095) {
        return {};
      }
      vlans.set(little(data), number == kCtrlVlanAdd);
      return {.ok = true};
    case kCtrlClassAnnounce:
      if (number != 0 || !has(features, kFeatureGuestAnnounce) || !data.empty()) return {};
      ++announcements;
      return {.ok = true};
    case kCtrlClassMq:
      if (number == kCtrlMqRssConfig && has(features, kFeatureRss)) return rss_config(data);
      if (number == kCtrlMqHashConfig && has(features, kFeatureHashReport)) {
        return hash_config(data);
      }
      if (number != kCtrlMqVqPairsSet || !has(features, kFeatureMq) || data.size() != 2 ||
          little(data) < 1 || little(data) > built_) {
        return {};
      }
      pairs = static_cast<unsigned>(little(data));
      rss = false;
      return {.ok = true};
    case kCtrlClassGuestOffloads: {
      if (number != 0 || !has(features, kFeatureCtrlGuestOffloads) || data.size() != 8) return {};
      const uint64_t offloads = 1ULL << kFeatureGuestCsum | 1ULL << kFeatureGuestTso4 |
                                1ULL << kFeatureGuestTso6 | 1ULL << kFeatureGuestEcn;
      if ((little(data) & ~(features & offloads)) != 0) return {};
      csum = has(little(data), kFeatureGuestCsum);
      tso4 = has(little(data), kFeatureGuestTso4);
      tso6 = has(little(data), kFeatureGuestTso6);
      return {.ok = true};
    }
    case kCtrlClassNotfCoal: {
      const bool all = number <= kCtrlNotfCoalRxSet;
      if (number > kCtrlNotfCoalVqGet) return {};
      Answer answer;
      if (has(features, all ? kFeatureNotfCoal : kFeatureVqNotfCoal) &&
          (number != kCtrlNotfCoalVqGet || room >= 9)) {
        answer = coalescing(number, data);
      }
      return answer;
    }
    case kCtrlClassStats:
      return has(features, kFeatureDeviceStats) ? device_stats(features, number, data, room)
                                                : Answer{};
    default:
      return {};
  }
}

// virtio 1.3, 5.1.6.5.10.
ControlModel::Answer ControlModel::device_stats(uint64_t features, unsigned command,
                                                std::span<const uint8_t> data, size_t room) {
  using namespace regs;
  Answer answer{.ok = true};
  if (command == kCtrlStatsQuery) {
    if (!data.empty() || room < 9) return {};
    append_little(answer.result, 1ULL << 0 | 1ULL << 16 | 1ULL << 32, 8);
    return answer;
  }
  if (command != kCtrlStatsGet || data.size() % 16 != 0) return {};
  const bool all = has(features, kFeatureMq) || has(features, kFeatureRss);
  const unsigned control = all ? 2 * built_ : 2;
  size_t asked = 0;
  for (; !data.empty(); data = data.subspan(16)) {
    const auto queue = static_cast<unsigned>(little(data.first(2)));
    const uint64_t types = little(data.subspan(8, 8));
    const unsigned type = queue == control ? 32 : queue % 2 == 0 ? 0 : 16;
    if (queue > control || (types & ~(1ULL << type)) != 0) return {};
    if (types == 0) continue;
    if (++asked > (built_ > 31 ? 1024 : 64)) return {};
    std::vector<uint64_t> fields;
    if (queue == control) {
      fields = {commands, good + 1};
    } else {
      const Statistics& s = statistics[queue];
      fields = {s.notifications, s.packets, s.bytes, s.interrupts, s.drops};
      fields.push_back(type == 0 ? s.overruns : s.drops);
    }
    append_little(answer.result, type, 2);
    append_little(answer.result, queue, 2);
    append_little(answer.result, 0, 2);
    append_little(answer.result, 8 * (fields.size() + 1), 2);
    for (const uint64_t field : fields) append_little(answer.result, field, 8);
  }
  answer.result.resize(std::min(answer.result.size(), room - 1));
  return answer;
}

ControlModel::Answer ControlModel::mac_table(std::span<const uint8_t> data) {
  std::vector<uint64_t> lists[2];
  for (auto& list : lists) {
    if (data.size() < 4) return {};
    const uint64_t count = little(data.first(4));
    data = data.subspan(4);
    if (count > 0xffff || data.size() < 6 * count) return {};
    for (uint64_t i = 0; i < count; ++i) list.push_back(address(data.subspan(6 * i, 6)));
    data = data.subspan(6 * count);
  }
  if (!data.empty()) return {};
  addresses.clear();
  unicast_overflow = false;
  multicast_overflow = false;
  std::map<unsigned, unsigned> used;
  for (unsigned l = 0; l < 2; ++l) {
    for (const uint64_t entry : lists[l]) {
      if (used[bucket_of(entry)]++ < 2) {
        addresses.insert(entry);
      } else {
        (l == 0 ? unicast_overflow : multicast_overflow) = true;
      }
    }
  }
  return {.ok = true};
}

// hash_key_length and hash_key_data.
bool ControlModel::set_key(std::span<const uint8_t> data, uint32_t types) {
  if (data.empty() || data[0] > 40) return false;
  const size_t length = data[0];
  // Padding of a structure to four bytes may follow.
  if (data.size() < 1 + length || data.size() > 1 + length + 3) return false;
  if (length == 0) return types == 0;
  key.fill(0);
  std::ranges::copy(data.subspan(1, length), key.begin());
  return true;
}

ControlModel::Answer ControlModel::rss_config(std::span<const uint8_t> data) {
  if (data.size() < 8) return {};
  const uint32_t types = static_cast<uint32_t>(little(data.first(4)));
  const uint64_t mask = little(data.subspan(4, 2));
  const uint64_t other = little(data.subspan(6, 2));
  if (types > 0x3f || mask > 127 || (mask & (mask + 1)) != 0 || other >= built_) return {};
  data = data.subspan(8);
  if (data.size() < 2 * (mask + 1) + 3) return {};
  std::vector<uint16_t> entries;
  for (uint64_t i = 0; i <= mask; ++i) {
    entries.push_back(static_cast<uint16_t>(little(data.subspan(2 * i, 2))));
    if (entries.back() >= built_) return {};
  }
  data = data.subspan(2 * (mask + 1));
  const uint64_t max_tx = little(data.first(2));
  if (max_tx < 1 || max_tx > built_ || !set_key(data.subspan(2), types)) return {};
  rss = true;
  hash_types = types;
  table = entries;
  unclassified = static_cast<uint16_t>(other);
  pairs = static_cast<unsigned>(max_tx);
  return {.ok = true};
}

ControlModel::Answer ControlModel::hash_config(std::span<const uint8_t> data) {
  if (data.size() < 13) return {};
  const uint32_t types = static_cast<uint32_t>(little(data.first(4)));
  if (types > 0x3f || !set_key(data.subspan(12), types)) return {};
  rss = false;
  hash_types = types;
  return {.ok = true};
}

ControlModel::Answer ControlModel::coalescing(unsigned command, std::span<const uint8_t> data) {
  using namespace regs;
  unsigned queue = 0;
  if (command >= kCtrlNotfCoalVqSet) {
    if (data.size() < 4) return {};
    queue = static_cast<unsigned>(little(data.first(2)));
    if (queue >= enabled.size() || !enabled[queue]) return {};
    data = data.subspan(4);
  }
  if (command == kCtrlNotfCoalVqGet) {
    if (!data.empty()) return {};
    Answer answer{.ok = true};
    append_little(answer.data, moderation[queue].packets, 4);
    append_little(answer.data, moderation[queue].usecs, 4);
    return answer;
  }
  if (data.size() != 8 || little(data.first(4)) > 0xffff || little(data.subspan(4)) > 0xffff) {
    return {};
  }
  const Moderation set{.packets = static_cast<uint16_t>(little(data.first(2))),
                       .usecs = static_cast<uint16_t>(little(data.subspan(4, 2)))};
  if (command == kCtrlNotfCoalVqSet) {
    moderation[queue] = set;
  } else {
    const unsigned direction = command == kCtrlNotfCoalTxSet ? 1 : 0;
    defaults[direction] = set;
    for (unsigned q = direction; q < moderation.size(); q += 2) moderation[q] = set;
  }
  return {.ok = true};
}

}  // namespace nicroscope::test
