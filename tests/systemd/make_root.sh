#!/bin/sh
# Make a small Debian with systemd in a new directory: make_root.sh DIRECTORY SUITE
# Packages come from where the machine's own apt has this suite, else from debootstrap's default.
set -eu
root=$1 suite=$2

mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Identifier: Packages' 2> /dev/null |
  awk -v suite="$suite" '$2 == suite { print $1; exit }') || mirror=
rm -rf "$root.new"
debootstrap --variant=minbase \
  --include=systemd,dbus,libpam-systemd,python3,python3-venv \
  "$suite" "$root.new" ${mirror:+"$mirror"}

rm -rf "$root.new"/var/cache/apt/* "$root.new"/var/lib/apt/lists/* "$root.new"/usr/share/locale/*
: > "$root.new/etc/machine-id"
echo machine > "$root.new/etc/hostname"
echo '127.0.0.1 localhost machine' > "$root.new/etc/hosts"
chroot "$root.new" useradd --create-home --uid 1000 --shell /bin/sh alice

# There is no terminal, no device and no network to care for.
for unit in console-getty getty@ serial-getty@ systemd-udevd systemd-udev-trigger \
  systemd-networkd systemd-networkd-wait-online systemd-resolved systemd-timesyncd; do
  ln -sf /dev/null "$root.new/etc/systemd/system/$unit.service"
done
# No two levels of a cache in memory: what a test looks for in the journal has to be there.
mkdir -p "$root.new/etc/systemd/journald.conf.d"
printf '[Journal]\nStorage=persistent\nRateLimitIntervalSec=0\nSyncIntervalSec=0\n' \
  > "$root.new/etc/systemd/journald.conf.d/test.conf"

mv "$root.new" "$root"
