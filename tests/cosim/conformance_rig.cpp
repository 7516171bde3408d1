// SPDX-License-Identifier: Apache-2.0
#include "tests/cosim/conformance_rig.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

namespace nicroscope::test {

namespace {

constexpr unsigned kCommand = 0x04;
constexpr unsigned kMemoryAndBusMaster = 0x6;
constexpr unsigned kCapabilities = 0x34;
constexpr unsigned kMsixCapability = 0x11;
constexpr unsigned kMsixEnable = 0x8000;
constexpr Duration kPatience = std::chrono::milliseconds{1};
constexpr std::byte kPoison{0xEE};

std::unique_ptr<sim::Simulation> make(const std::string& profile) {
  sim::SimulationOptions options;
  options.profile = profile;
  options.variant = sim::Variant::checked;
  auto created = sim::Simulation::create(options);
  if (!created) throw std::runtime_error(created.error());
  return std::move(*created);
}

}  // namespace

ConformanceRig::ConformanceRig(const std::string& profile)
    : simulation_(make(profile)), arena_(simulation_->memory()) {
  auto& port = simulation_->port();
  port.config_write(kCommand, 2, kMemoryAndBusMaster);
  msix_ = port.config_read(kCapabilities, 1);
  while (msix_ != 0 && port.config_read(msix_, 1) != kMsixCapability) {
    msix_ = port.config_read(msix_ + 1, 1);
  }
  enable_msix(true);
  port.on_msi([this](unsigned vector) { interrupts.push_back(vector); });
  wire_ = std::make_unique<sim::FrameQueue>(simulation_->wire());
  simulation_->wire().add_sink(*this);
}

ConformanceRig::~ConformanceRig() {
  EXPECT_TRUE(simulation_->bus().faults().empty()) << "an access to memory that nobody mapped";
  simulation_->wire().set_source(nullptr);
  simulation_->wire().remove_sink(*this);
}

void ConformanceRig::on_frame(const sim::PassedFrame& frame) {
  if (frame.direction != sim::WireDirection::from_nic) return;
  EXPECT_TRUE(frame.good);
  sent.emplace_back(frame.bytes.begin(), frame.bytes.end());
}

void ConformanceRig::enable_msix(bool enable) {
  simulation_->port().config_write(msix_ + 2, 2, enable ? kMsixEnable : 0);
}

// ---- time
// ----------------------------------------------------------------------------------------

void ConformanceRig::run(Duration time) {
  const auto result = simulation_->run_until(simulation_->timeline().now() + time);
  ASSERT_TRUE(result.ok()) << result.message;
}

bool ConformanceRig::run_until(const std::function<bool()>& done) {
  const Time limit = simulation_->timeline().now() + kPatience;
  while (!done() && simulation_->timeline().now() < limit) {
    run(std::chrono::nanoseconds{500});
    if (testing::Test::HasFatalFailure()) return false;
  }
  return done();
}

// ---- registers
// -----------------------------------------------------------------------------------

std::uint32_t ConformanceRig::read(std::uint32_t offset, unsigned size) {
  std::optional<std::uint32_t> value;
  simulation_->port().bar_read(offset, size, [&](std::uint32_t word) { value = word; });
  const auto result = simulation_->run_until(simulation_->timeline().now() + kPatience,
                                             [&] { return value.has_value(); });
  EXPECT_TRUE(result.ok()) << result.message;
  EXPECT_TRUE(value) << "a read of " << offset << " is not answered";
  return value.value_or(0);
}

void ConformanceRig::write(std::uint32_t offset, unsigned size, std::uint32_t value) {
  simulation_->port().bar_write(offset, size, value);
}

std::uint64_t ConformanceRig::offered() {
  std::uint64_t features = 0;
  for (unsigned half = 0; half < 2; ++half) {
    write(regs::kCommonDeviceFeatureSelect, 4, half);
    features |= std::uint64_t{read(regs::kCommonDeviceFeature, 4)} << (32 * half);
  }
  return features;
}

golden::Bytes ConformanceRig::mac() {
  golden::Bytes bytes;
  for (unsigned i = 0; i < 6; ++i) golden::append8(bytes, config(regs::kDeviceConfigMac + i, 1));
  return bytes;
}

std::uint64_t ConformanceRig::counter(unsigned number) {
  const std::uint32_t at = regs::kBarVendor + regs::kVendorCounters + number * regs::kCounterBytes;
  const std::uint64_t low = read(at, 4);
  return low | std::uint64_t{read(at + 4, 4)} << 32;
}

// ---- up and down
// ---------------------------------------------------------------------------------

void ConformanceRig::reset() {
  write(regs::kCommonDeviceStatus, 1, 0);
  ASSERT_TRUE(run_until([&] { return status() == 0; })) << "a reset that does not end";
  rings_.clear();
  chains_.clear();
  doorbells_.clear();
  arena_.release_all();
}

bool ConformanceRig::negotiate(std::uint64_t features) {
  reset();
  features_ = features;
  write(regs::kCommonDeviceStatus, 1, regs::kStatusAcknowledge);
  write(regs::kCommonDeviceStatus, 1, regs::kStatusAcknowledge | regs::kStatusDriver);
  for (unsigned half = 0; half < 2; ++half) {
    write(regs::kCommonDriverFeatureSelect, 4, half);
    write(regs::kCommonDriverFeature, 4, static_cast<std::uint32_t>(features >> (32 * half)));
  }
  write(regs::kCommonDeviceStatus, 1, status() | regs::kStatusFeaturesOk);
  return (status() & regs::kStatusFeaturesOk) != 0;
}

unsigned ConformanceRig::control() const {
  const std::uint64_t many = 1ULL << regs::kFeatureMq | 1ULL << regs::kFeatureRss;
  return (features_ & many) != 0 ? 2 * pairs() : 2;
}

void ConformanceRig::set_queue_vector(unsigned virtqueue, unsigned vector) {
  write(regs::kCommonQueueSelect, 2, virtqueue);
  write(regs::kCommonQueueMsixVector, 2, vector);
}

void ConformanceRig::enable_queues(unsigned slots) {
  for (unsigned vector = 0; vector < vectors(); ++vector) {
    const auto message = simulation_->port().msi_message(vector);
    const std::uint32_t entry = regs::kBarMsixTable + vector * regs::kMsixEntryBytes;
    write(entry + regs::kMsixEntryAddrLo, 4, static_cast<std::uint32_t>(message.address));
    write(entry + regs::kMsixEntryAddrHi, 4, static_cast<std::uint32_t>(message.address >> 32));
    write(entry + regs::kMsixEntryData, 4, message.data);
    write(entry + regs::kMsixEntryControl, 4, 0);
  }
  write(regs::kCommonConfigMsixVector, 2, 0);
  const bool has_control = (features_ >> regs::kFeatureCtrlVq & 1) != 0;
  const unsigned count = control() + (has_control ? 1 : 0);
  rings_.resize(count);
  chains_.resize(count);
  doorbells_.resize(count);
  for (unsigned index = 0; index < count; ++index) enable_queue(index, slots);
}

void ConformanceRig::enable_queue(unsigned virtqueue, unsigned slots) {
  rings_.at(virtqueue) = std::make_unique<PackedRing>(arena_, virtqueue, slots, virtqueue + 1);
  chains_.at(virtqueue).clear();
  set_queue_vector(virtqueue, virtqueue + 1);
  write(regs::kCommonQueueSize, 2, slots);
  const auto address = [&](unsigned field, BusAddress value) {
    write(field, 4, static_cast<std::uint32_t>(value));
    write(field + 4, 4, static_cast<std::uint32_t>(value >> 32));
  };
  address(regs::kCommonQueueDesc, ring(virtqueue).descriptors());
  address(regs::kCommonQueueDriver, ring(virtqueue).driver_area());
  address(regs::kCommonQueueDevice, ring(virtqueue).device_area());
  doorbells_.at(virtqueue) =
      regs::kBarNotify + read(regs::kCommonQueueNotifyOff, 2) * regs::kNotifyMultiplier;
  write(regs::kCommonQueueEnable, 2, 1);
  EXPECT_EQ(read(regs::kCommonQueueEnable, 2), 1U) << "virtqueue " << virtqueue;
}

void ConformanceRig::reset_queue(unsigned virtqueue) {
  write(regs::kCommonQueueSelect, 2, virtqueue);
  write(regs::kCommonQueueReset, 2, 1);
  ASSERT_TRUE(run_until([&] { return read(regs::kCommonQueueReset, 2) == 0; }))
      << "a reset of virtqueue " << virtqueue << " that does not end";
  EXPECT_EQ(read(regs::kCommonQueueEnable, 2), 0U);
  arena_.release(virtqueue);
}

void ConformanceRig::driver_ok() {
  write(regs::kCommonDeviceStatus, 1, status() | regs::kStatusDriverOk);
  EXPECT_NE(status() & regs::kStatusDriverOk, 0U);
}

void ConformanceRig::start(std::uint64_t features, unsigned slots) {
  ASSERT_TRUE(negotiate(features)) << std::hex << features;
  enable_queues(slots);
  driver_ok();
}

// ---- rings
// ---------------------------------------------------------------------------------------

void ConformanceRig::doorbell(unsigned virtqueue) { write(doorbells_.at(virtqueue), 2, virtqueue); }

std::uint16_t ConformanceRig::add(unsigned virtqueue, std::span<const Piece> chain) {
  const auto id = ring(virtqueue).add(chain);
  EXPECT_TRUE(id) << "no room on virtqueue " << virtqueue;
  chains_.at(virtqueue)[id.value_or(0)] = {chain.begin(), chain.end()};
  if (ring(virtqueue).needs_kick()) doorbell(virtqueue);
  return id.value_or(0);
}

void ConformanceRig::give(unsigned virtqueue, unsigned count, std::uint32_t bytes) {
  for (; count != 0; --count) {
    const Piece piece{arena_.allocate(virtqueue, bytes, DmaDirection::from_device), bytes, true};
    std::ranges::fill(arena_.bytes(piece.address, bytes), kPoison);
    add(virtqueue, {&piece, 1});
  }
}

void ConformanceRig::send(unsigned virtqueue, const virtio::NetHeader& header, golden::View frame) {
  const bool hash = (features_ >> regs::kFeatureHashReport & 1) != 0;
  const std::uint32_t header_bytes = hash ? regs::kNetHdrHashBytes : regs::kNetHdrBytes;
  const auto bytes = static_cast<std::uint32_t>(frame.size());
  const Piece pieces[] = {
      {arena_.allocate(virtqueue, header_bytes, DmaDirection::to_device), header_bytes, false},
      {arena_.allocate(virtqueue, bytes, DmaDirection::to_device), bytes, false}};
  std::memcpy(arena_.bytes(pieces[0].address, sizeof(header)).data(), &header, sizeof(header));
  std::ranges::copy(frame, arena_.bytes(pieces[1].address, bytes).begin());
  add(virtqueue, pieces);
}

std::optional<ConformanceRig::Received> ConformanceRig::receive(unsigned virtqueue) {
  auto first = used(virtqueue);
  if (!first) return {};
  const bool hash = (features_ >> regs::kFeatureHashReport & 1) != 0;
  const std::size_t header_bytes = hash ? regs::kNetHdrHashBytes : regs::kNetHdrBytes;
  Received frame;
  golden::Bytes all;
  unsigned left = 1;
  for (std::optional<PackedRing::Used> element = first; left != 0; element = used(virtqueue)) {
    EXPECT_TRUE(element) << "a buffer of a frame that is not there with the others";
    if (!element) return {};
    const Piece& piece = chains_.at(virtqueue).at(element->id).front();
    EXPECT_LE(element->len, piece.bytes);
    golden::append(all, arena_.bytes(piece.address, std::min(element->len, piece.bytes)));
    if (frame.lengths.empty() && all.size() >= header_bytes) {
      std::memcpy(&frame.header, all.data(), sizeof(frame.header));
      left = std::max<unsigned>(frame.header.num_buffers, 1);
    }
    frame.lengths.push_back(element->len);
    if (--left == 0) break;
  }
  EXPECT_GE(all.size(), header_bytes);
  if (hash) {
    std::memcpy(&frame.hash, all.data() + regs::kNetHdrHashValue, sizeof(frame.hash));
    std::memcpy(&frame.hash_report, all.data() + regs::kNetHdrHashReport,
                sizeof(frame.hash_report));
  }
  frame.bytes.assign(all.begin() + static_cast<std::ptrdiff_t>(header_bytes), all.end());
  return frame;
}

ConformanceRig::Answer ConformanceRig::command(std::uint8_t command_class, std::uint8_t number,
                                               const std::vector<std::uint8_t>& data,
                                               std::size_t answer_bytes) {
  std::vector<std::uint8_t> bytes{command_class, number};
  bytes.insert(bytes.end(), data.begin(), data.end());
  const auto room = static_cast<std::uint32_t>(answer_bytes + 1);
  const auto size = static_cast<std::uint32_t>(bytes.size());
  const unsigned queue = control();
  const Piece pieces[] = {{arena_.allocate(queue, size, DmaDirection::to_device), size, false},
                          {arena_.allocate(queue, room, DmaDirection::from_device), room, true}};
  std::memcpy(arena_.bytes(pieces[0].address, size).data(), bytes.data(), size);
  std::ranges::fill(arena_.bytes(pieces[1].address, room), kPoison);
  add(queue, pieces);
  EXPECT_TRUE(run_until([&] { return ring(queue).has_used(); })) << "a command without an answer";
  Answer answer;
  if (const auto element = used(queue)) answer.length = element->len;
  for (const std::byte byte : arena_.bytes(pieces[1].address, room)) {
    answer.data.push_back(std::to_integer<std::uint8_t>(byte));
  }
  if (command_class == regs::kCtrlClassStats) {
    answer.ack = answer.data.front();
    answer.data.erase(answer.data.begin());
    answer.data.resize(answer.length - std::uint32_t{1});
  } else {
    answer.ack = answer.data.back();
    answer.data.pop_back();
  }
  return answer;
}

}  // namespace nicroscope::test
