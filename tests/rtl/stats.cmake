# SPDX-License-Identifier: Apache-2.0
# The device statistics, at the queue pairs of the profiles.

foreach(pairs 1 4 16)
  nicroscope_rtl_test(device_stats_${pairs}_test TOP device_stats PARAMS QueuePairs=${pairs}
    SOURCES device_stats_test.cpp)
  target_compile_definitions(device_stats_${pairs}_test PRIVATE QUEUE_PAIRS=${pairs})
endforeach()
