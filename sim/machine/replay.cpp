// SPDX-License-Identifier: Apache-2.0
#include "sim/machine/replay.h"

#include <fmt/format.h>

#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "nicroscope/host_points.h"
#include "sim/machine/delivery_check.h"
#include "sim/machine/receive_drops.h"
#include "sim/trace/count_sink.h"
#include "sim/trace/hash_sink.h"
#include "sim/trace/life_sink.h"
#include "sim/trace/recent_events.h"
#include "sim/trace/text_sink.h"
#include "sim/wire/pcap_sink.h"
#include "sim/wire/pcap_source.h"
#include "stack/core/packet_tap.h"

namespace nicroscope::sim {
namespace {

constexpr Duration kStartDelay = std::chrono::microseconds{10};  // from booted to the first frame
constexpr Duration kStep = std::chrono::milliseconds{1};
// After the last frame: for what is under way to arrive, then for answers to leave.
constexpr Duration kArrivalPatience = std::chrono::milliseconds{50};
constexpr Duration kAnswerPatience = std::chrono::milliseconds{5};
constexpr unsigned kFcsBytes = 4;

template <typename T>
T take_or_refuse(Result<T> result) {
  if (!result) throw BadInput(result.error());
  return std::move(*result);
}

/// The first frames of a source.
class Limited final : public FrameSource {
 public:
  Limited(FrameSource& source, std::uint64_t frames) : source_(source), left_(frames) {}
  [[nodiscard]] const WireFrame* peek() override {
    const WireFrame* const frame = left_ == 0 ? nullptr : source_.peek();
    passing_ = frame != nullptr;
    return frame;
  }
  void pop() override {
    source_.pop();
    --left_;
    passing_ = false;
  }
  /// No frame after the one that is passing.
  void stop() noexcept { left_ = passing_ ? 1 : 0; }
  [[nodiscard]] bool ended() const noexcept { return left_ == 0; }

 private:
  FrameSource& source_;
  std::uint64_t left_;
  bool passing_ = false;
};

/// Tells the life of one frame: the one asked for, or the first that a system call returned.
class LifeFinder final : public TraceSink {
 public:
  explicit LifeFinder(FrameId frame) : wanted_(frame) {
    if (frame != kNoFrame) life_.emplace(frame);
  }
  void on_event(const TraceEvent& event) override {
    if (life_) {
      if (wanted_ != kNoFrame) life_->on_event(event);
      return;
    }
    recent_.on_event(event);
    if (event.point == point::sys_recvfrom_return && event.frame != kNoFrame) {
      life_.emplace(event.frame);
      recent_.replay_to(*life_);
    }
  }
  [[nodiscard]] const LifeSink* life() const noexcept { return life_ ? &*life_ : nullptr; }

 private:
  const FrameId wanted_;
  RecentEvents recent_;
  std::optional<LifeSink> life_;
};

/// The sinks of one replay and the files that some of them write.
class Observers {
 public:
  explicit Observers(const ReplayOptions& options) : life_(options.life) {}

  /// They must outlive the simulation: processes that end with it are traced too.
  void watch(Simulation& simulation, const ReplayOptions& options) {
    if (!options.out.empty()) out_ = take_or_refuse(PcapWriter::create(options.out));
    if (!options.pcap.empty()) {
      wire_capture_ = take_or_refuse(PcapWriter::create(options.pcap));
      wire_sink_.emplace(*wire_capture_);
      simulation.wire().add_sink(*wire_sink_);
    }
    if (!options.trace.empty()) {
      text_ = take_or_refuse(TextSink::create(options.trace, simulation.clock()));
      simulation.trace().add(*text_);
    }
    simulation.trace().add(hash_);
    simulation.trace().add(counts_);
    simulation.trace().add(life_);
    simulation.wire().add_sink(hash_);
    simulation.wire().add_sink(check_);
  }

  void on_tap(Time now, FrameId id, std::span<const std::byte> frame) {
    check_.on_delivered(id, frame);
    if (out_) out_->write(now, frame);
  }
  /// Gives the files their names. What happens afterwards is not in them.
  void close(Simulation& simulation) {
    if (wire_sink_) simulation.wire().remove_sink(*wire_sink_);
    if (text_) simulation.trace().remove(*text_);
    for (PcapWriter* writer : {out_.get(), wire_capture_.get()}) {
      if (writer == nullptr) continue;
      if (const auto error = writer->close()) throw BadInput(error->message);
    }
    if (text_) {
      if (const auto error = text_->close()) throw BadInput(error->message);
    }
  }

  [[nodiscard]] const DeliveryCheck& check() const noexcept { return check_; }
  [[nodiscard]] const HashSink& hash() const noexcept { return hash_; }
  [[nodiscard]] const CountSink& counts() const noexcept { return counts_; }
  [[nodiscard]] const LifeSink* life() const noexcept { return life_.life(); }

 private:
  std::unique_ptr<PcapWriter> out_;
  std::unique_ptr<PcapWriter> wire_capture_;
  std::optional<PcapSink> wire_sink_;
  std::unique_ptr<TextSink> text_;
  HashSink hash_;
  CountSink counts_;
  LifeFinder life_;
  DeliveryCheck check_;
};

std::string run_traffic(Machine& machine, const Limited& source, const Observers& observers) {
  const auto now = [&] { return machine.simulation().timeline().now(); };
  std::string problem;
  while (problem.empty() && !source.ended()) problem = machine.run_until(now() + kStep);
  const Time patience = now() + kArrivalPatience;
  while (problem.empty() && observers.check().under_way() != 0 && now() < patience) {
    problem = machine.run_until(now() + kStep);
  }
  if (problem.empty()) problem = machine.run_until(now() + kAnswerPatience);
  return problem;
}

/// Every frame reaches the tap as it is on the wire: whoever it is for, and none merged.
std::string listen_to_all(Machine& machine) {
  bool unmerged = false;
  std::string problem = machine.run_process("promiscuous", [&] {
    net::dev_set_promiscuity(machine.netdev(), 1);
    unmerged = net::dev_disable_lro(machine.netdev());
  });
  if (!problem.empty() || unmerged) return problem;
  // A device that has failed answers no command; the driver reports it in a moment.
  problem = machine.run_until(machine.simulation().timeline().now() + kStep);
  return problem.empty() ? "the device does not stop merging frames" : problem;
}

/// What is wrong with a run that came to its end; empty where nothing.
std::string complaint(Machine& machine, const DeliveryCheck& check, const ReplayReport& report) {
  if (!check.complaint().empty()) return check.complaint();
  if (report.frames_in != report.frames_delivered + report.dropped()) {
    return fmt::format("{} frames were sent, {} were delivered and {} counted as dropped",
                       report.frames_in, report.frames_delivered, report.dropped());
  }
  if (machine.fault_pending()) return "the scenario's fault never had its occasion";
  return machine.broken_rule();
}

}  // namespace

std::uint64_t ReplayReport::dropped() const {
  std::uint64_t sum = 0;
  for (const auto& [reason, count] : drops) sum += count;
  return sum;
}

ReplayReport replay(const MachineOptions& machine_options, const ReplayOptions& options) {
  const auto profile = find_profile(machine_options.scenario.profile);
  PcapSourceOptions source_options;
  source_options.line_rate = machine_options.scenario.wire.rate == "line";
  if (profile) source_options.max_frame_bytes = profile->max_frame - kFcsBytes;
  // Checked before anything is built or written.
  take_or_refuse(PcapSource::open(options.capture, source_options));

  Observers observers(options);
  const std::unique_ptr<Machine> machine = Machine::create(machine_options);
  Simulation& simulation = machine->simulation();
  observers.watch(simulation, options);
  const auto begin = std::chrono::steady_clock::now();

  ReplayReport report;
  report.problem = machine->boot();
  if (report.problem.empty()) report.problem = listen_to_all(*machine);
  const net::PacketTap tap(
      machine->stack().net, nullptr,
      [&](std::span<const std::byte> frame, const net::sk_buff& skb) {
        if (skb.pkt_type == net::pkt_type_t::outgoing || skb.dev != &machine->netdev()) return;
        observers.on_tap(simulation.timeline().now(), skb.frame, frame);
      });
  source_options.start = simulation.timeline().now() + kStartDelay;
  const auto capture = take_or_refuse(PcapSource::open(options.capture, source_options));
  report.frames_in =
      options.limit == 0 ? capture->frames() : std::min(options.limit, capture->frames());
  Limited source(*capture, report.frames_in);
  if (report.problem.empty()) {
    simulation.wire().set_source(&source);
    report.problem = run_traffic(*machine, source, observers);
    source.stop();
  }
  report.trace_hash = observers.hash().value();
  if (report.problem.empty() || machine->device_error()) {
    const auto statistics = machine->statistics();
    report.drops = receive_drops(statistics);
    report.interrupts = statistics.at("interrupts");
  }
  if (!report.problem.empty()) report.frames_in = observers.check().sent();
  simulation.wire().set_source(nullptr);
  report.wall_seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  report.frames_delivered = observers.check().delivered();
  report.frames_out = simulation.counters().frames_from_nic;
  report.datagrams_echoed = machine->echo().answered;
  report.polls = observers.counts().count(point::napi_poll);
  report.cycles = simulation.counters().cycles;
  report.cycles_skipped = simulation.counters().cycles_skipped;
  report.simulated_seconds = std::chrono::duration<double>(simulation.timeline().now()).count();
  if (const LifeSink* life = observers.life(); life != nullptr && !life->events().empty()) {
    report.life_frame = life->frame();
    report.life = life_table(life->events(), simulation.clock());
  }
  if (report.problem.empty()) report.problem = complaint(*machine, observers.check(), report);
  observers.close(simulation);
  return report;
}

}  // namespace nicroscope::sim
