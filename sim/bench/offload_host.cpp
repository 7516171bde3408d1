// SPDX-License-Identifier: Apache-2.0
#include "sim/bench/offload_host.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "nicroscope/registers.h"

namespace nicroscope::sim {
namespace {

constexpr std::uint16_t kSlots = 1024;
constexpr std::uint64_t kPage = 4096;
constexpr std::uint64_t kHeader = sizeof(virtio::NetHeader);
constexpr std::uint64_t kHeaderStride = 128;
constexpr std::size_t kMostPieces = 1 + TcpStream::kLongest / kPage + 1;
/// Payload of a super-frame: whole segments that an IPv4 packet still holds.
constexpr std::size_t kSuperFrame = 44 * TcpStream::kSegment;
static_assert(kSuperFrame + TcpStream::kIp + TcpStream::kTcp <= 65535);

constexpr std::uint64_t feature(unsigned bit) { return std::uint64_t{1} << bit; }
constexpr std::uint64_t kAlways =
    feature(regs::kFeatureVersion1) | feature(regs::kFeatureRingPacked) |
    feature(regs::kFeatureAccessPlatform) | feature(regs::kFeatureOrderPlatform);
constexpr std::uint64_t kSenderOffloads =
    feature(regs::kFeatureCsum) | feature(regs::kFeatureHostTso4);
constexpr std::uint64_t kReceiverOffloads =
    feature(regs::kFeatureGuestCsum) | feature(regs::kFeatureGuestTso4);

}  // namespace

OffloadHost::OffloadHost(Simulation& simulation, const TcpStream& stream, Role role, bool offloads,
                         unsigned flows)
    : simulation_(simulation),
      stream_(stream),
      role_(role),
      offloads_(offloads),
      next_free_(simulation.memory().base()),
      ring_(simulation, allocate(PackedRing::bytes(kSlots)), role == Role::sender ? 1 : 0, kSlots,
            true),
      buffers_(allocate(kSlots * (role == Role::sender ? kHeaderStride : kPage))),
      payload_(allocate(TcpStream::kLongest * 2)),
      chain_slots_(kSlots),
      receiver_(stream, flows) {
  HostArena& memory = simulation.memory();
  for (const std::uint64_t half : {std::uint64_t{0}, std::uint64_t{TcpStream::kLongest}}) {
    const auto payload = stream.bytes(half, TcpStream::kLongest);
    std::memcpy(memory.at(payload_ + half, payload.size()).data(), payload.data(), payload.size());
  }
  memory.dma_map(memory.base(), static_cast<std::size_t>(next_free_ - memory.base()),
                 DmaDirection::bidirectional);
}

BusAddress OffloadHost::allocate(std::uint64_t bytes) {
  const BusAddress address = next_free_;
  next_free_ += (bytes + kPage - 1) / kPage * kPage;
  return address;
}

std::string OffloadHost::start() {
  const bool sends = role_ == Role::sender;
  std::uint64_t features = kAlways;
  if (!sends) features |= feature(regs::kFeatureMrgRxbuf);
  if (offloads_) features |= sends ? kSenderOffloads : kReceiverOffloads;
  const QueueAreas areas = ring_.areas();
  if (std::string problem = bring_up(simulation_, features, {&areas, 1}); !problem.empty()) {
    return problem;
  }
  simulation_.port().on_msi([this](unsigned) { ++interrupts_; });
  ring_.watch(on_ring, this);
  if (sends) {
    for (std::uint16_t id = kSlots; id > 0; --id) {
      free_ids_.push_back(static_cast<std::uint16_t>(id - 1));
    }
    send_more();
  } else {
    for (std::uint16_t id = 0; id < kSlots; ++id) post_receive(id);
  }
  ring_.kick();
  return {};
}

void OffloadHost::post_receive(std::uint16_t id) noexcept {
  ring_.add({buffers_ + id * kPage, static_cast<std::uint32_t>(kPage), true}, id);
}

void OffloadHost::send_more() {
  while (ring_.free_slots() >= kMostPieces && !free_ids_.empty()) {
    post_transmit(free_ids_.back());
    free_ids_.pop_back();
  }
}

// The headers lie in a buffer of the id's own; the payload is taken out of the pattern page by
// page.
void OffloadHost::post_transmit(std::uint16_t id) {
  const std::size_t length = offloads_ ? kSuperFrame : TcpStream::kSegment;
  const BusAddress headers = buffers_ + id * kHeaderStride;
  const auto out = simulation_.memory().at(headers, kHeader + TcpStream::kHeaders);
  virtio::NetHeader header{};
  if (offloads_) {
    header = {.flags = regs::kNetHdrFNeedsCsum,
              .gso_type = regs::kNetHdrGsoTcpV4,
              .hdr_len = TcpStream::kHeaders,
              .gso_size = TcpStream::kSegment,
              .csum_start = TcpStream::kEthernet + TcpStream::kIp,
              .csum_offset = 16,
              .num_buffers = 0};
  }
  std::memcpy(out.data(), &header, kHeader);
  stream_.write_headers(out.subspan(kHeader), 0, position_, length,
                        offloads_ ? TcpStream::Checksum::partial : TcpStream::Checksum::whole);

  std::array<PackedRing::Buffer, kMostPieces> chain{};
  std::size_t pieces = 0;
  chain[pieces++] = {headers, static_cast<std::uint32_t>(kHeader + TcpStream::kHeaders), false};
  const auto offset =
      static_cast<std::uint64_t>(stream_.bytes(position_, 0).data() - stream_.bytes(0, 0).data());
  BusAddress at = payload_ + offset;
  for (std::size_t left = length; left != 0;) {
    const std::size_t piece = std::min<std::size_t>(left, kPage - at % kPage);
    chain[pieces++] = {at, static_cast<std::uint32_t>(piece), false};
    at += piece;
    left -= piece;
  }
  chain_slots_[id] = static_cast<std::uint16_t>(pieces);
  ring_.add(std::span(chain).first(pieces), id);
  position_ += length;
  bytes_ += length;
  ++frames_;
}

void OffloadHost::take_received() {
  while (const auto used = ring_.take()) {
    if (used->id >= kSlots || used->length > kPage) {
      complaint_ = "a used element is impossible";
      return;
    }
    ++descriptors_;
    const auto piece = simulation_.memory().at(buffers_ + used->id * kPage, used->length);
    frame_.insert(frame_.end(), piece.begin(), piece.end());
    if (buffers_to_come_ == 0) {
      virtio::NetHeader header{};
      std::memcpy(&header, frame_.data(), std::min<std::size_t>(kHeader, frame_.size()));
      buffers_to_come_ = header.num_buffers;
    }
    if (--buffers_to_come_ == 0) finish_frame();
    post_receive(used->id);
  }
}

void OffloadHost::finish_frame() {
  ++frames_;
  if (!receiver_.take(std::span<const std::byte>(frame_).subspan(kHeader))) {
    complaint_ = "what was received is not what was sent";
  }
  bytes_ = receiver_.bytes();
  frame_.clear();
}

void OffloadHost::on_ring(void* self, const VisibleWrite& /*write*/) {
  auto& host = *static_cast<OffloadHost*>(self);
  if (host.role_ == Role::receiver) {
    host.take_received();
  } else {
    while (const auto used = host.ring_.take()) {
      if (used->id >= kSlots) {
        host.complaint_ = "a used element is impossible";
        return;
      }
      host.descriptors_ += host.chain_slots_[used->id];
      host.free_ids_.push_back(used->id);
    }
    host.send_more();
  }
  host.ring_.kick();
}

}  // namespace nicroscope::sim
