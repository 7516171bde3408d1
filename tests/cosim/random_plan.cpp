// SPDX-License-Identifier: Apache-2.0
#include "tests/cosim/random_plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "nicroscope/registers.h"

namespace nicroscope::test {

namespace {

constexpr std::size_t kLargestFrame = 9018;
constexpr unsigned kMoreOptions = 4;  // that a segment may have behind what its flow has
constexpr unsigned kSuperFrame = 65562 + regs::kNetHdrHashBytes;  // virtio 1.2, 5.1.6.3.1

struct Need {
  unsigned feature;
  std::uint64_t any_of;
};

constexpr std::uint64_t bit(unsigned feature) { return std::uint64_t{1} << feature; }

constexpr std::array kNeeds = {
    Need{regs::kFeatureGuestTso4, bit(regs::kFeatureGuestCsum)},
    Need{regs::kFeatureGuestTso6, bit(regs::kFeatureGuestCsum)},
    Need{regs::kFeatureGuestEcn, bit(regs::kFeatureGuestTso4) | bit(regs::kFeatureGuestTso6)},
    Need{regs::kFeatureHostTso4, bit(regs::kFeatureCsum)},
    Need{regs::kFeatureHostTso6, bit(regs::kFeatureCsum)},
    Need{regs::kFeatureHostEcn, bit(regs::kFeatureHostTso4) | bit(regs::kFeatureHostTso6)},
    Need{regs::kFeatureHostUso, bit(regs::kFeatureCsum)},
    Need{regs::kFeatureCtrlRx, bit(regs::kFeatureCtrlVq)},
    Need{regs::kFeatureCtrlRxExtra, bit(regs::kFeatureCtrlRx)},
    Need{regs::kFeatureCtrlVlan, bit(regs::kFeatureCtrlVq)},
    Need{regs::kFeatureGuestAnnounce, bit(regs::kFeatureCtrlVq)},
    Need{regs::kFeatureMq, bit(regs::kFeatureCtrlVq)},
    Need{regs::kFeatureCtrlMacAddr, bit(regs::kFeatureCtrlVq)},
    Need{regs::kFeatureNotfCoal, bit(regs::kFeatureCtrlVq)},
    Need{regs::kFeatureVqNotfCoal, bit(regs::kFeatureCtrlVq)},
    Need{regs::kFeatureDeviceStats, bit(regs::kFeatureCtrlVq)},
    Need{regs::kFeatureRss, bit(regs::kFeatureCtrlVq)},
    Need{regs::kFeatureHashReport, bit(regs::kFeatureCtrlVq)},
    Need{regs::kFeatureCtrlGuestOffloads, bit(regs::kFeatureCtrlVq)},
};

bool percent(sim::Random& random, unsigned chance) { return random.below(100) < chance; }

unsigned ring_size(sim::Random& random, unsigned least, unsigned most) {
  if (percent(random, 50)) {
    unsigned size = 1;
    while (size < least) size *= 2;
    while (size * 2 <= most && percent(random, 60)) size *= 2;
    return size;
  }
  return least + static_cast<unsigned>(random.below(most - least + 1));
}

EventMode random_mode(sim::Random& random, bool event_idx, bool transmit) {
  if (percent(random, 15)) return EventMode::polled;
  if (!event_idx) return EventMode::flags;
  if (transmit && percent(random, 40)) return EventMode::lazy;
  if (percent(random, 15)) return EventMode::lazy;
  return percent(random, 70) ? EventMode::index : EventMode::flags;
}

void random_receive_buffers(sim::Random& random, RandomPlan& plan) {
  AgentPlan& agent = plan.agent;
  const bool lro = agent.has(regs::kFeatureGuestTso4) || agent.has(regs::kFeatureGuestTso6);
  agent.rx_pieces = percent(random, 60) ? 1 : 2 + static_cast<unsigned>(random.below(3));
  agent.rx_buffer_offset = percent(random, 50) ? 0 : static_cast<unsigned>(random.below(64));
  if (!agent.has(regs::kFeatureMrgRxbuf)) {
    const unsigned frame =
        static_cast<unsigned>(plan.jumbo_percent != 0 ? kLargestFrame : plan.largest);
    agent.rx_buffer_bytes = lro ? kSuperFrame : frame + regs::kNetHdrHashBytes + kMoreOptions;
    if (plan.kind) agent.rx_pieces = 1;
    if (lro) agent.rx_pieces = std::max(agent.rx_pieces, 2U);
    if (!plan.kind && percent(random, 20)) agent.rx_buffer_bytes = 600;  // too small for many
    return;
  }
  constexpr unsigned sizes[] = {64, 100, 256, 601, 1526, 2048, 4096};
  agent.rx_buffer_bytes = sizes[random.below(7)];
  if (agent.rx_buffer_bytes < 600) agent.rx_pieces = 1;  // the bus is slow enough with that
  if (percent(random, 20)) {
    agent.rx_buffer_bytes = 40 + static_cast<unsigned>(random.below(4000));
  }
  if (plan.kind) {
    agent.rx_pieces = 1;
    // A frame at most a quarter of the ring, and far from the limit of buffers a frame.
    agent.rx_buffer_bytes = std::max(agent.rx_buffer_bytes, lro ? 2048U : 601U);
  }
}

}  // namespace

std::uint64_t consistent(std::uint64_t features) {
  for (bool changed = true; changed;) {
    changed = false;
    for (const Need& need : kNeeds) {
      if ((features & bit(need.feature)) != 0 && (features & need.any_of) == 0) {
        features &= ~bit(need.feature);
        changed = true;
      }
    }
  }
  return features;
}

RandomPlan random_plan(sim::Random& random, std::uint64_t offered, const Profile& profile,
                       bool slow_bus) {
  RandomPlan plan;
  AgentPlan& agent = plan.agent;
  const unsigned chance = percent(random, 30) ? 100 : 75;
  std::uint64_t features = 0;
  for (unsigned feature = 0; feature < 64; ++feature) {
    if ((offered >> feature & 1) != 0 && percent(random, chance)) features |= bit(feature);
  }
  features |= offered & (bit(regs::kFeatureVersion1) | bit(regs::kFeatureRingPacked) |
                         bit(regs::kFeatureAccessPlatform));
  agent.features = consistent(features);
  plan.kind = !slow_bus && percent(random, 50);
  plan.largest = 1514;
  plan.jumbo_percent = percent(random, 40) ? 10 : 0;
  plan.load_percent = plan.kind ? 30 : 20 + static_cast<unsigned>(random.below(100));
  random_receive_buffers(random, plan);

  const bool many = agent.has(regs::kFeatureMq) || agent.has(regs::kFeatureRss);
  const unsigned pairs = many ? profile.queue_pairs : 1;
  const unsigned vectors = 2 * pairs;  // besides the first one, of the configuration
  const bool shared = percent(random, 20);
  const unsigned largest_ring = std::min(profile.ring_max, pairs > 4 ? 64U : 256U);
  const bool big = agent.rx_buffer_bytes > 16384;
  // A ring of so few buffers is used up sooner than the driver looks at it again.
  if (plan.kind && big) plan.load_percent = 10;
  for (unsigned index = 0; index < 2 * pairs; ++index) {
    const bool transmit = index % 2 == 1;
    QueuePlan queue;
    const unsigned least = transmit ? 20 : plan.kind ? 128 : std::max(8U, 2 * agent.rx_pieces);
    const unsigned most = !transmit && big ? 32 : largest_ring;
    queue.size = ring_size(random, std::min(least, most), most);
    // A ring that its buffers fill: where a frame wants more than all of them, the device sees
    // that.
    if (!transmit) queue.size -= queue.size % agent.rx_pieces;
    queue.mode = random_mode(random, agent.has(regs::kFeatureEventIdx), transmit);
    if (plan.kind && queue.mode == EventMode::lazy) queue.mode = EventMode::flags;
    queue.vector = queue.mode == EventMode::polled && percent(random, 50)
                       ? regs::kNoVector
                       : 1 + (shared ? static_cast<unsigned>(random.below(vectors)) : index);
    agent.queues.push_back(queue);
  }
  if (agent.has(regs::kFeatureCtrlVq)) {
    const bool polled = percent(random, 30);
    agent.queues.push_back(
        {.size = ring_size(random, 8, 64),
         .vector = polled ? regs::kNoVector : 1 + static_cast<unsigned>(random.below(vectors)),
         .mode = polled ? EventMode::polled : EventMode::flags});
  }
  if (!plan.kind) {
    agent.refill_delay_percent = percent(random, 40) ? 30 : 0;
    agent.poll_delay = std::chrono::microseconds{random.below(20)};
    agent.budget = 1 + static_cast<unsigned>(random.below(64));
  } else {
    agent.poll_delay = std::chrono::nanoseconds{random.below(1500)};
  }
  return plan;
}

std::string describe(const RandomPlan& plan) {
  const AgentPlan& agent = plan.agent;
  std::string text = fmt::format(
      "features {:#x}, {}, load {} %, jumbo {} %, receive buffers of {} bytes in {} pieces at {}, "
      "late refills {} %, poll delay {} ns, budget {}, queues",
      agent.features, plan.kind ? "room for all" : "unkind", plan.load_percent, plan.jumbo_percent,
      agent.rx_buffer_bytes, agent.rx_pieces, agent.rx_buffer_offset, agent.refill_delay_percent,
      agent.poll_delay.count() / 1000, agent.budget);
  for (const QueuePlan& queue : agent.queues) {
    constexpr const char* modes[] = {"flags", "index", "lazy", "polled"};
    text += fmt::format(" {}/{}", queue.size, modes[static_cast<std::size_t>(queue.mode)]);
  }
  return text;
}

sim::BusOptions random_bus(sim::Random& random) {
  sim::BusOptions bus;
  bus.timing = percent(random, 70) ? sim::BusTiming::pcie : sim::BusTiming::ideal;
  bus.adversary = percent(random, 50);
  bus.read_latency = std::chrono::nanoseconds{200 + random.below(1000)};
  bus.read_jitter = std::chrono::nanoseconds{random.below(400)};
  bus.write_latency = std::chrono::nanoseconds{100 + random.below(500)};
  bus.register_read = std::chrono::nanoseconds{400 + random.below(800)};
  bus.register_write = bus.register_read / 3;
  return bus;
}

}  // namespace nicroscope::test
