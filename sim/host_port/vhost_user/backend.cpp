// SPDX-License-Identifier: Apache-2.0
#include "sim/host_port/vhost_user/backend.h"

#include <fmt/format.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "nicroscope/registers.h"

namespace nicroscope::sim::vhost_user {
namespace {

constexpr int kPatienceMilliseconds = 10'000;

constexpr std::uint64_t bit(unsigned feature) { return std::uint64_t{1} << feature; }

// Waits on the wall's clock until `descriptor` can be read; `milliseconds` < 0: for ever.
bool wait_readable(int descriptor, int milliseconds) {
  pollfd watched{descriptor, POLLIN, 0};
  int ready = -1;
  do {
    ready = ::poll(&watched, 1, milliseconds);
  } while (ready < 0 && errno == EINTR);
  return ready > 0;
}

}  // namespace

SimulationOptions simulation_options(SimulationOptions options) {
  options.memory_base = NicDevice::kPrivateBase;
  options.memory_bytes = ControlQueue::kBytes;
  return options;
}

Backend::Backend(Simulation& simulation, BackendHooks hooks)
    : simulation_(simulation),
      hooks_(std::move(hooks)),
      device_(simulation, [this](unsigned queue) { interrupt(queue); }),
      memory_(simulation.memory()),
      rings_(device_.queues()) {
  simulation.bus().watch_writes({[](void* self, const VisibleWrite& write) {
                                   static_cast<Backend*>(self)->about_to_write(write);
                                 },
                                 this});
}

Backend::~Backend() { simulation_.bus().watch_writes({}); }

// ---- the connection

int Backend::fd() const noexcept { return connection_ ? connection_->descriptor() : -1; }

void Backend::attach(int socket) {
  if (connected()) disconnect("another client has come");
  connection_.emplace(Descriptor(socket));
  reason_.clear();
}

void Backend::disconnect(std::string reason) {
  connection_.reset();
  reason_ = std::move(reason);
  stop_all();
  forget_client();
}

void Backend::forget_client() {
  for (Vring& ring : rings_) ring = Vring{};
  calls_.clear();
  memory_.clear();
  features_ = 0;
  features_set_ = false;
  protocol_features_ = 0;
  by_descriptor_ = false;
  backend_channel_ = Descriptor{};
}

bool Backend::handle_message() {
  Message message;
  while (connected()) {
    switch (connection_->receive(message)) {
      case Connection::Progress::message:
        return handle(std::move(message));
      case Connection::Progress::nothing:
        wait_readable(fd(), -1);
        break;
      case Connection::Progress::ended:
        disconnect(std::string(connection_->reason()));
        break;
    }
  }
  return false;
}

bool Backend::handle_available() {
  Message message;
  while (connected()) {
    switch (connection_->receive(message)) {
      case Connection::Progress::message:
        handle(std::move(message));
        break;
      case Connection::Progress::nothing:
        return true;
      case Connection::Progress::ended:
        disconnect(std::string(connection_->reason()));
        break;
    }
  }
  return false;
}

bool Backend::handle(Message message) {
  ++messages_;
  release_memory();
  const Shape& shape = *find_shape(message.header.request);
  Outcome outcome = dispatch(message);
  if (outcome.problem.empty()) outcome.problem = start_rings();
  // SET_PROTOCOL_FEATURES itself is acknowledged as soon as acknowledgements are agreed on.
  const bool acknowledge =
      !shape.has_answer && message.needs_reply() && protocol(kProtocolReplyAck);
  if (acknowledge) outcome.answer = acknowledgement(!outcome.problem.empty());
  if (!outcome.answer.empty() && (acknowledge || outcome.problem.empty()) &&
      !connection_->answer(message.header.request, outcome.answer)) {
    outcome.problem = connection_->reason();
  }
  if (outcome.problem.empty()) return check();
  disconnect(fmt::format("{}: {}", shape.name, outcome.problem));
  return false;
}

bool Backend::check() {
  if (!connected()) return false;
  if (memory_.truncated()) {
    disconnect("the client has made its memory's file shorter");
    return false;
  }
  if (device_.running() && device_.take_change()) {
    if (std::string problem = device_.error(); !problem.empty()) {
      disconnect(std::move(problem));
      return false;
    }
  }
  return true;
}

void Backend::release_memory() {
  if (simulation_.bus().idle()) memory_.release();
}

// ---- rings

// The control virtqueue's number for this client: behind all pairs, or behind the one that a
// driver knows which took neither MQ nor RSS (virtio 1.2, 5.1.2).
unsigned Backend::control_queue() const noexcept {
  const bool many = (features_ & (bit(regs::kFeatureMq) | bit(regs::kFeatureRss))) != 0;
  return many ? 2 * device_.pairs() : 2;
}

// Where the ring lies for the device; nothing if that is not in the client's memory.
std::optional<QueueAreas> Backend::areas(unsigned queue) const {
  const Vring& ring = rings_[queue];
  const auto descriptors =
      memory_.bus_address(ring.address->descriptors, ring.size * sizeof(virtio::PackedDescriptor));
  const auto driver = memory_.bus_address(ring.address->avail, sizeof(virtio::EventSuppression));
  const auto device = memory_.bus_address(ring.address->used, sizeof(virtio::EventSuppression));
  if (!descriptors || !driver || !device) return std::nullopt;
  return QueueAreas{queue,   static_cast<std::uint16_t>(ring.size), *descriptors, *driver,
                    *device, static_cast<std::uint16_t>(queue)};
}

// A client without protocol features does not say so.
bool Backend::enabled(const Vring& ring) const noexcept {
  return ring.enabled || (features_ & bit(kFeatureProtocolFeatures)) == 0;
}

// Starts what the client has said enough about.
std::string Backend::start_rings() {
  for (unsigned queue = 0; queue < rings_.size(); ++queue) {
    const Vring& ring = rings_[queue];
    if (ring.running || !enabled(ring) || !features_set_ || ring.size == 0 || !ring.address ||
        !(ring.has_kick || inband())) {
      continue;
    }
    if (std::string problem = start_ring(queue); !problem.empty()) return problem;
  }
  return share_pairs();
}

std::string Backend::start_ring(unsigned queue) {
  const bool control = (features_ & bit(regs::kFeatureCtrlVq)) != 0 && queue == control_queue();
  const bool many = (features_ & (bit(regs::kFeatureMq) | bit(regs::kFeatureRss))) != 0;
  if (!control && queue >= (many ? 2 * device_.pairs() : 2)) {
    return fmt::format("virtqueue {} does not exist with the features {:#x}", queue, features_);
  }
  const auto place = areas(queue);
  if (!place) return fmt::format("virtqueue {} does not lie in the client's memory", queue);
  if (place->descriptors % 16 != 0 || place->driver % 4 != 0 || place->device % 4 != 0) {
    return fmt::format("virtqueue {} is not aligned (virtio 1.2, 2.8.10.1)", queue);
  }
  Vring& ring = rings_[queue];
  const bool goes_on = ring.held && ring.held->areas == *place;
  if (ring.base != RingProgress::kStart) {
    if (!goes_on) {
      return fmt::format("virtqueue {} is not what it was: the device cannot go on at {:#x}", queue,
                         ring.base);
    }
    ring.running = true;
    catch_up(queue);
    return {};
  }
  // At the start a ring that goes on and a new one look the same to a device that begins there.
  if (ring.held) {
    ring.held.reset();
    if (std::string problem = device_.stop_queue(queue); !problem.empty()) return problem;
  }
  if (!goes_on && used_before(*place)) {
    return fmt::format("virtqueue {} was used before: the device starts new rings only", queue);
  }
  if (!device_.running()) {
    if (std::string problem = device_.start(features_ & ~bit(kFeatureProtocolFeatures));
        !problem.empty()) {
      return problem;
    }
  }
  ring.running = true;
  ring.held.emplace(Vring::Held{*place, RingProgress(place->size)});
  std::string problem = device_.start_queue(*place);
  if (problem.empty() && goes_on) catch_up(queue);
  return problem;
}

// There are used descriptors in the ring, so that its driver is not at its beginning.
bool Backend::used_before(const QueueAreas& place) const {
  const auto slots = memory_.at(place.descriptors, place.size * sizeof(virtio::PackedDescriptor));
  for (std::size_t at = 0; at < slots.size(); at += sizeof(virtio::PackedDescriptor)) {
    std::uint16_t flags = 0;
    std::memcpy(&flags, &slots[at + regs::kDescFlags], sizeof flags);
    if ((flags & regs::kDescFUsed) != 0) return true;
  }
  return false;
}

// What happened to a ring while it was paused nobody has told either side.
void Backend::catch_up(unsigned queue) {
  device_.kick(queue);
  interrupt(queue);
}

// The device does not touch the ring any more, and can go on with it; if it cannot be brought to
// that it forgets the ring. Where the control virtqueue is the client's frames cannot be kept from
// it otherwise.
std::string Backend::pause_ring(unsigned queue) {
  Vring& ring = rings_[queue];
  if (!ring.running) return {};
  bool quiet = false;
  ring.running = false;
  std::erase(calls_, queue);
  if (device_.has_control()) {
    if (std::string problem = share_pairs(); !problem.empty()) return problem;
    quiet = device_.settle();
  }
  const RingProgress progress = ring.held->progress;
  std::string problem = quiet ? std::string{} : stop_ring(queue);
  ring.base = progress.position();
  return problem;
}

// The device forgets the ring; with the last one it is reset.
std::string Backend::stop_ring(unsigned queue) {
  Vring& ring = rings_[queue];
  std::erase(calls_, queue);
  ring.running = false;
  ring.base = RingProgress::kStart;
  if (!ring.held) return {};
  ring.held.reset();
  if (std::ranges::any_of(rings_, [](const Vring& other) { return other.held.has_value(); })) {
    return device_.stop_queue(queue);
  }
  device_.reset();
  return {};
}

void Backend::stop_all() {
  for (Vring& ring : rings_) {
    ring.running = false;
    ring.held.reset();
  }
  calls_.clear();
  if (device_.running()) device_.reset();
}

// Used elements on their way into a ring.
void Backend::about_to_write(const VisibleWrite& write) {
  for (Vring& ring : rings_) {
    if (!ring.held) continue;
    const BusAddress begin = ring.held->areas.descriptors;
    const std::size_t bytes = ring.held->areas.size * sizeof(virtio::PackedDescriptor);
    if (write.address < begin || write.address - begin >= bytes) continue;
    const auto from = static_cast<std::size_t>(write.address - begin);
    ring.held->progress.returns(memory_.at(begin, bytes), from, from + write.bytes);
  }
}

unsigned Backend::running_rings() const noexcept {
  return static_cast<unsigned>(std::ranges::count(rings_, true, &Vring::running));
}

// Where the client keeps the control virtqueue to itself it says with SET_VRING_ENABLE how many
// pairs are in use. A pair that is not gets no frames, and if that is the first one nobody does.
std::string Backend::share_pairs() {
  if (!device_.running()) return {};
  unsigned pairs = 0;
  const auto receives = [this](const Vring& ring) { return ring.running && enabled(ring); };
  while (pairs < device_.pairs() && receives(rings_[2 * pairs])) ++pairs;
  // For a queue that is not there the device drops them by itself.
  return device_.use_pairs(rings_[0].held ? pairs : std::max(pairs, 1U));
}

// ---- kicks and calls

void Backend::interrupt(unsigned queue) {
  if (!rings_[queue].running) return;
  if (std::ranges::find(calls_, queue) == calls_.end()) calls_.push_back(queue);
  if (inband()) {
    simulation_.request_stop();
  } else {
    call(queue);
  }
}

// By descriptor, if the client has given one by now.
void Backend::call(unsigned queue) {
  const Descriptor& descriptor = rings_[queue].call;
  if (!descriptor || std::erase(calls_, queue) == 0) return;
  constexpr std::uint64_t kOne = 1;
  // It is full only where the client has not looked for 2^64 calls.
  if (::write(descriptor.get(), &kOne, sizeof kOne) == sizeof kOne) ++calls_sent_;
}

bool Backend::send_calls() {
  while (connected() && calls_pending()) {
    const unsigned queue = calls_.front();
    calls_.erase(calls_.begin());
    if (std::string problem = call_inband(queue); !problem.empty()) {
      disconnect(fmt::format("a call of virtqueue {}: {}", queue, problem));
    }
  }
  return connected();
}

std::string Backend::call_inband(unsigned queue) {
  if (!backend_channel_) return "there is no channel for it (SET_BACKEND_REQ_FD)";
  struct {
    Header header{static_cast<std::uint32_t>(BackendRequest::vring_call), kVersion | kFlagNeedReply,
                  sizeof(VringState)};
    VringState state{};
  } call;
  call.state.index = queue;
  const int channel = backend_channel_.get();
  if (std::string problem = send_all(channel, std::as_bytes(std::span(&call, 1)));
      !problem.empty()) {
    return problem;
  }
  std::array<std::byte, sizeof(Header) + sizeof(std::uint64_t)> answer;
  std::size_t got = 0;
  while (got < answer.size()) {
    const bool there =
        hooks_.wait ? hooks_.wait(channel) : wait_readable(channel, kPatienceMilliseconds);
    if (!there) return "no answer";
    const ssize_t bytes = ::recv(channel, &answer[got], answer.size() - got, MSG_DONTWAIT);
    if (bytes == 0 || (bytes < 0 && errno != EAGAIN && errno != EINTR)) return "the channel ended";
    if (bytes > 0) got += static_cast<std::size_t>(bytes);
  }
  Header header{};
  std::uint64_t status = 0;
  std::memcpy(&header, answer.data(), sizeof header);
  std::memcpy(&status, &answer[sizeof header], sizeof status);
  if (header.request != call.header.request || (header.flags & kFlagReply) == 0 ||
      header.size != sizeof status || status != 0) {
    return "the answer is not one";
  }
  ++calls_sent_;
  return {};
}

void Backend::watch(std::vector<pollfd>& watched) const {
  if (!connected()) return;
  watched.push_back({fd(), POLLIN, 0});
  for (const Vring& ring : rings_) {
    if (ring.kick) watched.push_back({ring.kick.get(), POLLIN, 0});
  }
}

void Backend::take_kicks() {
  for (unsigned queue = 0; queue < rings_.size(); ++queue) {
    const Vring& ring = rings_[queue];
    std::uint64_t count = 0;
    if (!ring.kick || ::read(ring.kick.get(), &count, sizeof count) != sizeof count) continue;
    ++kicks_;
    if (ring.running) device_.kick(queue);
  }
}

}  // namespace nicroscope::sim::vhost_user
