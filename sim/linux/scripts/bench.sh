# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# What `nicroscope bench linux` runs in both guests. Set in front of it: mtu; tso and lro, on or off;
# bytes of bulk; seconds of requests and responses. Guest 1 serves. Before and after the bulk
# is a pause, in which the cards are at rest.
set -e
ip link set eth0 mtu "$mtu"
ethtool -K eth0 tso "$tso" rx-gro-hw "$lro"

if [ "$GUEST" != 0 ]; then
  request_response -s 5202 &
  iperf3 -s > /dev/null
  exit
fi

ping -c 1 10.0.0.2 > /dev/null
report pong 1
# Of the guest's clock, which busybox's ping rounds down to a microsecond.
ping -c 50 -i 0.01 10.0.0.2 > /tmp/ping
report ping_us "$(awk -F'[/= ]+' '/round-trip/ { print $6 * 1000 }' /tmp/ping)"

report requests begin
request_response 10.0.0.2 5202 "$seconds" > /tmp/transactions
read -r count time < /tmp/transactions
report transactions "$count"
report transactions_ns "$time"

sleep 0.01
report bulk begin
# What is in the buffers when iperf3 has handed everything over gets lost: some more.
iperf3 -c 10.0.0.2 -n $((bytes + 1000000)) -J > /tmp/iperf.json || { cat /tmp/iperf.json; exit 1; }
sleep 0.01
report retransmits "$(awk '/"retransmits"/ { n = $2 } END { print n + 0 }' /tmp/iperf.json)"
report iperf3_gbps "$(awk '/"sum_received"/ { on = 1 }
  on && /"bits_per_second"/ { print $2 / 1e9; exit }' /tmp/iperf.json)"
report bulk_end 1
