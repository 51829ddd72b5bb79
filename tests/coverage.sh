#!/bin/sh
# What the tests reach, by room and by file: lines and branches. Built in build-coverage, with gcc.
#
#   tests/coverage.sh                     unit, mpi and program tests, but slow ones and campaigns
#   tests/coverage.sh -R '^store/'        options go to ctest; what was counted before is forgotten
#   IP_COVERAGE_KEEP=1 tests/coverage.sh ...   and adds to it
#
# Branches are counted twice. "all" are those that are written (it is built with -O0). "own" leaves out lines that only hand
# an error on: PetscCall, PetscCallMPI and `if (!code) code = ...` have one branch for the way that is
# taken and one for an error that something below has to have raised, and that is tested below.
# Lines and branches never reached are listed in build-coverage/coverage.txt, annotated sources in
# build-coverage/html.
# A rank that is ended by MPI_Abort or a signal does not say what it reached.
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
build=$top/build-coverage
if ! command -v gcovr >/dev/null; then
  echo "tests/coverage.sh: gcovr was not found; Debian: apt-get install --no-install-recommends gcovr" >&2
  exit 69
fi

mkdir -p "$build"
if ! { cmake -S "$top" -B "$build" -DIP_COVERAGE=ON -DBUILD_TESTING=ON &&
  cmake --build "$build" -j "$(nproc)"; } >"$build/build.log" 2>&1; then
  cat "$build/build.log" >&2
  exit 70
fi
[ -n "${IP_COVERAGE_KEEP-}" ] || find "$build" -name '*.gcda' -delete
[ $# -gt 0 ] || set -- -L 'unit|mpi|program' -LE slow -E '^campaign/' # they repeat what others reach
ctest --test-dir "$build" --output-on-failure --no-tests=error "$@" >"$build/tests.log" 2>&1 ||
  { tail -n 20 "$build/tests.log"; echo "tests failed; what they reached is counted all the same"; }

cd "$top"
gcovr --root . --filter src/ --object-directory "$build" --json "$build/all.json" "$build"
own='.*(PetscCall(MPI)?\(|if \(!code\b.*\) code = ).*'
gcovr --root . --filter src/ --object-directory "$build" --exclude-branches-by-pattern "$own" \
  --json "$build/own.json" "$build"
mkdir -p "$build/html"
gcovr --root . --add-tracefile "$build/own.json" --html-details "$build/html/index.html"
exec "${IP_PYTHON:-/usr/bin/python3}" tests/coverage.py "$build/all.json" "$build/own.json" "$build/coverage.txt"
