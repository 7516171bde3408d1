# SPDX-License-Identifier: Apache-2.0
# The receive path at the widths of the three profiles.

nicroscope_rtl_test(rx_test TOP rx_harness RTL tests/rtl/rx_harness.sv SOURCES rx_test.cpp)
nicroscope_rtl_test(rx_dc25_test TOP rx_harness RTL tests/rtl/rx_harness.sv
  PARAMS StreamBytes=16 AxiBytes=32 Queues=4 SOURCES rx_test.cpp)
nicroscope_rtl_test(rx_dc100_test TOP rx_harness RTL tests/rtl/rx_harness.sv
  PARAMS StreamBytes=64 AxiBytes=64 Queues=16 SOURCES rx_test.cpp)
