#!/bin/sh
# infoplane check: every run proved, what is damaged, pending or diverged named, and the exit code of
# it; also while a job writes; a file of which any part was changed is never called whole.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
one_at_a_time
"$python" -c 'import h5py' 2>/dev/null || skip "needs python3-h5py"
export HDF5_USE_FILE_LOCKING=FALSE

cat >c.yaml <<'YAML'
network: {hidden: [3, 3], activation: linear}
train: {epochs: 9, learning_rate: [4e-4, 1e6], optimizer: sgd}
look: [0]
repeat: 2
save: {weights: final}
estimate: [{kind: binning, bins: 30, range: snapshot}]
reproducible: yes
YAML
expect 0 "$program" run c.yaml -o good.h5 train.learning_rate=4e-4 repeat=30
expect 0 "$program" check good.h5
says 'good.h5: 30 of 30 runs are done and fit their checksum'
expect 0 "$program" check -q good.h5
[ -z "$(cat out err)" ] || fail "-q of a whole file says something"

# The input and its data are not needed; the codes of a study that is not whole.
expect 1 "$program" run c.yaml -o diverged.h5
mv c.yaml gone.yaml
expect 1 "$program" check diverged.h5
says ' 2 runs diverged: 1 3 '
expect 0 "$program" status diverged.h5
says "diverged: 1 3; one alone again: infoplane run INPUT 'only=[1]' -o diverged.h5"
mv gone.yaml c.yaml
"$python" - <<'END_'
import h5py, shutil
def change(name, of="good.h5", **cells):
    shutil.copy(of, name)
    with h5py.File(name, "r+") as f:
        for key, (at, value) in cells.items(): f[key][at] = value
change("pending.h5", of="diverged.h5", status=(slice(2, 4), 0))
change("both.h5", status=(slice(2, 4), 0), i_xt=(5, 7.0))
change("many.h5", status=(slice(0, 27), 9))
change("foreign_data.h5", data_checksum=(0, 1))
END_
expect 75 "$program" check pending.h5
says ' 2 runs pending: 2 3   (the command that began it continues it)'
says ' 1 run diverged: 1 '
expect 65 "$program" check both.h5
says ' 1 run damaged: 5   (the command that began it computes them again)'
says ' 2 runs pending: 2 3 '
expect 65 "$program" check many.h5
says ' 27 runs damaged: 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 and 7 more '
expect 65 "$program" check foreign_data.h5
says 'none fits'

# run computes damaged ones again, but does not mistake other data for damage.
expect 0 "$program" run c.yaml -o both.h5 train.learning_rate=4e-4 repeat=30
says '1 run did not fit the checksum and will be computed again.'
cmp good.h5 both.h5 || fail "not mended to the same bytes"
expect 78 "$program" run c.yaml -o foreign_data.h5 train.learning_rate=4e-4 repeat=30
says 'other patterns or labels'

# A bit flipped anywhere in an array of the root: named.  In a text or in config: refused or named, and
# no crash.  /provenance and /timing are no part of the science.
cat >flip.py <<'END_'
import h5py, subprocess, sys
program, good = sys.argv[1], "good.h5"
def check(data):
    with open("bad.h5", "wb") as f: f.write(data)
    r = subprocess.run([program, "check", "bad.h5"], capture_output=True, text=True, errors="replace")
    return r.returncode, r.stdout + r.stderr
def flipped(at, bit):
    data = bytearray(whole)
    data[at] ^= 1 << bit
    return data
whole = open(good, "rb").read()
with h5py.File(good) as f:
    arrays = {n: (d.id.get_offset(), d.id.get_storage_size(), d.shape[0], d.dtype == object)
              for n, d in f.items() if isinstance(d, h5py.Dataset)}
    of_runs = {n for n, d in f.items() if isinstance(d, h5py.Dataset) and d.dims and d.shape[0] == 30
               and d.dims[0].keys() and n not in ("run", "in_study")}
    config = f.attrs["config"].encode()
sealed = {"i_xt", "weights", "status", "checksum", "loss_train", "peak_epoch", "updates", "accuracy_test"}
assert sealed <= of_runs, of_runs
for name, (offset, size, rows, texts) in arrays.items():
    for at, bit in ((offset + size * 7 // 10, 6), (offset + size - 1, 4)):
        code, said = check(flipped(at, bit))
        if texts and code == 0: continue # a length that HDF5 does not need
        assert code in (65, 75), (name, at - offset, bit, code, said)
        run = (at - offset) * rows // size
        if name in sealed: assert f"damaged: {run} " in said or f"failed: {run} " in said, (name, said)
        elif name not in of_runs and name != "data_checksum":
            assert name in said or "damaged" in said, (name, said)
        assert name not in ("learning_rate", "width", "column_bins", "activation") or name in said, said
at = whole.index(config)
for i in range(0, len(config), 31):
    code, said = check(flipped(at + i, i % 7))
    assert code == 65 or (code == 0 and config[i] in b" \n#"), (i, config[max(0, i - 20):i + 20], code, said)
# the lengths of the texts, which HDF5 believes
at = whole.index(b"GCOL")
for i in range(8, 600, 24):
    code, said = check(flipped(at + i, 6))
    assert code in (0, 65), (i, code, said)
END_
"$python" flip.py "$program" || fail "a flipped bit"

# Refused in words, and left as they are.
expect 66 "$program" check missing.h5
expect 64 "$program" check
expect 64 "$program" check good.h5 train.batch=3
says 'nothing else'
head -c 60000 good.h5 >cut.h5
: >empty.h5
echo 'no HDF5' >text.h5
mkdir folder.h5
mkfifo pipe.h5
"$python" - <<'END_'
import h5py, shutil
h5py.File("foreign.h5", "w")["x"] = 1
shutil.copy("good.h5", "newer.h5")
with h5py.File("newer.h5", "r+") as f: f.attrs.modify("infoplane_format_version", 99)
END_
for file in cut empty text foreign newer folder pipe; do
  expect 65 "$program" check $file.h5
  says "$file.h5"
done
expect 65 "$program" check newer.h5
says 'newer infoplane'
if [ "$(id -u)" != 0 ]; then
  cp good.h5 secret.h5
  chmod 0 secret.h5
  expect 77 "$program" check secret.h5
fi

# While a job writes: what it is in the middle of is pending, never damaged, and its holder is named.
"$program" run c.yaml -q -o w.h5 train.learning_rate=4e-4 repeat=60 train.epochs=40 >job 2>&1 &
job=$!
while kill -0 "$job" 2>/dev/null; do
  code=0
  "$program" check w.h5 >out 2>err || code=$?
  case $code in
    75) held=${held:-$(grep -c "process $job on host" out || true)} ;;
    66 | 0) ;; # before it stands; after the last run
    *) cat out err; fail "a file that is written: exit code $code" ;;
  esac
  sleep 0.05
done
wait "$job" || { cat job; fail "the job"; }
[ "${held:-1}" = 1 ] || fail "its holder is not named"
expect 0 "$program" check w.h5
