#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""setup.sh, with stand-ins for the system's commands: installs only what is missing, asks for sudo
only then, and says what to do where it cannot help."""

import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "scripts/setup.sh"
LIST = re.search(r"packages=\((.*?)\n\)", SCRIPT.read_text(encoding="utf-8"), re.DOTALL).group(1)
PACKAGES = [name for line in LIST.splitlines() if "#" not in line for name in line.split()]


class Setup(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.bin = Path(self.folder.name)
        for tool in ("bash", "env"):
            (self.bin / tool).symlink_to(f"/usr/bin/{tool}")
        self.log = self.bin / "log"
        self.log.touch()

    def tearDown(self):
        self.folder.cleanup()

    def command(self, name, body):
        path = self.bin / name
        path.write_text(f"#!/bin/bash\n{body}\n", encoding="utf-8")
        path.chmod(0o755)

    def system(self, installed, uid, sudo=True):
        lines = "".join(f"ii {name}\\n" for name in installed) + "rc removed\\n"
        self.command("dpkg-query", f"printf '{lines}'")
        self.command("id", f"echo {uid}")
        self.command("apt-get", f'echo "apt-get $*" >> {self.log}')
        if sudo:
            self.command("sudo", f'echo "sudo $*" >> {self.log}; "$@"')

    def run_setup(self, *options):
        return subprocess.run(["/bin/bash", SCRIPT, *options], env={"PATH": str(self.bin)},
                              capture_output=True, text=True, check=False)

    def test_nothing_missing_does_nothing(self):
        self.system(PACKAGES, uid=1000)
        done = self.run_setup()
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "", ""))
        self.assertEqual(self.log.read_text(), "")

    def test_root_installs_only_what_is_missing(self):
        self.system([p for p in PACKAGES if p not in ("yosys", "verilator")], uid=0)
        done = self.run_setup()
        self.assertEqual(done.returncode, 0)
        self.assertIn("verilator yosys", done.stdout)
        log = self.log.read_text()
        self.assertNotIn("sudo", log)
        self.assertRegex(log, r"install .* verilator yosys\n")

    def test_a_user_gets_sudo(self):
        self.system(PACKAGES[1:], uid=1000)
        self.assertEqual(self.run_setup().returncode, 0)
        self.assertIn("sudo", self.log.read_text())

    def test_a_user_without_sudo_is_told(self):
        self.system(PACKAGES[1:], uid=1000, sudo=False)
        done = self.run_setup()
        self.assertEqual(done.returncode, 2)
        self.assertIn(PACKAGES[0], done.stderr)
        self.assertEqual(self.log.read_text(), "")

    def test_a_removed_package_is_missing(self):
        self.system(PACKAGES[1:], uid=0)
        self.command("dpkg-query", f"printf 'rc {PACKAGES[0]}\\n'")
        self.assertEqual(self.run_setup("--check").returncode, 1)
        self.assertEqual(self.log.read_text(), "")

    def test_another_system_gets_the_list(self):
        done = self.run_setup()
        self.assertEqual(done.returncode, 2)
        for name in PACKAGES:
            self.assertIn(name, done.stderr)


if __name__ == "__main__":
    os.environ.pop("BASH_ENV", None)
    unittest.main()
