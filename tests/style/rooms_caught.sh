#!/bin/sh
# style/rooms must fail when a rule is broken: break each in a copy and see it named.
#   rooms_caught.sh <top level> <scratch folder> <cmake>
set -eu
root=$1 scratch=$2 cmake=$3

# caught <file> <line to append> <words that the complaint must have>
caught() {
  rm -rf "$scratch"
  mkdir -p "$scratch"
  cp -r "$root/src" "$root/include" "$scratch"
  mkdir -p "$(dirname "$scratch/$1")"
  printf '%s\n' "$2" >>"$scratch/$1"
  if "$cmake" -D ROOT="$scratch" -P "$root/tests/style/rooms.cmake" >"$scratch/said" 2>&1; then
    echo "$1 with '$2' was let through"
    exit 1
  fi
  if ! tr -s ' \n' ' ' <"$scratch/said" | grep -q "$3"; then # cmake folds long lines
    echo "$1 with '$2' failed, but not with '$3':"
    cat "$scratch/said"
    exit 1
  fi
}

caught src/numerics/entropy.c '#include <infoplane/network.h>' 'numerics may not look into network'
caught src/core/names.c '  #  include "infoplane/rng.h"' 'core may not look into rng'
caught include/infoplane/study.h '#include <infoplane/store.h>' 'study may not look into store'
caught include/infoplane/lanes.h '#include <infoplane/core.h>' 'lanes may not look into core'
caught src/estimator/new.c '#include "../network/private.h"' 'private headers stay in their room'
caught src/rng/rng.c '  MPI_Barrier(comm);' 'names MPI'
caught src/study/run.c '  MPI_Barrier(PETSC_COMM_SELF);' 'names MPI'
caught src/dataset/idx.c '  hid_t file = H5Fopen(path);' 'names HDF5'
caught include/infoplane/strange.h '#pragma once' 'no room of the plan'
caught src/strange/strange.c '' 'no such room'
rm -rf "$scratch"
