# SPDX-License-Identifier: Apache-2.0
"""The program under test, and captures made for it."""

import re
import struct
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
CAPTURE = ROOT / "tests/data/first_light.pcap"
PROGRAM = str(Path(sys.argv[1]).resolve()) if len(sys.argv) > 1 else ""
ETHERNET, RAW_IP, COOKED = 1, 101, 113
LONGEST = 9022  # bytes without FCS that the device takes


def run(*arguments, timeout=120, cwd=None):
    """The finished process of `nicroscope arguments...`."""
    return subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True,
                          timeout=timeout, cwd=cwd, check=False)


def peak_memory(*arguments):
    """The most memory that `nicroscope arguments...` had resident, in KiB, but for what it took in
    its last moments. (What wait4 says includes this process's own memory before the exec.)"""
    with subprocess.Popen([PROGRAM, *map(str, arguments)], stdout=subprocess.DEVNULL) as process:
        status, peak = Path(f"/proc/{process.pid}/status"), 0
        while process.poll() is None:
            found = re.search(r"VmHWM:\s*(\d+)", status.read_text(encoding="ascii"))
            peak = max(peak, int(found.group(1)) if found else 0)
            time.sleep(0.01)
    if process.returncode != 0:
        raise AssertionError(f"exit status {process.returncode}")
    return peak


def built(variant):
    """Whether the program has that variant of the edge10 model. A waveform of a profile that has none
    is refused with the list of what there is."""
    with tempfile.TemporaryDirectory() as folder:
        refused = run("replay", CAPTURE, "--profile", "dc100", "--wave", Path(folder) / "wave.fst")
    assert refused.returncode == 2, "dc100 has waveforms: ask another way"
    return f"edge10({variant})" in refused.stderr


def frame(size, number=0):
    """An Ethernet frame of an experimental type, broadcast."""
    header = b"\xff" * 6 + b"\x52\x54\x00\x00\x00\x01" + b"\x88\xb5"
    return (header + struct.pack("!I", number) * (size // 4))[:size]


def records(frames, gap_ns=1000, claim=0):
    """pcap records, `gap_ns` apart; `claim`: how many bytes more than there are they say to have
    been."""
    out = bytearray()
    for number, data in enumerate(frames):
        seconds, nanoseconds = divmod(number * gap_ns, 10**9)
        out += struct.pack("<IIII", seconds, nanoseconds, len(data), len(data) + claim) + data
    return bytes(out)


def header(link=ETHERNET, magic=0xA1B23C4D):
    return struct.pack("<IHHiIII", magic, 2, 4, 0, 0, 262144, link)


class Case(unittest.TestCase):
    """A test with a folder of its own."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def file(self, name, content):
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def capture(self, frames, name="in.pcap", **options):
        return self.file(name, header() + records(frames, **options))


def main():
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]])
