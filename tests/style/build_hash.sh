#!/bin/sh
# IP_BUILD follows what numbers depend on and nothing else, and the header is left alone meanwhile.
#   build_hash.sh <top level> <scratch folder> <cmake>
set -eu
top=$1 scratch="$2/with space" cmake=$3
header=$scratch/infoplane_build.h

# The hash of the copy, compiled by $1 with flags $2.
hash_of() {
  "$cmake" -D ROOT="$scratch" -D OUT="$header" -D VERSION=1 -D COMPILER="$1" -D FLAGS="$2" \
    -P "$top/src/build.cmake"
  sed -n 's/^#define IP_BUILD *"\([0-9a-f]\{16\}\)"$/\1/p' "$header"
}
differs() { [ "$1" != "$first" ] || { echo "the hash does not see $2"; exit 1; }; }
equals() { [ "$1" = "$first" ] || { echo "the hash changed by $2"; exit 1; }; }

rm -rf "$2"
mkdir -p "$scratch/src/store"
cp -r "$top/src" "$top/include" "$scratch"
first=$(hash_of "GNU 12.2.0" "-O3")
[ ${#first} -eq 16 ] || { echo "no hash of 16 digits in $header"; exit 1; }
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
for file in src/core/names.c src/network/new_kernels.c src/estimator/table.def \
  include/infoplane/lanes.h include/infoplane/options.def; do
  mkdir -p "$(dirname "$scratch/$file")"
  touch "$scratch/$file"
  cp "$scratch/$file" "$2/kept"
  echo "/* */" >>"$scratch/$file"
  differs "$(hash_of "GNU 12.2.0" "-O3")" "$file"
  if [ -s "$2/kept" ]; then cp "$2/kept" "$scratch/$file"; else rm "$scratch/$file"; fi
done
equals "$(hash_of "GNU 12.2.0" "-O3")" "a change that was taken back"
rm -rf "$2"
