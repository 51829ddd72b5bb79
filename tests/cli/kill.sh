#!/bin/sh
# kill -9 of a random rank at random moments, the same command again each time: the file ends up
# equal to the undisturbed one, and no finished run is lost or done twice.
#   kill.sh PROGRAM SCRATCH [KILLS]
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
kills=${3:-3}
"$python" -c 'import h5py' 2>/dev/null || skip "needs python3-h5py"
command -v pgrep >/dev/null || skip "needs pgrep (procps)"

# short runs, and so many that every kill may find it at work
runs=$((36 * kills))
cat >k.yaml <<END
network: {hidden: [6, 4]}
train: {fraction: [5%, 45%, 85%], epochs: 100}
look: [0, 30]
estimate: [{kind: binning, bins: 30}, {kind: kde, noise_variance: 1e-3}]
repeat: $((12 * kills))
reproducible: yes
END
start=$(date +%s%N)
expect 0 ranks 2 "$program" run k.yaml -o calm.h5
calm=$(($(date +%s%N) - start)) # ns

# finished FILE: numbers of the runs whose status says done, nothing where there is no file
finished() {
  [ -e "$1" ] || return 0
  HDF5_USE_FILE_LOCKING=FALSE "$python" -c '
import h5py, sys
s = h5py.File(sys.argv[1], "r")["status"][:, 0]
print(*[i for i, v in enumerate(s) if v != 0])' "$1"
}

i=0
while [ "$i" -lt "$kills" ]; do
  i=$((i + 1))
  before=$(finished wild.h5)
  mpirun -n 2 "$program" run k.yaml -o wild.h5 >out 2>err &
  job=$!
  sleep "$("$python" -c "import random; print(random.uniform(0.2, 1.6) * max($calm / $kills, 1e9) / 1e9)")"
  # a rank of this mpirun, by pid; none if it has ended
  victim=$(pgrep -P "$job" -f 'run k.yaml' | shuf -n 1) || true
  [ -z "$victim" ] || kill -9 "$victim" 2>/dev/null || true
  wait "$job" || true
  after=$(finished wild.h5)
  for run in $before; do
    case " $after " in *" $run "*) ;; *) fail "run $run was lost by kill $i" ;; esac
  done
  echo "kill $i: $(echo "$after" | wc -w) of $runs done"
done
expect 0 ranks 3 "$program" run k.yaml -o wild.h5
done_before=$(echo "$after" | wc -w)
if [ "$done_before" -gt 0 ] && [ "$done_before" -lt "$runs" ]; then
  says "continuing: $done_before of $runs runs are done" # none of them is computed again
fi
cmp calm.h5 wild.h5 || fail "the file differs from the undisturbed one"
[ ! -e wild.h5.partial ] || fail "wild.h5.partial is left over"
[ ! -e wild.h5.lock ] || fail "wild.h5.lock is left over"
