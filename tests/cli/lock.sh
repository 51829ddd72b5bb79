#!/bin/sh
# A second job on the same file is refused, naming the holder; a launcher that starts many
# programs of one rank each is recognized, a plain program in a batch script is not.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

printf 'train: {epochs: 2000000}\nlook: [0]\nestimate: [{kind: binning}]\n' >l.yaml
"$program" run l.yaml >first 2>&1 &
job=$!
tries=0
while [ ! -e l.h5 ] && [ "$tries" -lt 600 ]; do
  sleep 0.1
  tries=$((tries + 1))
done
expect 77 "$program" run l.yaml
says "$(uname -n)"
says "$job"
expect 0 "$program" status l.h5
says "$job"
kill -TERM "$job"
code=0
wait "$job" || code=$?
[ "$code" = 143 ] || { cat first >&2; fail "SIGTERM: exit code $code, wanted 143"; }
grep -q 'The same command continues' first || fail "the first job does not say how to continue"
[ ! -e l.h5.lock ] || fail "the lock is left over"

# Left over by a killed job on this host: taken over without a word from the user.
"$program" run l.yaml >first 2>&1 &
job=$!
sleep 2
kill -9 "$job"
wait "$job" || true
expect 75 "$program" run l.yaml max_time=1

printf 'train: {epochs: 1}\nlook: [0]\n' >p.yaml
expect 69 env SLURM_STEP_NUM_TASKS=4 SLURM_PROCID=0 "$program" run p.yaml
says 'mpirun'
expect 0 env SLURM_NTASKS=4 "$program" run p.yaml

# The lock is taken away from under a job: every rank finds out, one says it, nothing is written.
cat >m.yaml <<'YAML'
network: {hidden: [3]}
train: {epochs: 100, fraction: 5%}
look: [0]
repeat: 5000
estimate: [{kind: binning, bins: 30}]
YAML
mpirun -n 4 "$program" run m.yaml >out 2>err &
job=$!
await_training m.h5
rm m.h5.lock
code=0
wait "$job" || code=$?
[ "$code" = 77 ] || { cat out err; fail "lock removed: exit code $code, wanted 77"; }
[ "$(grep -c 'm.h5.lock was' err)" = 1 ] || { cat err; fail "not said once"; }
