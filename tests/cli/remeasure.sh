#!/bin/sh
# infoplane remeasure: new columns of a sweep that kept its weights, without training: the same bytes as of
# a run that had them from the start, on any number of ranks, in pieces, and its source stays as it is.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
one_at_a_time
"$python" -c 'import h5py' 2>/dev/null || skip "needs python3-h5py"
export HDF5_USE_FILE_LOCKING=FALSE

# Several studies that share runs, depths, ranges and parts; one run diverges after some looks.
cat >s.yaml <<'YAML'
network: {hidden: [3, 3]}
look: log
reproducible: yes
repeat: 2
save: {weights: looked}
estimate: [{kind: binning, bins: 30, range: snapshot}]
studies:
  - {name: soft, train.epochs: [4, 12], dataset: {labels: stochastic, samples: 200}}
  - {name: relu, look: [3, 6], network: {activation: relu, hidden: [[4], [5, 4, 3]]}, dataset.samples: 150, train: {epochs: 9, fraction: 0.5}}
  - {name: wild, dataset.samples: 150, train: {epochs: 9, optimizer: sgd, learning_rate: [4e-4, 1e3]},
     network: {activation: linear}}
  - {name: late, train.epochs: 12, look: [5], dataset: {labels: stochastic, samples: 200}}
YAML
new='estimate=[{kind: binning, bins: [7, 12], range: run}, {kind: binning, bins: 9, range: snapshot},
  {kind: kde, noise_variance: [1e-3, 1e-1]}]'
set -- 'on=[full, train, test]' kde_tolerance=0
expect 1 "$program" run -q s.yaml -o s.h5
expect 1 "$program" run -q s.yaml "$new" "$@" -o want.h5
before=$(cksum s.h5)

"$python" - <<'END_' || fail "the sweep does not hold what this test is about"
import h5py, numpy
f = h5py.File("s.h5")
s = f["status"][:, 0]
d = f["diverged_epoch"][...].ravel()
assert (s == 2).any() and (s == 1).any(), s
kept = numpy.isfinite(f["weights"][...].reshape(len(s), f["weights"].shape[-2], -1)[:, :, 0]).sum(1)
assert 1 < kept[s == 2].max() < 8, kept
w = h5py.File("want.h5")
assert numpy.isfinite(w["beta_best"][...]).any() and len(w["architecture"]) == 3
END_

mv s.yaml away.yaml # the file alone is enough
for n in 1 2 4; do
  expect 1 ranks $n "$program" remeasure -q s.h5 "$new" "$@" -o new$n.h5
  cmp want.h5 new$n.h5 || fail "other bytes on $n ranks than of a run with these columns"
done
expect 1 ranks 4 "$program" remeasure -q s.h5 "$new" "$@" ranks_per_run=2 -o groups.h5
cmp want.h5 groups.h5 || fail "other bytes with two ranks a run"
mv away.yaml s.yaml

# In pieces: some runs by remeasure, the others by run, which trains them; and back.
expect 0 "$program" remeasure -q s.h5 "$new" "$@" 'only=[0, 3]' -o pieces.h5
expect 0 "$program" run -q s.yaml "$new" "$@" 'only=[1, 2]' -o pieces.h5
expect 1 "$program" remeasure s.h5 "$new" "$@" -o pieces.h5
says 'continuing:'
cmp want.h5 pieces.h5 || fail "other bytes in pieces"
expect 1 "$program" run s.yaml "$new" "$@" -o pieces.h5
says 'were done before'
for file in pieces.h5.ckpt pieces.h5.lock s.h5.lock; do
  [ ! -e $file ] || fail "something is left: $file"
done

# What the file has not stays pending, and comes when it has it.
cp s.h5 part.h5
"$python" - <<'END_'
import h5py
f = h5py.File("part.h5", "r+")
f["status"][1, 0] = 0
f["weights"][(2,) + (0,) * (f["weights"].ndim - 1)] += 1
END_
held=$(cksum part.h5)
expect 1 ranks 2 "$program" remeasure part.h5 "$new" "$@" -o less.h5
says 'these runs are not finished there and stay pending here: 1'
says 'these runs are damaged (infoplane check) there and stay pending here: 2'
says '2 runs cannot be measured again'
"$python" -c 'import h5py
s = h5py.File("less.h5")["status"][:, 0]
assert not s[1:3].any() and s[0] and s[3:].all(), s' || fail "rows"
[ "$(cksum part.h5)" = "$held" ] || fail "a damaged source was touched"
expect 1 "$program" remeasure -q s.h5 "$new" "$@" -o less.h5
cmp want.h5 less.h5 || fail "other bytes once the file has all runs"

# A share; a compact file; a file whose times are kept; activations.
expect 1 "$program" run -q s.yaml share=2/2 -o share.h5
expect 78 ranks 2 "$program" remeasure share.h5 "$new" -o share2.h5
says 'join the shares with infoplane merge'
expect 0 "$program" compact -q s.h5
expect 1 "$program" remeasure -q s.compact.h5 "$new" "$@" -o compact.h5
cmp want.h5 compact.h5 || fail "other bytes of a compact file"
expect 1 "$program" run -q s.yaml reproducible=no save.activations=yes repeat=1 -o timed.h5
expect 1 "$program" remeasure -q timed.h5 "$new" "$@" -o timed2.h5
expect 1 "$program" run -q s.yaml repeat=1 "$new" "$@" save.activations=yes reproducible=no -o timed3.h5
expect 0 "$program" diff timed2.h5 timed3.h5
cmp timed.run0.activations.h5 timed2.run0.activations.h5 || fail "other activations"

# Errors say what to do.
expect 64 "$program" remeasure s.h5 "$new"
says 'a new file'
expect 64 "$program" remeasure s.h5 -o x.h5
says 'needs the columns that shall be measured'
expect 64 "$program" remeasure s.h5 "$new" -o s.h5
says 'stays as it is'
expect 66 "$program" remeasure absent.h5 "$new" -o x.h5
expect 78 "$program" remeasure s.h5 'estimate=[{kind: binning, bins: 0}]' -o x.h5
says 'argument 1'
for bad in 'look=[2]' seed=3 repeat=9 save.weights=no train.epochs=3 gradient_batch=9 share=1/2 \
  checkpoint=3; do
  expect 78 "$program" remeasure s.h5 "$new" "$bad" -o x.h5
  says "remeasure does not take ${bad%%=*}"
done
for save in no final; do
  expect 1 "$program" run -q s.yaml repeat=1 save.weights=$save -o $save.h5
  expect 78 "$program" remeasure $save.h5 "$new" -o x.h5
  says 'a sweep that is run with save: {weights: looked} can be measured again'
done
says 'the weights of its last look alone'
expect 78 "$program" remeasure s.h5 'estimate=[{kind: binning, bins: 5, range: snapshot}]' -o want.h5
says 'want.h5'
cp s.h5 other.h5
"$python" - <<'END_'
import h5py
b = h5py.File("other.h5", "r+")["provenance/build_text"]
b[0, 0] = ord("x") if b[0, 0] != ord("x") else ord("y")
END_
expect 78 ranks 2 "$program" remeasure other.h5 "$new" "$@" -o x.h5
says 'trained by another build of infoplane'
says 'accept_build=yes'
[ ! -e x.h5 ] || fail "a refusal left a file"
expect 1 "$program" remeasure -q other.h5 "$new" "$@" accept_build=yes -o x.h5
cmp want.h5 x.h5 || fail "other bytes of an accepted build"
printf 'token: 0000000000000001\nhost: elsewhere\npid: 7\njob:\n' >x.h5.lock
expect 77 "$program" remeasure s.h5 "$new" "$@" -o x.h5
"$python" -c 'import numpy
numpy.savez("acts.npz", layer_1=numpy.ones((4, 2), "f4"), y=numpy.arange(4) % 2)'
expect 0 "$program" estimate acts.npz 'estimate=[{kind: binning, bins: 3}]' -o acts.h5
expect 78 "$program" remeasure acts.h5 "$new" -o y.h5
says 'is of infoplane estimate'
small_data d.h5
cat >d.yaml <<'YAML'
dataset: {name: hdf5, path: d.h5}
network: {hidden: [3]}
train: {epochs: 3}
save: {weights: looked}
YAML
expect 0 "$program" run -q d.yaml -o own.h5
"$python" -c 'import h5py
h5py.File("d.h5", "r+")["x"][0, 0] += 1'
expect 78 "$program" remeasure own.h5 "$new" -o y.h5
says 'saw other patterns or labels'
[ "$(cksum s.h5)" = "$before" ] || fail "the source was touched"

# Killed in the middle: what is done stays.
cat >k.yaml <<'YAML'
dataset: {samples: 2000}
network: {hidden: [6, 6]}
train: {epochs: 40}
look: saxe
repeat: 24
kde_tolerance: 0
reproducible: yes
save: {weights: looked}
estimate: [{kind: binning, bins: 30}]
YAML
slow='estimate=[{kind: kde, noise_variance: [1e-3, 1e-2, 1e-1]}]'
expect 0 "$program" run -q k.yaml -o k.h5
expect 0 "$program" run -q k.yaml "$slow" -o k_want.h5
"$program" remeasure k.h5 "$slow" -o k_new.h5 >out 2>err &
job=$!
await_training k_new.h5
kill -KILL $job
wait $job 2>/dev/null || true
"$program" remeasure k.h5 "$slow" -o k_new.h5 >out 2>err &
job=$!
await_training k_new.h5
touch k_new.h5.stop
code=0
wait $job || code=$?
[ $code = 75 ] || fail "exit code $code at a stop file"
says 'given up and will begin anew'
says 'The same command continues'
expect 0 "$program" remeasure -q k.h5 "$slow" -o k_new.h5
cmp k_want.h5 k_new.h5 || fail "other bytes after a kill"
