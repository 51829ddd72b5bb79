#!/bin/sh
# From a fresh clone to the first picture of the information plane: installs what is missing,
# builds, runs inputs/quickstart.yaml on all cores, draws its figures. A second start continues.
#
#   jobs/quickstart.sh [key=value ...]      makes quickstart.h5 and quickstart_figures/ here
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)

"$top/jobs/install.sh"
"$top/jobs/build.sh" -DBUILD_TESTING=OFF # tests need packages of their own

# Open MPI counts cores, nproc hardware threads; and it refuses root, who one is in a container.
export OMPI_MCA_hwloc_base_use_hwthreads_as_cpus=1 OMPI_MCA_rmaps_base_oversubscribe=1
export OMPI_MCA_orte_execute_quiet=1 # the program says itself what went wrong
if [ "$(id -u)" = 0 ]; then
  export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
fi
results=quickstart.h5
before=
for word in "$@"; do
  [ "$before" != -o ] || results=$word
  before=$word
done
input=inputs/quickstart.yaml
[ "$PWD" = "$top" ] || input=$top/$input
mpirun -n "$(nproc)" "$top/build/infoplane" run "$input" "$@"
"$top/build/infoplane" figures "$results"
