# SPDX-License-Identifier: Apache-2.0
# The control virtqueue and the look-up of received frames, at the queue pairs of the three profiles
# and at the most.

foreach(config "edge10 16 1 156250" "dc25 32 4 250000" "dc100 64 16 250000" "most 64 256 322265")
  separate_arguments(config)
  list(GET config 0 name)
  list(GET config 1 axi_bytes)
  list(GET config 2 pairs)
  list(GET config 3 clock)
  nicroscope_rtl_test(ctrl_${name}_test TOP ctrl_harness RTL tests/rtl/ctrl_harness.sv
    PARAMS AxiBytes=${axi_bytes} QueuePairs=${pairs} ClockKhz=${clock}
    SOURCES ctrl_test.cpp ctrl_stats_test.cpp ctrl_random_test.cpp ctrl_model.cpp)
  target_compile_definitions(ctrl_${name}_test PRIVATE
    QUEUE_PAIRS=${pairs} CLOCK_KHZ=${clock})
  nicroscope_rtl_test(rx_classify_${name}_test TOP rx_classify_harness
    RTL tests/rtl/rx_classify_harness.sv PARAMS Queues=${pairs} SOURCES rx_classify_test.cpp)
  target_compile_definitions(rx_classify_${name}_test PRIVATE QUEUE_PAIRS=${pairs})
endforeach()
