# SPDX-License-Identifier: Apache-2.0
# The receive path at the widths of the three profiles, with random bytes and with real frames.

foreach(profile edge10 dc25 dc100)
  if(profile STREQUAL "edge10")
    set(parameters StreamBytes=8 AxiBytes=16 Queues=1)
  elseif(profile STREQUAL "dc25")
    set(parameters StreamBytes=16 AxiBytes=32 Queues=4)
  else()
    set(parameters StreamBytes=64 AxiBytes=64 Queues=16)
  endif()
  nicroscope_rtl_test(rx_${profile}_test TOP rx_harness RTL tests/rtl/rx_harness.sv
    PARAMS ${parameters} SOURCES rx_test.cpp rx_path_test.cpp support/rx_path_bench.cpp
    LIBS nicroscope_golden)
endforeach()
