#!/bin/sh
# infoplane plan: times on so many ranks, and a job script. Nothing is calibrated here: see calibrate.sh.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
one_at_a_time

printf 'repeat: 64\ntrain.epochs: 40\nlook: [0]\nestimate: [{kind: binning, bins: 30}]\n' >a.yaml

# ---- times ----------------------------------------------------------------------------------------
expect 0 "$program" plan a.yaml
says 'not calibrated'
says 'ranks on this host'
says 'two slots of'
expect 0 "$program" plan a.yaml --ranks 1,64,65536
[ "$(grep -c '^ *[0-9].* %' out)" = 3 ] || { cat out; fail "three numbers of ranks, not three lines"; }
# efficiency: falls with the ranks, and is 100 % on one
"$python" - <<'END'
lines = [line for line in open("out") if " %" in line and line.split()[0].isdigit()]
rows = [line.split() for line in lines]
assert [r[0] for r in rows] == ["1", "64", "65536"], rows
efficiency = [float(line.split(" %")[0].split()[-1]) for line in lines]
assert efficiency == sorted(efficiency, reverse=True) and efficiency[2] < 1, rows
END
expect 0 "$program" plan a.yaml train.epochs=40000 --ranks=64
says 'as long as its longest run'
expect 0 "$program" plan a.yaml repeat=200000 --ranks=16,256,4096,65536
expect 64 "$program" plan a.yaml --ranks 4,
says 'whole numbers'
for bad in 0 -1 4x 4.5 1048577 '' ,4 '4, 5'; do
  expect 64 "$program" plan a.yaml "--ranks=$bad"
done
expect 64 "$program" plan a.yaml --rates no-such-host
says 'infoplane plan --calibrate'

# ---- groups ---------------------------------------------------------------------------------------
printf 'repeat: 300\ntrain.epochs: 40\nestimate: [{kind: kde, noise_variance: [1e-3, 1e-1]}]\n' >g.yaml
expect 0 "$program" plan g.yaml --ranks 1,2
[ "$(grep -c groups out)" = 0 ] || { cat out; fail "groups, but every rank trains"; }
kept=$(sed -n 's/^ *checkpoints \(.*\) a rank in .*/\1/p' out)
cp out alone
expect 0 "$program" plan g.yaml ranks_per_run=2 --ranks 1,2,3,4,128,130
says 'of 2 ranks, of which the first trains a run and the others assist its kde'
says 'estimated as if nobody waited for another'
says 'above 64 groups rank 0 only hands out runs: 1 that would assist it is idle'
says "$kept a group in"
# ranks and groups by hand; one rank has nobody to share with; two save time together, but not more than
# apart; 2^24 and 2^25 bytes of pairs on their way
"$python" - <<'END'
import re
def rows(name):
    return [re.match(r" +(\d+) +(?:(\d+) +)?((?:[\d.]+ [dhms] ?)+) +(\d+) %", line) for line in open(name)]
def seconds(row):
    words = row[3].split()
    unit = {"s": 1, "m": 60, "h": 3600, "d": 86400}
    return sum(float(n) * unit[u] for n, u in zip(words[::2], words[1::2]))
def memory(name):
    return float(re.search(r"memory +([\d.]+) MB a rank", open(name).read())[1])
alone, groups = ([row for row in rows(name) if row] for name in ("alone", "out"))
assert [(row[1], row[2]) for row in groups] == [
    ("1", "1"), ("2", "1"), ("3", "2"), ("4", "2"), ("128", "64"), ("130", "65")], groups
assert groups[0].group(3, 4) == alone[0].group(3, 4), groups
assert seconds(alone[1]) <= seconds(groups[1]) < 0.8 * seconds(alone[0]), (alone, groups)
assert abs(memory("out") - memory("alone") - 50.331648) < 0.6, (memory("out"), memory("alone"))
END
expect 0 "$program" plan g.yaml ranks_per_run=2 --ranks 4,128
[ "$(grep -c 'only hands out' out)" = 0 ] || { cat out; fail "64 groups: rank 0 trains"; }
expect 0 "$program" plan a.yaml ranks_per_run=2
says '0 of 64 runs have so much kde that it is shared'
printf 'studies: [{name: a}, {name: b, train.epochs: 3, estimate: [{kind: binning}]}]\n' | cat g.yaml - >h.yaml
expect 0 "$program" plan h.yaml ranks_per_run=2
says '300 of 600 runs have so much kde that it is shared'
expect 0 "$program" plan g.yaml checkpoint=none
says 'checkpoints none'

# ---- options --------------------------------------------------------------------------------------
expect 64 "$program" plan a.yaml --rank 4
says 'Did you mean "--ranks"?'
expect 64 "$program" run a.yaml --ranks 4
says '--ranks is an option of infoplane plan, not of run'
expect 64 "$program" plan a.yaml --ranks 4 --ranks 5
says 'given twice'
expect 64 "$program" plan a.yaml --ranks
says 'needs a value'
expect 64 "$program" plan --calibrate=yes
says 'takes no value'
expect 0 "$program" help
says '--ranks-per-node R'

# ---- a job script ---------------------------------------------------------------------------------
mkdir "it's a folder"
cp a.yaml "it's a folder/my study.yaml"
cd "it's a folder"
expect 0 "$program" plan 'my study.yaml' --for slurm --nodes 2 --ranks-per-node 3 --time 90m \
  repeat=2 'look=[0, 2]' train.epochs=3 -o 'out put.h5'
cp out job.sh
grep -qx '#SBATCH --nodes=2' job.sh || fail "no nodes"
grep -qx '#SBATCH --ntasks-per-node=3' job.sh || fail "no ranks"
grep -qx '#SBATCH --time=1:30:00' job.sh || fail "no time"
grep -qx '#SBATCH --job-name=my_study' job.sh || fail "no name"
grep -q '^#SBATCH --signal=B:USR1@' job.sh || fail "the signal of jobs/run.sbatch is missing"
[ "$(grep -c '^#SBATCH --ntasks=' job.sh)" = 0 ] || fail "two numbers of ranks"
# Slurm reads no line behind the first command
[ "$(sed '/^[^#]/,$d' job.sh | grep -c '^#SBATCH')" = "$(grep -c '^#SBATCH' job.sh)" ] ||
  fail "a line of #SBATCH stands too late"
grep -q '^# Predicted ' job.sh || fail "no prediction"
grep -q '^# Results .* checkpoints' job.sh || fail "no file size"
grep -q '^# Memory .* a node' job.sh || fail "no memory"
sh -n job.sh
if command -v shellcheck >/dev/null; then
  shellcheck job.sh || fail "shellcheck"
fi
# two runs on six ranks: said in the script and beside it, with a better shape
grep -q '^# Efficiency poor' job.sh || fail "no warning in the script"
says 'warning: efficiency is poor'
says '--nodes 1 --ranks-per-node'

# It does what it says, from any folder (by mpirun where there is no srun).
if ! command -v srun >/dev/null; then
  here=$PWD
  (cd / && bash "$here/job.sh") >out 2>err || { cat out err; fail "the script"; }
  [ -f 'out put.h5' ] || fail "results are not where the script was written"
  expect 0 "$program" status 'out put.h5'
  says '2 done'
fi

# Names that are commands in the wrong place.
# shellcheck disable=SC2016 # on purpose
name=$(printf 'a\nb; touch hit; $(touch hit) `touch hit` "c')
expect 0 "$program" plan 'my study.yaml' "name=$name" --for slurm --nodes 1 --ranks-per-node 1 --time 1h || true
sh -n out
[ ! -e hit ] || fail "a name was a command"
cd ..

# ---- groups in a job: two ranks each, where as many would train alone ------------------------------------
checkpoints() { sed -n 's/^# Results .*, and \(.*\) of checkpoints.*/\1/p' out; }
expect 0 "$program" plan g.yaml --for slurm --nodes 2 --ranks-per-node 2 --time 12h
[ "$(grep -c '^# Groups' out)" = 0 ] || { cat out; fail "groups, but every rank trains"; }
kept=$(checkpoints)
expect 0 "$program" plan g.yaml --for slurm --nodes 2 --ranks-per-node 4 --time 12h ranks_per_run=2
says 'on 2 x 4 ranks in 4 groups'
says '# Groups     of 2 ranks'
[ "$(checkpoints)" = "$kept" ] || { cat out; fail "checkpoints, but of four groups: $kept"; }
[ "$(grep -c 'some lie on two nodes' out)" = 0 ] || { cat out; fail "no group lies on two nodes"; }
grep -q "'ranks_per_run=2'" out || fail "the job does not know of its groups"
sh -n out
expect 0 "$program" plan g.yaml --for slurm --nodes 2 --ranks-per-node 3 --time 12h ranks_per_run=2
says 'some lie on two nodes'
expect 0 "$program" plan g.yaml --for slurm --nodes 1 --ranks-per-node 2 --time 12h checkpoint=none
says 'and 0 B of checkpoints'

# ---- more lives than one; times that cannot be -------------------------------------------------------
expect 0 "$program" plan a.yaml repeat=20000 train.epochs=20000 --for=slurm --nodes=1 --ranks-per-node=2 --time=2h
says ' lives of this job'
expect 0 "$program" plan a.yaml --for slurm --nodes 1 --time 2-00:00:00
says '#SBATCH --time=48:00:00'
says 'done in one life of this job'
for bad in 5 0h 12:00 1:60:00 12:61:00 4w abc 400d 1-2 '' 1h30m; do
  expect 64 "$program" plan a.yaml --for slurm --nodes 1 "--time=$bad"
done
expect 64 "$program" plan a.yaml --for slurm --nodes 1 --time 5m
says 'before its time is over'
expect 64 "$program" plan a.yaml --for slurm --nodes 1
says 'needs --nodes N and --time T'
expect 64 "$program" plan a.yaml --for pbs --nodes 1 --time 1h
says 'is not one of: slurm'
expect 64 "$program" plan a.yaml --nodes 1
says '--nodes is part of --for slurm'
for bad in 0 x 2x -1; do
  expect 64 "$program" plan a.yaml --for slurm "--nodes=$bad" --time 1h
done
[ ! -e cache ] || fail "plan wrote into the cache"
[ ! -e a.h5 ] || fail "plan made a file"
