// SPDX-License-Identifier: Apache-2.0
// The work of ModelDevice: frames to buffers and chains to frames.
#include "tests/support/model_device.h"

#include <algorithm>
#include <cstring>

#include "nicroscope/virtio.h"

namespace nicroscope::test {

namespace {

constexpr unsigned vectors_of(const ModelOptions& options) {
  return options.vectors != 0 ? options.vectors : 2 * options.pairs + 1;
}

}  // namespace

ModelDevice::ModelDevice(Timeline& timeline, HostMemory& memory, ModelBus::Allowed allowed,
                         ModelOptions options)
    : timeline_(timeline),
      memory_(memory),
      bus_(memory, std::move(allowed)),
      options_(options),
      random_(options.seed),
      queues_(2 * options.pairs + 1),
      msix_(vectors_of(options)),
      frames_(options.pairs),
      delivered_(options.pairs),
      control_(options.pairs),
      delivered_count_(options.pairs),
      sent_count_(options.pairs) {
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
  const auto number = static_cast<unsigned>(&queue - queues_.data());
  const auto kind = number == control_queue() ? ModelQueue::Kind::both
                    : number % 2 == 0         ? ModelQueue::Kind::written
                                              : ModelQueue::Kind::read;
  queue.enabled = true;
  queue.ring = std::make_unique<ModelQueue>(bus_, kind);
  queue.ring->enable(queue.layout);
  control_.enable(number);
}

// 2.6.1: nothing of the queue is in use any more, and its fields have their first values.
void ModelDevice::reset_queue(Queue& queue) {
  const auto number = static_cast<unsigned>(&queue - queues_.data());
  queue.resetting = true;
  queue.enabled = false;
  queue.ring.reset();
  control_.disable(number);
  if (number % 2 == 0 && number != control_queue()) {
    counters_[regs::kCounterRxDropReset] += frames_[number / 2].size();
    frames_[number / 2].clear();
  }
  timeline_.after(options_.reset_time, [this, &queue, epoch = epoch_] {
    if (epoch != epoch_ || hostile_ == Hostile::stuck_queue) return;
    queue = {};
    queue.layout.size = options_.ring_max;
  });
}

// ---- the wire
// ------------------------------------------------------------------------------------

void ModelDevice::receive(Frame frame) { take({std::move(frame), next_frame_++, {}}); }

void ModelDevice::receive_super(Frame frame, const virtio::NetHeader& header) {
  take({std::move(frame), next_frame_++, header});
}

void ModelDevice::take(Incoming frame) {
  if (!running()) {
    ++counters_[regs::kCounterRxDropDisabled];
    return;
  }
  ++counters_[regs::kCounterRxFrames];
  counters_[regs::kCounterRxBytes] += frame.bytes.size();
  if (!admits(frame.bytes)) {
    ++counters_[regs::kCounterRxDropFilter];
    return;
  }
  const unsigned pair = steer(frame.bytes);
  frames_.at(pair).push_back(std::move(frame));
  schedule_work();
}

std::size_t ModelDevice::waiting() const {
  std::size_t sum = 0;
  for (const auto& frames : frames_) sum += frames.size();
  return sum;
}

void ModelDevice::set_link(bool up) {
  set_config_status(up ? regs::kLinkStatusUp : std::uint16_t{0});
}

void ModelDevice::set_config_status(std::uint16_t status) {
  config_status_ = status;
  ++generation_;
  if (running()) raise(config_vector_);
}

FrameId ModelDevice::received_frame(unsigned pair, std::uint64_t nth) {
  const auto& ids = delivered_.at(pair);
  return nth < ids.size() ? ids[nth] : kNoFrame;
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
  bool more = false;
  for (unsigned n = 0; n < queues_.size() && running(); ++n) {
    if (queues_[n].enabled && queues_[n].awake) more |= work_on(n);
  }
  if (running() && more) schedule_work();
}

// True if there may be more to do without a kick.
bool ModelDevice::work_on(unsigned n) {
  Queue& queue = queues_[n];
  bool busy = false;
  bool wanted = true;
  if (n == control_queue()) {
    if (hostile_ == Hostile::mute_control) return false;
    busy = control_one();
  } else if (n % 2 != 0) {
    busy = transmit_one(n);
  } else {
    auto& frames = frames_[n / 2];
    if (frames.empty()) return false;
    busy = deliver(n, frames.front());
    if (busy) frames.pop_front();
    wanted = !frames.empty();
  }
  if (!busy && queue.ring) sleep_if_drained(queue);
  check(n);
  return (busy && wanted) || (queue.awake && wanted);
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
  const auto number = static_cast<unsigned>(&queue - queues_.data());
  queue.awake = chains != 0 && (number % 2 != 0 || number == control_queue());
}

bool ModelDevice::deliver(unsigned n, const Incoming& frame) {
  Queue& queue = queues_[n];
  ModelQueue& ring = *queue.ring;
  const bool mergeable = negotiated(regs::kFeatureMrgRxbuf);
  const std::size_t header_size = header_bytes();
  const std::size_t size = frame.bytes.size() + header_size;
  std::vector<ModelQueue::Chain> chains;
  std::size_t room = 0;
  while (room < size) {
    auto chain = ring.pop();
    if (!chain) {
      ring.unpop(chains.size());
      return false;
    }
    room += chain->bytes();
    chains.push_back(std::move(*chain));
    if (!mergeable) break;
  }
  if (room < size) {
    ring.unpop(chains.size());
    ++counters_[regs::kCounterRxDropNoFit];
    return true;
  }
  // While it runs it looks for buffers on its own.
  ring.write_device_event(regs::kEventFlagsDisable, 0);

  const Hostile hostile = hostile_;
  virtio::NetHeaderHash header = receive_header(frame);
  header.header.num_buffers = static_cast<std::uint16_t>(chains.size());
  if (hostile == Hostile::zero_buffers) header.header.num_buffers = 0;
  if (hostile == Hostile::too_many_buffers) ++header.header.num_buffers;
  Frame bytes(size);
  std::memcpy(bytes.data(), &header, header_size);
  std::copy(frame.bytes.begin(), frame.bytes.end(), bytes.begin() + static_cast<long>(header_size));

  std::size_t done = 0;
  std::vector<ModelQueue::Used> used;
  for (const auto& chain : chains) {
    const std::size_t before = done;
    for (const auto& piece : chain.pieces) {
      const std::size_t part = std::min<std::size_t>(piece.length, bytes.size() - done);
      if (part == 0) break;
      if (!bus_.write(piece.address, bytes.data() + done, part)) {
        fail(regs::kErrorDmaWrite, static_cast<std::uint16_t>(n), 0, piece.address);
        return true;
      }
      done += part;
    }
    used.push_back({chain.id, static_cast<std::uint32_t>(done - before), chain.slots});
  }
  if (hostile == Hostile::bad_id) used.front().id = 0xFFFF;
  if (hostile == Hostile::stale_id) {
    // Returns the first buffer, and then says so again in the next slot.
    used.push_back(used.front());
  }
  if (hostile == Hostile::long_length) used.front().length = 0x7FFF'FFFF;
  if (hostile == Hostile::short_length) {
    used.front().length = static_cast<std::uint32_t>(header_size - 1);
  }
  if (hostile <= Hostile::too_many_buffers) hostile_ = Hostile::none;
  ring.push(used);
  delivered_[n / 2].push_back(frame.id);
  ++delivered_count_[n / 2];
  ++counters_[regs::kCounterRxDelivered];
  interrupt_for(queue);
  return true;
}

bool ModelDevice::transmit_one(unsigned n) {
  Queue& queue = queues_[n];
  ModelQueue& ring = *queue.ring;
  const auto chain = ring.pop();
  if (!chain) return false;
  ring.write_device_event(regs::kEventFlagsDisable, 0);
  Frame bytes;
  for (const auto& piece : chain->pieces) {
    const std::size_t at = bytes.size();
    bytes.resize(at + piece.length);
    if (!bus_.read(piece.address, bytes.data() + at, piece.length)) {
      fail(regs::kErrorDmaRead, static_cast<std::uint16_t>(n),
           static_cast<std::uint16_t>(chain->position), piece.address);
      return true;
    }
  }
  ring.push({{hostile_ == Hostile::bad_id ? std::uint16_t{0xFFFF} : chain->id, 0, chain->slots}});
  interrupt_for(queue);
  if (bytes.size() < header_bytes() + 14) {
    ++counters_[regs::kCounterTxDropBad];
    return true;
  }
  virtio::NetHeader header;
  std::memcpy(&header, bytes.data(), sizeof(header));
  sent_headers_.push_back(header);
  ++sent_count_[n / 2];
  bytes.erase(bytes.begin(), bytes.begin() + static_cast<long>(header_bytes()));
  send(header, std::move(bytes));
  return true;
}

void ModelDevice::interrupt_for(Queue& queue) {
  if (queue.ring->wants_interrupt(negotiated(regs::kFeatureEventIdx))) raise(queue.vector);
}

}  // namespace nicroscope::test
