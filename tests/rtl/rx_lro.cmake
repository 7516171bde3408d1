# SPDX-License-Identifier: Apache-2.0
# Coalescing and joining of received frames, at the bus widths of the three profiles.

nicroscope_rtl_test(rx_lro_test TOP rx_lro_harness RTL tests/rtl/rx_lro_harness.sv
  SOURCES rx_lro_test.cpp support/lro_bench.cpp LIBS nicroscope_golden)
nicroscope_rtl_test(rx_lro_dc25_test TOP rx_lro_harness RTL tests/rtl/rx_lro_harness.sv
  PARAMS AxiBytes=32 SOURCES rx_lro_test.cpp support/lro_bench.cpp LIBS nicroscope_golden)
nicroscope_rtl_test(rx_lro_dc100_test TOP rx_lro_harness RTL tests/rtl/rx_lro_harness.sv
  PARAMS AxiBytes=64 SOURCES rx_lro_test.cpp support/lro_bench.cpp LIBS nicroscope_golden)
