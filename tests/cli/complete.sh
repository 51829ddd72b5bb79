#!/bin/bash
# bash, having read what completion bash writes, completes verbs, options, keys, values and files.
program=$1 scratch=$2
set -eu
rm -rf "$scratch"
mkdir -p "$scratch/some folder"
cd "$scratch"
fail() { echo "FAILED: $*" >&2; exit 1; }
touch a.yaml b.h5 'c d.h5' e.txt
"$program" completion bash >script
# shellcheck disable=SC1091 # made here
. ./script
complete -p infoplane | grep -q '_infoplane infoplane' || fail "nothing completes infoplane"

# ask WORD ...: the last one is being typed
ask() {
  COMP_WORDS=(infoplane "$@")
  COMP_CWORD=$#
  COMPREPLY=()
  _infoplane 2>/dev/null || fail "_infoplane fails" # compopt complains of being alone
}
# gives WORD ...: exactly these, in any order
gives() {
  local got want
  got=$(printf '%s\n' ${COMPREPLY[@]+"${COMPREPLY[@]}"} | sort)
  want=$(printf '%s\n' "$@" | sort)
  [ "$got" = "$want" ] || fail "${COMP_WORDS[*]}: gives ${got//$'\n'/ } and not ${want//$'\n'/ }"
}
# has WORD: this among others
has() { printf '%s\n' "${COMPREPLY[@]}" | grep -qxF -- "$1" || fail "${COMP_WORDS[*]}: not $1"; }

ask ru
gives run
ask ''
has figures
has --version
ask -q stat
gives status
ask run network.act
gives network.activation=
ask run a.yaml network.activation = ''
gives tanh relu sigmoid softsign softplus linear
ask run a.yaml network.activation = ta
gives tanh
ask run a.yaml network.activation =
has tanh
ask run a.yaml network.activation=s # = is no word break here
gives network.activation=sigmoid network.activation=softsign network.activation=softplus
ask run a.yaml accept_build = ''
gives yes no
ask run ''
has a.yaml
has 'some folder'
! printf '%s\n' "${COMPREPLY[@]}" | grep -q 'h5$' || fail "run is offered results"
ask status ''
gives b.h5 'c d.h5' 'some folder'
ask run a.yaml dataset.path = e
gives e.txt
ask run a.yaml -o ''
has e.txt
ask plan --ca
gives --calibrate
ask plan a.yaml --for ''
gives slurm
ask help symm
gives symmetric
ask explain onset
gives onset_epoch
ask completion ''
gives bash zsh fish
ask run train.bat
gives train.batch=
ask nonsense ''
gives ''
