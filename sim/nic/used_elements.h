// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>

#include "nicroscope/trace.h"
#include "sim/base/ring_queue.h"

namespace nicroscope::sim {

/// Frames of one direction whose used elements the RTL has handed to the writer of used elements,
/// until the driver can see them. One write may hold several elements of one queue; the RTL tells
/// of it with the newest one's tag.
class UsedElements {
 public:
  void handed_over(std::uint32_t tag, unsigned pair, FrameId frame) {
    waiting_.push({tag, pair, frame});
  }

  /// The bus took the write of `tag`: calls each(frame) for every frame in it, or returns false if
  /// it is not known. What is in front of them on other queues will not be written any more.
  template <typename Each>
  bool written(std::uint32_t tag, Each&& each) {
    const std::size_t newest = place(waiting_, tag);
    if (newest == waiting_.size()) return false;
    const unsigned pair = waiting_[newest].pair;
    Line line{tag, 0};
    for (std::size_t i = 0; i <= newest; ++i) {
      const Element element = waiting_.front();
      waiting_.pop();
      if (element.pair != pair) continue;
      each(element.frame);
      written_.push(element);
      ++line.elements;
    }
    lines_.push(line);
    return true;
  }

  /// The write of `tag` was answered: likewise. Writes in front of it have failed.
  template <typename Each>
  bool visible(std::uint32_t tag, Each&& each) {
    const std::size_t found = place(lines_, tag);
    if (found == lines_.size()) return false;
    for (std::size_t i = 0; i <= found; ++i) {
      for (std::size_t left = lines_.front().elements; left != 0; --left) {
        if (i == found) each(written_.front().frame);
        written_.pop();
      }
      lines_.pop();
    }
    return true;
  }

  void clear() noexcept {
    waiting_.clear();
    written_.clear();
    lines_.clear();
  }

 private:
  struct Element {
    std::uint32_t tag = 0;
    unsigned pair = 0;
    FrameId frame = kNoFrame;
  };
  struct Line {
    std::uint32_t tag = 0;
    std::size_t elements = 0;
  };

  template <typename T>
  static std::size_t place(RingQueue<T>& queue, std::uint32_t tag) noexcept {
    std::size_t i = 0;
    while (i != queue.size() && queue[i].tag != tag) ++i;
    return i;
  }

  RingQueue<Element> waiting_;
  RingQueue<Element> written_;  // the lines' elements
  RingQueue<Line> lines_;
};

}  // namespace nicroscope::sim
