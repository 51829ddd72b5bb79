#!/bin/sh
# Help answers for every row of every table, a misspelled topic with the nearest, without MPI.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
export OMPI_MCA_ess=none # who starts MPI all the same fails

# What bash offers behind `help` are all topics.
"$program" completion bash | sed -n "s/^ *help) words='\([^']*\)'.*/\1/p" | tr ' ' '\n' |
  grep -v '^--' >topics
[ "$(wc -l <topics)" -gt 150 ] || fail "only $(wc -l <topics) topics"
while read -r topic; do
  "$program" help "$topic" >out 2>err || { cat err; fail "no help on $topic"; }
  [ -s out ] || fail "nothing is said of $topic"
  ! awk 'length > 96' out | grep -qv '^infoplane' || fail "a line of $topic is too long"
done <topics
for word in run completion train.batch batch kde mat plane too_little_data onset_epoch launch_json 75 exit; do
  grep -qx "$word" topics || fail "$word is no topic"
done

# Each kind by something that stands in its table alone.
expect 0 "$program" help run
says 'infoplane run INPUT.yaml'
expect 0 "$program" help plan
says '--calibrate'
expect 0 "$program" run --help
says 'infoplane run INPUT.yaml'
expect 0 "$program" help idx
says 'dataset: {name: idx, path: FILE}'
expect 0 "$program" help binning
says 'arXiv:1703.00810'
expect 0 "$program" help neurons
says 'what units of the first layer look at'
expect 0 "$program" help 77
says 'in use by another job'
expect 0 "$program" help bound # a verb, a figure, a table, an axis
says 'infoplane bound INPUT.yaml'
says 'figure bound'
says 'table bound.csv'
says 'bound (bound)'

expect 0 "$program" explain onset_epoch
says 'onset_epoch (run, layer, bound)'
says 'onset of diffusion: the gradients become noise'
says 'int32; -1 where there is none'
says 'unit        epochs'
says 'arXiv:1703.00810, Fig. 4'
says 'recorded by each run'
expect 0 "$program" explain timing/seconds
says 'unit        s'
expect 0 "$program" explain status
says '0 = pending, 1 = done, 2 = diverged, 3 = failed'
expect 0 "$program" explain batch_size
says 'the key train.batch: infoplane help train.batch'
expect 0 "$program" explain column_bins
says 'the key bins of an entry of estimate'
expect 0 "$program" explain curve_i_xt
says 'solved from the data set alone'
expect 0 "$program" explain
says 'gradient_sample_std_norm'

expect 64 "$program" help figurse
says 'Did you mean "figures"?'
expect 64 "$program" help 76
says 'Did you mean'
expect 64 "$program" explain onset_epok
says 'Did you mean "onset_epoch"?'
expect 64 "$program" explain timing/secnds
says 'no variable'
expect 64 "$program" rum --help
says 'Did you mean "run"?'
expect 64 "$program" help qqqqqqqqqqqqqqqqqqq
says 'infoplane help names what there is'
expect 64 "$program" completion tcsh
says 'bash, zsh and fish'
expect 64 "$program" completion
expect 64 "$program" run --man
says '--man is an option of infoplane help'

# Every variable of a file is explained with the unit and sentence that it has there.
unset OMPI_MCA_ess
one_at_a_time
expect 0 "$program" run /dev/stdin -o a.h5 <<'END'
train: {epochs: 2}
look: [1]
save: {weights: final}
END
"$python" - a.h5 >variables <<'END'
import h5py, sys
def show(name, o):
    if isinstance(o, h5py.Dataset):
        print(name, o.attrs["units"], o.attrs["long_name"], sep="\t")
h5py.File(sys.argv[1]).visititems(show)
END
[ "$(wc -l <variables)" -gt 60 ] || fail "only $(wc -l <variables) variables"
tab=$(printf '\t')
while IFS="$tab" read -r name unit sentence; do
  expect 0 "$program" explain "$name"
  says "  unit        $unit"
  tr -s '\n ' ' ' <out | grep -qF -- "$sentence" || fail "$name: not the sentence of the file"
done <variables
