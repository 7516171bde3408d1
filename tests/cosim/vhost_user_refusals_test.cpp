// SPDX-License-Identifier: Apache-2.0
// What a vhost-user client may not send: each ends the connection, with a reason that says what.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <array>
#include <functional>
#include <vector>

#include "sim/bus/axi_memory.h"
#include "sim/host_port/vhost_user/backend.h"
#include "tests/support/vhost_client.h"

namespace nicroscope::test {
namespace {

using namespace sim::vhost_user;

constexpr std::uint64_t bit(unsigned feature) { return std::uint64_t{1} << feature; }
constexpr std::uint64_t kFeatures = bit(regs::kFeatureVersion1) | bit(regs::kFeatureRingPacked);
constexpr std::uint64_t kGuest = VhostClient::kGuest;
constexpr std::uint64_t kUser = VhostClient::kUser;

template <std::size_t kCount>
struct Table {
  MemoryTableHeader header{kCount, 0};
  std::array<MemoryRegion, kCount> regions;
};

struct Case {
  const char* name;
  std::function<void(VhostClient&)> send;
  const char* reason;
  bool running = false;  // with a transmit ring that runs
};

void raw(VhostClient& client, Request request, std::uint32_t flags, std::size_t bytes) {
  const std::vector<std::byte> payload(bytes);
  client.send_raw(static_cast<std::uint32_t>(request), flags, payload);
}

template <typename T>
std::function<void(VhostClient&)> message(Request request, T payload) {
  return [=](VhostClient& client) { static_cast<void>(client.set(request, payload)); };
}

// A descriptor that is none of what is wanted.
template <typename T>
std::function<void(VhostClient&)> with_pipe(Request request, T payload) {
  return [=](VhostClient& client) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
    const sim::Descriptor reading(ends[0]);
    const sim::Descriptor writing(ends[1]);
    static_cast<void>(client.set(request, payload, std::array{ends[0]}));
  };
}

std::function<void(VhostClient&)> region(MemoryRegion place) {
  return [=](VhostClient& client) {
    const Table<1> table{{1, 0}, {place}};
    static_cast<void>(client.set(Request::set_mem_table, table, std::array{client.memory_file()}));
  };
}

// Negotiates and says all about transmit ring 1, but with `address` and `num`.
std::function<void(VhostClient&)> ring(VringAddress address, std::uint32_t num = 64) {
  return [=](VhostClient& client) {
    static_cast<void>(client.negotiate(kFeatures));
    static_cast<void>(client.set(Request::set_vring_num, VringState{1, num}));
    static_cast<void>(client.set(Request::set_vring_addr, address));
    static_cast<void>(client.set(Request::set_vring_kick, std::uint64_t{1} | kVringNoDescriptor));
    static_cast<void>(client.enable_ring(1, true));
  };
}

const VringAddress kGood{1, 0, kUser, kUser + 0x1000, kUser + 0x1004, 0};

std::vector<Case> cases() {
  const std::size_t bytes = VhostClient::kBytes;
  const auto address = [](auto change) {
    VringAddress result = kGood;
    change(result);
    return result;
  };
  return {
      {"UnknownRequest", [](auto& c) { c.send_raw(99, 1, {}); }, "request 99 is not supported"},
      {"UnofferedRequest", [](auto& c) { c.send_raw(6, 1, {}); }, "request 6 is not supported"},
      {"Version", [](auto& c) { raw(c, Request::set_owner, 2, 0); }, "version 2"},
      {"AnAnswer", [](auto& c) { raw(c, Request::set_owner, 5, 0); }, "nobody asked for"},
      {"TooShort", [](auto& c) { raw(c, Request::set_features, 1, 7); }, "a payload of 7 bytes"},
      {"TooLong", [](auto& c) { raw(c, Request::get_features, 1, 1); }, "a payload of 1 bytes"},
      {"EndOfAMessage",
       [](auto& c) {
         const Header header{2, 1, 8};
         static_cast<void>(!::send(c.socket(), &header, sizeof header, 0));
         c.close();
       },
       "in the middle of a message"},
      {"UnwantedDescriptor",
       [](auto& c) {
         static_cast<void>(c.set(Request::set_features, kFeatures, std::array{c.socket()}));
       },
       "1 file descriptors, not 0"},
      {"ManyDescriptors",
       [](auto& c) {
         std::array<int, 12> many;
         many.fill(c.socket());
         static_cast<void>(c.set(Request::set_features, kFeatures, many));
       },
       "more than 8 file descriptors"},
      {"Features", message(Request::set_features, kFeatures | bit(regs::kFeatureAccessPlatform)),
       "features 0x200000000 are not offered"},
      {"ProtocolFeatures", message(Request::set_protocol_features, bit(20)), "are not offered"},
      {"InbandAlone", message(Request::set_protocol_features, bit(kProtocolInbandNotifications)),
       "without BACKEND_REQ and REPLY_ACK"},
      {"SplitRings",
       [](auto& c) {
         ASSERT_TRUE(c.negotiate(bit(regs::kFeatureVersion1)));
         EXPECT_FALSE(c.start_ring(1, 64));
       },
       "does not take the features"},
      {"RegionsThatAreNotThere",
       [](auto& c) {
         const Table<1> table{{2, 0}, {MemoryRegion{kGuest, 4096, kUser, 0}}};
         static_cast<void>(c.set(Request::set_mem_table, table, std::array{c.memory_file()}));
       },
       "2 regions in 40 bytes"},
      {"RegionWithoutFile",
       message(Request::set_mem_table, Table<1>{{1, 0}, {MemoryRegion{kGuest, 4096, kUser, 0}}}),
       "1 memory regions with 0 file descriptors"},
      {"RegionOfAPipe",
       with_pipe(Request::set_mem_table, Table<1>{{1, 0}, {MemoryRegion{kGuest, 4096, kUser, 0}}}),
       "not one of a file"},
      {"RegionEmpty", region({kGuest, 0, kUser, 0}), "it is empty"},
      {"RegionUnaligned", region({kGuest + 1, 4096, kUser, 0}), "multiples of 4096"},
      {"RegionOffsetUnaligned", region({kGuest, 4096, kUser, 8}), "multiples of 4096"},
      {"RegionBeyondFile", region({kGuest, bytes + 4096, kUser, 0}), "the memory's file has"},
      {"RegionOffsetBeyondFile", region({kGuest, 4096, kUser, bytes}), "the memory's file has"},
      {"RegionWraps", region({~std::uint64_t{4095}, 8192, kUser, 0}), "beyond the last address"},
      {"RegionOffsetWraps", region({kGuest, 8192, kUser, ~std::uint64_t{4095}}),
       "beyond the last address"},
      {"RegionOfInterrupts",
       region({sim::AxiMemory::kMsiBase & ~std::uint64_t{0xffff}, 0x10000, kUser, 0}),
       "interrupt messages go there"},
      {"RegionOfOurs", region({NicDevice::kPrivateBase, 4096, kUser, 0}),
       "the device's own memory"},
      {"RegionsOverlap",
       [](auto& c) {
         const Table<2> table{{2, 0},
                              {MemoryRegion{kGuest, 8192, kUser, 0},
                               MemoryRegion{kGuest + 4096, 4096, kUser + 8192, 8192}}};
         static_cast<void>(
             c.set(Request::set_mem_table, table, std::array{c.memory_file(), c.memory_file()}));
       },
       "it overlaps another one"},
      {"RingIndex", message(Request::set_vring_num, VringState{3, 64}), "virtqueue 3; there are 3"},
      {"RingIndexOfAKick",
       message(Request::set_vring_kick, std::uint64_t{255 | kVringNoDescriptor}), "virtqueue 255"},
      {"RingOfNothing", message(Request::set_vring_num, VringState{1, 0}), "a ring of 0 slots"},
      {"RingTooLarge", message(Request::set_vring_num, VringState{1, 65536}), "a ring of 65536"},
      {"RingLog", message(Request::set_vring_addr, VringAddress{1, 1, 0, 0, 0, 0}), "a log"},
      {"RingBase", message(Request::set_vring_base, VringState{1, 5}), "starts a ring at slot 0"},
      {"RingBaseElsewhere",
       [](auto& c) {
         const auto base = c.stop_ring(1);
         ASSERT_EQ(base, 0x8000'8000U);
         EXPECT_FALSE(c.resume_ring(1, 0x8001'8001U));
       },
       "not at 0x80018001, or goes on at 0x80008000", true},
      {"RingMovedWhileStopped",
       [](auto& c) {
         c.add(1, VhostClient::kBytes / 2, 100, false);
         c.kick(1);
         const auto base = c.stop_ring(1);
         ASSERT_EQ(base, 0x8001'8001U);
         ASSERT_TRUE(c.set(Request::set_vring_num, VringState{1, 32}));
         ASSERT_TRUE(c.set(Request::set_vring_base, VringState{1, *base}));
         EXPECT_FALSE(c.set(Request::set_vring_kick, std::uint64_t{1} | kVringNoDescriptor));
       },
       "virtqueue 1 is not what it was: the device cannot go on at 0x8001", true},
      {"RingOnOrOff", message(Request::set_vring_enable, VringState{1, 2}), "on or off, not 2"},
      {"RingOutside",
       ring(address([](auto& a) { a.descriptors = kUser + VhostClient::kBytes - 16 * 63; })),
       "virtqueue 1 does not lie in the client's memory"},
      {"RingBefore", ring(address([](auto& a) { a.descriptors = kUser - 16; })),
       "does not lie in the client's memory"},
      {"RingEventsOutside",
       ring(address([](auto& a) { a.avail = kUser + VhostClient::kBytes - 2; })),
       "does not lie in the client's memory"},
      {"RingUnaligned", ring(address([](auto& a) { a.descriptors += 8; })), "is not aligned"},
      {"RingEventsUnaligned", ring(address([](auto& a) { a.used += 2; })), "is not aligned"},
      {"RingUsedBefore",
       [](auto& c) {
         c.memory()[15] = std::byte{0x80};
         ring(kGood)(c);
       },
       "virtqueue 1 was used before"},
      {"RingThatThereIsNot",  // without MQ and a control virtqueue
       [](auto& c) {
         ASSERT_TRUE(c.negotiate(kFeatures));
         EXPECT_FALSE(c.start_ring(2, 64));
       },
       "virtqueue 2 does not exist"},
      {"KickByAPipe", with_pipe(Request::set_vring_kick, std::uint64_t{1}), "is no eventfd"},
      {"KickWithoutDescriptor", message(Request::set_vring_kick, std::uint64_t{1}),
       "0 file descriptors"},
      {"ChannelOfAPipe",
       [](auto& c) {
         static_cast<void>(c.plain(Request::set_backend_req_fd, std::array{c.memory_file()}));
       },
       "one stream socket"},
      {"ConfigLength", message(Request::get_config, ConfigHeader{0, 8, 0}), "8 bytes at 0"},
      {"ConfigPlace",
       [](auto& c) {
         struct {
           ConfigHeader header{~0U, 8, 0};
           std::uint64_t data = 0;
         } config;
         static_cast<void>(c.set(Request::get_config, config));
       },
       "8 bytes at 4294967295"},
      {"KickByMessage", message(Request::vring_kick, VringState{1, 0}), "were not agreed on"},
      {"OtherFeaturesUnderWay", message(Request::set_features, kFeatures), "while virtqueues run",
       true},
      {"OtherSizeUnderWay", message(Request::set_vring_num, VringState{1, 32}),
       "another size while virtqueue 1 runs", true},
      {"OtherPlaceUnderWay", message(Request::set_vring_addr, kGood),
       "another place while virtqueue 1 runs", true},
      {"OtherMemoryUnderWay", region({kGuest + 4096, VhostClient::kBytes - 4096, kUser, 0}),
       "virtqueue 1 runs and is not where it was", true},
  };
}

void PrintTo(const Case& test, std::ostream* out) { *out << test.reason; }

class Refusals : public testing::TestWithParam<Case> {};

TEST_P(Refusals, EndTheConnection) {
  sim::SimulationOptions options;
  options.variant = sim::Variant::checked;
  auto simulation = sim::Simulation::create(simulation_options(options));
  ASSERT_TRUE(simulation) << simulation.error();
  Backend backend(**simulation);
  {
    VhostClient client(backend);
    if (GetParam().running) {
      ASSERT_TRUE(client.negotiate(kFeatures)) << backend.reason();
      ASSERT_TRUE(client.start_ring(1, 64)) << backend.reason();
    }
    ASSERT_TRUE(backend.connected());
    GetParam().send(client);
    static_cast<void>(backend.handle_available());
    EXPECT_FALSE(backend.connected());
    EXPECT_THAT(backend.reason(), testing::HasSubstr(GetParam().reason));
  }
  EXPECT_FALSE((*simulation)->memory().occupied(0, NicDevice::kPrivateBase));
  VhostClient next(backend);
  EXPECT_TRUE(next.negotiate(kFeatures)) << backend.reason();
  EXPECT_TRUE(next.start_ring(1, 64)) << backend.reason();
}

INSTANTIATE_TEST_SUITE_P(VhostUser, Refusals, testing::ValuesIn(cases()),
                         [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace nicroscope::test
