# SPDX-License-Identifier: Apache-2.0
# Tests of rtl/mac. zlib's crc32 judges the frame check sequence.

foreach(module mac_rx mac_tx mac_xgmii)
  nicroscope_rtl_test(${module}_test TOP ${module} SOURCES ${module}_test.cpp LIBS ZLIB::ZLIB)
endforeach()

nicroscope_rtl_test(mac_pause_test TOP mac_xgmii SOURCES mac_pause_test.cpp LIBS ZLIB::ZLIB)

nicroscope_rtl_test(crc32_test TOP crc32_harness RTL crc32_harness.sv SOURCES crc32_test.cpp
  LIBS ZLIB::ZLIB)
