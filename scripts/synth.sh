#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Synthesises the NIC for a Xilinx UltraScale+ part with Yosys and prints the cells it takes.
#   synth.sh [PROFILE [TOP]]      TOP is a module other than the profile's, for one block's cost
set -euo pipefail
cd "$(dirname "$0")/.."

profile=${1:-edge10}
read -r top parameters < <(python3 - "$profile" << 'EOF_PYTHON'
import sys, tomllib
profiles = tomllib.load(open("rtl/profiles.toml", "rb"))
name = sys.argv[1]
if name not in profiles:
    sys.exit(f"synth: no profile {name}; there are {', '.join(profiles)}")
p = profiles[name]
camel = lambda k: "".join(w.capitalize() for w in k.split("_"))
print(p["top"], *(f"-set {camel(k)} {v}" for k, v in p.items() if k not in ("top", "text")))
EOF_PYTHON
) || exit 2
if [[ -n ${2:-} ]]; then
  top=$2
  parameters=
fi
files=$(scripts/rtl.py files "$top")
mkdir -p out
yosys -Q -q -l "out/synth_$profile.log" -p "
  read_verilog -sv -DSYNTHESIS ${files//$'\n'/ }
  ${parameters:+chparam $parameters $top}
  hierarchy -check -top $top
  synth_xilinx -family xcup -noiopad -flatten -top $top
  tee -o out/synth_$profile.txt stat"
echo "synth: $top, profile $profile, family xcup (whole report: out/synth_$profile.txt)"
awk '
  $1 ~ /^LUT[1-6]$/ { lut += $2 }
  $1 ~ /^FD/ { ff += $2 }
  $1 ~ /^RAM(32|64|128|256|512)/ || $1 ~ /^SRL/ { ram += $2 }
  $1 ~ /^RAMB36/ { b36 += $2 }
  $1 ~ /^RAMB18/ { b18 += $2 }
  $1 ~ /^CARRY/ { carry += $2 }
  END {
    printf "  LUT %d\n  FF %d\n  LUT memories %d\n", lut, ff, ram
    printf "  RAMB36 %d\n  RAMB18 %d\n  CARRY %d\n", b36, b18, carry
  }' "out/synth_$profile.txt"
