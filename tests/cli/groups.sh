#!/bin/sh
# Several ranks per run: the same bytes for groups of any size, also where a sweep is stopped in the
# middle and goes on with groups of another size; and how busy ranks were.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

cat >s.yaml <<'END'
network: {hidden: [[6, 4], [5]]}
train: {epochs: 3, learning_rate: 0.01}
look: [0, 1]
save: {weights: looked}
reproducible: yes
studies:
  - {name: drawn, dataset.labels: stochastic, estimate: [
      {kind: binning, bins: 30, range: [snapshot, run]}, {kind: kde, noise_variance: 0.1}]}
  - {name: certain, dataset.labels: deterministic, network.activation: relu, estimate: [
      {kind: binning, width: 0.07, on: [train, test]},
      {kind: kde, noise_variance: [1e-3, 1e-1], on: [full, test]},
      {kind: kde, noise_variance: 0.1, noise_scale: layer, on: train}]}
END
expect 0 "$program" run s.yaml -o s.h5
for k in 1 2 3 4; do
  expect 0 ranks 4 "$program" run s.yaml "ranks_per_run=$k" -o "s$k.h5"
  cmp s.h5 "s$k.h5" || fail "ranks_per_run=$k made other bytes"
done
expect 0 ranks 2 "$program" run s.yaml ranks_per_run=5 'only=[2,3]' -o s5.h5
says 'ranks_per_run is 5, and all ranks work on one run'
expect 0 ranks 3 "$program" run s.yaml ranks_per_run=2 -o s5.h5
cmp s.h5 s5.h5 || fail "run by run, ranks_per_run=5 and then 2: other bytes"

# Ranks without a run are told of.
expect 0 ranks 4 "$program" run s.yaml 'only=[2]' -o only.h5
says '3 of 4 ranks have nothing to do; with ranks_per_run=4 they assist in measuring'

# Stopped in the middle of looks, with groups of another size each time.
cat >w.yaml <<'END'
network: {hidden: [60, 60, 60]}
train: {epochs: 60}
look: [0, 1, 2, 3, 4, 5, 6, 8, 10, 12, 15, 20, 25, 30, 35, 40, 45, 50, 55]
repeat: 2
reproducible: yes
estimate: [{kind: kde, noise_variance: [1e-3, 1e-2, 1e-1]}]
END
expect 0 ranks 4 "$program" run w.yaml ranks_per_run=2 -o calm.h5
stops=0
for each in 3 2 4 1 3 2 4 1; do
  code=0
  ranks 4 "$program" run w.yaml -o wild.h5 "ranks_per_run=$each" max_time=0.5 >out 2>err || code=$?
  [ "$code" != 0 ] || break
  [ "$code" = 75 ] || { cat out err >&2; fail "exit code $code, wanted 75"; }
  stops=$((stops + 1))
done
[ "$code" = 0 ] || expect 0 "$program" run w.yaml -o wild.h5
[ "$stops" -gt 0 ] || fail "it was not stopped in the middle"
cmp calm.h5 wild.h5 || fail "stopped $stops times: other bytes"
[ ! -e wild.h5.ckpt ] || fail "checkpoints are left after the end"
echo "stopped $stops times"

# How busy: said at the end, kept with the launch.
busy() { sed -n "s/^ done in .*, $1 busy \\([-0-9]*\\) %.*/\\1/p" out; }
within() { # LOW VALUE HIGH
  if [ "$2" -lt "$1" ] || [ "$2" -gt "$3" ]; then cat out; fail "$2 is not from $1 to $3"; fi
}
expect 0 "$program" run s.yaml reproducible=no -o b.h5
alone=$(busy '1 rank')
within 80 "${alone:--1}" 100
expect 0 ranks 4 "$program" run s.yaml reproducible=no ranks_per_run=3 -o b4.h5
for range in "$(busy '2 ranks')" "$(busy '.*, 2 assistants')"; do
  least=${range%-*}
  within 0 "${least:--1}" 100
  within "$least" "${range#*-}" 100
done
"$python" -c 'import h5py' 2>/dev/null || skip "all but the record of the launch, which needs python3-h5py"
"$python" - <<'END'
import h5py, json
for name, keys in (("b.h5", ["busy"]), ("b4.h5", ["busy", "assistants_busy"])):
    end = json.loads(bytes(h5py.File(name)["provenance/launch_json"][0]).split(b"\0")[0])["end"]
    for key in keys:
        least, mean, most = end[key]
        assert 0 <= least <= mean <= most <= 1, (key, end)
    assert ("assistants_busy" in end) == (len(keys) == 2), end
END
