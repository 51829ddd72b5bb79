#!/bin/sh
# The same bytes for any number of ranks, and the same replicates however many there are.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

cat >s.yaml <<'END'
network: {hidden: [[6, 4], [5]], activation: [tanh, relu]}
train: {fraction: [5%, 85%], epochs: 12, learning_rate: 0.01}
look: [0, 4]
estimate:
  - {kind: binning, bins: 30, range: [snapshot, run]}
  - {kind: binning, width: 0.07, on: [train, test]}
  - {kind: kde, noise_variance: [1e-3, 1e-1]}
save: {weights: looked}
reproducible: yes
END

for n in 1 2 3 4; do
  expect 0 ranks $n "$program" run s.yaml repeat=2 -o "s$n.h5"
done
expect 0 "$program" run s.yaml repeat=2 -o s0.h5
for n in 0 2 3 4; do
  cmp s1.h5 "s$n.h5" || fail "$n ranks and 1 rank made other bytes"
done

# Without reproducible=yes all but /timing and /provenance are equal, and replicates append.
expect 0 ranks 2 "$program" run s.yaml reproducible=no repeat=2 -o t2.h5
expect 0 ranks 3 "$program" run s.yaml reproducible=no repeat=3 -o t3.h5
"$python" -c 'import h5py' 2>/dev/null || skip "files of 1 to 4 ranks are equal; the rest needs python3-h5py"
"$python" - <<'END'
import h5py, numpy as np
a, b, c = (h5py.File(f) for f in ("t2.h5", "t3.h5", "s1.h5"))
runs, compared = a["run"].size, 0
assert runs == 16 and b["run"].size == 24
def each(name, d):
    global compared
    if not isinstance(d, h5py.Dataset) or name.split("/")[0] in ("timing", "provenance"):
        return
    x, y, z = d[...], b[name][...], c[name][...]
    if name == "checksum" or name == "run" : pass
    if d.ndim and d.shape[0] == runs and y.shape[0] == 24: y = y[:runs]
    assert x.tobytes() == z.tobytes() or x.dtype == object and (x == z).all(), name
    assert x.tobytes() == y.tobytes() or x.dtype == object and (x == y).all(), name
    compared += 1
a.visititems(each)
assert compared > 40, compared
assert (a["status"][...] == 1).all()
print(compared, "variables equal")
END
