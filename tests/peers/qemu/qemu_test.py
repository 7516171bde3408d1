#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A distribution's kernel in QEMU has the simulated NIC as its network card, by vhost-user; this
machine's kernel is at the other end of the wire. Usage: qemu_test.py NICROSCOPE [unittest options]"""

import hashlib
import os
import random
import re
import signal
import socket
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import namespace
from machines import FILES, PATIENCE, Guest, find_guest
from namespace import HOST, KERNEL, PREFIX, Live, ip
from vhost_nic import Nic

PROGRAM = str(Path(sys.argv[1]).resolve()) if len(sys.argv) > 1 else ""
MEGABYTES = 10
FETCH, RETURN, ECHO, ORDER = 5001, 5002, 5003, 5004  # TCP ports
FLOWS = 5100  # the first of many UDP ports
RING_PACKED = 34  # feature bit
GUEST = "10.77.0.3"  # where the simulated host of another NIC is HOST
UP = f"ip link set eth0 up; ip address add {HOST}/{PREFIX} dev eth0"


class Peer(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.socket = self.folder / "nic.sock"
        self.data = random.Random(1).randbytes(MEGABYTES << 20)
        self.sum = f"sum: {hashlib.sha256(self.data).hexdigest()}"

    def start_nic(self, *options):
        nic = Nic(PROGRAM, self.socket, *options)
        self.addCleanup(nic.kill)
        return nic

    def start_guest(self, script, **options):
        guest = Guest(self.folder, self.socket, script, **options)
        self.addCleanup(guest.kill)
        return guest

    def serve(self, port, *handlers):
        """TCP connections to `port` of this machine, one for each handler in turn, in a thread."""
        server = socket.create_server(("", port), backlog=len(handlers))
        server.settimeout(PATIENCE)

        def run():
            with server:
                for handle in handlers:
                    with server.accept()[0] as connection:
                        connection.settimeout(PATIENCE)
                        handle(connection)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        return thread

    def send_data(self, connection):
        connection.sendall(self.data)

    def test_ping_and_ten_megabytes_each_way(self):
        returned = bytearray()

        def take(connection):
            while piece := connection.recv(1 << 16):
                returned.extend(piece)

        nic = self.start_nic()
        sender = self.serve(FETCH, self.send_data)
        taker = self.serve(RETURN, take)
        guest = self.start_guest(f"""
{UP}
echo "driver: $(basename $(readlink /sys/class/net/eth0/device/driver))"
echo "features: $(cat /sys/class/net/eth0/device/features)"
ping -c 1 -W 60 {KERNEL} > /dev/null && echo "pinged: 1"
ping -c 10 -i 0.1 -s 1400 {KERNEL} | grep received
nc -l -p {ECHO} -e cat &
nc {KERNEL} {FETCH} > /tmp/data
echo "sum: $(sha256sum < /tmp/data)"
nc {KERNEL} {RETURN} < /tmp/data
wait
""")
        taker.join(PATIENCE)  # then the guest listens for us
        with socket.create_connection((HOST, ECHO), PATIENCE) as connection:
            connection.sendall(b"is there anybody?")
            connection.shutdown(socket.SHUT_WR)
            answer = b""
            while piece := connection.recv(100):
                answer += piece
        console = guest.wait()
        sender.join(PATIENCE)
        totals = nic.stop()

        self.assertIn("driver: virtio_net", console)
        features = re.search(r"features: ([01]{64})", console)
        self.assertTrue(features, console)
        self.assertEqual(features.group(1)[RING_PACKED], "1")
        self.assertIn("pinged: 1", console)
        self.assertIn("10 packets received", console)
        self.assertIn(self.sum, console)
        self.assertTrue(bytes(returned) == self.data, "what came back is not what was sent")
        self.assertEqual(answer, b"is there anybody?")
        self.assertEqual(totals["clients"], 1)
        print(f"boot to ping {guest.times['pinged']:.1f} s, "
              f"all of it {totals['wall_seconds']:.1f} s; {nic.said[-1]}")

    def vectors(self):
        """Interrupt vectors for four queue pairs, configuration and control; 0 where this QEMU crashes
        with MSI-X on a vhost-user device as soon as the guest uses it, as 7.2 without KVM does."""
        nic = self.start_nic("--profile", "dc25")
        guest = self.start_guest(UP, netdev=",queues=4", device="mq=on,vectors=10")
        guest.wait()
        nic.stop()
        if guest.process.returncode != -signal.SIGSEGV:
            return 10
        print("this QEMU crashes with MSI-X on a vhost-user device: without it")
        return 0

    def test_four_queue_pairs(self):
        vectors = self.vectors()
        nic = self.start_nic("--profile", "dc25")

        def send_flows(connection):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as flow:
                for port in range(FLOWS, FLOWS + 64):
                    flow.sendto(b"flow", (HOST, port))
            connection.recv(1)

        helpers = [self.serve(FETCH, *[self.send_data] * 4), self.serve(ORDER, send_flows)]
        guest = self.start_guest(f"""
{UP}
ethtool -L eth0 combined 4
ethtool -l eth0 | tail -n 1
ping -c 1 -W 60 {KERNEL} > /dev/null
for i in 0 1 2 3; do nc {KERNEL} {FETCH} | sha256sum | sed 's/^/sum: /' & done
wait
counts() {{ ethtool -S eth0 | grep 'rx_queue_._packets'; }}
nc {KERNEL} {ORDER} &
until [ $(counts | grep -vc ': 0$') = 4 ]; do sleep 0.1; done
counts
sed 's/^/irq: /' /proc/interrupts | grep virtio
""", netdev=",queues=4", device=f"mq=on,vectors={vectors}")
        console = guest.wait()
        for helper in helpers:
            helper.join(PATIENCE)
        totals = nic.stop()
        self.assertEqual(console.count(self.sum), 4, console)
        self.assertRegex(console, r"Combined:\s+4")
        received = [int(n) for n in re.findall(r"rx_queue_\d_packets: (\d+)", console)]
        self.assertEqual(len(received), 4, console)
        self.assertGreater(min(received), 0, console)
        lines = re.findall(r"^irq: +\d+: +(\d+) .* (virtio\S*)$", console, re.MULTILINE)
        if vectors:
            counts = {name: int(count) for count, name in lines}
            for queue in range(4):
                self.assertGreater(counts[f"virtio0-input.{queue}"], 0, console)
        else:
            self.assertEqual([name for _, name in lines], ["virtio0"], console)
        self.assertEqual(totals["clients"], 1)
        print(f"frames per queue {received}, interrupts {lines}")

    def test_the_projects_own_stack(self):
        """Two simulated NICs, the other one with the project's own driver and stack, which has ICMP and
        UDP, on one bridge."""
        nic = self.start_nic()
        live = Live(PROGRAM, name="nic1")
        self.addCleanup(live.kill)
        ip("link", "add", "bridge0", "type", "bridge")
        self.addCleanup(ip, "link", "del", "bridge0")
        for device in ("nic0", "nic1"):
            ip("link", "set", device, "master", "bridge0")
        ip("link", "set", "bridge0", "up")
        guest = self.start_guest(f"""
ip link set eth0 up; ip address add {GUEST}/{PREFIX} dev eth0
ping -c 1 -W 60 {HOST} > /dev/null
ping -c 10 -i 0.1 -s 1400 {HOST} | grep received
nslookup -port=7 -retry=1 -timeout=5 anybody {HOST} > /dev/null  # a datagram for the echo service
awk '$1 == "Udp:" {{ print "udp:", $2, $4 }}' /proc/net/snmp
""")
        console = guest.wait()
        echo = live.stop()["echo"]
        nic.stop()
        self.assertIn("10 packets received", console)
        answers, errors = map(int, re.search(r"udp: (\d+) (\d+)", console).groups())
        self.assertGreater(answers, 0)
        self.assertEqual(errors, 0)
        self.assertLessEqual(answers, echo["answered"])

    def test_stopped_rebound_and_rebooted(self):
        """QEMU stops the machine in the middle of transfers and lets it go on; the guest binds its
        driver again; it reboots. The same connection all the time."""
        nic = self.start_nic()
        stops = 3

        def send_in_pieces(connection):
            # Each stop while there is more to come.
            size = len(self.data) // (stops + 1)
            for stop in range(stops):
                connection.sendall(self.data[stop * size:(stop + 1) * size])
                guest.command("stop")
                nic.wait_for("the device runs 0 virtqueues")
                before, _ = nic.taken_and_dropped()
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as flow:
                    for _ in range(20):
                        flow.sendto(b"nobody is there", (HOST, FLOWS))
                while nic.taken_and_dropped()[0] < before + 20:
                    time.sleep(0.01)
                guest.command("cont")
                nic.wait_for("the device runs 2 virtqueues")
            connection.sendall(self.data[stops * size:])

        def say(word):
            return lambda connection: connection.sendall(word)

        helpers = [self.serve(FETCH, send_in_pieces, *[self.send_data] * 2),
                   self.serve(ORDER, say(b"rebind\n"), say(b"reboot -f\n"), say(b"poweroff -f\n"))]
        guest = self.start_guest(f"""
rebind() {{
  cd /sys/bus/virtio/drivers/virtio_net
  echo virtio0 > unbind
  echo virtio0 > bind
}}
while true; do
  {UP}
  ping -c 1 -W 60 {KERNEL} > /dev/null
  ping -c 20 -i 0.1 {KERNEL} > /tmp/pings &
  nc {KERNEL} {FETCH} > /tmp/data
  wait
  grep received /tmp/pings
  echo "sum: $(sha256sum < /tmp/data)"
  $(nc {KERNEL} {ORDER})
done
""")
        console = guest.wait()
        for helper in helpers:
            helper.join(PATIENCE)
        _, lost = nic.taken_and_dropped()
        totals = nic.stop()
        self.assertEqual(console.count(self.sum), 3, console + "\n".join(nic.said))
        received = [int(n) for n in re.findall(r"(\d+) packets received", console)]
        self.assertEqual(len(received), 3, console)
        lost += sum(totals["nic"].get(f"rx_drop_{why}", 0) for why in ("fifo", "no_buffer"))
        # An answer on its way at a stop has nobody to go to. Nothing else is lost uncounted.
        self.assertGreaterEqual(received[0], 20 - stops - lost, console)
        self.assertGreaterEqual(sum(received[1:]), 40 - lost, console)
        self.assertEqual(totals["clients"], 1)
        # All but those that were still in the simulated wire.
        self.assertGreaterEqual(totals["nic"]["rx_drop_filter"], stops * 10)
        print(f"{received} of 20 pings each, {totals['nic']['rx_drop_filter']} frames dropped while "
              f"it was stopped, {lost} elsewhere")

    def test_a_new_nic_for_a_driver_that_begins_anew(self):
        """The NIC's process ends and another one takes its place; QEMU connects again. Rings that were
        in use are refused, until the guest has bound its driver again."""
        first = self.start_nic()
        guest = self.start_guest(f"""
{UP}
ping -c 1 -W 60 {KERNEL} > /dev/null && echo "first: 1"
while ping -c 1 -W 1 {KERNEL} > /dev/null; do sleep 0.1; done
until ping -c 1 -W 1 {KERNEL} > /dev/null; do
  cd /sys/bus/virtio/drivers/virtio_net
  echo virtio0 > unbind
  echo virtio0 > bind
  {UP}
done
echo "sum: $(nc {KERNEL} {FETCH} | sha256sum)"
""", chardev=",reconnect=1")
        while "first" not in guest.times:
            self.assertIsNone(guest.process.poll(), guest.console)
            time.sleep(0.01)
        first.stop()
        first.kill()
        second = self.start_nic()
        sender = self.serve(FETCH, self.send_data)
        console = guest.wait()
        sender.join(PATIENCE)
        second.stop()
        self.assertIn(self.sum, console)
        for line in second.said:
            if "connection ended" in line:
                self.assertRegex(line, "was used before|the client has closed it")


if __name__ == "__main__":
    if not os.environ.get(FILES):
        find_guest()
    namespace.enter()
    namespace.quiet_namespace()
    unittest.main(argv=sys.argv[:1] + sys.argv[2:])
