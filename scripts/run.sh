#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Puts the shipped capture through the whole machine and shows what happened. The files it writes
# are in out/. Usage: scripts/run.sh BUILD
set -euo pipefail
cd "$(dirname "$0")/.."

build=${1:-build}
if [[ ! -x $build/nicroscope ]]; then
  echo "run: $build/nicroscope is missing; make build makes it" >&2
  exit 2
fi
mkdir -p out
# The address and MAC are those that the capture's frames are for, so that the host answers.
replay=("$build/nicroscope" replay tests/data/first_light.pcap
  --set host.address=10.0.0.2/24 --set host.mac=52:54:00:00:02:00)
"${replay[@]}" --out out/delivered.pcap --pcap out/wire.pcap --trace out/trace.txt

# The model with waveforms is slower and its file grows, so it gets the first frames only: enough
# for the life above.
frames=520
"${replay[@]}" --limit $frames --wave out/first_light.fst --json > /dev/null
printf '%-28s %-26s %s\n' out/first_light.fst "signals, first $frames frames" gtkwave
