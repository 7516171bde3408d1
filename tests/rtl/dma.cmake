# SPDX-License-Identifier: Apache-2.0
# The AXI4 engines, narrow and wide.

nicroscope_rtl_test(axi_read_test TOP axi_read SOURCES axi_read_test.cpp)
nicroscope_rtl_test(axi_read_dc100_test TOP axi_read PARAMS AxiBytes=64 SOURCES axi_read_test.cpp)
nicroscope_rtl_test(axi_write_test TOP axi_write SOURCES axi_write_test.cpp)
nicroscope_rtl_test(axi_write_dc100_test TOP axi_write PARAMS AxiBytes=64
  SOURCES axi_write_test.cpp)

# As in the NIC: two clients for used elements, others for words.
nicroscope_rtl_test(axi_write_elements_test TOP axi_write PARAMS Elements=2
  SOURCES axi_write_test.cpp)
nicroscope_rtl_test(axi_write_elements_dc100_test TOP axi_write PARAMS AxiBytes=64 Elements=2
  SOURCES axi_write_test.cpp)
foreach(test axi_write_elements_test axi_write_elements_dc100_test)
  target_compile_definitions(${test} PRIVATE AXI_WRITE_ELEMENTS=2)
endforeach()
