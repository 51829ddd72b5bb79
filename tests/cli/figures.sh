#!/bin/sh
# The verb figures: small studies of every kind are drawn, and the data beside the pictures are computed
# again from the results file by figures.py.
#   figures.sh PROGRAM SCRATCH SOURCE
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
one_at_a_time
"$python" -c 'import h5py, numpy' 2>/dev/null || skip "needs python3-h5py and python3-numpy"
command -v gnuplot >/dev/null || skip "needs gnuplot"

"$python" - <<'END'
import h5py, numpy as np
rng = np.random.default_rng(3)
x = rng.uniform(size=(90, 64)).astype("f4")
with h5py.File("images.h5", "w") as f:
    f["x"], f["y"] = x, (x[:, :32].sum(1) > x[:, 32:].sum(1)).astype(int) + (x[:, 40] > 0.8)
END

# The first study has a name that would harm a script: nothing of it may be run.
cat >small.yaml <<'END'
network: {hidden: [4, 3]}
train: {batch: 64, epochs: 12, learning_rate: 0.05}
repeat: 3
look: [1, 2, 3, 5, 8]
gradient_batch: 16
estimate: [{kind: binning, bins: 30}]
studies:
  - name: "Fig. 7's `touch pwned` \"x\" {/:Bold"
    dataset.samples: 300
    train.fraction: [10%, 80%, 30%]
  - name: outputs
    dataset.samples: 300
    network.output: [softmax, sigmoid]
    estimate: [{kind: binning, bins: 30}, {kind: kde, noise_variance: 1e-1, bound: upper}]
  - name: depth
    dataset.labels: stochastic
    network.hidden: [[4], [4, 3]]
    train.epochs: 5
END
cat >images.yaml <<'END'
dataset: {name: hdf5, path: images.h5}
network: {hidden: [5], output: softmax}
train: {batch: 16, epochs: 20, learning_rate: 0.05}
look: [10]
estimate: [{kind: binning, bins: 30}]
save: {weights: final}
END
expect 0 "$program" run small.yaml
expect 0 "$program" run images.yaml -o looking.h5
expect 0 "$program" figures small.h5 -o small
says "neurons      -  needs images"
says "data         1  "
expect 0 "$program" figures looking.h5 # into looking_figures
says "data         -  needs two training fractions"
says "neurons      1  "

[ "$(find . -name 'pwned*' | wc -l)" = 0 ] || fail "a name was run by gnuplot"
[ "$(find . -name '.*.[0-9]*' | wc -l)" = 0 ] || fail "unfinished files were left"
for script in small/*.gp looking_figures/*.gp; do
  case $script in
    *_animation_*) endings=gif ;;
    *) endings="pdf png svg" ;;
  esac
  for ending in $endings; do
    [ -s "${script%.gp}.$ending" ] || fail "${script%.gp}.$ending is missing"
  done
done
# Outputs of two kinds never share a picture of a KDE column; binned they may.
[ -e small/outputs_plane_kde_upper_0.1_2.pdf ] || fail "softmax and sigmoid share a KDE picture"
[ ! -e small/outputs_plane_bin30_2.pdf ] || fail "binned outputs do not share a picture"

"$python" "$3/tests/cli/figures.py" small.h5 small looking.h5 looking_figures

expect 66 "$program" figures missing.h5 -o none
expect 64 "$program" figures
[ ! -e none ] || fail "a folder was made for nothing"
expect 73 "$program" figures small.h5 -o none/below
says "none/below"
expect 69 env PATH=/nowhere "$program" figures small.h5 -o none
says "apt-get install gnuplot-nox"
