#!/bin/sh
# Files that are damaged, foreign, from another build, or have no room: said in words, mended where
# that is possible, never destroyed.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
one_at_a_time
"$python" -c 'import h5py' 2>/dev/null || skip "needs python3-h5py"
export HDF5_USE_FILE_LOCKING=FALSE

cat >f.yaml <<'YAML'
network: {hidden: [3]}
train: {epochs: 3}
look: [0]
repeat: 4
estimate: [{kind: binning, bins: 30}]
reproducible: yes
YAML
expect 0 ranks 2 "$program" run f.yaml -o good.h5

# A flipped bit in the numbers of run 2: noticed, said, computed again, to the same bytes.
cp good.h5 bit.h5
"$python" - <<'END_'
import h5py
with h5py.File("bit.h5", "r") as f: at = f["i_xt"].id.get_offset() + f["i_xt"][0].nbytes * 2 + 3
with open("bit.h5", "r+b") as f:
    f.seek(at); byte = f.read(1)[0]
    f.seek(at); f.write(bytes([byte ^ 16]))
END_
expect 0 ranks 2 "$program" run f.yaml -o bit.h5
says '1 run did not fit the checksum and will be computed again.'
says 'continuing: 3 of 4 runs are done'
cmp good.h5 bit.h5 || fail "not mended to the same bytes"

# A status out of its range is no status; a pending one is trained.
cp good.h5 status.h5
"$python" -c 'import h5py
with h5py.File("status.h5", "r+") as f: f["status"][1, 0] = 77; f["status"][3, 0] = 0'
expect 0 "$program" run f.yaml -o status.h5
says 'continuing: 2 of 4 runs are done'

# Another status does not fit the checksum either; diverged runs are trained again only when named.
cp good.h5 named.h5
"$python" - <<'END_'
import h5py
with h5py.File("named.h5", "r+") as f: f["status"][1, 0] = 2; f["status"][2, 0] = 3
END_
expect 0 "$program" run f.yaml -o named.h5
says '2 runs did not fit the checksum'
cmp good.h5 named.h5 || fail "not mended to the same bytes"
set -- network.activation=linear train.optimizer=sgd 'train.learning_rate=[4e-4, 1e6]' repeat=2 \
  'network.hidden=[3, 3]' 'estimate=[{kind: binning, bins: 30, range: snapshot}]' reproducible=no
expect 1 "$program" run f.yaml -o diverged.h5 "$@"
"$python" -c 'import h5py
with h5py.File("diverged.h5", "r+") as f: f["timing/seconds"][...] = -1'
expect 1 "$program" run f.yaml -o diverged.h5 "$@"
says ' 2 runs diverged: 1 3   (again: only=[...])'
"$python" -c 'import h5py
assert (h5py.File("diverged.h5")["timing/seconds"][...] == -1).all()' || fail "trained unasked"
expect 1 "$program" run f.yaml -o diverged.h5 "$@" 'only=[0,1]'
says 'only: 1 of the runs named is done and stays as it is'
"$python" -c 'import h5py
s = h5py.File("diverged.h5")["timing/seconds"][...]
assert s[1] >= 0 and (s[[0, 2, 3]] == -1).all(), s' || fail "not trained when named"

# Another build: refused, and accepted on a word.
cp good.h5 build.h5
"$python" - <<'END_'
import h5py, numpy
with h5py.File("build.h5", "r+") as f:
    f["status"][0, 0] = 0
    text = f["provenance/build_text"]
    text[0, :5] = numpy.frombuffer(b"other", "u1")
END_
before=$(cksum build.h5)
expect 78 ranks 2 "$program" run f.yaml -o build.h5
says 'accept_build=yes'
[ "$(cksum build.h5)" = "$before" ] || fail "a refused file was touched"
expect 0 ranks 2 "$program" run f.yaml -o build.h5 accept_build=yes
says 'continuing: 3 of 4 runs are done'
expect 0 "$program" run f.yaml -o build.h5 # both builds are known to it now

# Cut off, empty, foreign, newer: refused and left as they are.
head -c 3000 good.h5 >cut.h5
head -c 60000 good.h5 >cut2.h5
: >empty.h5
echo 'no HDF5' >text.h5
"$python" - <<'END_'
import h5py, shutil
h5py.File("foreign.h5", "w")["x"] = 1
shutil.copy("good.h5", "newer.h5")
with h5py.File("newer.h5", "r+") as f: f.attrs.modify("infoplane_format_version", 99)
END_
for file in cut cut2 empty text foreign newer; do
  before=$(cksum $file.h5)
  expect 65 ranks 2 "$program" run f.yaml -o $file.h5
  says "$file.h5"
  expect 65 "$program" status $file.h5
  [ "$(cksum $file.h5)" = "$before" ] || fail "$file.h5 was touched"
  [ ! -e $file.h5.lock ] || fail "$file.h5.lock is left over"
done
expect 65 "$program" run f.yaml -o newer.h5
says 'newer infoplane'

# No room: before training, with nothing left behind.  (MPI itself needs files of some megabytes.)
(
  ulimit -f 65536 # blocks of 512 bytes: 34 MB
  expect 74 "$program" run f.yaml repeat=100000 -o room.h5
  says 'ulimit -f'
)
for file in room.h5 room.h5.partial room.h5.lock; do
  [ ! -e $file ] || fail "$file is left over"
done
mkdir small
if [ "$(id -u)" = 0 ] && mount -t tmpfs -o size=64k none small 2>/dev/null; then
  expect 0 "$program" plan f.yaml repeat=100 -o small/r.h5
  says 'does not fit'
  code=0
  "$program" run f.yaml repeat=100 -o small/r.h5 >out 2>err || code=$?
  left=$(ls small)
  umount small
  [ "$code" = 74 ] || { cat out err; fail "full disk: exit code $code, wanted 74"; }
  [ -z "$left" ] || fail "left over on the full disk: $left"
fi
