// SPDX-License-Identifier: Apache-2.0
// Stands for the virtqueue engine in tests of the transmit path: hands out the descriptors of
// several queues as they are popped.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <deque>
#include <functional>
#include <random>
#include <vector>

#include "tests/rtl/support/descriptor_source.h"

namespace nicroscope::test {

template <class Model>
class TxQueues {
 public:
  // `taken` is told of each chain, by queue and id, when its first descriptor is handed out.
  TxQueues(unsigned queues, unsigned ring, unsigned stall_percent, uint32_t seed,
           std::function<void(unsigned, uint16_t)> taken)
      : queues_(queues),
        ring_(ring),
        stall_percent_(stall_percent),
        random_(seed),
        taken_(std::move(taken)) {}

  void push(unsigned queue, const Chain& chain) {
    Queue& q = queues_[queue];
    for (size_t i = 0; i < chain.pieces.size(); ++i) {
      const bool more = i + 1 < chain.pieces.size();
      q.waiting.push_back({.piece = chain.pieces[i],
                           .id = chain.id,
                           .flags = static_cast<uint16_t>(more ? 1 : 0),
                           .index = q.index,
                           .first = i == 0});
      q.index = static_cast<uint16_t>((q.index + 1U) % ring_);
    }
  }

  // Inputs for this cycle: the descriptor popped in the last one, and what can be popped now.
  void drive(Model& model) {
    model.desc_valid_i = 0;
    if (due_) {
      due_ = false;
      Queue& q = queues_[due_queue_];
      const Descriptor d = q.waiting.front();
      q.waiting.pop_front();
      --q.visible;
      if (d.first) taken_(due_queue_, d.id);
      q.half = d.flags != 0;
      model.desc_valid_i = 1;
      model.desc_addr_i = d.piece.addr;
      model.desc_len_i = d.piece.len;
      model.desc_id_i = d.id;
      model.desc_flags_i = d.flags;
      model.desc_index_i = d.index;
    }
    unsigned avail = 0;
    for (size_t i = 0; i < queues_.size(); ++i) {
      Queue& q = queues_[i];
      if (q.visible < q.waiting.size() && random_() % 100 >= stall_percent_) {
        q.visible += 1 + random_() % (q.waiting.size() - q.visible);
      }
      avail |= (q.visible > 0 ? 1U : 0U) << i;
    }
    model.avail_i = static_cast<uint8_t>(avail);
  }

  void sample(const Model& model) {
    due_ = model.pop_valid_o;
    due_queue_ = model.pop_queue_o;
    if (due_) {
      EXPECT_TRUE((model.avail_i >> due_queue_ & 1) != 0) << "a pop of an empty queue";
    }
  }

  // Forgets what waits in a queue. True if the chain taken last was of this queue and not whole.
  bool forget(unsigned queue) {
    Queue& q = queues_[queue];
    const bool half = q.half;
    q = {};
    return half;
  }

  // Ids of the chains of which nothing was taken.
  std::vector<uint16_t> untouched(unsigned queue) const {
    std::vector<uint16_t> ids;
    for (const Descriptor& d : queues_[queue].waiting) {
      if (d.first) ids.push_back(d.id);
    }
    return ids;
  }

 private:
  struct Descriptor {
    Piece piece;
    uint16_t id;
    uint16_t flags;
    uint16_t index;
    bool first;
  };
  struct Queue {
    std::deque<Descriptor> waiting;
    size_t visible = 0;
    uint16_t index = 0;
    bool half = false;
  };

  std::vector<Queue> queues_;
  unsigned ring_;
  unsigned stall_percent_;
  std::mt19937 random_;
  std::function<void(unsigned, uint16_t)> taken_;
  bool due_ = false;
  unsigned due_queue_ = 0;
};

}  // namespace nicroscope::test
