/* infoplane check: every run proved by its checksum, and an exit code that says what came of it. */

#include "cli.h"
#include <stdlib.h>

/* The kinds of runs that are not done, and what the command that continues the file does. */
static const struct {
  int8_t status;
  const char *name, *advice;
} kind[] = {
    {IP_FOUND_DAMAGED,   "damaged",  " computes them again"   },
    {IP_STATUS_PENDING,  "pending",  " continues it"          },
    {IP_STATUS_DIVERGED, "diverged", " only=[...] tries again"},
    {IP_STATUS_FAILED,   "failed",   " tries again"           },
};
enum { KINDS = sizeof kind / sizeof kind[0] };

size_t count_found(const ip_findings *found, int8_t status)
{
  size_t n = 0;

  for (size_t r = 0; r < found->n_runs; r++) n += (size_t)(found->status[r] == status);
  return n;
}

static bool none_fits(const ip_findings *found)
{
  const size_t damaged = count_found(found, IP_FOUND_DAMAGED);

  return damaged > 1 && damaged + count_found(found, IP_STATUS_PENDING) == found->n_runs;
}

void say_findings(FILE *to, const ip_findings *found, const char *command)
{
  const char *noun = found->parts ? "part" : "run";

  for (size_t k = 0; k < KINDS; k++) {
    const size_t n = count_found(found, kind[k].status);

    if (n == 0) continue;
    fprintf(to, " %zu %s%s %s:", n, noun, n == 1 ? "" : "s", kind[k].name);
    list_runs(to, found, kind[k].status);
    fprintf(to, "   (%s%s)\n", command, kind[k].advice);
  }
  if (none_fits(found))
    fputs(" none fits: then config or data_checksum is damaged rather than every run\n", to);
  if (found->unfit.length > 0)
    fprintf(
        to,
        " does not agree with the attribute config: %s   (one of them is damaged; what runs "
        "recorded is proved apart from it)\n",
        found->unfit.text);
}

static int verdict(const ip_findings *found)
{
  if (count_found(found, IP_FOUND_DAMAGED) > 0 || found->unfit.length > 0)
    return ip_error_exit_code(IP_ERR_DATA);
  if (count_found(found, IP_STATUS_PENDING) > 0) return ip_error_exit_code(IP_ERR_STOPPED);
  return count_found(found, IP_STATUS_DONE) < found->n_runs;
}

static PetscErrorCode check_file(const arguments *a, int *exit_code)
{
  ip_findings found = {0};
  ip_text holder = {0};

  IP_CHECK(a->operand, IP_ERR_USAGE, "check needs a results file: infoplane check FILE.h5");
  IP_CHECK(a->n_settings == 0 && !a->output, IP_ERR_USAGE,
           "check needs a results file and nothing else: infoplane check FILE.h5");
  PetscCall(ip_results_probe(a->operand));
  PetscCall(ip_store_check(a->operand, &found));
  if (!a->quiet)
    printf("%s: %zu of %zu %ss are done and fit their checksum\n", a->operand,
           count_found(&found, IP_STATUS_DONE), found.n_runs, found.parts ? "part" : "run");
  say_findings(a->quiet ? stderr : stdout, &found, "the command that began it");
  *exit_code = verdict(&found);
  ip_findings_clear(&found);
  if (a->quiet) return PETSC_SUCCESS;
  PetscCall(ip_lock_describe(a->operand, &holder));
  if (holder.text) printf("  %s\n", holder.text);
  ip_text_clear(&holder);
  return PETSC_SUCCESS;
}

int verb_check(const arguments *a)
{
  int rank, size, exit_code = 0;

  launcher_place(&rank, &size);
  if (rank != 0) return 0;
  setenv("HDF5_USE_FILE_LOCKING", "FALSE", 1);

  const PetscErrorCode code = check_file(a, &exit_code);

  return code == PETSC_SUCCESS ? exit_code : report_error(a, code);
}
