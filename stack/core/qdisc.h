// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "stack/core/sk_buff.h"

namespace nicroscope::net {

struct netdev_queue;

/// A queueing discipline: holds the packets that a device cannot take yet.
class Qdisc {
 public:
  virtual ~Qdisc() = default;

  /// False if the packet was dropped (and freed, with its reason).
  virtual bool enqueue(skb_ptr skb) = 0;
  /// The next packet to send; null if there is none.
  [[nodiscard]] virtual skb_ptr dequeue() = 0;
  /// Puts back what dequeue gave and the device refused: the next dequeue gives it again.
  virtual void requeue(skb_ptr skb) = 0;
  /// Packets held.
  [[nodiscard]] virtual std::size_t qlen() const noexcept = 0;
  /// Drops everything.
  virtual void reset(skb_drop_reason reason) = 0;

  std::uint64_t drops = 0;
  std::uint64_t requeues = 0;

  /// Somebody is sending from it: whoever comes meanwhile only enqueues.
  bool running = false;
};

/// First in, first out, of a limited number of packets (Linux: net/sched/sch_fifo.c).
class pfifo final : public Qdisc {
 public:
  /// Linux's default tx_queue_len.
  static constexpr std::size_t kDefaultLimit = 1000;

  explicit pfifo(std::size_t limit = kDefaultLimit) : limit_(limit) {}

  bool enqueue(skb_ptr skb) override;
  [[nodiscard]] skb_ptr dequeue() override { return queue_.dequeue(); }
  void requeue(skb_ptr skb) override;
  [[nodiscard]] std::size_t qlen() const noexcept override { return queue_.size(); }
  void reset(skb_drop_reason reason) override { queue_.purge(reason); }

 private:
  const std::size_t limit_;
  sk_buff_head queue_;
};

/// Sends what the discipline holds until it is empty, the device stops or a quota is used up; the
/// rest is then NET_TX's. Softirqs are disabled.
void qdisc_run(netdev_queue& txq);

}  // namespace nicroscope::net
