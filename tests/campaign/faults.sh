#!/bin/sh
# Every call of the system, of HDF5 and for memory that a small study makes fails once.
#   faults.sh PROGRAM SCRATCH SHIM [FULL | PER CENT]
# In full some 45,000 faults, a dozen a second on two cores:
#   tests/campaign/faults.sh "$PWD/build/infoplane" /tmp/faults "$PWD/build/tests/faults/libip_faults.so" FULL
# Else so many faults in a hundred, at equal distances; CI: a few dozen in all.
# After each: a code of our table and a message, or the right file; nothing left behind; the same
# command completes the file to the bytes of an undisturbed one (see fault.sh).
# shellcheck source=../cli/lib.sh
. "$(dirname "$0")/../cli/lib.sh"
one=$(cd "$OLDPWD" && cd "$(dirname "$0")" && pwd)/fault.sh
# LD_PRELOAD is split at spaces, which a path may have: the name alone, found in its folder
shim=$(basename "$3")
LD_LIBRARY_PATH=$(cd "$OLDPWD" && cd "$(dirname "$3")" && pwd)${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export LD_LIBRARY_PATH
share=${4:-sample}
# shellcheck disable=SC3045 # where there is none, cores may be left
ulimit -c 0 2>/dev/null || true
nm -D "$program" 2>/dev/null | grep -q __asan && skip "ASan has an allocator of its own"

cat >f.yaml <<'YAML'
dataset.samples: 64
network: {hidden: [3]}
train: {epochs: 2}
look: [0]
repeat: 2
gradient_batch: 8
save.weights: final
estimate: [{kind: binning, bins: 30}, {kind: kde, noise_variance: 1e-1}]
reproducible: yes
YAML
expect 0 "$program" run f.yaml -q -o good.h5
expect 0 "$program" run f.yaml -q -o half.h5 'only=[1]'
expect 0 "$program" run f.yaml -q -o one.h5 share=1/2
expect 0 "$program" run f.yaml -q -o two.h5 share=2/2
expect 0 "$program" run f.yaml -q -o small.h5 repeat=1
cp small.h5 half.grown.h5
expect 0 "$program" grow half.grown.h5 repeat=2

# count WHICH KIND MODE: how many calls there are
count() {
  rank=0
  [ "$1" != second ] || rank=1
  n=1
  case $1 in both | second) n=2 ;; esac
  rm -f count.h5 count.log
  [ "$1" != continue ] || cp half.h5 count.h5
  [ "$1" != grow ] || cp small.h5 count.h5
  which=$1 kind=$2 mode=$3 right=good match=count.h5
  case $which in
    merge) set -- "$program" merge one.h5 two.h5 -q -o count.h5 ;;
    source) set -- "$program" merge one.h5 two.h5 -q -o count.h5 && match=one.h5 ;;
    grow) set -- "$program" grow count.h5 -q repeat=2 && right=half.grown ;;
    *) set -- mpirun -n $n "$program" run f.yaml checkpoint=0 -q -o count.h5 ;;
  esac
  expect 0 env LD_PRELOAD="$shim" IP_FAULT_KIND="$kind" IP_FAULT_MODE="$mode" IP_FAULT_N=0 \
    IP_FAULT_RANK=$rank IP_FAULT_MATCH=$match IP_FAULT_LOG="$PWD/count.log" "$@"
  cmp $right.h5 count.h5 || fail "not the same bytes: $which"
  calls=$(sed -n 's/^calls //p' count.log)
  [ "${calls:-0}" -gt 0 ] || fail "$which $kind $mode: no calls are seen"
}

# A program of one rank that is loaded once (fault.sh): serve WHICH KIND MODE
servers=
serve() {
  "$one" "$program" "$shim" "$PWD" "$@" serve &
  servers="$servers $!"
}
# shellcheck disable=SC2086 # numbers
trap 'kill $servers 2>/dev/null || true' EXIT

# list WHICH KIND MODE SAMPLES: the faults to try
list() {
  count "$1" "$2" "$3"
  case $share in
    FULL) step=1 ;;
    sample) step=$((calls / $4 + 1)) ;;
    *) step=$((100 / share)) ;;
  esac
  echo "$1 $2 $3: $calls calls"
  case $1 in both | second) ;; *) serve "$1" "$2" "$3" ;; esac
  seq $((1 + step / 2)) "$step" "$calls" | sed "s/^/$1 $2 $3 /" >>faults
}

serve again none -
for mode in ENOSPC EIO EDQUOT EINTR short full; do list new file $mode 3; done
for mode in EIO EINTR full; do list continue file $mode 2; done
list new hdf5 - 8
list continue hdf5 - 4
list new memory - 6
list continue memory - 2
list both file EIO 1
list both memory - 1
list second file EIO 2
list second hdf5 - 2
list second memory - 1
for which in merge grow; do
  list "$which" hdf5 - 4
  list "$which" memory - 2
  for mode in EIO full; do list "$which" file "$mode" 2; done
done
list source file EIO 8

# Mostly waiting for MPI: more of them than cores.  In any order: every part is a fair sample.
shuf faults >shuffled
code=0
nice xargs -L 1 -P "${IP_FAULT_JOBS:-4}" "$one" "$program" "$shim" "$PWD" <shuffled >results || code=$?
echo "$(wc -l <results) faults; outcomes: which kind mode, exit code, how often"
awk '{ print " ", $1, $2, $3, "exit", $6 }' results | sort | uniq -c
grep wrong results >&2 && fail "$(grep -c wrong results) faults went wrong"
[ "$code" = 0 ] || fail "xargs: $code"
[ "$(wc -l <results)" = "$(wc -l <faults)" ] || fail "not all were tried"
