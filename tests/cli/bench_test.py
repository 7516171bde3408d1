#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The shape of what `bench` prints. Usage: bench_test.py NICROSCOPE [unittest options]"""

import json
import unittest

import program
from program import run

SIZES = ["64", "65", "128", "129", "256", "512", "1024", "1518", "9018", "mix"]


def bench(*arguments):
    done = run("bench", *arguments, "--json", timeout=200)
    if done.returncode != 0 or done.stderr:
        raise AssertionError(f"exit status {done.returncode}: {done.stderr}")
    return json.loads(done.stdout)


class Bench(unittest.TestCase):
    def check_rtl(self, profile, pairs, least_ratio, sizes=None):
        report = bench("rtl", "--profile", profile, *(["--size", *sizes] if sizes else []))
        self.assertEqual(set(report), {"profile", "cases"})
        self.assertEqual(report["profile"], profile)
        cases = {(case["direction"], case["pairs"], case["size"]): case
                 for case in report["cases"]}
        self.assertEqual({(d, n, s) for d in ("rx", "tx", "both") for n in pairs
                          for s in sizes or SIZES}, set(cases))
        for name, case in cases.items():
            with self.subTest(name):
                self.assertEqual(set(case), {"direction", "size", "pairs", "frames_per_second",
                                             "link_bound", "datapath_bound", "ratio", "lost",
                                             "problem"})
                self.assertGreaterEqual(case["ratio"], least_ratio)
                self.assertEqual(case["problem"], "")
        return cases

    def test_rtl_edge10(self):
        cases = self.check_rtl("edge10", [1], 0.99)
        self.assertGreater(cases["rx", 1, "64"]["frames_per_second"], 14.7e6)
        self.assertGreater(cases["tx", 1, "64"]["frames_per_second"], 14.7e6)

    def test_rtl_dc25(self):
        self.check_rtl("dc25", [1, 4], 0.99, ["64", "65", "256", "mix"])

    def test_rtl_dc100(self):
        self.check_rtl("dc100", [1, 16], 0.95, ["64", "129", "256"])

    def test_latency(self):
        for profile in ("edge10", "dc25", "dc100"):
            report = bench("latency", "--profile", profile)
            self.assertEqual(report["profile"], profile)
            ways = {(case["way"], case["size"]) for case in report["cases"]}
            self.assertEqual(ways, {(way, size) for way in ("receive", "interrupt", "transmit")
                                    for size in (64, 1518)})
            for case in report["cases"]:
                with self.subTest(profile=profile, way=case["way"], size=case["size"]):
                    over = case["cycles"] - case["floor_cycles"]
                    self.assertGreater(over, 0)
                    self.assertLessEqual(over, 40)

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
