#!/bin/sh
# Unit tests under valgrind, and a small study on two ranks: no error and no lost memory of ours.
# Suppressions name libraries only (support/valgrind.supp and Open MPI's own).
#
#   tests/valgrind.sh                every unit test that is not slow
#   tests/valgrind.sh store core     those whose name begins so
#
# Built in build-valgrind, where -O1 keeps lines apart; vector kernels run as AVX2, which is the widest
# that valgrind knows. The last line counts; what failed is in build-valgrind/valgrind/.
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
build=$top/build-valgrind
command -v valgrind >/dev/null || { echo "tests/valgrind.sh: valgrind was not found; Debian: apt-get install valgrind" >&2; exit 69; }

mkdir -p "$build"
if ! { cmake -S "$top" -B "$build" -DCMAKE_BUILD_TYPE=Debug "-DCMAKE_C_FLAGS_DEBUG=-O1 -g" -DBUILD_TESTING=ON &&
  cmake --build "$build" -j "$(nproc)"; } >"$build/build.log" 2>&1; then
  cat "$build/build.log" >&2
  exit 70
fi
logs=$build/valgrind
rm -rf "$logs"
mkdir -p "$logs"
export INFOPLANE_ISA=avx2 INFOPLANE_VALGRIND=1 OPENBLAS_NUM_THREADS=1 HDF5_USE_FILE_LOCKING=FALSE
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
export OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_hwloc_base_binding_policy=none

checked() {
  valgrind -q --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite \
    --error-exitcode=99 --suppressions="$top/tests/support/valgrind.supp" \
    --suppressions=/usr/share/openmpi/openmpi-valgrind.supp "$@"
}
good=0
bad=0
# judge NAME command ...
judge() {
  name=$1
  log=$logs/$(echo "$1" | tr / _).log
  shift
  began=$(date +%s)
  code=0
  (cd "$logs" && "$@") >"$log" 2>&1 || code=$?
  case $code in
    0 | 77) good=$((good + 1)); word=good ;;
    *) bad=$((bad + 1)); word="code $code, see $log" ;;
  esac
  echo "$name: $word, $(($(date +%s) - began)) s"
}

begins='^'
[ $# -eq 0 ] || begins="^($(printf '%s|' "$@" | sed 's/|$//'))"
for test in $(ctest --test-dir "$build" -N -L unit -LE slow -R "$begins" | sed -n 's/^ *Test *#[0-9]*: //p'); do
  room=$(dirname "$test")
  name=$(basename "$test")
  set -- "$build/tests/$room/test_${room}_$name"
  [ "$room" != fuzz ] ||
    set -- "$build/tests/fuzz/fuzz_$name" "$top/tests/fuzz/corpus/$name" "$top/tests/fuzz/regressions/$name"
  judge "$test" checked "$@"
done

cat >"$logs/study.yaml" <<'END'
network: {hidden: [6, 4]}
train: {fraction: [5%, 85%], epochs: 3, optimizer: [sgd, momentum, adam]}
dataset: {samples: 400}
look: [1]
estimate: [{kind: binning, bins: 30}, {kind: kde, noise_variance: 1e-3}]
save: {weights: looked}
END
two_ranks() {
  mpirun -n 2 valgrind -q --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite \
    --error-exitcode=99 --suppressions="$top/tests/support/valgrind.supp" \
    --suppressions=/usr/share/openmpi/openmpi-valgrind.supp "$build/infoplane" run study.yaml
}
judge "a study on two ranks" two_ranks
judge "the same, continued" two_ranks
judge "its figures" checked "$build/infoplane" figures study.h5
echo "valgrind: $good good, $bad bad"
[ "$bad" = 0 ]
