#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Linux's own virtio_net driver on the simulated NIC, in User-mode Linux guests in virtual time.
Usage: linux_test.py NICROSCOPE [unittest options]"""

import re
import sys
import unittest
from pathlib import Path

import guests
from guests import run

PROGRAM = str(Path(sys.argv[1]).resolve()) if len(sys.argv) > 1 else ""


class Default(unittest.TestCase):
    """What `nicroscope linux` does when nothing is said."""

    def test_two_runs_are_one(self):
        first, second = run(PROGRAM, None), run(PROGRAM, None)
        self.assertEqual(first.hash, second.hash)
        self.assertEqual(first.console, second.console)
        for volatile in ("wall_seconds",):
            first.json.pop(volatile)
            second.json.pop(volatile)
        self.assertEqual(first.json, second.json)

        self.assertEqual(first.figure("driver"), "virtio_net")
        # A round trip has two switches of 1 us, four crossings of the bus, no CPU time.
        self.assertGreater(first.figure("ping_us_plain"), 4)
        self.assertLess(first.figure("ping_us_plain"), 30)
        for way in ("send", "receive"):
            # 10G, MTU 1500: 9.41 Gbit/s of payload; iperf3 counts from its first byte to its last.
            self.assertGreater(first.figure(f"iperf3_gbps_{way}"), 5)
            self.assertLess(first.figure(f"iperf3_gbps_{way}"), 9.6)
        # The RTL waits 50 us for more frames, once a round trip at this end.
        self.assertEqual(first.figure("set_rx-usecs"), 50)
        self.assertEqual(first.figure("set_rx-frames"), 64)
        slower = first.figure("ping_us_moderated") - first.figure("ping_us_plain")
        self.assertGreater(slower, 45)
        self.assertLess(slower, 60)
        self.assertLess(first.figure("iperf3_interrupts_receive_moderated"),
                        first.figure("iperf3_interrupts_receive") / 2)



class Scripts(unittest.TestCase):
    def test_the_seed_decides(self):
        script = "report random $(head -c 8 /dev/urandom | xxd -p)x"
        first, again, other = (run(PROGRAM, script, "--guests", "1", "--seed", seed)
                               for seed in ("1", "1", "2"))
        self.assertEqual(first.figure("random"), again.figure("random"))
        self.assertEqual(first.hash, again.hash)
        self.assertNotEqual(first.figure("random"), other.figure("random"))
        self.assertNotEqual(first.hash, other.hash)

    def test_a_script_that_fails_fails_the_run(self):
        result = run(PROGRAM, "[ $GUEST = 0 ] || exit 0; exit 5", ok=False)
        self.assertEqual(result.status, 1)
        self.assertIn("status 5", result.errors)
        self.assertEqual(result.json["guests"][0]["exit_status"], 5)

    def test_a_script_that_does_not_end_fails_the_run(self):
        result = run(PROGRAM, "sleep 1000", "--limit", "5", "--guests", "1", ok=False)
        self.assertEqual(result.status, 1)
        self.assertIn("does not end", result.errors)

    def test_what_cannot_be_is_refused(self):
        for options, word in ((("--script", "/nowhere"), "/nowhere"),
                              (("--kernel", "/nowhere"), "/nowhere"),
                              (("--kernel", "/etc/passwd"), "no program"),
                              (("--guests", "0"), "--guests"),
                              (("--loss", "2"), "--loss")):
            result = run(PROGRAM, None, *options, ok=False)
            self.assertEqual(result.status, 2, options)
            self.assertIn(word, result.errors)
            self.assertRegex(result.errors, r"\Anicroscope: [^\n]+\n\Z")


class Ethtool(unittest.TestCase):
    def test_it_shows_the_hardware(self):
        console = run(PROGRAM, "for o in i g c k l S x; do echo \"== -$o\"; ethtool -$o eth0; done",
                      "--guests", "1", "--profile", "dc25").console
        shown = dict(re.findall(r"== (-\w)\r?\n(.*?)(?=== -|@@ exit)", console, re.S))
        self.assertIn("driver: virtio_net", shown["-i"])
        self.assertRegex(shown["-g"], r"RX:\s+256")
        self.assertRegex(shown["-c"], r"rx-usecs:\s+\d")
        for feature in ("rx-checksumming", "tx-checksumming", "tcp-segmentation-offload",
                        "rx-gro-hw"):
            self.assertRegex(shown["-k"], feature + ": on")
        self.assertRegex(shown["-l"], r"Combined:\s+4")
        self.assertRegex(shown["-S"], r"rx0_hw_packets: 0")
        done, good = (int(re.search(name + r": (\d+)", shown["-S"]).group(1))
                      for name in ("cq_hw_command_num", "cq_hw_ok_num"))
        self.assertGreater(done, 4)
        self.assertEqual(done, good)  # nothing that Linux asks for is refused
        self.assertRegex(shown["-x"], r"RSS hash key:\s+(?:[0-9a-f]{2}:){39}[0-9a-f]{2}")
        self.assertIn("toeplitz: on", shown["-x"])


class Settings(unittest.TestCase):
    """What ethtool and ip set arrives in the hardware, and does there what it says."""

    def test_offloads_can_be_switched(self):
        result = run(PROGRAM, """
            if [ $GUEST = 1 ]; then iperf3 -s > /dev/null; exit; fi
            sent() { cat /sys/class/net/eth0/statistics/tx_packets; }
            bulk() {
              before=$(sent)
              iperf3 -c 10.0.0.2 -n 4M > /tmp/out || fail "$(cat /tmp/out)"
              report $1 $(($(sent) - before))
            }
            ping -c 1 10.0.0.2 > /dev/null
            bulk tso
            ethtool -K eth0 tso off gso off
            bulk frames
            ethtool -K eth0 tx off
            bulk no_checksum
            ethtool -K eth0 tx on tso on gso on rx-gro-hw off
            bulk tso_again
            ethtool -K eth0 rx-gro-hw on
        """)
        # With TSO the stack hands over up to 64 KiB at once; without, 1448 bytes.
        self.assertLess(result.figure("tso"), 400)
        self.assertGreater(result.figure("frames"), 2500)
        self.assertGreater(result.figure("no_checksum"), 2500)
        self.assertLess(result.figure("tso_again"), 400)
        sender, receiver = (guest["counters"] for guest in result.json["guests"])
        self.assertGreater(sender["tx_tso"], 100)
        self.assertGreater(sender["tx_segments"], 5000)
        self.assertGreater(receiver["rx_lro_merged"], 1000)
        self.assertEqual(receiver["rx_csum_bad"], 0)

    def test_moderation_bounds_the_interrupts(self):
        result = run(PROGRAM, """
            if [ $GUEST = 1 ]; then iperf3 -s > /dev/null; exit; fi
            ping -c 1 10.0.0.2 > /dev/null
            for usecs in 0 20 100; do
              ethtool -C eth0 rx-usecs $usecs rx-frames 256
              before=$(interrupts)
              ping -c 1 10.0.0.2 | awk -F'[/= ]+' '/round-trip/ { print "@@ rtt_'$usecs'", $7 * 1000 }'
              iperf3 -c 10.0.0.2 -u -R -b 500M -l 1000 -n 2M -J > /tmp/out
              report interrupts_$usecs $(($(interrupts) - before))
            done
        """)
        for usecs in (20, 100):
            extra = result.figure(f"rtt_{usecs}") - result.figure("rtt_0")
            self.assertGreater(extra, usecs - 3)
            self.assertLess(extra, usecs + 10)
        # 2,000 datagrams, one each 16 us: 34 ms.
        self.assertGreater(result.figure("interrupts_0"), 1800)
        self.assertLess(result.figure("interrupts_20"), result.figure("interrupts_0") * 0.7)
        self.assertLess(result.figure("interrupts_100"), 500)

    def test_filters(self):
        result = run(PROGRAM, """
            other=52:54:00:aa:bb:cc
            if [ $GUEST = 1 ]; then
              # 100 a second: to a station that is not there, to a group that nobody is in, to the one
              # that every host is in, to a VLAN that is not there.
              arp -s 10.0.0.77 $other
              arp -s 10.0.0.78 01:00:5e:01:02:03
              arp -s 10.0.0.79 01:00:5e:00:00:01
              ip link add link eth0 name eth0.6 type vlan id 6
              ip link set eth0.6 up
              ip address add 10.0.6.2/24 dev eth0.6
              arp -s 10.0.6.1 02:00:00:00:00:01
              for host in 10.0.0.77 10.0.0.78 10.0.0.79 10.0.6.1; do
                ping -i 0.01 $host > /dev/null &
              done
              sleep 1000
            fi
            # Frames to host $1 that reach the packet tap in a second, the interface as it is.
            seen() { timeout 1 tcpdump -p -lnq -i eth0 dst host $1 2> /dev/null | grep -c ICMP || true; }
            vlan() { timeout 1 tcpdump -p -lnq -i eth0 vlan 6 2> /dev/null | grep -c ICMP || true; }
            sleep 0.1
            report station $(seen 10.0.0.77)
            report group $(seen 10.0.0.78)
            report every_host $(seen 10.0.0.79)
            report vlan $(vlan)
            ip link set eth0 promisc on
            report station_promiscuous $(seen 10.0.0.77)
            report group_promiscuous $(seen 10.0.0.78)
            ip link set eth0 promisc off
            report station_after $(seen 10.0.0.77)
            ifconfig eth0 allmulti
            report group_allmulti $(seen 10.0.0.78)
            report station_allmulti $(seen 10.0.0.77)
            ifconfig eth0 -allmulti
            ip link set eth0 address $other
            report station_mine $(seen 10.0.0.77)
            ip link add link eth0 name eth0.6 type vlan id 6
            report vlan_mine $(vlan)
        """)
        passed = ("every_host", "station_promiscuous", "group_promiscuous", "group_allmulti",
                  "station_mine")
        for name in passed:
            self.assertGreater(result.figure(name), 80, name)
        for name in ("station", "group", "vlan", "station_after", "station_allmulti"):
            self.assertEqual(result.figure(name), 0, name)
        # To the old address, on the VLAN that is there now.
        self.assertEqual(result.figure("vlan_mine"), 0)
        self.assertGreater(result.json["guests"][0]["counters"]["rx_drop_filter"], 500)

    def test_vlan(self):
        result = run(PROGRAM, """
            ip link add link eth0 name eth0.5 type vlan id 5
            ip address add 10.0.5.$((GUEST + 1))/24 dev eth0.5
            ip link set eth0.5 up
            [ $GUEST = 0 ] || { sleep 1000; exit; }
            sleep 0.1
            ping -c 3 -i 0.01 10.0.5.2 > /tmp/out || fail "$(cat /tmp/out)"
            report answers "$(awk '/received/ { print $4 }' /tmp/out)"
        """)
        self.assertEqual(result.figure("answers"), 3)

    def test_queues_and_steering(self):
        result = run(PROGRAM, """
            if [ $GUEST = 1 ]; then iperf3 -s > /dev/null; exit; fi
            ping -c 1 10.0.0.2 > /dev/null
            bulk() { iperf3 -c 10.0.0.2 -P 8 -n 2M $1 > /tmp/out || fail "$(cat /tmp/out)"; }
            used() {
              ethtool -S eth0 | awk -v side="$1" '$1 ~ "^" side "[0-9]_hw_packets:" && $2 > 10 { n++ }
                END { print n + 0 }'
            }
            bulk -R
            report one_queue $(used rx)
            ethtool -L eth0 combined 4
            report queues "$(ethtool -l eth0 | awk '/Combined/ { n = $2 } END { print n }')"
            bulk -R
            report rx_queues $(used rx)
            of() { ethtool -S eth0 | awk -v name="rx$1_hw_packets:" '$1 == name { print $2 }'; }
            others() { echo $(($(of 0) + $(of 1) + $(of 3))); }
            ethtool -X eth0 weight 0 0 1 0
            steered=$(of 2)
            elsewhere=$(others)
            bulk -R
            report steered $(($(of 2) - steered))
            report elsewhere $(($(others) - elsewhere))
            ethtool -X eth0 default
            ethtool -L eth0 combined 1
            bulk
        """, "--profile", "dc25")
        self.assertEqual(result.figure("one_queue"), 1)
        self.assertEqual(result.figure("queues"), 4)
        self.assertGreaterEqual(result.figure("rx_queues"), 3)
        self.assertGreater(result.figure("steered"), 50)
        self.assertLess(result.figure("elsewhere"), 5)


class Transfers(unittest.TestCase):
    def test_tcp_survives_loss_and_reordering(self):
        result = run(PROGRAM, """
            if [ $GUEST = 1 ]; then iperf3 -s > /dev/null; exit; fi
            for way in "" -R; do
              iperf3 -c 10.0.0.2 -n 4M $way -J > /tmp/out || fail "$(cat /tmp/out)"
              awk '/"retransmits"/ { n = $2 } END { print "@@ retransmits'$way'", n + 0 }' /tmp/out
            done
        """, "--loss", "0.005", "--reorder", "0.01")
        network = result.json["network"]
        self.assertGreater(network["lost"], 5)
        self.assertGreater(network["reordered"], 20)
        self.assertGreater(result.figure("retransmits"), 0)

    def test_50_mb_arrive_as_they_were(self):
        result = run(PROGRAM, """
            if [ $GUEST = 1 ]; then
              mkdir /tmp/www
              head -c 50000000 /dev/urandom > /tmp/www/file
              report sum $(sha256sum < /tmp/www/file)
              exec httpd -f -h /tmp/www
            fi
            sleep 0.1
            wget -q -O /tmp/file http://10.0.0.2/file
            report bytes $(wc -c < /tmp/file)
            report sum $(sha256sum < /tmp/file)
        """, "--memory", "256")
        self.assertEqual(result.figure("bytes"), 50_000_000)
        self.assertRegex(result.figure("sum"), "^[0-9a-f]{64}")
        self.assertEqual(result.figure("sum"), result.json["guests"][1]["figures"]["sum"])
        self.assertGreater(result.json["guests"][0]["bytes_received"], 50_000_000)


if __name__ == "__main__":
    guests.need_kernel()
    unittest.main(argv=[sys.argv[0], *sys.argv[2:]], verbosity=2)
