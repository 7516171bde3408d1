// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

namespace nicroscope::sim {

/// A row of the table in the kernel's NAPI_HOWTO: Robert Olsson's e1000 forwarding a million frames
/// of each size.
struct NapiHowto {
  unsigned size;  ///< bytes, as the table has them: without FCS
  double offered_pps;
  double forwarded;
  double rx_interrupts;
  double tx_interrupts;
  double polls_done;      ///< that emptied the ring
  double polls_not_done;  ///< that did not
};
inline constexpr std::array<NapiHowto, 6> kNapiHowto{{
    {60, 890'000, 409'362, 17, 27'622, 7, 6'823},
    {128, 758'150, 464'364, 21, 9'301, 10, 7'738},
    {256, 445'632, 774'646, 42, 15'507, 21, 12'906},
    {512, 232'666, 994'445, 241'292, 19'147, 241'192, 1'062},
    {1024, 119'061, 1'000'003, 872'519, 19'258, 872'511, 0},
    {1440, 85'193, 1'000'003, 946'576, 19'505, 946'569, 0},
}};

/// virtio-net with adaptive receive moderation (Linux merge 604ca8ee7bdc): UDP of 16 bytes.
struct VirtioDim {
  bool dim;
  double received_pps;
  double cpu;  ///< share of a CPU's time
};
inline constexpr std::array<VirtioDim, 2> kVirtioDim{{
    {false, 1'143'277, 1.0},
    {true, 1'124'161, 0.835},
}};

}  // namespace nicroscope::sim
