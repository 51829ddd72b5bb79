#!/bin/sh
# infoplane plan --calibrate: kept for each host, used by plan and run, and never trusted.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
printf 'repeat: 4\ntrain.epochs: 30\nlook: [0]\nestimate: [{kind: binning, bins: 30}]\n' >a.yaml

# Nowhere to keep it: said before anything is measured.
expect 69 env -u HOME -u XDG_CACHE_HOME "$program" plan --calibrate
says 'XDG_CACHE_HOME'
expect 64 "$program" plan --calibrate --ranks 4
says 'two questions'
expect 64 "$program" plan a.yaml --calibrate
says 'infoplane plan --calibrate'

touch file
expect 73 env XDG_CACHE_HOME="$PWD/file" "$program" plan --calibrate
says 'cannot be created'

# Under HOME, whose folder of caches does not exist yet.
mkdir home
HOME=$PWD/home
export HOME
unset XDG_CACHE_HOME
expect 0 ranks 2 "$program" plan --calibrate
says 'the fit is right within'
kept=home/.cache/infoplane/$(uname -n).yaml
[ -f "$kept" ] || fail "not kept in $kept"
[ "$(ls home/.cache/infoplane)" = "$(uname -n).yaml" ] || fail "something is left beside it"
[ -z "$(find . -name 'infoplane-calibrate*')" ] || fail "files of the calibration are left"
grep -q '^ranks: 2 ' "$kept" || fail "two ranks were busy"
for word in host cpu build date error; do
  grep -q "^$word: ." "$kept" || fail "$kept has no $word"
done

# It is used: by plan, by run, and in the launch's record.
expect 0 "$program" plan a.yaml
says 'as measured on'
expect 0 "$program" plan a.yaml --rates "$(uname -n)"
says 'as measured on'
expect 0 "$program" run a.yaml
says ' predicted '
says ', took '
"$python" -c 'import h5py' 2>/dev/null && "$python" - <<'END'
import h5py, json
end = json.loads(h5py.File("a.h5")["provenance/launch_json"][0].tobytes().split(b"\0")[0])["end"]
assert 0 < end["predicted_seconds"] < 3600, end
END
expect 0 "$program" run a.yaml -q -o b.h5
[ ! -s out ] || fail "-q says something"
expect 0 "$program" run a.yaml # nothing to do, nothing to predict
! grep -q predicted out || fail "a prediction of nothing"
expect 0 "$program" run a.yaml reproducible=yes -o c.h5
expect 0 env HOME=/nonexistent "$program" run a.yaml reproducible=yes -o d.h5
cmp c.h5 d.h5 || fail "a calibration shows in a reproducible file"

# Another build is said, another CPU is not used, damage is said and not used.
cp "$kept" good.yaml
sed 's/^build: .*/build: 0123456789abcdef/' good.yaml >"$kept"
expect 0 "$program" plan a.yaml
says 'by another build'
says 'as measured on'
sed 's/^cpu: .*/cpu: Abacus/' good.yaml >"$kept"
expect 0 "$program" plan a.yaml
says 'of another CPU (Abacus)'
expect 0 "$program" run a.yaml -o e.h5
! grep -q predicted out || fail "predicted with another CPU"
spoil() {
  sed "$1" good.yaml >"$kept"
  expect 0 "$program" plan a.yaml
  says 'not calibrated'
  expect 0 "$program" run a.yaml repeat=1 -o f.h5
  ! grep -q predicted out || fail "predicted from a damaged file: $1"
  rm f.h5
}
spoil 's/^  launch: .*/  launch: nan/'
spoil 's/^  launch: .*/  launch: -1/'
spoil 's/^  launch: [^ ]*/&x/'
spoil '/^  launch:/d'
spoil 's/^  launch/  lunch/'
spoil 's/^ranks: .*/ranks: 0/'
spoil 's/^ranks:/ranks/'
spoil 's/.*//'
spoil '3,99d'
head -c 100000 /dev/zero >"$kept"
expect 0 "$program" plan a.yaml
says 'not calibrated'
rm "$kept"
mkdir "$kept"
expect 0 "$program" plan a.yaml
says 'not calibrated'
