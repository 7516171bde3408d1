#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Socket traffic between two network namespaces for make_capture.sh: capture_traffic.py A B.

One process opens the sockets of both sides: a thread enters a namespace, opens a socket there, and
comes back; the socket stays. All traffic is made by the kernel's own stack.
"""

import contextlib
import ctypes
import os
import random
import socket
import struct
import sys
import threading
import time

CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)
RANDOM = random.Random(1)


def socket_in(namespace, *kind):
    """A socket of that kind inside a named network namespace."""
    home = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    try:
        if LIBC.setns(there, CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), f"setns {namespace}")
        made = socket.socket(*kind)
        LIBC.setns(home, CLONE_NEWNET)
        return made
    finally:
        os.close(there)
        os.close(home)


def udp_pair(ns_a, ns_b, address, port):
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    server = socket_in(ns_b, family, socket.SOCK_DGRAM)
    server.bind((address, port))
    server.settimeout(1)
    client = socket_in(ns_a, family, socket.SOCK_DGRAM)
    client.connect((address, port))
    client.settimeout(1)
    return client, server


def udp_sizes(ns_a, ns_b, address, sizes, port=9, answer=False):
    client, server = udp_pair(ns_a, ns_b, address, port)
    with client, server:
        for size in sizes:
            client.send(RANDOM.randbytes(size))
            data, peer = server.recvfrom(65535)
            if answer:
                server.sendto(data, peer)
                client.recv(65535)


def udp_burst(ns_a, ns_b, address, count, size):
    """Small datagrams back to back, as many as the sender can."""
    client, server = udp_pair(ns_a, ns_b, address, 5001)
    with client, server:
        for n in range(count):
            client.send(struct.pack("!I", n).ljust(size, b"."))


def refused(ns_a, address, port):
    """A datagram and a connection to a closed port: ICMP unreachable, RST."""
    with socket_in(ns_a, socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.connect((address, port))
        client.send(b"anyone?")
        time.sleep(0.05)
    with socket_in(ns_a, socket.AF_INET, socket.SOCK_STREAM) as client:
        with contextlib.suppress(ConnectionRefusedError):
            client.connect((address, port))


def group_and_broadcast(ns_a, ns_b):
    """IGMP joins and leaves, a multicast and a broadcast datagram."""
    group = socket.inet_aton("239.1.2.3")
    with socket_in(ns_b, socket.AF_INET, socket.SOCK_DGRAM) as member:
        member.bind(("", 6000))
        joined = struct.pack("4s4s", group, socket.inet_aton("10.0.0.2"))
        member.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, joined)
        with socket_in(ns_a, socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF,
                              socket.inet_aton("10.0.0.1"))
            sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
            for size in (1, 300, 1200):
                sender.sendto(bytes(size), ("239.1.2.3", 6000))
                sender.sendto(bytes(size), ("10.0.0.255", 6000))
        time.sleep(0.1)


def tcp(ns_a, ns_b, address, port, serve, use, receive_buffer=None):
    """serve(connection) beside use(connection), each at its end of one connection."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket_in(ns_b, family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if receive_buffer:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        listener.bind((address, port))
        listener.listen()

        def accept():
            connection, _ = listener.accept()
            with connection:
                serve(connection)

        server = threading.Thread(target=accept)
        server.start()
        with socket_in(ns_a, family, socket.SOCK_STREAM) as client:
            client.connect((address, port))
            use(client)
        server.join()


def sink(connection):
    while connection.recv(65536):
        pass


def echo(connection):
    while data := connection.recv(65536):
        connection.sendall(data)


def send(size):
    return lambda connection: connection.sendall(RANDOM.randbytes(size))


def ping_pong(rounds, largest):
    def use(connection):
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(rounds):
            size = RANDOM.randint(1, largest)
            connection.sendall(RANDOM.randbytes(size))
            while size > 0:
                size -= len(connection.recv(65536))
    return use


def slow_sink(connection):
    """Lets its window close, then drains: zero windows and probes."""
    time.sleep(0.6)
    sink(connection)


def urgent(connection):
    connection.sendall(b"before ")
    connection.send(b"!", socket.MSG_OOB)
    connection.sendall(b" after")


def reset(connection):
    """Closing with unsent time: RST instead of FIN."""
    connection.sendall(b"no goodbye")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def swallow(connection):
    with contextlib.suppress(ConnectionResetError):
        sink(connection)


def main():
    a, b = sys.argv[1:3]
    # Untagged, IPv4. Payload sizes make frames of every seventh length from 60 to 1514.
    udp_sizes(a, b, "10.0.0.2", [1, 2, *range(17, 1473, 7), 1471, 1472])
    udp_sizes(a, b, "10.0.0.2", [1, 18, 200, 1000, 1472, 1473, 4000, 8000], 7, answer=True)
    udp_sizes(a, b, "10.9.0.2", [1473, 2048, 4096, 6000, 8192, 8972], answer=True)
    udp_burst(a, b, "10.0.0.2", 600, 18)
    refused(a, "10.0.0.2", 4)
    group_and_broadcast(a, b)
    tcp(a, b, "10.0.0.2", 7000, echo, ping_pong(60, 1400))
    tcp(a, b, "10.0.0.2", 7001, sink, send(260_000))
    tcp(a, b, "10.0.0.2", 7002, slow_sink, send(60_000), receive_buffer=8192)
    tcp(a, b, "10.0.0.2", 7003, sink, urgent)
    tcp(a, b, "10.0.0.2", 7004, swallow, reset)
    tcp(a, b, "10.9.0.2", 7005, sink, send(120_000))
    # IPv6
    udp_sizes(a, b, "fd00::2", [1, *range(40, 1453, 97), 1452, 1453, 4000], answer=True)
    tcp(a, b, "fd00::2", 7000, echo, ping_pong(30, 1200))
    tcp(a, b, "fd00::2", 7006, sink, send(60_000))
    udp_sizes(a, b, "fd00:2::2", [1, 8952], answer=True)
    # Tagged once and twice
    udp_sizes(a, b, "10.100.0.2", [1, *range(14, 1473, 83), 1472], answer=True)
    tcp(a, b, "10.100.0.2", 7007, sink, send(60_000))
    tcp(a, b, "10.200.0.2", 7008, echo, ping_pong(10, 1200))
    udp_sizes(a, b, "10.200.0.2", [1, 6, 10, 14, 1000, 8972], answer=True)


if __name__ == "__main__":
    main()
