#!/bin/sh
# Claims and tables of a small file of every kind of study, once more by a second implementation
# (judgement.py): numpy, from the definitions, with resamples of its own.
#   judgement.sh PROGRAM SCRATCH SOURCE JUDGE
# shellcheck source=../cli/lib.sh
. "$3/tests/cli/lib.sh"
judge=$4
"$python" -c 'import h5py, numpy' 2>/dev/null || skip "needs python3-h5py and python3-numpy"

cat >claims.yaml <<'END'
dataset: {name: symmetric, samples: 300, choice: random}
network: {hidden: [5, 4, 3], activation: tanh, output: softmax}
train: {fraction: 85%, optimizer: adam, learning_rate: 1e-2, batch: 64, epochs: 60}
repeat: 9
seed: 3
look: log
gradient_batch: 16
estimate:
  - {kind: binning, bins: 30}
  - {kind: kde, noise_variance: 1e-1}
studies:
  - name: sizes
    train: {fraction: [10%, 50%, 85%], batch: [64, full]}
    estimate: [{kind: binning, bins: 30, on: [full, train]}]
  - name: depth
    network: {hidden: [[4], [5, 4], [5, 4, 3]], output: sigmoid}
    train: {learning_rate: 3e-2, epochs: 200}
  - name: 'noise, "loud"'
    train: {batch: [16, full], updates: 200, learning_rate: [1e-2, 3e-2]}
  - name: activations
    network.activation: [tanh, relu, linear]
    estimate: [{kind: binning, bins: 30, range: [snapshot, [-1, 1]]}, {kind: kde, noise_variance: 1e-1}]
  - name: decay
    train.weight_decay: [0, 1e-3, 1e-2]
  - name: labels
    dataset.labels: [deterministic, shuffled]
  - name: drawn
    dataset.labels: stochastic
  - name: kept
    save.weights: final
    train.epochs: 6
  - name: quick
    dataset.samples: 100
    network: {hidden: [[8], [8, 6]], output: sigmoid}
    train: {learning_rate: 5e-2, fraction: 100%, epochs: 100}
  - name: wild
    network.activation: linear
    train: {optimizer: sgd, learning_rate: [1, 4]}
    estimate: [{kind: kde, noise_variance: 1e-1}]
END
expect 1 "$program" run claims.yaml # 1: some runs diverge, as they are meant to
expect 0 "$judge" claims.h5 tables
cp out said
"$python" "$3/tests/view/judgement.py" claims.h5 tables

# For people: not wider than a terminal, and nothing is left out.
awk 'length > 100 { print; wide = 1 } END { exit wide }' said || fail "lines of more than 100 columns"
for number in 1a 1b 2a 2b 2c 3a 3b 4 5a 5b 5c 6a 6b 7 8a 8b 9a 9b 9c 9d 9e 9f 9g; do
  grep -q "^ $number  *[a-z]" said || fail "claim $number is not printed"
done
grep -qF "no finished run: 9 diverged, 0 failed, 0 pending (wild)" said || fail "diverged runs vanish"
grep -qF "sizes: full batch: 10 % - 85 %" said || fail "a contrast is not printed"
grep -qF "labels are certain" said || fail "it does not say why beta is undefined"

# The same file gives the same bytes, and what stands there is replaced.
expect 0 "$judge" claims.h5 tables
expect 0 "$judge" claims.h5 again
diff -r tables again >&2 || fail "two judgements of one file differ"
[ -z "$(find tables -name '.*.csv*')" ] || fail "something partial is left behind"

# Fewer than 8 replicates decide nothing; a run that is not there yet is counted.
cat >few.yaml <<'END'
dataset: {name: symmetric, samples: 200}
network: {hidden: [5, 3]}
train: {batch: [50, full], epochs: 20, learning_rate: 1e-2}
repeat: 7
look: log
estimate: [{kind: binning, bins: 30}]
END
expect 0 "$program" run few.yaml
expect 0 "$judge" few.h5 few
"$python" - <<'END'
import csv
with open("few/claims.csv", newline="") as f:
    said = {row["verdict"] for row in csv.DictReader(f)}
assert said == {"undecided", "not tested"}, said
END
expect 0 "$program" run few.yaml 'only=[0, 1, 2]' -o part.h5
expect 0 "$judge" part.h5 part
says "0 diverged, 0 failed, 5 pending"
expect 0 "$program" run few.yaml 'only=[0]' -o one.h5
expect 0 "$judge" one.h5 one
says "no finished run: 0 diverged, 0 failed, 7 pending"

# What cannot be read or written is named, and no table appears.
expect 66 "$judge" nothing.h5 nowhere
[ ! -e nowhere ] || fail "a folder for a file that does not exist"
echo no results >strange.h5
expect 65 "$judge" strange.h5 nowhere
says strange.h5
: >blocked
expect 73 "$judge" few.h5 blocked
says blocked
