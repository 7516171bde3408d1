// SPDX-License-Identifier: Apache-2.0
#pragma once

// An encoder and a decoder of 64-bit XGMII (IEEE 802.3 clause 46) for tests, written against the
// standard and not against rtl/mac: symbols are made and read one by one, the FCS is zlib's crc32.

#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace nicroscope::test {

inline constexpr std::uint8_t kIdle = 0x07;
inline constexpr std::uint8_t kStart = 0xfb;
inline constexpr std::uint8_t kTerminate = 0xfd;
inline constexpr std::uint8_t kError = 0xfe;
inline constexpr std::uint8_t kSequence = 0x9c;
inline constexpr std::uint8_t kPreamble = 0x55;
inline constexpr std::uint8_t kDelimiter = 0xd5;

using Bytes = std::vector<std::uint8_t>;

/// One lane of one word.
struct Symbol {
  std::uint8_t value = kIdle;
  bool control = true;
  bool is(std::uint8_t code) const { return control && value == code; }
};

/// Eight lanes: lane 0 in bits 7:0 of data and bit 0 of control.
struct XgmiiWord {
  std::uint64_t data = 0x0707070707070707;
  std::uint8_t control = 0xff;

  Symbol lane(unsigned index) const {
    return {static_cast<std::uint8_t>(data >> (8 * index)), ((control >> index) & 1) != 0};
  }
  void set_lane(unsigned index, Symbol symbol) {
    data &= ~(std::uint64_t{0xff} << (8 * index));
    data |= std::uint64_t{symbol.value} << (8 * index);
    control = static_cast<std::uint8_t>(control & ~(1u << index));
    control = static_cast<std::uint8_t>(control | (symbol.control ? 1u << index : 0u));
  }
  bool operator==(const XgmiiWord&) const = default;
};

/// The FCS of a frame as a number; its low byte goes first on the wire.
inline std::uint32_t fcs_of(std::span<const std::uint8_t> frame) {
  return static_cast<std::uint32_t>(
      crc32(crc32(0, nullptr, 0), frame.data(), static_cast<uInt>(frame.size())));
}

inline void append_fcs(Bytes& frame) {
  const std::uint32_t fcs = fcs_of(frame);
  for (unsigned shift = 0; shift < 32; shift += 8) {
    frame.push_back(static_cast<std::uint8_t>(fcs >> shift));
  }
}

/// Builds a stream of symbols; position 0 is lane 0 of the first word.
class XgmiiEncoder {
 public:
  std::size_t position() const { return symbols_.size(); }
  unsigned lane() const { return static_cast<unsigned>(symbols_.size() % 8); }

  void control(std::uint8_t code) { symbols_.push_back({code, true}); }
  void data(std::uint8_t value) { symbols_.push_back({value, false}); }
  void data(std::span<const std::uint8_t> values) {
    for (std::uint8_t value : values) data(value);
  }
  void idle(std::size_t octets) { symbols_.insert(symbols_.end(), octets, Symbol{}); }
  /// Idles until the next octet is in the given lane.
  void idle_to_lane(unsigned lane_index) {
    while (lane() != lane_index) idle(1);
  }

  /// Start symbol, preamble and delimiter; the caller sees to the lane (0 or 4).
  void preamble() {
    control(kStart);
    for (int i = 0; i < 6; ++i) data(kPreamble);
    data(kDelimiter);
  }
  /// A whole frame with its FCS, from the next lane 0 or 4 on; no gap after the terminate symbol.
  void frame(Bytes octets) {
    while (lane() % 4 != 0) idle(1);
    append_fcs(octets);
    preamble();
    data(octets);
    control(kTerminate);
  }

  std::vector<Symbol>& symbols() { return symbols_; }

  /// The stream as words, filled up with idles.
  std::vector<XgmiiWord> words() const {
    std::vector<XgmiiWord> result((symbols_.size() + 7) / 8);
    for (std::size_t i = 0; i < symbols_.size(); ++i) {
      result[i / 8].set_lane(static_cast<unsigned>(i % 8), symbols_[i]);
    }
    return result;
  }

 private:
  std::vector<Symbol> symbols_;
};

/// What the decoder saw between a start symbol and what ended the frame.
struct WireFrame {
  std::size_t start = 0;      ///< position of the start symbol in octets
  std::size_t terminate = 0;  ///< position of the symbol that ended the frame
  bool preamble_good = false;
  bool terminated = false;  ///< by a terminate symbol; else by another control character
  Bytes octets;             ///< what came after the delimiter, FCS included

  bool fcs_good() const {
    if (octets.size() < 4) return false;
    const std::span<const std::uint8_t> all(octets);
    Bytes again(all.begin(), all.end() - 4);
    append_fcs(again);
    return again == octets;
  }
  Bytes payload() const {
    return octets.size() < 4 ? Bytes{} : Bytes(octets.begin(), octets.end() - 4);
  }
};

/// Reads a well-formed transmitter's words. Anything between frames that is neither idle nor a
/// start symbol in lane 0 or 4 is counted in `strays`.
class XgmiiDecoder {
 public:
  void word(const XgmiiWord& word) {
    for (unsigned lane = 0; lane < 8; ++lane) symbol(word.lane(lane), lane);
  }

  const std::vector<WireFrame>& frames() const { return frames_; }
  std::vector<WireFrame> take() {
    std::vector<WireFrame> result;
    result.swap(frames_);
    return result;
  }
  bool in_frame() const { return in_frame_; }
  std::size_t strays() const { return strays_; }
  std::size_t position() const { return position_; }

 private:
  void symbol(Symbol s, unsigned lane) {
    if (!in_frame_) {
      if (s.is(kStart) && lane % 4 == 0) {
        in_frame_ = true;
        current_ = WireFrame{};
        current_.start = position_;
        current_.preamble_good = true;
      } else if (!s.is(kIdle)) {
        ++strays_;
      }
    } else if (s.control) {
      current_.terminate = position_;
      current_.terminated = s.value == kTerminate;
      frames_.push_back(current_);
      in_frame_ = false;
    } else if (const std::size_t index = position_ - current_.start; index < 8) {
      current_.preamble_good &= s.value == (index < 7 ? kPreamble : kDelimiter);
    } else {
      current_.octets.push_back(s.value);
    }
    ++position_;
  }

  std::vector<WireFrame> frames_;
  WireFrame current_;
  bool in_frame_ = false;
  std::size_t strays_ = 0;
  std::size_t position_ = 0;
};

}  // namespace nicroscope::test
