# SPDX-License-Identifier: Apache-2.0
"""A network namespace for a test, and `nicroscope tap` in it. Nothing outside is touched: the test
process itself moves to a namespace of its own, which goes when it ends."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

SKIPPED = 77  # the exit status that CTest takes for "skipped"
INSIDE = "NICROSCOPE_TEST_NAMESPACE"
HOST, KERNEL, PREFIX = "10.77.0.2", "10.77.0.1", 24  # the simulated host, and this machine's kernel

RUNTIME = tempfile.TemporaryDirectory()


def skip(reason):
    print(f"skipped: {reason}")
    sys.exit(SKIPPED)


def enter():
    """Starts this script again in a new network namespace; comes back in there."""
    if os.environ.get(INSIDE):
        # Sockets of instances of the same name in other namespaces are not to be met.
        os.environ["XDG_RUNTIME_DIR"] = RUNTIME.name
        return
    for tool in ("unshare", "ip", "ping"):
        if not shutil.which(tool):
            skip(f"there is no {tool}")
    if not os.path.exists("/dev/net/tun"):
        skip("there is no /dev/net/tun")
    if not os.access("/dev/net/tun", os.R_OK | os.W_OK):
        skip("no permission to use /dev/net/tun")
    unshare = ["unshare", "--net"] + ([] if os.geteuid() == 0 else ["--map-root-user"])
    probe = subprocess.run([*unshare, "ip", "tuntap", "add", "dev", "probe0", "mode", "tap"],
                           capture_output=True, text=True, timeout=20, check=False)
    if probe.returncode != 0:
        skip(f"no TAP device in a namespace: {probe.stderr.strip()}")
    os.environ[INSIDE] = "1"
    os.execvp(unshare[0], [*unshare, sys.executable, *sys.argv])


def ip(*arguments):
    done = subprocess.run(["ip", *arguments], capture_output=True, text=True, timeout=20,
                          check=False)
    if done.returncode != 0:
        raise AssertionError(f"ip {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout


def quiet_namespace():
    """Loopback up, no IPv6: then the kernel sends nothing that the test does not ask for."""
    ip("link", "set", "lo", "up")
    for scope in ("all", "default"):
        path = Path(f"/proc/sys/net/ipv6/conf/{scope}/disable_ipv6")
        if path.exists():
            path.write_text("1", encoding="ascii")


def end(process, reader=None):
    """Kills `process`, if it still runs, and closes its pipes once the thread `reader` has read them."""
    if process.poll() is None:
        process.kill()
        process.wait()
    if reader is not None:
        reader.join()
    for pipe in (process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()


class Live:
    """`nicroscope tap`, ready, with the interface up and this kernel's address on it. With `outlived`
    the interface is there before the program and after it, so that this kernel's counts can be read
    when nothing moves any more."""

    def __init__(self, program, *options, name="nic0", mtu=1500, outlived=False):
        self.name = name
        self.outlived = outlived
        if outlived:
            ip("tuntap", "add", "dev", name, "mode", "tap")
        command = [program, "tap", name, "--json", "--address", f"{HOST}/{PREFIX}", *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True)
        watchdog = threading.Timer(30, self.process.kill)
        watchdog.start()
        self.ready = self.process.stderr.readline()
        watchdog.cancel()
        if not self.ready.startswith("ready: "):
            self.process.kill()
            self.process.communicate()
            raise AssertionError(f"nicroscope tap did not start: {self.ready.strip()}")
        ip("address", "add", f"{KERNEL}/{PREFIX}", "dev", name)
        ip("link", "set", name, "mtu", str(mtu), "up")

    def kernel_statistics(self):
        """What the kernel counts: (frames it sent, frames it received)."""
        stats = json.loads(ip("-json", "-stats", "link", "show", self.name))[0]["stats64"]
        return stats["tx"]["packets"], stats["rx"]["packets"]

    def stop(self, how=signal.SIGINT):
        """The totals that it prints at its end."""
        self.process.send_signal(how)
        out, err = self.process.communicate(timeout=60)
        if self.process.returncode != 0 or err:
            raise AssertionError(f"exit status {self.process.returncode}: {err.strip()}")
        return json.loads(out)

    def kill(self):
        end(self.process)
        if self.outlived:
            ip("tuntap", "del", "dev", self.name, "mode", "tap")
