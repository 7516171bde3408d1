#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The cable between two namespaces for make_capture.sh, with a switch port at each end.

Frames from port N at one end leave port N at the other. What crosses the trunk between is written
as a nanosecond pcap: padded to 60 bytes as a transmitter must, port 1 tagged with VLAN 100, port 2
with VLAN 200 inside provider VLAN 300. Of the TCP connections to port 7001 the trunk loses one data
frame in 37 and swaps one with the frame after it in 53, behind the point of capture, so that
retransmissions and selective acknowledgements are there to be seen. Ends on SIGTERM.
"""

import select
import signal
import socket
import struct
import sys
import time

ETH_P_ALL = 3
SOL_PACKET, PACKET_IGNORE_OUTGOING, SO_RCVBUFFORCE = 263, 23, 33
TAGS = {
    0: b"",
    1: struct.pack("!HH", 0x8100, 100),
    2: struct.pack("!HHHH", 0x88A8, 300, 0x8100, 200),
}
LOSSY_PORT, LOSE_EACH, SWAP_EACH = 7001, 37, 53


class Stop(Exception):
    """SIGTERM came."""


def stop(*_):
    raise Stop


def open_port(name):
    port = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    port.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    port.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 23)
    port.bind((name, 0))
    return port


def is_lossy_data(frame):
    """A TCP segment with data over IPv4 to the port that loses."""
    if frame[12:14] != b"\x08\x00" or frame[23] != 6:
        return False
    header = 14 + 4 * (frame[14] & 15)
    total = 14 + struct.unpack_from("!H", frame, 16)[0]
    data = total - header - 4 * (frame[header + 12] >> 4)
    return data > 0 and struct.unpack_from("!H", frame, header + 2)[0] == LOSSY_PORT


def main():
    signal.signal(signal.SIGTERM, stop)
    ports = {(end, n): open_port(f"{end}{n}") for end in "ab" for n in TAGS}
    places = {port.fileno(): place for place, port in ports.items()}
    poll = select.epoll()
    for fd in places:
        poll.register(fd, select.EPOLLIN)
    seen, held = 0, None
    with open(sys.argv[1], "wb") as out:
        # magic of nanosecond pcap, version 2.4, zone, accuracy, snapshot length, Ethernet
        out.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 65535, 1))
        try:
            while True:
                for fd, _ in poll.poll():
                    end, n = places[fd]
                    frame = ports[end, n].recv(65535)
                    peer = ports["b" if end == "a" else "a", n]
                    wire = (frame[:12] + TAGS[n] + frame[12:]).ljust(60, b"\0")
                    now = time.time_ns()
                    out.write(struct.pack("<IIII", now // 10**9, now % 10**9, len(wire), len(wire)))
                    out.write(wire)
                    padded = frame.ljust(60, b"\0")
                    if is_lossy_data(padded):
                        seen += 1
                        if seen % LOSE_EACH == 0:
                            continue
                        if seen % SWAP_EACH == 0:
                            held = padded
                            continue
                    peer.send(padded)
                    if held:
                        peer.send(held)
                        held = None
        except Stop:
            pass


if __name__ == "__main__":
    main()
