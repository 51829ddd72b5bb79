#!/bin/sh
# A rank three times slower than the others, suspended two thirds of the time: the others do its share
# of the runs, so that it costs little more than its last one; the results are the same.
#   slow.sh PROGRAM SCRATCH [RUNS [EPOCHS]]
# Only that is asserted; the times are for people, on a machine that does nothing else.  At full length,
# about four minutes on 2 cores; the scratch folder is emptied first:
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

class File:
    def __init__(self, name):
        self.results, self.runs, self.busy = {}, collections.Counter(), collections.Counter()
        with h5py.File(name) as file:
            assert (file["status"][...] == 1).all(), name
            for rank, seconds in zip(file["timing/rank"][...].tolist(), file["timing/seconds"][...]):
                self.runs[rank] += 1
                self.busy[rank] += seconds
            told = bytes(file["provenance/launch_json"][0]).split(b"\0")[0]
            self.seconds = json.loads(told)["end"]["seconds"]
            file.visititems(self.keep)

    def keep(self, path, thing):
        if isinstance(thing, h5py.Dataset) and path.split("/")[0] not in ("timing", "provenance"):
            self.results[path] = thing[...].tolist() if thing.dtype == object else thing[...].tobytes()

even = File("even.h5")
assert len(even.results) > 40
print(f"{sys.argv[1]} runs on 2 ranks: {even.seconds:.1f} s")
for slow in 1, 0:
    name, other = f"slow{slow}.h5", 1 - slow
    file = File(name)
    a_run = {rank: file.busy[rank] / file.runs[rank] for rank in (slow, other)}
    idle = file.seconds - file.busy[other]
    print(f"rank {slow} slowed down: {file.seconds:.1f} s, {file.seconds / even.seconds:.2f} times as long (three times "
          f"slower: 1.5 if runs could be cut, 3 if each rank had half of them). Its {file.runs[slow]} runs took "
          f"{a_run[slow]:.2f} s each, the {file.runs[other]} of the other {a_run[other]:.2f} s, which had nothing to do "
          f"for {idle:.1f} s: {idle / a_run[slow]:.2f} runs of the slow one")
    assert file.results == even.results, f"{name}: other results"
    assert file.runs[slow] < file.runs[other], f"{name}: the slow rank did not do fewer runs: {file.runs}"
END2
