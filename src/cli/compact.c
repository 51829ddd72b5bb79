/* infoplane compact: a finished file, smaller. */

#include "cli.h"
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

/* -o, or FILE.compact.h5 beside FILE.h5; replace=yes: in its place. */
static PetscErrorCode new_name(const arguments *a, ip_text *name, bool *replace)
{
  IP_CHECK(a->operand, IP_ERR_USAGE,
           "compact needs a results file: infoplane compact FILE.h5 [-o NEW.h5]");
  for (size_t i = 0; i < a->n_settings; i++) {
    *replace = strcmp(a->setting[i], "replace=yes") == 0;
    IP_CHECK(*replace || strcmp(a->setting[i], "replace=no") == 0, IP_ERR_USAGE,
             "compact knows the setting replace=yes alone, not \"%s\"", a->setting[i]);
  }
  IP_CHECK(!*replace || !a->output, IP_ERR_USAGE,
           "replace=yes puts the compact file in the place of the old one: then -o has no use");
  if (a->output) return ip_text_add(name, "%s", a->output);
  const size_t length = strlen(a->operand), suffix = strlen(".h5");
  const bool h5 = length > suffix && strcmp(a->operand + length - suffix, ".h5") == 0;

  return ip_text_add(name, "%.*s.compact.h5", (int)(h5 ? length - suffix : length), a->operand);
}

static void say(const arguments *a, const char *name, bool replace, const uint64_t bytes[2])
{
  char old[32], new[32];

  ip_bytes_format((double)bytes[0], old);
  ip_bytes_format((double)bytes[1], new);
  printf("%s: %s, %.3g %% of the %s of before; every number and checksum reads back the same\n",
         name, new, 100.0 * (double)bytes[1] / (double)bytes[0], old);
  if (!replace) printf(" %s stands as it was\n", a->operand);
}

static PetscErrorCode compact(const arguments *a)
{
  ip_text name = {0};
  bool replace = false;
  uint64_t bytes[2] = {0};
  PetscErrorCode code = new_name(a, &name, &replace);

  if (!code) code = ip_results_probe(a->operand);
  if (!code) code = ip_store_compact(a->operand, replace ? NULL : name.text, bytes);
  if (!code && !a->quiet) say(a, replace ? a->operand : name.text, replace, bytes);
  ip_text_clear(&name);
  return code;
}

int verb_compact(const arguments *a)
{
  int rank, size;

  launcher_place(&rank, &size);
  if (rank != 0) return 0;
  setenv("HDF5_USE_FILE_LOCKING", "FALSE", 1);

  const PetscErrorCode code = compact(a);

  return leave_serially(code == PETSC_SUCCESS ? 0 : report_error(a, code));
}
