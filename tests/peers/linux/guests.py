# SPDX-License-Identifier: Apache-2.0
"""`nicroscope linux` with a script of the test's own."""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
SKIPPED = 77  # the exit status that CTest takes for "skipped"

# For every script: guest 1 waits in `serve` (a function of the script); guest 0 goes on.
PRELUDE = """
set -e
interrupts() { awk '/virtio/ { count += $2 } END { print count + 0 }' /proc/interrupts; }
# statistic NAME: of `ethtool -S eth0`, summed over the queues
statistic() {
  ethtool -S eth0 | awk -v name="$1" '$1 ~ ("(^|_)" name ":$") { sum += $2 } END { print sum + 0 }'
}
fail() { echo "FAILED: $*"; exit 9; }
"""


def need_kernel():
    """Ends the test as skipped where there is no guest kernel."""
    check = subprocess.run([ROOT / "scripts/linux.sh", "--check"], capture_output=True, text=True,
                           check=False)
    if check.returncode != 0:
        print(f"skipped: {check.stderr.strip()}; `make linux` builds it")
        sys.exit(SKIPPED)


class Result:
    """What a run printed: `figures` of guest 0, all JSON, its console."""

    def __init__(self, status, output, errors, console):
        self.status = status
        self.errors = errors
        self.console = console
        self.json = json.loads(output) if output else {}
        guests = self.json.get("guests", [{}])
        self.figures = guests[0].get("figures", {})
        self.hash = self.json.get("trace_hash")

    def figure(self, name):
        if name not in self.figures:
            raise AssertionError(f"no figure {name}: {self.errors}\n{self.console[-3000:]}")
        return self.figures[name]


def run(program, script, *options, timeout=300, ok=True):
    """Runs `script` in the guests; with `ok`, an AssertionError if it does not end with status 0."""
    with tempfile.TemporaryDirectory() as folder:
        command = [program, "linux", "--json", "--console", f"{folder}/console", *map(str, options)]
        if script is not None:
            path = Path(folder) / "script"
            path.write_text(PRELUDE + script, encoding="utf-8")
            command += ["--script", str(path)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)
        console = Path(folder) / "console"
        text = console.read_text(encoding="utf-8", errors="replace") if console.exists() else ""
    result = Result(done.returncode, done.stdout, done.stderr, text)
    if ok and done.returncode != 0:
        raise AssertionError(f"exit status {done.returncode}: {done.stderr}\n{text[-3000:]}")
    return result
