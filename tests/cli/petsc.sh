#!/bin/sh
# PETSc gets the options meant for it and no others, and its log shows our stages.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

cat >p.yaml <<'YAML'
network: {hidden: [3]}
train: {epochs: 3}
look: [0]
repeat: 3
estimate: [{kind: binning, bins: 30}, {kind: kde, noise_variance: 1e-3}]
YAML

expect 0 ranks 2 "$program" run p.yaml -petsc_log_view :log.txt
for stage in train look binning kde store; do
  grep -qE "^ *[0-9]+: +$stage: " log.txt || { cat log.txt; fail "the log shows no stage $stage"; }
done

# Before the input file -petsc_X takes no value, so that the file is not taken for one.
expect 0 "$program" run -petsc_log_view p.yaml -o q.h5
says 'Summary of Stages'

# Unknown to PETSc: refused by one rank before there is a file.
expect 64 ranks 2 "$program" run p.yaml -o r.h5 -petsc_log_veiw
[ "$(grep -c -- '-petsc_log_veiw' err)" = 1 ] || { cat err; fail "not said once"; }
[ ! -e r.h5 ] || fail "a file was made"

# What lies in the environment or the home folder has no effect.
echo '-log_view :stray.txt' >.petscrc
expect 0 env HOME="$PWD" PETSC_OPTIONS='-log_view :stray.txt -nonsense' "$program" run p.yaml -o s.h5
[ ! -e stray.txt ] || fail "PETSC_OPTIONS or .petscrc was read"
