#!/bin/sh
# Shares of one plan, and merge: balanced, refused where they make no sense, and joined to the bytes
# of one job; whatever cannot be joined is refused in words, and nothing is overwritten.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
one_at_a_time
"$python" -c 'import h5py' 2>/dev/null || skip "needs python3-h5py"
export HDF5_USE_FILE_LOCKING=FALSE

# Three studies that overlap, unequal costs, stochastic labels with a curve, weights of every look, a
# data set in a file, runs that diverge.
small_data d.h5
cat >s.yaml <<'YAML'
network: {hidden: [3, 3]}
look: log
reproducible: yes
estimate: [{kind: binning, bins: 30}]
studies:
  - {name: deep, train: {epochs: [4, 30]}, dataset: {labels: stochastic, samples: 200}, repeat: 2,
     save: {weights: looked}}
  - {name: file, train.epochs: 6, dataset: {name: hdf5, path: d.h5}, repeat: 3, save: {weights: final}}
  - {name: wild, train: {epochs: 9, optimizer: sgd, learning_rate: [4e-4, 1e6]}, repeat: 2,
     network.activation: linear, estimate: [{kind: binning, bins: 30, range: snapshot}]}
YAML
expect 1 ranks 2 "$program" run s.yaml -o whole.h5
says ' 2 runs diverged: '

for i in 1 2 3; do
  code=0
  "$program" run -q s.yaml "share=$i/3" >out 2>err || code=$?
  [ "$code" -le 1 ] || { cat err; fail "share $i/3: exit code $code"; }
done
expect 0 "$program" status s.2-of-3.h5
says 'share 2/3'

# Dealt by cost: as a second implementation deals, from the costs that the numbers of epochs and
# patterns order.  All rows are there once, under their numbers.
"$python" - <<'END_' || fail "dealt"
import h5py, numpy
whole = h5py.File("whole.h5")
runs = [h5py.File(f"s.{i}-of-3.h5")["run"][...] for i in (1, 2, 3)]
n = whole["run"].shape[0]
assert sorted(numpy.concatenate(runs)) == list(range(n)), runs
assert all((numpy.diff(r) > 0).all() for r in runs) and max(map(len, runs)) - min(map(len, runs)) <= 1
# the two dearest kinds, 30 epochs with all looks, are dealt to different shares
dear = [r for r in range(n) if whole["epochs"][r] == 30]
where = [next(i for i in range(3) if r in runs[i]) for r in dear]
assert len(dear) == 2 and len(set(where)) == 2, where
for i, r in enumerate(runs):
    f = h5py.File(f"s.{i + 1}-of-3.h5")
    for name in ("epoch", "column", "study", "data", "architecture", "config"):
        a, b = (whole.attrs[name], f.attrs[name]) if name == "config" else (whole[name][...], f[name][...])
        assert numpy.all(a == b), name
    for name in ("i_xt", "weights", "in_study", "checksum", "seed", "learning_rate"):
        assert whole[name][...][r].tobytes() == f[name][...].tobytes(), name
END_

# Joined in any order, without input and data.
mkdir away
mv s.yaml d.h5 away
expect 1 "$program" merge s.3-of-3.h5 s.1-of-3.h5 s.2-of-3.h5 -o joined.h5
says 'joined.h5: 9 of 11 runs are done, from 3 files'
says ' 2 runs diverged: '
cmp whole.h5 joined.h5 || fail "joined: other bytes than of one job"
for file in joined.h5.lock joined.h5.partial; do
  [ ! -e $file ] || fail "something is left: $file"
done
mv away/* .

# Not overwritten; a share that is missing is named by those that are not.
expect 73 "$program" merge s.1-of-3.h5 s.2-of-3.h5 s.3-of-3.h5 -o joined.h5
says 'nothing is overwritten'
expect 78 "$program" merge s.1-of-3.h5 s.3-of-3.h5 -o no.h5
says 'stand in none of the files: they hold the shares 1/3 3/3'
expect 78 "$program" merge s.1-of-3.h5 s.1-of-3.h5 -o no.h5

# Twice and equal: said, taken once.  Twice and different: refused, both files and the run named.
expect 1 "$program" merge whole.h5 s.1-of-3.h5 -o twice.h5
says 'runs stood in several files, equal to the last bit, and were taken once'
cmp whole.h5 twice.h5 || fail "twice: other bytes"
cp s.1-of-3.h5 other.h5
"$python" -c 'import h5py
with h5py.File("other.h5", "r+") as f: f["checksum"][0, 0] = 5'
expect 78 "$program" merge s.1-of-3.h5 other.h5 s.2-of-3.h5 s.3-of-3.h5 -o no.h5
says 'in s.1-of-3.h5 and another in other.h5'

# Two files of the whole, each with some runs: all of them are taken.
expect 0 "$program" run -q s.yaml -o a.h5 'only=[0,1,2]'
expect 1 "$program" run -q s.yaml -o b.h5 'only=[2,4]'
expect 1 "$program" merge a.h5 b.h5 -o ab.h5
says 'ab.h5: 3 of 11 runs are done, from 2 files'
says ' 7 runs pending: 3 5 6 7 8 9 10   (infoplane run INPUT -o ab.h5 continues it)'
expect 1 "$program" run s.yaml -o ab.h5
cmp whole.h5 ab.h5 || fail "continued after merge: other bytes"

# A run that is damaged where it is taken: from another file that has it, else it stays to be done.
damage() { # damage FILE COPY ROW
  "$python" - "$@" <<'END_'
import h5py, shutil, sys
shutil.copy(sys.argv[1], sys.argv[2])
with h5py.File(sys.argv[2], "r+") as f: f["loss_train"][int(sys.argv[3]), 0] = 7
END_
}
damage s.1-of-3.h5 bad.h5 1
run=$("$python" -c 'import h5py; print(h5py.File("bad.h5")["run"][1])')
expect 1 "$program" merge bad.h5 s.2-of-3.h5 s.3-of-3.h5 -o holed.h5
says " 1 run damaged: $run   (infoplane run INPUT -o holed.h5 computes them again)"
expect 1 "$program" run -q s.yaml -o holed.h5
cmp whole.h5 holed.h5 || fail "mended after merge: other bytes"
expect 1 "$program" merge bad.h5 s.2-of-3.h5 s.3-of-3.h5 s.1-of-3.h5 -o saved.h5
cmp whole.h5 saved.h5 || fail "a good copy was not taken"

# Another study, other data, another build, a job that writes, no file of ours.
expect 0 "$program" run -q s.yaml seed=2 -o seed.h5 'only=[0]'
expect 78 "$program" merge whole.h5 seed.h5 -o no.h5
says 'of two studies'
says 'seed'
cp s.2-of-3.h5 data.h5
cp s.2-of-3.h5 build.h5
"$python" - <<'END_'
import h5py, numpy
with h5py.File("data.h5", "r+") as f: f["data_checksum"][1] = 1
with h5py.File("build.h5", "r+") as f:
    f["provenance/build_text"][0, :5] = numpy.frombuffer(b"other", "u1")
END_
expect 78 "$program" merge s.1-of-3.h5 data.h5 s.3-of-3.h5 -o no.h5
says 'other patterns or labels'
expect 78 "$program" merge s.1-of-3.h5 build.h5 s.3-of-3.h5 -o no.h5
says 'accept_build=yes'
expect 1 "$program" merge s.1-of-3.h5 build.h5 s.3-of-3.h5 -o builds.h5 accept_build=yes
"$python" - <<'END_' || fail "build of a run"
import h5py
f, mine = h5py.File("builds.h5"), set(h5py.File("build.h5")["run"][...])
text = [bytes(t).rstrip(b"\0") for t in f["provenance/build_text"][...]]
assert text[1].startswith(b"other") and not text[2], text
assert [int(i) for i in f["provenance/build_index"][...]] == [int(r in mine) for r in f["run"][...]]
END_
printf 'token: 0000000000000001\nhost: elsewhere\npid: 7\njob:\n' >s.2-of-3.h5.lock
expect 77 "$program" merge s.1-of-3.h5 s.2-of-3.h5 s.3-of-3.h5 -o no.h5
says 'process 7 on host elsewhere'
rm s.2-of-3.h5.lock
echo 'no HDF5' >text.h5
expect 65 "$program" merge s.1-of-3.h5 text.h5 -o no.h5
expect 66 "$program" merge s.1-of-3.h5 absent.h5 -o no.h5
expect 73 "$program" merge s.1-of-3.h5 s.2-of-3.h5 s.3-of-3.h5 -o absent/no.h5
expect 64 "$program" merge s.1-of-3.h5
expect 64 "$program" merge s.1-of-3.h5 -o no.h5 repeat=3
expect 64 "$program" status s.1-of-3.h5 s.2-of-3.h5
says 'one argument too many'
(
  ulimit -f 100 # blocks of 512 bytes
  expect 74 "$program" merge s.1-of-3.h5 s.2-of-3.h5 s.3-of-3.h5 -o no.h5
)
for file in no.h5 no.h5.partial no.h5.lock; do
  [ ! -e $file ] || fail "$file is left over"
done

# Refused before anything starts: no such share, more shares than runs, the file of another.
for bad in 0/3 4/3 1/0 1/-2 a/b 1 1/2/3 +1/2; do
  expect 78 "$program" run s.yaml "share=$bad" -o no.h5
  says 'i from 1 to n'
done
expect 78 "$program" run s.yaml share=3/12 -o no.h5
says 'the plan has 11 runs, so there are at most 11 shares'
expect 78 "$program" run s.yaml share=3/3 -o s.2-of-3.h5
says 's.2-of-3.h5 holds share 2/3 of this study, but share=3/3 is asked for'
expect 78 "$program" run s.yaml -o s.2-of-3.h5
says 'share=1/1 is asked for'
expect 78 "$program" run s.yaml share=2/3 -o whole.h5
[ ! -e no.h5 ] || fail "a refused share made a file"

# People speak of the numbers of the complete plan.
expect 0 "$program" plan s.yaml share=2/3
says 'share 2/3 of 11 runs'
says 's.2-of-3.h5: '
expect 78 "$program" run s.yaml share=1/3 'only=[11]'
says 'there is no run 11; runs are 0 to 10'
# shellcheck disable=SC2046 # words
set -- $("$python" -c 'import h5py; print(*h5py.File("s.2-of-3.h5")["run"][...])')
expect 78 "$program" run s.yaml share=1/3 "only=[$1]"
says "only: run $1 is not one of share 1/3"
"$program" run -q s.yaml share=2/3 "only=[$2]" -o one.h5 >out 2>err || [ $? = 1 ] || fail "only=$2"
"$python" -c "import h5py
f = h5py.File('one.h5')
assert [int(n) for n, s in zip(f['run'][...], f['status'][:, 0]) if s] == [$2]" || fail "only=$2"
expect 75 "$program" check one.h5
says "runs pending: $1 $3 "

# Times and launches of a file that tells them.
for i in 1 2; do
  expect 0 "$program" run -q s.yaml "share=$i/2" train.epochs=3 train.optimizer=adam train.learning_rate=4e-4 reproducible=no
done
expect 0 "$program" merge s.1-of-2.h5 s.2-of-2.h5 -o told.h5
"$python" - <<'END_' || fail "times and launches"
import h5py, json, numpy
f, part = h5py.File("told.h5"), [h5py.File(f"s.{i}-of-2.h5") for i in (1, 2)]
for p in part:
    for name in ("seconds", "rank"):
        assert (f["timing"][name][...][p["run"][...]] == p["timing"][name][...]).all()
rows = [json.loads(bytes(r).split(b"\0")[0]) for r in f["provenance/launch_json"][...] if r[0]]
assert [r["start"]["command"][4] for r in rows] == ["share=1/2", "share=2/2"], rows
assert "share: 1/1" in f["provenance"].attrs["resolved"] and "share" not in f["provenance"].attrs
END_
