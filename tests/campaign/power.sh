#!/bin/sh
# Power cuts at random moments: the results lie on an ext4 of their own, whose disk (a loop device) is
# copied while a job writes; the copy is what the machine finds when it is switched on again.
# Mounted, its journal replayed, every acknowledged run is there, and the same command continues to
# the bytes of the undisturbed file.
#   power.sh PROGRAM SCRATCH [CUTS [SEED]]
# At full length, about ten minutes on 2 cores; the scratch folder is emptied first:
#   tests/campaign/power.sh "$PWD/build/infoplane" /tmp/power 100
# What it cannot show: a disk that loses or reorders what it had reported as written. The copy holds
# all that the file system had handed to the disk at one moment, as a disk without a cache of its own.
#
# Mounts live in a namespace of this script: they vanish with it, whatever ends it.
[ -n "${IP_POWER_NAMESPACE-}" ] || IP_POWER_NAMESPACE=1 unshare --mount true 2>/dev/null ||
  { echo "skipped: needs root, to mount a file system" >&2; exit 77; }
[ -n "${IP_POWER_NAMESPACE-}" ] || IP_POWER_NAMESPACE=1 exec unshare --mount "$0" "$@"
# shellcheck source=../cli/lib.sh
. "$(dirname "$0")/../cli/lib.sh"
campaign=$(cd "$OLDPWD" && cd "$(dirname "$0")" && pwd)
"$python" -c 'import h5py' 2>/dev/null || skip "needs python3-h5py"
[ -r "/proc/$$/task/$$/children" ] || skip "needs Linux's /proc/PID/task/PID/children"
command -v mkfs.ext4 >/dev/null || skip "needs mkfs.ext4 (e2fsprogs)"
losetup --find >/dev/null 2>&1 || skip "needs loop devices"

# The copy has to be that of one moment: a clone (reflink), during which nothing is written. Where the
# scratch folder cannot clone, in an XFS that can.
mkdir room
echo >room/a
if ! cp --reflink=always room/a room/b 2>/dev/null; then
  command -v mkfs.xfs >/dev/null || skip "needs a scratch folder that can clone files, or mkfs.xfs (xfsprogs)"
  truncate -s 512M room.img
  mkfs.xfs -q -m reflink=1 room.img
  mount -o loop room.img room 2>err || skip "cannot mount a loop device: $(cat err)"
fi
exec "$python" -B "$campaign/power.py" "$program" "${3:-2}" "${4:-}"
