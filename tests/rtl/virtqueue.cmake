# SPDX-License-Identifier: Apache-2.0
# virtqueues: one pair as in edge10, the widths of the other profiles, and as many pairs as change what
# memories are made of.

nicroscope_rtl_test(virtqueues_tx_test TOP vq_harness RTL tests/rtl/vq_harness.sv PREFIX Vvq_narrow
  SOURCES virtqueues_tx_test.cpp)
nicroscope_rtl_test(virtqueues_rx_test TOP vq_harness RTL tests/rtl/vq_harness.sv PREFIX Vvq_narrow
  SOURCES virtqueues_rx_test.cpp)
nicroscope_rtl_test(virtqueues_strict_test TOP vq_harness RTL tests/rtl/vq_harness.sv
  PREFIX Vvq_dc25 PARAMS QueuePairs=4 AxiBytes=32 RingMax=32768 SOURCES virtqueues_strict_test.cpp)
nicroscope_rtl_test(virtqueues_wide_test TOP vq_harness RTL tests/rtl/vq_harness.sv PREFIX Vvq_wide
  PARAMS QueuePairs=16 AxiBytes=64 RingMax=32768 SOURCES virtqueues_wide_test.cpp)
nicroscope_rtl_test(virtqueues_speed_test TOP vq_harness RTL tests/rtl/vq_harness.sv PREFIX Vvq_wide
  PARAMS QueuePairs=16 AxiBytes=64 RingMax=32768 SOURCES virtqueues_speed_test.cpp)
nicroscope_rtl_test(virtqueues_reset_test TOP vq_harness RTL tests/rtl/vq_harness.sv
  PREFIX Vvq_dc25 PARAMS QueuePairs=4 AxiBytes=32 RingMax=32768 SOURCES virtqueues_reset_test.cpp)
nicroscope_rtl_test(virtqueues_many_test TOP vq_harness RTL tests/rtl/vq_harness.sv PREFIX Vvq_many
  PARAMS QueuePairs=64 AxiBytes=64 RingMax=32768 SOURCES virtqueues_many_test.cpp)
nicroscope_rtl_test(vq_moderation_test TOP vq_moderation PARAMS Queues=9
  SOURCES vq_moderation_test.cpp)
