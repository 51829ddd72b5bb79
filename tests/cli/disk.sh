#!/bin/sh
# Disks that are full and limits on files, before and in the middle of a run: exit code 74 and a
# message, an intact file, and the same bytes once there is room.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
one_at_a_time

# Weights of every look: some 50 MB, beyond what MPI itself needs under a limit.
cat >f.yaml <<'YAML'
dataset.samples: 64
network: {hidden: [300]}
train: {epochs: 99, batch: full, fraction: 10%}
look: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24,
  25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49,
  50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63, 64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74,
  75, 76, 77, 78, 79, 80, 81, 82, 83, 84, 85, 86, 87, 88, 89, 90, 91, 92, 93, 94, 95, 96, 97, 98]
repeat: 30
gradient_batch: 4
save.weights: looked
estimate: [{kind: binning, bins: 30}]
reproducible: yes
YAML
expect 0 "$program" run f.yaml -q -o good.h5

# A limit that the file has outgrown, met in the middle of the run: the rest of the runs lies beyond.
expect 0 "$program" run f.yaml -q -o limit.h5 'only=[0]'
(
  ulimit -f 65536 # blocks of 512 bytes: 34 MB
  expect 74 "$program" run f.yaml -q -o limit.h5
)
says 'limit.h5'
[ ! -e limit.h5.lock ] || fail "limit.h5.lock is left over"
expect 0 "$program" status limit.h5
says ' pending'
expect 0 "$program" run f.yaml -q -o limit.h5
cmp good.h5 limit.h5 || fail "not completed to the same bytes after the limit"

# Output that nobody gets is no success.
code=0
"$program" status good.h5 >/dev/full 2>err || code=$?
[ "$code" = 74 ] || fail "output on a full disk: exit code $code, wanted 74"

mkdir small
if [ "$(id -u)" != 0 ] || ! mount -t tmpfs -o size=70m none small 2>/dev/null; then
  echo "limits alone were checked: a full disk needs root and tmpfs" >&2
  exit 0
fi
trap 'umount small 2>/dev/null || true' EXIT

# Filled by somebody else as soon as training begins: all room was taken at creation, so it goes on.
"$program" run f.yaml -o small/r.h5 >out 2>err &
job=$!
await_training small/r.h5
dd if=/dev/zero of=small/other bs=64k 2>/dev/null || true
code=0
wait $job || code=$?
[ "$code" = 0 ] || { cat out err; fail "disk filled while training: exit code $code"; }
cmp good.h5 small/r.h5 || fail "not the same bytes on a disk that was filled"

# Full at the start of the second half: not even the lock has room.
rm small/*
expect 0 "$program" run f.yaml -q -o half.h5 'only=[0]'
cp half.h5 small/r.h5
dd if=/dev/zero of=small/other bs=64k 2>/dev/null || true
dd if=/dev/zero of=small/another bs=512 2>/dev/null || true
expect 74 "$program" run f.yaml -q -o small/r.h5
says 'No space left on device'
cmp half.h5 small/r.h5 || fail "the file was touched"
[ "$(ls small)" = "another
other
r.h5" ] || fail "left over on the full disk: $(ls small)"
rm small/other small/another
expect 0 "$program" run f.yaml -q -o small/r.h5
cmp good.h5 small/r.h5 || fail "not completed to the same bytes when there was room"

# No room for a new file: nothing is begun; with room the same command makes it.
rm small/*
dd if=/dev/zero of=small/other bs=1M count=40 2>/dev/null
expect 74 "$program" run f.yaml -q -o small/r.h5
says 'are free'
[ "$(ls small)" = other ] || fail "left over: $(ls small)"
rm small/other
expect 0 "$program" run f.yaml -q -o small/r.h5
cmp good.h5 small/r.h5 || fail "not the same bytes when there was room"
