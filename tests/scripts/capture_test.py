#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""first_light.pcap has the frames that its README promises. Read here with nothing but struct."""

import struct
import unittest
from collections import Counter
from pathlib import Path

CAPTURE = Path(__file__).resolve().parents[1] / "data/first_light.pcap"
IPV4, ARP, IPV6, VLAN, PROVIDER_VLAN = 0x0800, 0x0806, 0x86DD, 0x8100, 0x88A8
ICMP, TCP, UDP, ICMPV6, FRAGMENT = 1, 6, 17, 58, 44


def read():
    """(time in ns, frame) of each record."""
    data = CAPTURE.read_bytes()
    magic, *_, link = struct.unpack_from("<IHHiIII", data)
    assert (magic, link) == (0xA1B23C4D, 1), "not a nanosecond Ethernet pcap"
    place = 24
    while place < len(data):
        seconds, nanoseconds, captured, length = struct.unpack_from("<IIII", data, place)
        assert captured == length, "a frame is cut short"
        yield seconds * 10**9 + nanoseconds, data[place + 16 : place + 16 + length]
        place += 16 + length


def ones_complement(data):
    total = sum(struct.unpack(f"!{len(data) // 2}H", data[: len(data) & ~1]))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def kinds(frame):
    """The names of what is in a frame."""
    place, found = 12, []
    (kind,) = struct.unpack_from("!H", frame, place)
    while kind in (VLAN, PROVIDER_VLAN):
        found.append("provider vlan" if kind == PROVIDER_VLAN else "vlan")
        place += 4
        (kind,) = struct.unpack_from("!H", frame, place)
    place += 2
    if kind == ARP:
        found.append("arp")
    elif kind == IPV4:
        header = 4 * (frame[place] & 15)
        assert ones_complement(frame[place : place + header]) == 0xFFFF, "IPv4 header checksum"
        fragment = struct.unpack_from("!H", frame, place + 6)[0] & 0x3FFF
        found += ["ipv4"] + (["ipv4 fragment"] if fragment else [])
        protocol = frame[place + 9]
        found.append({ICMP: "icmp", TCP: "tcp", UDP: "udp"}.get(protocol, "other"))
        if protocol == TCP and not fragment:
            found += tcp_options(frame[place + header :])
    elif kind == IPV6:
        names = {ICMPV6: "icmpv6", TCP: "tcp", UDP: "udp", FRAGMENT: "ipv6 fragment"}
        found += ["ipv6", names.get(frame[place + 6], "other")]
    return found


def tcp_options(segment):
    options, found = segment[20 : 4 * (segment[12] >> 4)], []
    names = {3: "window scale", 5: "sack", 8: "timestamps"}
    while options and options[0] != 0:
        if options[0] == 1:
            options = options[1:]
            continue
        found.append(names.get(options[0], "other option"))
        options = options[options[1] :]
    return found


class FirstLight(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.records = list(read())
        cls.lengths = [len(frame) for _, frame in cls.records]
        cls.count = Counter(name for _, frame in cls.records for name in kinds(frame))

    def test_size(self):
        self.assertGreaterEqual(len(self.records), 2000)
        self.assertLess(CAPTURE.stat().st_size, 2_000_000)

    def test_times_go_forward(self):
        times = [time for time, _ in self.records]
        self.assertEqual(times, sorted(times))

    def test_lengths(self):
        self.assertEqual(min(self.lengths), 60)
        self.assertEqual(max(self.lengths), 9022)
        self.assertIn(1514, self.lengths)
        self.assertIn(9014, self.lengths)
        self.assertGreater(len(set(self.lengths)), 200)

    def test_kinds(self):
        least = {"arp": 8, "ipv4": 1000, "ipv6": 200, "icmp": 50, "icmpv6": 30, "tcp": 500,
                 "udp": 500, "ipv4 fragment": 50, "ipv6 fragment": 20, "vlan": 150,
                 "provider vlan": 50, "sack": 10, "timestamps": 300, "window scale": 10}
        for name, frames in least.items():
            self.assertGreaterEqual(self.count[name], frames, name)


if __name__ == "__main__":
    unittest.main()
