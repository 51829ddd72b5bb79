/* Any bytes as an HDF5 file with x and y. */

#include "data.h"
#include "library.h"
#include <hdf5.h>

enum { INFLATION = 1032 }; /* as the reader believes */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
  const fuzz_path file = path_of("f.h5");

  begin();
  tell_apart();
  const size_t crashes = found->crashes;

  write_bytes(file.at, bytes, length);
  load_dataset("hdf5", file.at, NULL, length, (length + 1) * INFLATION);
  unlink(file.at);
  must_be_of_hdf5(crashes);
  MUST(H5Fget_obj_count((hid_t)H5F_OBJ_ALL, H5F_OBJ_ALL) == 0);
  return 0;
}
