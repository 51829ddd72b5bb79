/* What MPI, PETSc and HDF5 take alone: started, and a file made and written by all ranks as results are.

     bench_libraries FILE      prints VmRSS VmHWM Private_Dirty of rank 0, KiB */

#include "resident.h"
#include <hdf5.h>
#include <petscsys.h>

int main(int argc, char **argv)
{
  int rank = 0, none = 0;
  const hsize_t length = 4096;
  static const double value[4096];

  if (argc < 2) return 64;
  setenv("OMPI_MCA_io", "romio321", 0);
  setenv("HDF5_USE_FILE_LOCKING", "FALSE", 1);
  if (PetscInitialize(&none, NULL, NULL, NULL)) return 69;
  MPI_Comm_rank(PETSC_COMM_WORLD, &rank);

  const hid_t how = H5Pcreate(H5P_FILE_ACCESS), space = H5Screate_simple(1, &length, NULL);

  H5Pset_fapl_mpio(how, PETSC_COMM_WORLD, MPI_INFO_NULL);

  const hid_t file = H5Fcreate(argv[1], H5F_ACC_TRUNC, H5P_DEFAULT, how),
              set = H5Dcreate2(file, "value", H5T_NATIVE_DOUBLE, space, H5P_DEFAULT,
                               H5P_DEFAULT, H5P_DEFAULT);
  const herr_t failed =
      rank ? 0 : H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, value);

  MPI_Barrier(PETSC_COMM_WORLD);
  const resident r = resident_now();

  if (rank == 0) printf("%ld %ld %ld\n", r.resident, r.most, r.private);
  H5Dclose(set);
  H5Fclose(file);
  H5Sclose(space);
  H5Pclose(how);
  return PetscFinalize() || failed < 0;
}
