// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <optional>
#include <utility>

#include "sim/cli/command.h"
#include "sim/simulation.h"
#include "sim/trace/event_window.h"
#include "sim/trace/text_sink.h"
#include "sim/wire/pcap_sink.h"

namespace nicroscope::cli {

/// The files that --pcap and --trace ask for, of one NIC.
class WireRecords {
 public:
  /// The simulation must outlive this. The trace has the events in `window` alone.
  WireRecords(sim::Simulation& simulation, const CommonOptions& options,
              const sim::TimeWindow& window = {})
      : simulation_(simulation), window_(window) {
    if (!options.pcap.empty()) {
      capture_ = take(sim::PcapWriter::create(options.pcap));
      capture_sink_.emplace(*capture_);
      simulation.wire().add_sink(*capture_sink_);
    }
    if (!options.trace.empty()) {
      text_ = take(sim::TextSink::create(options.trace, simulation.clock()));
      events_.emplace(*text_, window_);
      simulation.trace().add(*events_);
    }
  }
  WireRecords(const WireRecords&) = delete;
  WireRecords& operator=(const WireRecords&) = delete;
  ~WireRecords() {
    if (capture_sink_) simulation_.wire().remove_sink(*capture_sink_);
    if (events_) simulation_.trace().remove(*events_);
  }
  /// Gives the files their names.
  void close() {
    std::optional<sim::Error> error;
    if (capture_) error = capture_->close();
    if (!error && text_) error = text_->close();
    if (error) throw sim::BadInput(error->message);
  }

 private:
  template <typename T>
  static T take(sim::Result<T> result) {
    if (!result) throw sim::BadInput(result.error());
    return std::move(*result);
  }

  sim::Simulation& simulation_;
  const sim::TimeWindow window_;
  std::unique_ptr<sim::PcapWriter> capture_;
  std::optional<sim::PcapSink> capture_sink_;
  std::unique_ptr<sim::TextSink> text_;
  std::optional<sim::EventWindow> events_;
};

}  // namespace nicroscope::cli
