# SPDX-License-Identifier: Apache-2.0
# vq_engine: transmit and receive of one queue as in edge10, four queues on a wide bus.

nicroscope_rtl_test(vq_engine_tx_test TOP vq_engine PREFIX Vvq_tx
  PARAMS DeviceWrites=1'b0 SOURCES vq_engine_tx_test.cpp)
nicroscope_rtl_test(vq_engine_rx_test TOP vq_engine PREFIX Vvq_rx
  PARAMS DeviceWrites=1'b1 SOURCES vq_engine_rx_test.cpp)
nicroscope_rtl_test(vq_engine_wide_test TOP vq_engine PREFIX Vvq_wide
  PARAMS DeviceWrites=1'b1 Queues=4 AxiBytes=64 RingMax=32768 SOURCES vq_engine_wide_test.cpp)
nicroscope_rtl_test(vq_engine_strict_test TOP vq_engine PREFIX Vvq_strict
  PARAMS DeviceWrites=1'b0 StrictChains=1'b1 AxiBytes=32 SOURCES vq_engine_strict_test.cpp)
