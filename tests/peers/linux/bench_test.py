#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `nicroscope bench linux` measures. Usage: bench_test.py NICROSCOPE [unittest options]"""

import itertools
import json
import subprocess
import sys
import unittest
from pathlib import Path

import guests

PROGRAM = str(Path(sys.argv[1]).resolve()) if len(sys.argv) > 1 else ""


class Bench(unittest.TestCase):
    def test_figures(self):
        done = subprocess.run([PROGRAM, "bench", "linux", "--json", "--megabytes", "4",
                               "--seconds", "0.003"],
                              capture_output=True, text=True, timeout=900, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        report = json.loads(done.stdout)
        self.assertEqual(report["profile"], "dc25")
        cases = {(case["mtu"], case["tso"], case["lro"]): case for case in report["cases"]}
        self.assertEqual(set(cases), set(itertools.product((1500, 9000), (True, False),
                                                           (True, False))))
        for (mtu, tso, lro), case in cases.items():
            with self.subTest(mtu=mtu, tso=tso, lro=lro):
                self.assertAlmostEqual(case["link_gbps"], 25 * (mtu - 52) / (mtu + 38))
                self.assertGreater(case["ratio"], 0.98)
                self.assertLessEqual(case["ratio"], 1.0001)
                self.assertLess(case["iperf3_gbps"], 1.02 * case["link_gbps"])
                self.assertGreater(case["transaction_us"], case["transaction_bound_us"])
                self.assertLess(case["transaction_us"], case["transaction_bound_us"] + 2)
                self.assertGreater(case["ping_us"] + 1, case["ping_bound_us"])
                self.assertLess(case["ping_us"], case["ping_bound_us"] + 2)
        for mtu, lro in itertools.product((1500, 9000), (True, False)):
            self.assertLess(cases[mtu, True, lro]["sender"]["frames_per_mbyte"] + 0.7e6 / mtu,
                            cases[mtu, False, lro]["sender"]["frames_per_mbyte"])
        for mtu, tso in itertools.product((1500, 9000), (True, False)):
            self.assertLess(cases[mtu, tso, True]["receiver"]["interrupts_per_mbyte"],
                            cases[mtu, tso, False]["receiver"]["interrupts_per_mbyte"])
        reference = report["simbricks"]
        self.assertEqual(reference["seconds_each"], 0.003)
        self.assertAlmostEqual(reference["link_gbps"], 10 * 1448 / 1538)
        self.assertGreater(reference["ratio"], 0.95)


if __name__ == "__main__":
    guests.need_kernel()
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]], verbosity=2)
