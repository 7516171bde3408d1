# SPDX-License-Identifier: Apache-2.0
"""What `nicroscope experiment --trace --wave --window` shows of a run, and its progress line."""

import os
import pty
import struct
import subprocess
import unittest

import program
from program import Case, built, run

POINT = ("livelock", "--fewer", "--point", "1")
CYCLE_PS = 6400  # of edge10


def events(path):
    """(time in ps, point, frame) of a trace's lines."""
    for line in path.read_text().splitlines():
        if line[:1] in " 0123456789":
            words = line.split()
            time = round(float(words[0]) * 1000)
            yield time, words[2], " ".join(words[3:5])


def starts(path):
    """(time, id) of the frames of the load that came to the MAC."""
    return [(time, int(frame.split()[1])) for time, point, frame in events(path)
            if point == "MacRxStart"]


def wave_times(path):
    """First and last time of an FST file, in ps: its header block begins the file."""
    data = path.read_bytes()
    kind, _, first, last = struct.unpack_from(">BQQQ", data)
    assert kind == 0, "no header"
    return first, last


class WindowTest(Case):
    def watch(self, window, *arguments):
        trace = self.folder / "trace.txt"
        done = run("experiment", *POINT, "--trace", trace, "--window", window, *arguments)
        self.assertEqual(done.returncode, 0, done.stderr)
        return trace

    def test_frames(self):
        (_, first), = starts(self.watch("frames:1:2"))
        (end, last), = starts(self.watch("frames:1050:1051"))
        trace = self.watch("frames:1000:1050")
        seen = starts(trace)
        self.assertEqual([number for _, number in seen],
                         list(range(first + 999, first + 1049)))
        self.assertEqual(last, first + 1049)
        times = [time for time, _, _ in events(trace)]
        self.assertGreaterEqual(min(times), seen[0][0] - 4 * CYCLE_PS)
        self.assertLess(max(times), end)
        # What a frame causes is there, and of what came before, only what it still causes.
        self.assertIn("hardirq_enter", {point for _, point, _ in events(trace)})

    def test_waveform(self):
        if not built("traced"):
            self.fail("the model with waveforms was not built")
        wave = self.folder / "wave.fst"
        (end, _), = starts(self.watch("frames:1050:1051"))
        trace = self.watch("frames:1000:1050", "--wave", wave)
        first, last = wave_times(wave)
        seen = starts(trace)
        self.assertLessEqual(first, seen[0][0])
        self.assertGreaterEqual(first, seen[0][0] - 4 * CYCLE_PS)
        self.assertLess(last, end)
        self.assertGreaterEqual(last, max(t for t, point, _ in events(trace)
                                          if point == "RxVisible"))

    def test_what_is_watched_changes_nothing(self):
        plain = run("experiment", *POINT, "--json").stdout
        trace = self.folder / "trace.txt"
        watched = run("experiment", *POINT, "--json", "--trace", trace, "--window",
                      "frames:10:20").stdout
        self.assertEqual(*(line.split('"trace_hash"')[1][:20] for line in (plain, watched)))

    def test_bad_windows(self):
        trace = ("--trace", self.folder / "trace.txt")
        for window, expected in (
            ("frames:0:5", "the first being 1"),
            ("frames:7:7", "frames:FROM:TO"),
            ("frames:7", "frames:FROM:TO"),
            ("frames:", "frames:FROM:TO"),
            ("frame:1:2", "frames:FROM:TO"),
            ("1:2:3", "FROM:TO"),
            ("frames:1000000:1000001", "frame 1000000 was asked for, the load of this run has"),
        ):
            done = run("experiment", *POINT, *trace, "--window", window)
            self.assertEqual(done.returncode, 2, window)
            self.assertIn(expected, done.stderr)
            self.assertEqual(done.stderr.count("\n"), 1)
            self.assertFalse((self.folder / "trace.txt").exists())
        done = run("experiment", *POINT, "--window", "1:2")
        self.assertEqual(done.returncode, 2)
        self.assertIn("--trace FILE or --wave FILE", done.stderr)


class ProgressTest(unittest.TestCase):
    ARGUMENTS = ("experiment", "ring-size", "--fewer", "--point", "0")

    def test_a_file_gets_none(self):
        self.assertEqual(run(*self.ARGUMENTS).stderr, "")

    def test_a_terminal_gets_it(self):
        terminal, end = pty.openpty()
        with os.fdopen(terminal, "rb", buffering=0) as shown:
            with os.fdopen(end, "wb") as screen:
                subprocess.run([program.PROGRAM, *self.ARGUMENTS], stdout=subprocess.DEVNULL,
                               stderr=screen, timeout=120, check=True)
            self.assertIn(b"1 of 1", shown.read(1000))


if __name__ == "__main__":
    program.main()
