# SPDX-License-Identifier: Apache-2.0
"""DPDK's testpmd on a vhost-user socket, through virtio-user."""

import os
import shutil
import subprocess
import time
from pathlib import Path

TESTPMD = shutil.which("dpdk-testpmd")
PATIENCE = 120  # seconds, for a busy machine
MAC = "52540000beef"  # of testpmd's port
PEER = "02000000aa00"  # the address that testpmd sends to where it rewrites addresses
MISSING = "there is no dpdk-testpmd (Debian and Ubuntu: package dpdk-dev)"


class Testpmd:
    """testpmd at `socket`, forwarding what comes on its one port back to it: `queues` of `most`."""

    def __init__(self, folder, socket, mode, queues, commands=(), options=(), most=None):
        mac = ":".join(MAC[i : i + 2] for i in range(0, 12, 2))
        peer = ":".join(PEER[i : i + 2] for i in range(0, 12, 2))
        vdev = (f"net_virtio_user0,path={socket},mac={mac},queues={most or queues},queue_size=256,"
                "packed_vq=1,mrg_rxbuf=1,in_order=0")
        script = folder / "commands"
        script.write_text("\n".join([*commands, f"set fwd {mode}", "start", ""]), encoding="ascii")
        cpu = min(os.sched_getaffinity(0))
        # A line at a time, although it goes to a file.
        command = ["stdbuf", "-oL", TESTPMD, "--lcores", f"0@{cpu},1@{cpu}", "--no-huge", "-m", "256",
                   "--no-pci", "--no-telemetry", "--file-prefix", f"nicroscope{os.getpid()}",
                   "--vdev", vdev, "--", "-i", f"--rxq={queues}", f"--txq={queues}", "--total-num-mbufs=8192",
                   "--port-topology=loop", "--no-flush-rx", f"--eth-peer=0,{peer}",
                   f"--cmdline-file={script}", *options]
        runtime = {**os.environ, "XDG_RUNTIME_DIR": str(folder)}
        self.log = open(folder / "testpmd.log", "w", encoding="utf-8")
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=self.log,
                                        stderr=subprocess.STDOUT, env=runtime)

    def output(self):
        return Path(self.log.name).read_text(encoding="utf-8")

    def wait_for(self, text, begin=0):
        """Until it has printed that, behind `begin` characters."""
        limit = time.monotonic() + PATIENCE
        while text not in self.output()[begin:]:
            if self.process.poll() is not None or time.monotonic() > limit:
                raise AssertionError(f"it never printed '{text}': {self.output()}")
            time.sleep(0.01)

    def say(self, command, answer):
        """A command, and `answer` in what it prints then."""
        before = len(self.output())
        self.process.stdin.write(command.encode() + b"\n")
        self.process.stdin.flush()
        self.wait_for(answer, before + len(command))

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
