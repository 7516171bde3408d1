#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Makes tests/data/first_light.pcap (or the file given): real traffic between two network namespaces
# of this machine, as it crosses the wire between them.
#
#   namespace a  port0 ---- port0 (capture_wire.py)  port0 ---- port0  namespace b
#                port1 ----   a cable and two switch ports:     port1
#                port2 ---- captures, pads, tags, loses a few ---- port2
#
# port0 goes untagged over the trunk, port1 as VLAN 100, port2 as VLAN 200 in provider VLAN 300. The
# kernel's segmentation and checksum offloads are off, so every frame is as on a wire. Two runs
# differ in times, ports and identifiers.
# Needs root, iproute2, ethtool, ping, iperf3, python3 and tshark.
set -euo pipefail
cd "$(dirname "$0")/.."

out=${1:-tests/data/first_light.pcap}
for tool in ip ethtool ping iperf3 python3 tshark capinfos; do
  if ! command -v "$tool" > /dev/null; then
    echo "make_capture: $tool is missing" >&2
    exit 2
  fi
done
if [[ $(id -u) -ne 0 ]]; then
  echo "make_capture: network namespaces need root" >&2
  exit 2
fi

a=nicroscope_a b=nicroscope_b wire=nicroscope_wire
wire_pid=
cleanup() {
  [[ -z $wire_pid ]] || kill "$wire_pid" 2> /dev/null || true
  rm -f "$out.part"
  for ns in $a $b $wire; do ip netns del $ns 2> /dev/null || true; done
}
trap cleanup EXIT
cleanup
for ns in $a $b $wire; do
  ip netns add $ns
  ip -n $ns link set lo up
done
ip netns exec $wire sysctl -qw net.ipv6.conf.all.disable_ipv6=1 net.ipv6.conf.default.disable_ipv6=1

number=0
for ns in $a $b; do
  number=$((number + 1))
  for port in 0 1 2; do
    ip link add port$port netns $ns mtu 9000 address 52:54:00:00:0$number:0$port \
      type veth peer name ${ns#nicroscope_}$port netns $wire mtu 9000
    ip netns exec $ns ethtool -K port$port tx off rx off sg off tso off gso off gro off > /dev/null
    ip -n $wire link set ${ns#nicroscope_}$port up
    ip -n $ns address add 10.$((port * 100)).0.$number/24 dev port$port
    ip -n $ns address add fd00:$port::$number/64 dev port$port
  done
  # A second subnet on port0 keeps the link's MTU; the first behaves like an ordinary 1500 byte one.
  ip -n $ns address add 10.9.0.$number/24 dev port0
done

ip netns exec $wire python3 scripts/capture_wire.py "$out.part" &
wire_pid=$!
sleep 0.5
for ns in $a $b; do
  for port in 0 1 2; do ip -n $ns link set port$port up; done
done
sleep 2.5
for ns in $a $b; do
  for port in 0 1; do
    ip -n $ns route change 10.$((port * 100)).0.0/24 dev port$port mtu 1500
    ip -n $ns -6 route change fd00:$port::/64 dev port$port proto kernel metric 256 mtu 1500
  done
done

in_a() { ip netns exec $a "$@"; }
quietly() { "$@" > /dev/null 2>&1 || true; }

echo "make_capture: ping"
quietly in_a ping -c 10 -i 0.02 10.0.0.2
for size in 0 1 17 18 19 20 64 100 500 1000 1471 1472 1473 3000 8000; do
  quietly in_a ping -c 2 -i 0.02 -s $size 10.0.0.2
done
for size in 1473 4000 8000 8972; do quietly in_a ping -c 1 -s $size -M do 10.9.0.2; done
for size in 56 1000 1452 1453 8000; do quietly in_a ping -6 -c 2 -i 0.02 -s $size fd00:0::2; done
for address in 10.100.0.2 10.200.0.2 fd00:1::2; do
  for size in 0 56 1400 4000; do quietly in_a ping -c 2 -i 0.02 -s $size $address; done
done
quietly in_a ping -c 1 -s 8972 -M do 10.200.0.2
quietly in_a ping -c 2 -i 0.05 -W 1 10.0.0.77

echo "make_capture: sockets"
python3 scripts/capture_traffic.py $a $b
echo "make_capture: iperf3"
ip netns exec $b iperf3 -s -1 -B 10.0.0.2 > /dev/null 2>&1 &
sleep 0.3
quietly in_a iperf3 -c 10.0.0.2 -n 120K -l 8K
ip -n $a neigh flush all
quietly in_a ping -c 2 -i 0.02 10.0.0.2
sleep 0.5

kill "$wire_pid"
wait "$wire_pid" || true
wire_pid=
mv "$out.part" "$out"
capinfos -c -s -d -l -u "$out"
tshark -r "$out" -q -z io,phs
