#!/bin/sh
# The shape of training that published reruns agree on (acceptance numbers 17 and 18), from 20
# replicates of the paper's network and 8 of the too-little-data study, 10,000 epochs each.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
"$python" -c 'import h5py' 2>/dev/null || skip "needs python3-h5py"

cat >shape.yaml <<'END'
train: {optimizer: adam, learning_rate: 4e-4, batch: 256, epochs: 10000}
estimate: [{kind: binning, bins: 30}]
studies:
  - {name: shape, network.hidden: [10, 7, 5, 4, 3], train.fraction: 85%, repeat: 20}
  - name: too_little
    network: {hidden: [10, 8, 6, 4, 2], output: sigmoid}
    train.fraction: [5%, 85%]
    repeat: 8
END
expect 0 ranks 2 "$program" run shape.yaml
"$python" - <<'END'
import h5py, numpy as np
f = h5py.File("shape.h5")
assert (f["status"][:, 0] == 1).all()
member, size = f["in_study"][...] == 1, f["train_size"][...]
x, y = f["i_xt"][:, 0], f["i_ty"][:, 0]          # run, epoch, layer; bit

def curve(v, runs):
    return v[runs].mean(axis=0)

cx, cy = curve(x, member[:, 0]), curve(y, member[:, 0])
fall3, rise, fall = cx[:, 4].max() - cx[-1, 4], cx[:, 5].max() - cx[0, 5], cx[:, 5].max() - cx[-1, 5]
print("17: 3-wide layer ends %.2f bit below its peak; 4-wide %.2f (report only)" % (fall3, cx[:, 3].max() - cx[-1, 3]))
print("    output rises %.2f, falls %.2f, ends at %.3f bit" % (rise, fall, cx[-1, 5]))
print("    I(T;Y) at the end:", np.round(cy[-1], 3))
assert fall3 > 2 and rise > 1.5 and fall > 1.5 and 1.0 <= cx[-1, 5] <= 1.2
assert (cy[-1, :5] > .97).all() and cy[-1, 5] > .93
for n, bound, low in ((205, .05, True), (3482, .02, False)):
    runs = member[:, 1] & (size == n)
    assert runs.sum() == 8
    drop = (np.nanmax(y[runs, :, 5], axis=1) - y[runs, -1, 5]).mean()
    print("18: %d patterns: output I(T;Y) ends %.4f bit below its maximum" % (n, drop))
    assert drop >= bound if low else drop <= bound
END
