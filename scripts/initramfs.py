#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the root file system of the guests of `nicroscope linux`: busybox, ethtool, iperf3 and
tcpdump as this machine has them installed, with the libraries that they need, sim/linux/guest/init, and
further programs, statically linked, in /usr/bin. The same files give the same bytes.
Usage: initramfs.py OUTPUT [PROGRAM...]"""

import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROGRAMS = ("ethtool", "iperf3", "tcpdump")
FOLDERS = ("bin", "sbin", "usr", "usr/bin", "usr/sbin", "proc", "sys", "dev", "tmp", "etc", "root",
           "host", "run", "var", "var/run")
PASSWD = b"root:x:0:0:root:/root:/bin/sh\ntcpdump:x:1:1::/:/bin/false\n"


class Archive:
    """A cpio archive in the kernel's "newc" format, every time and owner 0."""

    def __init__(self):
        self.data = bytearray()
        self.count = 0
        self.names = set()

    def add(self, name, mode, content=b"", device=(0, 0)):
        if name in self.names:
            return
        self.names.add(name)
        self.count += 1
        encoded = name.encode() + b"\0"
        fields = (self.count, mode, 0, 0, 1, 0, len(content), 0, 0, *device, len(encoded), 0)
        self.data += b"070701" + b"".join(b"%08X" % field for field in fields) + encoded
        self.pad()
        self.data += content
        self.pad()

    def pad(self):
        self.data += b"\0" * (-len(self.data) % 4)

    def folder(self, name):
        for parent in reversed(Path(name).parents):
            if str(parent) != ".":
                self.add(str(parent), 0o040755)
        self.add(name, 0o040755)

    def file(self, source, name):
        self.folder(str(Path(name).parent))
        self.add(name, 0o100755, Path(source).read_bytes())

    def link(self, name, target):
        self.folder(str(Path(name).parent))
        self.add(name, 0o120777, target.encode())


def find(program):
    path = shutil.which(program, path="/usr/sbin:/usr/bin:/sbin:/bin")
    if path is None:
        sys.exit(f"initramfs: {program} is not installed")
    return Path(path).resolve()


def libraries(program):
    """The shared libraries of a program, and the loader, by the paths at which they are looked for."""
    listed = subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout
    if "not found" in listed:
        sys.exit(f"initramfs: a library of {program} is missing:\n{listed}")
    return re.findall(r"(/\S+) \(0x", listed)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    archive = Archive()
    for folder in FOLDERS:
        archive.folder(folder)
    archive.add("dev/console", 0o020600, device=(5, 1))
    archive.add("etc/passwd", 0o100644, PASSWD)
    busybox = find("busybox")
    archive.file(busybox, "bin/busybox")
    applets = subprocess.run([busybox, "--list"], capture_output=True, text=True, check=True).stdout
    for applet in sorted(applets.split()):
        if applet not in ("busybox", "init", "linuxrc"):
            archive.link(f"bin/{applet}", "busybox")
    wanted = set()
    for program in PROGRAMS:
        path = find(program)
        archive.file(path, f"usr/bin/{program}")
        wanted.update(libraries(path))
    for program in sys.argv[2:]:
        archive.file(program, f"usr/bin/{Path(program).name}")
    for library in sorted(wanted):
        archive.file(Path(library).resolve(), library.lstrip("/"))
    archive.file(ROOT / "sim/linux/guest/init", "init")
    for command in ("report", "counters"):
        archive.file(ROOT / "sim/linux/guest" / command, f"bin/{command}")
    archive.add("TRAILER!!!", 0)
    Path(sys.argv[1]).write_bytes(archive.data + b"\0" * (-len(archive.data) % 512))


main()
