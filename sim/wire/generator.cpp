// SPDX-License-Identifier: Apache-2.0
#include "sim/wire/generator.h"

#include <algorithm>
#include <cmath>

#include "sim/wire/stamp.h"

namespace nicroscope::sim {
namespace {

constexpr std::size_t kFcsBytes = 4;
constexpr unsigned kSmallest = 64;
constexpr unsigned kLargest = 9026;
constexpr double kPicosecondsPerSecond = 1e12;

/// Ones' complement sum of big-endian halfwords (RFC 1071), not folded.
std::uint64_t sum_of(std::span<const std::byte> bytes) {
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    sum += std::to_integer<std::uint64_t>(bytes[i]) << (i % 2 == 0 ? 8U : 0U);
  }
  return sum;
}

std::uint64_t complement(std::uint64_t sum) {
  while (sum > 0xffff) sum = (sum & 0xffffU) + (sum >> 16U);
  return ~sum & 0xffffU;
}

std::vector<std::byte> make_template(const GeneratorOptions& options, const GeneratorPhase& phase,
                                     std::size_t size) {
  std::vector<std::byte> frame(size);
  for (std::size_t i = Stamp::kPayload + Stamp::kBytes; i < size; ++i) {
    frame[i] = static_cast<std::byte>(i * 7 & 0xffU);
  }
  const auto put = [&](std::size_t at, std::uint64_t value, unsigned bytes) {
    Stamp::store_be(frame.data() + at, value, bytes);
  };
  for (std::size_t i = 0; i < 6; ++i) {
    frame[i] = std::byte{options.destination[i]};
    frame[6 + i] = std::byte{options.source[i]};
  }
  constexpr std::size_t kIp = Stamp::kIp;
  constexpr std::size_t kUdp = Stamp::kUdp;
  put(12, 0x0800, 2);
  put(kIp, 0x4500, 2);
  put(kIp + 2, size - kIp, 2);
  put(kIp + 6, 0x4000, 2);  // do not fragment
  put(kIp + 8, 64 << 8 | 17, 2);
  put(kIp + 12, options.source_address, 4);
  put(kIp + 16, phase.destination_address, 4);
  put(kIp + 10, complement(sum_of({frame.data() + kIp, kUdp - kIp})), 2);
  put(kUdp + 4, size - kUdp, 2);
  return frame;
}

}  // namespace

Generator::Generator(const GeneratorOptions& options)
    : options_(options),
      random_(options.seed),
      due_(options.start),
      phase_start_(options.start),
      phase_end_(kNever) {
  if (options_.phases.empty()) {
    options_.phases.push_back(static_cast<const GeneratorPhase&>(options_));
  } else {
    phase_end_ = phase_start_ + options_.phases.front().length;
  }
  for (const GeneratorPhase& phase : options_.phases) {
    for (const unsigned size : options_.sizes) {
      Template entry{
          make_template(options_, phase, std::clamp(size, kSmallest, kLargest) - kFcsBytes), 0};
      const std::span<const std::byte> bytes(entry.bytes);
      entry.sum = sum_of(bytes.subspan(Stamp::kIp + 12)) + 17 + (bytes.size() - Stamp::kUdp);
      templates_.push_back(std::move(entry));
    }
  }
}

const WireFrame* Generator::peek() {
  if (!loaded_) {
    while (due_ >= phase_end_ && due_ < options_.end) {
      if (options_.phases[phase_].outstanding != 0 && made_ - first_ != returned_) return nullptr;
      next_phase();
    }
    const GeneratorPhase& phase = options_.phases[phase_];
    if (made_ >= options_.frames || due_ >= options_.end) return nullptr;
    if (phase.outstanding != 0 && made_ - first_ - returned_ >= phase.outstanding) return nullptr;
    make();
  }
  return &next_;
}

void Generator::begun(Time now) {
  if (on_begun_) on_begun_(sent_ + 1, now);
}

void Generator::next_phase() {
  // Frames at a rate come until the end; the answer to the last question may be later.
  const bool late = options_.phases[phase_].outstanding != 0;
  phase_start_ = late ? due_ : std::max(phase_start_, phase_end_);
  phase_ = (phase_ + 1) % options_.phases.size();
  phase_end_ += options_.phases[phase_].length;
  due_ = phase_start_;
  elapsed_ps_ = 0;
  first_ = made_;
  returned_ = 0;
}

void Generator::pop() {
  loaded_ = false;
  ++sent_;
}

void Generator::returned(Time now, std::uint64_t sequence) noexcept {
  if (sequence < first_) return;
  ++returned_;
  if (options_.phases[phase_].outstanding != 0) due_ = std::max(due_, now);
}

void Generator::make() {
  const std::size_t sizes = options_.sizes.size();
  Template& entry = templates_[phase_ * sizes + made_ % sizes];
  std::byte* const bytes = entry.bytes.data();
  const std::uint64_t flow = made_ % options_.flows;
  const auto port = static_cast<std::uint16_t>(kFirstPort + flow);
  const auto to = static_cast<std::uint16_t>(options_.phases[phase_].destination_port +
                                             flow % options_.destination_ports);
  Stamp::store_be(bytes + Stamp::kUdp, port, 2);
  Stamp::store_be(bytes + Stamp::kUdp + 2, to, 2);
  Stamp{made_, due_}.store(bytes + Stamp::kPayload);
  const std::uint64_t varying =
      port + to + sum_of({bytes + Stamp::kPayload, Stamp::kBytes});  // an even offset
  const std::uint64_t check = complement(entry.sum + varying);
  Stamp::store_be(bytes + Stamp::kUdp + 6, check == 0 ? 0xffff : check, 2);
  next_ = {entry.bytes, due_, WireFault::none};
  loaded_ = true;
  ++made_;
  advance();
}

void Generator::advance() {
  const GeneratorPhase& phase = options_.phases[phase_];
  if (phase.outstanding != 0) return;
  const double gap_ps = kPicosecondsPerSecond / phase.frames_per_second;
  const std::uint64_t made = made_ - first_;
  switch (phase.spacing) {
    case Spacing::constant:
      elapsed_ps_ = static_cast<double>(made) * gap_ps;
      break;
    case Spacing::poisson: {
      constexpr double kUnit = 0x1p-53;  // (0, 1]
      const double uniform = static_cast<double>((random_.next() >> 11U) + 1) * kUnit;
      elapsed_ps_ -= std::log(uniform) * gap_ps;
      break;
    }
    case Spacing::bursts:
      elapsed_ps_ = static_cast<double>(made / phase.burst * std::uint64_t{phase.burst}) * gap_ps;
      break;
  }
  due_ = phase_start_ + Duration{std::llround(elapsed_ps_)};
}

}  // namespace nicroscope::sim
