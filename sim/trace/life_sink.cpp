// SPDX-License-Identifier: Apache-2.0
#include "sim/trace/life_sink.h"

#include <fmt/format.h>

#include <algorithm>

#include "sim/trace/point_name.h"

namespace nicroscope::sim {

namespace {

constexpr TracePoint kVisible = rtl_point(regs::kTraceRxVisible);
constexpr TracePoint kMsix = rtl_point(regs::kTraceMsix);

}  // namespace

// Which events without a frame may carry one: between the used buffer and the first function that
// handles the frame, those of the interrupt; after the socket was told, those of the process.
bool LifeSink::carries(Carrier carrier, TracePoint point) noexcept {
  switch (carrier) {
    case Carrier::interrupt:
      return point == kMsix || point == point::hardirq_enter || point == point::napi_schedule ||
             point == point::hardirq_exit || point == point::softirq_enter ||
             point == point::napi_poll || point == point::virtnet_receive;
    case Carrier::process:
      return point == point::process_wake || point == point::process_run ||
             point == point::softirq_exit || point == point::napi_complete_done ||
             point == point::udp_recvmsg || point == point::sys_recvfrom_return;
    case Carrier::none:
      break;
  }
  return false;
}

void LifeSink::on_event(const TraceEvent& event) {
  if (event.frame != frame_ || frame_ == kNoFrame) {
    if (event.frame != kNoFrame || !carries(carrier_, event.point)) return;
    // Only the first of each kind: later ones belong to other frames.
    const auto same = [&](const TraceEvent& other) { return other.point == event.point; };
    if (std::none_of(carried_.begin(), carried_.end(), same)) carried_.push_back(event);
    if (carrier_ == Carrier::process && event.point == point::sys_recvfrom_return) {
      events_.insert(events_.end(), carried_.begin(), carried_.end());
      carried_.clear();
      carrier_ = Carrier::none;
    }
    return;
  }
  events_.insert(events_.end(), carried_.begin(), carried_.end());
  carried_.clear();
  events_.push_back(event);
  if (event.point == kVisible) {
    carrier_ = Carrier::interrupt;
  } else if (event.point == point::sock_def_readable || event.point == point::process_wake) {
    carrier_ = Carrier::process;
  } else if (is_host_point(event.point) && carrier_ == Carrier::interrupt) {
    carrier_ = Carrier::none;
  }
}

std::string life_table(const std::vector<TraceEvent>& events, const Clock& clock) {
  std::string table = fmt::format("{:<22} {:<8} {:>14} {:>12} {:>10} {:>10}\n", "stage", "where",
                                  "time ns", "cycle", "delta ns", "cycles");
  for (std::size_t i = 0; i < events.size(); ++i) {
    const TraceEvent& event = events[i];
    const std::int64_t period = clock.period().count();
    const std::int64_t ps = event.time.count();
    const std::int64_t delta = i == 0 ? 0 : ps - events[i - 1].time.count();
    table += fmt::format(
        "{:<22} {:<8} {:>14.1f} {:>12} {:>10.1f} {:>10.1f}\n", point_name(event.point).name,
        is_host_point(event.point) ? "host" : "nic", static_cast<double>(ps) / 1e3, ps / period,
        static_cast<double>(delta) / 1e3, static_cast<double>(delta) / static_cast<double>(period));
  }
  return table;
}

}  // namespace nicroscope::sim
