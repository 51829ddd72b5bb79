/* Any bytes as a MATLAB 5 file. */

#include "data.h"

enum { INFLATION = 1032 }; /* of deflate, at most */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
  const fuzz_path file = path_of("f.mat");

  begin();
  write_bytes(file.at, bytes, length);
  load_dataset("mat", file.at, NULL, length, length * INFLATION);
  unlink(file.at);
  return 0;
}
