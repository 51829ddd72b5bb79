#!/bin/sh
# The published var_u.mat and the generator: every scientific number equal to the last bit.
# Fashion-MNIST through the same program.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
one_at_a_time
"$python" -c 'import h5py' 2>/dev/null || skip "needs python3-h5py"
mat=$3/../shared/data/var_u.mat
images=/usr/share/datasets/fashion-mnist

cat >d.yaml <<'END'
train: {epochs: 15}
look: [0, 5]
estimate: [{kind: binning, bins: 30}, {kind: kde, noise_variance: [1e-3, 1e-1]}]
repeat: 2
END
done_something=
if [ -e "$mat" ]; then
  expect 0 ranks 2 "$program" run d.yaml -o generator.h5
  expect 0 ranks 2 "$program" run d.yaml dataset.name=mat dataset.path="$mat" -o mat.h5
  "$python" - <<'END'
import h5py
a, b = h5py.File("generator.h5"), h5py.File("mat.h5")
names = [n for n in a if isinstance(a[n], h5py.Dataset) and a[n].ndim and a[n].dtype.kind == "f"]
assert {"i_xt", "i_ty", "loss_train", "gradient_std_norm", "weight_norm", "h_y"} <= set(names)
for n in names: assert a[n][...].tobytes() == b[n][...].tobytes(), n
print(len(names), "variables equal")
END
  done_something=1
else
  echo "var_u.mat is not there: not compared"
fi
if [ -e "$images/train-images-idx3-ubyte.gz" ]; then
  cat >f.yaml <<END
dataset: {name: idx, path: $images/train-images-idx3-ubyte.gz, samples: 1000}
network: {hidden: [64, 32, 16], activation: [relu, tanh]}
train: {epochs: 12, learning_rate: 1e-3, batch: 128}
look: [0]
estimate: [{kind: binning, bins: 30, range: snapshot}, {kind: kde, noise_variance: 1e-1}]
END
  expect 0 ranks 2 "$program" run f.yaml
  says '784-64-32-16-10'
  "$python" - <<'END'
import h5py, numpy as np
f = h5py.File("f.h5")
assert (f["status"][...] == 1).all()
assert (f["accuracy_train"][:, -1] > 0.6).all(), f["accuracy_train"][:, -1]
assert np.isfinite(f["i_xt"][...]).all()
END
  done_something=1
else
  echo "Fashion-MNIST is not there: not run"
fi
[ -n "$done_something" ] || skip "neither ../shared/data/var_u.mat nor dataset-fashion-mnist is there"
