#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A port of DPDK's testpmd on the simulated NIC is stopped and started in the middle of its life, with
as many queues and with others; frames pass before and after. Usage: restart_test.py NICROSCOPE
[unittest options]"""

import collections
import random
import socket
import struct
import sys
import tempfile
import time
import unittest
from pathlib import Path

for folder in ("peers", "support"):
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / folder))
import namespace
from frames import ethernet, udp
from testpmd import MISSING, PATIENCE, TESTPMD, Testpmd
from vhost_nic import Nic

PROGRAM = str(Path(sys.argv[1]).resolve()) if len(sys.argv) > 1 else ""
ALL_PROTOCOLS = 3  # ETH_P_ALL


class Restart(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.nic = Nic(PROGRAM, Path(folder.name) / "nic.sock", "--profile", "dc25", "--assertions")
        self.addCleanup(self.nic.kill)
        self.peer = Testpmd(Path(folder.name), Path(folder.name) / "nic.sock", "io", 4)
        self.addCleanup(self.peer.kill)
        self.nic.wait_for("the device runs 8 virtqueues")
        self.peer.wait_for("packet forwarding - ports=1")
        self.wire = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ALL_PROTOCOLS))
        self.addCleanup(self.wire.close)
        self.wire.bind(("nic0", 0))
        self.wire.settimeout(1)
        self.random = random.Random(1)

    def exchange(self, count=200):
        """UDP frames of many flows there and back: all of them, those of a flow in order."""
        sent = collections.defaultdict(list)
        for number in range(count):
            flow = self.random.randrange(64)
            frame = ethernet(udp(f"10.1.{flow}.1", "10.2.0.1", (1000 + flow, 7),
                                 struct.pack("!I", number) + self.random.randbytes(400)))
            sent[frame[34:36]].append(frame)
            self.wire.send(frame)
        back = collections.defaultdict(list)
        limit = time.monotonic() + PATIENCE
        while count and time.monotonic() < limit:
            try:
                frame, (_, _, direction, *_) = self.wire.recvfrom(2000)
            except TimeoutError:
                continue
            if direction != socket.PACKET_OUTGOING:
                back[frame[34:36]].append(frame)
                count -= 1
        self.assertEqual(count, 0, f"missing; {self.nic.said} {self.peer.output()}")
        self.assertEqual(back, sent)

    def restart(self, *commands):
        self.peer.say("stop", "Done.")
        self.peer.say("port stop all", "Done")
        for command in commands:
            self.peer.say(command, "testpmd> ")
        self.peer.say("port start all", "Done")
        self.peer.say("start", "packet forwarding - ports=1")

    def test_frames_pass_before_and_after(self):
        self.exchange()
        for _ in range(2):  # the driver keeps its rings
            self.restart()
            self.exchange()
        for queues in (1, 4, 2):  # it enables and disables pairs
            self.restart(f"port config all rxq {queues}", f"port config all txq {queues}")
            self.exchange()
        for on in ("on", "off"):  # other features: it stops all rings and brings new ones
            self.restart(f"port config 0 rx_offload udp_cksum {on}")
            self.exchange()
        self.peer.quit()
        totals = self.nic.stop()
        self.assertEqual(totals["clients"], 1, self.nic.said)
        self.assertEqual((totals["frames_to_nic"], totals["frames_from_nic"]), (1600, 1600))
        self.assertGreater(totals["messages"], 150)  # about 100 without new rings


if __name__ == "__main__":
    if TESTPMD is None:
        namespace.skip(MISSING)
    namespace.enter()
    namespace.quiet_namespace()
    unittest.main(argv=sys.argv[:1] + sys.argv[2:])
