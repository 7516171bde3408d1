#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""rtl.py: finds what a module needs, packages first, and nothing that only a comment names."""

import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts"))
import rtl  # noqa: E402

FILES = {
    "rtl/top.sv": "module top; leaf #(.W(3)) u_leaf (); logic [a_pkg::W-1:0] x; endmodule",
    "rtl/sub/leaf.sv": "// unlike other, this is small\nmodule leaf; /* other too */ endmodule",
    "rtl/sub/other.sv": "module other; endmodule",
    "rtl/a_pkg.sv": "package a_pkg; localparam W = 1; endpackage",
}


class NeededFiles(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.root = Path(self.folder.name).resolve()
        for name, text in FILES.items():
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_text(text, encoding="utf-8")
        self.real, rtl.ROOT = rtl.ROOT, self.root

    def tearDown(self):
        rtl.ROOT = self.real
        self.folder.cleanup()

    def names(self, *tops, extra=()):
        return [path.name for path in rtl.needed_files(tops, extra)]

    def test_packages_come_first_and_comments_do_not_count(self):
        self.assertEqual(self.names("top"), ["a_pkg.sv", "leaf.sv", "top.sv"])

    def test_a_file_outside_rtl_can_be_the_top(self):
        bench = self.root / "bench.sv"
        bench.write_text("module bench; other u_other (); endmodule", encoding="utf-8")
        self.assertEqual(sorted(self.names("bench", extra=[bench])), ["bench.sv", "other.sv"])

    def test_a_missing_module_is_named(self):
        with self.assertRaisesRegex(SystemExit, "nowhere.sv"):
            self.names("nowhere")

    def test_two_files_of_one_name_are_refused(self):
        (self.root / "rtl/leaf.sv").write_text("module leaf; endmodule", encoding="utf-8")
        with self.assertRaisesRegex(SystemExit, "two files for leaf"):
            self.names("top")


class CommandLine(unittest.TestCase):
    def test_the_real_package_is_listed(self):
        done = subprocess.run([sys.executable, ROOT / "scripts/rtl.py", "files", "virtio_pkg"],
                              capture_output=True, text=True, check=True)
        self.assertEqual(done.stdout, "rtl/virtio_pkg.sv\n")


if __name__ == "__main__":
    unittest.main()
