#!/bin/sh
# Activations of a network that was trained elsewhere: numbers known by hand from every kind of file,
# the same bytes for any number of ranks, continued after a kill, and the same bits as a run that saved
# its activations.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
"$python" -c 'import h5py, numpy' 2>/dev/null || skip "needs python3-h5py"
tool=$(dirname "$0")/estimate.py
"$python" "$tool" make .

# ---- by hand: float32 and float64, labels as numbers and one-hot, HDF5, .npz, .npy
columns='estimate=[{kind: binning, bins: 30}, {kind: kde, noise_variance: 1e-4, bound: upper}]'
for name in hand.h5 double.h5 chunked.h5 hand.npz double.npz hand_packed.npz double_packed.npz \
  hand_npy; do
  expect 0 "$program" estimate "$name" "$columns" -o "of_$name.h5" -q
  "$python" "$tool" hand "of_$name.h5"
  case $name in
    double*) says "float64 are measured as float32" ;;
    *) [ ! -s err ] || fail "it warns of $name: $(cat err)" ;;
  esac
done
expect 0 "$program" estimate flat.h5 -q
says "neither x_id nor layer_0"
expect 0 "$program" check flat_mi.h5
says "flat_mi.h5: 2 of 2 parts are done"
expect 0 "$program" status flat_mi.h5
expect 0 "$program" estimate twins.h5 -q
says "some of the 4 inputs are equal: I(X;T) is at most H(X) = 0.000000 bit"

# ---- numbers that would mislead
expect 0 "$program" estimate wide.h5 -q
says "bin30: every sample has a cell of its own in layer 1 (1 of 1 epochs)"
says "bin30: activations outside the range of the bins"
says "layer 1 (up to 50 %)"
expect 0 "$program" estimate wide.h5 'estimate=[{kind: binning, bins: 2, range: snapshot}]' -o w.h5 -q
! grep -q "warning.*bin2" err || fail "it warns of two bins over the whole range: $(cat err)"

# ---- any number of ranks, a kill, a part at a time
all='estimate=[{kind: binning, bins: 30, range: [snapshot, run, activation]},
  {kind: binning, width: 0.07, on: [train, test]}, {kind: kde, noise_variance: [1e-3, 1e-1]}]'
for n in 1 2 4; do
  expect 0 ranks $n "$program" estimate large.h5 "$all" reproducible=yes -o "r$n.h5" -q
done
cmp r1.h5 r2.h5 || fail "2 ranks and 1 made other bytes"
cmp r1.h5 r4.h5 || fail "4 ranks and 1 made other bytes"
expect 0 "$program" estimate large.h5 "$all" reproducible=yes 'only=[2, 5]' -o p.h5 -q
expect 75 "$program" check p.h5
says "2 of 10 parts are done"
says "8 parts pending: 0 1 3 4 6 7 8 end"
expect 0 "$program" estimate large.h5 "$all" reproducible=yes -o p.h5
says "continuing: 2 of 10 parts are done"
cmp r1.h5 p.h5 || fail "a file made in two launches has other bytes"
expect 0 "$program" estimate large.h5 "$all" reproducible=yes -o p.h5
says "all 10 parts were done before"
"$python" - <<'END'
import h5py
with h5py.File("p.h5", "r+") as f: # a bit flips in the results of epoch 4
    f["i_ty"][0, 0, 4, 1] += 1e-9
END
expect 65 "$program" check p.h5
says "1 part damaged: 4"
expect 0 "$program" estimate large.h5 "$all" reproducible=yes -o p.h5 -q
cmp r1.h5 p.h5 || fail "what was damaged is not made again"
expect 0 "$program" figures r1.h5 -o figures
expect 78 "$program" merge r1.h5 -o m.h5
says "can be neither merged nor grown"

# ---- what is refused, in words
cp "$0" estimate.sh
while IFS='|' read -r code name setting words; do
  # shellcheck disable=SC2086 # a setting or none
  expect "$code" "$program" estimate $name $setting -o refused.h5
  says "$words"
done <<'END'
66|nowhere.h5||nowhere.h5: No such file
65|no_layer.h5||has no layer_1
65|gap.h5||has a layer_3, but no layer_2
65|no_y.h5||has no y
65|short_y.h5||y has 3 rows, layers 4 samples
65|half_y.h5||element 0 is 0.5, not a whole number
65|row_y.h5||the row of sample 0 has the sum 0.8
65|other_n.h5||layer_2 has 5 samples at 2 epochs, layer_1 has 4 at 2
65|epochs.h5||epoch 3 comes after epoch 3
65|text.h5||layer_1 does not hold numbers
65|object.npz||holds Python objects
65|fortran.npz||numpy.ascontiguousarray
65|estimate.sh||neither HDF5 nor .npz
78|hand.h5|train.batch=12|train.batch is not used
78|hand.h5|look=[3]|look is what
78|hand.h5|dataset.path=x|dataset is what ACTS is
78|hand.h5|ranks_per_run=2|ranks_per_run is about runs
78|hand.h5|on=train|has no list train
78|hand.h5|lerning=3|unknown key
END
[ ! -e refused.h5 ] || fail "a refused file leaves results"
expect 78 "$program" estimate hand.h5 -o hand.h5
says "holds the activations"
expect 78 "$program" estimate hand.h5 'only=[4]' -o only.h5
says "the activations have no epoch 4"
expect 64 "$program" estimate
expect 1 "$program" estimate nan.h5 -o nan_mi.h5
says "2 parts diverged: 1 end"
expect 1 "$program" check nan_mi.h5
says "2 parts diverged: 1 end"
expect 1 "$program" estimate huge.h5
says "part 0 failed: huge.h5: layer_1, place 0 of its first axis, sample 0, unit 0 is 1e+300"
says "2 parts failed: 0 1"
expect 0 "$program" estimate hand.h5 -o other.h5 -q
expect 78 "$program" estimate large.h5 -o other.h5
says "holds another study"
cat >s.yaml <<'END'
dataset: {name: activations, path: hand.h5}
END
expect 78 "$program" run s.yaml
says "infoplane estimate"

# ---- the way back: equal to the last bit
cat >s.yaml <<'END'
network: {hidden: [[6, 4], [5]], activation: [tanh, relu]}
train: {fraction: [5%, 85%], epochs: 12, learning_rate: 0.01}
look: [0, 4, 7]
dataset: {labels: [deterministic, stochastic, shuffled], samples: 500}
estimate:
  - {kind: binning, bins: 30, range: [snapshot, run, [-1, 1]]}
  - {kind: binning, width: 0.07, on: [train, test]}
  - {kind: kde, noise_variance: [1e-3, 1e-1], noise_scale: [absolute, layer]}
save: {activations: yes}
reproducible: yes
END
expect 0 ranks 2 "$program" run s.yaml -q
mkdir one
(cd one && expect 0 "$program" run ../s.yaml -q)
for k in $(seq 0 23); do
  name=s.run$k.activations.h5
  cmp "$name" "one/$name" || fail "1 rank and 2 saved other activations of run $k"
  expect 0 "$program" estimate "$name" "estimate=[
    {kind: binning, bins: 30, range: [snapshot, run, [-1, 1]]},
    {kind: binning, width: 0.07, on: [train, test]},
    {kind: kde, noise_variance: [1e-3, 1e-1], noise_scale: [absolute, layer]}]" -o "e$k.h5" -q
  "$python" "$tool" same s.h5 "$k" "e$k.h5"
done

# Killed anywhere and continued, both end with the bytes of one that never was.
cat >long.yaml <<'END'
network: {hidden: [6, 4]}
train: {epochs: 300}
look: log
dataset: {samples: 1000}
estimate: [{kind: binning, bins: 30, range: run}]
save: {activations: yes}
reproducible: yes
repeat: 3
END
killed() { # COMMAND ...: kill -9 after a second; it may have ended by then
  "$@" >out 2>err &
  pid=$!
  sleep 1
  kill -9 $pid 2>/dev/null || true
  wait $pid 2>/dev/null || true
}
expect 0 "$program" run long.yaml -o l.h5 -q
killed "$program" run long.yaml checkpoint=0.01 -o k.h5 -q
expect 0 ranks 2 "$program" run long.yaml -o k.h5 -q
cmp l.h5 k.h5
for k in 0 1 2; do
  cmp "l.run$k.activations.h5" "k.run$k.activations.h5" || fail "a kill changed activations of run $k"
done
many='estimate=[{kind: kde, noise_variance: [1e-3, 1e-2, 1e-1]}]'
expect 0 "$program" estimate l.run0.activations.h5 "$many" reproducible=yes -o el.h5 -q
killed "$program" estimate l.run0.activations.h5 "$many" reproducible=yes -o ek.h5 -q
expect 0 ranks 2 "$program" estimate l.run0.activations.h5 "$many" reproducible=yes -o ek.h5 -q
cmp el.h5 ek.h5 || fail "a kill changed what estimate says"

# One that is not ours is never overwritten; ours is known again.
rm one/s.h5
(cd one && expect 73 "$program" run ../s.yaml -q)
echo "not ours" >mine
cp mine one/s.run3.activations.h5
cp s.h5 one/s.h5
"$python" - <<'END'
import h5py
with h5py.File("one/s.h5", "r+") as f:
    f["i_xt"][3:5] = 0
END
(cd one && expect 1 "$program" run ../s.yaml -q && says "s.run3.activations.h5 stands and holds something else")
cmp mine one/s.run3.activations.h5 || fail "a strange file was overwritten"
cmp s.run4.activations.h5 one/s.run4.activations.h5
[ -z "$(ls ./*.partial one/*.partial 2>/dev/null)" ] || fail "a partial file is left"
