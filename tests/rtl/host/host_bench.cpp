// SPDX-License-Identifier: Apache-2.0
#include "tests/rtl/host/host_bench.h"

#include <Vhost_regs___024root.h>

#include <algorithm>
#include <cstring>

namespace nicroscope::test {

namespace {
constexpr unsigned kAccessLimit = 20000;  // cycles that no access may take
}

HostBench::HostBench(unsigned seed) : context(std::make_unique<VerilatedContext>()), random_(seed) {
  context->randReset(2);
  context->randSeed(static_cast<int>(seed));
  top = std::make_unique<Vhost_regs>(context.get());
  top->s_axil_awvalid_i = top->s_axil_wvalid_i = top->s_axil_arvalid_i = 0;
  top->s_axil_bready_i = top->s_axil_rready_i = 1;
  top->irq_valid_i = 0;
  top->irq_queue_i = 0;
  top->err_valid_i = 0;
  top->link_up_i = 0;
  top->cleared_i = 1;
  top->mac_i = kMac;
  top->mac_change_i = 0;
  top->qrst_ready_i = 0;
  top->count_i = 0;
  top->rx_bytes_valid_i = top->tx_bytes_valid_i = 0;
  top->msix_enable_i = top->msix_mask_i = 0;
  top->rst_i = 1;
  tick(4);
  top->rst_i = 0;
  settle();
  queues = 2 * read_word(regs::kBarVendor + regs::kVendorQueuePairs) + 1;
  vectors = queues + 1;
  ring_max = read_word(regs::kBarVendor + regs::kVendorRingMax);
  messages.clear();
  enabled.clear();
  kicks.clear();
  clears.clear();
}

HostBench::~HostBench() { top->final(); }

void HostBench::drive() {
  if (every_cycle) every_cycle();
  top->now_i = cycle;
  top->quiet_i = quiet;
  top->en_ready_i = enable_ready;
  top->qrst_ready_i = reset_ready && top->qrst_valid_o;
  top->irq_valid_i = !irqs_.empty();
  if (!irqs_.empty()) top->irq_queue_i = irqs_.front();
  top->msix_wr_ready_i = message_stall_percent == 0 || draw(100) >= message_stall_percent;
  const bool answer = !answers_.empty() && answers_.front().cycle <= cycle;
  top->msix_wr_done_i = answer;
  top->msix_wr_error_i = answer && answers_.front().error;
  if (answer) answers_.pop_front();
}

void HostBench::observe() {
  if (top->rst_i) return;
  if (top->msix_wr_valid_o && top->msix_wr_ready_i) {
    messages.push_back({cycle, top->msix_wr_addr_o, top->msix_wr_data_o});
    answers_.push_back(
        {cycle + 1 + message_latency, bad_addresses.count(top->msix_wr_addr_o) != 0});
    EXPECT_TRUE(top->trace_irq_valid_o);
  }
  if (top->en_valid_o && top->en_ready_i) {
    enabled.push_back(
        {top->en_queue_o, top->en_desc_o, top->en_driver_o, top->en_device_o, top->en_size_o});
  }
  if (top->qrst_valid_o && top->qrst_ready_i) queue_resets.push_back(top->qrst_queue_o);
  if (top->kick_valid_o) kicks.push_back(top->kick_queue_o);
  if (top->clear_o) clears.push_back(cycle);
  if (top->irq_ready_o && top->irq_valid_i) {
    irqs_.pop_front();
    ++interrupts_taken;
  }
}

void HostBench::tick(unsigned cycles) {
  for (unsigned i = 0; i < cycles; ++i) {
    drive();
    top->clk_i = 0;
    top->eval();
    observe();
    top->clk_i = 1;
    top->eval();
    ++cycle;
  }
}

void HostBench::settle(unsigned limit) {
  tick();
  for (unsigned i = 0; i < limit && !(top->idle_o && answers_.empty() && raised_all()); ++i) tick();
  EXPECT_TRUE(top->idle_o) << "not idle after " << limit << " cycles";
}

bool HostBench::edge_changes_nothing() {
  std::vector<unsigned char> before(sizeof(*top->rootp));
  std::memcpy(before.data(), static_cast<const void*>(top->rootp), before.size());
  const std::uint64_t held = cycle;
  cycle = held - 1;  // time is an input: hold it, to see that nothing else moves
  tick();
  const bool same =
      std::memcmp(before.data(), static_cast<const void*>(top->rootp), before.size()) == 0;
  cycle = held;
  return same;
}

void HostBench::write_word(std::uint32_t address, std::uint32_t data, unsigned strobes) {
  top->s_axil_awaddr_i = static_cast<std::uint16_t>(address);
  top->s_axil_wdata_i = data;
  top->s_axil_wstrb_i = static_cast<std::uint8_t>(strobes);
  top->s_axil_awvalid_i = 1;
  top->s_axil_wvalid_i = 1;
  for (unsigned i = 0; i < kAccessLimit; ++i) {
    const bool aw = top->s_axil_awready_o;
    const bool w = top->s_axil_wready_o;
    const bool b = top->s_axil_bvalid_o && top->s_axil_bready_i;
    EXPECT_EQ(top->s_axil_bresp_o, 0);
    tick();
    if (aw) top->s_axil_awvalid_i = 0;
    if (w) top->s_axil_wvalid_i = 0;
    if (b) return;
  }
  ADD_FAILURE() << "no answer to a write at 0x" << std::hex << address;
}

std::uint32_t HostBench::read_word(std::uint32_t address) {
  top->s_axil_araddr_i = static_cast<std::uint16_t>(address);
  top->s_axil_arvalid_i = 1;
  for (unsigned i = 0; i < kAccessLimit; ++i) {
    const bool ar = top->s_axil_arready_o;
    const bool r = top->s_axil_rvalid_o && top->s_axil_rready_i;
    const std::uint32_t data = top->s_axil_rdata_o;
    EXPECT_EQ(top->s_axil_rresp_o, 0);
    tick();
    if (ar) top->s_axil_arvalid_i = 0;
    if (r) return data;
  }
  ADD_FAILURE() << "no answer to a read at 0x" << std::hex << address;
  return 0;
}

void HostBench::write8(std::uint32_t address, std::uint32_t data) {
  const unsigned lane = address & 3u;
  write_word(address & ~3u, (data & 0xFFu) << (8 * lane), 1u << lane);
}

void HostBench::write16(std::uint32_t address, std::uint32_t data) {
  const unsigned lane = address & 3u;
  write_word(address & ~3u, (data & 0xFFFFu) << (8 * lane), 3u << lane);
}

void HostBench::write64(std::uint32_t address, std::uint64_t data) {
  write_word(address, static_cast<std::uint32_t>(data));
  write_word(address + 4, static_cast<std::uint32_t>(data >> 32));
}

std::uint32_t HostBench::read8(std::uint32_t address) {
  return (read_word(address & ~3u) >> (8 * (address & 3u))) & 0xFFu;
}

std::uint32_t HostBench::read16(std::uint32_t address) {
  return (read_word(address & ~3u) >> (8 * (address & 3u))) & 0xFFFFu;
}

std::uint64_t HostBench::read64(std::uint32_t address) {
  const std::uint64_t low = read_word(address);
  return low | (static_cast<std::uint64_t>(read_word(address + 4)) << 32);
}

// Without MQ and RSS the driver knows one pair, and control is the queue behind it (5.1.2).
std::uint16_t HostBench::virtqueue(std::uint32_t queue) const {
  const std::uint64_t many = (1ull << regs::kFeatureMq) | (1ull << regs::kFeatureRss);
  const std::uint32_t control = queues - 1;
  std::uint32_t number = queue;
  if ((top->features_o & many) == 0) {
    if (queue == 2) number = control;
    if (queue == control) number = 2;
  }
  return static_cast<std::uint16_t>(number);
}

std::uint64_t HostBench::device_features() {
  std::uint64_t features = 0;
  for (std::uint32_t half = 0; half < 2; ++half) {
    write_word(regs::kCommonDeviceFeatureSelect, half);
    features |= static_cast<std::uint64_t>(read_word(regs::kCommonDeviceFeature)) << (32 * half);
  }
  return features;
}

void HostBench::accept_features(std::uint64_t features) {
  for (std::uint32_t half = 0; half < 2; ++half) {
    write_word(regs::kCommonDriverFeatureSelect, half);
    write_word(regs::kCommonDriverFeature, static_cast<std::uint32_t>(features >> (32 * half)));
  }
}

void HostBench::negotiate(std::uint64_t features) {
  set_status(0);
  for (unsigned i = 0; i < 1000 && status() != 0; ++i) tick(10);
  EXPECT_EQ(status(), 0u);
  set_status(regs::kStatusAcknowledge);
  set_status(regs::kStatusAcknowledge | regs::kStatusDriver);
  accept_features(features);
  set_status(kProbed);
}

void HostBench::bring_up() {
  top->msix_enable_i = 1;
  program_vectors();
  negotiate(kAllOffered);
  EXPECT_EQ(status(), kProbed);
  write16(regs::kCommonConfigMsixVector, 0);
  for (std::uint32_t queue = 0; queue < queues; ++queue) {
    select_queue(queue);
    write16(regs::kCommonQueueMsixVector, queue + 1);
    write64(regs::kCommonQueueDesc, 0x1'0000'0000ull + 0x10000ull * queue);
    write64(regs::kCommonQueueDriver, 0x2'0000'0000ull + 0x1000ull * queue);
    write64(regs::kCommonQueueDevice, 0x3'0000'0000ull + 0x1000ull * queue);
    write16(regs::kCommonQueueEnable, 1);
  }
  set_status(kRunning);
  settle();
  clears.clear();  // of the reset that a driver begins with
}

std::uint64_t HostBench::counter(unsigned index) {
  return read64(regs::kBarVendor + regs::kVendorCounters + regs::kCounterBytes * index);
}

void HostBench::program_vectors() {
  for (std::uint32_t vector = 0; vector < vectors; ++vector) {
    write64(entry(vector) + regs::kMsixEntryAddrLo, vector_address(vector));
    write_word(entry(vector) + regs::kMsixEntryData, vector_data(vector));
    mask_vector(vector, false);
  }
}

void HostBench::mask_vector(std::uint32_t vector, bool masked) {
  write_word(entry(vector) + regs::kMsixEntryControl, masked ? 1 : 0);
}

std::uint32_t HostBench::pending_word(std::uint32_t word) {
  return read_word(regs::kBarMsixPba + 4 * word);
}

std::size_t HostBench::messages_of(std::uint32_t vector) const {
  return static_cast<std::size_t>(
      std::count_if(messages.begin(), messages.end(), [vector](const Message& message) {
        return message.address == vector_address(vector) && message.data == vector_data(vector);
      }));
}

void HostBench::set_error(const Error& error) {
  top->err_i[0] = static_cast<std::uint32_t>(error.address);
  top->err_i[1] = static_cast<std::uint32_t>(error.address >> 32);
  top->err_i[2] =
      static_cast<std::uint32_t>(error.index) | (static_cast<std::uint32_t>(error.queue) << 16);
  top->err_i[3] = error.code;
  top->err_valid_i = 1;
}

}  // namespace nicroscope::test
