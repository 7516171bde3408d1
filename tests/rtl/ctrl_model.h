// SPDX-License-Identifier: Apache-2.0
// What commands of the control virtqueue do, written from virtio 1.2, 5.1.6.5, and from the limits
// that docs/control.md states.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <set>
#include <span>
#include <vector>

namespace nicroscope::test {

struct Moderation {
  uint16_t packets = 0;
  uint16_t usecs = 0;
  friend bool operator==(const Moderation&, const Moderation&) = default;
};

class ControlModel {
 public:
  explicit ControlModel(unsigned pairs);

  struct Answer {
    bool ok = false;
    std::vector<uint8_t> data{};    // before the acknowledgement
    std::vector<uint8_t> result{};  // behind it, as far as there is room
  };
  // Carries out the command in `bytes`, whose answer has `room` bytes.
  Answer execute(uint64_t features, std::span<const uint8_t> bytes, size_t room);
  // Statistics, by the number that a device with all pairs in use gives a virtqueue.
  struct Statistics {
    uint64_t notifications = 0;
    uint64_t packets = 0;
    uint64_t bytes = 0;
    uint64_t interrupts = 0;
    uint64_t drops = 0;
    uint64_t overruns = 0;  // of receive
  };
  void enable(unsigned virtqueue);
  void disable(unsigned virtqueue);

  std::bitset<6> mode{1};  // by command number
  uint64_t mac = 0x02'00'00'00'00'01;
  std::set<uint64_t> addresses;
  bool unicast_overflow = false;
  bool multicast_overflow = false;
  std::bitset<4096> vlans;
  bool rss = false;
  uint32_t hash_types = 0;
  std::vector<uint16_t> table{0};
  uint16_t unclassified = 0;
  unsigned pairs = 1;  // of automatic steering
  std::array<uint8_t, 40> key;
  bool csum = true;
  bool tso4 = true;
  bool tso6 = true;
  unsigned announcements = 0;
  std::vector<Moderation> moderation;  // by virtqueue
  std::array<Moderation, 2> defaults;  // receive, transmit
  std::vector<bool> enabled;
  std::vector<Statistics> statistics;
  uint64_t commands = 0;  // the one in hand counted
  uint64_t good = 0;

 private:
  Answer carry_out(uint64_t features, std::span<const uint8_t> bytes, size_t room);
  Answer device_stats(uint64_t features, unsigned command, std::span<const uint8_t> data,
                      size_t room);
  Answer mac_table(std::span<const uint8_t> data);
  Answer rss_config(std::span<const uint8_t> data);
  Answer hash_config(std::span<const uint8_t> data);
  bool set_key(std::span<const uint8_t> data, uint32_t types);
  Answer coalescing(unsigned command, std::span<const uint8_t> data);

  unsigned built_;
};

// Little-endian, as every field of a command.
uint64_t little(std::span<const uint8_t> bytes);
void append_little(std::vector<uint8_t>& bytes, uint64_t value, unsigned count);
// First byte on the wire on top.
uint64_t address(std::span<const uint8_t> bytes);
void append_address(std::vector<uint8_t>& bytes, uint64_t mac);
// The bucket of an address in the device's table: its six-bit groups, added without carry.
unsigned bucket_of(uint64_t mac);

}  // namespace nicroscope::test
