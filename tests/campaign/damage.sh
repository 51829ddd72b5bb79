#!/bin/sh
# Bytes of a results file changed at random, ends cut off; then a verb that reads it, or continues it:
# no crash, no hang, an exit code of ours, one clear message where it is not a whole file, and what
# only reads leaves the file as it is.
#   damage.sh PROGRAM SCRATCH [FILES [SEED]]
# At full length, about seven minutes; the scratch folder is emptied first:
#   tests/campaign/damage.sh "$PWD/build/infoplane" /tmp/damage 5000
# Of a build with sanitizers (IP_SANITIZE) it finds more, and takes ten times as long.
# shellcheck source=../cli/lib.sh
. "$(dirname "$0")/../cli/lib.sh"
campaign=$(cd "$OLDPWD" && cd "$(dirname "$0")" && pwd)
one_at_a_time
"$python" -c 'import h5py' 2>/dev/null || skip "needs python3-h5py"
export HDF5_USE_FILE_LOCKING=FALSE ASAN_OPTIONS="exitcode=99:${ASAN_OPTIONS-}"

cat >d.yaml <<'YAML'
dataset.samples: 64
network.hidden: [[3], [4, 3]]
train: {epochs: 2, learning_rate: 1e-2}
repeat: 2
look: [0, 1]
gradient_batch: 8
estimate: [{kind: binning, bins: 30}, {kind: kde, noise_variance: 1e-1}]
save.weights: looked
reproducible: yes
studies:
  - {name: batches, train.batch: [8, full]}
  - {name: drawn, dataset.labels: stochastic}
YAML
expect 0 "$program" run d.yaml -q -o whole.h5
expect 0 "$program" compact whole.h5 -q -o compact.h5
expect 0 "$program" run d.yaml -q -o half.h5 'only=[0, 2, 5]'
expect 0 "$program" run d.yaml -q -o share.h5 share=1/2
expect 0 "$program" run d.yaml -q -o other.h5 share=2/2

# Pictures are not what is tried: a gnuplot that leaves empty ones.
mkdir bin
cat >bin/gnuplot <<'SH'
#!/bin/sh
[ "$2" = --version ] && exit
out=${3#*\'}
for kind in pdf png svg gif; do : >"${out%\'}.$kind"; done
SH
chmod +x bin/gnuplot
export PATH="$PWD/bin:$PATH"
exec "$python" -B "$campaign/damage.py" "$program" "${3:-100}" "${4:-}"
