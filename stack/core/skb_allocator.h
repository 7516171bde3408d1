// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "stack/core/sk_buff.h"

namespace nicroscope::kernel {
class Kernel;
}

namespace nicroscope::net {

/// Where the packets of one host come from and go to. Every packet ends consumed or dropped, the
/// drops counted by reason, or as a part of another packet:
/// allocated() == consumed() + dropped() + merged() + live().
class skb_allocator {
 public:
  skb_allocator(kernel::Kernel& kernel);
  skb_allocator(const skb_allocator&) = delete;
  skb_allocator& operator=(const skb_allocator&) = delete;
  /// Every packet must have been freed.
  ~skb_allocator();

  /// An empty packet whose linear part has room for `size` bytes. Null without memory.
  [[nodiscard]] skb_ptr alloc_skb(std::uint32_t size);

  [[nodiscard]] std::uint64_t allocated() const noexcept { return allocated_; }
  [[nodiscard]] std::uint64_t consumed() const noexcept { return consumed_; }
  [[nodiscard]] std::uint64_t dropped(skb_drop_reason reason) const noexcept {
    return dropped_[static_cast<std::size_t>(reason)];
  }
  [[nodiscard]] std::uint64_t dropped() const noexcept;
  /// Packets that went into another's frag_list.
  [[nodiscard]] std::uint64_t merged() const noexcept { return merged_; }
  [[nodiscard]] std::uint64_t live() const noexcept {
    return allocated_ - consumed_ - merged_ - dropped();
  }

 private:
  friend void consume_skb(skb_ptr skb);
  friend void kfree_skb_reason(skb_ptr skb, skb_drop_reason reason);
  friend skb_ptr skb_clone(const sk_buff& skb);
  friend bool pskb_expand_head(sk_buff& skb, std::uint32_t headroom, std::uint32_t tailroom);
  friend void skb_append_frag_list(sk_buff& skb, skb_ptr more);
  friend void kfree_skb_part(sk_buff* skb);

  [[nodiscard]] sk_buff* new_skb();
  [[nodiscard]] skb_shared_info* new_shinfo();
  /// Another sk_buff over the same data, not counted.
  [[nodiscard]] sk_buff* clone(const sk_buff& skb);
  /// Gives up one use of the data, and frees it with the last.
  void put_data(skb_shared_info* shinfo);
  /// Frees the packet, not counted.
  void release(sk_buff* skb);

  kernel::Kernel& kernel_;
  std::vector<std::unique_ptr<sk_buff>> free_skbs_;
  std::vector<std::unique_ptr<skb_shared_info>> free_shinfos_;
  std::uint64_t allocated_ = 0;
  std::uint64_t consumed_ = 0;
  std::uint64_t merged_ = 0;
  std::array<std::uint64_t, SKB_DROP_REASONS> dropped_{};
};

/// Frees a packet that was part of another's frag_list and is not counted.
void kfree_skb_part(sk_buff* skb);

/// Bytes that truesize counts for the structures of a packet beside its buffer.
inline constexpr std::uint32_t kSkbOverhead = sizeof(sk_buff) + sizeof(skb_shared_info);

}  // namespace nicroscope::net
