// SPDX-License-Identifier: Apache-2.0
#include "sim/bench/bench_offload.h"

#include <fmt/format.h>

#include <memory>

#include "sim/bench/bounds.h"
#include "sim/bench/offload_host.h"
#include "sim/bench/tcp_stream.h"
#include "sim/scenario/scenario.h"

namespace nicroscope::sim {
namespace {

constexpr Duration kWarmUp = std::chrono::microseconds{200};
constexpr Duration kWindow = std::chrono::microseconds{2000};
constexpr Duration kStep = std::chrono::microseconds{5};
constexpr unsigned kFcsBytes = 4;
constexpr unsigned kManyFlows = 16;

/// Segments of some flows in turn, without a gap and without end.
class SegmentSource final : public FrameSource {
 public:
  SegmentSource(const TcpStream& stream, unsigned flows)
      : stream_(stream), flows_(flows), frame_(TcpStream::kHeaders + TcpStream::kSegment) {
    load();
  }
  [[nodiscard]] const WireFrame* peek() override { return &next_; }
  void pop() override {
    ++sent_;
    load();
  }

 private:
  void load() {
    const std::uint64_t position = sent_ / flows_ * TcpStream::kSegment;
    stream_.write_headers(frame_, static_cast<unsigned>(sent_ % flows_), position,
                          TcpStream::kSegment, TcpStream::Checksum::whole);
    std::ranges::copy(stream_.bytes(position, TcpStream::kSegment),
                      frame_.begin() + TcpStream::kHeaders);
    next_.bytes = frame_;
  }

  const TcpStream& stream_;
  unsigned flows_;
  std::vector<std::byte> frame_;
  WireFrame next_;
  std::uint64_t sent_ = 0;
};

/// Takes what the NIC sends as a receiver would.
class SegmentSink final : public FrameSink {
 public:
  explicit SegmentSink(const TcpStream& stream) : receiver_(stream, 1) {}

  void on_frame(const PassedFrame& frame) override {
    if (frame.direction != WireDirection::from_nic) return;
    if (!frame.good || !TcpStream::checksums_right(frame.bytes)) {
      complaint_ = "a segment left the NIC with a wrong checksum";
    } else if (!receiver_.take(frame.bytes)) {
      complaint_ = "a segment left the NIC that was not the next one";
    }
  }
  [[nodiscard]] std::uint64_t bytes() const noexcept { return receiver_.bytes(); }
  [[nodiscard]] std::string_view complaint() const noexcept { return complaint_; }

 private:
  TcpReceiver receiver_;
  std::string_view complaint_;
};

struct Counts {
  double seconds;
  double bytes;
  double frames;
  double descriptors;
  double interrupts;
};

Result<OffloadCase> run_case(const SimulationOptions& options, OffloadHost::Role role, bool offload,
                             unsigned flows) {
  auto created = Simulation::create(options);
  if (!created) throw BadInput(created.error());
  Simulation& simulation = **created;
  const TcpStream stream;
  SegmentSource source(stream, flows);
  SegmentSink sink(stream);
  OffloadHost host(simulation, stream, role, offload, flows);
  const bool sends = role == OffloadHost::Role::sender;
  const auto failed = [&](std::string_view problem) {
    return Error{fmt::format("{}, offload {}, {} flows: {}", sends ? "tx" : "rx",
                             offload ? "on" : "off", flows, problem)};
  };
  if (const std::string problem = host.start(); !problem.empty()) return failed(problem);
  simulation.wire().add_sink(sink);
  if (!sends) simulation.wire().set_source(&source);

  EventQueue& timeline = simulation.timeline();
  const auto counts = [&] {
    return Counts{std::chrono::duration<double>(timeline.now()).count(),
                  static_cast<double>(sends ? sink.bytes() : host.bytes()),
                  static_cast<double>(host.frames()), static_cast<double>(host.descriptors()),
                  static_cast<double>(host.interrupts())};
  };
  const auto run_for = [&](Duration duration) -> std::string {
    const Time end = timeline.now() + duration;
    while (timeline.now() < end) {
      const RunResult result = simulation.run_until(timeline.now() + kStep);
      if (!result.ok()) return result.message;
      if (!host.complaint().empty()) return std::string(host.complaint());
      if (!sink.complaint().empty()) return std::string(sink.complaint());
    }
    return {};
  };
  if (const std::string problem = run_for(kWarmUp); !problem.empty()) return failed(problem);
  const Counts begin = counts();
  if (const std::string problem = run_for(kWindow); !problem.empty()) return failed(problem);
  const Counts end = counts();

  const double payload = end.bytes - begin.bytes;
  const double mbytes = payload / 1e6;
  const double frames_on_link =
      link_bound(simulation.profile(), TcpStream::kHeaders + TcpStream::kSegment + kFcsBytes);
  OffloadCase row{.way = sends ? "tx" : "rx",
                  .offload = offload,
                  .flows = flows,
                  .payload_gbps = payload * 8e-9 / (end.seconds - begin.seconds),
                  .link_gbps = frames_on_link * TcpStream::kSegment * 8e-9,
                  .ratio = 0,
                  .frames_per_mbyte = (end.frames - begin.frames) / mbytes,
                  .descriptors_per_mbyte = (end.descriptors - begin.descriptors) / mbytes,
                  .interrupts_per_mbyte = (end.interrupts - begin.interrupts) / mbytes};
  row.ratio = row.payload_gbps / row.link_gbps;
  return row;
}

}  // namespace

Result<std::vector<OffloadCase>> bench_offload(const std::string& profile, std::uint64_t seed) {
  SimulationOptions options;
  options.profile = profile;
  options.seed = seed;
  options.bus = BusOptions::gen4_x16();
  std::vector<OffloadCase> rows;
  const auto add = [&](OffloadHost::Role role, bool offload, unsigned flows) -> std::string {
    auto row = run_case(options, role, offload, flows);
    if (!row) return row.error();
    rows.push_back(*row);
    return {};
  };
  for (const bool offload : {false, true}) {
    if (auto problem = add(OffloadHost::Role::sender, offload, 1); !problem.empty()) {
      return Error{problem};
    }
  }
  for (const unsigned flows : {1U, kManyFlows}) {
    for (const bool offload : {false, true}) {
      if (auto problem = add(OffloadHost::Role::receiver, offload, flows); !problem.empty()) {
        return Error{problem};
      }
    }
  }
  return rows;
}

}  // namespace nicroscope::sim
