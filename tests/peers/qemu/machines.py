# SPDX-License-Identifier: Apache-2.0
"""Machines in QEMU with the simulated NIC as their network card."""

import json
import os
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path

import namespace

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
        namespace.end(self.process, self.reader)
