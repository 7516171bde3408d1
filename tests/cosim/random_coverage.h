// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "nicroscope/virtio.h"
#include "tests/cosim/receive_config.h"
#include "tests/golden/filter.h"
#include "tests/golden/parse.h"
#include "tests/support/coverage.h"
#include "tests/support/net_agent.h"

namespace nicroscope::test {

/// The crosses of the random cosimulation, and what fills them. A cross is expected to be full once
/// a device with its features was driven.
void declare_coverage(Coverage& coverage);
void expect_coverage(Coverage& coverage, std::uint64_t features);

void cover_arrived(Coverage& coverage, const golden::ParsedFrame& frame, std::size_t bytes,
                   const golden::ReceiveFilter& filter, bool accepted);
void cover_delivered(Coverage& coverage, const ReceiveConfig& config, const ReceivedFrame& frame,
                     const golden::ParsedFrame& head, std::size_t members);
void cover_queued(Coverage& coverage, const virtio::NetHeader& header, std::size_t bytes,
                  std::size_t segments);
/// At the end of a session: rings and interrupts of every queue.
void cover_session(Coverage& coverage, const NetAgent& agent, bool moderated);
void cover_command(Coverage& coverage, const std::string& name, bool accepted);
void cover_reset(Coverage& coverage, const std::string& kind, bool under_traffic);

}  // namespace nicroscope::test
