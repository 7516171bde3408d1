// SPDX-License-Identifier: Apache-2.0
#include "stack/core/skb_allocator.h"

#include <cstring>
#include <numeric>
#include <utility>

#include "nicroscope/host_points.h"
#include "stack/kernel/kernel.h"

namespace nicroscope::net {

namespace {

void set_buffer(sk_buff& skb, skb_shared_info& shinfo) {
  skb.shinfo = &shinfo;
  skb.head = shinfo.head;
  skb.data = skb.head;
  skb.tail = skb.head;
  skb.end = skb.head + shinfo.size;
}

}  // namespace

skb_allocator::skb_allocator(kernel::Kernel& kernel) : kernel_(kernel) {}

skb_allocator::~skb_allocator() { assert(live() == 0); }

std::uint64_t skb_allocator::dropped() const noexcept {
  return std::accumulate(dropped_.begin(), dropped_.end(), std::uint64_t{0});
}

sk_buff* skb_allocator::new_skb() {
  std::unique_ptr<sk_buff> skb;
  if (free_skbs_.empty()) {
    skb = std::make_unique<sk_buff>();
  } else {
    skb = std::move(free_skbs_.back());
    free_skbs_.pop_back();
    *skb = sk_buff();
  }
  skb->allocator = this;
  return skb.release();
}

skb_shared_info* skb_allocator::new_shinfo() {
  if (free_shinfos_.empty()) return std::make_unique<skb_shared_info>().release();
  skb_shared_info* const shinfo = free_shinfos_.back().release();
  free_shinfos_.pop_back();
  return shinfo;
}

skb_ptr skb_allocator::alloc_skb(std::uint32_t size) {
  kernel_.spend(kernel::cost::skb_alloc);
  auto* const buffer = static_cast<std::byte*>(kernel_.memory().kmalloc(size));
  if (buffer == nullptr) return nullptr;
  skb_shared_info* const shinfo = new_shinfo();
  shinfo->head = buffer;
  shinfo->size = size;
  shinfo->dataref = 1;
  sk_buff* const skb = new_skb();
  set_buffer(*skb, *shinfo);
  skb->truesize = size + kSkbOverhead;
  ++allocated_;
  return skb_ptr(skb);
}

void skb_allocator::put_data(skb_shared_info* shinfo) {
  if (--shinfo->dataref != 0) return;
  kernel_.memory().kfree(shinfo->head);
  for (unsigned i = 0; i < shinfo->nr_frags; ++i) shinfo->frags[i] = {};
  shinfo->nr_frags = 0;
  while (sk_buff* const part = shinfo->frag_list) {
    shinfo->frag_list = part->next;
    release(part);
  }
  shinfo->gso_type = 0;
  shinfo->gso_size = 0;
  shinfo->gso_segs = 0;
  free_shinfos_.emplace_back(shinfo);
}

void skb_allocator::release(sk_buff* skb) {
  skb_orphan(*skb);
  put_data(skb->shinfo);
  free_skbs_.emplace_back(skb);
}

sk_buff* skb_allocator::clone(const sk_buff& skb) {
  sk_buff* const copy = new_skb();
  *copy = skb;
  copy->next = nullptr;
  copy->prev = nullptr;
  copy->sk = nullptr;
  copy->destructor = nullptr;
  ++copy->shinfo->dataref;
  return copy;
}

skb_ptr skb_clone(const sk_buff& skb) {
  skb_allocator& allocator = *skb.allocator;
  allocator.kernel_.spend(kernel::cost::skb_clone);
  ++allocator.allocated_;
  return skb_ptr(allocator.clone(skb));
}

bool pskb_expand_head(sk_buff& skb, std::uint32_t headroom, std::uint32_t tailroom) {
  skb_allocator& allocator = *skb.allocator;
  skb_shared_info& old = *skb.shinfo;
  const std::uint32_t size = old.size + headroom + tailroom;
  auto* const buffer = static_cast<std::byte*>(allocator.kernel_.memory().kmalloc(size));
  if (buffer == nullptr) return false;
  const auto used = static_cast<std::size_t>(skb.tail - skb.data);
  const std::uint32_t data_offset = skb_headroom(skb) + headroom;
  // Headers before `data` belong to the packet too: all from head to tail is kept.
  std::memcpy(buffer + headroom, skb.head, static_cast<std::size_t>(skb.tail - skb.head));

  if (old.dataref == 1) {
    allocator.kernel_.memory().kfree(old.head);
    old.head = buffer;
    old.size = size;
  } else {
    skb_shared_info* const shinfo = allocator.new_shinfo();
    shinfo->head = buffer;
    shinfo->size = size;
    shinfo->dataref = 1;
    shinfo->gso_type = old.gso_type;
    shinfo->gso_size = old.gso_size;
    shinfo->gso_segs = old.gso_segs;
    shinfo->nr_frags = old.nr_frags;
    for (unsigned i = 0; i < old.nr_frags; ++i) shinfo->frags[i] = old.frags[i];
    sk_buff** link = &shinfo->frag_list;
    for (const sk_buff* part = old.frag_list; part != nullptr; part = part->next) {
      *link = allocator.clone(*part);
      link = &(*link)->next;
    }
    allocator.put_data(&old);
    skb.shinfo = shinfo;
  }
  skb.head = buffer;
  skb.data = buffer + data_offset;
  skb.tail = skb.data + used;
  skb.end = buffer + size;
  skb.mac_header += headroom;
  skb.network_header += headroom;
  skb.transport_header += headroom;
  skb.csum_start += headroom;
  // A socket was charged for the old size and gives that back: the charge is not changed.
  if (skb.sk == nullptr) skb.truesize += headroom + tailroom;
  return true;
}

void skb_append_frag_list(sk_buff& skb, skb_ptr more) {
  assert(!skb_cloned(skb));
  ++skb.allocator->merged_;
  skb_orphan(*more);
  skb.len += more->len;
  skb.data_len += more->len;
  skb.truesize += more->truesize;
  sk_buff** link = &skb.shinfo->frag_list;
  while (*link != nullptr) link = &(*link)->next;
  *link = more.release();
}

void kfree_skb_part(sk_buff* skb) { skb->allocator->release(skb); }

void consume_skb(skb_ptr skb) {
  if (!skb) return;
  skb_allocator& allocator = *skb->allocator;
  allocator.kernel_.spend(kernel::cost::skb_free);
  ++allocator.consumed_;
  allocator.release(skb.release());
}

void kfree_skb_reason(skb_ptr skb, skb_drop_reason reason) {
  if (!skb) return;
  skb_allocator& allocator = *skb->allocator;
  allocator.kernel_.spend(kernel::cost::skb_free);
  allocator.kernel_.trace().emit(point::kfree_skb, skb->frame, static_cast<std::uint64_t>(reason));
  ++allocator.dropped_[static_cast<std::size_t>(reason)];
  allocator.release(skb.release());
}

}  // namespace nicroscope::net
