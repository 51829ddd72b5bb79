#!/bin/sh
# clang-tidy 14 with .clang-tidy has nothing to say on src and tests; the two cores of a small machine
# share the files. Its static analyzer follows the program alone, as what a test does with a null pointer
# shows when it runs, and not to the end, which takes six times as long:
#   tidy.sh <top level> <build folder> [FULL]
set -eu
cd "$1"
for tidy in clang-tidy-14 clang-tidy none; do
  if command -v "$tidy" >/dev/null && "$tidy" --version | grep -q 'version 14\.'; then break; fi
done
if [ "$tidy" = none ]; then
  echo "skipped: clang-tidy 14 is not installed"
  exit 77
fi
build=$2
depth='-Xclang -analyzer-config -Xclang max-nodes=10000'
[ "${3-}" != FULL ] || depth=
# examine FOLDER CHECKS: one file at a time; several in one process confuse its va_list checker.
# Warnings are gcc's: clang has others.
examine() {
  for word in $depth; do set -- "$@" --extra-arg="$word"; done
  folder=$1 checks=$2
  shift 2
  find "$folder" -name '*.c' -print0 |
    xargs -0 -n 1 -P 2 "$tidy" --quiet -p "$build" --extra-arg=-Wno-error "$@" --checks="$checks" 2>/dev/null
}
examine src ''
examine tests '-clang-analyzer-*'
