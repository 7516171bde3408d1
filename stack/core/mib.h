// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

// The counters of /proc/net/snmp and /proc/net/netstat that this stack keeps, by Linux's names
// (RFC 4293, RFC 4113). X(group, name)
#define NICROSCOPE_MIB(X)       \
  X(Ip, InReceives)             \
  X(Ip, InHdrErrors)            \
  X(Ip, InAddrErrors)           \
  X(Ip, ForwDatagrams)          \
  X(Ip, InUnknownProtos)        \
  X(Ip, InDiscards)             \
  X(Ip, InDelivers)             \
  X(Ip, OutRequests)            \
  X(Ip, OutDiscards)            \
  X(Ip, OutNoRoutes)            \
  X(Ip, ReasmTimeout)           \
  X(Ip, ReasmReqds)             \
  X(Ip, ReasmOKs)               \
  X(Ip, ReasmFails)             \
  X(Ip, FragOKs)                \
  X(Ip, FragFails)              \
  X(Ip, FragCreates)            \
  X(Icmp, InMsgs)               \
  X(Icmp, InErrors)             \
  X(Icmp, InCsumErrors)         \
  X(Icmp, InDestUnreachs)       \
  X(Icmp, InTimeExcds)          \
  X(Icmp, InParmProbs)          \
  X(Icmp, InEchos)              \
  X(Icmp, InEchoReps)           \
  X(Icmp, OutMsgs)              \
  X(Icmp, OutErrors)            \
  X(Icmp, OutRateLimitGlobal)   \
  X(Icmp, OutRateLimitHost)     \
  X(Icmp, OutDestUnreachs)      \
  X(Icmp, OutTimeExcds)         \
  X(Icmp, OutParmProbs)         \
  X(Icmp, OutRedirects)         \
  X(Icmp, OutEchoReps)          \
  X(Udp, InDatagrams)           \
  X(Udp, NoPorts)               \
  X(Udp, InErrors)              \
  X(Udp, OutDatagrams)          \
  X(Udp, RcvbufErrors)          \
  X(Udp, SndbufErrors)          \
  X(Udp, InCsumErrors)          \
  X(Udp, IgnoredMulti)          \
  X(IpExt, InNoRoutes)          \
  X(IpExt, InTruncatedPkts)     \
  X(IpExt, IPReversePathFilter) \
  X(IpExt, InCsumErrors)        \
  X(IpExt, InOctets)            \
  X(IpExt, OutOctets)

namespace nicroscope::net {

enum class mib : std::uint8_t {
#define NICROSCOPE_X(group, name) group##name,
  NICROSCOPE_MIB(NICROSCOPE_X)
#undef NICROSCOPE_X
      count_
};

struct mib_name {
  std::string_view group;
  std::string_view name;
};

/// Indexed by mib.
inline constexpr std::array<mib_name, static_cast<std::size_t>(mib::count_)> kMibNames{{
#define NICROSCOPE_X(group, name) {#group, #name},
    NICROSCOPE_MIB(NICROSCOPE_X)
#undef NICROSCOPE_X
}};

/// One host's counters.
class Mib {
 public:
  void inc(mib counter) noexcept { add(counter, 1); }
  void add(mib counter, std::uint64_t n) noexcept {
    values_[static_cast<std::size_t>(counter)] += n;
  }
  [[nodiscard]] std::uint64_t operator[](mib counter) const noexcept {
    return values_[static_cast<std::size_t>(counter)];
  }
  /// As /proc/net/snmp: for each group a line of names and a line of values.
  [[nodiscard]] std::string proc_net_snmp() const;

 private:
  std::array<std::uint64_t, static_cast<std::size_t>(mib::count_)> values_{};
};

}  // namespace nicroscope::net
