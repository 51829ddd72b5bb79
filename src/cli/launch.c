/* MPI and PETSc: how they start, that nothing hidden steers them, and how a program ends. */

#include "cli.h"
#include <hdf5.h>
#include <infoplane/numerics.h>
#include <infoplane_build.h>
#include <petscsys.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <yaml.h>
#include <zlib.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

/* ---- the launcher --------------------------------------------------------------------------------- */

static int number_from(const char *const names[], int otherwise)
{
  for (size_t i = 0; names[i]; i++) {
    const char *text = getenv(names[i]);

    if (text && *text) return (int)strtol(text, NULL, 10);
  }
  return otherwise;
}

void launcher_place(int *rank, int *size)
{
  /* Not SLURM_NTASKS: a plain program in a batch script sees that too. */
  static const char *const ranks[] = {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "SLURM_PROCID",
                                      NULL};
  static const char *const sizes[] = {"OMPI_COMM_WORLD_SIZE", "SLURM_STEP_NUM_TASKS", NULL};

  *size = number_from(sizes, 1);
  *rank = *size > 1 ? number_from(ranks, 0) : 0;
}

/* N programs of one rank each, where one of N was meant, would fight for the file. */
static PetscErrorCode check_launcher(const launch *l)
{
  int rank, size;

  launcher_place(&rank, &size);
  IP_CHECK(size == l->size, IP_ERR_ENVIRONMENT,
           "the launcher started %d tasks, but MPI sees %d: every task believes to be alone. "
           "Start with mpirun, or with srun --mpi=pmix",
           size, l->size);
  return PETSC_SUCCESS;
}

/* ---- start and end ---------------------------------------------------------------------------------- */

/* PETSc's own command line: the words after -petsc_, and nothing from files. It keeps them. */
static PetscErrorCode petsc_words(const arguments *a, launch *l)
{
  PetscCall(IP_ALLOCATE(a->n_petsc + 4, &l->word));
  PetscCall(ip_text_copy(a->program, &l->word[l->words++]));
  PetscCall(ip_text_copy("-skip_petscrc", &l->word[l->words++]));
  PetscCall(ip_text_copy("-no_signal_handler", &l->word[l->words++]));
  for (size_t i = 0; i < a->n_petsc; i++) {
    const char *text = a->petsc[i];
    const bool ours = strncmp(text, "-petsc_", 7) == 0;
    ip_text word = {0};

    PetscCall(ip_text_add(&word, "%s%s", ours ? "-" : "", ours ? text + 7 : text));
    l->word[l->words++] = word.text;
  }
  return PETSC_SUCCESS;
}

static PetscErrorCode start_petsc(const arguments *a, launch *l)
{
  PetscCall(petsc_words(a, l));

  int words = l->words;
  char **word = l->word;
  const PetscErrorCode code = PetscInitialize(&words, &word, NULL, NULL);

  IP_CHECK(code == PETSC_SUCCESS, IP_ERR_ENVIRONMENT,
           "PETSc or MPI cannot be started (code %d)", (int)code);
  l->started = true;
  return PETSC_SUCCESS;
}

/* PETSc asks for its options while it starts: what it has not asked for it does not know. */
static PetscErrorCode check_petsc_options(void)
{
  static const char *const later[] = {"options_left",
                                      "options_view"}; /* asked for at the end */
  static const char bottleneck[] = "bottleneck_";      /* by the solver of the curve */
  PetscInt n = 0;
  char **name = NULL, **value = NULL, unknown[64] = "";

  PetscCall(PetscOptionsLeftGet(NULL, &n, &name, &value));
  for (PetscInt i = 0; i < n; i++)
    if (strcmp(name[i], later[0]) != 0 && strcmp(name[i], later[1]) != 0 &&
        strncmp(name[i], bottleneck, sizeof bottleneck - 1) != 0)
      snprintf(unknown, sizeof unknown, "%s", name[i]);
  PetscCall(PetscOptionsLeftRestore(NULL, &n, &name, &value));
  IP_CHECK(!unknown[0], IP_ERR_USAGE, "-petsc_%s: PETSc has no use for an option -%s", unknown,
           unknown);
  return PETSC_SUCCESS;
}

PetscErrorCode launch_begin(const arguments *a, launch *l)
{
  /* Open MPI's own MPI-IO can corrupt files silently before 4.1.7 (open-mpi/ompi#12718); locks of
     HDF5 fail on NFS and Lustre, and the store has one of its own. */
  setenv("OMPI_MCA_io", "romio321", 0);
  setenv("HDF5_USE_FILE_LOCKING", "FALSE", 1);
  unsetenv("PETSC_OPTIONS");
  unsetenv("PETSC_OPTIONS_YAML");
  PetscCall(start_petsc(a, l));
  l->comm = PETSC_COMM_WORLD;
  PetscCallMPI(MPI_Comm_rank(l->comm, &l->rank));
  PetscCallMPI(MPI_Comm_size(l->comm, &l->size));
  PetscErrorCode code = check_launcher(l);

  if (!code) code = check_petsc_options();
  /* the same on every rank, and none depends on another; memory runs out on one alone */
  l->together =
      code == (PetscErrorCode)IP_ERR_ENVIRONMENT || code == (PetscErrorCode)IP_ERR_USAGE;
  return code;
}

PetscErrorCode launch_agree(launch *l, PetscErrorCode code)
{
  int shared = (int)code;

  PetscCallMPI(MPI_Bcast(&shared, 1, MPI_INT, 0, l->comm));
  if (shared) l->together = true;
  return (PetscErrorCode)shared;
}

/* Ranks fail of the same cause at the same time.  The lowest speaks and aborts; the others have
   waited a little longer, and are silent when the end of the job (SIGTERM, then SIGKILL) reaches
   them first. */
static bool may_speak(int rank)
{
  enum { SLICE = 10000000, SLICES = 30, MOST = 10 }; /* ns; 0.3 s a rank, 3 s at most */
  const struct timespec slice = {.tv_nsec = SLICE}, last = {.tv_sec = 3};
  int left = SLICES * (rank < MOST ? rank : MOST);

  while (left-- > 0 && signals_noted() != SIGTERM) nanosleep(&slice, NULL);
  if (rank > 0 && signals_noted() == SIGTERM) {
    nanosleep(&last, NULL);
    return false;
  }
  return true;
}

/* HDF5 1.10 crashes at its end, which is within MPI's, over a file that a failing disk did not let
   it close: then nothing may end in order. */
static void leave_hdf5(const launch *l, int exit_code)
{
  if (H5Fget_obj_count((hid_t)H5F_OBJ_ALL, H5F_OBJ_FILE) <= 0) return;
  fflush(NULL);
  if (l->started && l->size > 1) MPI_Abort(l->comm, exit_code);
  _exit(exit_code);
}

int launch_end(launch *l, const arguments *a, PetscErrorCode code, int exit_code)
{
  const bool aborts = code != PETSC_SUCCESS && l->started && l->size > 1 && !l->together;

  if (code != PETSC_SUCCESS) {
    exit_code = ip_error_exit_code(code);
    if (aborts ? may_speak(l->rank) : l->rank == 0 || !l->together) report_error(a, code);
    if (aborts) MPI_Abort(l->comm, exit_code);
  }
  leave_hdf5(l, exit_code);
  if (l->started) PetscFinalize();
  for (int i = 0; i < l->words; i++) ip_release(&l->word[i]);
  ip_release(&l->word);
  return exit_code;
}

/* ---- versions --------------------------------------------------------------------------------------- */

/* "Open MPI v4.1.4, package: ..." -> "Open MPI 4.1.4" */
static void mpi_version(char text[MPI_MAX_LIBRARY_VERSION_STRING])
{
  int length;

  MPI_Get_library_version(text, &length);
  text[strcspn(text, ",\n")] = '\0';

  char *v = strstr(text, " v");

  if (v) memmove(v + 1, v + 2, strlen(v + 2) + 1);
}

static const char *mpi_io(void)
{
  const char *io = getenv("OMPI_MCA_io");

  return io ? io : "default MPI-IO";
}

PetscErrorCode versions_line(ip_text *text)
{
  static const char *const isa[IP_ISAS] = {"no AVX", "AVX2", "AVX-512"};
  char mpi[MPI_MAX_LIBRARY_VERSION_STRING];
  unsigned major, minor, release;
  PetscInt pmajor, pminor, psub;

  mpi_version(mpi);
  H5get_libversion(&major, &minor, &release);
  PetscCall(PetscGetVersionNumber(&pmajor, &pminor, &psub, NULL));
  return ip_text_add(text,
                     "infoplane %s (%s)  %s (%s)  HDF5 %u.%u.%u parallel  PETSc %d.%d.%d  %s",
                     IP_VERSION, IP_COMMIT, mpi, mpi_io(), major, minor, release, (int)pmajor,
                     (int)pminor, (int)psub, isa[ip_isa_best()]);
}

PetscErrorCode versions_list(ip_text *text)
{
  char mpi[MPI_MAX_LIBRARY_VERSION_STRING];
  unsigned major, minor, release;
  PetscInt pmajor, pminor, psub;

  mpi_version(mpi);
  H5get_libversion(&major, &minor, &release);
  PetscCall(PetscGetVersionNumber(&pmajor, &pminor, &psub, NULL));
  PetscCall(
      ip_text_add(text, "infoplane %s (%s, build %s)\n", IP_VERSION, IP_COMMIT, IP_BUILD));
  PetscCall(ip_text_add(text, "  compiler   %s\n", IP_COMPILER));
  PetscCall(ip_text_add(text, "  kernels    %s\n", ip_isa_name(ip_isa_best())));
  PetscCall(ip_text_add(text, "  MPI        %s, MPI-IO by %s\n", mpi, mpi_io()));
  PetscCall(ip_text_add(text, "  PETSc      %d.%d.%d\n", (int)pmajor, (int)pminor, (int)psub));
  PetscCall(ip_text_add(text, "  HDF5       %u.%u.%u parallel\n", major, minor, release));
  PetscCall(ip_text_add(text, "  libyaml    %s\n", yaml_get_version_string()));
  PetscCall(ip_text_add(text, "  zlib       %s\n", zlibVersion()));
  PetscCall(ip_text_add(text, "  xxHash     %d.%d.%d\n", XXH_VERSION_MAJOR, XXH_VERSION_MINOR,
                        XXH_VERSION_RELEASE));
  return ip_text_add(text, "  OpenBLAS   kernel %s\n", ip_blas_kernel());
}

/* ---- the record of a launch --------------------------------------------------------------------------- */

static PetscErrorCode add_json_string(ip_text *text, const char *string)
{
  PetscCall(ip_text_add(text, "\""));
  for (const char *c = string; *c; c++) {
    if (*c == '"' || *c == '\\')
      PetscCall(ip_text_add(text, "\\%c", *c));
    else if ((unsigned char)*c < 0x20)
      PetscCall(ip_text_add(text, "\\u%04x", (unsigned)(unsigned char)*c));
    else
      PetscCall(ip_text_add(text, "%c", *c));
  }
  return ip_text_add(text, "\"");
}

/* Distinct host names, in order of rank. */
static PetscErrorCode add_hosts(ip_text *text, int size, const char *names)
{
  for (int r = 0; r < size; r++) {
    const char *name = names + (size_t)r * MPI_MAX_PROCESSOR_NAME;
    bool seen = false;

    for (int i = 0; i < r && !seen; i++)
      seen = strcmp(name, names + (size_t)i * MPI_MAX_PROCESSOR_NAME) == 0;
    if (seen) continue;
    if (r > 0) PetscCall(ip_text_add(text, ", "));
    PetscCall(add_json_string(text, name));
    if (r >= 256) return ip_text_add(text, ", \"...\"");
  }
  return PETSC_SUCCESS;
}

static PetscErrorCode compose_json(const launch *l, const arguments *a, const char *names,
                                   ip_text *text)
{
  char now[32] = "", folder[4096] = "";
  const time_t seconds = time(NULL);
  struct tm utc;
  ip_text versions = {0};
  PetscErrorCode code;

  if (gmtime_r(&seconds, &utc)) strftime(now, sizeof now, "%Y-%m-%dT%H:%M:%SZ", &utc);
  if (!getcwd(folder, sizeof folder)) folder[0] = '\0';
  PetscCall(versions_line(&versions));
  code = ip_text_add(text, "{\"utc\": \"%s\", \"ranks\": %d, \"versions\": ", now, l->size);
  if (!code) code = add_json_string(text, versions.text);
  ip_text_clear(&versions);
  PetscCall(code);
  PetscCall(ip_text_add(text, ", \"build\": \"%s\", \"compiler\": ", IP_BUILD));
  PetscCall(add_json_string(text, IP_COMPILER));
  PetscCall(ip_text_add(text, ", \"hosts\": ["));
  PetscCall(add_hosts(text, l->size, names));
  PetscCall(ip_text_add(text, "], \"folder\": "));
  PetscCall(add_json_string(text, folder));
  PetscCall(ip_text_add(text, ", \"command\": ["));
  for (int i = 0; i < a->count; i++) {
    if (i > 0) PetscCall(ip_text_add(text, ", "));
    PetscCall(add_json_string(text, a->text[i]));
  }
  return ip_text_add(text, "]}");
}

PetscErrorCode launch_json(const launch *l, const arguments *a, ip_text *text)
{
  char own[MPI_MAX_PROCESSOR_NAME] = "", *all = NULL;
  int length;

  PetscCallMPI(MPI_Get_processor_name(own, &length));
  if (l->rank == 0) PetscCall(IP_ALLOCATE((size_t)l->size * sizeof own, &all));
  PetscCallMPI(MPI_Gather(own, sizeof own, MPI_CHAR, all, sizeof own, MPI_CHAR, 0, l->comm));
  if (l->rank != 0) return PETSC_SUCCESS;

  const PetscErrorCode code = compose_json(l, a, all, text);

  ip_release(&all);
  return code;
}
