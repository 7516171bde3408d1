// SPDX-License-Identifier: Apache-2.0
#include "tests/cosim/fault_host.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace nicroscope::test {

namespace {

using std::chrono::microseconds;

constexpr unsigned kCommand = 0x04;
constexpr unsigned kMemoryAndBusMaster = 0x6;
constexpr unsigned kCapabilities = 0x34;
constexpr unsigned kMsixCapability = 0x11;
constexpr unsigned kMsixEnable = 0x8000;
constexpr Duration kStep = microseconds{1};
constexpr Duration kPatience = microseconds{3000};
constexpr Duration kQuiet = microseconds{30};
constexpr Duration kFrameGap = microseconds{3};
constexpr std::size_t kLongestPiece = 60'000;
constexpr std::size_t kLeast = 60;
constexpr std::size_t kSizes = 1455;  // to 1,514 bytes
constexpr std::uint32_t kAgreed =
    regs::kStatusAcknowledge | regs::kStatusDriver | regs::kStatusFeaturesOk;
constexpr std::byte kPoison{0xee};
constexpr unsigned kLine = 64;

}  // namespace

FaultHost::FaultHost(const std::string& profile)
    : simulation_([&] {
        sim::SimulationOptions options;
        options.profile = profile;
        options.variant = sim::Variant::checked;
        options.bus.adversary = profile != "edge10";
        options.watchdog_cycles = 100'000;
        auto created = sim::Simulation::create(options);
        if (!created) throw std::runtime_error(created.error());
        return std::move(*created);
      }()),
      source_(std::make_unique<sim::FrameQueue>(simulation_->wire())),
      random_(1),
      arena_(simulation_->memory()) {
  simulation_->wire().add_sink(*this);
  auto& port = simulation_->port();
  port.config_write(kCommand, 2, kMemoryAndBusMaster);
  unsigned capability = port.config_read(kCapabilities, 1);
  while (capability != 0 && port.config_read(capability, 1) != kMsixCapability) {
    capability = port.config_read(capability + 1, 1);
  }
  port.config_write(capability + 2, 2, kMsixEnable);
  port.on_msi([this](unsigned) { ++interrupts_; });
}

FaultHost::~FaultHost() { simulation_->wire().set_source(nullptr); }

// ---- time and registers

void FaultHost::run_for(Duration time) {
  const Time end = simulation_->timeline().now() + time;
  (void)run_until([&] { return simulation_->timeline().now() >= end; });
}

bool FaultHost::run_until(const std::function<bool()>& done) {
  const Time give_up = simulation_->timeline().now() + kPatience;
  while (!dead_ && !done()) {
    if (simulation_->timeline().now() >= give_up) return false;
    const auto result = simulation_->run_until(simulation_->timeline().now() + kStep);
    if (!result.ok()) {
      ADD_FAILURE() << result.message;
      dead_ = true;
    }
    poll();
  }
  return !dead_;
}

std::uint32_t FaultHost::read(std::uint32_t offset, unsigned size) {
  std::optional<std::uint32_t> value;
  simulation_->port().bar_read(offset, size, [&](std::uint32_t word) { value = word; });
  EXPECT_TRUE(run_until([&] { return value.has_value(); })) << "register " << offset;
  return value.value_or(0);
}

void FaultHost::write(std::uint32_t offset, unsigned size, std::uint32_t value) {
  simulation_->port().bar_write(offset, size, value);
}

std::uint64_t FaultHost::counter(unsigned number) {
  const std::uint32_t offset =
      regs::kBarVendor + regs::kVendorCounters + number * regs::kCounterBytes;
  const std::uint64_t low = read(offset);
  return low | std::uint64_t{read(offset + 4)} << 32;
}

std::uint64_t FaultHost::receive_drops() {
  std::uint64_t drops = 0;
  for (unsigned number = 0; number < regs::kCounters.size(); ++number) {
    const regs::CounterInfo& info = regs::kCounters[number];
    if (info.drop && info.name.starts_with("rx_")) drops += counter(number);
  }
  return drops;
}

ErrorRecord FaultHost::record() {
  const auto vendor = [this](unsigned field) { return read(regs::kBarVendor + field); };
  ErrorRecord record;
  record.code = vendor(regs::kVendorErrorCode);
  record.queue = vendor(regs::kVendorErrorQueue);
  record.slot = vendor(regs::kVendorErrorIndex);
  record.address = vendor(regs::kVendorErrorAddrLo) | BusAddress{vendor(regs::kVendorErrorAddrHi)}
                                                          << 32;
  return record;
}

ErrorRecord FaultHost::needs_reset() {
  const Time give_up = simulation_->timeline().now() + kPatience;
  while (!dead_ && simulation_->timeline().now() < give_up) {
    if ((status() & regs::kStatusNeedsReset) != 0) return record();
  }
  ADD_FAILURE() << "the device goes on";
  return {};
}

// ---- life

std::uint64_t FaultHost::offered() {
  std::uint64_t features = 0;
  for (unsigned half = 0; half < 2; ++half) {
    set_common(regs::kCommonDeviceFeatureSelect, 4, half);
    features |= std::uint64_t{common(regs::kCommonDeviceFeature, 4)} << (32 * half);
  }
  return features;
}

bool FaultHost::negotiate(std::uint64_t features) {
  set_status(regs::kStatusAcknowledge | regs::kStatusDriver);
  for (unsigned half = 0; half < 2; ++half) {
    set_common(regs::kCommonDriverFeatureSelect, 4, half);
    set_common(regs::kCommonDriverFeature, 4, static_cast<std::uint32_t>(features >> (32 * half)));
  }
  set_status(kAgreed);
  features_ = features;
  const bool long_header = (features & feature(regs::kFeatureHashReport)) != 0;
  header_bytes_ = long_header ? regs::kNetHdrHashBytes : regs::kNetHdrBytes;
  return status() == kAgreed;
}

void FaultHost::prepare_queue(unsigned virtqueue) {
  (void)arena_.reserve(0, kLine);  // nothing else in the bus words of a ring or its events
  Queue& queue = queues_.at(virtqueue);
  queue = {};
  queue.ring = std::make_unique<PackedRing>(arena_, virtqueue, kRing, random_.next());
  (void)arena_.reserve(0, kLine);
  queue.buffer.resize(kRing);
  set_common(regs::kCommonQueueSelect, 2, virtqueue);
  set_common(regs::kCommonQueueSize, 2, kRing);
  set_common(regs::kCommonQueueMsixVector, 2, virtqueue);
  const auto address = [&](unsigned field, BusAddress value) {
    set_common(field, 4, static_cast<std::uint32_t>(value));
    set_common(field + 4, 4, static_cast<std::uint32_t>(value >> 32));
  };
  address(regs::kCommonQueueDesc, queue.ring->descriptors());
  address(regs::kCommonQueueDriver, queue.ring->driver_area());
  address(regs::kCommonQueueDevice, queue.ring->device_area());
}

void FaultHost::prepare_queues() {
  queues_.resize(control() + 1);
  for (unsigned virtqueue = 0; virtqueue <= control(); ++virtqueue) prepare_queue(virtqueue);
}

void FaultHost::enable_queue(unsigned virtqueue) {
  set_common(regs::kCommonQueueSelect, 2, virtqueue);
  set_common(regs::kCommonQueueEnable, 2, 1);
}

void FaultHost::start(std::uint64_t features, std::optional<unsigned> bare) {
  ASSERT_TRUE(negotiate(features));
  const unsigned count = control() + 1;
  for (unsigned vector = 0; vector <= count; ++vector) {
    const auto message = simulation_->port().msi_message(vector);
    const std::uint32_t entry = regs::kBarMsixTable + vector * regs::kMsixEntryBytes;
    write(entry + regs::kMsixEntryAddrLo, 4, static_cast<std::uint32_t>(message.address));
    write(entry + regs::kMsixEntryAddrHi, 4, static_cast<std::uint32_t>(message.address >> 32));
    write(entry + regs::kMsixEntryData, 4, message.data);
    write(entry + regs::kMsixEntryControl, 4, 0);
  }
  set_common(regs::kCommonConfigMsixVector, 2, count);
  prepare_queues();
  for (unsigned virtqueue = 0; virtqueue < count; ++virtqueue) enable_queue(virtqueue);
  set_status(kAgreed | regs::kStatusDriverOk);
  ASSERT_EQ(status(), kAgreed | regs::kStatusDriverOk);
  for (unsigned virtqueue = 0; virtqueue < control(); virtqueue += 2) {
    if (virtqueue != bare) fill(virtqueue);
  }
}

// Receive buffers for all slots.
void FaultHost::fill(unsigned virtqueue) {
  for (unsigned n = 0; n < kRing; ++n) {
    post_receive(virtqueue, buffer(virtqueue, kBufferBytes, true));
  }
  ring_bell(virtqueue);
}

bool FaultHost::reset_queue(unsigned virtqueue) {
  set_common(regs::kCommonQueueSelect, 2, virtqueue);
  set_common(regs::kCommonQueueReset, 2, 1);
  if (!run_until([&] { return common(regs::kCommonQueueReset, 2) == 0; })) return false;
  EXPECT_EQ(common(regs::kCommonQueueEnable, 2), 0U);
  poll();
  EXPECT_EQ(queues_.at(virtqueue).buffers_left, 0U) << "a part of a frame";
  arena_.release(virtqueue);  // from here on an access to the queue is a fault
  prepare_queue(virtqueue);
  enable_queue(virtqueue);
  if (virtqueue % 2 == 0 && virtqueue != control()) fill(virtqueue);
  return true;
}

void FaultHost::reset() {
  EXPECT_TRUE(run_until([&] { return source_->size() == 0; }));
  set_status(0);
  EXPECT_TRUE(run_until([&] { return status() == 0; })) << "a reset does not end";
  poll();
  queues_.clear();
  arena_.release_all();
  to_driver_.clear();
  to_wire_.clear();
  EXPECT_EQ(record(), ErrorRecord{});
}

// ---- queues

virtio::PackedDescriptor& FaultHost::slot(unsigned virtqueue, unsigned index) {
  return arena_.at<virtio::PackedDescriptor>(ring(virtqueue).descriptors() +
                                             index % kRing * sizeof(virtio::PackedDescriptor));
}

Piece FaultHost::buffer(unsigned virtqueue, std::size_t bytes, bool write) {
  const BusAddress place = arena_.allocate(
      virtqueue, bytes, write ? DmaDirection::from_device : DmaDirection::to_device, kLine);
  (void)arena_.reserve(0, kLine);
  return {place, static_cast<std::uint32_t>(bytes), write};
}

unsigned FaultHost::give(unsigned virtqueue, const std::vector<Piece>& chain, const Spoil& spoil) {
  Queue& queue = queues_.at(virtqueue);
  const unsigned head = queue.next_slot;
  const auto id = queue.ring->add(chain);
  if (!id) {
    ADD_FAILURE() << "no room in virtqueue " << virtqueue;
    return head;
  }
  queue.buffer[*id] = chain.front();
  queue.next_slot = (head + static_cast<unsigned>(chain.size())) % kRing;
  if (spoil) spoil(head);
  if (queue.ring->needs_kick()) ring_bell(virtqueue);
  return head;
}

void FaultHost::ring_bell(unsigned virtqueue) {
  write(regs::kBarNotify + virtqueue * regs::kNotifyMultiplier, 2, virtqueue);
}

void FaultHost::post_receive(unsigned virtqueue, const Piece& piece) {
  Queue& queue = queues_.at(virtqueue);
  if (const auto id = queue.ring->add(std::span(&piece, 1))) {
    queue.buffer[*id] = piece;
    queue.next_slot = (queue.next_slot + 1) % kRing;
  }
}

void FaultHost::poll() {
  for (unsigned virtqueue = 0; virtqueue < queues_.size(); ++virtqueue) {
    Queue& queue = queues_[virtqueue];
    if (queue.ring == nullptr) continue;
    bool posted = false;
    while (const auto used = queue.ring->next_used()) {
      queue.last_length = used->len;
      if (virtqueue % 2 == 1 || virtqueue == control()) {
        ++queue.returned;
      } else {
        consume_receive(virtqueue, *used);
        post_receive(virtqueue, queue.buffer[used->id]);
        posted = true;
      }
    }
    EXPECT_FALSE(queue.ring->error()) << "virtqueue " << virtqueue << ": a buffer that it has not";
    if (posted && queue.ring->needs_kick()) ring_bell(virtqueue);
  }
}

void FaultHost::consume_receive(unsigned virtqueue, const PackedRing::Used& used) {
  Queue& queue = queues_[virtqueue];
  const Piece& piece = queue.buffer[used.id];
  ASSERT_LE(used.len, piece.bytes);
  auto bytes = arena_.bytes(piece.address, used.len);
  if (queue.buffers_left == 0) {
    if (bytes.empty()) return;  // given back without a frame
    ASSERT_GT(bytes.size(), header_bytes_);
    virtio::NetHeader header;
    std::memcpy(&header, bytes.data(), sizeof(header));
    queue.buffers_left = header.num_buffers;
    ASSERT_GT(queue.buffers_left, 0U);
    queue.partial.clear();
    bytes = bytes.subspan(header_bytes_);
  }
  queue.partial.insert(queue.partial.end(), bytes.begin(), bytes.end());
  if (--queue.buffers_left != 0) return;
  ++received_;
  EXPECT_TRUE(matches(to_driver_, queue.partial)) << "a frame that was not sent so, or not now";
}

// ---- traffic

// In order, with holes where frames were lost.
bool FaultHost::matches(Frames& expected, std::span<const std::byte> frame) {
  const auto found = std::ranges::find_if(
      expected, [&](const auto& candidate) { return std::ranges::equal(candidate, frame); });
  if (found == expected.end()) return false;
  expected.erase(expected.begin(), found + 1);
  return true;
}

void FaultHost::on_frame(const sim::PassedFrame& frame) {
  if (frame.direction == sim::WireDirection::to_nic) {
    ++passed_;
    return;
  }
  ++on_wire_;
  EXPECT_TRUE(frame.good);
  if (!matches(to_wire_, frame.bytes)) strays.emplace_back(frame.bytes.begin(), frame.bytes.end());
}

std::vector<std::byte> FaultHost::plain_frame(std::size_t bytes) {
  std::vector<std::byte> frame(bytes);
  for (std::byte& byte : frame) byte = static_cast<std::byte>(random_.next());
  const std::uint8_t header[] = {2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 9, 0x88, 0xb5};
  std::memcpy(frame.data(), header, std::min(bytes, sizeof(header)));
  return frame;
}

void FaultHost::to_nic(std::span<const std::byte> frame, sim::WireFault fault) {
  source_->push(frame, simulation_->timeline().now(), fault);
}

void FaultHost::receive_frame(std::span<const std::byte> frame) {
  to_driver_.emplace_back(frame.begin(), frame.end());
  to_nic(frame);
}

void FaultHost::receive(unsigned frames) {
  Time start = simulation_->timeline().now();
  for (unsigned n = 0; n < frames; ++n) {
    to_driver_.push_back(plain_frame(kLeast + random_.below(kSizes)));
    source_->push(to_driver_.back(), start);
    start += kFrameGap;
  }
}

void FaultHost::send(unsigned frames, unsigned pair) {
  const unsigned virtqueue = 2 * pair + 1;
  for (unsigned n = 0; n < frames; ++n) {
    if (!run_until([&] { return ring(virtqueue).room() >= 2; })) {
      ADD_FAILURE() << "virtqueue " << virtqueue << " has no room";
      return;
    }
    to_wire_.push_back(plain_frame(kLeast + random_.below(kSizes)));
    send_frame(pair, {}, to_wire_.back());
  }
}

void FaultHost::send_frame(unsigned pair, const virtio::NetHeader& header,
                           std::span<const std::byte> frame) {
  const unsigned virtqueue = 2 * pair + 1;
  const Piece first = buffer(virtqueue, header_bytes_, false);
  std::memcpy(arena_.bytes(first.address, first.bytes).data(), &header, sizeof(header));
  std::vector<Piece> chain{first};
  for (std::size_t done = 0; done < frame.size(); done += chain.back().bytes) {
    const auto part = frame.subspan(done, std::min(frame.size() - done, kLongestPiece));
    chain.push_back(buffer(virtqueue, part.size(), false));
    std::ranges::copy(part, arena_.bytes(chain.back().address, part.size()).begin());
  }
  give(virtqueue, chain);
}

void FaultHost::expect_service(unsigned frames) {
  run_for(kQuiet);
  to_driver_.clear();
  to_wire_.clear();
  const auto drops = receive_drops();
  const auto delivered = counter(regs::kCounterRxDelivered);
  const auto sent = counter(regs::kCounterTxFrames);
  const auto dropped = counter(regs::kCounterTxDropBad);
  const auto interrupts = interrupts_;
  const auto received_before = received_;
  const auto on_wire_before = on_wire_;
  const auto strays_before = strays.size();
  const unsigned each = std::max(frames / pairs(), 1U);
  const bool steers = pairs() > 1 && (features_ & feature(regs::kFeatureRss)) != 0;
  for (unsigned pair = 0; pair < pairs(); ++pair) {
    if (steers) steer(pair, pair);
    receive(each);
    send(each, pair);
    const unsigned done = each * (pair + 1);
    EXPECT_TRUE(run_until([&] { return on_wire_ == on_wire_before + done; }))
        << on_wire_ - on_wire_before << " of " << done << " are sent";
    EXPECT_TRUE(run_until([&] { return received_ == received_before + done; }))
        << received_ - received_before << " of " << done << " are received";
  }
  if (steers) steer(0, 0);
  run_for(kQuiet);
  EXPECT_EQ(received_, received_before + each * pairs());
  EXPECT_EQ(on_wire_, on_wire_before + each * pairs());
  EXPECT_EQ(counter(regs::kCounterRxDelivered), delivered + each * pairs());
  EXPECT_EQ(counter(regs::kCounterTxFrames), sent + each * pairs());
  EXPECT_EQ(counter(regs::kCounterTxDropBad), dropped);
  EXPECT_EQ(receive_drops(), drops);
  EXPECT_EQ(strays.size(), strays_before);
  EXPECT_GT(interrupts_, interrupts);
  EXPECT_EQ(status() & regs::kStatusNeedsReset, 0U);
}

void FaultHost::expect_conservation(std::uint64_t unseen, std::uint64_t unheard) {
  run_for(kQuiet);
  const std::uint64_t delivered = counter(regs::kCounterRxDelivered);
  EXPECT_EQ(passed_ - unheard, receive_drops() + counter(regs::kCounterRxPause) + delivered);
  EXPECT_EQ(delivered, received_ + unseen);
  EXPECT_EQ(on_wire_, counter(regs::kCounterTxFrames));
}

std::optional<std::uint8_t> FaultHost::command(std::span<const std::uint8_t> bytes,
                                               std::size_t room) {
  std::vector<Piece> chain;
  if (!bytes.empty()) {
    chain.push_back(buffer(control(), bytes.size(), false));
    std::memcpy(arena_.bytes(chain[0].address, bytes.size()).data(), bytes.data(), bytes.size());
  }
  if (room != 0) {
    chain.push_back(buffer(control(), room, true));
    std::ranges::fill(arena_.bytes(chain.back().address, room), kPoison);
  }
  Queue& queue = queues_.at(control());
  const std::uint64_t before = queue.returned;
  give(control(), chain);
  EXPECT_TRUE(run_until([&] { return queue.returned == before + 1; }))
      << "a command is not answered";
  if (queue.last_length == 0 || queue.last_length > room) return {};
  return std::to_integer<std::uint8_t>(
      arena_.bytes(chain.back().address, room)[queue.last_length - 1]);
}

void FaultHost::steer(unsigned hashed, unsigned unclassified) {
  std::vector<std::uint8_t> bytes = {regs::kCtrlClassMq, regs::kCtrlMqRssConfig};
  const auto le = [&](std::uint32_t value, unsigned count) {
    for (unsigned n = 0; n < count; ++n) {
      bytes.push_back(static_cast<std::uint8_t>(value >> (8 * n)));
    }
  };
  le(1U << regs::kHashTypeIpv4, 4);
  le(0, 2);  // a table of one entry
  le(unclassified, 2);
  le(hashed, 2);
  le(pairs(), 2);
  le(regs::kRssKeyBytes, 1);
  bytes.resize(bytes.size() + regs::kRssKeyBytes);
  EXPECT_EQ(command(bytes), regs::kCtrlAckOk);
}

}  // namespace nicroscope::test
