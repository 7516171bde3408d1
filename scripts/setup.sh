#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Installs what building and testing need, on Debian 12 and Ubuntu 24.04: only what is missing, and
# with sudo only where something is missing and we are not root. With --check it only says what is
# missing (exit 1). Other systems get the list (exit 2).
set -euo pipefail

packages=(
  # build
  build-essential cmake ninja-build ccache python3 verilator zlib1g-dev
  # libraries
  libboost-context-dev libpcap-dev libcli11-dev libtomlplusplus-dev nlohmann-json3-dev libfmt-dev
  libspdlog-dev
  # tests and benchmarks
  libgtest-dev libgmock-dev libbenchmark-dev iproute2 iputils-ping tcpdump tshark
  # other software on the NIC's rings: QEMU with a kernel of the distribution, DPDK
  qemu-system-x86 busybox-static ethtool cpio kmod dpdk-dev
  # lint, synthesis, proofs
  git yosys boolector z3 clang-format-14
  # plots
  gnuplot-nox
)

if ! command -v dpkg-query > /dev/null; then
  echo "setup: this is no Debian or Ubuntu; install the equivalents of these packages:" >&2
  printf '  %s\n' "${packages[@]}" >&2
  exit 2
fi

declare -A installed=()
while read -r state package; do
  [[ $state == ii ]] && installed[$package]=1
done < <(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n')
missing=()
for package in "${packages[@]}"; do
  [[ -v installed[$package] ]] || missing+=("$package")
done
if [[ ${#missing[@]} -eq 0 ]]; then exit 0; fi

if [[ ${1:-} == --check ]]; then
  echo "setup: missing: ${missing[*]}" >&2
  exit 1
fi

as_root=()
if [[ $(id -u) -ne 0 ]]; then
  if ! command -v sudo > /dev/null; then
    echo "setup: missing: ${missing[*]}; there is no sudo, so install them as root" >&2
    exit 2
  fi
  as_root=(sudo)
fi
echo "setup: installing ${missing[*]}"
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
  apt-get install -y -qq --no-install-recommends "${missing[@]}" > /dev/null
