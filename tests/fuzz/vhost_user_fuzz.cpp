// SPDX-License-Identifier: Apache-2.0
// A vhost-user client that means no good: messages that are nearly right, or not at all, rings and
// buffers full of nonsense, files that shrink, answers that are none. The simulated NIC with its
// assertions is behind the back-end. What has to hold: no access outside of what is the client's
// (AddressSanitizer), the hardware never fails, a client that is dropped leaves nothing behind,
// neither memory on the bus nor a file descriptor, and a client that behaves is served afterwards.
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstring>
#include <deque>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "nicroscope/registers.h"
#include "nicroscope/virtio.h"
#include "sim/base/random.h"
#include "sim/host_port/vhost_user/backend.h"
#include "sim/wire/frame_queue.h"

namespace nicroscope::test {
namespace {

using namespace sim::vhost_user;
using sim::Descriptor;

constexpr std::uint64_t kGuest = 0x1000'0000;
constexpr std::uint64_t kUser = 0x7f00'0000'0000;
constexpr std::size_t kMemory = std::size_t{1} << 20U;
constexpr std::size_t kRing = 0x8000;  // of memory for each ring
constexpr std::uint32_t kFirstSlots = 256;

void require(bool holds, const std::string& what) {
  if (!holds) throw std::runtime_error(what);
}

std::size_t open_descriptors() {
  std::size_t count = 0;
  DIR* const folder = ::opendir("/proc/self/fd");
  while (::readdir(folder) != nullptr) ++count;
  ::closedir(folder);
  return count;
}

/// What the client has, and how it misuses it.
class Attacker {
 public:
  Attacker(const std::string& profile, std::uint64_t seed) : random_(seed) {
    sim::SimulationOptions options;
    options.profile = profile;
    options.variant = sim::Variant::checked;
    options.seed = seed;
    auto made = sim::Simulation::create(simulation_options(options));
    require(static_cast<bool>(made), made ? "" : made.error());
    simulation_ = std::move(*made);
    wire_ = std::make_unique<sim::FrameQueue>(simulation_->wire());
    BackendHooks hooks;
    hooks.wait = [this](int) { return answer_call(); };
    backend_ = std::make_unique<Backend>(*simulation_, hooks);
    inside_ = static_cast<unsigned>(2 * simulation_->profile().queue_pairs + 1);
    descriptors_ = open_descriptors();
  }

  void run(std::uint64_t messages) {
    while (sent_ < messages) {
      connect();
      constexpr std::array<std::uint64_t, 4> kCarefulness{8, 60, 400, 3000};
      carefulness_ = kCarefulness[random_.below(kCarefulness.size())];
      if (!slip()) set_up();
      const auto most = 1 + random_.below(100);
      for (std::uint64_t i = 0; i < most && backend_->connected(); ++i) step();
      drop();
    }
    behave();
  }
  [[nodiscard]] const std::map<std::string, std::uint64_t>& reasons() const { return reasons_; }
  [[nodiscard]] std::uint64_t sent() const { return sent_; }
  /// What led to a failure.
  [[nodiscard]] std::string last_steps() const {
    std::string text;
    for (const std::string& step : history_) text += "  " + step + '\n';
    return text + fmt::format("  at {} ns: \"{}\", {}\n",
                              simulation_->timeline().now().count() / 1000, backend_->reason(),
                              simulation_->bus().describe());
  }
  [[nodiscard]] std::uint64_t starts() const { return starts_; }
  [[nodiscard]] std::uint64_t resumed() const { return resumed_; }
  [[nodiscard]] std::uint64_t faults() const { return simulation_->bus().faults().size(); }
  [[nodiscard]] std::uint64_t frames() const { return simulation_->counters().frames_from_nic; }

 private:
  bool chance(std::uint64_t one_in) { return random_.below(one_in) == 0; }

  // Now and then, as often as this client does something wrong.
  bool slip() { return chance(carefulness_); }

  // A number as it should be, or near a bound, or any.
  std::uint64_t number(std::uint64_t right) {
    if (!slip()) return right;
    switch (random_.below(6)) {
      case 0:
        return right + 1;
      case 1:
        return right - 1;
      case 2:
        return 0;
      case 3:
        return ~std::uint64_t{0};
      case 4:
        return std::uint64_t{1} << random_.below(64);
      default:
        return random_.next();
    }
  }
  std::uint32_t number32(std::uint32_t right) { return static_cast<std::uint32_t>(number(right)); }
  unsigned queue() { return number32(static_cast<unsigned>(random_.below(inside_))); }

  void note(std::string step) {
    history_.push_back(
        fmt::format("{} ns: {}", simulation_->timeline().now().count() / 1000, step));
    if (history_.size() > 40) history_.pop_front();
  }

  // ---- the connection

  void connect() {
    note("connect");
    std::array<int, 2> ends{};
    require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0, "socketpair");
    socket_ = Descriptor(ends[0]);
    backend_->attach(ends[1]);
    file_ = Descriptor(::memfd_create("fuzz", MFD_CLOEXEC));
    require(::ftruncate(file_.get(), kMemory) == 0, "ftruncate");
    memory_ = static_cast<std::byte*>(
        ::mmap(nullptr, kMemory, PROT_READ | PROT_WRITE, MAP_SHARED, file_.get(), 0));
    size_ = kMemory;
    inband_ = false;
  }

  void drop() {
    starts_ += backend_->running_rings() != 0;
    socket_ = Descriptor{};
    channel_ = Descriptor{};
    static_cast<void>(backend_->handle_available());
    require(!backend_->connected(), "the connection outlives its socket");
    std::string reason;
    for (const char c : backend_->reason().substr(0, backend_->reason().find("0x"))) {
      if (c < '0' || c > '9') {
        reason += c;
      } else if (!reason.ends_with('#')) {
        reason += '#';  // one for any number
      }
    }
    ++reasons_[reason];
    require(backend_->running_rings() == 0, "virtqueues run without a client");
    require(!simulation_->memory().occupied(0, NicDevice::kPrivateBase),
            "memory of a client that is gone lies on the bus");
    ::munmap(memory_, kMemory);
    file_ = Descriptor{};
    kicks_.clear();
    require(open_descriptors() == descriptors_, "file descriptors are left over");
  }

  void send(std::uint32_t request, std::uint32_t flags, std::vector<std::byte> payload,
            const std::vector<int>& descriptors = {}) {
    Header header{number32(request), number32(flags),
                  number32(static_cast<std::uint32_t>(payload.size()))};
    if (slip()) payload.resize(random_.below(600));
    if (slip()) {
      for (std::byte& byte : payload) byte = static_cast<std::byte>(random_.next());
    }
    std::vector<std::byte> bytes(sizeof header + payload.size());
    std::memcpy(bytes.data(), &header, sizeof header);
    std::ranges::copy(payload, bytes.begin() + sizeof header);
    std::vector<int> passed = descriptors;
    while (slip() && passed.size() < 12) passed.push_back(file_.get());
    if (slip()) passed.clear();

    alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(16 * sizeof(int))> control{};
    const std::size_t first = chance(20) ? random_.below(bytes.size() + 1) : bytes.size();
    iovec piece{bytes.data(), first};
    msghdr head{};
    head.msg_iov = &piece;
    head.msg_iovlen = 1;
    if (!passed.empty()) {
      head.msg_control = control.data();
      head.msg_controllen = CMSG_SPACE(passed.size() * sizeof(int));
      cmsghdr* const part = CMSG_FIRSTHDR(&head);
      part->cmsg_level = SOL_SOCKET;
      part->cmsg_type = SCM_RIGHTS;
      part->cmsg_len = CMSG_LEN(passed.size() * sizeof(int));
      std::memcpy(CMSG_DATA(part), passed.data(), passed.size() * sizeof(int));
    }
    std::string values;
    for (std::size_t i = 0; i + 4 <= std::min<std::size_t>(payload.size(), 24); i += 4) {
      std::uint32_t word = 0;
      std::memcpy(&word, &payload[i], sizeof word);
      values += fmt::format(" {:x}", word);
    }
    const Shape* const shape = find_shape(header.request);
    note(fmt::format("{}{}", shape == nullptr ? "?" : shape->name, values));
    static_cast<void>(::sendmsg(socket_.get(), &head, MSG_NOSIGNAL | MSG_DONTWAIT));
    ++sent_;
    static_cast<void>(backend_->handle_available());
    if (first != bytes.size()) {  // the rest comes later
      static_cast<void>(::send(socket_.get(), bytes.data() + first, bytes.size() - first,
                               MSG_NOSIGNAL | MSG_DONTWAIT));
      static_cast<void>(backend_->handle_available());
    }
    std::array<std::byte, 1024> answers;
    if (!chance(50)) {
      const ssize_t got = ::recv(socket_.get(), answers.data(), answers.size(), MSG_DONTWAIT);
      if (got > 0) learn(std::span(answers).first(static_cast<std::size_t>(got)));
    }
  }
  // Where a ring was stopped.
  void learn(std::span<const std::byte> answer) {
    Header header{};
    VringState state{};
    if (answer.size() != sizeof header + sizeof state) return;
    std::memcpy(&header, answer.data(), sizeof header);
    std::memcpy(&state, &answer[sizeof header], sizeof state);
    if (header.request == static_cast<std::uint32_t>(Request::get_vring_base)) base_ = state.num;
  }
  template <typename T>
  void send_value(Request request, const T& value, const std::vector<int>& descriptors = {}) {
    const auto bytes = std::as_bytes(std::span(&value, 1));
    send(static_cast<std::uint32_t>(request), chance(2) ? 9 : 1, {bytes.begin(), bytes.end()},
         descriptors);
  }
  void send_plain(Request request) { send(static_cast<std::uint32_t>(request), 1, {}); }

  // ---- messages

  void set_up() {
    send_features();
    send_table();
    const unsigned rings = 1 + static_cast<unsigned>(random_.below(inside_));
    for (unsigned ring = 0; ring < rings; ++ring) send_ring(ring);
  }

  void send_features() {
    std::uint64_t features = std::uint64_t{1} << regs::kFeatureVersion1 |
                             std::uint64_t{1} << regs::kFeatureRingPacked |
                             std::uint64_t{1} << kFeatureProtocolFeatures;
    for (const unsigned feature : {regs::kFeatureMrgRxbuf, regs::kFeatureMq, regs::kFeatureCtrlVq,
                                   regs::kFeatureCsum, regs::kFeatureEventIdx}) {
      if (chance(2)) features |= std::uint64_t{1} << feature;
    }
    inband_ = chance(3);
    const std::uint64_t protocol = inband_ ? 0x4229 : 0x2229;
    send_value(Request::set_protocol_features, number(protocol | (inband_ ? 8 : 0)));
    if (inband_) {
      std::array<int, 2> ends{};
      require(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) == 0, "socketpair");
      channel_ = Descriptor(ends[0]);
      const Descriptor other(ends[1]);
      send(static_cast<std::uint32_t>(Request::set_backend_req_fd), 9, {}, {other.get()});
    }
    send_value(Request::set_features, number(features));
  }

  void send_table() {
    const auto regions = static_cast<std::uint32_t>(chance(4) ? random_.below(9) : 1);
    std::vector<std::byte> payload(sizeof(MemoryTableHeader) + regions * sizeof(MemoryRegion));
    const MemoryTableHeader head{number32(regions), 0};
    std::memcpy(payload.data(), &head, sizeof head);
    std::vector<int> files;
    const std::uint64_t each = regions == 0 ? 0 : kMemory / regions & ~std::uint64_t{4095};
    for (std::uint32_t i = 0; i < regions; ++i) {
      const std::uint64_t at = i * each;
      const MemoryRegion region{number(kGuest + at), number(each), number(kUser + at), number(at)};
      std::memcpy(&payload[sizeof head + i * sizeof region], &region, sizeof region);
      files.push_back(slip() ? socket_.get() : file_.get());
    }
    send(static_cast<std::uint32_t>(Request::set_mem_table), chance(2) ? 9 : 1, payload, files);
  }

  // With a base other than 0 the ring goes on there.
  void send_ring(unsigned ring, std::uint32_t base = 0) {
    const std::size_t at = (ring % 16) * kRing;
    const unsigned running = backend_->running_rings();
    if (base == 0 && !slip()) clear(at, kRing);
    send_value(Request::set_vring_num, VringState{number32(ring), number32(kFirstSlots)});
    send_value(Request::set_vring_base, VringState{number32(ring), number32(base)});
    send_value(Request::set_vring_addr,
               VringAddress{number32(ring), number32(0), number(kUser + at),
                            number(kUser + at + kRing - 64), number(kUser + at + kRing - 60), 0});
    if (base == 0) fill(ring);
    if (!inband_) {
      send_descriptor(Request::set_vring_call, ring);
      send_descriptor(Request::set_vring_kick, ring);
    }
    send_value(Request::set_vring_enable, VringState{number32(ring), number32(1)});
    resumed_ += base != 0 && backend_->running_rings() > running;
  }

  void restart(unsigned ring) {
    if (inband_) {
      send_value(Request::set_vring_enable, VringState{ring, 0});
    } else {
      base_ = 0;
      send_value(Request::get_vring_base, VringState{ring, 0});
      if (chance(2)) advance();
    }
    if (ring < inside_) send_ring(ring, !inband_ && chance(2) ? base_ : 0);
  }

  void send_descriptor(Request request, unsigned ring) {
    const Descriptor event(::eventfd(0, EFD_CLOEXEC));
    std::array<int, 2> pipe{};
    require(::pipe2(pipe.data(), O_CLOEXEC) == 0, "pipe");
    const Descriptor reading(pipe[0]);
    const Descriptor writing(pipe[1]);
    const std::uint64_t index = number(ring) | (chance(10) ? kVringNoDescriptor : 0);
    std::vector<int> passed{slip() ? reading.get() : event.get()};
    if ((index & kVringNoDescriptor) != 0 && !chance(5)) passed.clear();
    send_value(request, index, passed);
    if (request == Request::set_vring_kick && ring < inside_) {
      kicks_[ring] = Descriptor(::dup(event.get()));
      if (chance(10)) {  // as full as it gets
        const std::uint64_t full = ~std::uint64_t{1};
        static_cast<void>(!::write(event.get(), &full, sizeof full));
      }
    }
  }

  // ---- memory

  void clear(std::size_t at, std::size_t bytes) {
    if (at + bytes <= size_) std::memset(memory_ + at, 0, bytes);
  }

  // Descriptors of a ring, most of them such that the device can work with them.
  void fill(unsigned ring) {
    const std::size_t at = (ring % 16) * kRing;
    if (at + kRing > size_) return;
    const auto count = random_.below(kFirstSlots + 1);
    for (std::uint64_t slot = 0; slot < count; ++slot) {
      unsigned flags = regs::kDescFAvail;
      if (ring % 2 == 0) flags |= regs::kDescFWrite;
      if (slip()) flags ^= regs::kDescFWrite;
      if (chance(40)) flags |= regs::kDescFNext;
      if (slip()) flags = static_cast<unsigned>(random_.next());
      const virtio::PackedDescriptor descriptor{
          number(kGuest + kMemory / 2 + slot * 1024), number32(1024),
          static_cast<std::uint16_t>(number32(static_cast<std::uint32_t>(slot))),
          static_cast<std::uint16_t>(flags)};
      std::memcpy(memory_ + at + slot * sizeof descriptor, &descriptor, sizeof descriptor);
    }
    if (chance(10)) {
      const auto value = static_cast<std::uint32_t>(random_.next());
      std::memcpy(memory_ + at + kRing - 60, &value, sizeof value);
    }
  }

  void scribble() {
    const std::size_t bytes = random_.below(4096);
    const std::size_t at = random_.below(kMemory - bytes);
    if (at + bytes > size_) return;
    for (std::size_t i = 0; i < bytes; ++i)
      memory_[at + i] = static_cast<std::byte>(random_.next());
  }

  void shrink() {
    size_ = random_.below(kMemory / 4096) * 4096;
    require(::ftruncate(file_.get(), static_cast<off_t>(size_)) == 0, "ftruncate");
  }

  // ---- what a call gets

  bool answer_call() {
    if (slip()) channel_ = Descriptor{};
    if (!channel_) return true;  // the end of the channel can be read as well
    std::array<std::uint32_t, 5> call{};
    if (::recv(channel_.get(), call.data(), sizeof call, MSG_DONTWAIT) <= 0) return false;
    std::array<std::uint32_t, 5> answer{4, 5, 8, 0, 0};
    if (slip()) answer[random_.below(5)] = static_cast<std::uint32_t>(random_.next());
    const std::size_t bytes = slip() ? random_.below(sizeof answer) : sizeof answer;
    static_cast<void>(!::send(channel_.get(), answer.data(), bytes, MSG_NOSIGNAL | MSG_DONTWAIT));
    return bytes != 0;
  }

  // ---- time

  void advance() {
    for (std::uint64_t i = random_.below(3); i != 0; --i) {
      std::vector<std::byte> frame(60 + random_.below(1400));
      for (std::byte& byte : frame) byte = static_cast<std::byte>(random_.next());
      wire_->push(frame);
    }
    note(fmt::format("{} frames wait for the NIC", wire_->size()));
    const auto result = simulation_->run_until(simulation_->timeline().now() +
                                               std::chrono::nanoseconds{random_.below(8000)});
    require(result.ok(), result.message);
    static_cast<void>(backend_->send_calls());
    static_cast<void>(backend_->check());
  }

  void kick() {
    const unsigned ring = queue();
    if (inband_) {
      send_value(Request::vring_kick, VringState{ring, 0});
    } else if (const auto found = kicks_.find(ring); found != kicks_.end()) {
      const std::uint64_t one = 1;
      // A full eventfd would make us wait.
      pollfd room{found->second.get(), POLLOUT, 0};
      if (::poll(&room, 1, 0) == 1) {
        static_cast<void>(!::write(found->second.get(), &one, sizeof one));
      }
      backend_->take_kicks();
    }
  }

  void step() {
    switch (random_.below(24)) {
      case 0:
        return slip() ? send_features() : advance();
      case 1:
        return send_table();
      case 2:
      case 3:
        return slip() ? send_ring(queue()) : restart(queue());
      case 4:
        return send_value(Request::set_vring_enable,
                          VringState{queue(), number32(random_.below(2) != 0)});
      case 5:
        return send_value(Request::get_vring_base, VringState{queue(), 0});
      case 6: {
        std::vector<std::byte> payload(sizeof(ConfigHeader) + random_.below(70));
        const ConfigHeader head{
            number32(0), number32(static_cast<std::uint32_t>(payload.size() - sizeof head)), 0};
        std::memcpy(payload.data(), &head, sizeof head);
        return send(static_cast<std::uint32_t>(Request::get_config), 1, payload);
      }
      case 7:
        return send_plain(chance(2) ? Request::get_features : Request::get_queue_num);
      case 8:
        return send_plain(chance(4) ? Request::reset_device : Request::set_owner);
      case 9:
        return send_descriptor(chance(2) ? Request::set_vring_err : Request::set_vring_call,
                               queue());
      case 10:
        if (!slip()) return advance();
        return send(static_cast<std::uint32_t>(random_.below(45)), 1,
                    std::vector<std::byte>(random_.below(50)));
      case 11:
        if (!slip()) return advance();
        return chance(4) ? shrink() : scribble();
      case 12:
      case 13:
      case 14:
        return fill(static_cast<unsigned>(random_.below(inside_)));
      case 15:
      case 16:
      case 17:
        return kick();
      default:
        return advance();
    }
  }

  // After all that a client that is as it should be gets its frame.
  void behave() {
    const std::uint64_t before = frames();
    connect();
    const std::uint64_t features =
        std::uint64_t{1} << regs::kFeatureVersion1 | std::uint64_t{1} << regs::kFeatureRingPacked;
    const auto set = [this](Request request, const auto& value,
                            const std::vector<int>& files = {}) {
      const auto payload = std::as_bytes(std::span(&value, 1));
      const Header header{static_cast<std::uint32_t>(request), 1,
                          static_cast<std::uint32_t>(payload.size())};
      std::array<std::byte, 128> bytes;
      std::memcpy(bytes.data(), &header, sizeof header);
      std::ranges::copy(payload, bytes.begin() + sizeof header);
      iovec piece{bytes.data(), sizeof header + payload.size()};
      msghdr head{};
      head.msg_iov = &piece;
      head.msg_iovlen = 1;
      alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof(int))> control{};
      if (!files.empty()) {
        head.msg_control = control.data();
        head.msg_controllen = control.size();
        cmsghdr* const part = CMSG_FIRSTHDR(&head);
        *part = {CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS};
        std::memcpy(CMSG_DATA(part), files.data(), sizeof(int));
      }
      require(::sendmsg(socket_.get(), &head, MSG_NOSIGNAL) > 0, "sendmsg");
      require(backend_->handle_available(), backend_->reason());
    };
    struct {
      MemoryTableHeader head{1, 0};
      MemoryRegion region{kGuest, kMemory, kUser, 0};
    } table;
    set(Request::set_features, features);
    set(Request::set_mem_table, table, {file_.get()});
    const Descriptor kick(::eventfd(0, EFD_CLOEXEC));
    const virtio::PackedDescriptor descriptor{kGuest + kMemory / 2, 112, 0, regs::kDescFAvail};
    std::memcpy(memory_, &descriptor, sizeof descriptor);
    set(Request::set_vring_num, VringState{1, 16});
    set(Request::set_vring_addr, VringAddress{1, 0, kUser, kUser + 4096, kUser + 4100, 0});
    set(Request::set_vring_kick, std::uint64_t{1}, {kick.get()});
    const auto result =
        simulation_->run_until(simulation_->timeline().now() + std::chrono::microseconds{100});
    require(result.ok(), result.message);
    require(frames() == before + 1, "a client that behaves is not served");
  }

  sim::Random random_;
  std::unique_ptr<sim::Simulation> simulation_;
  std::unique_ptr<sim::FrameQueue> wire_;
  std::unique_ptr<Backend> backend_;
  unsigned inside_ = 0;  // virtqueues of the device
  std::size_t descriptors_ = 0;
  Descriptor socket_;
  Descriptor channel_;
  Descriptor file_;
  std::byte* memory_ = nullptr;
  std::size_t size_ = 0;
  std::uint64_t carefulness_ = 1;  // one slip in so many
  bool inband_ = false;
  std::uint32_t base_ = 0;  // where the ring was that was stopped last
  std::map<unsigned, Descriptor> kicks_;
  std::uint64_t sent_ = 0;
  std::uint64_t starts_ = 0;
  std::uint64_t resumed_ = 0;  // rings that went on
  std::map<std::string, std::uint64_t> reasons_;
  std::deque<std::string> history_;  // the last steps
};

int run(int argc, char** argv) {
  CLI::App program{"Sends the vhost-user back-end what no client should"};
  std::uint64_t messages = 20'000;
  std::uint64_t seed = 1;
  std::string profile = "edge10";
  program.add_option("--messages", messages, "How many");
  program.add_option("--seed", seed, "Of everything random");
  program.add_option("--profile", profile, "NIC profile");
  CLI11_PARSE(program, argc, argv);
  std::unique_ptr<Attacker> attacking;
  try {
    attacking = std::make_unique<Attacker>(profile, seed);
    Attacker& attacker = *attacking;
    attacker.run(messages);
    for (const auto& [reason, count] : attacker.reasons()) fmt::print("{:8} {}\n", count, reason);
    fmt::print(
        "{} messages, {} connections with running virtqueues, {} rings stopped and resumed, {} "
        "refused DMA accesses, {} frames sent\n",
        attacker.sent(), attacker.starts(), attacker.resumed(), attacker.faults(),
        attacker.frames());
    require(attacker.starts() > messages / 1000, "hardly a virtqueue was ever started");
    require(attacker.resumed() > messages / 5000, "hardly a virtqueue was ever resumed");
    return 0;
  } catch (const std::exception& error) {
    fmt::print(stderr, "fuzz_vhost_user: {}\n", error.what());
    if (attacking) fmt::print(stderr, "{}", attacking->last_steps());
    return 1;
  }
}

}  // namespace
}  // namespace nicroscope::test

int main(int argc, char** argv) { return nicroscope::test::run(argc, argv); }
