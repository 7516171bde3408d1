// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "nicroscope/trace.h"
#include "sim/machine/machine.h"

namespace nicroscope::sim {

struct ReplayOptions {
  std::string capture;      ///< what goes on the wire: pcap or pcapng
  std::uint64_t limit = 0;  ///< frames of it; 0 for all
  std::string out;          ///< capture of what the host's tap saw; empty for none
  std::string pcap;         ///< capture of what crossed the wire, both ways
  std::string trace;        ///< every trace event, a line each
  FrameId life = kNoFrame;  ///< whose life to tell; kNoFrame for the first that a process received
};

struct ReplayReport {
  std::string problem;  ///< what made the run fail, one line; empty where nothing
  std::uint64_t frames_in = 0;
  std::uint64_t frames_delivered = 0;
  std::map<std::string, std::uint64_t> drops;  ///< by reason, those that happened
  std::uint64_t frames_out = 0;                ///< that the host sent
  std::uint64_t datagrams_echoed = 0;
  std::uint64_t interrupts = 0;
  std::uint64_t polls = 0;
  std::uint64_t cycles = 0;
  std::uint64_t cycles_skipped = 0;
  double simulated_seconds = 0;
  double wall_seconds = 0;
  std::uint64_t trace_hash = 0;
  FrameId life_frame = kNoFrame;
  std::string life;  ///< table of the frame's stages

  [[nodiscard]] std::uint64_t dropped() const;
};

/// Puts a capture's frames on the wire of a machine and holds what its host received against them.
/// Throws BadInput for what cannot be read or written.
[[nodiscard]] ReplayReport replay(const MachineOptions& machine, const ReplayOptions& options);

}  // namespace nicroscope::sim
