# SPDX-License-Identifier: Apache-2.0
"""Frames for a test and what is in them, by Python alone, so that nothing of the project judges
itself; and capture files."""

import ipaddress
import struct


def checksum(data):
    """RFC 1071."""
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def ipv4(source, destination, protocol, payload, identification=0):
    head = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(payload), identification, 0, 64, protocol,
                       0, ipaddress.ip_address(source).packed,
                       ipaddress.ip_address(destination).packed)
    return head[:10] + struct.pack("!H", checksum(head)) + head[12:] + payload


def ethernet(packet, kind=0x0800, source="020000000001", destination="020000000002"):
    frame = bytes.fromhex(destination) + bytes.fromhex(source) + struct.pack("!H", kind) + packet
    return frame.ljust(60, b"\0")


def pseudo_sum(packet):
    """The checksum over a TCP or UDP segment with its pseudo-header: 0 if it is right."""
    length = struct.unpack_from("!H", packet, 2)[0]
    segment = packet[20:length]
    pseudo = packet[12:20] + struct.pack("!BBH", 0, packet[9], len(segment))
    return checksum(pseudo + segment)


def udp(source, destination, ports, payload, good=True):
    """An IPv4 packet."""
    head = struct.pack("!HHHH", *ports, 8 + len(payload), 0)
    packet = ipv4(source, destination, 17, head + payload)
    value = pseudo_sum(packet) or 0xFFFF
    if not good:
        value ^= 0x5555
    return packet[:26] + struct.pack("!H", value) + packet[28:]


def tcp(source, destination, ports, sequence, payload, flags=0x10):
    """An IPv4 packet."""
    head = struct.pack("!HHIIBBHHH", *ports, sequence, 1, 0x50, flags, 65535, 0, 0)
    packet = ipv4(source, destination, 6, head + payload)
    return packet[:36] + struct.pack("!H", pseudo_sum(packet)) + packet[38:]


def ping(source, destination, number, payload):
    head = struct.pack("!BBHHH", 8, 0, 0, 77, number)
    head = head[:2] + struct.pack("!H", checksum(head + payload)) + head[4:]
    return ipv4(source, destination, 1, head + payload)


def arp_request(sender_mac, sender, target):
    return struct.pack("!HHBBH6s4s6s4s", 1, 0x0800, 6, 4, 1, bytes.fromhex(sender_mac),
                       ipaddress.ip_address(sender).packed, bytes(6),
                       ipaddress.ip_address(target).packed)


def write_capture(path, frames, gap_ns=20000):
    """A nanosecond pcap, one frame every `gap_ns`."""
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, 1))
        for number, frame in enumerate(frames):
            time = number * gap_ns
            file.write(struct.pack("<IIII", time // 10**9, time % 10**9, len(frame), len(frame)))
            file.write(frame)
