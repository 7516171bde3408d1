#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The shape of what `bench` prints. Usage: bench_test.py NICROSCOPE [unittest options]"""

import json
import unittest

import program
from program import run

SIZES = ["64", "65", "128", "256", "512", "1024", "1518", "9018", "mix"]


def bench(*arguments):
    done = run("bench", *arguments, "--json", timeout=200)
    if done.returncode != 0 or done.stderr:
        raise AssertionError(f"exit status {done.returncode}: {done.stderr}")
    return json.loads(done.stdout)


class Bench(unittest.TestCase):
    def test_rtl(self):
        report = bench("rtl")
        self.assertEqual(set(report), {"profile", "cases"})
        self.assertEqual(report["profile"], "edge10")
        cases = {(case["direction"], case["size"]): case for case in report["cases"]}
        self.assertLessEqual({(d, s) for d in ("rx", "tx", "both") for s in SIZES}, set(cases))
        for name, case in cases.items():
            with self.subTest(name):
                self.assertEqual(set(case), {"direction", "size", "frames_per_second",
                                             "link_bound", "datapath_bound", "ratio"})
                bound = min(case["link_bound"], case["datapath_bound"])
                self.assertGreaterEqual(case["frames_per_second"], 0.99 * bound)
                self.assertGreaterEqual(case["ratio"], 0.99)
        self.assertGreater(cases["rx", "64"]["frames_per_second"], 14.7e6)
        self.assertGreater(cases["tx", "64"]["frames_per_second"], 14.7e6)

    def test_sim(self):
        report = bench("sim", "--seconds", "0.01")
        self.assertEqual(set(report), {"profile", "cases"})
        self.assertGreaterEqual(len(report["cases"]), 6)
        for case in report["cases"]:
            self.assertLessEqual({"direction", "size", "frames_per_wall_second",
                                  "cycles_per_wall_second", "score", "ratio_to_reference"},
                                 set(case))
            self.assertGreater(case["frames_per_wall_second"], 0)
            self.assertGreater(case["score"], 0)


if __name__ == "__main__":
    program.main()
