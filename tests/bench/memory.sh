#!/bin/sh
# Memory of a rank: after the start of MPI, PETSc and HDF5 alone; at runs 1, 10, 100, 1000 of a study of tiny
# runs; and at most in the paper's study, which is stopped after a while.
#   memory.sh PROGRAM SCRATCH [RANKS [SECONDS]]      SECONDS: for all.yaml; the scratch folder is emptied first
#   tests/bench/memory.sh "$PWD/build/infoplane" /tmp/memory
# MiB.  Private: pages that the rank alone wrote; the most of it is looked for while layers are measured.
# It fails where a thousand runs have more of it than a hundred, by more than 1 MiB.
top=$(cd "$(dirname "$0")/../.." && pwd)
# shellcheck source=../cli/lib.sh
. "$(dirname "$0")/../cli/lib.sh"
here=$(dirname "$program")/tests/bench
n=${3:-1}
seconds=${4:-30}
[ -r /proc/self/smaps_rollup ] || skip "needs Linux's /proc/PID/smaps_rollup"

# line WHAT RSS HWM PRIVATE: as they are, and above the libraries alone
line() {
  echo "$@" | awk -v rss="$rss" -v hwm="$hwm" -v private="$private" '
    { printf "%-24s %8.1f %8.1f %8.1f    %+8.1f %+8.1f %+8.1f\n", $1, $2 / 1024, $3 / 1024, $4 / 1024,
      ($2 - rss) / 1024, ($3 - hwm) / 1024, ($4 - private) / 1024 }'
}

# study NAME argument ...: runs it on all ranks; NAME.RANK is what rank RANK wrote down
study() {
  name=$1
  shift
  code=0
  IP_BENCH_MEMORY=$PWD/$name ranks "$n" "$here/bench_memory" run "$@" -q -o "$name.h5" >out 2>err || code=$?
  [ "$code" = 0 ] || [ "$code" = 75 ] || { cat out err >&2; fail "exit code $code: $*"; }
}

ranks "$n" "$here/bench_libraries" libraries.h5 >alone
read -r rss hwm private <alone
cat >tiny.yaml <<END
network: {hidden: [6, 4]}
train: {epochs: 2}
look: [1]
estimate: [{kind: binning, bins: 30}, {kind: kde}]
END
study tiny tiny.yaml repeat=$((1000 * n)) dataset.samples=256
study paper "$top/inputs/paper/all.yaml" max_time="$seconds"

echo "ranks: $n, MiB              VmRSS    VmHWM  private    above the libraries"
line libraries "$rss" "$hwm" "$private"
rank=0
while [ "$rank" -lt "$n" ]; do
  while read -r what number now most mine; do
    [ "$what" = runs ] && what=run_$number
    line "tiny,rank_$rank,$what" "$now" "$most" "$mine"
  done <"tiny.$rank"
  while read -r what number now most mine; do
    [ "$what" = runs ] || line "all.yaml,rank_$rank,$what" "$now" "$most" "$mine"
  done <"paper.$rank"
  rank=$((rank + 1))
done
# One at least of the ranks did a thousand.
more=$(awk '$1 == "runs" && $2 == 100 { before[FILENAME] = $5 }
  $1 == "runs" && $2 == 1000 { grown = $5 - before[FILENAME]; if (!n++ || grown > most) most = grown }
  END { if (!n) exit 1; print most }' tiny.?) || { cat tiny.?; fail "no rank did a thousand runs"; }
echo "private memory of a rank grew by $more KiB from run 100 to run 1000"
[ "$more" -le 1024 ] || fail "memory grows with the number of runs"
