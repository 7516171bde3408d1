// SPDX-License-Identifier: Apache-2.0
#include "sim/bus/axi_memory.h"

#include <fmt/format.h>

#include <cstring>

namespace nicroscope::sim {

AxiMemory::AxiMemory(DmaMemory& memory, const Clock& clock, const BusOptions& options,
                     unsigned beat_bytes, std::uint64_t seed)
    : core_(memory, clock, options, beat_bytes, seed),
      read_(core_),
      write_(core_),
      dice_seed_(mix64(seed ^ 0xd1ce)) {
  write_.add_hook({kMsiBase, kMsiBase + kMsiBytes, &AxiMemory::msi_written, this, false});
}

void AxiMemory::run_events(Cycle now) {
  while (!core_.events.empty() && core_.events.top().due <= now) {
    const BusEvent event = core_.events.top();
    core_.events.pop();
    if (event.is_write) {
      write_.make_visible(event);
    } else {
      read_.sample(event);
    }
  }
  core_.next_event = core_.events.empty() ? kNoCycle : core_.events.top().due;
}

void AxiMemory::choose(Cycle now) {
  const std::uint64_t dice = mix64(dice_seed_ ^ now);
  read_.choose(now, dice);
  write_.choose(now, mix64(dice));
}

void AxiMemory::msi_written(void* self, const VisibleWrite& write) {
  auto& axi = *static_cast<AxiMemory*>(self);
  if (!axi.msi_) return;
  std::uint32_t vector = 0;
  std::memcpy(&vector, write.data, std::min<std::size_t>(write.bytes, sizeof vector));
  axi.msi_(vector);
}

std::string AxiMemory::describe() const {
  return fmt::format("AXI: {} reads and {} writes outstanding, {} memory events pending",
                     read_.outstanding(), write_.outstanding(), core_.events.size());
}

}  // namespace nicroscope::sim
