/* infoplane merge and grow: files of proven runs, made of files that stand. */

#include "cli.h"
#include <hdf5.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* HDF5 1.10 crashes at its end over a file that a failing disk did not let it close. */
int leave_serially(int exit_code)
{
  if (H5Fget_obj_count((hid_t)H5F_OBJ_ALL, H5F_OBJ_FILE) <= 0) return exit_code;
  fflush(NULL);
  _exit(exit_code);
}

static int verdict(const ip_findings *found)
{
  return count_found(found, IP_STATUS_DONE) < found->n_runs;
}

/* ---- merge ------------------------------------------------------------------------------------------ */

static PetscErrorCode read_merge(const arguments *a, bool *accept_build)
{
  IP_CHECK(a->operand && a->output, IP_ERR_USAGE,
           "merge needs the files of the shares and a name for the whole: infoplane merge A.h5 "
           "B.h5 ... -o OUT.h5");
  for (size_t i = 0; i < a->n_settings; i++) {
    const bool yes = strcmp(a->setting[i], "accept_build=yes") == 0;

    IP_CHECK(yes || strcmp(a->setting[i], "accept_build=no") == 0, IP_ERR_USAGE,
             "merge knows the setting accept_build=yes alone, not \"%s\"", a->setting[i]);
    *accept_build = yes;
  }
  return PETSC_SUCCESS;
}

static PetscErrorCode say_merged(const arguments *a, const ip_findings *found)
{
  ip_text command = {0};

  PetscCall(ip_text_add(&command, "infoplane run INPUT -o %s", a->output));
  if (!a->quiet)
    printf("%s: %zu of %zu runs are done, from %zu file%s\n", a->output,
           count_found(found, IP_STATUS_DONE), found->n_runs, a->n_more + 1,
           a->n_more == 0 ? "" : "s");
  if (!a->quiet && found->twice > 0)
    printf(" %zu run%s stood in several files, equal to the last bit, and %s taken once\n",
           found->twice, found->twice == 1 ? "" : "s", found->twice == 1 ? "was" : "were");
  say_findings(a->quiet ? stderr : stdout, found, command.text);
  ip_text_clear(&command);
  return PETSC_SUCCESS;
}

static PetscErrorCode merge_files(const arguments *a, int *exit_code)
{
  ip_findings found = {0};
  const char **path = NULL;
  bool accept_build = false;

  PetscCall(read_merge(a, &accept_build));
  PetscCall(ip_results_probe(a->operand));
  for (size_t i = 0; i < a->n_more; i++) PetscCall(ip_results_probe(a->more[i]));
  PetscCall(IP_ALLOCATE(a->n_more + 1, &path));
  path[0] = a->operand;
  for (size_t i = 0; i < a->n_more; i++) path[i + 1] = a->more[i];
  PetscErrorCode code = ip_store_merge(a->n_more + 1, path, a->output, accept_build, &found);

  ip_release(&path);
  if (!code) code = say_merged(a, &found);
  if (!code) *exit_code = verdict(&found);
  ip_findings_clear(&found);
  return code;
}

int verb_merge(const arguments *a)
{
  int rank, size, exit_code = 0;

  launcher_place(&rank, &size);
  if (rank != 0) return 0;
  setenv("HDF5_USE_FILE_LOCKING", "FALSE", 1);

  const PetscErrorCode code = merge_files(a, &exit_code);

  return leave_serially(code == PETSC_SUCCESS ? exit_code : report_error(a, code));
}

/* ---- grow --------------------------------------------------------------------------------------------- */

static PetscErrorCode say_grown(const arguments *a, const ip_findings *found)
{
  const size_t pending = count_found(found, IP_STATUS_PENDING);
  ip_text command = {0};
  PetscErrorCode code = ip_text_add(&command, "infoplane run INPUT");

  for (size_t i = 0; i < a->n_settings && !code; i++)
    code = ip_text_add(&command, " %s", a->setting[i]);
  if (!code) code = ip_text_add(&command, " -o %s", a->operand);
  if (!code && !a->quiet) {
    printf("%s: grown to %zu runs, %zu of them are done\n", a->operand, found->n_runs,
           count_found(found, IP_STATUS_DONE));
    if (pending > 0) printf(" Next:  %s\n", command.text);
  }
  if (!code && count_found(found, IP_FOUND_DAMAGED) > 0) {
    fprintf(stderr, " these runs did not fit their checksum and will be computed again:");
    list_runs(stderr, found, IP_FOUND_DAMAGED);
    fputs("\n", stderr);
  }
  ip_text_clear(&command);
  return code;
}

static PetscErrorCode grow_file(const arguments *a, int *exit_code)
{
  ip_findings found = {0};
  bool grown = false;

  IP_CHECK(a->operand && a->n_settings > 0 && !a->output, IP_ERR_USAGE,
           "grow needs a results file and what shall be more: infoplane grow FILE.h5 repeat=N");
  PetscCall(ip_results_probe(a->operand));
  PetscCall(ip_store_grow(a->operand, a->n_settings, a->setting, &found, &grown));
  if (!grown && !a->quiet) printf("%s has all of it already\n", a->operand);
  const PetscErrorCode code = grown ? say_grown(a, &found) : PETSC_SUCCESS;

  *exit_code = count_found(&found, IP_FOUND_DAMAGED) > 0;
  ip_findings_clear(&found);
  return code;
}

int verb_grow(const arguments *a)
{
  int rank, size, exit_code = 0;

  launcher_place(&rank, &size);
  if (rank != 0) return 0;
  setenv("HDF5_USE_FILE_LOCKING", "FALSE", 1);

  const PetscErrorCode code = grow_file(a, &exit_code);

  return leave_serially(code == PETSC_SUCCESS ? exit_code : report_error(a, code));
}
