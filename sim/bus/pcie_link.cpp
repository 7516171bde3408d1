// SPDX-License-Identifier: Apache-2.0
#include "sim/bus/pcie_link.h"

#include <algorithm>
#include <array>

namespace nicroscope::sim {

namespace {
// Femtoseconds a byte on one lane, line coding included: 8b/10b to generation 2, 128b/130b from 3.
constexpr std::array<std::int64_t, 5> kLaneFs{4'000'000, 2'000'000, 1'015'625, 507'813, 253'906};
}  // namespace

PcieLink::PcieLink(const BusOptions& options)
    : fs_(kLaneFs[std::clamp(options.generation, 1U, 5U) - 1] /
          std::max<std::int64_t>(options.lanes, 1)) {}

}  // namespace nicroscope::sim
