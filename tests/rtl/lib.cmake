# SPDX-License-Identifier: Apache-2.0
# Tests of rtl/lib.

nicroscope_rtl_test(fifo_test TOP fifo PARAMS Width=32 Depth=5 SOURCES fifo_test.cpp)
nicroscope_rtl_test(fifo_ram_test TOP fifo_ram PARAMS Width=32 Depth=5 SOURCES fifo_ram_test.cpp)
nicroscope_rtl_test(ram_1r1w_test TOP ram_1r1w SOURCES ram_1r1w_test.cpp)
nicroscope_rtl_test(ring_two_test TOP ring_two PARAMS FirstWidth=32 SecondWidth=32 Depth=8 SOURCES ring_two_test.cpp)
nicroscope_rtl_test(skid_buffer_test TOP skid_buffer SOURCES skid_buffer_test.cpp)
nicroscope_rtl_test(arbiter_rr_test TOP arbiter_rr PARAMS N=5 SOURCES arbiter_rr_test.cpp)
