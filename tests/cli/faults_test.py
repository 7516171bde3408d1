#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A driver's mistake ends the run with status 1 and one line that says what, the virtqueue, the ring
slot, the bus address and the cycle. Usage: faults_test.py NICROSCOPE [unittest options]"""

import json

import program
from program import CAPTURE, Case, run

FAILED = (r"\Anicroscope: the run failed: the device needs a reset: ({codes}) \([^\n]+\): "
          r"virtqueue {virtqueue}, slot \d+, address 0x[0-9a-f]+, cycle \d+\n\Z")
RING = 64
BUFFER_ERROR = {"rx": "DmaWrite", "tx": "DmaRead"}
CODES = {
    "zero_length": "ZeroLength",
    "bad_length": "BadLength",
    "wrong_direction": "WrongDirection",
    "indirect": "Indirect",
    "loop": "IncompleteChain|ChainTooLong",
    "too_long": "ChainTooLong",
    "ring_unmapped": "DmaRead",
    "ring_read_only": "DmaWrite",
    "event_unmapped": "DmaRead|DmaWrite",
}


def fault(kind, queue, after=0):
    settings = {"fault.kind": kind, "fault.queue": queue, "fault.after": after,
                "host.rx_ring": RING, "host.tx_ring": RING}
    return [part for key, value in settings.items() for part in ("--set", f"{key}={value}")]


class Faults(Case):
    def assert_failed(self, done, queue, codes):
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertRegex(done.stderr,
                         FAILED.format(codes=codes, virtqueue=0 if queue == "rx" else 1))

    def test_each_kind_on_each_queue(self):
        for queue in ("rx", "tx"):
            for kind, codes in {**CODES, "unmapped": BUFFER_ERROR[queue]}.items():
                if (kind, queue) == ("bad_length", "rx"):
                    continue  # a receive buffer may be of any length
                with self.subTest(kind=kind, queue=queue):
                    done = run("replay", CAPTURE, "--limit", 400, "--rate", "line", "--json",
                               *fault(kind, queue))
                    self.assert_failed(done, queue, codes)
                    report = json.loads(done.stdout)
                    self.assertEqual(done.stderr,
                                     f"nicroscope: the run failed: {report['problem']}\n")
                    self.assertLessEqual(
                        report["frames_delivered"] + sum(report["drops"].values()),
                        report["frames_in"])

    def test_an_address_outside_memory_is_named(self):
        done = run("replay", CAPTURE, "--limit", 400, "--json", *fault("unmapped", "rx", 100))
        self.assert_failed(done, "rx", "DmaWrite")
        self.assertIn("address 0x110000000,", done.stderr)
        self.assertGreaterEqual(json.loads(done.stdout)["frames_delivered"], 100)

    def test_the_same_failure_every_time_and_without_skipping(self):
        arguments = ["replay", CAPTURE, "--limit", 200, "--rate", "line", *fault("unmapped", "rx", 20)]
        first = run(*arguments)
        self.assert_failed(first, "rx", BUFFER_ERROR["rx"])
        self.assertEqual(first.stderr, run(*arguments).stderr)
        self.assertEqual(first.stderr, run(*arguments, "--no-skip").stderr)

    def test_without_a_fault_there_is_no_problem(self):
        done = run("replay", CAPTURE, "--limit", 20, "--json")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertEqual(json.loads(done.stdout)["problem"], "")

    def test_a_fault_without_its_occasion_fails_the_run_too(self):
        done = run("replay", CAPTURE, "--limit", 20, *fault("zero_length", "tx", 10_000))
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"\Anicroscope: the run failed: [^\n]*occasion\n\Z")

    def test_what_is_no_fault_is_refused(self):
        for setting, words in {"fault.kind=gremlin": "zero_length", "fault.queue=both": "rx",
                               "fault.after=-1": "whole number"}.items():
            done = run("replay", CAPTURE, "--set", setting)
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertRegex(done.stderr, rf"\Anicroscope: [^\n]*{words}[^\n]*\n\Z")


if __name__ == "__main__":
    program.main()
