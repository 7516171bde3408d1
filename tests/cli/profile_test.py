# SPDX-License-Identifier: Apache-2.0
"""`nicroscope profile check`: what a profile predicts, beside what was published."""

import json
import unittest

import program
from program import run


def checks(name):
    done = run("profile", "check", name, "--json", timeout=500)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report["profile"] == name
    return report


class CheckTest(unittest.TestCase):
    def test_a_server(self):
        report = checks("server-2020")
        by_what = {check["what"]: check for check in report["checks"]}

        def ratio(words):
            (found,) = [check for what, check in by_what.items() if words in what]
            return found["predicted"] / found["published"]

        # Nothing was fitted to these: magnitudes hold.
        self.assertTrue(0.3 < ratio("UDP of 16 bytes") < 3)
        self.assertTrue(0.3 < ratio("Gbit/s of one CPU") < 3)
        self.assertAlmostEqual(ratio("a register read a frame"), 1, delta=0.1)
        # This one's work is not the same.
        self.assertTrue(0.05 < ratio("a program that polls") < 1.5)
        self.assertTrue(all(check["source"] for check in report["checks"]))
        self.assertTrue(any("ZEROCOPY" in line for line in report["unchecked"]))

    def test_the_host_of_the_napi_table(self):
        for check in checks("xeon-2002")["checks"]:
            if check["fitted"]:
                self.assertAlmostEqual(check["predicted"] / check["published"], 1, delta=0.06)
            if check["what"].startswith("forwarded"):
                self.assertAlmostEqual(check["predicted"] / check["published"], 1, delta=0.25)

    def test_what_was_measured_is_a_profile(self):
        costs = json.loads(run("profile", "show", "epyc-2026", "--json").stdout)["costs"]
        sources = [cost["source"] for cost in costs.values()]
        self.assertGreater(sum("measured:" in source for source in sources), 8)


if __name__ == "__main__":
    program.main()
