// SPDX-License-Identifier: Apache-2.0
#include "stack/core/softnet.h"

#include <bit>
#include <utility>

#include "nicroscope/host_points.h"
#include "stack/core/flow_hash.h"
#include "stack/core/net.h"

namespace nicroscope::net {

Softnet::Softnet(Net& net) : rps(net.kernel().cpus()), net_(net) {
  kernel::NapiCore& napi = net_.kernel().napi();
  for (unsigned id = 0; id < net_.kernel().cpus(); ++id) {
    cpus_.push_back(std::make_unique<PerCpu>(net_.kernel()));
    kernel::napi_struct& backlog = cpus_.back()->backlog;
    backlog.poll = [this, id](int quota) { return process_backlog(id, quota); };
    backlog.queue = kBacklogQueue;
    napi.napi_enable(backlog);
  }
  head_.resize(cpus_.size());
  napi.set_rps_action([this] { net_rps_action(); });
}

Softnet::~Softnet() {
  net_.kernel().napi().set_rps_action(nullptr);
  for (const auto& cpu : cpus_) cpu->input_pkt_queue.purge(skb_drop_reason::HOST_DOWN);
}

std::size_t Softnet::backlog_len(unsigned cpu) const noexcept {
  return cpus_[cpu]->input_pkt_queue.size();
}

std::uint64_t Softnet::throttled(unsigned cpu) const noexcept { return cpus_[cpu]->throttled; }

void Softnet::flush(const net_device& dev) {
  rps.forget(dev);
  for (unsigned id = 0; id < cpus_.size(); ++id) {
    sk_buff_head gone;
    {
      const kernel::spin_guard_irqsave guard(cpus_[id]->lock);
      sk_buff_head& queue = cpus_[id]->input_pkt_queue;
      for (std::size_t n = queue.size(); n != 0; --n) {
        skb_ptr skb = queue.dequeue();
        if (skb->dev != &dev) {
          queue.queue_tail(std::move(skb));
        } else {
          ++head_[id];
          gone.queue_tail(std::move(skb));
        }
      }
      net_.kernel().napi().stat(id).backlog_len = queue.size();
    }
    gone.purge(skb_drop_reason::DEV_DOWN);
  }
}

std::optional<Rps::Choice> Softnet::get_rps_cpu(sk_buff& skb) {
  if (!rps.active()) return std::nullopt;
  net_.spend(kernel::cost::get_rps_cpu);
  return rps.choose(*skb.dev, skb.queue_mapping, skb_get_hash(skb), head_);
}

// Interrupts are off: the queue is filled from hard interrupts.
netif_rx_t Softnet::enqueue_to_backlog(skb_ptr skb, Rps::Choice to) {
  const unsigned id = to.cpu;
  kernel::Kernel& kernel = net_.kernel();
  PerCpu& cpu = *cpus_[id];
  const bool flags = spin_lock_irqsave(cpu.lock);
  net_.spend(kernel::cost::netif_rx);
  kernel::softnet_stat& stat = kernel.napi().stat(id);
  const std::size_t qlen = cpu.input_pkt_queue.size();
  if (qlen == 0) cpu.throttle = false;
  if (qlen > config.netdev_max_backlog && config.throttle && !std::exchange(cpu.throttle, true)) {
    ++cpu.throttled;
  }
  if (cpu.throttle || qlen > config.netdev_max_backlog) {
    ++stat.dropped;
    ++skb->dev->stats.rx_dropped;
    spin_unlock_irqrestore(cpu.lock, flags);
    kfree_skb_reason(std::move(skb), skb_drop_reason::CPU_BACKLOG);
    return NET_RX_DROP;
  }
  net_.trace().emit(point::netif_rx, skb->frame, kernel.cpu().trace_arg(id));
  if (to.by_flow) {
    rps.note_tail(*skb->dev, skb->queue_mapping, skb->hash, head_[id] + qlen + 1);
  }
  cpu.input_pkt_queue.queue_tail(std::move(skb));
  stat.backlog_len = qlen + 1;
  if (qlen != 0) {
    // It is scheduled already.
  } else if (id == kernel.cpu().id()) {
    kernel.napi().napi_schedule(cpu.backlog);
  } else if (kernel.napi().napi_schedule_prep(cpu.backlog)) {
    // Its CPU is told at the end of this one's softirq, once for all packets until then.
    cpus_[kernel.cpu().id()]->ipis |= kernel::cpumask_of(id);
    kernel.raise_softirq(kernel::Softirq::net_rx);
  }
  spin_unlock_irqrestore(cpu.lock, flags);
  return NET_RX_SUCCESS;
}

// Called at the end of each NET_RX softirq: net_rps_action_and_irq_enable.
void Softnet::net_rps_action() {
  kernel::Kernel& kernel = net_.kernel();
  kernel::cpumask_t ipis = std::exchange(cpus_[kernel.cpu().id()]->ipis, 0);
  for (; ipis != 0; ipis &= ipis - 1) {
    const auto id = static_cast<unsigned>(std::countr_zero(ipis));
    const auto rps_trigger_softirq = [this, id] {
      ++net_.kernel().napi().stat(id).received_rps;
      net_.kernel().napi().__napi_schedule(cpus_[id]->backlog);
    };
    kernel.smp_call_function_single(id, rps_trigger_softirq, false);
  }
}

int Softnet::process_backlog(unsigned id, int quota) {
  PerCpu& cpu = *cpus_[id];
  kernel::softnet_stat& stat = net_.kernel().napi().stat(id);
  for (int work = 0; work < quota; ++work) {
    skb_ptr skb;
    {
      const kernel::spin_guard_irqsave guard(cpu.lock);
      skb = cpu.input_pkt_queue.dequeue();
      if (!skb) {
        cpu.throttle = false;
        cpu.backlog.missed = false;  // what came while it was polled was taken along
        net_.kernel().napi().napi_complete_done(cpu.backlog, work);
        return work;
      }
      --stat.backlog_len;
      net_.spend(kernel::cost::process_backlog);
    }
    __netif_receive_skb(std::move(skb));
    ++head_[id];
  }
  return quota;
}

netif_rx_t netif_rx(skb_ptr skb) {
  Net& net = skb->dev->net();
  const auto choice = net.softnet().get_rps_cpu(*skb);
  const Rps::Choice here{net.kernel().cpu().id(), false};
  return net.softnet().enqueue_to_backlog(std::move(skb), choice.value_or(here));
}

void netif_receive_skb(skb_ptr skb) {
  Softnet& softnet = skb->dev->net().softnet();
  if (const auto choice = softnet.get_rps_cpu(*skb)) {
    softnet.enqueue_to_backlog(std::move(skb), *choice);
  } else {
    __netif_receive_skb(std::move(skb));
  }
}

}  // namespace nicroscope::net
