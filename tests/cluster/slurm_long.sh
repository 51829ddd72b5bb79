#!/bin/sh
# jobs.sh in its long form: jobs reach their time limit and wait two minutes between two lives, and
# Slurm finds out by itself that a node is dead. About half an hour.
#   slurm_long.sh [PROGRAM [SCRATCH]]      SCRATCH is emptied first
set -eu
top=$(cd "$(dirname "$0")/../.." && pwd)

# As ctest does it: root may, more ranks than cores may, and none of them spins.
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1
export OMPI_MCA_rmaps_base_oversubscribe=1 OMPI_MCA_mpi_yield_when_idle=1
export OMPI_MCA_hwloc_base_binding_policy=none OPENBLAS_NUM_THREADS=1
exec "$top/tests/cluster/jobs.sh" "${1:-$top/build/infoplane}" "${2:-$top/build/slurm_long}" "$top" long
