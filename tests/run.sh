#!/bin/sh
# Install what is missing, build with warnings as errors, run the tests; ctest's summary ends it.
#
#   tests/run.sh                        every test
#   tests/run.sh network/train study    those whose name begins so
#   tests/run.sh -L unit                options go to ctest (labels: unit mpi program python slow style slurm)
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
cores=$(nproc)

"$top/jobs/install.sh" tests
"$top/jobs/build.sh" -DIP_WERROR=ON -DBUILD_TESTING=ON

case ${1-} in
  '' | -*) ;;
  *)
    names=$(printf '|^%s' "$@")
    set -- -R "${names#|}"
    ;;
esac
# Many tests wait more than they work: twice as many at a time as there are cores, and one more.
exec ctest --test-dir "$top/build" --output-on-failure --no-tests=error -j $((2 * cores + 1)) "$@"
