#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""scripts/faults.py finds what is wrong with a page of faults."""

import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))
import faults  # noqa: E402

NAMES = ["cosim_device_fault_test.Each/BadHeader.IsDropped/edge10_gso_2",
         "cosim_device_fault_test.Each/BadHeader.IsDropped/dc25_gso_2",
         "cosim_device_fault_test.Each/RefusedAccess.Stops/dc25_slverr_transmit_data",
         "cosim_device_fault_test.Each/FaultyChain.Stops/dc25_vq5_loop",
         "cosim_device_fault_test.Link.DownAndUp",
         "cosim_fault_test.Each/Fault.IsReported/rx_loop  # GetParam() = loop on rx",
         "cosim_device_test.Device.Registers"]
PAGE = """
| mistake | tests |
|---|---|
| a | `BadHeader/gso_2`, `RefusedAccess/transmit_data` |
| b | `Fault/rx_loop`, `FaultyChain/loop` |
| c | `Link.DownAndUp`, `Device.Registers` |

| what | counter |
|---|---|
| d | `rx_frames` |
"""


class Faults(unittest.TestCase):
    def test_a_page_that_is_right(self):
        self.assertEqual(faults.check(PAGE, NAMES), [])

    def test_a_name_of_no_test(self):
        page = PAGE.replace("gso_2", "gso_3")
        self.assertEqual(faults.check(page, NAMES), ["faults.md:4: no test BadHeader/gso_3",
                                                     "faults.md: BadHeader/gso_2 is in no row"])
        self.assertEqual(faults.check(PAGE.replace("Device.Reg", "Device.Mem"), NAMES),
                         ["faults.md:6: no test Device.Memisters"])

    def test_a_row_without_a_test(self):
        self.assertEqual(faults.check(PAGE.replace("`Fault/rx_loop`, `FaultyChain/loop`", "none"), NAMES),
                         ["faults.md:5: the row names no test", "faults.md: Fault/rx_loop is in no row",
                          "faults.md: FaultyChain/loop is in no row"])

    def test_a_test_without_a_row(self):
        more = NAMES + ["cosim_device_fault_test.Link.Flaps", "other_test.Link.Flutters"]
        self.assertEqual(faults.check(PAGE, more), ["faults.md: Link.Flaps is in no row"])


if __name__ == "__main__":
    unittest.main()
