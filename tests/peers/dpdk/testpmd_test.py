#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""DPDK's testpmd on the simulated NIC's rings, through virtio-user: every forwarding mode sends
back what came, judged at the wire. Usage: testpmd_test.py NICROSCOPE [unittest options]"""

import collections
import json
import random
import re
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))
import frames
from captures import frames_of
from frames import arp_request, ethernet, ping, pseudo_sum, tcp, udp
from testpmd import MAC, MISSING, PATIENCE, PEER, TESTPMD, Testpmd

PROGRAM = str(Path(sys.argv[1]).resolve()) if len(sys.argv) > 1 else ""
SKIPPED = 77


class Forwarding(unittest.TestCase):
    profile = "edge10"

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def forward(self, mode, sent, queues=1, commands=(), options=(), profile="edge10",
                spread=4):
        """Frames that came back, with the totals of the run. Of several queues the first `spread` get
        frames."""
        frames.write_capture(self.folder / "in.pcap", sent)
        socket, wire = self.folder / "nic.sock", self.folder / "wire.pcap"
        nic = subprocess.Popen(
            [PROGRAM, "vhost-user", str(socket), "--json", "--assertions", "--profile", profile,
             "--send", str(self.folder / "in.pcap"), "--pcap", str(wire)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for clean in (nic.stdout.close, nic.stderr.close, nic.wait, nic.kill):
            self.addCleanup(clean)
        watchdog = threading.Timer(PATIENCE, nic.kill)
        watchdog.start()
        self.addCleanup(watchdog.cancel)
        said = [nic.stderr.readline()]
        self.assertTrue(said[0].startswith("ready: "), said)
        peer = Testpmd(self.folder, socket, mode, queues, commands, options)
        self.addCleanup(peer.kill)
        while "has been on the wire" not in said[-1]:
            said.append(nic.stderr.readline())
            self.assertNotEqual(said[-1], "", "\n".join(said) + peer.output())
            self.assertNotIn("connection ended", said[-1], peer.output())
        nic.send_signal(signal.SIGINT)  # it ends when nothing passes over the wire any more
        out, err = nic.communicate(timeout=PATIENCE)
        self.assertEqual(nic.returncode, 0, err)
        peer.quit()
        there, back = collections.Counter(sent), []
        for frame in frames_of(wire):  # to the NIC first, where it comes back as it was
            if there[frame] > 0:
                there[frame] -= 1
            else:
                back.append(frame)
        self.assertEqual(there.total(), 0)
        totals = json.loads(out)
        log = f"{''.join(said)}{err}{totals}\n{peer.output()}"
        self.assertEqual(totals["frames_from_nic"], len(back), log)
        if queues > 1:
            carried = re.findall(r"RX Port= 0/Queue= (\d) .*\n\s+RX-packets: [1-9]", log)
            self.assertEqual([int(queue) for queue in carried], list(range(spread)), log)
        return back, totals, log

    def assert_same(self, got, expected, log):
        """The same frames, in any order; what differs is said in a few words."""
        got, expected = collections.Counter(got), collections.Counter(expected)
        missing, strange = expected - got, got - expected
        if missing or strange:
            some = [str(frame)[:200] for frame in [*missing][:2] + [*strange][:2]]
            self.fail(f"{missing.total()} frames are missing, {strange.total()} were not expected: "
                      f"{some}\n{log}")

    def assert_in_order(self, got, flow, number, log):
        """flow and number say of a frame what flow it belongs to, and its place there."""
        last = collections.defaultdict(lambda: -1)
        for frame in got:
            self.assertGreater(number(frame), last[flow(frame)], log)
            last[flow(frame)] = number(frame)

    def both(self, judge):
        """One queue, and four."""
        for queues, profile in ((1, "edge10"), (4, "dc25")):
            with self.subTest(queues=queues):
                judge(lambda mode, sent, **options: self.forward(
                    mode, sent, queues=queues, profile=profile, **options))

    def judge_rewritten(self, mode, rewrite):
        """UDP frames of all sizes, of many flows, all different."""
        rng = random.Random(1)
        sent = [ethernet(udp(f"10.1.{flow}.1", "10.2.0.1", (1000 + flow, 7),
                             struct.pack("!I", number) + rng.randbytes(rng.randrange(1468))))
                for number in range(300) for flow in [rng.randrange(64)]]

        def judge(forward):
            got, _, log = forward(mode, sent)
            self.assert_same(got, [rewrite(frame) for frame in sent], log)
            self.assert_in_order(got, lambda f: f[34:36],
                                 lambda f: struct.unpack_from("!I", f, 42)[0], log)

        self.both(judge)

    def test_io_sends_back_what_came(self):
        self.judge_rewritten("io", lambda frame: frame)

    def test_macswap_changes_the_addresses(self):
        self.judge_rewritten("macswap", lambda frame: frame[6:12] + frame[:6] + frame[12:])

    def test_mac_rewrites_the_addresses(self):
        self.judge_rewritten("mac", lambda frame: bytes.fromhex(PEER + MAC) + frame[12:])

    def test_csum_has_the_nic_make_checksums(self):
        rng = random.Random(5)
        sent = []
        for number in range(240):
            flow = number // 2 % 40
            ports = (1000 + flow, 7)
            payload = struct.pack("!I", number) + rng.randbytes(100 + number)
            sent.append(ethernet(
                udp(f"10.1.{flow}.1", "10.2.0.1", ports, payload, good=number % 4 == 1)
                if number % 2 else tcp(f"10.1.{flow}.1", "10.2.0.1", ports, number, payload)))

        def judge(forward):
            got, totals, log = forward(
                "csum", sent, options=("--tx-offloads=0xc",),
                commands=("port stop all", "csum set udp hw 0", "csum set tcp hw 0",
                          "port start all"))
            for frame in got:
                self.assertEqual(pseudo_sum(frame[14:]), 0)
            self.assertEqual(totals["nic"]["tx_csum"], len(sent))

            def without_sum(frame):
                at = 14 + 20 + (6 if frame[23] == 17 else 16)
                return frame[12:at] + frame[at + 2:]

            self.assert_same(map(without_sum, got), map(without_sum, sent), log)
            self.assert_in_order(
                got, lambda f: (f[23], f[34:36]),
                lambda f: struct.unpack_from("!I", f, 42 if f[23] == 17 else 54)[0], log)

        self.both(judge)

    def test_csum_has_the_nic_cut_tcp_into_segments(self):
        rng = random.Random(6)
        sent, streams = [], {}
        for flow in range(20):
            payload = rng.randbytes(1400)
            streams[3000 + flow] = payload
            sent.append(ethernet(tcp(f"10.1.{flow}.1", "10.2.0.1", (3000 + flow, 80), 5000,
                                     payload)))

        def judge(forward):
            got, totals, log = forward(
                "csum", sent, options=("--tx-offloads=0x2c",),
                commands=("port stop all", "csum set tcp hw 0", "tso set 500 0", "port start all"))
            self.assertEqual(len(got), 3 * len(sent), log)
            self.assertEqual((totals["nic"]["tx_tso"], totals["nic"]["tx_segments"]), (20, 60))
            back = collections.defaultdict(list)
            for frame in got:
                self.assertEqual(pseudo_sum(frame[14:]), 0)
                port, _, sequence = struct.unpack_from("!HHI", frame, 34)
                end = 14 + struct.unpack_from("!H", frame, 16)[0]
                back[port].append((sequence, frame[54:end]))
            for port, payload in streams.items():
                self.assertEqual(back[port], [(5000 + at, payload[at:at + 500])
                                              for at in (0, 500, 1000)])

        self.both(judge)

    def test_icmpecho_answers(self):
        rng = random.Random(7)
        sent = [ethernet(arp_request("020000000001", "10.1.0.1", "10.2.0.1"), 0x0806,
                         destination="ffffffffffff")]
        sent += [ethernet(ping(f"10.1.{number % 32}.1", "10.2.0.1", number,
                               rng.randbytes(56 + number))) for number in range(100)]

        def judge(forward):
            # The device tells flows apart by their ports, and these have none.
            got, _, log = forward("icmpecho", sent, spread=1)
            (answer,) = [f for f in got if f[12:14] == b"\x08\x06"]
            self.assertEqual(answer[20:22], b"\0\2")
            replies = [f for f in got if f[12:14] == b"\x08\0"]

            self.assert_same([(f[:6], f[30:34], f[26:30], f[38:]) for f in replies],
                             [(f[6:12], f[26:30], f[30:34], f[38:]) for f in sent[1:]], log)
            for reply in replies:
                self.assertEqual(reply[34:36], b"\0\0")  # echo reply
                end = 14 + struct.unpack_from("!H", reply, 16)[0]
                self.assertEqual(frames.checksum(reply[34:end]), 0)
            self.assert_in_order(replies, lambda f: f[30:34],
                                 lambda f: struct.unpack_from("!H", f, 40)[0], log)

        self.both(judge)


if __name__ == "__main__":
    if TESTPMD is None:
        print(f"skipped: {MISSING}")
        sys.exit(SKIPPED)
    unittest.main(argv=sys.argv[:1] + sys.argv[2:])
