#!/bin/bash
# shellcheck disable=SC2034  # all is used by ../slurm.sh
# Facts of a machine, for jobs/*.sbatch: copy it to <name>.sh and set INFOPLANE_SITE=<name>, in the
# shell that submits or in ~/.profile. It is sourced by bash at the start of every job, and where
# jobs are submitted. All of it is optional.

# What the program was built with. Without modules: nothing.
#module load openmpi petsc hdf5-parallel

# Options of sbatch that every job needs here. They count where the script submits itself
# (jobs/run.sbatch INPUT); `sbatch jobs/run.sbatch` takes what its own command line says.
#sbatch_options=(--account=physics --partition=standard --constraint=rome)

# srun or mpirun. Without it srun is taken where Slurm has PMIx.
#launcher=srun

# Options of the launcher: ranks on cores of their own, and what a site asks for.
#launcher_options=(--cpu-bind=cores)

# Lustre: options of `lfs setstripe` for the folder of the results, set before the file is made. Every
# rank writes its own part of one file, so it should lie on many servers. The folder hands it down to
# whatever is made in it later: give results a folder of their own.
#stripe='-c -1 -S 4M'

# Settings of Open MPI. In containers that forbid process_vm_readv, ranks of a host copy through
# shared memory:
#export OMPI_MCA_btl_vader_single_copy_mechanism=none
# Several networks: the one that ranks may use.
#export OMPI_MCA_btl_tcp_if_include=ib0 OMPI_MCA_oob_tcp_if_include=ib0
