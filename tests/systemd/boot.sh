#!/bin/sh
# Become systemd in a root of its own: boot.sh ROOT BOOT_ID, as the first process of new mount,
# pid, network, uts, ipc and cgroup namespaces. Nothing of the machine outside can be changed.
set -eu
root=$1 boot_id=$2

mount --bind "$root" "$root"
cd "$root"
mount -t proc proc proc
# systemd raises limits of the whole kernel where it may.
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount --bind /sys sys
mount -o remount,bind,ro sys
mount -t cgroup2 cgroup2 sys/fs/cgroup

mount -t tmpfs -o mode=755,nosuid tmpfs dev
for node in null zero full random urandom tty; do
  : > "dev/$node"
  mount --bind "/dev/$node" "dev/$node"
done
mkdir dev/pts dev/shm
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts dev/pts
ln -s pts/ptmx dev/ptmx
ln -s /proc/self/fd dev/fd
mount -t tmpfs -o mode=1777 tmpfs dev/shm
mount -t tmpfs -o mode=755 tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp

# Each boot has an id of its own, as on a real machine.
echo "$boot_id" > run/boot_id
mount --bind run/boot_id proc/sys/kernel/random/boot_id

mkdir run/outside
pivot_root . run/outside
umount -l run/outside
exec env -i container=nested PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
  /lib/systemd/systemd < /dev/null
