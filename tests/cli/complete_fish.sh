#!/bin/sh
# fish, having read what completion fish writes, completes verbs, options, keys, values and files.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
command -v fish >/dev/null || skip "fish is not installed"
export HOME="$scratch" XDG_CONFIG_HOME="$scratch" XDG_DATA_HOME="$scratch"
"$program" completion fish >infoplane.fish
touch a.yaml b.h5

# ask LINE WORD: among what is offered behind the line is the word
ask() {
  # shellcheck disable=SC2016 # of fish
  fish -N -c 'source infoplane.fish; complete -C "$argv[1]"' "$1" >out 2>err || fail "fish: $(cat err)"
  cut -f1 out | grep -qxF -- "$2" || { cat out err; fail "$1: not $2"; }
}
ask 'infoplane ru' run
ask 'infoplane run network.activation=ta' network.activation=tanh
ask 'infoplane run train.bat' train.batch=full
ask 'infoplane run a' a.yaml
ask 'infoplane status ' b.h5
ask 'infoplane plan --ca' --calibrate
ask 'infoplane plan --for ' slurm
ask 'infoplane help symm' symmetric
ask 'infoplane explain onset' onset_epoch
ask 'infoplane completion ' zsh
ask 'infoplane run -' -o
