// SPDX-License-Identifier: Apache-2.0
#include "tests/cosim/random_commands.h"

#include <algorithm>
#include <functional>

#include "nicroscope/registers.h"

namespace nicroscope::test {

namespace {

using golden::Bytes;
using golden::Mac;
using Steering = ReceiveConfig::Steering;

constexpr std::uint32_t kAllHashTypes = 0x1ff;

void append_le(Bytes& to, std::uint64_t value, unsigned bytes) {
  for (unsigned i = 0; i < bytes; ++i) {
    golden::append8(to, static_cast<unsigned>(value >> (8 * i) & 0xff));
  }
}
void append_mac(Bytes& to, const Mac& mac) {
  for (const std::uint8_t byte : mac) golden::append8(to, byte);
}

// Makes one command after the other; each function fills command_ from what is in force.
class Maker {
 public:
  Maker(sim::Random& random, const AgentPlan& plan, const Profile& profile,
        const golden::FrameMix& mix, const ControlState& now)
      : random_(random), plan_(plan), profile_(profile), mix_(mix) {
    command_.after = now;
  }

  std::optional<RandomCommand> make() {
    std::vector<std::function<void()>> choices;
    const auto offer = [&](unsigned feature, std::function<void()> make_it, unsigned weight = 1) {
      if (!plan_.has(feature)) return;
      for (unsigned i = 0; i < weight; ++i) choices.push_back(make_it);
    };
    offer(
        regs::kFeatureCtrlRx, [this] { mode(); }, 3);
    offer(regs::kFeatureCtrlRx, [this] { mac_table(); });
    offer(regs::kFeatureCtrlMacAddr, [this] { mac_address(); });
    offer(
        regs::kFeatureCtrlVlan, [this] { vlan(); }, 2);
    offer(regs::kFeatureMq, [this] { pairs(); });
    offer(regs::kFeatureRss, [this] { rss(); });
    if (receive().steering != Steering::rss) {
      offer(regs::kFeatureHashReport, [this] { hash(); });
    }
    offer(regs::kFeatureCtrlGuestOffloads, [this] { offloads(); });
    offer(regs::kFeatureNotfCoal, [this] { coalesce_all(); });
    offer(regs::kFeatureVqNotfCoal, [this] { coalesce_one(); });
    offer(regs::kFeatureVqNotfCoal, [this] { coalesce_get(); });
    offer(regs::kFeatureCtrlVq, [this] { unknown(); });
    if (choices.empty()) return {};
    choices[random_.below(choices.size())]();
    return std::move(command_);
  }

 private:
  ReceiveConfig& receive() { return command_.after.receive; }
  Bytes& data() { return command_.data; }
  bool coin() { return random_.below(2) == 0; }
  void header(const char* name, std::uint8_t command_class, std::uint8_t command) {
    command_.name = name;
    command_.command_class = command_class;
    command_.command = command;
  }

  void mode() {
    golden::ReceiveFilter& filter = receive().filter;
    struct Mode {
      const char* name;
      std::uint8_t command;
      bool* flag;
    };
    const Mode modes[] = {{"promisc", regs::kCtrlRxPromisc, &filter.promisc},
                          {"allmulti", regs::kCtrlRxAllmulti, &filter.allmulti},
                          {"alluni", regs::kCtrlRxAlluni, &filter.alluni},
                          {"nomulti", regs::kCtrlRxNomulti, &filter.nomulti},
                          {"nouni", regs::kCtrlRxNouni, &filter.nouni},
                          {"nobcast", regs::kCtrlRxNobcast, &filter.nobcast}};
    const bool extra = plan_.has(regs::kFeatureCtrlRxExtra);
    // Most of the time the filters have something to say.
    const bool close = filter.promisc && random_.below(3) != 0;
    const Mode& mode = modes[close ? 0 : random_.below(extra ? 6 : 2)];
    header(mode.name, regs::kCtrlClassRx, mode.command);
    *mode.flag = !*mode.flag && random_.below(mode.flag == &filter.promisc ? 4 : 2) == 0;
    golden::append8(data(), *mode.flag ? 1 : 0);
  }

  void mac_table() {
    header("mac_table", regs::kCtrlClassMac, regs::kCtrlMacTableSet);
    golden::ReceiveFilter& filter = receive().filter;
    filter.unicast.clear();
    filter.multicast.clear();
    for (const Mac& mac : mix_.destinations) {
      const bool multicast = (mac[0] & 1) != 0;
      auto& table = multicast ? filter.multicast : filter.unicast;
      if (coin() && mac[5] != 0xff && std::ranges::find(table, mac) == table.end()) {
        table.push_back(mac);
      }
    }
    for (const auto* table : {&filter.unicast, &filter.multicast}) {
      append_le(data(), table->size(), 4);
      for (const Mac& mac : *table) append_mac(data(), mac);
    }
  }

  void mac_address() {
    header("mac_addr", regs::kCtrlClassMac, regs::kCtrlMacAddrSet);
    Mac& mac = receive().filter.mac;
    do {
      mac = mix_.destinations[random_.below(mix_.destinations.size())];
    } while ((mac[0] & 1) != 0);
    append_mac(data(), mac);
  }

  void vlan() {
    const std::uint16_t vid = mix_.vids[random_.below(mix_.vids.size())];
    const bool add = random_.below(3) != 0;
    header(add ? "vlan_add" : "vlan_del", regs::kCtrlClassVlan,
           add ? regs::kCtrlVlanAdd : regs::kCtrlVlanDel);
    receive().filter.vlans.set(vid, add);
    append_le(data(), vid, 2);
  }

  void pairs() {
    header("pairs", regs::kCtrlClassMq, regs::kCtrlMqVqPairsSet);
    receive().pairs = 1 + static_cast<unsigned>(random_.below(profile_.queue_pairs));
    receive().steering = receive().pairs == 1 ? Steering::one : Steering::automatic;
    receive().hash_known = !receive().hash_report || receive().hash_known_without_rss;
    append_le(data(), receive().pairs, 2);
  }

  void append_key(golden::HashKey& key) {
    for (std::uint8_t& byte : key) byte = static_cast<std::uint8_t>(random_.next());
    golden::append8(data(), static_cast<unsigned>(key.size()));
    for (const std::uint8_t byte : key) golden::append8(data(), byte);
  }

  void rss() {
    header("rss", regs::kCtrlClassMq, regs::kCtrlMqRssConfig);
    golden::RssConfig& rss = receive().rss;
    receive().steering = Steering::rss;
    receive().pairs = profile_.queue_pairs;
    receive().hash_known = true;
    receive().hash_known_without_rss = false;
    rss.hash_types =
        coin() ? kAllHashTypes : static_cast<std::uint32_t>(random_.below(kAllHashTypes + 1));
    rss.hash_types &= receive().supported_hash_types;
    const auto queue = [&] {
      return static_cast<std::uint16_t>(random_.below(profile_.queue_pairs));
    };
    rss.table.assign(std::size_t{1} << random_.below(8), 0);
    for (std::uint16_t& entry : rss.table) entry = queue();
    rss.unclassified = queue();
    append_le(data(), rss.hash_types, 4);
    append_le(data(), rss.table.size() - 1, 2);
    append_le(data(), rss.unclassified, 2);
    for (const std::uint16_t entry : rss.table) append_le(data(), entry, 2);
    append_le(data(), profile_.queue_pairs, 2);
    append_key(rss.key);
  }

  void hash() {
    header("hash", regs::kCtrlClassMq, regs::kCtrlMqHashConfig);
    golden::RssConfig& rss = receive().rss;
    rss.hash_types = static_cast<std::uint32_t>(random_.below(kAllHashTypes + 1)) &
                     receive().supported_hash_types;
    receive().hash_known = receive().hash_known_without_rss = true;
    append_le(data(), rss.hash_types, 4);
    append_le(data(), 0, 8);
    append_key(rss.key);
  }

  void offloads() {
    header("offloads", regs::kCtrlClassGuestOffloads, 0);
    std::uint64_t mask = 0;
    for (const unsigned feature : {regs::kFeatureGuestCsum, regs::kFeatureGuestTso4,
                                   regs::kFeatureGuestTso6, regs::kFeatureGuestEcn}) {
      if (plan_.has(feature) && random_.below(4) != 0) mask |= std::uint64_t{1} << feature;
    }
    const auto on = [&](unsigned feature) { return (mask >> feature & 1) != 0; };
    if (!on(regs::kFeatureGuestCsum)) mask = 0;
    receive().csum = on(regs::kFeatureGuestCsum);
    receive().lro4 = on(regs::kFeatureGuestTso4);
    receive().lro6 = on(regs::kFeatureGuestTso6);
    append_le(data(), mask, 8);
  }

  Moderation some() {
    if (random_.below(3) == 0) return {};
    return {static_cast<std::uint32_t>(random_.below(40)),
            static_cast<std::uint32_t>(random_.below(100))};
  }
  void append_moderation(Bytes& to, const Moderation& moderation) {
    append_le(to, moderation.packets, 4);
    append_le(to, moderation.usecs, 4);
  }

  void coalesce_all() {
    const bool transmit = coin();
    header(transmit ? "coal_tx" : "coal_rx", regs::kCtrlClassNotfCoal,
           transmit ? regs::kCtrlNotfCoalTxSet : regs::kCtrlNotfCoalRxSet);
    const Moderation moderation = some();
    (transmit ? command_.after.transmit_all : command_.after.receive_all) = moderation;
    auto& all = command_.after.moderation;
    for (std::size_t index = transmit ? 1 : 0; index < all.size(); index += 2) {
      all[index] = moderation;
    }
    append_moderation(data(), moderation);
  }

  void coalesce_one() {
    header("coal_vq", regs::kCtrlClassNotfCoal, regs::kCtrlNotfCoalVqSet);
    auto& all = command_.after.moderation;
    const std::uint64_t index = random_.below(all.size());
    all[index] = some();
    append_le(data(), index, 2);
    append_le(data(), 0, 2);
    append_moderation(data(), all[index]);
  }

  void coalesce_get() {
    header("coal_vq_get", regs::kCtrlClassNotfCoal, regs::kCtrlNotfCoalVqGet);
    const auto& all = command_.after.moderation;
    const std::uint64_t index = random_.below(all.size());
    append_le(data(), index, 2);
    append_le(data(), 0, 2);
    append_moderation(command_.result, all[index]);
  }

  // Commands that no device takes, or not with these features, or of a wrong length.
  void unknown() {
    command_.accepted = false;
    const auto kind = random_.below(4);
    if (kind == 0 && plan_.has(regs::kFeatureCtrlMacAddr)) {
      header("unknown", regs::kCtrlClassMac, regs::kCtrlMacAddrSet);
      data().resize(5);
    } else if (kind == 1 && plan_.has(regs::kFeatureMq)) {
      header("unknown", regs::kCtrlClassMq, regs::kCtrlMqVqPairsSet);
      append_le(data(), coin() ? 0 : profile_.queue_pairs + 1, 2);
    } else if (kind == 2 && !plan_.has(regs::kFeatureCtrlVlan)) {
      header("unknown", regs::kCtrlClassVlan, regs::kCtrlVlanAdd);
      append_le(data(), 5, 2);
    } else {
      header("unknown", static_cast<std::uint8_t>(9 + random_.below(200)),
             static_cast<std::uint8_t>(random_.below(256)));
      data().resize(random_.below(30));
    }
  }

  sim::Random& random_;
  const AgentPlan& plan_;
  const Profile& profile_;
  const golden::FrameMix& mix_;
  RandomCommand command_;
};

}  // namespace

std::optional<RandomCommand> random_command(sim::Random& random, const AgentPlan& plan,
                                            const Profile& profile, const golden::FrameMix& mix,
                                            const ControlState& now) {
  return Maker(random, plan, profile, mix, now).make();
}

}  // namespace nicroscope::test
