// SPDX-License-Identifier: Apache-2.0
#include "sim/bench/bench_latency.h"

#include <cmath>
#include <map>
#include <memory>
#include <optional>

#include "nicroscope/registers.h"
#include "nicroscope/virtio.h"
#include "sim/bench/ideal_host.h"
#include "sim/bench/traffic.h"
#include "sim/scenario/scenario.h"

namespace nicroscope::sim {
namespace {

constexpr unsigned kSizes[] = {64, 1518};
constexpr unsigned kFcsBytes = 4;
constexpr Duration kSettle = std::chrono::microseconds{20};
constexpr Duration kPatience = std::chrono::microseconds{50};

constexpr unsigned words(unsigned bytes, unsigned width) { return (bytes + width - 1) / width; }

/// When each of the RTL's trace points was first passed.
class FirstPassed final : public TraceSink {
 public:
  void on_event(const TraceEvent& event) override {
    passed_.try_emplace(static_cast<std::uint16_t>(event.point), event.time);
  }
  void clear() { passed_.clear(); }
  [[nodiscard]] std::optional<Time> at(unsigned point) const {
    const auto found = passed_.find(point);
    if (found == passed_.end()) return std::nullopt;
    return found->second;
  }

 private:
  std::map<unsigned, Time> passed_;
};

/// A NIC with full receive rings, an idle wire, and nothing to send.
class EmptyNic {
 public:
  EmptyNic(std::unique_ptr<Simulation> simulation, const unsigned& size)
      : simulation_(std::move(simulation)),
        traffic_({&size, 1}),
        source_(traffic_, 0),
        host_(*simulation_, traffic_, {.interrupts = true, .send_when_told = true}) {}

  [[nodiscard]] std::string start() {
    if (std::string problem = host_.start(); !problem.empty()) return problem;
    simulation_->trace().add(passed_);
    simulation_->wire().set_source(&source_);
    simulation_->port().on_msi([this](unsigned) {
      if (!message_) message_ = simulation_->timeline().now();
    });
    return run_for(kSettle);
  }
  [[nodiscard]] std::string receive_one() {
    begin();
    source_.allow(1);
    simulation_->wire().wake();
    return run_for(kPatience);
  }
  [[nodiscard]] std::string send_one() {
    begin();
    host_.send_one();
    return run_for(kPatience);
  }
  [[nodiscard]] const FirstPassed& passed() const noexcept { return passed_; }
  [[nodiscard]] std::optional<Time> message() const noexcept { return message_; }
  [[nodiscard]] Simulation& simulation() noexcept { return *simulation_; }

 private:
  void begin() {
    passed_.clear();
    message_.reset();
  }
  [[nodiscard]] std::string run_for(Duration duration) {
    const RunResult result = simulation_->run_until(simulation_->timeline().now() + duration);
    if (!result.ok()) return result.message;
    return std::string(host_.complaint());
  }

  std::unique_ptr<Simulation> simulation_;
  Traffic traffic_;
  TrafficSource source_;
  IdealHost host_;
  FirstPassed passed_;
  std::optional<Time> message_;
};

Result<std::vector<LatencyCase>> run_size(const SimulationOptions& options, const unsigned& size) {
  auto simulation = Simulation::create(options);
  if (!simulation) throw BadInput(simulation.error());
  EmptyNic nic(std::move(*simulation), size);
  if (std::string problem = nic.start(); !problem.empty()) return Error{problem};
  const Profile& profile = nic.simulation().profile();
  const double period = std::chrono::duration<double>(nic.simulation().clock().period()).count();
  const auto cycles = [&](Duration span) {
    return std::chrono::duration<double>(span).count() / period;
  };
  const BusOptions& bus = options.bus;
  const unsigned frame = size - kFcsBytes;
  const double data_words =
      words(frame + static_cast<unsigned>(sizeof(virtio::NetHeader)), profile.axi_bytes);

  if (std::string problem = nic.receive_one(); !problem.empty()) return Error{problem};
  const auto first = nic.passed().at(regs::kTraceRxStart);
  const auto visible = nic.passed().at(regs::kTraceRxVisible);
  const auto message = nic.message();
  if (!first || !visible || !message) return Error{"the frame was not received"};
  // The trace point is passed in the cycle behind the word.
  const double last = cycles(*first) - 1 + words(frame, profile.stream_bytes) - 1;
  // An answer is seen at a clock edge.
  const double write = std::ceil(cycles(bus.write_latency));
  const double read = std::ceil(cycles(bus.read_latency));
  const double receive_floor = data_words + 2 * write;
  const double interrupt_floor = receive_floor + read + write;

  if (std::string problem = nic.send_one(); !problem.empty()) return Error{problem};
  const auto doorbell = nic.passed().at(regs::kTraceKick);
  const auto start = nic.passed().at(regs::kTraceTxStart);
  if (!doorbell || !start) return Error{"the frame was not sent"};

  return std::vector<LatencyCase>{
      {"receive", size, cycles(*visible) - last, receive_floor},
      {"interrupt", size, cycles(*message) - last, interrupt_floor},
      {"transmit", size, cycles(*start - *doorbell), 2 * read + data_words}};
}

}  // namespace

Result<std::vector<LatencyCase>> bench_latency(const std::string& profile, std::uint64_t seed) {
  SimulationOptions options;
  options.profile = profile;
  options.seed = seed;
  options.bus = BusOptions::gen4_x16();
  std::vector<LatencyCase> rows;
  for (const unsigned& size : kSizes) {
    auto some = run_size(options, size);
    if (!some) return Error{some.error()};
    rows.insert(rows.end(), some->begin(), some->end());
  }
  return rows;
}

}  // namespace nicroscope::sim
