// SPDX-License-Identifier: Apache-2.0
// Stands for the virtqueue engine in tests of the datapath: hands out descriptors of one queue.
#pragma once

#include <cstdint>
#include <deque>
#include <random>
#include <vector>

namespace nicroscope::test {

struct Piece {
  uint64_t addr;
  uint32_t len;
};

// A chain of descriptors under one buffer id.
struct Chain {
  uint16_t id;
  std::vector<Piece> pieces;

  uint32_t bytes() const {
    uint32_t total = 0;
    for (const Piece& piece : pieces) total += piece.len;
    return total;
  }
};

template <class Model>
class DescriptorSource {
 public:
  DescriptorSource(unsigned queue, unsigned ring, unsigned stall_percent, uint32_t seed)
      : queue_(queue), ring_(ring), stall_percent_(stall_percent), random_(seed) {}

  void push(const Chain& chain) {
    for (size_t i = 0; i < chain.pieces.size(); ++i) {
      const bool more = i + 1 < chain.pieces.size();
      waiting_.push_back({.piece = chain.pieces[i],
                          .id = chain.id,
                          .flags = static_cast<uint16_t>(more ? 1 : 0),
                          .index = index_});
      index_ = static_cast<uint16_t>((index_ + 1U) % ring_);
    }
  }

  size_t waiting() const { return waiting_.size(); }
  size_t popped() const { return popped_; }

  // Inputs for this cycle: the descriptor popped in the last one, and what can be popped now.
  void drive(Model& model) {
    model.desc_valid_i = 0;
    if (due_) {
      const Descriptor& d = waiting_.front();
      model.desc_valid_i = 1;
      model.desc_addr_i = d.piece.addr;
      model.desc_len_i = d.piece.len;
      model.desc_id_i = d.id;
      model.desc_flags_i = d.flags;
      model.desc_index_i = d.index;
      waiting_.pop_front();
      --visible_;
      ++popped_;
      due_ = false;
    }
    if (visible_ < waiting_.size() && random_() % 100 >= stall_percent_) {
      visible_ = visible_ + 1 + random_() % (waiting_.size() - visible_);
    }
    model.avail_i = static_cast<uint8_t>((visible_ > 0 ? 1U : 0U) << queue_);
  }

  void sample(const Model& model) { due_ = model.pop_valid_o && model.pop_queue_o == queue_; }

 private:
  struct Descriptor {
    Piece piece;
    uint16_t id;
    uint16_t flags;
    uint16_t index;
  };

  unsigned queue_;
  unsigned ring_;
  unsigned stall_percent_;
  std::mt19937 random_;
  std::deque<Descriptor> waiting_;
  size_t visible_ = 0;
  size_t popped_ = 0;
  uint16_t index_ = 0;
  bool due_ = false;
};

}  // namespace nicroscope::test
