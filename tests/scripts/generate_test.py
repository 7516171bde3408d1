#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""generate.py: refuses an impossible map, finds a stale file, and all its outputs agree."""

import copy
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import generate  # noqa: E402

REGS = tomllib.loads((ROOT / "rtl/registers.toml").read_text(encoding="utf-8"))


def group(regs, kind, prefix):
    return next(g for g in regs[kind] if g["prefix"] == prefix)


class Refuses(unittest.TestCase):
    def setUp(self):
        self.regs = copy.deepcopy(REGS)

    def assert_bad(self, words):
        with self.assertRaisesRegex(generate.Bad, words):
            generate.check_registers(self.regs)
            generate.constants(self.regs)

    def test_the_real_map_is_good(self):
        generate.check_registers(self.regs)
        generate.constants(self.regs)

    def test_overlapping_fields(self):
        group(self.regs, "registers", "Common")["fields"][1]["offset"] = 0x02
        self.assert_bad("overlap")

    def test_overlapping_regions(self):
        self.regs["region"][1]["base"] = 0x0800
        self.assert_bad("overlap")

    def test_misaligned_register(self):
        group(self.regs, "registers", "Common")["fields"][-1]["offset"] = 0x3B
        self.assert_bad("not aligned")

    def test_field_outside_its_region(self):
        group(self.regs, "registers", "Vendor")["fields"][-1]["offset"] = 0xFFE
        self.assert_bad("leaves its region")

    def test_region_outside_the_bar(self):
        self.regs["region"][-1]["base"] = 0xF800
        self.assert_bad("leaves the BAR")

    def test_value_too_wide(self):
        group(self.regs, "values", "Status")["items"][0]["value"] = 0x100
        self.assert_bad("does not fit")

    def test_value_twice(self):
        group(self.regs, "values", "Error")["items"][1]["value"] = 0
        self.assert_bad("twice")

    def test_name_twice(self):
        self.regs["counter"][1]["name"] = self.regs["counter"][0]["name"]
        self.assert_bad("twice")


class Outputs(unittest.TestCase):
    def test_both_languages_have_the_same_numbers(self):
        sv = dict(re.findall(r"localparam [^=]* (\w+) = (?:\d+'h)?(\w+);",
                             generate.systemverilog(REGS)))
        cpp = dict(re.findall(r"inline constexpr \S+ k(\w+) = (\w+);", generate.header(REGS)))
        self.assertEqual(set(sv), set(cpp))
        self.assertGreater(len(sv), 150)
        for name, value in cpp.items():
            if value.startswith("0x"):
                self.assertEqual(int(value.rstrip("ul"), 16), int(sv[name], 16), name)
            else:
                self.assertEqual(int(value.rstrip("u")), int(sv[name]), name)

    def test_a_stale_file_is_found_and_made_again(self):
        names = ["rtl/virtio_pkg.sv", "include/nicroscope/registers.h", "docs/registers.md",
                 "include/nicroscope/profiles.h", "cmake/profiles.cmake"]
        with tempfile.TemporaryDirectory() as folder:
            copied = ["scripts/generate.py", "rtl/registers.toml", "rtl/profiles.toml", *names]
            for name in copied:
                (Path(folder) / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(ROOT / name, Path(folder) / name)

            def run(*options):
                command = [sys.executable, f"{folder}/scripts/generate.py", *options]
                return subprocess.run(command, capture_output=True, text=True, check=False)

            self.assertEqual(run("--check").returncode, 0)
            for name in names:
                with (Path(folder) / name).open("a", encoding="utf-8") as file:
                    file.write("edited by hand\n")
                stale = run("--check")
                self.assertEqual(stale.returncode, 1)
                self.assertIn(name, stale.stderr)
                self.assertEqual(run().returncode, 0)
                self.assertEqual(run("--check").returncode, 0)


if __name__ == "__main__":
    unittest.main()
