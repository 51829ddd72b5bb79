#!/bin/sh
# Predicted against actual: calibrates this machine, then runs three studies on 1 and 2 ranks each.
#   predict.sh PROGRAM SCRATCH [EPOCHS]
# At full length, about five minutes on 2 idle cores; the scratch folder is emptied first:
#   tests/campaign/predict.sh "$PWD/build/infoplane" /tmp/predict 3000
# What is checked is that a prediction is there, and never how good it is: that depends on who else uses
# the machine. The table is for reading.
# shellcheck source=../cli/lib.sh
. "$(dirname "$0")/../cli/lib.sh"
epochs=${3:-300}
XDG_CACHE_HOME=$PWD/cache
export XDG_CACHE_HOME
mkdir cache

cat >paper.yaml <<END
repeat: 8
train.epochs: $epochs
look: log
estimate: [{kind: binning, bins: 30}, {kind: kde, noise_variance: [1e-3, 1e-1]}]
END
cat >grid.yaml <<END
network: {hidden: [[10, 7, 5, 4, 3], [64, 32], [16]], activation: [tanh, relu]}
train: {fraction: [10%, 85%], batch: [32, 512], epochs: $epochs}
look: [0]
estimate: [{kind: binning, bins: 30, range: snapshot}]
END
cat >wide.yaml <<END
repeat: 3
network.hidden: [256, 128]
train: {optimizer: sgd, batch: 128, epochs: $((epochs / 20 + 1))}
look: [1, 2, 4, 8]
estimate: [{kind: kde}]
END

ranks 2 "$program" plan --calibrate >calibrated 2>err || { cat calibrated err; fail "no calibration"; }
tail -2 calibrated
echo "study  ranks   predicted       actual   ratio   seconds"
for study in paper grid wide; do
  for n in 1 2; do
    expect 0 ranks "$n" "$program" run "$study.yaml" -o "$study$n.h5"
    says ' predicted '
    "$python" - "$study" "$n" <<'END'
import json, sys
study, n = sys.argv[1:]
try:
    import h5py
except ImportError:
    sys.exit()
end = json.loads(h5py.File(study + n + ".h5")["provenance/launch_json"][0].tobytes().split(b"\0")[0])["end"]
p, s = end["predicted_seconds"], end["seconds"]
print(f"{study:6} {n:>5} {p:11.2f} {s:12.2f} {p / s:7.2f}")
END
  done
done
