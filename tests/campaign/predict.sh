#!/bin/sh
# Predicted against actual: calibrates this machine, then runs three studies on 1 and 2 ranks each, and on a group of two.
#   predict.sh PROGRAM SCRATCH [EPOCHS]
# At full length, about six minutes on 2 idle cores; the scratch folder is emptied first:
#   tests/campaign/predict.sh "$PWD/build/infoplane" /tmp/predict 3000
# What is checked is that a prediction is there, and never how good it is: that depends on who else uses
# the machine. The table is for reading.
# shellcheck source=../cli/lib.sh
. "$(dirname "$0")/../cli/lib.sh"
epochs=${3:-300}

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
echo "study  ranks  each   predicted       actual   ratio   seconds"
# predict STUDY RANKS RANKS_PER_RUN
predict() {
  expect 0 ranks "$2" "$program" run "$1.yaml" ranks_per_run="$3" -o "$1$2$3.h5"
  says ' predicted '
  "$python" - "$@" <<'END'
import json, sys
study, n, each = sys.argv[1:]
try:
    import h5py
except ImportError:
    sys.exit()
end = json.loads(h5py.File(study + n + each + ".h5")["provenance/launch_json"][0].tobytes().split(b"\0")[0])["end"]
p, s = end["predicted_seconds"], end["seconds"]
print(f"{study:6} {n:>5} {each:>5} {p:11.2f} {s:12.2f} {p / s:7.2f}")
END
}
for study in paper grid wide; do
  predict $study 1 1
  predict $study 2 1
done
for study in paper wide; do predict $study 2 2; done # a group of two shares the looks
