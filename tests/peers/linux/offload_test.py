#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Offloads of Linux's virtio_net, switched by `ethtool -K`, as the card's own counters show them.
Usage: offload_test.py NICROSCOPE [unittest options]"""

import sys
import unittest
from pathlib import Path

import guests
from guests import run

PROGRAM = str(Path(sys.argv[1]).resolve()) if len(sys.argv) > 1 else ""

# Guest 1 serves iperf3. `bulk NAME [-R]`: 2 MB from guest 0 (with -R: to it), then the counters.
SERVER = """
if [ $GUEST = 1 ]; then iperf3 -s > /dev/null; exit; fi
ping -c 1 10.0.0.2 > /dev/null
bulk() {
  iperf3 -c 10.0.0.2 -n 2M $2 > /tmp/out || fail "$(cat /tmp/out)"
  sleep 0.01
  counters $1
}
shown() { ethtool -k eth0 | awk -v name="$1:" '$1 == name { print $2 }'; }
counters start
"""
# At least so many segments of 2 MB at MTU 1500; iperf3 leaves some of it in its buffers at the end.
SEGMENTS = 1200


class Phases:
    """What each counter grew by from one `counters NAME` to the next."""

    def __init__(self, result, *names):
        at = result.json["guests"][0]["counters_at"]
        self.grown = {name: {counter: at[name][counter] - at[before][counter]
                             for counter in at[name]}
                      for before, name in zip(("start", *names), names)}

    def __call__(self, phase, counter):
        return self.grown[phase][counter]


class Switched(unittest.TestCase):
    def test_tso(self):
        result = run(PROGRAM, SERVER + """
            bulk on
            ethtool -K eth0 tso off
            report off_shown $(shown tcp-segmentation-offload)
            bulk off
            ethtool -K eth0 tso on
            bulk again
        """)
        self.assertEqual(result.figure("off_shown"), "off")
        grown = Phases(result, "on", "off", "again")
        for phase in ("on", "again"):
            self.assertGreater(grown(phase, "tx_tso"), 30, phase)
            self.assertGreater(grown(phase, "tx_segments"), SEGMENTS, phase)
        self.assertEqual(grown("off", "tx_tso"), 0)
        self.assertEqual(grown("off", "tx_segments"), 0)
        for phase in ("on", "off", "again"):
            self.assertGreater(grown(phase, "tx_frames"), SEGMENTS, phase)

    def test_lro(self):
        result = run(PROGRAM, SERVER + """
            bulk on -R
            ethtool -K eth0 rx-gro-hw off
            report off_shown $(shown rx-gro-hw)
            bulk off -R
            ethtool -K eth0 rx-gro-hw on
            bulk again -R
        """)
        self.assertEqual(result.figure("off_shown"), "off")
        grown = Phases(result, "on", "off", "again")
        for phase in ("on", "again"):
            self.assertGreater(grown(phase, "rx_lro_merged"), SEGMENTS / 2, phase)
            self.assertLess(grown(phase, "rx_delivered"), SEGMENTS / 2, phase)
        self.assertEqual(grown("off", "rx_lro_merged"), 0)
        self.assertEqual(grown("off", "rx_delivered"), grown("off", "rx_frames"))
        for phase in ("on", "off", "again"):
            self.assertGreater(grown(phase, "rx_frames"), SEGMENTS, phase)

    def test_transmit_checksums(self):
        result = run(PROGRAM, SERVER + """
            bulk on
            ethtool -K eth0 tx off
            report off_shown $(shown tx-checksumming)
            report tso_shown $(shown tcp-segmentation-offload)
            bulk off
            ethtool -K eth0 tx on tso on
            bulk again
        """)
        self.assertEqual(result.figure("off_shown"), "off")
        self.assertEqual(result.figure("tso_shown"), "off")  # Linux: no segments without checksums
        grown = Phases(result, "on", "off", "again")
        for phase in ("on", "again"):
            self.assertGreater(grown(phase, "tx_csum"), SEGMENTS, phase)
        self.assertEqual(grown("off", "tx_csum"), 0)
        self.assertEqual(grown("off", "tx_tso"), 0)
        # Whoever made them, they were right.
        receiver = result.json["guests"][1]["counters"]
        self.assertEqual(receiver["rx_csum_bad"], 0)
        self.assertGreater(receiver["rx_csum_good"], 3 * SEGMENTS)

    def test_receive_checksums(self):
        """Linux's driver takes them from the card for good: nothing to switch."""
        result = run(PROGRAM, SERVER + """
            ethtool -K eth0 rx off && fail "rx-checksumming could be switched"
            report fixed "$(ethtool -k eth0 | awk '/^rx-checksumming/ { print $2, $3 }')"
            bulk with -R
            report in_error $(awk '/^Tcp: [0-9]/ { print $15 }' /proc/net/snmp)
        """)
        self.assertEqual(result.figure("fixed"), "on [fixed]")
        self.assertEqual(result.figure("in_error"), 0)
        grown = Phases(result, "with")
        self.assertGreaterEqual(grown("with", "rx_csum_good"), SEGMENTS)
        self.assertEqual(grown("with", "rx_csum_bad"), 0)

    def test_under_traffic(self):
        """Files cross both ways while both guests switch everything to and fro."""
        result = run(PROGRAM, """
            mkdir /tmp/www
            head -c 6000000 /dev/urandom > /tmp/www/file
            report sent $(sha256sum < /tmp/www/file | cut -c 1-64)
            httpd -h /tmp/www
            sleep 0.1
            (
              while :; do
                for features in "tso off" "rx-gro-hw off" "tso on" "tx off" "rx-gro-hw on" "tx on tso on"; do
                  ethtool -K eth0 $features
                  echo "$features" >> /tmp/switched
                  sleep 0.0002
                done
              done
            ) > /dev/null 2>&1 &
            switcher=$!
            wget -q -O /tmp/file http://10.0.0.$((2 - GUEST))/file || fail wget
            report switched $(wc -l < /tmp/switched)
            kill $switcher
            ethtool -K eth0 tx on tso on rx-gro-hw on
            report got $(sha256sum < /tmp/file | cut -c 1-64)
            report in_error $(awk '/^Tcp: [0-9]/ { print $15 }' /proc/net/snmp)
            # Guest 0 ends the run: the other is done before.
            [ $GUEST = 1 ] || sleep 1
        """)
        first, second = (guest["figures"] for guest in result.json["guests"])
        self.assertEqual(first["got"], second["sent"])
        self.assertEqual(second["got"], first["sent"])
        self.assertNotEqual(first["sent"], second["sent"])
        for guest in result.json["guests"]:
            self.assertGreater(guest["figures"]["switched"], 12)
            self.assertEqual(guest["figures"]["in_error"], 0)
            self.assertGreater(guest["counters"]["tx_tso"], 10)
            self.assertGreater(guest["counters"]["rx_lro_merged"], 100)
            self.assertEqual(guest["counters"]["rx_csum_bad"], 0)
            self.assertEqual(guest["counters"]["ctrl_errors"], 0)


if __name__ == "__main__":
    guests.need_kernel()
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]], verbosity=2)
