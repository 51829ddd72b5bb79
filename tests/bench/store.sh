#!/bin/sh
# How many runs a second are stored: 100,000 tiny ones, then 1000 of the size of the quickstart's.  The
# file is made in FOLDER (500 MB free), on the file system that is to be measured.
#   store.sh BUILD FOLDER [RUNS [RANKS]]
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)
bench=$1/tests/bench/bench_store
runs=${3:-100000}
export OMPI_MCA_rmaps_base_oversubscribe=1
mpirun -n "${4:-4}" "$bench" "$2" "$runs"
mpirun -n "${4:-4}" "$bench" "$2" $((runs / 100)) "$top/inputs/quickstart.yaml"
