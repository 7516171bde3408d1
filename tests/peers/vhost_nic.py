# SPDX-License-Identifier: Apache-2.0
"""The simulated NIC for vhost-user clients, with a TAP device at its wire, in the network namespace of
namespace.py."""

import json
import queue
import signal
import subprocess
import threading

from namespace import KERNEL, PREFIX, end, ip

PATIENCE = 100  # seconds, for a busy machine


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

    @staticmethod
    def taken_and_dropped():
        """Frames of this kernel's that were taken out of the TAP device's queue, and those that did not
        fit into it."""
        link = json.loads(ip("-json", "-stats", "link", "show", "nic0"))[0]
        return link["stats64"]["tx"]["packets"], link["stats64"]["tx"]["dropped"]

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
        end(self.process, self.reader)
