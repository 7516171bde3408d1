// SPDX-License-Identifier: Apache-2.0
// Adaptive interrupt moderation (ethtool -C adaptive-rx on): the data path samples, a process sets
// what was decided, as commands have to be waited for (Linux: virtnet_rx_dim_work).
#include "driver/virtio_net.h"
#include "nicroscope/host_points.h"

namespace nicroscope::driver {

namespace {

constexpr unsigned kProfileShift = 16;  // in a net_dim event's argument

}  // namespace

void VirtioNet::sample_dim(QueuePair& pair, bool tx) {
  const CoalesceSettings& settings = queue_coalesce_[pair.index];
  if (tx ? !settings.adaptive_tx : !settings.adaptive_rx) return;
  kernel_.spend(kernel::cost::net_dim);
  DimSample sample;
  sample.time = kernel_.now();
  sample.packets = tx ? pair.tx_stats.packets : pair.rx_stats.packets;
  sample.bytes = tx ? pair.tx_stats.bytes : pair.rx_stats.bytes;
  sample.events = tx ? pair.tx_events : pair.rx_events;
  if (!(tx ? pair.tx_dim : pair.rx_dim).sample(sample)) return;
  (tx ? pair.tx_dim_changed : pair.rx_dim_changed) = true;
  dim_changed_ = true;
  config_wait_.wake_up();
}

void VirtioNet::apply_dim() {
  const kernel::mutex_guard guard(lock_);
  for (const auto& pair : pairs_) {
    CoalesceSettings& settings = queue_coalesce_[pair->index];
    const auto apply = [&](bool& changed, bool adaptive, NetDim& dim, Moderation& set,
                           std::uint16_t queue) {
      if (!std::exchange(changed, false)) return;
      if (adaptive && running_ && send_queue_coalesce(queue, dim.moderation())) {
        set = dim.moderation();
        own_coalesce_[pair->index] = true;
        kernel_.trace().emit(point::net_dim, kNoFrame,
                             queue | std::uint64_t{dim.profile()} << kProfileShift);
      }
      dim.applied();
    };
    apply(pair->rx_dim_changed, settings.adaptive_rx, pair->rx_dim, settings.rx, pair->rx_index());
    apply(pair->tx_dim_changed, settings.adaptive_tx, pair->tx_dim, settings.tx, pair->tx_index());
  }
}

// What was learned belongs to settings that are no more.
void VirtioNet::forget_dim() {
  for (const auto& pair : pairs_) {
    pair->rx_dim.reset();
    pair->tx_dim.reset();
    pair->rx_dim_changed = pair->tx_dim_changed = false;
  }
}

}  // namespace nicroscope::driver
