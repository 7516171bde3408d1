#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""conformance.py: each mistake that a page can have is found, and nothing else."""

import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import conformance  # noqa: E402

NAMES = ["host_regs_test.HostProbe.ResetValues", "host_regs_wide_test.HostProbe.ResetValues",
         "vq_tx_test.Seeds/VqTx.ReturnsEveryBuffer/17", "vq_rx_test.Kinds/VqErrors.Stop/too long",
         "cli.faults", "generated_files_current"]
PROVED = {"fifo", "rx/rx_plan"}

PAGE = """# A page

| id | level | requirement | shown by |
|---|---|---|---|
| D-2.1.2-1 | MUST NOT | Nothing. | `HostProbe.ResetValues` |
| D-2.1.2-2 | SHOULD | Little. | `VqTx.ReturnsEveryBuffer`, `VqErrors.Stop`, `cli.faults` |
| D-2.2-1 | MUST | Much. | `formal:rx/rx_plan` (with a remark) |
| R-2.2-1 | MUST | All. | n/a: not offered (blocks: `HostProbe.ResetValues`) |
| R-2.2-2 | SHOULD NOT | Some. | open: nobody has done it |
"""
INDEX = """# Conformance

| page | rows | MUST | SHOULD | shown | does not apply | open |
|---|---|---|---|---|---|---|
| [a page](conformance/page.md) | 5 | 3 | 2 | 3 | 1 | 1 |
| all | 5 | 3 | 2 | 3 | 1 | 1 |
"""


class Check(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = Path(self.folder.name)
        (self.root / "conformance").mkdir()

    def tearDown(self):
        self.folder.cleanup()

    def problems(self, page=PAGE, index=INDEX, update=False, names=None):
        (self.root / "conformance/page.md").write_text(page, encoding="utf-8")
        (self.root / "conformance.md").write_text(index, encoding="utf-8")
        tests = conformance.Tests(NAMES if names is None else names, PROVED)
        return conformance.check(self.root / "conformance.md", tests, update)

    def expect(self, found, old, new, more=False):
        """`new` in the place of `old` in the page is a problem, with `found` in it, and only one
        but for `more`, where others come with it."""
        self.assertIn(old, PAGE)
        problems = self.problems(PAGE.replace(old, new, 1))
        self.assertTrue(more or len(problems) == 1, problems)
        self.assertIn(found, problems[0])

    def test_a_right_page_is_right(self):
        self.assertEqual(self.problems(), [])

    def test_a_test_that_does_not_exist(self):
        self.expect("no test HostProbe.ResetValue", "`HostProbe.ResetValues` |",
                    "`HostProbe.ResetValue` |")
        self.expect("no test Probe.ResetValues", "`HostProbe.ResetValues` |",
                    "`Probe.ResetValues` |")
        self.expect("no test cli.fault", "`cli.faults`", "`cli.fault`")
        self.expect("no test VqTx.Returns", "`VqTx.ReturnsEveryBuffer`", "`VqTx.Returns`")
        self.expect("no proof of rx/rx_plans", "formal:rx/rx_plan", "formal:rx/rx_plans")
        self.expect("no name of a test", "`cli.faults`", "`cli faults`")

    def test_tests_named_beside_a_reason_exist_too(self):
        self.expect("no test HostProbe.Values", "(blocks: `HostProbe.ResetValues`)",
                    "(blocks: `HostProbe.Values`)")

    def test_neither_test_nor_reason(self):
        self.expect("neither a test nor a reason", "`HostProbe.ResetValues` |", "somehow |")
        self.expect("four columns", "`HostProbe.ResetValues` |", " |", more=True)
        self.expect("open without a reason", "open: nobody has done it", "open: `cli.faults`")
        self.expect("n/a without a reason", "n/a: not offered (blocks: `HostProbe.ResetValues`)",
                    "n/a:")

    def test_ids(self):
        self.expect("is there already", "| D-2.2-1 |", "| D-2.1.2-2 |", more=True)
        self.expect("number 2 is next", "D-2.1.2-2", "D-2.1.2-3")
        self.expect("number 1 is next", "R-2.2-1", "R-2.3-2", more=True)
        self.expect("an id is", "D-2.2-1", "D-2.2.1", more=True)

    def test_levels(self):
        self.expect("is no level", "| SHOULD |", "| MAY |")

    def test_counts(self):
        for wrong in ("| 4 | 3 | 2 | 3 | 1 | 1 |", "| 5 | 2 | 2 | 3 | 1 | 1 |",
                      "| 5 | 3 | 2 | 3 | 1 | 0 |", "| 5 |"):
            index = INDEX.replace("| 5 | 3 | 2 | 3 | 1 | 1 |", wrong)
            self.assertEqual(len(self.problems(index=index)), 2)
            self.assertEqual(self.problems(index=index, update=True), [])
            self.assertEqual((self.root / "conformance.md").read_text(encoding="utf-8"), INDEX)

    def test_pages_and_the_summary_belong_together(self):
        problems = self.problems(index=INDEX.replace("page.md", "other.md"))
        self.assertEqual(len(problems), 2, problems)
        self.assertIn("no page conformance/other.md", problems[0])
        self.assertIn("no line for conformance/page.md", problems[1])

    def test_a_page_without_rows(self):
        self.assertTrue(any("no rows" in p for p in self.problems(page="# Nothing\n")))

    def test_names_of_ctest(self):
        for name, gtest in {"a_test.Suite.Name": "Suite.Name", "a_test.I/Suite.Name/0": "Suite.Name",
                            "a_test.I/Suite.Name/x.y z": "Suite.Name", "cli.faults": None,
                            "generated_files_current": None, "a_test_NOT_BUILT": None}.items():
            self.assertEqual(conformance.gtest_name(name), gtest)

    def test_programs_that_are_not_built_are_known(self):
        tests = conformance.Tests(["a_test_NOT_BUILT", "cli.faults"], set())
        self.assertEqual(tests.not_built, ["a_test_NOT_BUILT"])


class Proofs(unittest.TestCase):
    def test_the_real_ones_are_found(self):
        found = conformance.proofs(ROOT / "tests/formal")
        self.assertLessEqual({"fifo", "arbiter_rr", "host/msix"}, found)
        self.assertFalse([name for name in found if "=" in name or "@" in name])


if __name__ == "__main__":
    unittest.main()
