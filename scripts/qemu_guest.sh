#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Gets the distribution's own kernel, unmodified, and makes a small initramfs for it, for a guest in
# QEMU with the NIC as its network card. Nothing is installed: the package is unpacked in a cache.
# Prints two lines: the kernel's file and the initramfs's. What is there already is not made again.
#
# The guest has busybox and ethtool. It loads virtio_net and runs /script, which whoever starts it
# appends to the initramfs as another cpio archive (see tests/peers/qemu).
set -euo pipefail

for tool in apt-cache apt-get dpkg-deb depmod modprobe cpio busybox ethtool; do
  if ! command -v "$tool" > /dev/null; then
    echo "qemu_guest: there is no $tool (scripts/setup.sh installs what is needed)" >&2
    exit 2
  fi
done

# Debian's and Ubuntu's kernels for virtual machines.
package=
for meta in linux-image-cloud-amd64 linux-image-virtual; do
  package=$(apt-cache depends "$meta" 2> /dev/null |
    awk '$1 == "Depends:" && $2 ~ /^linux-image-[0-9]/ { print $2; exit }')
  [[ -n $package ]] && break
done
if [[ -z $package ]]; then
  echo "qemu_guest: no kernel package is known here; apt-get update may help" >&2
  exit 2
fi
release=${package#linux-image-}
release=${release#unsigned-}
revision=$(sha256sum "${BASH_SOURCE[0]}" | cut -c1-12)
cache=${XDG_CACHE_HOME:-$HOME/.cache}/nicroscope/qemu-$release-$revision

if [[ ! -e $cache/initramfs ]]; then
  mkdir -p "${cache%/*}"
  work=$(mktemp -d "$cache.XXXXXX")
  trap 'rm -rf "$work"' EXIT
  packages=("$package")
  if apt-cache show "linux-modules-$release" > /dev/null 2>&1; then
    packages+=("linux-modules-$release")  # Ubuntu has them in a package of their own
  fi
  (cd "$work" && apt-get -qq download "${packages[@]}" 2> /dev/null) || {
    echo "qemu_guest: ${packages[*]} cannot be downloaded" >&2
    exit 1
  }
  for archive in "$work"/*.deb; do dpkg-deb -x "$archive" "$work/kernel"; done
  if [[ -d $work/kernel/usr/lib/modules && ! -d $work/kernel/lib ]]; then
    ln -s usr/lib "$work/kernel/lib"
  fi
  depmod -b "$work/kernel" "$release"

  root=$work/root
  mkdir -p "$root"/{bin,dev,proc,sys,tmp,modules}
  cp "$(command -v busybox)" "$root/bin/busybox"
  cp "$(command -v ethtool)" "$root/bin/ethtool"
  ldd "$root/bin/ethtool" | grep -o '/[^ ]*' | while read -r library; do
    install -D -m 755 "$library" "$root$library"
  done
  # In the order in which they are to be loaded; what is built into the kernel has no file.
  count=100
  for module in virtio_pci virtio_net; do
    while read -r how file _; do
      [[ $how == insmod ]] || continue
      name=$(basename "$file")
      name=${name%%.ko*}
      compgen -G "$root/modules/*-$name.ko" > /dev/null && continue
      count=$((count + 1))
      case $file in
        *.ko) cat "$file" ;;
        *.xz) xz -dc "$file" ;;
        *.zst) zstd -qdc "$file" ;;
        *) exit 1 ;;
      esac > "$root/modules/$count-$name.ko"
    done < <(modprobe -d "$work/kernel" -S "$release" --show-depends "$module")
  done
  cat > "$root/init" << 'INIT'
#!/bin/busybox sh
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
for module in /modules/*.ko; do insmod "$module"; done
sh /script
poweroff -f
INIT
  chmod +x "$root/init"
  (cd "$root" && find . | LC_ALL=C sort | cpio -o -H newc --quiet | gzip -9) > "$work/initramfs"
  mkdir "$work/done"
  cp "$work"/kernel/boot/vmlinuz-* "$work/done/vmlinuz"
  mv "$work/initramfs" "$work/done/initramfs"
  rm -rf "$cache"
  mv "$work/done" "$cache"
fi
printf '%s\n' "$cache/vmlinuz" "$cache/initramfs"
