// SPDX-License-Identifier: Apache-2.0
#include "sim/experiment/load_window.h"

#include <array>
#include <chrono>

namespace nicroscope::sim {
namespace {

constexpr std::array kCounts{&Moment::sent,       &Moment::delivered,     &Moment::freed,
                             &Moment::interrupts, &Moment::rx_interrupts, &Moment::tx_interrupts,
                             &Moment::polls,      &Moment::polls_done,    &Moment::polls_emptied};

}  // namespace

void Moment::add(const Moment& before, const Moment& after) {
  for (const auto count : kCounts) this->*count += after.*count - before.*count;
  time += after.time - before.time;
  cpu += after.cpu;
  cpu -= before.cpu;
  busy.resize(after.busy.size());
  for (std::size_t i = 0; i < busy.size(); ++i) busy[i] += after.busy[i] - before.busy[i];
}

WindowResult Moment::result() const {
  WindowResult result;
  result.seconds = std::chrono::duration<double>(time).count();
  if (result.seconds == 0) return result;
  const auto share = [&](Duration part) {
    return std::chrono::duration<double>(part).count() / result.seconds;
  };
  result.window_sent = sent;
  result.offered_pps = static_cast<double>(sent) / result.seconds;
  result.delivered_pps = static_cast<double>(delivered) / result.seconds;
  result.cpu = {share(cpu.hardirq), share(cpu.softirq), share(cpu.user + cpu.system)};
  for (const Duration part : busy) result.cpu_busy.push_back(share(part));
  result.interrupts = interrupts;
  result.rx_interrupts = rx_interrupts;
  result.tx_interrupts = tx_interrupts;
  result.polls = polls;
  result.polls_emptied = polls_emptied;
  result.polls_full = polls - polls_done;
  return result;
}

void set_latency(WindowResult& result, const Histogram& latency) {
  constexpr double kNanosecondsPerMicrosecond = 1000;
  const auto us = [&](double part) {
    return static_cast<double>(latency.quantile(part)) / kNanosecondsPerMicrosecond;
  };
  result.latency_us_median = us(0.5);
  result.latency_us_p99 = us(0.99);
}

}  // namespace nicroscope::sim
