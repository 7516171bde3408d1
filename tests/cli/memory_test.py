#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Memory does not grow with the capture. Usage: memory_test.py NICROSCOPE [unittest options]"""

import program
from program import Case, frame, peak_memory


class Memory(Case):
    def test_twenty_times_the_frames_cost_the_same(self):
        for gap_ns in (2000, 0):
            with self.subTest(gap_ns=gap_ns):
                few, many = (
                    peak_memory("replay", self.capture([frame(64, n) for n in range(count)],
                                                       gap_ns=gap_ns),
                                "--out", self.folder / "out.pcap")
                    for count in (1000, 20_000))
                self.assertLess(many, few + 2048, "KiB")


if __name__ == "__main__":
    program.main()
