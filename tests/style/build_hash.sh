#!/bin/sh
# IP_BUILD follows what numbers depend on and nothing else, and the header is left alone meanwhile.
#   build_hash.sh <top level> <scratch folder> <cmake>
set -eu
top=$1 scratch="$2/with space" cmake=$3
header=$scratch/infoplane_build.h

name() { sed -n "s/^#define $1 *\"\([0-9a-f]\{16\}\)\"\$/\1/p" "$header"; }
# The hash of the copy, compiled by $1 with flags $2.
hash_of() {
  "$cmake" -D ROOT="$scratch" -D OUT="$header" -D VERSION=1 -D COMPILER="$1" -D FLAGS="$2" \
    -P "$top/src/build.cmake"
  name IP_BUILD
}
differs() { [ "$1" != "$first" ] || { echo "the hash does not see $2"; exit 1; }; }
equals() { [ "$1" = "$first" ] || { echo "the hash changed by $2"; exit 1; }; }

rm -rf "$2"
mkdir -p "$scratch/src/store"
cp -r "$top/src" "$top/include" "$scratch"
first=$(hash_of "GNU 12.2.0" "-O3")
model=$(name IP_MODEL)
[ "${#first} ${#model}" = "16 16" ] || { echo "no hash of 16 digits in $header"; exit 1; }
[ "$first" != "$model" ] || { echo "predictions are seen by none"; exit 1; }
grep -q '^#define IP_COMMIT   "unknown"$' "$header" || { echo "a folder without git has no commit"; exit 1; }

touch -d 2001-01-01 "$header"
equals "$(hash_of "GNU 12.2.0" "-O3")" "nothing"
[ -z "$(find "$header" -newermt 2002-01-01)" ] || { echo "the header was written again"; exit 1; }
differs "$(hash_of "GNU 12.2.1" "-O3")" "the compiler"
differs "$(hash_of "GNU 12.2.0" "-O2")" "the flags"

mkdir -p "$scratch/src/store" "$scratch/src/cli"
echo "/* */" >>"$scratch/src/store/slabs.c"
echo "/* */" >>"$scratch/src/cli/main.c"
echo "/* */" >>"$scratch/include/infoplane/store.h"
equals "$(hash_of "GNU 12.2.0" "-O3")" "the store"
[ "$(name IP_MODEL)" = "$model" ] || { echo "predictions changed by the store"; exit 1; }
# A better prediction continues a file, and asks for new speeds of the machine.
for file in include/infoplane/cost.def src/study/cost.c src/study/simulate.c src/study/order.c \
  src/study/order.h src/study/silence.c src/study/silence.h; do
  cp "$scratch/$file" "$2/kept"
  echo "/* */" >>"$scratch/$file"
  equals "$(hash_of "GNU 12.2.0" "-O3")" "$file"
  [ "$(name IP_MODEL)" != "$model" ] || { echo "no prediction changed by $file"; exit 1; }
  cp "$2/kept" "$scratch/$file"
done
for file in src/core/names.c src/network/new_kernels.c src/estimator/table.def \
  src/estimator/kde.c src/study/share.c src/study/schedule.c src/study/measure.c \
  include/infoplane/lanes.h include/infoplane/options.def include/infoplane/record.def; do
  mkdir -p "$(dirname "$scratch/$file")"
  touch "$scratch/$file"
  cp "$scratch/$file" "$2/kept"
  echo "/* */" >>"$scratch/$file"
  differs "$(hash_of "GNU 12.2.0" "-O3")" "$file"
  if [ -s "$2/kept" ]; then cp "$2/kept" "$scratch/$file"; else rm "$scratch/$file"; fi
done
equals "$(hash_of "GNU 12.2.0" "-O3")" "a change that was taken back"
rm -rf "$2"
