#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""tshark judges what the NIC sends in a random cosimulation: no checksum is wrong, no length does not
fit, nothing is malformed.

  tshark_test.py COSIM_RANDOM_TEST
"""

import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

SKIPPED = 77
FRAMES = 3000
BAD = "0"  # of Wireshark's checksum status: bad, good, unverified, not present, illegal
FIELDS = ["ip.checksum.status", "tcp.checksum.status", "udp.checksum.status", "_ws.malformed",
          "ip.bogus_ip_length", "ipv6.plen_exceeds_framing", "udp.length.bad", "frame.number"]


def main():
    if not shutil.which("tshark"):
        print("skipped: there is no tshark")
        sys.exit(SKIPPED)
    with tempfile.TemporaryDirectory() as folder:
        capture = Path(folder) / "sent.pcap"
        subprocess.run([sys.argv[1], f"--frames={FRAMES}", "--seeds=1", "--seed=77",
                        f"--pcap={capture}"], check=True, timeout=200, stdout=subprocess.DEVNULL)
        known = subprocess.run(["tshark", "-G", "fields"], capture_output=True, text=True,
                               timeout=100, check=True).stdout
        names = {line.split("\t")[2] for line in known.splitlines() if line.startswith("F\t")}
        fields = [field for field in FIELDS if field in names]
        command = ["tshark", "-n", "-r", str(capture), "-T", "fields"]
        # Random fragments with the same identification do not belong together.
        command += ["-o", "ip.defragment:FALSE", "-o", "ipv6.defragment:FALSE"]
        for protocol in ("ip", "tcp", "udp"):
            command += ["-o", f"{protocol}.check_checksum:TRUE"]
        # A random payload on a random port is nobody's protocol.
        command += ["-o", "tcp.try_heuristic_first:FALSE"]
        for field in fields:
            command += ["-e", field]
        done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=True)
    seen, wrong = Counter(), []
    for line in done.stdout.splitlines():
        frame = dict(zip(fields, line.split("\t")))
        for field in fields[:3]:
            for status in filter(None, frame.get(field, "").split(",")):
                seen[field, status] += 1
                if status == BAD:
                    wrong.append((frame["frame.number"], field))
        wrong += [(frame["frame.number"], field) for field in fields[3:-1] if frame.get(field)]
    print(dict(seen))
    for number, field in wrong[:10]:
        print(f"frame {number}: {field}")
    good = min(seen[field, "1"] for field in fields[:3])
    sys.exit(1 if wrong or good < 100 else 0)


if __name__ == "__main__":
    main()
