# SPDX-License-Identifier: Apache-2.0
"""The simulated NIC with a TAP device at its wire, and machines in QEMU that have it as their network
card. In the network namespace of namespace.py."""

import json
import os
import queue
import shutil
import signal
import socket
import subprocess
import threading
import time
from pathlib import Path

import namespace
from namespace import KERNEL, PREFIX, ip

ROOT = Path(__file__).resolve().parents[3]
QEMU = shutil.which("qemu-system-x86_64")
FILES = "NICROSCOPE_QEMU_GUEST"  # kernel and initramfs, found before the namespace is entered
PATIENCE = 100  # seconds, for a busy machine: QEMU interprets the guest


def find_guest():
    """The guest's files, made if need be; or the reason that there are none."""
    if QEMU is None:
        namespace.skip("there is no qemu-system-x86_64")
    done = subprocess.run([ROOT / "scripts" / "qemu_guest.sh"], capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        namespace.skip(done.stderr.strip())
    os.environ[FILES] = done.stdout


class Nic:
    """`nicroscope vhost-user` at `path`, ready, and this kernel's address on its TAP device."""

    def __init__(self, program, path, *options):
        self.process = subprocess.Popen(
            [program, "vhost-user", str(path), "--tap", "nic0", "--json", *options],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.lines = queue.Queue()
        self.said = []
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()
        self.wait_for("ready: ")
        ip("address", "add", f"{KERNEL}/{PREFIX}", "dev", "nic0")
        ip("link", "set", "nic0", "up")

    def read(self):
        for line in self.process.stderr:
            self.lines.put(line.rstrip())
        self.lines.put(None)

    def wait_for(self, text):
        """Until it says a line with `text`, which was not waited for before."""
        while True:
            line = self.lines.get(timeout=PATIENCE)
            if line is None:
                raise AssertionError(f"never said '{text}', only {self.said}")
            self.said.append(line)
            if text in line:
                return

    def frames_taken(self):
        """From this kernel, out of the TAP device's queue."""
        link = json.loads(ip("-json", "-stats", "link", "show", "nic0"))[0]
        return link["stats64"]["tx"]["packets"]

    def stop(self):
        """Its totals, and what it said."""
        self.process.send_signal(signal.SIGINT)
        out = self.process.stdout.read()
        self.process.wait(PATIENCE)
        self.reader.join(PATIENCE)
        while (line := self.lines.get()) is not None:
            self.said.append(line)
        if self.process.returncode != 0:
            raise AssertionError(f"exit status {self.process.returncode}: {self.said}")
        return json.loads(out)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.reader.join()
        self.process.stdout.close()
        self.process.stderr.close()


class Guest:
    """QEMU, with `script` as what the guest does before it switches itself off."""

    def __init__(self, folder, nic, script, chardev="", netdev="", device="vectors=0"):
        kernel, initramfs = os.environ[FILES].split()
        (folder / "script").write_text(script, encoding="ascii")
        archive = subprocess.run(["cpio", "-o", "-H", "newc", "--quiet"], input=b"script\n",
                                 cwd=folder, capture_output=True, check=True).stdout
        initial = folder / "initramfs"
        first = Path(initramfs).read_bytes()
        # The kernel wants an archive that is not compressed at a multiple of four bytes.
        initial.write_bytes(first + bytes(-len(first) % 4) + archive)
        self.monitor = folder / "monitor"
        self.monitor.unlink(missing_ok=True)
        self.start = time.monotonic()
        self.process = subprocess.Popen(
            [QEMU, "-accel", "tcg", "-cpu", "max", "-m", "256M", "-nodefaults", "-no-user-config",
             "-display", "none", "-serial", "stdio",
             "-qmp", f"unix:{self.monitor},server=on,wait=off",
             "-object", "memory-backend-memfd,id=memory,size=256M,share=on",
             "-machine", "pc,memory-backend=memory",
             "-chardev", f"socket,id=nic,path={nic}{chardev}",
             "-netdev", f"vhost-user,id=net,chardev=nic{netdev}",
             "-device", f"virtio-net-pci,netdev=net,packed=on,romfile=,{device}",
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

    def command(self, *names):
        """Of QEMU's monitor, each carried out when this returns."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(PATIENCE)
            connection.connect(str(self.monitor))
            lines = connection.makefile("r", encoding="utf-8")
            lines.readline()  # its greeting
            for name in ("qmp_capabilities", *names):
                connection.sendall(json.dumps({"execute": name}).encode())
                answer = {}
                while "return" not in answer:  # events come in between
                    answer = json.loads(lines.readline())
                    if "error" in answer:
                        raise AssertionError(f"{name}: {answer}")

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.reader.join()
        self.process.stdout.close()
