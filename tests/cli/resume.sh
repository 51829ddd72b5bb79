#!/bin/sh
# Runs that are stopped in the middle go on where they were, on any number of ranks, to the same
# bytes; a file of checkpoints that is damaged or of another study costs time and nothing else.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

# Runs of some seconds, one of them with a second pass over its looks.
cat >r.yaml <<'YAML'
network: {hidden: [7, 4]}
look: log
reproducible: yes
studies:
  - {name: a, train.epochs: 6000, estimate: [{kind: binning, bins: 30, range: run}]}
  - {name: b, train.epochs: 8000, train.optimizer: [momentum, sgd], save.weights: looked,
     estimate: [{kind: binning, bins: 30}]}
YAML
expect 0 ranks 2 "$program" run r.yaml -o calm.h5
[ ! -e calm.h5.ckpt ] || fail "checkpoints are left after the end"

# go_on COMMAND ...: stops it again and again; never more than one run a launch is finished
stops=0
go_on() {
  tries=0
  while :; do
    tries=$((tries + 1))
    [ "$tries" -lt 100 ] || fail "it does not come to an end"
    code=0
    "$@" >out 2>err || code=$?
    [ "$code" != 0 ] || break
    [ "$code" = 75 ] || { cat out err >&2; fail "exit code $code, wanted 75"; }
    stops=$((stops + 1))
    [ -e wild.h5.ckpt ] || fail "no checkpoints after a stop"
    [ "$stops" -lt 3 ] || set -- mpirun -n 3 "$program" run r.yaml -o wild.h5 max_time=0.3
  done
}
go_on "$program" run r.yaml -o wild.h5 max_time=0.3
[ "$stops" -gt 1 ] || fail "it was not stopped in the middle"
cmp calm.h5 wild.h5 || fail "stopped $stops times: other bytes"
[ ! -e wild.h5.ckpt ] || fail "checkpoints are left after the end"
echo "stopped $stops times"

# Killed with no warning: the periodic checkpoint counts.
rm -f wild.h5
"$program" run r.yaml -o wild.h5 checkpoint=0.1 >out 2>err &
job=$!
# until the first slot has a head
until [ "$(tail -c +4097 wild.h5.ckpt 2>/dev/null | head -c 8 | tr -d '\0' | wc -c)" -gt 0 ]; do
  kill -0 "$job" || { cat out err; fail "no checkpoint was ever written"; }
  sleep 0.05
done
kill -9 "$job"
wait "$job" || true
cp wild.h5 begun.h5
cp wild.h5.ckpt begun.h5.ckpt
expect 0 ranks 2 "$program" run r.yaml -o wild.h5
says 'taken up from wild.h5.ckpt'
cmp calm.h5 wild.h5 || fail "killed: other bytes"

# Damaged in the middle, in the head, cut off: what does not fit begins anew.
damage() {
  cp begun.h5 wild.h5
  cp begun.h5.ckpt wild.h5.ckpt
  "$python" - "$@" <<'END_'
import sys
what, data = sys.argv[1], bytearray(open("wild.h5.ckpt", "rb").read())
if what == "cut": data = data[:len(data) // 3]
if what == "head": data[16] ^= 1
if what == "every": data[4096:] = bytes(b ^ (i % 251 == 0) for i, b in enumerate(data[4096:]))
open("wild.h5.ckpt", "wb").write(data)
END_
  expect 0 ranks 2 "$program" run r.yaml -o wild.h5
  cmp calm.h5 wild.h5 || fail "checkpoints damaged ($1): other bytes"
}
for how in cut head every; do damage "$how"; done

# Of another study, or none at all: untouched, or as if it were not there.
cp begun.h5 wild.h5
cp begun.h5 wild.h5.ckpt
before=$(cksum wild.h5.ckpt)
expect 65 "$program" run r.yaml -o wild.h5
says 'is no file of checkpoints'
[ "$(cksum wild.h5.ckpt)" = "$before" ] || fail "a strange file was touched"
[ ! -e wild.h5.lock ] || fail "the lock is left over"
cp begun.h5.ckpt other.h5.ckpt
expect 75 "$program" run r.yaml seed=2 -o other.h5 max_time=0.3
if grep -q 'taken up' out; then fail "a checkpoint of another seed was taken up"; fi

# checkpoint=none: begun runs are taken up, and none is kept.
cp begun.h5 wild.h5
cp begun.h5.ckpt wild.h5.ckpt
expect 75 "$program" run r.yaml -o wild.h5 checkpoint=none max_time=0.3
says 'taken up from wild.h5.ckpt'
says 'given up and will begin anew'
