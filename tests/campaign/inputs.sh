#!/bin/sh
# Every input of the paper and its critics in one go: run, figures, tables, claims.
#   inputs.sh PROGRAM SCRATCH SOURCE [key=value ...]
# At full length, about twenty minutes on 2 cores; the scratch folder is emptied first:
#   tests/campaign/inputs.sh "$PWD/build/infoplane" /tmp/inputs . repeat=2
# CI runs a short form of the same, which shows that nothing is missing, not what comes out.
# shellcheck source=../cli/lib.sh
. "$(dirname "$0")/../cli/lib.sh"
command -v gnuplot >/dev/null || skip "needs gnuplot"
source=$(cd "$OLDPWD" && cd "$3" && pwd)
shift 3

for input in "$source"/inputs/paper/all.yaml "$source"/inputs/critique/*.yaml; do
  name=$(basename "$input" .yaml)
  began=$(date +%s)
  expect 0 ranks 2 "$program" run "$input" "$@" -o "$name.h5"
  says "Next:  infoplane figures $name.h5"
  expect 0 "$program" figures "$name.h5" -o "$name"
  says "claims: effect with its 95 % interval"
  [ -s "$name/claims.csv" ] || fail "$name: no claims"
  pictures=$(find "$name" -name '*.png' | wc -l)
  [ "$pictures" -gt 4 ] || fail "$name: $pictures pictures"
  echo "$name: $(($(date +%s) - began)) s, $pictures pictures"
done
