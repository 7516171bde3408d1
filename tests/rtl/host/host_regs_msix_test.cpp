// SPDX-License-Identifier: Apache-2.0
// MSI-X table, masks, pending bits, messages; INTx and the ISR (virtio 1.2, 4.1.5;
// PCIe 5.0, 6.1.4).
#include "tests/rtl/host/host_bench.h"

namespace nicroscope::test {
namespace {

using namespace regs;

// The queue of an engine (0 receive, 1 transmit) in pair `pair`.
std::uint16_t queue_of(unsigned engine, unsigned pair = 0) {
  return static_cast<std::uint16_t>(2 * pair + engine);
}

TEST(HostMsix, VectorsAreMaskedAfterReset) {
  HostBench host;
  for (std::uint32_t vector = 0; vector < host.vectors; ++vector) {
    EXPECT_EQ(host.read64(entry(vector)), 0u);
    EXPECT_EQ(host.read_word(entry(vector) + kMsixEntryData), 0u);
    EXPECT_EQ(host.read_word(entry(vector) + kMsixEntryControl), 1u);
  }
  for (std::uint32_t word = 0; 32 * word < host.vectors; ++word) {
    EXPECT_EQ(host.pending_word(word), 0u);
  }
}

TEST(HostMsix, TableIsMemory) {
  HostBench host;
  for (std::uint32_t vector = 0; vector < host.vectors; ++vector) {
    host.write64(entry(vector), 0xA5A50000'00000004ull * (vector + 1));
    host.write_word(entry(vector) + kMsixEntryData, 0xC0DE0000u + vector);
  }
  host.write8(entry(1) + kMsixEntryData + 2, 0x77);
  host.write16(entry(1) + kMsixEntryAddrHi + 2, 0x1234);
  for (std::uint32_t vector = 0; vector < host.vectors; ++vector) {
    std::uint64_t address = 0xA5A50000'00000004ull * (vector + 1);
    std::uint32_t data = 0xC0DE0000u + vector;
    if (vector == 1) {
      address = (address & 0x0000FFFF'FFFFFFFFull) | 0x1234ull << 48;
      data = (data & 0xFF00FFFFu) | 0x770000u;
    }
    EXPECT_EQ(host.read64(entry(vector)), address);
    EXPECT_EQ(host.read_word(entry(vector) + kMsixEntryData), data);
  }
  host.write_word(entry(0) + kMsixEntryControl, 0xFFFFFFFE);
  EXPECT_EQ(host.read_word(entry(0) + kMsixEntryControl), 0u) << "only the mask is there";
  host.write_word(entry(0) + kMsixEntryControl, 1, 0xE);
  EXPECT_EQ(host.read_word(entry(0) + kMsixEntryControl), 0u);
}

TEST(HostMsix, EveryQueueSendsItsOwnMessage) {
  HostBench host;
  host.bring_up();
  for (std::uint32_t queue = 0; queue < host.queues; ++queue) {
    host.raise(static_cast<std::uint16_t>(queue));
  }
  host.settle();
  EXPECT_EQ(host.messages.size(), host.queues);
  for (std::uint32_t queue = 0; queue < host.queues; ++queue) {
    EXPECT_EQ(host.messages_of(queue + 1), 1u) << queue;
  }
  EXPECT_EQ(host.counter(kCounterInterrupts), host.queues);
  EXPECT_FALSE(host.top->intx_o);
}

TEST(HostMsix, QueuesMayShareAVector) {
  HostBench host;
  host.bring_up();
  for (std::uint32_t queue = 0; queue < host.queues; ++queue) {
    host.select_queue(queue);
    host.write16(kCommonQueueMsixVector, 1);
  }
  host.raise(queue_of(0));
  host.settle();
  host.raise(queue_of(1));
  host.settle();
  EXPECT_EQ(host.messages_of(1), 2u);
}

TEST(HostMsix, WithoutAVectorThereIsNoMessage) {
  HostBench host;
  host.bring_up();
  host.select_queue(0);
  host.write16(kCommonQueueMsixVector, kNoVector);
  host.write16(kCommonConfigMsixVector, kNoVector);
  host.raise(queue_of(0));
  host.top->link_up_i = 1;
  host.settle();
  EXPECT_TRUE(host.messages.empty());
  EXPECT_EQ(host.interrupts_taken, 1u);
}

TEST(HostMsix, AMaskedVectorIsPendingAndSentOnceUnmasked) {
  HostBench host;
  host.bring_up();
  host.mask_vector(1, true);
  for (unsigned i = 0; i < 3; ++i) host.raise(queue_of(0));
  host.raise(queue_of(1));
  host.settle();
  EXPECT_EQ(host.interrupts_taken, 4u);
  EXPECT_EQ(host.messages_of(1), 0u);
  EXPECT_EQ(host.messages_of(2), 1u);
  EXPECT_EQ(host.pending_word(0), 2u);
  host.write_word(kBarMsixPba, 0);
  EXPECT_EQ(host.pending_word(0), 2u) << "read only";
  host.mask_vector(1, false);
  host.settle();
  EXPECT_EQ(host.messages_of(1), 1u);
  EXPECT_EQ(host.pending_word(0), 0u);
  host.mask_vector(1, true);
  host.mask_vector(1, false);
  host.settle();
  EXPECT_EQ(host.messages_of(1), 1u);
}

TEST(HostMsix, TheFunctionMaskHoldsEverything) {
  HostBench host;
  host.bring_up();
  host.top->msix_mask_i = 1;
  host.tick(2);
  for (std::uint32_t queue = 0; queue < host.queues; ++queue) {
    host.raise(static_cast<std::uint16_t>(queue));
  }
  host.settle();
  EXPECT_TRUE(host.messages.empty());
  for (std::uint32_t queue = 0; queue < host.queues; ++queue) {
    EXPECT_EQ(host.pending_word((queue + 1) / 32) >> ((queue + 1) % 32) & 1u, 1u) << queue;
  }
  EXPECT_EQ(host.pending_word(0) & 1u, 0u);
  host.mask_vector(2, true);
  host.top->msix_mask_i = 0;
  host.settle();
  for (std::uint32_t queue = 0; queue < host.queues; ++queue) {
    EXPECT_EQ(host.messages_of(queue + 1), queue == 1 ? 0u : 1u) << queue;
  }
  host.mask_vector(2, false);
  host.settle();
  EXPECT_EQ(host.messages_of(2), 1u);
}

TEST(HostMsix, OneMessageOfAVectorIsInFlight) {
  HostBench host;
  host.bring_up();
  host.message_latency = 300;
  for (unsigned i = 0; i < 4; ++i) host.raise(queue_of(0));
  host.settle();
  EXPECT_EQ(host.messages_of(1), 4u);
  for (std::size_t i = 1; i < host.messages.size(); ++i) {
    EXPECT_GT(host.messages[i].cycle, host.messages[i - 1].cycle + 300);
  }
}

TEST(HostMsix, VectorsDoNotWaitForEachOther) {
  HostBench host;
  host.bring_up();
  host.message_latency = 300;
  host.raise(queue_of(0));
  host.raise(queue_of(1));
  host.top->link_up_i = 1;
  host.settle();
  ASSERT_EQ(host.messages.size(), 3u);
  EXPECT_LT(host.messages[2].cycle, host.messages[0].cycle + 100);
}

TEST(HostMsix, AnInterruptTakesFewCycles) {
  HostBench host;
  host.bring_up();
  const std::uint64_t start = host.cycle;
  host.raise(queue_of(0));
  host.settle();
  EXPECT_EQ(host.messages.at(0).cycle - start, 3u);
}

TEST(HostMsix, MaskingIsAnsweredWhenNothingIsInFlight) {
  HostBench host;
  host.bring_up();
  host.message_latency = 200;
  host.raise(queue_of(0));
  while (host.messages.empty()) host.tick();
  const std::uint64_t sent = host.messages[0].cycle;
  host.mask_vector(1, true);
  EXPECT_GT(host.cycle, sent + 200);
}

TEST(HostMsix, IntxFollowsTheIsr) {
  HostBench host;
  host.bring_up();
  host.top->msix_enable_i = 0;
  host.settle();
  EXPECT_FALSE(host.top->intx_o);
  host.raise(queue_of(0));
  host.settle();
  EXPECT_TRUE(host.top->intx_o);
  host.raise(queue_of(1));
  host.top->link_up_i = 1;
  host.settle();
  EXPECT_TRUE(host.top->intx_o);
  EXPECT_EQ(host.read_word(kBarIsr), static_cast<std::uint32_t>(kIsrQueue | kIsrConfig));
  host.tick();
  EXPECT_FALSE(host.top->intx_o);
  EXPECT_EQ(host.read_word(kBarIsr), 0u);
  EXPECT_TRUE(host.messages.empty());
  EXPECT_EQ(host.counter(kCounterInterrupts), 1u) << "one rising edge";
  // A write changes nothing.
  host.raise(queue_of(0));
  host.settle();
  host.write_word(kBarIsr, 0xFFFFFFFF);
  host.write_word(kBarIsr, 0);
  EXPECT_TRUE(host.top->intx_o);
}

TEST(HostMsix, ReadingTheIsrNeverLosesAnEvent) {
  // Events against reads at every distance: each is either in that read or in the next.
  for (unsigned delay = 0; delay < 16; ++delay) {
    HostBench host(delay + 1);
    host.bring_up();
    host.top->msix_enable_i = 0;
    host.settle();
    host.raise(queue_of(0));
    host.tick(delay);
    const std::uint32_t first = host.read_word(kBarIsr);
    host.settle();
    const std::uint32_t second = host.read_word(kBarIsr);
    EXPECT_EQ(first + second, kIsrQueue) << delay;
  }
}

TEST(HostMsix, NoInterruptIsLostUnderMasking) {
  // Events, masks, function masks and accesses at random. Whatever happens, once all is unmasked
  // the last event of each vector has been followed by a message, and masked vectors stayed silent.
  HostBench host(7);
  host.bring_up();
  host.message_stall_percent = 30;
  std::vector<std::uint64_t> last_event(host.vectors, 0);
  constexpr std::uint64_t kNever = ~0ull;
  std::vector<std::uint64_t> silent_from(host.vectors, kNever);
  bool function_masked = false;
  std::uint64_t events = 0;
  std::size_t seen = host.messages.size();
  for (unsigned round = 0; round < 4000; ++round) {
    host.message_latency = host.draw(60);
    const std::uint32_t vector = host.draw(host.vectors);
    switch (host.draw(8)) {
      case 0:
        host.mask_vector(vector, true);
        silent_from[vector] = host.cycle;
        break;
      case 1:
      case 2:
        silent_from[vector] = kNever;
        host.mask_vector(vector, false);
        break;
      case 3:
        function_masked = host.draw(2) != 0;
        host.top->msix_mask_i = function_masked;
        break;
      case 4:
        host.pending_word(host.draw(1 + (host.vectors - 1) / 32));
        break;
      default: {
        const std::uint32_t queue = host.draw(host.queues);
        host.raise(static_cast<std::uint16_t>(queue));
        last_event[queue + 1] = host.cycle;
        ++events;
        break;
      }
    }
    host.tick(host.draw(12));
    for (; seen < host.messages.size(); ++seen) {
      const auto& message = host.messages[seen];
      const std::uint32_t from = message.data - vector_data(0);
      ASSERT_LT(from, host.vectors);
      EXPECT_EQ(message.address, vector_address(from));
      EXPECT_LT(message.cycle, silent_from[from]) << "vector " << from;
    }
  }
  host.message_stall_percent = 0;
  host.top->msix_mask_i = 0;
  for (std::uint32_t vector = 0; vector < host.vectors; ++vector) host.mask_vector(vector, false);
  host.settle();
  EXPECT_GT(events, 1000u);
  for (std::uint32_t word = 0; 32 * word < host.vectors; ++word) {
    EXPECT_EQ(host.pending_word(word), 0u);
  }
  for (std::uint32_t vector = 1; vector < host.vectors; ++vector) {
    std::uint64_t last_message = 0;
    for (const auto& message : host.messages) {
      if (message.data == vector_data(vector)) last_message = message.cycle;
    }
    EXPECT_GE(last_message, last_event[vector]) << "vector " << vector;
  }
  EXPECT_EQ(host.counter(kCounterInterrupts), host.messages.size());
}

}  // namespace
}  // namespace nicroscope::test
