#!/bin/sh
# HDF5 files on which the HDF5 library itself crashes: refused with one message and exit code 65,
# before anything is started, and left as they are.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
one_at_a_time
source=$3
"$python" -c 'import h5py' 2>/dev/null || skip "needs python3-h5py"
export HDF5_USE_FILE_LOCKING=FALSE

# Data sets that fuzzing found.
for file in "$source"/tests/fuzz/regressions/hdf5/signal_*; do
  echo "dataset: {name: hdf5, path: $file}" >d.yaml
  for verb in run plan bound; do
    expect 65 "$program" "$verb" d.yaml
    says "$file is damaged: the HDF5 library "
  done
done
expect 65 ranks 2 "$program" run d.yaml
says ' is damaged: the HDF5 library '

# A results file: the length of its text `config` became 16 MB more.
cat >f.yaml <<'YAML'
network: {hidden: [3]}
train: {epochs: 3}
look: [0]
repeat: 2
estimate: [{kind: binning, bins: 30}]
reproducible: yes
YAML
expect 0 "$program" run f.yaml -o good.h5
"$python" - <<'END'
import h5py
with h5py.File("good.h5") as f: text = f.attrs["config"].encode()
b = bytearray(open("good.h5", "rb").read())
at = b.find(text) - 8  # its size, in the heap of texts, which has no checksum
assert int.from_bytes(b[at:at + 8], "little") in (len(text), len(text) + 1)
b[at + 3] = 1
open("bad.h5", "wb").write(b)
END
before=$(cksum bad.h5)
for verb in 'run f.yaml -o' status figures; do
  # shellcheck disable=SC2086 # words
  expect 65 "$program" $verb bad.h5
  says 'bad.h5 is damaged: the HDF5 library '
done
expect 65 ranks 2 "$program" run f.yaml -o bad.h5
says 'bad.h5 is damaged: the HDF5 library '
[ "$(cksum bad.h5)" = "$before" ] || fail "bad.h5 was touched"
[ ! -e bad.h5.lock ] || fail "bad.h5.lock is left over"

# What nobody reads may be damaged: the numbers are still there.
"$python" - <<'END'
b = bytearray(open("good.h5", "rb").read())
at = b.find(b"optimizer steps done before this look") - 8
assert at > 0
b[at + 3] = 1
open("words.h5", "wb").write(b)
END
expect 0 "$program" status words.h5
says '2 done'
