#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What can go wrong with `nicroscope tap` is said in one line, and leaves nothing behind.
Usage: tap_errors_test.py NICROSCOPE [unittest options]"""

import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

import namespace
from namespace import Live, ip

PROGRAM = str(Path(sys.argv[1]).resolve()) if len(sys.argv) > 1 else ""


class Errors(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def assert_refused(self, name, *words, options=(), before=(), pcap="wire.pcap"):
        outputs = ["--pcap", self.folder / pcap, "--trace", self.folder / "trace.txt"]
        done = subprocess.run([*before, PROGRAM, "tap", name, "--json", *outputs, *options],
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertRegex(done.stderr, r"\Anicroscope: [^\n]+\n\Z")
        for word in words:
            self.assertIn(word, done.stderr)
        self.assertEqual(list(self.folder.iterdir()), [])

    def test_the_name_is_taken_by_another_run(self):
        live = Live(PROGRAM)
        self.addCleanup(live.kill)
        self.assert_refused(live.name, live.name, "another program uses")
        live.stop()

    def test_the_name_is_that_of_another_kind_of_interface(self):
        self.assert_refused("lo", "lo", "no TAP device")

    def test_names_that_are_none(self):
        for name in ("", "sixteen_letters_", "a/b", "a b", "tap%d", ".."):
            with self.subTest(name=name):
                self.assert_refused(name, f"'{name}'", "no interface name", "15")

    def test_no_permission_for_the_device_file(self):
        if os.stat("/dev/net/tun").st_mode & 0o006 or not shutil.which("setpriv"):
            self.skipTest("everybody may use /dev/net/tun, or there is no setpriv")
        if not Path("/proc/self/uid_map").read_text(encoding="ascii").split()[2] == "4294967295":
            self.skipTest("this user namespace has one user alone")
        nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
        self.assert_refused("nic0", "/dev/net/tun", "no permission", before=nobody)

    def test_no_permission_to_make_an_interface(self):
        if not shutil.which("setpriv"):
            self.skipTest("there is no setpriv")
        powerless = ["setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin"]
        self.assert_refused("nic0", "nic0", "no permission", "ip tuntap add", before=powerless)

    def test_bad_options(self):
        self.assert_refused("nic0", "host.address", "10.0.0.2/24", options=["--address", "10.0.0"])
        self.assert_refused("nic0", "--duration", options=["--duration", "0"])
        self.assert_refused("nic0", "--duration", options=["--duration", "soon"])
        self.assert_refused("nic0", "host.nothing", options=["--set", "host.nothing=1"])
        self.assertNotIn("nic0", ip("link", "show"))

    def test_an_output_that_cannot_be_written(self):
        self.assert_refused("nic0", "/nowhere/wire.pcap", pcap="/nowhere/wire.pcap")

    def test_the_interface_is_removed_under_way(self):
        trace = self.folder / "trace.txt"
        live = Live(PROGRAM, "--trace", str(trace))
        self.addCleanup(live.kill)
        ip("link", "delete", live.name)
        out, err = live.process.communicate(timeout=30)
        self.assertEqual((live.process.returncode, out), (1, ""))
        self.assertRegex(err, r"\Anicroscope: [^\n]+removed\n\Z")
        self.assertEqual(list(self.folder.iterdir()), [])


class Endings(unittest.TestCase):
    def test_a_duration_ends_the_run_and_the_interface_goes(self):
        with tempfile.TemporaryDirectory() as folder:
            trace = Path(folder) / "trace.txt"
            done = subprocess.run(
                [PROGRAM, "tap", "nic0", "--duration", "0.2", "--trace", trace],
                capture_output=True, text=True, timeout=60, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertRegex(done.stderr, r"\Aready: nic0 [^\n]+\n\Z")
            for word in ("to the host", "from the host", "UDP echo", "interrupts", "skipped"):
                self.assertIn(word, done.stdout)
            self.assertGreater(trace.stat().st_size, 100)
        self.assertNotIn("nic0", ip("link", "show"))


if __name__ == "__main__":
    namespace.enter()
    namespace.quiet_namespace()
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
