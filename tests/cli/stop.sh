#!/bin/sh
# Every way to stop: its exit code, its last line, soon, nothing lost, and the same command goes on.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# Two short runs (rows 0 and 2) and four that nobody waits for.
cat >s.yaml <<'YAML'
look: [0]
estimate: [{kind: binning, bins: 30}]
studies:
  - {name: short, train.epochs: 5, repeat: 2}
  - {name: long, train.epochs: 2000000, repeat: 4}
YAML
"$program" run s.yaml 'only=[0,2]' >out 2>err || { cat out err; fail "two short runs"; }
says '4 of 6 runs are left, which only= does not name.'
[ ! -e s.h5.ckpt ] || fail "checkpoints are left though no run is begun"
cp s.h5 two.h5

# begin COMMAND ...: starts it on a copy with two runs done and waits until it trains
begin() {
  cp two.h5 s.h5
  "$@" >out 2>err &
  job=$!
  await_training s.h5
}

# ended CODE: it ends with the code and says how it stands
ended() {
  code=0
  wait "$job" || code=$?
  [ "$code" = "$1" ] || { cat out err; fail "exit code $code, wanted $1"; }
  says 'continuing: 2 of 6 runs are done'
  [ "$(tail -n 1 out)" = 'stopped: 2 of 6 runs are done and safe in s.h5. The same command continues.' ] ||
    { cat out; fail "another last line"; }
  [ ! -e s.h5.lock ] || fail "the lock is left over"
  [ ! -e s.h5.stop ] || fail "the stop file is left over"
}

begin "$program" run s.yaml
kill -USR1 "$job"
ended 75
says 'stopping: SIGUSR1'
says '1 run in progress is kept in s.h5.ckpt.'
expect 0 "$program" status s.h5
says '1 run is begun and kept in s.h5.ckpt, '
says 'no job is writing it'
begin "$program" run s.yaml
kill -TERM "$job"
ended 143
says ', 1 is taken up from s.h5.ckpt'
begin "$program" run s.yaml
kill -INT "$job" # a shell may have made its background jobs deaf to it
ended 130

begin mpirun -n 3 "$program" run s.yaml
kill -USR1 "$job"
ended 75
says '3 runs in progress are kept in s.h5.ckpt.'
begin mpirun -n 3 "$program" run s.yaml
touch s.h5.stop
ended 75
says 'stopping: s.h5.stop'
cp two.h5 s.h5 # on a busy machine the time may be over before training begins
expect 75 mpirun -n 3 "$program" run s.yaml max_time=2
says 'stopping: max_time is over'
says 'stopped: 2 of 6 runs are done and safe in s.h5. The same command continues.'

# One rank alone is told to stop: all do.
begin mpirun -n 3 "$program" run s.yaml
worker=$(pgrep -P "$job" -f 'run s.yaml' | tail -n 1)
kill -TERM "$worker"
ended 143

# A stop file that lies there stops the start after it, at once, and that one only.
cp two.h5 s.h5
touch s.h5.stop
expect 75 "$program" run s.yaml
says 'stopping: s.h5.stop'
[ ! -e s.h5.stop ] || fail "the stop file is still there"

# Where nothing is left to do there is nothing to stop.
printf 'train: {epochs: 5}\nlook: [0]\n' >t.yaml
expect 0 "$program" run t.yaml
touch t.h5.stop
expect 0 "$program" run t.yaml
[ ! -e t.h5.stop ] || fail "the stop file waits for another start"

# A folder of that name asks for nothing: it could not be removed, and every start would stop.
mkdir f.h5.stop
expect 0 "$program" run t.yaml -o f.h5
