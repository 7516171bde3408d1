// SPDX-License-Identifier: Apache-2.0
// The work of ModelDevice: frames to buffers and chains to frames.
#include "tests/support/model_device.h"

#include <algorithm>
#include <cstring>

#include "nicroscope/virtio.h"

namespace nicroscope::test {

namespace {

constexpr std::size_t kHeaderBytes = sizeof(virtio::NetHeader);
constexpr unsigned kReceive = 0;
constexpr unsigned kTransmit = 1;

}  // namespace

ModelDevice::ModelDevice(Timeline& timeline, HostMemory& memory, ModelBus::Allowed allowed,
                         ModelOptions options)
    : timeline_(timeline),
      memory_(memory),
      bus_(memory, std::move(allowed)),
      options_(options),
      random_(options.seed),
      msix_(options.vectors) {
  build_config_space();
  finish_reset();
}

bool ModelDevice::running() const noexcept {
  constexpr std::uint8_t kBad = regs::kStatusNeedsReset | regs::kStatusFailed;
  return (status_ & regs::kStatusDriverOk) != 0 && (status_ & kBad) == 0 && !resetting_;
}

bool ModelDevice::negotiated(unsigned feature) const noexcept {
  return (driver_features_ >> feature & 1U) != 0;
}

void ModelDevice::enable_queue(Queue& queue) {
  queue.enabled = true;
  queue.ring = std::make_unique<ModelQueue>(bus_, &queue == &queues_[kReceive]);
  queue.ring->enable(queue.layout);
}

// ---- the wire
// ------------------------------------------------------------------------------------

void ModelDevice::receive(Frame frame) {
  const FrameId id = next_frame_++;
  if (!running()) {
    ++counters_[regs::kCounterRxDropDisabled];
    return;
  }
  ++counters_[regs::kCounterRxFrames];
  counters_[regs::kCounterRxBytes] += frame.size();
  frames_.push_back(std::move(frame));
  frame_ids_.push_back(id);
  schedule_work();
}

void ModelDevice::set_link(bool up) {
  link_up_ = up;
  ++generation_;
  if (running()) raise(config_vector_);
}

FrameId ModelDevice::received_frame(unsigned /*pair*/, std::uint64_t nth) {
  return nth < delivered_.size() ? delivered_[nth] : kNoFrame;
}

void ModelDevice::transmitted_frame(unsigned /*pair*/, std::uint64_t nth, FrameId id) {
  sent_frames_[nth] = id;
}

// ---- work
// ----------------------------------------------------------------------------------------

void ModelDevice::kick(unsigned queue) {
  ++counters_[regs::kCounterDoorbells];
  if (!running()) {
    ++early_kicks_;
    return;
  }
  if (queue < queues_.size()) queues_[queue].awake = true;
  schedule_work();
}

void ModelDevice::schedule_work() {
  if (work_scheduled_) return;
  work_scheduled_ = true;
  const auto most = static_cast<std::uint64_t>(options_.work_delay.count());
  const Duration delay{most == 0 ? 0 : static_cast<std::int64_t>(random_() % most)};
  timeline_.after(delay, [this, epoch = epoch_] {
    if (epoch != epoch_) return;
    work_scheduled_ = false;
    if (running()) work();
  });
}

// One random step at a time, so that everything interleaves with everything.
void ModelDevice::work() {
  bool busy = false;
  Queue& rx = queues_[kReceive];
  Queue& tx = queues_[kTransmit];
  if (rx.enabled && rx.awake && !frames_.empty()) {
    if (deliver(frames_.front())) {
      frames_.pop_front();
      frame_ids_.pop_front();
      busy = true;
    } else {
      sleep_if_drained(rx);
    }
    check(kReceive);
  }
  if (tx.enabled && tx.awake && running()) {
    if (transmit_one()) {
      busy = true;
    } else {
      sleep_if_drained(tx);
    }
    check(kTransmit);
  }
  if (running() && (busy || tx.awake || (rx.awake && !frames_.empty()))) schedule_work();
}

void ModelDevice::check(unsigned queue) {
  const auto& ring = queues_[queue].ring;
  if (!ring || !ring->error()) return;
  fail(ring->error()->code, static_cast<std::uint16_t>(queue), ring->error()->slot,
       ring->error()->address);
}

// Asks for a kick by what comes behind that which is there: a receive queue may have buffers, but
// too few for the frame. A transmit queue that has something after all stays awake.
void ModelDevice::sleep_if_drained(Queue& queue) {
  ModelQueue& ring = *queue.ring;
  std::size_t chains = 0;
  while (ring.pop()) ++chains;
  const std::uint64_t end = ring.avail_position();
  ring.unpop(chains);
  const bool by_index = options_.event_idx_kicks && negotiated(regs::kFeatureEventIdx);
  ring.write_device_event(by_index ? regs::kEventFlagsDesc : regs::kEventFlagsEnable, end);
  queue.awake = chains != 0 && &queue == &queues_[kTransmit];
}

bool ModelDevice::deliver(const Frame& frame) {
  Queue& queue = queues_[kReceive];
  ModelQueue& ring = *queue.ring;
  const bool mergeable = negotiated(regs::kFeatureMrgRxbuf);
  std::vector<ModelQueue::Chain> chains;
  std::size_t room = 0;
  while (room < frame.size() + kHeaderBytes) {
    auto chain = ring.pop();
    if (!chain) {
      ring.unpop(chains.size());
      return false;
    }
    room += chain->bytes();
    chains.push_back(std::move(*chain));
    if (!mergeable) break;
  }
  if (room < frame.size() + kHeaderBytes) {
    ring.unpop(chains.size());
    ++counters_[regs::kCounterRxDropNoFit];
    return true;
  }
  // While it runs it looks for buffers on its own.
  ring.write_device_event(regs::kEventFlagsDisable, 0);

  const Hostile hostile = hostile_;
  virtio::NetHeader header = receive_header_;
  header.num_buffers = static_cast<std::uint16_t>(chains.size());
  if (hostile == Hostile::zero_buffers) header.num_buffers = 0;
  if (hostile == Hostile::too_many_buffers) ++header.num_buffers;
  Frame bytes(kHeaderBytes + frame.size());
  std::memcpy(bytes.data(), &header, kHeaderBytes);
  std::copy(frame.begin(), frame.end(), bytes.begin() + kHeaderBytes);

  std::size_t done = 0;
  std::vector<ModelQueue::Used> used;
  for (const auto& chain : chains) {
    const std::size_t before = done;
    for (const auto& piece : chain.pieces) {
      const std::size_t size = std::min<std::size_t>(piece.length, bytes.size() - done);
      if (size == 0) break;
      if (!bus_.write(piece.address, bytes.data() + done, size)) {
        fail(regs::kErrorDmaWrite, kReceive, 0, piece.address);
        return true;
      }
      done += size;
    }
    used.push_back({chain.id, static_cast<std::uint32_t>(done - before), chain.slots});
  }
  if (hostile == Hostile::bad_id) used.front().id = 0xFFFF;
  if (hostile == Hostile::stale_id) {
    // Returns the first buffer, and then says so again in the next slot.
    used.push_back(used.front());
  }
  if (hostile == Hostile::long_length) used.front().length = 0x7FFF'FFFF;
  if (hostile == Hostile::short_length) used.front().length = kHeaderBytes - 1;
  hostile_ = Hostile::none;
  ring.push(used);
  delivered_.push_back(frame_ids_.front());
  ++counters_[regs::kCounterRxDelivered];
  interrupt_for(queue);
  return true;
}

bool ModelDevice::transmit_one() {
  Queue& queue = queues_[kTransmit];
  ModelQueue& ring = *queue.ring;
  const auto chain = ring.pop();
  if (!chain) return false;
  ring.write_device_event(regs::kEventFlagsDisable, 0);
  Frame bytes;
  for (const auto& piece : chain->pieces) {
    const std::size_t at = bytes.size();
    bytes.resize(at + piece.length);
    if (!bus_.read(piece.address, bytes.data() + at, piece.length)) {
      fail(regs::kErrorDmaRead, kTransmit, static_cast<std::uint16_t>(chain->position),
           piece.address);
      return true;
    }
  }
  ring.push({{hostile_ == Hostile::bad_id ? std::uint16_t{0xFFFF} : chain->id, 0, chain->slots}});
  interrupt_for(queue);
  if (bytes.size() < kHeaderBytes + 14) {
    ++counters_[regs::kCounterTxDropBad];
    return true;
  }
  std::memcpy(&sent_headers_.emplace_back(), bytes.data(), kHeaderBytes);
  bytes.erase(bytes.begin(), bytes.begin() + kHeaderBytes);
  ++counters_[regs::kCounterTxFrames];
  counters_[regs::kCounterTxBytes] += bytes.size();
  if (on_transmit) on_transmit(std::move(bytes));
  return true;
}

void ModelDevice::interrupt_for(Queue& queue) {
  if (queue.ring->wants_interrupt(negotiated(regs::kFeatureEventIdx))) raise(queue.vector);
}

}  // namespace nicroscope::test
