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

# Texts of who made it, and of arrays behind one whose header is damaged too.
"$python" - <<'END'
import h5py
with h5py.File("good.h5") as f:
    commit = f["provenance"].attrs["commit"].encode()
    first = h5py.h5o.get_info(f["accuracy_test"].id).addr
    rule = f["column_kind"][0]
good = open("good.h5", "rb").read()

def lengthened(b, text):
    """Its size in the heap: 16 MB more, wherever it stands."""
    b, at, n = bytearray(b), b.find(text), 0
    while at >= 0:
        if int.from_bytes(b[at - 8:at], "little") in (len(text), len(text) + 1):
            b[at - 5], n = 1, n + 1
        at = b.find(text, at + 1)
    assert n
    return b

open("origin.h5", "wb").write(lengthened(good, commit))
b = lengthened(good, rule)
b[first] = 0x7f  # version of the header of an object
open("behind.h5", "wb").write(b)
END
expect 65 "$program" cite origin.h5
says 'origin.h5 is damaged: the HDF5 library '
expect 65 "$program" figures behind.h5
says 'behind.h5 is damaged: the HDF5 library '

# Places beyond the end of their axis, axes and variables that are gone, an array with a place too many.
"$python" - <<'END'
import h5py, numpy, shutil
def changed(name):
    shutil.copy("good.h5", name)
    return h5py.File(name, "r+")
with changed("place.h5") as f: f["architecture_index"][1] = 7
with changed("width.h5") as f: f["width"][0, 0] = 2**31 - 1
with changed("event.h5") as f: f["learned_epoch"][1, 0, 0, 1] = 7
with changed("axis.h5") as f: del f["layer"]
with changed("none.h5") as f: del f["study"], f["in_study"]
with changed("index.h5") as f: del f["data_index"]
with changed("long.h5") as f:
    shape = f["loss_train"].shape
    del f["loss_train"]
    f["loss_train"] = numpy.zeros((shape[0], shape[1] + 1), "f4")
END
cat >words <<'END'
place.h5 is damaged: architecture_index of run 1 is 7, of 1
width.h5 is damaged: the widths of the architecture 12-3-2 are 12-2147483647-2
event.h5 is damaged: learned_epoch of run 1 is 7, where nobody looked
axis.h5 is damaged: width does not lie along its axes
none.h5 is damaged: it lacks an axis
index.h5 has no variable data_index
long.h5 is damaged: loss_train does not lie along its axes
END
while read -r file rest; do
  for verb in figures report; do
    expect 65 "$program" $verb "$file"
    says "$file $rest"
  done
done <words

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
