#!/bin/sh
# What CMake says where a library is missing: its name and the package that brings it. Without
# cmocka the program is configured all the same, unless tests are asked for.
#   missing.sh <top level> <scratch folder> <cmake>
set -eu
top=$1 scratch=$2 cmake=$3

rm -rf "$scratch"
mkdir -p "$scratch"

# configure <package of pkg-config to hide> [options]: asks pkg-config again, all else is kept.
configure() {
  hidden=$1
  shift
  rm -rf "$scratch/pc"
  mkdir "$scratch/pc"
  for path in $(pkg-config --variable pc_path pkg-config | tr : ' '); do
    for file in "$path"/*.pc; do
      case $(basename "$file" | tr '[:upper:]' '[:lower:]') in
        "$hidden.pc" | '*.pc') ;;
        *) ln -sf "$file" "$scratch/pc" ;;
      esac
    done
  done
  PKG_CONFIG_PATH='' PKG_CONFIG_LIBDIR="$scratch/pc" "$cmake" -S "$top" -B "$scratch/build" \
    -U '__pkg_config*' -U 'BUILD_TESTING' "$@" >"$scratch/said" 2>&1
}

fail() { echo "$*:"; cat "$scratch/said"; exit 1; }
says() { tr -s ' \n' ' ' <"$scratch/said" | grep -qF -- "$1" || fail "it does not say '$1'"; }

configure none || fail "with everything it is not configured"
while read -r hidden package; do
  if configure "$hidden"; then fail "without $hidden it is configured"; fi
  says "apt-get install $package"
done <<END
petsc libpetsc-real-dev
yaml-0.1 libyaml-dev
libxxhash libxxhash-dev
openblas libopenblas-dev
END

configure cmocka || fail "without cmocka it is not configured"
says "cmocka was not found, so no tests are built"
if grep -q BUILD_TESTING:BOOL=ON "$scratch/build/CMakeCache.txt"; then fail "tests without cmocka"; fi
if configure cmocka -DBUILD_TESTING=ON; then fail "tests were asked for without cmocka, and nothing said"; fi
says "apt-get install libcmocka-dev"
rm -rf "$scratch"
