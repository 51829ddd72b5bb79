#!/bin/sh
# A rank three times slower than the others, suspended two thirds of the time: the others do its share
# of the runs, so that it costs little more than its last one; the results are the same.
#   slow.sh PROGRAM SCRATCH [RUNS [EPOCHS]]
# Only that is asserted; the times are for people, on a machine that does nothing else.  At full length,
# about three minutes on 2 cores; the scratch folder is emptied first:
#   tests/campaign/slow.sh "$PWD/build/infoplane" /tmp/slow 40 10000
# shellcheck source=../cli/lib.sh
. "$(dirname "$0")/../cli/lib.sh"
"$python" -c 'import h5py' 2>/dev/null || skip "needs python3-h5py"
[ -r "/proc/$$/environ" ] || skip "needs Linux's /proc/PID/environ"
runs=${3:-16}

cat >s.yaml <<END2
network: {hidden: [6, 4]}
train: {epochs: ${4:-1000}}
look: [20, 60]
estimate: [{kind: binning, bins: 30}]
repeat: $runs
END2

# rank_of JOB RANK: its process
rank_of() {
  for pid in $(pgrep -P "$1"); do
    if tr '\0' '\n' <"/proc/$pid/environ" 2>/dev/null | grep -qx "OMPI_COMM_WORLD_RANK=$2"; then
      echo "$pid"
    fi
  done
}

# hamper PROCESS: until it is gone
hamper() {
  while kill -STOP "$1" 2>/dev/null; do
    sleep 0.6
    kill -CONT "$1" 2>/dev/null
    sleep 0.3
  done
}

# train FILE [RANK]: with this rank hampered
train() {
  mpirun -n 2 "$program" run s.yaml -o "$1" >out 2>err &
  job=$!
  await_training "$1"
  if [ -n "${2-}" ]; then
    slow=$(rank_of "$job" "$2")
    [ -n "$slow" ] || fail "rank $2 was not found"
    hamper "$slow" &
  fi
  wait "$job" || { cat out err; fail "$1: exit code $?"; }
}

train even.h5
for rank in 1 0; do
  train "slow$rank.h5" $rank
done

"$python" - "$runs" <<'END2'
import collections, json, sys
import h5py

def ranks(name):
    with h5py.File(name) as file:
        assert (file["status"][...] == 1).all(), name
        return collections.Counter(file["timing/rank"][...].tolist())

def launch(name):
    with h5py.File(name) as file:
        return json.loads(bytes(file["provenance/launch_json"][0]).split(b"\0")[0])["end"]["seconds"]

def results(name):
    found = {}
    def keep(path, thing):
        if isinstance(thing, h5py.Dataset) and path.split("/")[0] not in ("timing", "provenance"):
            found[path] = thing[...].tolist() if thing.dtype == object else thing[...].tobytes()
    with h5py.File(name) as file:
        file.visititems(keep)
    return found

n, even, truth = int(sys.argv[1]), launch("even.h5"), results("even.h5")
assert len(truth) > 40
one = 2 * even / n  # seconds of a run
print(f"{n} runs on 2 ranks: {even:.1f} s, {one:.2f} s a run")
for slow in 1, 0:
    name = f"slow{slow}.h5"
    did, seconds = ranks(name), launch(name)
    ideal = n * one / (1 + 1 / 3)  # as if runs could be cut
    print(f"rank {slow} three times slower: {seconds:.1f} s, {seconds / even:.2f} times as long (1.5 if runs could "
          f"be cut, 3 if each rank had half of them), {(seconds - ideal) / (3 * one):+.2f} of its runs over that; "
          f"it did {did[slow]}, the other {did[1 - slow]}")
    assert results(name) == truth, f"{name}: other results"
    assert did[slow] < did[1 - slow], f"{name}: the slow rank did not do fewer runs: {did}"
END2
