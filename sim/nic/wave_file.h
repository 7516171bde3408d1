// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>
#include <verilated.h>
#include <verilated_fst_c.h>

#include <memory>

#include "nicroscope/time.h"
#include "sim/base/failure.h"
#include "sim/nic/nic.h"

namespace nicroscope::sim {

/// The waveform of a traced model; of other models, nothing.
template <typename Model, bool kTraced>
class WaveFile {
 public:
  void open(Model&, VerilatedContext&, const WaveOptions&) {}
  void flush() {}
  void close() {}
};

template <typename Model>
class WaveFile<Model, true> {
 public:
  void open(Model& model, VerilatedContext& context, const WaveOptions& options) {
    if (options.file.empty()) return;
    window_ = options.window;
    context.timeunit(-12);
    context.timeprecision(-12);
    file_ = std::make_unique<VerilatedFstC>();
    file_->set_time_unit("1ps");
    file_->set_time_resolution("1ps");
    model.trace(file_.get(), 99);
    file_->open(options.file.c_str());
    if (!file_->isOpen()) {
      throw SimulationFailure(fmt::format("cannot write the waveform {}", options.file));
    }
  }

  /// A whole clock cycle that begins at `time`, both edges in the file if they are in its window.
  /// Edges before the first cycle leave no trace: `time` must grow for one to be written. The clock
  /// is low at the beginning, so that the RTL's clock gates see the inputs of the rising edge.
  template <typename Root>
  void edges(Model& model, Root& root, VerilatedContext& context, Time time, Duration period) {
    const bool wanted =
        file_ != nullptr && (window_ == nullptr || window_->holds(time)) && time > last_;
    model.eval();
    root.clk_i = 1;
    context.time(static_cast<std::uint64_t>(time.count()));
    model.eval();
    if (wanted) file_->dump(static_cast<std::uint64_t>(time.count()));
    root.clk_i = 0;
    model.eval();
    if (wanted) file_->dump(static_cast<std::uint64_t>((time + period / 2).count()));
    if (wanted) last_ = time;
  }

  void flush() {
    if (file_ != nullptr) file_->flush();
  }
  void close() {
    if (file_ != nullptr) file_->close();
  }

 private:
  std::unique_ptr<VerilatedFstC> file_;
  std::shared_ptr<const TimeWindow> window_;
  Time last_{0};
};

}  // namespace nicroscope::sim
