/* Any bytes as IDX images and labels, gzipped or not: the first two (big-endian) say how many of
   the others are the images. */

#include "data.h"

enum { INFLATION = 1032 }; /* of deflate, at most */

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
  const fuzz_path images = path_of("images"), labels = path_of("labels");

  if (length < 2) return 0;
  const size_t rest = length - 2, asked = (size_t)bytes[0] << 8 | bytes[1],
               n = asked < rest ? asked : rest;

  begin();
  write_bytes(images.at, bytes + 2, n);
  write_bytes(labels.at, bytes + 2 + n, rest - n);
  load_dataset("idx", images.at, labels.at, length, n * INFLATION);
  unlink(images.at);
  unlink(labels.at);
  return 0;
}
