# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=sh
# What `nicroscope linux` runs without --script, in every guest: guest 1 serves; guest 0 pings it,
# moves data both ways with iperf3, then does the same with interrupt moderation set by ethtool.
# 5 MB take some 4.5 ms of simulated time at 10 Gbit/s.
set -e
bytes=5M

if [ "$GUEST" != 0 ]; then
  iperf3 -s > /dev/null
  exit
fi

interrupts() { awk '/virtio/ { count += $2 } END { print count + 0 }' /proc/interrupts; }
round_trip() { # NAME
  ping -c 5 -i 0.01 10.0.0.2 > /tmp/ping
  report "ping_us_$1" "$(awk -F'[/= ]+' '/round-trip/ { print $6 * 1000 }' /tmp/ping)"
}
bulk() { # NAME [-R]
  before=$(interrupts)
  iperf3 -c 10.0.0.2 -n $bytes -J ${2:+"$2"} > /tmp/iperf.json || { cat /tmp/iperf.json; return 1; }
  report "iperf3_gbps_$1" "$(awk '/"sum_received"/ { on = 1 }
    on && /"bits_per_second"/ { print $2 / 1e9; exit }' /tmp/iperf.json)"
  report "iperf3_interrupts_$1" $(($(interrupts) - before))
}

report driver "$(ethtool -i eth0 | awk '/^driver/ { print $2 }')"
report features "$(ethtool -k eth0 | awk '/: on/ { n++ } END { print n }')"
ping -c 1 10.0.0.2 > /dev/null
round_trip plain
bulk send
bulk receive -R

ethtool -C eth0 rx-usecs 50 rx-frames 64
ethtool -c eth0 | awk '/^rx-(usecs|frames):/ { sub(":", "", $1); print $1, $2 }' |
  while read -r name value; do report "set_$name" "$value"; done
round_trip moderated
bulk send_moderated
bulk receive_moderated -R
