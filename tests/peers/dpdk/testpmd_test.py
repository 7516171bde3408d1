#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""DPDK's testpmd on the simulated NIC's rings, through virtio-user: every forwarding mode sends
back what came, judged at the wire. Usage: testpmd_test.py NICROSCOPE [unittest options]"""

import collections
import json
import os
import random
import shutil
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

PROGRAM = str(Path(sys.argv[1]).resolve()) if len(sys.argv) > 1 else ""
TESTPMD = shutil.which("dpdk-testpmd")
SKIPPED = 77
PATIENCE = 120  # seconds, for a busy machine
MAC = "52540000beef"  # of testpmd's port
PEER = "02000000aa00"  # the address that testpmd sends to where it rewrites addresses


class Testpmd:
    """testpmd at `socket`, forwarding what comes on its one port back to it."""

    def __init__(self, folder, socket, mode, queues, commands=(), options=()):
        mac = ":".join(MAC[i : i + 2] for i in range(0, 12, 2))
        peer = ":".join(PEER[i : i + 2] for i in range(0, 12, 2))
        vdev = (f"net_virtio_user0,path={socket},mac={mac},queues={queues},queue_size=256,"
                "packed_vq=1,mrg_rxbuf=1,in_order=0")
        script = folder / "commands"
        script.write_text("\n".join([*commands, f"set fwd {mode}", "start", ""]), encoding="ascii")
        cpu = min(os.sched_getaffinity(0))
        command = [TESTPMD, "--lcores", f"0@{cpu},1@{cpu}", "--no-huge", "-m", "256", "--no-pci",
                   "--no-telemetry", "--file-prefix", f"nicroscope{os.getpid()}", "--vdev", vdev,
                   "--", "-i", f"--rxq={queues}", f"--txq={queues}", "--total-num-mbufs=8192",
                   "--port-topology=loop", "--no-flush-rx", f"--eth-peer=0,{peer}",
                   f"--cmdline-file={script}", *options]
        runtime = {**os.environ, "XDG_RUNTIME_DIR": str(folder)}
        self.log = open(folder / "testpmd.log", "w+", encoding="utf-8")
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=self.log,
                                        stderr=subprocess.STDOUT, env=runtime)

    def output(self):
        self.log.seek(0)
        return self.log.read()

    def quit(self):
        try:
            self.process.communicate(b"quit\n", timeout=PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()
        if not self.log.closed:
            self.log.close()


class Forwarding(unittest.TestCase):
    profile = "edge10"

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def forward(self, mode, sent, queues=1, commands=(), options=(), profile="edge10"):
        """Frames that came back, with the totals of the run."""
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
        passed = collections.Counter(frames_of(wire))
        passed.subtract(collections.Counter(sent))
        self.assertGreaterEqual(min(passed.values()), 0)
        totals = json.loads(out)
        return list(passed.elements()), totals, f"{''.join(said)}{err}{totals}\n{peer.output()}"

    def assert_same(self, got, expected, log):
        """The same frames, in any order; what differs is said in a few words."""
        got, expected = collections.Counter(got), collections.Counter(expected)
        missing, strange = expected - got, got - expected
        if missing or strange:
            some = [frame[:64].hex() for frame in [*missing][:2] + [*strange][:2]]
            self.fail(f"{missing.total()} frames are missing, {strange.total()} were not expected: "
                      f"{some}\n{log}")

    def traffic(self, count, seed, most=1514):
        """UDP frames of all sizes, of many flows, all different."""
        rng = random.Random(seed)
        return [ethernet(udp(f"10.1.{flow}.1", "10.2.0.1", (1000 + flow, 7),
                             struct.pack("!I", number) + rng.randbytes(rng.randrange(most - 46))))
                for number in range(count) for flow in [rng.randrange(64)]]

    def test_io_sends_back_what_came(self):
        sent = self.traffic(400, 1)
        got, totals, log = self.forward("io", sent)
        self.assert_same(got, sent, log)
        self.assertEqual(totals["frames_from_nic"], len(sent))

    def test_io_with_four_queues(self):
        sent = self.traffic(400, 2)
        got, _, log = self.forward("io", sent, queues=4, profile="dc25")
        self.assert_same(got, sent, log)
        for queue in range(4):  # each carried its share
            self.assertRegex(log, rf"RX Port= 0/Queue= {queue}.*\n\s+RX-packets: [1-9]")

    def test_macswap_changes_the_addresses(self):
        sent = self.traffic(100, 3)
        got, _, log = self.forward("macswap", sent)
        self.assert_same(got, [f[6:12] + f[:6] + f[12:] for f in sent], log)

    def test_mac_rewrites_the_addresses(self):
        sent = self.traffic(100, 4)
        got, _, log = self.forward("mac", sent)
        addresses = bytes.fromhex(PEER + MAC)
        self.assert_same(got, [addresses + f[12:] for f in sent], log)

    def test_csum_has_the_nic_make_checksums(self):
        rng = random.Random(5)
        sent = [ethernet(udp("10.1.0.1", "10.2.0.1", (9, number), rng.randbytes(100 + number),
                             good=number % 2 == 0)) for number in range(60)]
        sent += [ethernet(tcp("10.1.0.1", "10.2.0.1", (9, number), 1, rng.randbytes(100 + number)))
                 for number in range(60)]
        got, totals, log = self.forward(
            "csum", sent, options=("--tx-offloads=0xc",),
            commands=("port stop all", "csum set udp hw 0", "csum set tcp hw 0", "port start all"))
        self.assertEqual(len(got), len(sent), log)
        for frame in got:
            self.assertEqual(pseudo_sum(frame[14:]), 0)
        self.assertEqual(totals["nic"]["tx_csum"], len(sent))
        self.assert_same([f[42:] for f in got], [f[42:] for f in sent], log)

    def test_csum_has_the_nic_cut_tcp_into_segments(self):
        rng = random.Random(6)
        sent, streams = [], {}
        for flow in range(20):
            payload = rng.randbytes(1400)
            streams[3000 + flow] = payload
            sent.append(ethernet(tcp("10.1.0.1", "10.2.0.1", (3000 + flow, 80), 5000, payload)))
        got, totals, log = self.forward(
            "csum", sent, options=("--tx-offloads=0x2c",),
            commands=("port stop all", "csum set tcp hw 0", "tso set 500 0", "port start all"))
        self.assertEqual(len(got), 3 * len(sent), log)
        self.assertEqual((totals["nic"]["tx_tso"], totals["nic"]["tx_segments"]), (20, 60))
        back = collections.defaultdict(dict)
        for frame in got:
            self.assertEqual(pseudo_sum(frame[14:]), 0)
            port, _, sequence = struct.unpack_from("!HHI", frame, 34)
            end = 14 + struct.unpack_from("!H", frame, 16)[0]
            back[port][sequence] = frame[54:end]
        for port, payload in streams.items():
            self.assertEqual(sorted(back[port]), [5000, 5500, 6000])
            self.assertEqual(b"".join(back[port][s] for s in sorted(back[port])), payload)

    def test_icmpecho_answers(self):
        rng = random.Random(7)
        sent = [ethernet(arp_request("020000000001", "10.1.0.1", "10.2.0.1"), 0x0806,
                         destination="ffffffffffff")]
        sent += [ethernet(ping("10.1.0.1", "10.2.0.1", number, rng.randbytes(56 + number)))
                 for number in range(50)]
        got, _, log = self.forward("icmpecho", sent)
        self.assertEqual(len(got), len(sent), log)
        replies = {f[40:42]: f for f in got if f[12:14] == b"\x08\0"}
        for request in sent[1:]:
            reply = replies[request[40:42]]
            self.assertEqual(reply[34], 0)  # echo reply
            self.assertEqual(reply[42:], request[42:])
            self.assertEqual((reply[26:30], reply[30:34]), (request[30:34], request[26:30]))
            self.assertEqual(reply[:6], request[6:12])
        (answer,) = [f for f in got if f[12:14] == b"\x08\x06"]
        self.assertEqual(answer[20:22], b"\0\2")


if __name__ == "__main__":
    if TESTPMD is None:
        print("skipped: there is no dpdk-testpmd (Debian and Ubuntu: package dpdk-dev)")
        sys.exit(SKIPPED)
    unittest.main(argv=sys.argv[:1] + sys.argv[2:])
