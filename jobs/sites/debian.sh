#!/bin/bash
# Debian's Open MPI, PETSc and HDF5, and Slurm with PMIx or without: nothing has to be said.
