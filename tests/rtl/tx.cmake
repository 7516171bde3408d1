# SPDX-License-Identifier: Apache-2.0
# The transmit path at the widths of the three profiles.

nicroscope_rtl_test(tx_test TOP tx_harness RTL tests/rtl/tx_harness.sv
  SOURCES tx_test.cpp LIBS nicroscope_golden)
nicroscope_rtl_test(tx_dc25_test TOP tx_harness RTL tests/rtl/tx_harness.sv
  PARAMS StreamBytes=16 AxiBytes=32 SOURCES tx_test.cpp LIBS nicroscope_golden)
nicroscope_rtl_test(tx_dc100_test TOP tx_harness RTL tests/rtl/tx_harness.sv
  PARAMS StreamBytes=64 AxiBytes=64 SOURCES tx_test.cpp LIBS nicroscope_golden)
