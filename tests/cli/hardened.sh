#!/bin/sh
# The program of a release build: loaded anywhere, its tables of addresses read-only, no stack that can
# be executed, guards in its functions, calls with bounds that the compiler knows.
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
command -v readelf >/dev/null || skip "needs readelf (binutils)"

# has TEXT switches: readelf shows it
has() {
  text=$1
  shift
  readelf -W "$@" "$program" >shown 2>err || { cat err; fail "readelf $*"; }
  grep -q -- "$text" shown || fail "readelf $* shows no $text"
}

has 'Type: *DYN' -h
has '(FLAGS_1) .*PIE' -d
has 'BIND_NOW\|(FLAGS_1) .*NOW' -d
has GNU_RELRO -l
has 'GNU_STACK .* RW  *0x' -l
has __stack_chk_fail --dyn-syms
has '__[a-z]*_chk' --dyn-syms
readelf -W --dyn-syms "$program" | grep -q '__snprintf_chk\|__vsnprintf_chk' ||
  fail "no fortified snprintf"
