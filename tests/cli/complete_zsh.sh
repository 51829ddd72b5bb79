#!/bin/sh
# zsh, at its own prompt and with its own completion system, completes what completion zsh writes.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
command -v zsh >/dev/null || skip "zsh is not installed"
mkdir functions
"$program" completion zsh >functions/_infoplane
touch a.yaml b.h5

# A shell in a terminal of its own; TAB is typed behind each line, then what stands there is printed.
cat >ask.zsh <<'END'
zmodload zsh/zpty
zpty shell zsh -f -i
expect() { local line all=; repeat 3000; do zpty -r -t shell line && all+=$line || sleep 0.02
  [[ $all == *"$1"* ]] && return 0; done; print -r -- "$all"; return 1 }
zpty -w shell "PS1='%# '; fpath=('$PWD/functions' \$fpath); autoload -U compinit; compinit -u -D; print READ''Y"
expect READY || exit 1
zpty -w shell "stty -echo 2>/dev/null; bindkey '^X' show; show() { print -r -- \"<\$BUFFER>\"; BUFFER=; zle accept-line }; zle -N show; print RE''ADY2"
expect READY2 || exit 1
while read -r typed wanted; do
  zpty -w -n shell "infoplane ${typed//_/ }"$'\t\x18'
  expect "<infoplane $wanted" || { print "infoplane $typed: not $wanted"; exit 1 }
done <questions
zpty -d shell
END
cat >questions <<'END'
ru run
stat status
run_network.activ run network.activation=
run_network.activation=ta run network.activation=tanh
run_a.y run a.yaml
status_b status b.h5
plan_--cal plan --calibrate
explain_ons explain onset_epoch
help_symm help symmetric
completion_fi completion fish
END
# onset_epoch has an underscore of its own: only typed words are split at theirs
zsh -f ask.zsh >out 2>&1 || { cat out; fail "zsh does not complete"; }
