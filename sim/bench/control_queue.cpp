// SPDX-License-Identifier: Apache-2.0
#include "sim/bench/control_queue.h"

#include <fmt/format.h>

#include <array>
#include <cstring>
#include <vector>

#include "nicroscope/registers.h"

namespace nicroscope::sim {
namespace {

constexpr std::uint16_t kSlots = 16;
constexpr std::uint64_t kAnswerAt = 1024;
constexpr std::uint64_t kCommandAt = 2048;
constexpr Duration kPatience = std::chrono::milliseconds{1};

// The key of Microsoft's "Verifying the RSS hash calculation".
constexpr std::array<std::uint8_t, regs::kRssKeyBytes> kKey = {
    0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3,
    0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3,
    0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa};

}  // namespace

ControlQueue::ControlQueue(Simulation& simulation, BusAddress memory)
    : simulation_(simulation),
      memory_(memory),
      ring_(simulation, memory, 2 * simulation.profile().queue_pairs, kSlots, false) {}

std::string ControlQueue::command(std::uint8_t command_class, std::uint8_t command,
                                  std::span<const std::byte> data) {
  const auto out = simulation_.memory().at(memory_ + kCommandAt, 2 + kMostData);
  out[0] = static_cast<std::byte>(command_class);
  out[1] = static_cast<std::byte>(command);
  std::memcpy(&out[2], data.data(), data.size());
  std::byte& answer = simulation_.memory().at(memory_ + kAnswerAt, 1)[0];
  constexpr std::byte kNone{0xff};
  answer = kNone;

  ring_.add(std::array{PackedRing::Buffer{memory_ + kCommandAt,
                                          static_cast<std::uint32_t>(2 + data.size()), false},
                       PackedRing::Buffer{memory_ + kAnswerAt, 1, true}},
            0);
  ring_.kick();
  bool done = false;
  const Time limit = simulation_.timeline().now() + kPatience;
  while (!done && simulation_.timeline().now() < limit) {
    const RunResult result = simulation_.run_until(simulation_.timeline().now() + kPatience / 1000);
    if (!result.ok()) return result.message;
    done = ring_.take().has_value();
  }
  if (!done) return fmt::format("control command {}/{} is not answered", command_class, command);
  if (answer != static_cast<std::byte>(regs::kCtrlAckOk)) {
    return fmt::format("control command {}/{} is refused", command_class, command);
  }
  return {};
}

std::string ControlQueue::spread(unsigned pairs) {
  std::vector<std::byte> data;
  const auto le = [&](std::uint32_t value, unsigned bytes) {
    for (unsigned i = 0; i < bytes; ++i) data.push_back(static_cast<std::byte>(value >> (8 * i)));
  };
  le(1U << regs::kHashTypeUdpv4, 4);
  le(regs::kRssTableEntries - 1, 2);
  le(0, 2);  // unclassified
  for (unsigned i = 0; i < regs::kRssTableEntries; ++i) le(i % pairs, 2);
  le(pairs, 2);  // transmit queues
  le(static_cast<std::uint32_t>(kKey.size()), 1);
  for (const std::uint8_t byte : kKey) le(byte, 1);
  return command(regs::kCtrlClassMq, regs::kCtrlMqRssConfig, data);
}

}  // namespace nicroscope::sim
