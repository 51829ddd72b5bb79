#!/bin/sh
# Orphans: a job that was suspended while another one took its file over finds that out before its
# next write, ends with 77 and damages nothing; a rank that was only suspended for a while is waited
# for.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

cat >o.yaml <<'END'
network: {hidden: [6, 4]}
train: {epochs: 400}
look: [20, 60]
estimate: [{kind: binning, bins: 30}]
repeat: 30
reproducible: yes
END
expect 0 ranks 2 "$program" run o.yaml -o calm.h5

# orphan FILE: a job on it is suspended while it trains, and its lock taken away, as an administrator would
orphan() {
  "$program" run o.yaml -o "$1" >first 2>&1 &
  job=$!
  await_training "$1"
  kill -STOP "$job"
  rm "$1.lock"
}

# awake FILE: the orphan goes on, notices and ends with 77
awake() {
  kill -CONT "$job"
  code=0
  wait "$job" || code=$?
  cp first err
  [ "$code" = 77 ] || { cat first; fail "$1: exit code $code, wanted 77"; }
  says "$1.lock was "
}

orphan late.h5
expect 0 "$program" run o.yaml -o late.h5
awake late.h5
cmp calm.h5 late.h5 || fail "the orphan damaged a file that was done"

orphan both.h5
"$program" run o.yaml -o both.h5 >second 2>&1 &
other=$!
await_training both.h5
awake both.h5
wait "$other" || { cat second; fail "the second job suffers from the orphan"; }
cmp calm.h5 both.h5 || fail "the orphan damaged a file that was being written"

# A rank that is suspended for three seconds.
mpirun -n 2 "$program" run o.yaml -o slow.h5 >out 2>err &
job=$!
await_training slow.h5
rank=$(pgrep -P "$job" -f 'run o.yaml' | tail -n 1)
[ -n "$rank" ] || fail "no rank was found"
kill -STOP "$rank"
sleep 3
kill -CONT "$rank"
wait "$job" || { cat out err; fail "a suspended rank ended the job"; }
cmp calm.h5 slow.h5 || fail "a suspended rank changed the results"
