# SPDX-License-Identifier: Apache-2.0
# The AXI4 engines, narrow and wide.

nicroscope_rtl_test(axi_read_test TOP axi_read SOURCES axi_read_test.cpp)
nicroscope_rtl_test(axi_read_dc100_test TOP axi_read PARAMS AxiBytes=64 SOURCES axi_read_test.cpp)
nicroscope_rtl_test(axi_write_test TOP axi_write SOURCES axi_write_test.cpp)
nicroscope_rtl_test(axi_write_dc100_test TOP axi_write PARAMS AxiBytes=64
  SOURCES axi_write_test.cpp)
