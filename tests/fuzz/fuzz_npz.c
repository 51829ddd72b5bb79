/* Any bytes as a .npz of activations: its labels and inputs, then every layer at every look. */

#include "data.h"

enum { INFLATION = 1032, MOST = 1 << 16 };

/* What opens can be read, or is refused with its name. */
static void read_layers(const char *path)
{
  ip_activations *a = NULL;
  float *t = NULL;
  bool finite;

  if (ip_activations_open(path, &a)) return;
  for (size_t l = 1; l <= a->n_layers; l++)
    for (size_t e = 0; e < a->n_epochs && e < 4; e++) {
      const size_t d = (size_t)a->width[l - 1];

      MUST(d >= 1 && a->n >= 1);
      if (a->n > MOST / d || IP_ALLOCATE(a->n * d, &t)) continue;
      const PetscErrorCode code = ip_activations_read(a, e, l, a->n, t, &finite);

      MUST(!code || (code == IP_ERR_DATA && strstr(ip_error_message(), path)));
      ip_release(&t);
    }
  ip_activations_close(&a);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length)
{
  const fuzz_path file = path_of("f.npz");

  if (length < 4 || memcmp(bytes, "PK\3\4", 4) != 0)
    return 0; /* HDF5 has a target of its own */
  begin();
  write_bytes(file.at, bytes, length);
  load_dataset("activations", file.at, NULL, length, (length + 1) * INFLATION);
  read_layers(file.at);
  unlink(file.at);
  return 0;
}
