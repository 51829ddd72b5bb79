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

# begin SECONDS [N key=value ...]: three ranks, or N, at work; their numbers are in the file `ranks`,
# rank 0 first
begin() {
  seconds=$1
  n=${2:-3}
  shift "$(($# < 2 ? $# : 2))"
  mpirun -n "$n" "$program" run s.yaml "stall=$seconds" "$@" >out 2>err &
  job=$!
  await_training s.h5
  sleep 1 # all ranks have a run by now
  pgrep -P "$job" -f 'run s.yaml' | while read -r pid; do
    rank=$(tr '\0' '\n' <"/proc/$pid/environ" | sed -n 's/^OMPI_COMM_WORLD_RANK=//p')
    echo "$rank $pid"
  done | sort -n | cut -d ' ' -f 2 >ranks
  [ "$(wc -l <ranks)" = "$n" ] || { cat out err; fail "there are not $n ranks"; }
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

# With assistants: the rank that one assists misses it, and one alone with rank 0 misses that.
rm -f s.h5*
sed -i 's/kind: binning, bins: 30/kind: kde, noise_variance: 0.1/; s/^look: .*/look: log/' s.yaml
begin 3 4 ranks_per_run=2
kill -STOP "$(sed -n 4p ranks)"
ends 69 "rank 3 on host $(uname -n), which assists rank 2, has made no progress for 3 s"
begin 3 2 ranks_per_run=2
kill -STOP "$(sed -n 1p ranks)"
ends 69 'rank 0 has given no sign of life for 3 s'
begin 9 4 ranks_per_run=2
kill -KILL "$(sed -n 2p ranks)"
ends 137 ''
begin 20 4 ranks_per_run=4
kill -TERM "$(sed -n 3p ranks)"
ends 143 'The same command continues'
rm -f s.h5*

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
