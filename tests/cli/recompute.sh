#!/bin/sh
# Everything that a run records, once more by a second implementation (recompute.py): numpy in
# double, from the formulas, with random numbers of its own.
#   recompute.sh PROGRAM SCRATCH SOURCE
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
one_at_a_time
"$python" -c 'import h5py, numpy' 2>/dev/null || skip "needs python3-h5py and python3-numpy"

# Three classes, 203 patterns with twins, features that are no bits.
"$python" - <<'END'
import h5py, numpy as np
rng = np.random.default_rng(5)
x = rng.normal(size=(203, 5)).astype("f4")
y = (x[:, 0] + x[:, 1] ** 2 > 0.7).astype(int) + (x[:, 2] > 0.8)
x[40:60], y[40:50] = x[:20], y[:10]
with h5py.File("classes.h5", "w") as f:
    f["x"], f["y"] = x, y
END

# study NAME: run the one on standard input
study() {
  { cat; echo 'save: {weights: looked}'; } >"$1.yaml"
  expect 0 ranks 2 "$program" run "$1.yaml"
}

# The paper's network on all patterns: every range, rule and width.
study paper <<'END'
train: {epochs: 3, learning_rate: 4e-3}
look: [1]
estimate:
  - {kind: binning, bins: [30, 8], rule: [plain, idnns]}
  - {kind: binning, bins: 30, range: [snapshot, run, [-0.5, 0.8]]}
  - {kind: binning, width: 0.07}
END

# Noise of two sizes, both bounds, on all, training and test patterns; drawn and shuffled labels.
study labels <<'END'
dataset: {labels: [deterministic, stochastic, shuffled], samples: 300, choice: [first, random]}
network: {hidden: [6, 4], init: uniform}
train: {fraction: [30%, 100%], epochs: 4, batch: 40, learning_rate: 1e-2}
on: [full, train, test]
look: [2]
gradient_batch: 32
estimate:
  - {kind: binning, bins: 30}
  - {kind: kde, noise_variance: [1e-3, 1e-1]}
seed: 3000000001
END

# Unbounded activations, one sigmoid unit, a prefix split that overlaps, momentum and decay.
study unbounded <<'END'
dataset: {samples: 400}
network: {hidden: [9, 6, 5], activation: [relu, softplus, linear], output: [sigmoid, softmax], init: fan_out}
train: {fraction: [40%, 90%], split: idnns-prefix, optimizer: momentum, momentum: 0.8,
        weight_decay: 1e-2, learning_rate: 0.02, batch: 40, epochs: 5}
look: [1, 3]
gradient_batch: 100
estimate:
  - {kind: binning, bins: 16, range: [snapshot, run, [0, 1.5]]}
  - {kind: binning, width: 0.07, on: [full, test]}
  - {kind: kde, noise_variance: [1e-2, 1e-1], noise_scale: layer}
END

# Three classes, no hidden layer, full batch, plain descent, too few patterns for two batches.
study three <<'END'
dataset: {name: hdf5, path: classes.h5}
network: {hidden: [[], [7], [3, 1]], activation: [sigmoid, softsign], output: [softmax, sigmoid]}
train: {fraction: [100%, 3%], optimizer: sgd, weight_decay: 1e-2, learning_rate: 0.1, batch: full, epochs: 6}
look: [3]
gradient_batch: 19
on: [full, train]
estimate:
  - {kind: binning, bins: 30}
  - {kind: binning, bins: 5, rule: idnns, range: run}
  - {kind: kde, noise_variance: 1e-1, noise_scale: [absolute, layer]}
END

# Long enough for a rise, a fall, an onset and a small error.
study events <<'END'
network: {hidden: [8, 3]}
train: {epochs: 64, learning_rate: 1e-2, batch: 256}
look: [1, 2, 3, 4, 6, 8, 10, 12, 14, 16, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 60]
estimate: [{kind: binning, bins: 30}, {kind: binning, bins: 8, range: snapshot, on: train}]
repeat: 3
END

"$python" "$3/tests/cli/recompute.py" paper.h5 labels.h5 unbounded.h5 three.h5 events.h5
