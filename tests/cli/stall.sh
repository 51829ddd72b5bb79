#!/bin/sh
# A rank that hangs ends the job with a message, whichever it is; one that only slept for a while,
# and a job that slept as a whole, go on.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
command -v pgrep >/dev/null || skip "needs pgrep (procps)"

cat >s.yaml <<'YAML'
network: {hidden: [4]}
train: {epochs: 2000000}
look: [0]
repeat: 12
estimate: [{kind: binning, bins: 30}]
YAML

# begin SECONDS: three ranks at work; their numbers are in the file `ranks`, rank 0 first
begin() {
  mpirun -n 3 "$program" run s.yaml "stall=$1" >out 2>err &
  job=$!
  await_training s.h5
  sleep 1 # all ranks have a run by now
  pgrep -P "$job" -f 'run s.yaml' | while read -r pid; do
    rank=$(tr '\0' '\n' <"/proc/$pid/environ" | sed -n 's/^OMPI_COMM_WORLD_RANK=//p')
    echo "$rank $pid"
  done | sort -n | cut -d ' ' -f 2 >ranks
  [ "$(wc -l <ranks)" = 3 ] || { cat out err; fail "there are not three ranks"; }
}

# ends CODE TEXT
ends() {
  code=0
  wait "$job" || code=$?
  [ "$code" = "$1" ] || { cat out err >&2; fail "exit code $code, wanted $1"; }
  says "$2"
}

begin 3
kill -STOP "$(sed -n 3p ranks)"
ends 69 "rank 2 on host $(uname -n) has made no progress for 3 s"
begin 3
kill -STOP "$(sed -n 1p ranks)"
ends 69 'rank 0 has given no sign of life for 3 s'

# Shorter than that: nothing happens. All at once, however long: nothing either.
begin 20
one=$(sed -n 2p ranks)
kill -STOP "$one"
sleep 3
kill -CONT "$one"
sleep 1
kill -USR1 "$job"
ends 75 'The same command continues'
begin 4
# shellcheck disable=SC2046 # a list of numbers
kill -STOP $(cat ranks)
sleep 6
# shellcheck disable=SC2046
kill -CONT $(cat ranks)
sleep 3
kill -USR1 "$job"
ends 75 'The same command continues'
