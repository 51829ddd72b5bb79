#!/bin/sh
# infoplane grow: a bigger file in the place of one that stands, which holds what it held, and becomes
# what one job had written; killed at any moment, the file is either of the two.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
one_at_a_time
"$python" -c 'import h5py' 2>/dev/null || skip "needs python3-h5py"
export HDF5_USE_FILE_LOCKING=FALSE

cat >g.yaml <<'YAML'
network: {hidden: [3, 3]}
look: log
reproducible: yes
estimate: [{kind: binning, bins: 30}]
studies:
  - {name: deep, train.epochs: [4, 12], dataset: {labels: stochastic, samples: 200}, save: {weights: looked}}
  - {name: wild, train: {epochs: 9, optimizer: sgd, learning_rate: [4e-4, 1e6]},
     network.activation: linear, estimate: [{kind: binning, bins: 30, range: snapshot}]}
YAML
expect 1 "$program" run -q g.yaml repeat=5 -o whole.h5
expect 1 "$program" run -q g.yaml repeat=2 -o small.h5

cp small.h5 g.h5
chmod 640 g.h5
mv g.yaml away.yaml
expect 0 "$program" grow g.h5 repeat=5
says 'g.h5: grown to 20 runs, 6 of them are done'
says 'infoplane run INPUT repeat=5 -o g.h5'
mv away.yaml g.yaml
[ "$(stat -c %a g.h5)" = 640 ] || fail "another mode than the old file"
for file in g.h5.lock g.h5.partial; do
  [ ! -e $file ] || fail "something is left: $file"
done
expect 0 "$program" grow g.h5 repeat=5
says 'has all of it already'
expect 78 "$program" run g.yaml repeat=2 -o g.h5
"$python" -c 'import h5py
f = h5py.File("g.h5"); s = f["status"][:, 0]
assert s[:8].all() and not s[8:].any(), s' || fail "rows"
expect 1 ranks 2 "$program" run -q g.yaml repeat=5 -o g.h5
cmp whole.h5 g.h5 || fail "grown: other bytes than of one job"

# What would lose or change runs is refused, and the file stays as it is.
before=$(cksum small.h5)
for bad in repeat=1 seed=2 train.epochs=12 'look=[2]' save.weights=final save.weights=no \
  'estimate=[{kind: binning, bins: 8, range: snapshot}]' gradient_batch=3; do
  expect 78 "$program" grow small.h5 "$bad"
  says small.h5:
done
says 'would be measured or kept otherwise'
expect 78 "$program" grow small.h5 repeat=1
says '4 of its 8 runs would be lost: 4 5 6 7'
expect 78 "$program" grow small.h5 repaet=4
for bad in max_time=3 share=1/2 reproducible=no 'only=[3]'; do
  expect 64 "$program" grow small.h5 "$bad" repeat=3
  says "grow does not take ${bad%=*}"
done
expect 78 "$program" grow small.h5 'dataset.gamma=[54.492, 20]'
says 'labels are uncertain, so its bottleneck curve would have to be solved'
says 'an output file of its own'
expect 64 "$program" grow small.h5
expect 64 "$program" grow small.h5 repeat=4 -o other.h5
expect 66 "$program" grow absent.h5 repeat=4
ln -s small.h5 link.h5
expect 73 "$program" grow link.h5 repeat=4
says 'symbolic link'
printf 'token: 0000000000000001\nhost: elsewhere\npid: 7\njob:\n' >small.h5.lock
expect 77 "$program" grow small.h5 repeat=4
rm small.h5.lock
expect 1 "$program" run -q g.yaml share=2/2 -o share.h5
expect 78 "$program" grow share.h5 repeat=4
says 'join the shares with infoplane merge'
(
  ulimit -f 100 # blocks of 512 bytes
  expect 74 "$program" grow small.h5 repeat=3
)
[ "$(cksum small.h5)" = "$before" ] || fail "a file that could not grow was touched"
for file in small.h5.partial small.h5.lock; do
  [ ! -e $file ] || fail "something is left of a refusal: $file"
done

# More points of the grid, deeper networks, more looks, columns in another order: rows move, axes grow.
# The old data set is a file that is gone; it is not read.
small_data d.h5
cat >p.yaml <<'YAML'
network: {hidden: [3]}
look: [4]
reproducible: yes
repeat: 2
save: {weights: final}
dataset: {name: hdf5, path: d.h5}
train: {epochs: 10}
estimate: [{kind: binning, bins: [30, 8]}]
YAML
expect 0 "$program" run -q p.yaml -o p.h5
mv d.h5 gone.h5
expect 0 "$program" grow p.h5 'network.hidden=[[4, 4], [3]]'
says 'p.h5: grown to 4 runs, 2 of them are done'
mv gone.h5 d.h5
expect 0 "$program" run -q p.yaml 'network.hidden=[[4, 4], [3]]' -o p.h5
expect 0 "$program" run -q p.yaml 'network.hidden=[[4, 4], [3]]' -o p_whole.h5
cmp p_whole.h5 p.h5 || fail "rows moved: other bytes"

set -- 'train.epochs=[7, 20, 10]' 'estimate=[{kind: binning, bins: [8, 30]}]' repeat=3 \
  'network.hidden=[[4, 4], [3]]'
expect 0 "$program" grow p.h5 "$@"
says 'p.h5: grown to 18 runs, 4 of them are done'
expect 0 "$program" run -q p.yaml "$@" -o p.h5
expect 0 "$program" run -q p.yaml "$@" -o p_more.h5
cmp p_more.h5 p.h5 || fail "axes grew: other bytes"

# Runs that diverged or are damaged; those are named and done again.
"$python" -c 'import h5py, shutil
shutil.copy("small.h5", "bad.h5")
with h5py.File("bad.h5", "r+") as f: f["loss_train"][1, 0] = 7'
expect 1 "$program" grow bad.h5 repeat=5
says 'did not fit their checksum and will be computed again: 1'
expect 1 "$program" run -q g.yaml repeat=5 -o bad.h5
cmp whole.h5 bad.h5 || fail "damaged, grown, mended: other bytes"

# Runs in progress keep their checkpoints where they keep their rows, else grow is refused.
cat >c.yaml <<'YAML'
network: {hidden: [7, 4]}
look: log
reproducible: yes
train: {epochs: 30000, optimizer: [momentum, sgd]}
estimate: [{kind: binning, bins: 30}]
YAML
expect 75 "$program" run c.yaml -o c.h5 max_time=1
[ -e c.h5.ckpt ] || fail "no checkpoints after a stop"
before=$(cksum c.h5 c.h5.ckpt)
expect 78 "$program" grow c.h5 'train.optimizer=[adam, momentum, sgd]'
says 'c.h5.ckpt holds a checkpoint of run '
[ "$(cksum c.h5 c.h5.ckpt)" = "$before" ] || fail "refused, but touched"
expect 0 "$program" grow c.h5 repeat=2
expect 75 "$program" run c.yaml repeat=2 -o c.h5 max_time=1
says 'taken up from c.h5.ckpt'
expect 0 "$program" run -q c.yaml -o c.h5 repeat=2 'only=[0,1]'
expect 0 "$program" run -q c.yaml repeat=2 -o calm.h5 'only=[0,1]'
cmp calm.h5 c.h5 || fail "taken up after growing: other bytes"

# Killed, at moments from its beginning to beyond its end: the file is the old one or the new one, and
# the next grow goes through.
old=$(cksum <small.h5)
cp small.h5 k.h5
begun=$(date +%s%N)
expect 0 "$program" grow k.h5 repeat=300
took=$(($(date +%s%N) - begun))
new=$(cksum <k.h5)
olds=0 news=0
for i in $(seq 20); do
  rm -f k.h5.lock
  cp small.h5 k.h5
  "$program" grow -q k.h5 repeat=300 >out 2>err &
  job=$!
  sleep "$("$python" -c "print($took * $i / 15e9)")"
  kill -9 "$job" 2>/dev/null || true
  wait "$job" 2>/dev/null || true
  have=$(cksum <k.h5)
  case $have in
    "$old") olds=$((olds + 1)) ;;
    "$new") news=$((news + 1)) ;;
    *) fail "killed: neither the old nor the new file" ;;
  esac
done
echo "killed: $olds old, $news new"
cp small.h5 k.h5
expect 0 "$program" grow k.h5 repeat=300
[ "$(cksum <k.h5)" = "$new" ] || fail "grown after kills: other bytes"
[ ! -e k.h5.partial ] || fail "what a killed grow left was not removed"
