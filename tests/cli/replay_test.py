#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `replay` and `run` print and write, and that a run is one value of its input and seed.
Usage: replay_test.py NICROSCOPE [unittest options]"""

import json
import random
import shutil
import struct
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import program
from captures import frames_of
from program import CAPTURE, LONGEST, Case, built, frame, run

KEYS = {"frames_in": int, "frames_delivered": int, "drops": dict, "frames_out": int,
        "datagrams_echoed": int, "interrupts": int, "polls": int, "cycles": int,
        "cycles_skipped": int, "simulated_seconds": float, "wall_seconds": float,
        "cycles_per_wall_second": float, "trace_hash": str, "problem": str}
AS_IN_CAPTURE = ("--set", "host.address=10.0.0.2/24", "--set", "host.mac=52:54:00:00:02:00")


def replay(*arguments, command="replay"):
    done = run(command, *arguments, "--json")
    if done.returncode != 0 or done.stderr:
        raise AssertionError(f"exit status {done.returncode}: {done.stderr}")
    return json.loads(done.stdout)


class WholeCapture(Case):
    def test_every_frame_at_the_captures_times(self):
        out, wire = self.folder / "out.pcap", self.folder / "wire.pcap"
        trace = self.folder / "trace.txt"
        report = replay(CAPTURE, *AS_IN_CAPTURE, "--assertions", "--out", out, "--pcap", wire,
                        "--trace", trace)
        self.assertEqual({key: type(value) for key, value in report.items()}, KEYS)
        sent = frames_of(CAPTURE)
        self.assertEqual(report["frames_in"], len(sent))
        self.assertEqual(report["drops"], {})
        self.assertEqual(report["frames_delivered"], len(sent))
        self.assertEqual(frames_of(out), sent)
        self.assertEqual(len(frames_of(wire)), len(sent) + report["frames_out"])
        self.assertGreater(report["frames_out"], 50)
        self.assertGreater(report["datagrams_echoed"], 0)
        self.assertGreater(report["cycles_skipped"], report["cycles"] // 2)
        self.assertRegex(report["trace_hash"], r"\A[0-9a-f]{16}\Z")
        self.assertGreater(trace.read_text(encoding="ascii").count("\n"), 10 * len(sent))
        self.assertEqual({path.name for path in self.folder.iterdir()},
                         {"out.pcap", "wire.pcap", "trace.txt"})

    def test_every_frame_at_line_rate(self):
        out = self.folder / "out.pcap"
        report = replay(CAPTURE, *AS_IN_CAPTURE, "--rate", "line", "--out", out)
        sent = frames_of(CAPTURE)
        self.assertEqual(report["frames_in"], len(sent))
        self.assertEqual(report["frames_delivered"] + sum(report["drops"].values()), len(sent))
        delivered = frames_of(out)
        self.assertEqual(len(delivered), report["frames_delivered"])
        rest = iter(sent)
        self.assertTrue(all(any(one == other for other in rest) for one in delivered),
                        "out of order, or changed")

    def test_the_judge_of_the_wire(self):
        if not shutil.which("tshark"):
            self.skipTest("there is no tshark")
        wire = self.folder / "wire.pcap"
        replay(CAPTURE, *AS_IN_CAPTURE, "--pcap", wire)
        sent = "eth.src == 52:54:00:00:02:00"
        checks = [o for p in ("ip", "udp", "tcp") for o in ("-o", f"{p}.check_checksum:TRUE")]
        wrong = ('_ws.malformed || ip.checksum.status == "Bad" || udp.checksum.status == "Bad" || '
                 "icmp.checksum.status == 0")
        for expression, expected in ((f"{sent} && icmp.type == 0", True),
                                     (f"{sent} && udp.srcport == 7", True),
                                     (f"{sent} && ({wrong})", False)):
            done = subprocess.run(["tshark", "-n", "-r", wire, *checks, "-Y", expression],
                                  capture_output=True, text=True, timeout=60, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertEqual(bool(done.stdout), expected, done.stdout)


class Captures(Case):
    def test_the_shortest_and_the_longest_frame(self):
        out = self.folder / "out.pcap"
        frames = [frame(size, size) for size in (14, 59, 60, 61, LONGEST - 1, LONGEST)]
        report = replay(self.capture(frames), "--out", out)
        self.assertEqual(report["frames_delivered"], len(frames))
        self.assertEqual(frames_of(out), [f.ljust(60, b"\0") for f in frames])

    def test_other_formats(self):
        nano = self.capture([frame(100, n) for n in range(10)], gap_ns=5_000_000)
        body = nano.read_bytes()[24:]
        micro, swapped = bytearray(program.header(magic=0xA1B2C3D4)), bytearray()
        swapped += struct.pack(">IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1)
        for place in range(0, len(body), 116):
            seconds, ns, *lengths = struct.unpack_from("<IIII", body, place)
            data = body[place + 16 : place + 116]
            micro += struct.pack("<IIII", seconds, ns // 1000, *lengths) + data
            swapped += struct.pack(">IIII", seconds, ns, *lengths) + data
        expected = replay(nano)["trace_hash"]
        for name, content in (("micro", micro), ("swapped", swapped)):
            with self.subTest(name):
                self.assertEqual(replay(self.file(name, bytes(content)))["trace_hash"], expected)
        if shutil.which("editcap"):
            ng = self.folder / "in.pcapng"
            subprocess.run(["editcap", "-F", "pcapng", nano, ng], check=True, timeout=60)
            self.assertEqual(replay(ng)["trace_hash"], expected)

    def test_limit(self):
        self.assertEqual(replay(CAPTURE, "--limit", 7)["frames_in"], 7)
        capture = self.capture([frame(60)] * 3)
        self.assertEqual(replay(capture, "--limit", 7)["frames_in"], 3)
        self.assertEqual(replay(capture, "--limit", 0)["frames_in"], 3)


class OneValue(Case):
    """Scenario and seed decide everything."""

    def mixed(self, count=60):
        """Real frames with gaps from none to many times what a frame takes, so that there is idle
        time to skip and there are bursts."""
        rng = random.Random(11)
        frames = rng.sample([f for f in frames_of(CAPTURE) if len(f) < 2000], count)
        place, body = 0, bytearray()
        for data in frames:
            place += rng.choice((0, 0, 300, 2000, 30_000, 150_000))
            body += struct.pack("<IIII", 0, place, len(data), len(data)) + data
        return self.file("mixed.pcap", program.header() + bytes(body))

    def test_the_same_again(self):
        first, second = (replay(CAPTURE, *AS_IN_CAPTURE) for _ in range(2))
        for timing in ("wall_seconds", "cycles_per_wall_second"):
            del first[timing], second[timing]
        self.assertEqual(first, second)

    def test_another_seed_is_another_run(self):
        hashes = [replay(CAPTURE, "--limit", 100, "--seed", seed)["trace_hash"]
                  for seed in (1, 2, 3)]
        self.assertEqual(len(set(hashes)), 3)
        default = replay(CAPTURE, "--limit", 100)["trace_hash"]
        self.assertEqual(default, hashes[0])

    def test_skipping_idle_time_changes_nothing(self):
        capture = self.mixed()
        for adversary in ("false", "true"):
            options = (*AS_IN_CAPTURE, "--set", f"bus.adversary={adversary}")
            with self.subTest(adversary=adversary):
                skipping = replay(capture, *options)
                stepping = replay(capture, *options, "--no-skip")
                self.assertGreater(skipping["cycles_skipped"], 0)
                self.assertEqual(stepping["cycles_skipped"], 0)
                self.assertEqual(skipping["trace_hash"], stepping["trace_hash"])
                self.assertEqual(skipping["cycles"], stepping["cycles"])

    def test_observing_changes_nothing(self):
        capture = self.mixed()
        plain = replay(capture, *AS_IN_CAPTURE)["trace_hash"]
        watched = [["--assertions"],
                   ["--trace", self.folder / "t", "--pcap", self.folder / "p", "--life", 5]]
        if built("traced"):
            watched.append(["--wave", self.folder / "wave.fst"])
        for options in watched:
            with self.subTest(options):
                self.assertEqual(replay(capture, *AS_IN_CAPTURE, *options)["trace_hash"], plain)

    def test_a_scenario_file_is_the_same_as_its_options(self):
        scenario = self.file("scenario.toml", "\n".join([
            "seed = 5", "[bus]", "lanes = 4", "[wire]", "rate = 'line'", "[workload]",
            f"capture = '{CAPTURE}'", "limit = 100"]))
        by_options = replay(CAPTURE, "--seed", 5, "--set", "bus.lanes=4", "--rate", "line",
                            "--limit", 100)
        self.assertEqual(replay(scenario, command="run")["trace_hash"],
                         by_options["trace_hash"])
        self.assertNotEqual(replay(scenario, "--seed", 6, command="run")["trace_hash"],
                            by_options["trace_hash"])


class Shipped(Case):
    def test_the_scenarios_run(self):
        scenarios = sorted((program.ROOT / "sim/scenarios").glob("*.toml"))
        self.assertTrue(scenarios)
        for scenario in scenarios:
            with self.subTest(scenario.name):
                done = run("run", scenario, "--assertions", "--json", cwd=program.ROOT)
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertGreater(json.loads(done.stdout)["frames_delivered"], 500)


class Text(Case):
    def test_a_screen_for_people(self):
        done = run("replay", CAPTURE, *AS_IN_CAPTURE, "--out", self.folder / "out.pcap")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        for word in ("frames", "dropped", "interrupts", "polls", "skipped", "hash", "MacRxStart",
                     "sys_recvfrom_return", "out.pcap"):
            self.assertIn(word, done.stdout)
        self.assertLess(done.stdout.count("\n"), 60)


if __name__ == "__main__":
    program.main()
