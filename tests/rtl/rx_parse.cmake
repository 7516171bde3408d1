# SPDX-License-Identifier: Apache-2.0
# The parser of received frames at the widths of the three profiles.

nicroscope_rtl_test(rx_parse_test TOP rx_parse_harness RTL tests/rtl/rx_parse_harness.sv
  SOURCES rx_parse_test.cpp LIBS nicroscope_golden)
nicroscope_rtl_test(rx_parse_dc25_test TOP rx_parse_harness RTL tests/rtl/rx_parse_harness.sv
  PARAMS StreamBytes=16 SOURCES rx_parse_test.cpp LIBS nicroscope_golden)
nicroscope_rtl_test(rx_parse_dc100_test TOP rx_parse_harness RTL tests/rtl/rx_parse_harness.sv
  PARAMS StreamBytes=64 SOURCES rx_parse_test.cpp LIBS nicroscope_golden)
