// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <type_traits>

#include "sim/nic/nic.h"
#include "sim/wire/axis_decoder.h"
#include "sim/wire/axis_encoder.h"
#include "sim/wire/xgmii_decoder.h"
#include "sim/wire/xgmii_encoder.h"

namespace nicroscope::sim {

/// The wire of a nic_top: 64-bit XGMII.
template <typename Root>
class XgmiiWire {
 public:
  XgmiiWire(WirePort& wire, RtlTrace& trace, const Clock& clock, unsigned /*link_mbps*/)
      : in_(wire, clock), out_(wire, trace, clock) {}

  void reset(Root& root) {
    root.xgmii_rxd_i = xgmii::kIdleWord;
    root.xgmii_rxc_i = xgmii::kAllControl;
  }
  void cycle(Cycle now, Root& root, RunCounters& counters) {
    std::uint64_t data = root.xgmii_rxd_i;
    in_.drive(now, data, root.xgmii_rxc_i);
    root.xgmii_rxd_i = data;
    out_.sample(now, root.xgmii_txd_o, root.xgmii_txc_o);
    counters.frames_to_nic = in_.frames();
    counters.bytes_to_nic = in_.bytes();
    counters.frames_from_nic = out_.frames();
    counters.bytes_from_nic = out_.bytes();
  }
  [[nodiscard]] bool quiet(const Root& root) const noexcept {
    return in_.quiet(root.xgmii_rxc_i) && out_.quiet();
  }
  [[nodiscard]] bool out_quiet() const noexcept { return out_.quiet(); }
  [[nodiscard]] Cycle due() const noexcept { return in_.due(); }

 private:
  XgmiiEncoder in_;
  XgmiiDecoder out_;
};

/// The wire of a nic_core: AXI4-Stream, with a MAC and a link of that rate behind it, or none.
template <typename Root>
class AxisWire {
 public:
  AxisWire(WirePort& wire, RtlTrace& trace, const Clock& clock, unsigned link_mbps)
      : in_(wire, clock, link_mbps, kBytes), out_(wire, trace, clock, link_mbps) {}

  void reset(Root& root) {
    root.s_axis_tvalid_i = 0;
    root.m_axis_tready_i = 0;
    root.mac_rx_ok_i = 0;
    root.mac_rx_fcs_error_i = 0;
    root.mac_rx_undersize_i = 0;
    root.mac_rx_oversize_i = 0;
    root.mac_rx_code_error_i = 0;
    root.mac_tx_ok_i = 0;
    root.mac_tx_underrun_i = 0;
    root.mac_rx_pause_i = 0;
    root.mac_tx_pause_i = 0;
  }
  void cycle(Cycle now, Root& root, RunCounters& counters) {
    root.mac_rx_ok_i = 0;
    root.mac_rx_fcs_error_i = 0;
    root.mac_rx_code_error_i = 0;
    root.mac_tx_ok_i = 0;
    if (in_.next(now)) {
      receive(root);
    } else if (root.s_axis_tvalid_i) {
      root.s_axis_tvalid_i = 0;
    }
    const bool ready = out_.ready(now);
    root.m_axis_tready_i = ready;
    if (ready && root.m_axis_tvalid_o) {
      out_.template beat<kBytes>(
          now, reinterpret_cast<const std::byte*>(&root.m_axis_tdata_o),  // NOLINT
          root.m_axis_tkeep_o, root.m_axis_tlast_o, root.m_axis_tag_o);
      if (root.m_axis_tlast_o) {
        root.mac_tx_ok_i = 1;
        root.mac_tx_bytes_i = static_cast<SData>(out_.last_length());
      }
    }
    counters.frames_to_nic = in_.frames();
    counters.bytes_to_nic = in_.bytes();
    counters.frames_from_nic = out_.frames();
    counters.bytes_from_nic = out_.bytes();
  }
  [[nodiscard]] bool quiet(const Root& root) const noexcept {
    return in_.quiet() && root.s_axis_tvalid_i == 0 && root.mac_tx_ok_i == 0 && out_.quiet() &&
           root.m_axis_tready_i;
  }
  [[nodiscard]] bool out_quiet() const noexcept { return out_.quiet(); }
  [[nodiscard]] Cycle due() const noexcept { return in_.due(); }

 private:
  static constexpr unsigned kBytes = sizeof(Root::s_axis_tdata_i);

  // A word of a received frame, and with its last one what a MAC would count.
  void receive(Root& root) {
    using Keep = std::remove_reference_t<decltype(root.s_axis_tkeep_i)>;
    std::memcpy(&root.s_axis_tdata_i, in_.data(), kBytes);
    root.s_axis_tkeep_i = static_cast<Keep>(in_.keep());
    root.s_axis_tlast_i = in_.last();
    root.s_axis_tuser_i = in_.fault() != WireFault::none;
    root.s_axis_tag_i = in_.tag();
    root.s_axis_tvalid_i = 1;
    if (!in_.last()) return;
    const bool check = in_.fault() == WireFault::bad_fcs || in_.fault() == WireFault::cut;
    root.mac_rx_ok_i = in_.fault() == WireFault::none;
    root.mac_rx_fcs_error_i = check;
    root.mac_rx_code_error_i = in_.fault() != WireFault::none && !check;
    root.mac_rx_bytes_i = static_cast<SData>(in_.last_length());
  }

  AxisEncoder in_;
  AxisDecoder out_;
};

template <typename Root>
constexpr bool kHasXgmii = requires(Root& root) {
  root.xgmii_rxd_i;
};

template <typename Root>
struct SelectWire {
  using Type = AxisWire<Root>;
};
template <typename Root>
requires kHasXgmii<Root>
struct SelectWire<Root> {
  using Type = XgmiiWire<Root>;
};
template <typename Root>
using WireFor = typename SelectWire<Root>::Type;

}  // namespace nicroscope::sim
