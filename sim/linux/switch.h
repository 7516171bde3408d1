// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "nicroscope/time.h"
#include "sim/base/random.h"
#include "sim/wire/frame.h"
#include "sim/wire/frame_queue.h"
#include "sim/wire/wire_port.h"

namespace nicroscope::uml {

/// What lies between the network cards.
struct SwitchOptions {
  Duration delay = std::chrono::microseconds{1};  ///< last symbol in to first symbol out, and not 0
  Time connected_from{0};  ///< frames before this are lost: nothing is plugged in yet
  double loss = 0;         ///< share of the frames that are lost, 0 to 1
  double reorder = 0;      ///< share that comes later by `reorder_by`
  Duration reorder_by = std::chrono::microseconds{50};
  double duplicate = 0;    ///< share that comes twice
  std::uint64_t seed = 1;  ///< of all this
};

struct SwitchCounters {
  std::uint64_t frames = 0;  ///< that came in from the cards
  std::uint64_t lost = 0;
  std::uint64_t reordered = 0;
  std::uint64_t duplicated = 0;
};

/// A store-and-forward switch: it learns which address is behind which port, and floods what it
/// does not know. Each port's frames come to it as the port's card is simulated; they go on to the
/// others when the times of all are known, so cards may be simulated one after the other as long as
/// none gets ahead by more than the delay.
class Switch {
 public:
  explicit Switch(const SwitchOptions& options) : options_(options), random_(options.seed) {}
  Switch(const Switch&) = delete;
  Switch& operator=(const Switch&) = delete;

  /// Joins a card; both ends take the wire's source and one of its sinks. Ports count from 0.
  void join(sim::WirePort& wire);

  /// Takes what the cards have sent, all cards being simulated to `now` at least, and works out
  /// when and where it arrives.
  void forward();
  /// When the next frame arrives at a port; kNever for none yet.
  [[nodiscard]] Time next_arrival(std::size_t port) const;
  /// Puts on the port's wire what arrives before `limit`, after which nothing may arrive before it.
  void release(std::size_t port, Time limit);

  [[nodiscard]] const SwitchCounters& counters() const noexcept { return counters_; }

 private:
  using Address = std::array<std::byte, 6>;
  using Bytes = std::shared_ptr<const std::vector<std::byte>>;

  struct Sent {
    Time last;
    std::size_t port;
    Bytes bytes;
  };

  class Port final : public sim::FrameSink {
   public:
    Port(Switch& owner, sim::WirePort& wire, std::size_t number)
        : owner_(owner), queue_(wire), number_(number) {
      wire.add_sink(*this);
    }
    void on_frame(const sim::PassedFrame& frame) override;

    Switch& owner_;
    sim::FrameQueue queue_;
    std::size_t number_;
    std::multimap<Time, Bytes> arriving_;
  };

  void pass(const Sent& sent);
  void arrive(std::size_t port, Time when, const Bytes& bytes);
  [[nodiscard]] bool chance(double share);

  SwitchOptions options_;
  sim::Random random_;
  std::vector<std::unique_ptr<Port>> ports_;
  std::vector<Sent> sent_;
  std::map<Address, std::size_t> learned_;
  SwitchCounters counters_;
};

}  // namespace nicroscope::uml
