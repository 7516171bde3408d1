#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `nicroscope linux` shows of a run: --trace, --wave, --pcap; and what it says of one that failed.
Usage: record_test.py NICROSCOPE [unittest options]"""

import os
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

import guests
from guests import run

PROGRAM = str(Path(sys.argv[1]).resolve()) if len(sys.argv) > 1 else ""

# The second ping needs no ARP. Its request: 14 + 20 + 8 + 56 bytes.
PING = """
if [ $GUEST = 1 ]; then sleep 1000; fi
ping -c 1 10.0.0.2 > /dev/null
sleep 0.001
ping -c 1 10.0.0.2 > /dev/null
"""
PING_BYTES = 98
CYCLE_PS = 6400  # of edge10
# From Linux's doorbell to the wire, and what follows.
SENT = ["Kick", "TxDescriptor", "TxRead", "TxStored", "TxStart", "MacTxStart", "MacTxEnd",
        "TxVisible"]
RECEIVED = ["MacRxStart", "RxStart", "RxStored", "RxDescriptor", "RxWrite", "RxWritten", "RxUsed",
            "RxVisible", "Msix"]


def events(path):
    """(time in ps, point) of a trace's lines."""
    for line in path.read_text().splitlines()[1:]:
        words = line.split()
        yield round(float(words[0]) * 1000), words[2]


def frames(path):
    """(time in ps, bytes) of a capture in nanoseconds."""
    data = path.read_bytes()
    magic, = struct.unpack_from("<I", data)
    assert magic == 0xA1B23C4D, hex(magic)
    at = 24
    while at < len(data):
        seconds, nanoseconds, length, _ = struct.unpack_from("<4I", data, at)
        at += 16
        yield (seconds * 10**9 + nanoseconds) * 1000, data[at:at + length]
        at += length


def subsequence(points, wanted):
    """Times of the points in `wanted`, each the first after the one before."""
    found = []
    remaining = iter(points)
    for point in wanted:
        found.append(next(at for at, name in remaining if name == point))
    return found


class Records(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def test_a_frame_from_linux_to_the_wire(self):
        trace, capture = self.folder / "trace", self.folder / "pcap"
        watched = run(PROGRAM, PING, "--trace", trace, "--pcap", capture)
        plain = run(PROGRAM, PING)
        self.assertEqual(watched.hash, plain.hash)
        pings = [(at, data) for at, data in frames(capture) if data[12:14] == b"\x08\x00"]
        self.assertEqual([len(data) for _, data in pings], 4 * [PING_BYTES])
        (request, asked), (answer, answered) = pings[2:]
        self.assertEqual((asked[34], answered[34]), (8, 0))  # ICMP echo, echo reply
        # The capture's times are of whole nanoseconds.
        last = [(at, name) for at, name in events(trace) if at > request - 3_000_000]
        times = subsequence(last, SENT)
        wire = times[SENT.index("MacTxStart")], times[SENT.index("MacTxEnd")]
        self.assertLessEqual(wire[0] - CYCLE_PS - 1000, request)
        self.assertLessEqual(request, wire[1] + 2 * CYCLE_PS)
        # Descriptor and data are read one after the other, each 500 ns at least.
        self.assertGreater(times[SENT.index("TxStart")] - times[0], 1_000_000)
        times = subsequence([(at, name) for at, name in last if at > request], RECEIVED)
        self.assertLess(abs(times[0] - answer), 100_000)
        self.assertEqual(times, sorted(times))

    def test_the_card_of_the_other(self):
        traces = [self.folder / f"trace{card}" for card in range(2)]
        first, second = (run(PROGRAM, PING, "--trace", trace, "--card", card)
                         for card, trace in enumerate(traces))
        self.assertEqual(first.hash, second.hash)
        asked, answered = ([at for at, name in events(trace) if name == "MacTxStart"]
                           for trace in traces)
        self.assertEqual(len(asked), len(answered))  # ARP and two pings each
        for question, answer in zip(asked, answered):
            self.assertLess(question, answer)

    def test_waveform_of_a_window(self):
        trace = self.folder / "trace"
        run(PROGRAM, PING, "--trace", trace)
        kick = [at for at, name in events(trace) if name == "Kick"][-1]
        start, end = kick - 1_000_000, kick + 4_000_000
        wave, part = self.folder / "wave.fst", self.folder / "part"
        window = f"{start / 1e6:.6f}:{end / 1e6:.6f}"
        run(PROGRAM, PING, "--wave", wave, "--trace", part, "--window", window)
        self.assertEqual(list(events(part)),
                         [(at, name) for at, name in events(trace) if start <= at < end])
        data = wave.read_bytes()
        kind, _, first, last = struct.unpack_from(">BQQQ", data)
        self.assertEqual(kind, 0)  # the header of an FST file
        self.assertLessEqual(first, kick)
        self.assertGreaterEqual(first, start)
        self.assertGreaterEqual(last, max(at for at, _ in events(part)))
        self.assertLess(last, end)
        self.assertTrue(b"clk_i" in data, "no clock among the signals")

    def test_what_cannot_be_is_refused(self):
        for options, word in ((("--card", "2"), "--card 2"),
                              (("--trace", "/nowhere/x"), "/nowhere/x"),
                              (("--wave", "/nowhere/x"), "/nowhere/x"),
                              (("--trace", "one", "--pcap", "one"), "same file"),
                              (("--window", "1:2"), "--window"),
                              (("--trace", "t", "--window", "2:1"), "--window"),
                              (("--trace", "t", "--window", "1"), "--window")):
            result = run(PROGRAM, None, *options, ok=False)
            self.assertEqual(result.status, 2, options)
            self.assertIn(word, result.errors)
            self.assertRegex(result.errors, r"\Anicroscope: [^\n]+\n\Z")


class Failures(unittest.TestCase):
    """A guest that goes wrong ends the run at once, with its reason."""

    def check(self, script, *options, words):
        result = run(PROGRAM, script, *options, ok=False, timeout=60)
        self.assertEqual(result.status, 1)
        for word in words:
            self.assertIn(word, result.errors)
        return result

    def test_a_kernel_that_is_none(self):
        self.check("true", "--kernel", "/bin/true", words=["guest 0", "before it connected"])

    def test_no_root_file_system(self):
        self.check("true", "--append", "rdinit=/nothing init=/nothing",
                   words=["guest 0 has ended", "Kernel panic", "/nothing"])

    def test_a_guest_that_ends(self):
        for number in range(2):
            self.check(f"[ $GUEST = {number} ] || sleep 1000; reboot -f",
                       words=[f"guest {number} has ended"])

    def test_a_script_that_waits_for_nothing(self):
        self.check("while :; do :; done", "--guests", "1", "--patience", "2",
                   words=["said nothing for 2 s", "loop"])

    def test_a_signal_leaves_nothing_behind(self):
        with tempfile.TemporaryDirectory() as folder:
            script, console = Path(folder, "script"), Path(folder, "console")
            script.write_text("while :; do :; done", encoding="utf-8")
            work = Path(folder, "work")
            work.mkdir()
            run_of_it = subprocess.Popen(
                [PROGRAM, "linux", "--script", script, "--console", console, "--guests", "1"],
                env={**os.environ, "TMPDIR": str(work)}, stderr=subprocess.PIPE, text=True)
            while not list(work.glob("*/console.txt")):  # until the guest is there
                self.assertIsNone(run_of_it.poll())
                time.sleep(0.01)
            run_of_it.send_signal(signal.SIGINT)
            _, errors = run_of_it.communicate(timeout=60)
            self.assertEqual(run_of_it.returncode, 1)
            self.assertIn("stopped by a signal", errors)
            self.assertEqual(list(work.iterdir()), [])


if __name__ == "__main__":
    guests.need_kernel()
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]], verbosity=2)
