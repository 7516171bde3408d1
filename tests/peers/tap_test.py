#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""This machine's kernel and the simulated host talk through `nicroscope tap`: ARP, ping of all
sizes, UDP, and every frame accounted for. Usage: tap_test.py NICROSCOPE [unittest options]"""

import random
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
import namespace
from captures import frames_of
from namespace import HOST, KERNEL, Live, ip

PROGRAM = str(Path(sys.argv[1]).resolve()) if len(sys.argv) > 1 else ""
ECHO_PORT = 7


# Without a deadline ping waits for the last answer for two round trips, which a busy machine exceeds.
PATIENT = ("-w", "10")


def ping(*options, count, timeout=30):
    """(answers, output) of ping."""
    command = ["ping", "-q", "-c", str(count), *options, HOST]
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
    found = re.search(r"(\d+) received", done.stdout)
    return int(found.group(1)) if found else 0, done.stdout + done.stderr


def arp_requests(frames, sender, target):
    """Who-has requests for `target` from `sender`."""
    wanted = b"\x00\x01", socket.inet_aton(sender), socket.inet_aton(target)
    return [f for f in frames
            if f[12:14] == b"\x08\x06" and (f[20:22], f[28:32], f[38:42]) == wanted]


class Peer(unittest.TestCase):
    options = ("--assertions",)

    def start(self, *options, **settings):
        live = Live(PROGRAM, *self.options, *options, **{"outlived": True, **settings})
        self.addCleanup(live.kill)
        return live

    def folder(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        return Path(folder.name)

    def check_totals(self, live, how=signal.SIGINT):
        """Ends `live`; every frame was delivered or counted, and the kernel counts the same."""
        totals = live.stop(how)
        sent, received = live.kernel_statistics()
        self.assertEqual(totals["frames_in"], sent)
        self.assertEqual(totals["frames_in"],
                         totals["frames_delivered"] + sum(totals["drops"].values()))
        self.assertEqual(totals["frames_returned"], received)
        self.assertEqual(totals["frames_out"],
                         totals["frames_returned"] + sum(totals["drops_out"].values()))
        return totals


class Ping(Peer):
    def test_sizes(self):
        live = self.start()
        for size in (0, 17, 18, 19, 56, 1000, 1472, 1473, 8000, 20000):
            with self.subTest(size=size):
                answers, output = ping("-s", str(size), "-i", "0.02", *PATIENT, count=5)
                self.assertEqual(answers, 5, output)
                self.assertNotIn("wrong data", output)
        totals = self.check_totals(live)
        self.assertEqual(totals["drops"], {})
        self.assertEqual(totals["stack_drops"], {})
        self.assertGreater(totals["interrupts"], 10)
        self.assertGreater(totals["polls"], 10)
        self.assertGreater(totals["cycles_skipped"], totals["cycles"] // 2)

    def test_flood(self):
        live = self.start()
        answers, output = ping("-f", count=1000, timeout=60)
        self.assertEqual(answers, 1000, output)
        totals = self.check_totals(live)
        self.assertEqual(totals["drops"], {})
        self.assertGreaterEqual(totals["frames_out"], 1000)

    def test_jumbo_frames(self):
        live = self.start("--set", "host.mtu=9000", mtu=9000)
        for size in (8000, 8972, 30000):
            answers, output = ping("-s", str(size), "-i", "0.02", *PATIENT, count=5)
            self.assertEqual(answers, 5, output)
        self.assertEqual(self.check_totals(live)["drops"], {})

    def test_frames_longer_than_the_device_takes_are_dropped_and_counted(self):
        live = self.start(mtu=16000)
        answers, output = ping("-s", "12000", "-M", "do", "-i", "0.02", "-W", "0.2", count=3)
        self.assertEqual(answers, 0, output)
        answers, output = ping("-s", "56", "-i", "0.02", count=2)
        self.assertEqual(answers, 2, output)
        self.assertEqual(self.check_totals(live)["drops"], {"tap_too_long": 3})

    def test_simulated_time_keeps_up_with_wall_time(self):
        live = self.start(outlived=False)
        answers, output = ping("-i", "0.2", count=6)
        self.assertEqual(answers, 6, output)
        totals = live.stop()
        self.assertGreater(totals["simulated_seconds"], 0.9)
        self.assertLess(totals["simulated_seconds"], totals["wall_seconds"] + 0.1)


class Ethtool(Peer):
    def ask(self, *words, status=0):
        done = subprocess.run([PROGRAM, "ethtool", *words], capture_output=True, text=True,
                              timeout=30, check=False)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return done.stdout if status == 0 else done.stderr

    def test_settings_change_while_traffic_passes(self):
        live = self.start()
        flood = subprocess.Popen(["ping", "-q", "-i", "0.01", "-c", "100", *PATIENT, HOST],
                                 stdout=subprocess.PIPE, text=True)
        self.ask("-C", "eth0", "rx-usecs", "64", "rx-frames", "16")
        self.assertRegex(self.ask("-c", "eth0"), "rx-usecs: 64\nrx-frames: 16\n")
        self.ask("-G", "eth0", "rx", "512")
        self.assertRegex(self.ask("-g", "eth0"), "Current hardware settings:\nRX:\\s+512\n")
        output, _ = flood.communicate(timeout=30)
        self.assertIn(" 0% packet loss", output)
        received = re.search(r"rx_queue_0_packets: (\d+)", self.ask("-S", "eth0")).group(1)
        self.assertGreaterEqual(int(received), 100)
        self.check_totals(live)

    def test_what_cannot_be(self):
        self.assertIn("no instance runs", self.ask("-i", "eth0", status=2))
        live = self.start()
        self.assertIn("No such device", self.ask("-i", "eth7", status=1))
        self.assertIn("bad command line", self.ask("-Z", status=1))
        self.assertIn("nic7.sock", self.ask("--instance", "nic7", "-i", "eth0", status=2))
        self.check_totals(live)


class Arp(Peer):
    def test_both_sides_ask_and_answer(self):
        capture = self.folder() / "wire.pcap"
        live = self.start("--pcap", str(capture))
        mac = re.search(r"([0-9a-f]{2}(:[0-9a-f]{2}){5})", live.ready).group(1)
        # With a permanent entry this kernel does not ask, so that the host has to, for its answer.
        ip("neighbour", "add", HOST, "lladdr", mac, "dev", live.name, "nud", "permanent")
        answers, output = ping("-i", "0.02", count=2)
        self.assertEqual(answers, 2, output)
        ip("neighbour", "del", HOST, "dev", live.name)
        answers, output = ping("-i", "0.02", count=2)
        self.assertEqual(answers, 2, output)
        self.assertIn(f"lladdr {mac}", ip("neighbour", "show", HOST))
        self.check_totals(live)
        frames = frames_of(capture)
        self.assertTrue(arp_requests(frames, HOST, KERNEL), "the host did not ask")
        self.assertTrue(arp_requests(frames, KERNEL, HOST), "the kernel did not ask")

    def test_an_address_that_nobody_has(self):
        live = self.start()
        done = subprocess.run(["ping", "-q", "-c", "1", "-W", "0.3", "10.77.0.99"],
                              capture_output=True, text=True, timeout=20, check=False)
        self.assertIn(" 0 received", done.stdout)
        totals = self.check_totals(live)
        self.assertGreater(totals["frames_delivered"], 0)


class Udp(Peer):
    def exchange(self, datagrams, timeout=5.0):
        """Sends each and compares what comes back."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(timeout)
            sock.bind((KERNEL, 0))
            for data in datagrams:
                sock.sendto(data, (HOST, ECHO_PORT))
                answer, sender = sock.recvfrom(65536)
                self.assertEqual(sender, (HOST, ECHO_PORT))
                self.assertEqual(answer, data, f"of {len(data)} bytes")

    def test_echo_of_all_sizes(self):
        capture = self.folder() / "wire.pcap"
        live = self.start("--pcap", str(capture))
        sizes = [0, 1, 2, 17, 18, 19, 100, 1400, 1471, 1472, 1473, 2952, 9000, 9001]
        rng = random.Random(7)
        self.exchange([rng.randbytes(size) for size in sizes])
        totals = self.check_totals(live)
        self.assertEqual(totals["echo"], {"received": len(sizes), "answered": len(sizes),
                                          "send_errors": 0})
        self.assertEqual(totals["drops"], {})
        self.judge(capture)

    def judge(self, capture):
        """tshark finds nothing wrong with any frame."""
        if not shutil.which("tshark"):
            return
        checks = [o for p in ("ip", "udp") for o in ("-o", f"{p}.check_checksum:TRUE")]
        wrong = ('_ws.malformed || ip.checksum.status == "Bad" || udp.checksum.status == "Bad" || '
                 "icmp.checksum.status == 0 || _ws.expert.severity == error")
        done = subprocess.run(["tshark", "-n", "-r", capture, *checks, "-Y", wrong],
                              capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout, "")

    def test_a_burst_is_answered_or_counted(self):
        live = self.start()
        self.exchange([b"first"])
        count, answers = 400, set()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(3.0)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            for number in range(count):
                sock.sendto(struct.pack("!I", number) * 25, (HOST, ECHO_PORT))
            while len(answers) < count:
                try:
                    data = sock.recv(65536)
                except TimeoutError:
                    break
                answers.add(data)
        valid = {struct.pack("!I", number) * 25 for number in range(count)}
        self.assertLessEqual(answers, valid)
        totals = self.check_totals(live, signal.SIGTERM)
        self.assertEqual(totals["echo"]["answered"], len(answers) + 1)
        self.assertEqual(totals["frames_in"] - sum(totals["drops"].values())
                         - sum(totals["stack_drops"].values()),
                         totals["echo"]["received"] + 1)  # and an ARP frame

    def test_a_closed_port_is_refused(self):
        live = self.start()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(5.0)
            sock.connect((HOST, 9999))
            sock.send(b"anybody?")
            with self.assertRaises(ConnectionRefusedError):
                sock.recv(100)
        self.assertEqual(self.check_totals(live)["stack_drops"], {"NO_SOCKET": 1})


class FastModel(Peer):
    """The same machine without the assertions."""

    options = ()

    def test_flood_and_echo(self):
        live = self.start()
        answers, output = ping("-f", count=1000, timeout=60)
        self.assertEqual(answers, 1000, output)
        answers, output = ping("-s", "8000", "-i", "0.02", count=20)
        self.assertEqual(answers, 20, output)
        Udp.exchange(self, [bytes([n]) * 700 for n in range(100)])
        totals = self.check_totals(live)
        self.assertEqual(totals["drops"], {})
        self.assertEqual(totals["echo"]["answered"], 100)


if __name__ == "__main__":
    namespace.enter()
    namespace.quiet_namespace()
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
