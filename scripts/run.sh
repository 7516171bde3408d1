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
run=("$build/nicroscope" run sim/scenarios/first_light.toml)
"${run[@]}" --out out/delivered.pcap --pcap out/wire.pcap --trace out/trace.txt

# The model with waveforms is slower and its file grows, so it gets the first frames only: enough
# for the life above.
frames=520
"${run[@]}" --set workload.limit=$frames --wave out/first_light.fst --json > /dev/null
printf '%-28s %-26s %s\n' out/first_light.fst "signals, first $frames frames" gtkwave
