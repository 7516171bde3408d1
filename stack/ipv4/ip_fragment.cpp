// SPDX-License-Identifier: Apache-2.0
#include "stack/ipv4/ip_fragment.h"

#include <algorithm>

#include "stack/ipv4/ipv4.h"

namespace nicroscope::net {

namespace {

/// In the control buffer of a queued fragment: which bytes of the packet it holds. Its data starts
/// with them: the IPv4 header before it has been pulled.
struct FragmentCb {
  std::uint32_t offset;
  std::uint32_t end;
};

}  // namespace

IpDefrag::IpDefrag(Ipv4& ipv4, const frag_parms& parms)
    : ipv4_(ipv4), parms_(parms), timer_(ipv4.net.kernel(), [this] { expire(); }) {}

IpDefrag::Queues::iterator IpDefrag::find(const Key& key) {
  const auto [queue, is_new] = queues_.try_emplace(key);
  if (is_new) {
    queue->second.deadline = ipv4_.net.kernel().now() + parms_.time;
    if (!timer_.pending()) schedule_expiry();
  }
  return queue;
}

skb_ptr IpDefrag::ip_defrag(skb_ptr skb) {
  Mib& mib = ipv4_.net.mib;
  mib.inc(mib::IpReasmReqds);
  ipv4_.net.spend(kernel::cost::ip_defrag);
  const Ipv4View iph = ip_hdr(*skb);
  const Key key{iph.saddr(), iph.daddr(), iph.id(), iph.protocol()};
  if (memory_ + skb->truesize > parms_.high_thresh) evict();
  if (memory_ + skb->truesize > parms_.high_thresh) {
    mib.inc(mib::IpReasmFails);
    kfree_skb_reason(std::move(skb), skb_drop_reason::FRAG_LIMIT);
    return nullptr;
  }
  const auto found = find(key);
  Queue& queue = found->second;
  bool refused = false;
  const skb_drop_reason reason = insert(queue, skb, refused);
  if (reason != skb_drop_reason::MAX) {
    if (reason != skb_drop_reason::DUP_FRAG) mib.inc(mib::IpReasmFails);
    kfree_skb_reason(std::move(skb), reason);
    if (refused || queue.fragments.empty()) kill(found, reason);
    return nullptr;
  }
  if (!queue.last_in || queue.received != queue.len) return nullptr;
  skb_ptr whole = reassemble(queue);
  memory_ -= queue.memory;
  queues_.erase(found);
  mib.inc(whole ? mib::IpReasmOKs : mib::IpReasmFails);
  return whole;
}

skb_drop_reason IpDefrag::insert(Queue& queue, skb_ptr& skb, bool& refused) {
  const Ipv4View iph = ip_hdr(*skb);
  const std::uint32_t offset = iph.fragment_offset();
  const unsigned header_len = iph.header_len();
  const bool more = (iph.frag_off() & kIpMf) != 0;
  std::uint32_t size = skb->len - header_len;
  // All but the last are a multiple of 8 bytes: what is over cannot be meant.
  if (more) size &= ~7U;
  const std::uint32_t end = offset + size;
  if (size == 0) return skb_drop_reason::FRAG_MALFORMED;
  if (end + kIpHlen > kIpMaxLen) {
    // No honest sender makes such a packet: nothing of it is kept.
    refused = true;
    return skb_drop_reason::FRAG_TOO_FAR;
  }
  if (more ? (queue.last_in && end > queue.len)
           : (end < queue.len || (queue.last_in && end != queue.len))) {
    refused = true;
    return skb_drop_reason::FRAG_MALFORMED;
  }

  // Mostly they come in order: look from the end.
  sk_buff* next = nullptr;
  sk_buff* previous = queue.fragments.peek_tail();
  while (previous != nullptr && skb_cb<FragmentCb>(*previous).offset >= end) {
    next = previous;
    previous = previous->prev;
  }
  if (previous != nullptr) {
    const FragmentCb& before = skb_cb<FragmentCb>(*previous);
    if (before.offset <= offset && before.end >= end) return skb_drop_reason::DUP_FRAG;
    if (before.end > offset) {
      refused = true;
      return skb_drop_reason::FRAG_OVERLAP;
    }
  }
  if (!pskb_trim(*skb, header_len + size)) return skb_drop_reason::NOMEM;
  skb_pull(*skb, header_len);
  skb->ip_summed = CHECKSUM_NONE;  // the device saw a part only
  skb_cb<FragmentCb>(*skb) = {offset, end};
  queue.len = std::max(queue.len, end);
  if (!more) queue.last_in = true;
  queue.received += size;
  queue.memory += skb->truesize;
  memory_ += skb->truesize;
  queue.fragments.insert_before(next, std::move(skb));
  return skb_drop_reason::MAX;
}

skb_ptr IpDefrag::reassemble(Queue& queue) {
  skb_ptr head = queue.fragments.dequeue();
  const unsigned header_len = static_cast<unsigned>(head->data - skb_network_header(*head));
  const std::uint32_t total = header_len + queue.len;
  // The list of further packets must be this packet's alone.
  const bool fits = total <= kIpMaxLen;
  if (!fits || (skb_cloned(*head) && !pskb_expand_head(*head, 0, 0)) ||
      (head->shinfo->frag_list != nullptr && !skb_linearize(*head))) {
    const auto reason = fits ? skb_drop_reason::NOMEM : skb_drop_reason::FRAG_TOO_FAR;
    kfree_skb_reason(std::move(head), reason);
    queue.fragments.purge(reason);
    return nullptr;
  }
  while (skb_ptr fragment = queue.fragments.dequeue()) {
    skb_append_frag_list(*head, std::move(fragment));
  }
  skb_push(*head, header_len);
  Ipv4View iph = ip_hdr(*head);
  iph.set_tot_len(total);
  iph.set_frag_off(0);
  iph.update_check();
  return head;
}

void IpDefrag::kill(Queues::iterator queue, skb_drop_reason reason) {
  memory_ -= queue->second.memory;
  queue->second.fragments.purge(reason);
  queues_.erase(queue);
}

void IpDefrag::evict() {
  // The packet that has waited for longest goes first.
  while (!queues_.empty() && memory_ > parms_.high_thresh / 4 * 3) {
    const auto oldest = std::min_element(queues_.begin(), queues_.end(), [](auto& a, auto& b) {
      return a.second.deadline < b.second.deadline;
    });
    ipv4_.net.mib.inc(mib::IpReasmFails);
    kill(oldest, skb_drop_reason::FRAG_LIMIT);
  }
}

void IpDefrag::schedule_expiry() {
  if (queues_.empty()) return;
  const auto first = std::min_element(queues_.begin(), queues_.end(), [](auto& a, auto& b) {
    return a.second.deadline < b.second.deadline;
  });
  kernel::Kernel& kernel = ipv4_.net.kernel();
  const Duration left = std::max(first->second.deadline - kernel.now(), Duration::zero());
  kernel.timers().mod_timer(timer_, kernel.jiffies() + kernel.to_jiffies(left) + 1);
}

void IpDefrag::expire() {
  const Time now = ipv4_.net.kernel().now();
  for (auto i = queues_.begin(); i != queues_.end();) {
    const auto queue = i++;
    if (queue->second.deadline > now) continue;
    ipv4_.net.mib.inc(mib::IpReasmTimeout);
    ipv4_.net.mib.inc(mib::IpReasmFails);
    sk_buff* const first = queue->second.fragments.peek();
    if (first != nullptr && skb_cb<FragmentCb>(*first).offset == 0) {
      ipv4_.icmp.icmp_send(*first, ICMP_TYPE_TIME_EXCEEDED, ICMP_CODE_FRAG_TIME, 0);
    }
    kill(queue, skb_drop_reason::FRAG_REASM_TIMEOUT);
  }
  schedule_expiry();
}

}  // namespace nicroscope::net
