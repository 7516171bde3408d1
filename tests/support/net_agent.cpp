// SPDX-License-Identifier: Apache-2.0
// The running driver: sending, receiving, polling, commands.
#include "tests/support/net_agent.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace nicroscope::test {

namespace {
constexpr std::size_t kMostPieces = 17;  // as Linux: MAX_SKB_FRAGS
constexpr Duration kPollPeriod = std::chrono::microseconds{20};
constexpr unsigned kLazyReceive = 5;
constexpr Duration kRefillDelay = std::chrono::microseconds{60};
constexpr std::byte kPoison{0xee};
}  // namespace

void NetAgent::fail(const std::string& what) {
  if (!error_.empty()) return;
  error_ = what;
  simulation_.request_stop();
}

Duration NetAgent::random_delay(Duration most) {
  return Duration{
      static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(most.count()) + 1))};
}

// Pieces of a run of bytes, with holes between them that the device may not touch.
std::vector<Piece> NetAgent::cut(BusAddress place, std::size_t bytes, std::size_t most,
                                 bool write) {
  std::vector<Piece> pieces;
  BusAddress at = place;
  while (bytes != 0) {
    const bool last = pieces.size() + 1 == most || random_.below(3) == 0;
    const std::size_t longest = random_.below(4) == 0 ? 20 : bytes;
    const std::size_t piece = last ? bytes : 1 + random_.below(std::min(bytes, longest));
    pieces.push_back({at, static_cast<std::uint32_t>(piece), write});
    at += piece + random_.below(40);
    bytes -= piece;
  }
  return pieces;
}

bool NetAgent::send(unsigned pair, const virtio::NetHeader& header,
                    std::span<const std::byte> frame) {
  if (!running_) return false;
  Queue& queue = queues_.at(2 * pair + 1);
  if (queue.resetting || queue.ring->room() == 0 || queue.places.empty()) return false;
  std::vector<std::byte> bytes(header_bytes());
  std::memcpy(bytes.data(), &header, sizeof(header));
  const bool own_header = random_.below(2) == 0;
  Buffer buffer;
  buffer.place = queue.places.back();
  const BusAddress place = buffer.place + random_.below(64);
  const std::size_t most = 1 + random_.below(kMostPieces);
  if (own_header) {
    buffer.pieces = cut(place, bytes.size(), 1, false);
    const auto rest = cut(place + bytes.size() + random_.below(64), frame.size(), most, false);
    buffer.pieces.insert(buffer.pieces.end(), rest.begin(), rest.end());
  } else {
    buffer.pieces = cut(place, bytes.size() + frame.size(), most, false);
  }
  if (buffer.pieces.size() > queue.ring->room()) return false;
  bytes.insert(bytes.end(), frame.begin(), frame.end());
  std::size_t done = 0;
  for (const Piece& piece : buffer.pieces) {
    const auto memory = arena_.bytes(piece.address, piece.bytes);
    std::memcpy(memory.data(), bytes.data() + done, piece.bytes);
    arena_.map(queue.index, piece.address, piece.bytes, DmaDirection::to_device);
    done += piece.bytes;
  }
  queue.places.pop_back();
  const auto id = queue.ring->add(buffer.pieces);
  queue.in_device[*id] = std::move(buffer);
  kick(queue);
  if (plan_.queues[queue.index].mode == EventMode::polled) schedule_poll(queue, kPollPeriod);
  return true;
}

bool NetAgent::command(std::uint8_t command_class, std::uint8_t command,
                       std::span<const std::byte> data, std::size_t result_bytes,
                       CommandDone done) {
  if (!running_ || command_ || !plan_.has(regs::kFeatureCtrlVq)) return false;
  Queue& queue = queues_.at(2 * pairs_);
  std::vector<std::byte> bytes = {std::byte{command_class}, std::byte{command}};
  bytes.insert(bytes.end(), data.begin(), data.end());
  const BusAddress place = queue.places.front() + random_.below(64);
  std::vector<Piece> pieces = cut(place, bytes.size(), 4, false);
  const BusAddress behind = pieces.back().address + pieces.back().bytes + 64;
  const auto answer = cut(behind, result_bytes + 1, 3, true);
  const std::size_t readable = pieces.size();
  pieces.insert(pieces.end(), answer.begin(), answer.end());
  if (pieces.size() > queue.ring->room()) return false;
  std::size_t at = 0;
  for (const Piece& piece : pieces) {
    const auto memory = arena_.bytes(piece.address, piece.bytes);
    if (piece.write) {
      std::ranges::fill(memory, kPoison);
    } else {
      std::memcpy(memory.data(), bytes.data() + at, piece.bytes);
      at += piece.bytes;
    }
    arena_.map(queue.index, piece.address, piece.bytes,
               piece.write ? DmaDirection::from_device : DmaDirection::to_device);
  }
  (void)queue.ring->add(pieces);
  command_ = Command{
      place,          pieces, readable, result_bytes + 1, command_class == regs::kCtrlClassStats,
      std::move(done)};
  kick(queue);
  if (plan_.queues[queue.index].mode == EventMode::polled) schedule_poll(queue, kPollPeriod);
  return true;
}

void NetAgent::consume_command(const PackedRing::Used& used) {
  if (!command_) return fail("the control virtqueue returned what was not given to it");
  const Command command = std::move(*command_);
  command_.reset();
  std::vector<std::byte> written;
  for (const Piece& piece : command.pieces) {
    if (piece.write) {
      const auto memory = arena_.bytes(piece.address, piece.bytes);
      written.insert(written.end(), memory.begin(), memory.end());
    }
    arena_.unmap(piece.address);
  }
  if (used.len > command.writable || used.len == 0) {
    return fail(fmt::format("a command's used length is {} of {}", used.len, command.writable));
  }
  if (command.ack_first) {
    std::ranges::rotate(written, written.begin() + 1);
    written.erase(written.begin() + used.len - 1, written.end() - 1);
  }
  const std::uint8_t ack = std::to_integer<std::uint8_t>(written.back());
  if (ack != regs::kCtrlAckOk && ack != regs::kCtrlAckErr) return fail("an ack of neither kind");
  ++commands_;
  commands_ok_ += ack == regs::kCtrlAckOk ? 1 : 0;
  written.pop_back();
  if (command.done) command.done(ack, written);
}

void NetAgent::refill(Queue& queue) {
  if (queue.resetting) return;
  while (!queue.spare.empty()) {
    const auto id = queue.ring->add(queue.spare.back().pieces);
    if (!id) break;
    Buffer& buffer = queue.in_device[*id] = std::move(queue.spare.back());
    queue.spare.pop_back();
    const Piece& first = buffer.pieces.front();
    std::ranges::fill(
        arena_.bytes(first.address, std::min<std::size_t>(first.bytes, header_bytes())), kPoison);
  }
  kick(queue);
}

void NetAgent::kick(Queue& queue) {
  if (!queue.ring->needs_kick()) return;
  ++kicks_.at(queue.index);
  write(regs::kBarNotify + queue.doorbell * regs::kNotifyMultiplier, 2, queue.index);
}

void NetAgent::on_msi(unsigned vector) {
  ++interrupts_;
  if (vector < vectors_.size() && vectors_[vector]) ++*vectors_[vector];
  for (Queue& queue : queues_) {
    if (plan_.queues[queue.index].vector == vector && queue.ring != nullptr) {
      schedule_poll(queue, random_delay(plan_.poll_delay));
    }
  }
}

void NetAgent::schedule_poll(Queue& queue, Duration delay) {
  if (queue.poll_due) return;
  queue.poll_due = true;
  queue.ring->interrupts_off();
  simulation_.timeline().after(delay, [this, index = queue.index, made = queue.generation] {
    if (index >= queues_.size() || queues_[index].generation != made) return;
    queues_[index].poll_due = false;
    poll(queues_[index]);
  });
}

void NetAgent::poll(Queue& queue) {
  for (unsigned n = 0; n < plan_.budget; ++n) {
    const auto used = queue.ring->next_used();
    if (queue.ring->error()) {
      return fail(
          fmt::format("virtqueue {}: a buffer returned that it does not have", queue.index));
    }
    if (!used) break;
    consume(queue, *used);
  }
  if (!is_control(queue.index) && !is_transmit(queue.index)) {
    if (random_.below(100) < plan_.refill_delay_percent) {
      const auto made = queue.generation;
      simulation_.timeline().after(random_delay(kRefillDelay), [this, index = queue.index, made] {
        if (index < queues_.size() && queues_[index].generation == made) refill(queues_[index]);
      });
    } else {
      refill(queue);
    }
  }
  if (!rearm(queue)) schedule_poll(queue, random_delay(plan_.poll_delay));
}

// Back to interrupts; false if there is more to look at first.
bool NetAgent::rearm(Queue& queue) {
  PackedRing& ring = *queue.ring;
  switch (plan_.queues[queue.index].mode) {
    case EventMode::polled:
      if (ring.outstanding() != 0) schedule_poll(queue, kPollPeriod);
      return true;
    case EventMode::flags:
      ring.interrupts_on();
      break;
    case EventMode::index:
      ring.interrupt_at(0);
      break;
    case EventMode::lazy:
      ring.interrupt_at(is_transmit(queue.index) ? (ring.size() - ring.room()) * 3 / 4
                                                 : std::min(kLazyReceive, ring.size() - 1));
      break;
  }
  return !ring.has_used();
}

void NetAgent::consume(Queue& queue, const PackedRing::Used& used) {
  ++used_;
  if (is_control(queue.index)) return consume_command(used);
  if (!is_transmit(queue.index)) return consume_receive(queue, used);
  Buffer& buffer = queue.in_device[used.id];
  for (const Piece& piece : buffer.pieces) arena_.unmap(piece.address);
  queue.places.push_back(buffer.place);
  buffer = {};
}

void NetAgent::consume_receive(Queue& queue, const PackedRing::Used& used) {
  Buffer& buffer = queue.in_device[used.id];
  std::vector<std::byte> bytes;
  std::size_t left = used.len;
  for (const Piece& piece : buffer.pieces) {
    const auto memory = arena_.bytes(piece.address, std::min<std::size_t>(left, piece.bytes));
    bytes.insert(bytes.end(), memory.begin(), memory.end());
    left -= memory.size();
  }
  queue.spare.push_back(std::move(buffer));
  buffer = {};
  if (left != 0) return fail("a used length beyond the buffer");
  ReceivedFrame& frame = queue.partial;
  if (queue.buffers_left == 0) {
    if (bytes.empty()) {  // given back without a frame
      ++discarded_;
      return;
    }
    const unsigned header = header_bytes();
    if (bytes.size() <= header) return fail("a received buffer with no more than a header");
    frame = {};
    frame.pair = queue.index / 2;
    std::memcpy(&frame.header, bytes.data(), sizeof(frame.header));
    if (header == regs::kNetHdrHashBytes) {
      std::memcpy(&frame.hash, bytes.data() + regs::kNetHdrHashValue, sizeof(frame.hash));
      std::memcpy(&frame.hash_report, bytes.data() + regs::kNetHdrHashReport,
                  sizeof(frame.hash_report));
    }
    frame.buffers = frame.header.num_buffers;
    if (frame.buffers == 0 || (frame.buffers > 1 && !plan_.has(regs::kFeatureMrgRxbuf))) {
      return fail(fmt::format("num_buffers is {}", frame.buffers));
    }
    queue.buffers_left = frame.buffers;
    frame.bytes.assign(bytes.begin() + header, bytes.end());
  } else {
    if (bytes.empty()) return fail("an empty buffer within a frame");
    frame.bytes.insert(frame.bytes.end(), bytes.begin(), bytes.end());
  }
  if (--queue.buffers_left != 0) {
    if (!queue.ring->has_used()) fail("a frame of which not all buffers are there");
    return;
  }
  ++delivered_;
  if (on_receive) on_receive(frame);
}

void NetAgent::drain(Queue& queue) {
  while (const auto used = queue.ring->next_used()) consume(queue, *used);
  if (queue.buffers_left != 0) fail("a reset left a part of a frame");
}

unsigned NetAgent::transmit_outstanding() const {
  unsigned sum = 0;
  for (const Queue& queue : queues_) {
    if (is_transmit(queue.index)) sum += queue.ring->outstanding();
  }
  return sum;
}

std::string NetAgent::settle() {
  for (Queue& queue : queues_) {
    const EventMode mode = plan_.queues[queue.index].mode;
    const bool waits = mode == EventMode::flags || mode == EventMode::index;
    if (waits && !queue.poll_due && queue.ring->has_used()) {
      return fmt::format("virtqueue {}: an interrupt was lost", queue.index);
    }
    drain(queue);
    if (queue.index % 2 == 0 && !is_control(queue.index)) refill(queue);
    if (!queue.poll_due && !rearm(queue)) schedule_poll(queue, Duration{0});
  }
  return error_;
}

}  // namespace nicroscope::test
