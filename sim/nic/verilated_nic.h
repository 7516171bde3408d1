// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <fmt/format.h>
#include <verilated.h>

#include <array>
#include <bit>
#include <cstring>
#include <memory>
#include <string>
#include <type_traits>
#include <utility>

#include "sim/base/failure.h"
#include "sim/nic/model_clock.h"
#include "sim/nic/nic.h"
#include "sim/nic/rtl_coverage.h"
#include "sim/nic/stalled.h"
#include "sim/nic/watchdog.h"
#include "sim/nic/wave_file.h"
#include "sim/nic/wire_ports.h"

namespace nicroscope::sim {

/// A Verilated nic_top or nic_core with everything that drives its ports; the only code that
/// includes Verilator's headers. Instantiated once per model (nic_model.cpp.in).
///
/// A cycle is: what memory and the wire have for this edge goes to the inputs; what the NIC has
/// offered since the last edge is taken where it may be; then the edge. Inputs are written only
/// where they change, since each evaluation looks at all of them.
template <typename Model, Variant kVariant>
class VerilatedNic final : public Nic {
 public:
  using Root = std::remove_reference_t<decltype(*std::declval<Model&>().rootp)>;

  explicit VerilatedNic(const NicConnections& connections)
      : Nic(connections),
        model_(make_model(connections, context_)),
        root_(*model_->rootp),
        wire_(c_.wire, c_.trace, c_.clock, c_.link_mbps),
        watchdog_(c_.watchdog_cycles) {
    wave_.open(*model_, context_, c_.wave);
    reset();
  }
  ~VerilatedNic() override {
    Verilated::threadContextp(&context_);
    wave_.close();
    model_->final();
    write_rtl_coverage(context_);
  }

  Stop run(Time limit) override {
    // Verilator finds its context by the thread too, and the one there may be another NIC's.
    Verilated::threadContextp(&context_);
    const Cycle end = c_.clock.edge_at_or_after(limit);
    while (counters_.cycles < end) {
      const Cycle now = counters_.cycles;
      const Time time = c_.clock.time_of(now);
      if (c_.timeline.next_time() <= time) {
        c_.timeline.run_due(time);
        return stopped_or(Stop::events);
      }
      c_.timeline.set_now(time);
      if (!c_.no_skip && quiet()) {
        const Cycle target = next_activity(end);
        if (target > now) {
          counters_.cycles_skipped += target - now;
          counters_.cycles = target;
          continue;
        }
      }
      cycle(now, time);
      counters_.cycles = now + 1;
      if (stop_) [[unlikely]]
        return stopped_or(Stop::requested);
      if (watchdog_.due(now)) [[unlikely]]
        check_progress();
    }
    c_.timeline.run_due(limit);
    return stopped_or(Stop::limit);
  }

  [[nodiscard]] Time next_event() const override {
    const Cycle next = quiet() ? std::min(wire_.due(), static_cast<Cycle>(root_.next_deadline_o))
                               : counters_.cycles;
    return std::min(c_.timeline.next_time(), next == kNoCycle ? kNever : c_.clock.time_of(next));
  }

 private:
  static constexpr bool kAssertions = kVariant != Variant::fast;
  static constexpr std::size_t kBeatBytes = sizeof(Root::m_axi_wdata_o);
  static constexpr unsigned kResetCycles = 16;

  static std::unique_ptr<Model> make_model(const NicConnections& connections,
                                           VerilatedContext& context) {
    context.randReset(2);
    context.randSeed(static_cast<int>(connections.seed & 0x7fffffff) | 1);
    context.fatalOnError(false);
    if constexpr (kVariant == Variant::traced) context.traceEverOn(true);
    return std::make_unique<Model>(&context);
  }

  // What run() returns: a stop that was asked for goes before `otherwise`.
  Stop stopped_or(Stop otherwise) noexcept {
    return std::exchange(stop_, false) ? Stop::requested : otherwise;
  }

  // Before time 0.
  void reset() {
    root_.clk_i = 0;
    root_.rst_i = 1;
    root_.now_i = 0;
    root_.msix_enable_i = 0;
    root_.msix_mask_i = 0;
    root_.link_up_i = 1;
    root_.s_axil_awvalid_i = 0;
    root_.s_axil_wvalid_i = 0;
    root_.s_axil_arvalid_i = 0;
    root_.s_axil_bready_i = 1;
    root_.s_axil_rready_i = 1;
    root_.m_axi_rvalid_i = 0;
    root_.m_axi_bvalid_i = 0;
    root_.m_axi_arready_i = 0;
    root_.m_axi_awready_i = 0;
    root_.m_axi_wready_i = 0;
    wire_.reset(root_);
    model_->eval();  // initial blocks
    for (unsigned i = 0; i < kResetCycles; ++i) edge();
    root_.rst_i = 0;
    fail_on_assertion(0);
  }

  // Nothing is in flight, and the NIC has seen every input as it is.
  [[nodiscard]] bool quiet() const noexcept {
    return root_.idle_o && c_.bus.idle() && registers_.idle() && !axil_busy_ &&
           wire_.quiet(root_) && root_.msix_enable_i == msix_enable_ &&
           root_.msix_mask_i == msix_mask_ && root_.link_up_i == link_up_ &&
           root_.m_axi_bvalid_i == 0 && root_.m_axi_rvalid_i == 0;
  }

  [[nodiscard]] Cycle next_activity(Cycle end) const noexcept {
    Cycle target = std::min(end, c_.clock.edge_at_or_after(c_.timeline.next_time()));
    target = std::min(target, wire_.due());
    return std::min(target, static_cast<Cycle>(root_.next_deadline_o));
  }

  void cycle(Cycle now, Time time) {
    c_.bus.begin_cycle(now);
    root_.now_i = now;
    root_.msix_enable_i = msix_enable_;
    root_.msix_mask_i = msix_mask_;
    root_.link_up_i = link_up_;
    read_channel(now);
    write_channel(now);
    if (!registers_.idle()) register_access();
    wire_.cycle(now, root_, counters_);
    edge();
    intx_ = root_.intx_o;
    if (root_.trace_valid_o != 0) {
      c_.trace.on_events(time, root_.trace_valid_o, &root_.trace_tag_o[0]);
    }
    fail_on_assertion(now);
  }

  void edge() {
    if constexpr (kVariant == Variant::traced) {
      wave_.edges(*model_, root_, context_, c_.clock.time_of(counters_.cycles), c_.clock.period());
    } else {
      rising_edge(*model_, root_);
    }
  }

  void read_channel(Cycle now) {
    ReadChannel& read = c_.bus.read();
    if (read.due() <= now) {
      if (!r_offered_) {
        root_.m_axi_rvalid_i = 1;
        std::memcpy(&root_.m_axi_rdata_i, read.data(), kBeatBytes);
        root_.m_axi_rid_i = static_cast<CData>(read.id());
        root_.m_axi_rresp_i = static_cast<CData>(read.resp());
        root_.m_axi_rlast_i = read.last();
        r_offered_ = true;
      }
    } else if (root_.m_axi_rvalid_i) {
      root_.m_axi_rvalid_i = 0;
    }
    const bool ready = read.ar_ready();
    root_.m_axi_arready_i = ready;
    if (ar_stalled_.active()) [[unlikely]]
      ar_stalled_.check(now, root_.m_axi_arvalid_o, ar());
    if (root_.m_axi_arvalid_o) {
      if (ready) {
        read.request(now, root_.m_axi_arid_o, root_.m_axi_araddr_o, root_.m_axi_arlen_o,
                     root_.m_axi_arsize_o, root_.m_axi_arburst_o);
      } else {
        ar_stalled_.hold(ar());
      }
    }
    if (r_offered_ && root_.m_axi_rready_o) {
      read.pop(now);
      r_offered_ = false;
      ++counters_.read_beats;
    }
  }

  void write_channel(Cycle now) {
    WriteChannel& write = c_.bus.write();
    if (write.due() <= now) {
      root_.m_axi_bvalid_i = 1;
      root_.m_axi_bid_i = static_cast<CData>(write.id());
      root_.m_axi_bresp_i = static_cast<CData>(write.resp());
    } else if (root_.m_axi_bvalid_i) {
      root_.m_axi_bvalid_i = 0;
    }
    const bool aw_ready = write.aw_ready();
    const bool w_ready = write.w_ready_from() <= now;
    root_.m_axi_awready_i = aw_ready;
    root_.m_axi_wready_i = w_ready;
    if (aw_stalled_.active()) [[unlikely]]
      aw_stalled_.check(now, root_.m_axi_awvalid_o, aw());
    if (w_stalled_.active()) [[unlikely]]
      w_stalled_.check(now, root_.m_axi_wvalid_o, w());
    if (root_.m_axi_awvalid_o) {
      if (aw_ready) {
        write.request(now, root_.m_axi_awid_o, root_.m_axi_awaddr_o, root_.m_axi_awlen_o,
                      root_.m_axi_awsize_o, root_.m_axi_awburst_o);
      } else {
        aw_stalled_.hold(aw());
      }
    }
    if (root_.m_axi_wvalid_o) {
      if (w_ready) {
        write.data(now, reinterpret_cast<const std::byte*>(&root_.m_axi_wdata_o),  // NOLINT
                   root_.m_axi_wstrb_o, root_.m_axi_wlast_o);
        ++counters_.write_beats;
      } else {
        w_stalled_.hold(w());
      }
    }
    if (root_.m_axi_bvalid_i && root_.m_axi_bready_o) write.pop(now);
  }

  // One access at a time. An address or data phase that was taken at the last edge ends now; the
  // response is always taken at once.
  void register_access() {
    const AxilMaster::Access& access = registers_.current();
    if (!axil_busy_) {
      axil_busy_ = true;
      aw_taken_ = w_taken_ = ar_taken_ = false;
      root_.s_axil_awaddr_i = static_cast<SData>(access.address);
      root_.s_axil_araddr_i = static_cast<SData>(access.address);
      root_.s_axil_wdata_i = access.data;
      root_.s_axil_wstrb_i = access.strobe;
      root_.s_axil_awvalid_i = access.is_write;
      root_.s_axil_wvalid_i = access.is_write;
      root_.s_axil_arvalid_i = !access.is_write;
    }
    if (aw_taken_) root_.s_axil_awvalid_i = 0;
    if (w_taken_) root_.s_axil_wvalid_i = 0;
    if (ar_taken_) root_.s_axil_arvalid_i = 0;
    aw_taken_ |= root_.s_axil_awvalid_i && root_.s_axil_awready_o;
    w_taken_ |= root_.s_axil_wvalid_i && root_.s_axil_wready_o;
    ar_taken_ |= root_.s_axil_arvalid_i && root_.s_axil_arready_o;
    const bool done = access.is_write ? root_.s_axil_bvalid_o : root_.s_axil_rvalid_o;
    if (!done) return;
    axil_busy_ = false;
    root_.s_axil_awvalid_i = 0;
    root_.s_axil_wvalid_i = 0;
    root_.s_axil_arvalid_i = 0;
    ++counters_.register_accesses;
    const unsigned resp = access.is_write ? root_.s_axil_bresp_o : root_.s_axil_rresp_o;
    registers_.finish(root_.s_axil_rdata_o, resp != kRespOkay);
  }

  void fail_on_assertion(Cycle now) {
    if constexpr (kAssertions) {
      if (!context_.gotError()) return;
      wave_.flush();
      throw SimulationFailure(
          fmt::format("an assertion of the RTL failed in cycle {}; its text is above", now));
    }
  }

  void check_progress() {
    const bool outstanding = !c_.bus.idle() || !registers_.idle() || root_.m_axi_arvalid_o ||
                             root_.m_axi_awvalid_o || root_.m_axi_wvalid_o || !wire_.out_quiet();
    if (!watchdog_.expired(counters_, outstanding)) return;
    wave_.flush();
    throw SimulationFailure(fmt::format(
        "no progress for {} cycles, at cycle {}: {}; offered: AR {} AW {} W {}; {} register "
        "accesses "
        "pending; frame to the wire {}; idle_o {}",
        c_.watchdog_cycles, counters_.cycles, c_.bus.describe(), root_.m_axi_arvalid_o != 0,
        root_.m_axi_awvalid_o != 0, root_.m_axi_wvalid_o != 0, registers_.pending(),
        wire_.out_quiet() ? "none" : "begun and not ended", root_.idle_o != 0));
  }

  // ---- payloads of the channels, for the rule that they are stable
  static constexpr std::size_t kAddressBytes = 13;
  static constexpr std::size_t kDataBytes = kBeatBytes + 9;

  template <std::size_t Bytes, typename... Parts>
  static std::array<std::byte, Bytes> pack(const Parts&... parts) noexcept {
    std::array<std::byte, Bytes> packed{};
    std::size_t at = 0;
    ((std::memcpy(packed.data() + at, &parts, sizeof parts), at += sizeof parts), ...);
    return packed;
  }
  [[nodiscard]] auto ar() const noexcept {
    return pack<kAddressBytes>(root_.m_axi_araddr_o, root_.m_axi_arid_o, root_.m_axi_arlen_o,
                               root_.m_axi_arsize_o, root_.m_axi_arburst_o);
  }
  [[nodiscard]] auto aw() const noexcept {
    return pack<kAddressBytes>(root_.m_axi_awaddr_o, root_.m_axi_awid_o, root_.m_axi_awlen_o,
                               root_.m_axi_awsize_o, root_.m_axi_awburst_o);
  }
  [[nodiscard]] auto w() const noexcept {
    return pack<kDataBytes>(root_.m_axi_wdata_o, root_.m_axi_wstrb_o, root_.m_axi_wlast_o);
  }

  VerilatedContext context_;
  std::unique_ptr<Model> model_;
  Root& root_;
  WireFor<Root> wire_;
  WaveFile<Model, kVariant == Variant::traced> wave_;
  Watchdog watchdog_;
  Stalled<kAddressBytes> ar_stalled_{"AR"};
  Stalled<kAddressBytes> aw_stalled_{"AW"};
  Stalled<kDataBytes> w_stalled_{"W"};
  bool r_offered_ = false;
  bool axil_busy_ = false;
  bool aw_taken_ = false;
  bool w_taken_ = false;
  bool ar_taken_ = false;
};

}  // namespace nicroscope::sim
