#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A distribution's kernel in QEMU has the simulated NIC as its network card, by vhost-user; this
machine's kernel is at the other end of the wire. Usage: qemu_test.py NICROSCOPE [unittest options]"""

import hashlib
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import namespace
from namespace import HOST, KERNEL, PREFIX, ip

PROGRAM = str(Path(sys.argv[1]).resolve()) if len(sys.argv) > 1 else ""
ROOT = Path(__file__).resolve().parents[3]
QEMU = shutil.which("qemu-system-x86_64")
FILES = "NICROSCOPE_QEMU_GUEST"  # kernel and initramfs, found before the namespace is entered
PATIENCE = 100  # seconds, for a busy machine: QEMU interprets the guest
MEGABYTES = 10
FETCH, RETURN, ECHO = 5001, 5002, 5003  # TCP ports
RING_PACKED = 34  # feature bit


def find_guest():
    """The guest's files, made if need be; or the reason that there are none."""
    if QEMU is None:
        namespace.skip("there is no qemu-system-x86_64")
    done = subprocess.run([ROOT / "scripts" / "qemu_guest.sh"], capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        namespace.skip(done.stderr.strip())
    os.environ[FILES] = done.stdout


class Guest:
    """QEMU, with `script` as what the guest does before it switches itself off."""

    def __init__(self, folder, nic, script, netdev="", device=""):
        kernel, initramfs = os.environ[FILES].split()
        (folder / "script").write_text(script, encoding="ascii")
        archive = subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], input=b"script\n",
                                 cwd=folder, capture_output=True, check=True).stdout
        initial = folder / "initramfs"
        first = Path(initramfs).read_bytes()
        # The kernel wants an archive that is not compressed at a multiple of four bytes.
        initial.write_bytes(first + bytes(-len(first) % 4) + archive)
        self.start = time.monotonic()
        self.process = subprocess.Popen(
            [QEMU, "-accel", "tcg", "-cpu", "max", "-m", "256M", "-nodefaults", "-no-user-config",
             "-display", "none", "-no-reboot", "-serial", "stdio",
             "-object", "memory-backend-memfd,id=memory,size=256M,share=on",
             "-machine", "pc,memory-backend=memory",
             "-chardev", f"socket,id=nic,path={nic}",
             "-netdev", f"vhost-user,id=net,chardev=nic{netdev}",
             "-device", f"virtio-net-pci,netdev=net,packed=on,vectors=0,romfile={device}",
             "-kernel", kernel, "-initrd", str(initial),
             "-append", "console=ttyS0 quiet panic=-1"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            errors="replace")
        self.console = []
        self.times = {}
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.console.append(line.rstrip())
            self.times.setdefault(line.split(":")[0].strip(), time.monotonic() - self.start)

    def wait(self):
        """What it said, once it is switched off."""
        self.process.wait(PATIENCE)
        self.reader.join(PATIENCE)
        return "\n".join(self.console)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.reader.join()
        self.process.stdout.close()


class Peer(unittest.TestCase):
    options = ()

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.socket = self.folder / "nic.sock"

    def start_nic(self, *options):
        nic = subprocess.Popen([PROGRAM, "vhost-user", str(self.socket), "--tap", "nic0", "--json",
                                *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.addCleanup(nic.stdout.close)
        self.addCleanup(nic.stderr.close)
        self.addCleanup(nic.wait)
        self.addCleanup(nic.kill)
        self.assertTrue(nic.stderr.readline().startswith("ready: "))
        ip("address", "add", f"{KERNEL}/{PREFIX}", "dev", "nic0")
        ip("link", "set", "nic0", "up")
        return nic

    def serve(self, port, handle):
        """One TCP connection to `port` of this machine, in a thread."""
        server = socket.create_server((KERNEL, port))
        server.settimeout(PATIENCE)

        def run():
            with server, server.accept()[0] as connection:
                connection.settimeout(PATIENCE)
                handle(connection)

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        return thread

    def test_ping_and_ten_megabytes_each_way(self):
        data = random.Random(1).randbytes(MEGABYTES << 20)
        returned = bytearray()

        def take(connection):
            while piece := connection.recv(1 << 16):
                returned.extend(piece)

        nic = self.start_nic()
        sender = self.serve(FETCH, lambda connection: connection.sendall(data))
        taker = self.serve(RETURN, take)
        guest = Guest(self.folder, self.socket, f"""
ip link set eth0 up
ip address add {HOST}/{PREFIX} dev eth0
echo "driver: $(basename $(readlink /sys/class/net/eth0/device/driver))"
echo "features: $(cat /sys/class/net/eth0/device/features)"
ping -c 1 -W 60 {KERNEL} > /dev/null && echo "pinged: 1"
ping -c 10 -i 0.1 -s 1400 {KERNEL} | grep received
nc -l -p {ECHO} -e cat &
nc {KERNEL} {FETCH} > /tmp/data
echo "sum: $(sha256sum < /tmp/data)"
nc {KERNEL} {RETURN} < /tmp/data
wait
echo "counted: $(grep eth0 /proc/net/dev)"
""")
        self.addCleanup(guest.kill)
        taker.join(PATIENCE)  # then the guest listens for us
        with socket.create_connection((HOST, ECHO), PATIENCE) as connection:
            connection.sendall(b"is there anybody?")
            connection.shutdown(socket.SHUT_WR)
            answer = b""
            while piece := connection.recv(100):
                answer += piece
        console = guest.wait()
        sender.join(PATIENCE)
        nic.send_signal(signal.SIGINT)
        out, err = nic.communicate(timeout=PATIENCE)
        self.assertEqual(nic.returncode, 0, err)

        self.assertIn("driver: virtio_net", console)
        features = re.search(r"features: ([01]{64})", console)
        self.assertTrue(features, console)
        self.assertEqual(features.group(1)[RING_PACKED], "1")
        self.assertIn("pinged: 1", console)
        self.assertIn("10 packets received", console)
        self.assertIn(f"sum: {hashlib.sha256(data).hexdigest()}", console)
        self.assertTrue(bytes(returned) == data, "what came back is not what was sent")
        self.assertEqual(answer, b"is there anybody?")
        totals = json.loads(out)
        self.assertEqual(totals["clients"], 1)
        print(f"boot to ping {guest.times['pinged']:.1f} s, "
              f"all of it {totals['wall_seconds']:.1f} s; {err.strip().splitlines()[-1]}")


if __name__ == "__main__":
    if not os.environ.get(FILES):
        find_guest()
    namespace.enter()
    namespace.quiet_namespace()
    unittest.main(argv=sys.argv[:1] + sys.argv[2:])
