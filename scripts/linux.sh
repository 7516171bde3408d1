#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds what `nicroscope linux` starts: a User-mode Linux kernel from the distribution's source
# package, with the configuration of sim/linux/kernel.config, and a root file system from installed
# packages. Both stay in a cache outside the build folder and are made again only when something
# that they are made of has changed. The last line printed is their folder.
#   linux.sh            make what is missing
#   linux.sh --check    say whether all is there (exit 1 if not), make nothing
# XDG_CACHE_HOME: where the cache is (default ~/.cache); JOBS: how many compilers at once.
set -euo pipefail
cd "$(dirname "$0")/.."

cache=${XDG_CACHE_HOME:-$HOME/.cache}/nicroscope
jobs=${JOBS:-$(nproc)}
tools=(busybox-static ethtool iperf3 tcpdump)
builders=(build-essential bc bison flex xz-utils bzip2 patch python3 libelf-dev)

if ! command -v dpkg-query > /dev/null; then
  echo "linux: this is no Debian or Ubuntu; docs/real-drivers.md says how to bring your own kernel" >&2
  exit 2
fi

has() { [[ $(dpkg-query -W -f '${db:Status-Abbrev}' "$1" 2> /dev/null) == ii* ]]; }

# The newest source package that the distribution has: 6.12 in Debian 12, whose own kernel is 6.1.
source_package() {
  { dpkg-query -W -f '${Package}\n' 'linux-source-[0-9]*' 2> /dev/null || true
    apt-cache search --names-only '^linux-source-[0-9.]+$' | cut -d' ' -f1
  } | sort -V | tail -n 1
}

install() {
  local missing=() package
  for package in "$@"; do has "$package" || missing+=("$package"); done
  if [[ ${#missing[@]} -eq 0 ]]; then return; fi
  local as_root=()
  if [[ $(id -u) -ne 0 ]]; then
    if ! command -v sudo > /dev/null; then
      echo "linux: missing: ${missing[*]}; there is no sudo, so install them as root" >&2
      exit 2
    fi
    as_root=(sudo)
  fi
  echo "linux: installing ${missing[*]}" >&2
  "${as_root[@]}" apt-get update -qq
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install -y -qq --no-install-recommends "${missing[@]}" > /dev/null
}

version_of() { dpkg-query -W -f '${Package} ${Version}\n' "$@"; }

kernel_folder() {
  local hash
  hash=$({ version_of "$1"; cat sim/linux/kernel.config sim/linux/patches/*.patch; } | sha256sum)
  echo "$cache/${1/-source/}-${hash:0:12}"
}

root_folder() {
  local hash
  hash=$({ version_of "${tools[@]}"; cat scripts/initramfs.py sim/linux/guest/*; } | sha256sum)
  echo "$cache/root-${hash:0:12}"
}

logged() {
  "$@" >> "$cache/build.log" 2>&1 || { tail -n 20 "$cache/build.log" >&2; exit 1; }
}

build_kernel() {
  local folder=$1 package=$2 work tarball
  tarball=$(dpkg -L "$package" | grep -E '/linux-source-[^/]*\.tar\.[a-z0-9]+$' | head -n 1)
  work=$(mktemp -d "$cache/build.XXXXXX")
  # shellcheck disable=SC2064
  trap "rm -rf '$work'" EXIT
  echo "linux: unpacking ${tarball##*/}" >&2
  mkdir "$work/source" "$work/out"
  # Not the sources of hardware and processors that no guest has: two thirds of all files.
  local without=() part
  for part in drivers/{accel,clk,crypto,gpu,hwmon,iio,infiniband,input,media,mtd,phy,pinctrl,scsi} \
    drivers/{staging,usb,video} drivers/net/{ethernet,wireless} fs/{btrfs,xfs} sound; do
    without+=(--exclude="*/$part/*.[ch]")
  done
  for part in alpha arc arm arm64 csky hexagon loongarch m68k microblaze mips nios2 openrisc parisc \
    powerpc riscv s390 sh sparc xtensa; do
    without+=(--exclude="*/arch/$part/*.[chS]" --exclude="*/arch/$part/boot/dts/*")
  done
  tar xf "$tarball" -C "$work/source" --strip-components=1 --wildcards "${without[@]}" \
    --exclude='*/Documentation/*/*' --exclude='*/tools/perf/*' --exclude='*/tools/testing/*'
  local patch
  for patch in sim/linux/patches/*.patch; do patch -s -d "$work/source" -p1 < "$patch"; done
  rm -f "$cache/build.log"
  echo "linux: building the kernel with $jobs jobs; the log is $cache/build.log" >&2
  local make=(make -C "$work/source" "O=$work/out" ARCH=um)
  logged "${make[@]}" "KCONFIG_ALLCONFIG=$PWD/sim/linux/kernel.config" allnoconfig
  check_config "$work/out/.config"
  logged "${make[@]}" -j"$jobs" linux
  mkdir "$work/done"
  strip -o "$work/done/linux" "$work/out/linux"
  cp "$work/out/.config" "$work/done/config"
  mv "$work/done" "$folder"
}

# allnoconfig forgets in silence what it cannot set.
check_config() {
  local line lost=0
  while read -r line; do
    if [[ $line == '# '*' is not set' ]]; then
      line=${line#\# }
      ! grep -q "^${line% is not set}=" "$1" || { echo "linux: ${line% is not set} is set" >&2; lost=1; }
    elif [[ $line == CONFIG_* ]]; then
      grep -qxF "$line" "$1" || { echo "linux: the kernel does not take $line" >&2; lost=1; }
    fi
  done < sim/linux/kernel.config
  if [[ $lost -ne 0 ]]; then exit 1; fi
}

build_root() {
  local folder=$1 work
  work=$(mktemp -d "$cache/root.XXXXXX")
  gcc -O2 -Wall -Wextra -Werror -static -o "$work/request_response" sim/linux/guest/request_response.c
  scripts/initramfs.py "$work/initrd" "$work/request_response"
  # The kernel asks the host for its first random numbers; this gives it the same ones in each run.
  gcc -O2 -Wall -Wextra -Werror -shared -fPIC -o "$work/fixed_random.so" sim/linux/guest/fixed_random.c
  chmod 755 "$work"
  mv "$work" "$folder"
}

package=$(source_package)
if [[ -z $package ]]; then
  echo "linux: apt knows no package linux-source-*" >&2
  exit 2
fi
if [[ ${1:-} == --check ]]; then
  for each in "$package" "${tools[@]}"; do
    has "$each" || { echo "linux: $each is not installed" >&2; exit 1; }
  done
  [[ -x $(kernel_folder "$package")/linux ]] || { echo "linux: the kernel is not built" >&2; exit 1; }
  [[ -e $(root_folder)/initrd ]] || { echo "linux: the root file system is not made" >&2; exit 1; }
  exit 0
fi

mkdir -p "$cache"
exec 9> "$cache/lock"
flock 9
install "$package" "${tools[@]}"
kernel=$(kernel_folder "$package")
if [[ ! -x $kernel/linux ]]; then
  install "${builders[@]}"
  (build_kernel "$kernel" "$package")
fi
root=$(root_folder)
[[ -e $root/initrd ]] || (build_root "$root")

# What `nicroscope linux` looks for.
mkdir -p "$cache/linux"
ln -sfn "$kernel/linux" "$cache/linux/linux"
ln -sfn "$root/initrd" "$cache/linux/initrd"
ln -sfn "$root/fixed_random.so" "$cache/linux/fixed_random.so"
echo "$cache/linux"
