// SPDX-License-Identifier: Apache-2.0
#include "tests/cosim/statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "nicroscope/registers.h"

namespace nicroscope::test {

namespace {

constexpr std::size_t kHeader = 8;
constexpr std::size_t kReply = kHeader + 8 * 6;
constexpr std::size_t kControlReply = kHeader + 8 * 2;
constexpr std::array kNames = {"notifications", "packets", "bytes",
                               "interrupts",    "drops",   "overruns or malformed"};

std::uint64_t little(std::span<const std::byte> bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;) {
    value = value << 8 | std::to_integer<std::uint8_t>(bytes[i]);
  }
  return value;
}

void append(std::vector<std::byte>& bytes, std::uint64_t value, unsigned count) {
  for (unsigned i = 0; i < count; ++i) bytes.push_back(static_cast<std::byte>(value >> (8 * i)));
}

unsigned type_of(unsigned virtqueue, unsigned pairs) {
  if (virtqueue == 2 * pairs) return regs::kStatsTypeCvq;
  return virtqueue % 2 == 0 ? regs::kStatsTypeRxBasic : regs::kStatsTypeTxBasic;
}

}  // namespace

void Statistics::start(NetAgent& agent) {
  received_.assign(agent.pairs(), {});
  last_.assign(2 * std::size_t{agent.pairs()}, {});
  counters_.clear();
  for (unsigned number = 0; number < regs::kCounters.size(); ++number) {
    counters_.push_back(agent.counter(number));
  }
  lossy_ = false;
}

void Statistics::received(const ReceivedFrame& frame) {
  Received& received = received_.at(frame.pair);
  ++received.packets;
  received.bytes += frame.bytes.size();
}

void Statistics::equal(const std::string& what, std::uint64_t is, std::uint64_t should_be) {
  between(what, is, should_be, should_be);
}

void Statistics::between(const std::string& what, std::uint64_t is, std::uint64_t least,
                         std::uint64_t most) {
  if (is >= least && is <= most) return;
  if (error_.empty()) {
    error_ = fmt::format("statistics: {}: {} and not {} to {}", what, is, least, most);
  }
}

bool Statistics::ask(NetAgent& agent) {
  Expected expected{.pairs = agent.pairs(),
                    .kicks = {},
                    .received = received_,
                    .commands = agent.commands() + 1,
                    .commands_ok = agent.commands_ok() + 1};
  std::vector<std::byte> data;
  for (unsigned virtqueue = 0; virtqueue <= 2 * agent.pairs(); ++virtqueue) {
    append(data, virtqueue, 2);
    append(data, 0, 6);
    append(data, std::uint64_t{1} << type_of(virtqueue, agent.pairs()), 8);
    expected.kicks.push_back(agent.kicks(virtqueue));
  }
  return agent.command(regs::kCtrlClassStats, regs::kCtrlStatsGet, data,
                       kReply * 2 * agent.pairs() + kControlReply,
                       [this, &agent, expected = std::move(expected)](
                           std::uint8_t ack, std::span<const std::byte> answer) {
                         answered(agent, expected, ack, answer);
                       });
}

void Statistics::answered(const NetAgent& agent, const Expected& expected, std::uint8_t ack,
                          std::span<const std::byte> answer) {
  ++answers_;
  const unsigned queues = 2 * expected.pairs;
  equal("ack", ack, regs::kCtrlAckOk);
  equal("bytes of the answer", answer.size(), kReply * queues + kControlReply);
  if (!error_.empty()) return;
  std::vector<Fields> is(queues);
  for (unsigned virtqueue = 0; virtqueue <= queues; ++virtqueue) {
    const std::size_t size = virtqueue == queues ? kControlReply : kReply;
    const std::string name = fmt::format("virtqueue {}, ", virtqueue);
    equal(name + "type", little(answer.first(2)), type_of(virtqueue, expected.pairs));
    equal(name + "index", little(answer.subspan(2, 4)), virtqueue);
    equal(name + "size", little(answer.subspan(6, 2)), size);
    if (virtqueue == queues) {
      equal("commands", little(answer.subspan(8, 8)), expected.commands);
      equal("commands carried out", little(answer.subspan(16, 8)), expected.commands_ok);
      break;
    }
    for (std::size_t field = 0; field < kFields; ++field) {
      is[virtqueue][field] = little(answer.subspan(kHeader + 8 * field, 8));
      between(name + kNames[field], is[virtqueue][field], last_[virtqueue][field],
              std::numeric_limits<std::uint64_t>::max());
    }
    between(name + "notifications", is[virtqueue][0], expected.kicks[virtqueue],
            agent.kicks(virtqueue));
    if (virtqueue % 2 == 0) {
      const Received& received = expected.received[virtqueue / 2];
      between(name + "packets", is[virtqueue][1], received.packets,
              std::numeric_limits<std::uint64_t>::max());
      between(name + "bytes", is[virtqueue][2], received.bytes,
              std::numeric_limits<std::uint64_t>::max());
    }
    answer = answer.subspan(size);
  }
  last_ = is;
}

void Statistics::judge(NetAgent& agent, const Scoreboard& scoreboard) {
  if (error_.empty()) judge_traffic(agent, scoreboard);
  if (error_.empty()) judge_drops(agent, scoreboard);
}

// What was given to the driver, what left, and how the driver was told.
void Statistics::judge_traffic(const NetAgent& agent, const Scoreboard& scoreboard) {
  const std::vector<Fields>& is = last_;
  const std::vector<Scoreboard::Sent>& sent = scoreboard.sent_by_queue();
  std::uint64_t frames = 0;
  std::uint64_t bytes = 0;
  std::uint64_t seen_frames = sent.back().frames;
  std::uint64_t seen_bytes = sent.back().bytes;
  for (unsigned pair = 0; pair < agent.pairs(); ++pair) {
    const Fields& rx = is[2 * pair];
    const Fields& tx = is[2 * pair + 1];
    const std::string name = fmt::format("pair {}, ", pair);
    equal(name + "received", rx[1], received_[pair].packets);
    equal(name + "bytes received", rx[2], received_[pair].bytes);
    if (!lossy_) {
      equal(name + "sent", tx[1], sent[pair].frames);
      equal(name + "bytes sent", tx[2], sent[pair].bytes);
    }
    frames += tx[1];
    bytes += tx[2];
    seen_frames += sent[pair].frames;
    seen_bytes += sent[pair].bytes;
  }
  equal("sent", frames, seen_frames);
  equal("bytes sent", bytes, seen_bytes);
  // An interrupt tells by its vector which queue it is of, if no other has that; where there is a
  // mask, several become one.
  const auto& queues = agent.plan().queues;
  for (unsigned virtqueue = 0; virtqueue < is.size(); ++virtqueue) {
    const unsigned vector = queues[virtqueue].vector;
    const std::string name = fmt::format("virtqueue {}, interrupts", virtqueue);
    if (vector == regs::kNoVector) {
      equal(name, is[virtqueue][3], 0);
    } else if (agent.interrupts(vector) &&
               std::ranges::count(queues, vector, &QueuePlan::vector) == 1) {
      equal(name, is[virtqueue][3], *agent.interrupts(vector));
    }
  }
}

// What was lost. Of frames for which there was no room in the store it depends on the pairs in use
// at that moment whether they are counted with a queue.
void Statistics::judge_drops(NetAgent& agent, const Scoreboard& scoreboard) {
  const std::vector<Fields>& is = last_;
  const auto since = [&](unsigned counter) { return agent.counter(counter) - counters_[counter]; };
  std::uint64_t drops = 0;
  std::uint64_t overruns = 0;
  std::uint64_t malformed = 0;
  for (unsigned pair = 0; pair < agent.pairs(); ++pair) {
    drops += is[2 * pair][4];
    overruns += is[2 * pair][5];
    malformed += is[2 * pair + 1][5];
    equal("drops of transmit", is[2 * pair + 1][4], is[2 * pair + 1][5]);
    if (!lossy_) {
      equal(fmt::format("pair {}, malformed", pair), is[2 * pair + 1][5],
            scoreboard.sent_by_queue()[pair].refused);
    }
  }
  const std::uint64_t fifo = since(regs::kCounterRxDropFifo);
  const std::uint64_t dry = since(regs::kCounterRxDropNoBuffer);
  const std::uint64_t given_up =
      dry + since(regs::kCounterRxDropNoFit) + since(regs::kCounterRxDropReset);
  between("drops", drops, agent.pairs() == 1 ? given_up + fifo : given_up, given_up + fifo);
  between("overruns", overruns, dry, dry + fifo);
  equal("malformed", malformed, since(regs::kCounterTxDropBad));
}

}  // namespace nicroscope::test
