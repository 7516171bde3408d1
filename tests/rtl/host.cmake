# SPDX-License-Identifier: Apache-2.0
# rtl/host: the smallest device, and one whose vectors take two words of pending bits.

nicroscope_rtl_test(feature_rules_test TOP feature_rules PARAMS Offered=64'hFFFFFFFFFFFFFFFF
  SOURCES host/feature_rules_test.cpp)

set(host_sources
  host/host_bench.cpp
  host/host_queue_reset_test.cpp
  host/host_regs_axil_test.cpp
  host/host_regs_config_test.cpp
  host/host_regs_msix_test.cpp
  host/host_regs_probe_test.cpp
  host/host_regs_reset_test.cpp)

nicroscope_rtl_test(host_regs_test TOP host_regs PARAMS QueuePairs=1 SOURCES ${host_sources})
nicroscope_rtl_test(host_regs_wide_test TOP host_regs
  PARAMS QueuePairs=20 StreamBytes=64 AxiBytes=64 ClockKhz=250000 LinkMbps=100000 RingMax=32768
  SOURCES ${host_sources})
