#!/bin/sh
# From a fresh clone to the first picture of the information plane: installs what is missing,
# builds, runs inputs/quickstart.yaml on all cores. A second start continues quickstart.h5.
#
#   jobs/quickstart.sh [key=value ...]      the result is quickstart.h5 in the current folder
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
exec mpirun -n "$(nproc)" "$top/build/infoplane" run "$top/inputs/quickstart.yaml" "$@"
