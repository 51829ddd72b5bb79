/* infoplane doctor: whether this machine is fit, a line for each thing that a run depends on.

   Every look is taken on all ranks, in the same order; rank 0 speaks.  What a look writes stands in a
   folder of its own in FOLDER, which is removed. */

#include "cli.h"
#include <dirent.h>
#include <errno.h>
#include <infoplane/network.h>
#include <infoplane/numerics.h>
#include <infoplane_build.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <xxhash.h>

typedef enum { FIT, NOTE, UNFIT, VERDICTS } verdict;

/* What a look found: rank 0 shows it. */
typedef struct {
  verdict verdict;
  ip_text what, fix; /* fix: what to do about it, where it is not fit */
} finding;

typedef struct {
  launch *l;
  const char *folder;
  char scratch[4096]; /* the folder in it; "" where none could be made */
  int hosts, on_host; /* of this launch; ranks on this host */
  ip_options *options;
  ip_data *data;
  ip_plan *plan;
  ip_record *record;
} doctor;

enum { MOST_WRITERS = 64, SECONDS = 60 };

/* XXH3 of what run 0 of the small study below records.  It is the same for every processor, compiler,
   number of ranks and vector width, and changes with whatever changes a number of a result: then the
   new one is put here, once cli/recompute and the tests of estimators and networks agree with it. */
static const uint64_t fingerprint = 0x7cba9ac826bd6a0c;
static const char study[] = "dataset: {name: symmetric, samples: 256}\n"
                            "network: {hidden: [8, 4], activation: tanh}\n"
                            "train: {fraction: 85%, batch: 32, epochs: 10}\n"
                            "look: [0, 1, 5]\n"
                            "estimate: [{kind: binning, bins: 30}, {kind: kde}]\n"
                            "save: {weights: final}\n";

/* ---- what all ranks have to say ------------------------------------------------------------------- */

/* *bad on every rank: one of them has an error, and the lowest tells it; what the store says on ranks
   that only hear of an error tells nothing. */
static PetscErrorCode collect(const doctor *d, PetscErrorCode code, finding *f, bool *bad)
{
  char words[512] = "";
  const bool hears = strcmp(ip_error_message(), "another rank reports the error") == 0;
  int who = (code ? d->l->rank : 2 * d->l->size) + (code && hears ? d->l->size : 0), lowest = 0;

  if (code) snprintf(words, sizeof words, "%s", ip_error_message());
  ip_error_clear();
  PetscCallMPI(MPI_Allreduce(&who, &lowest, 1, MPI_INT, MPI_MIN, d->l->comm));
  *bad = lowest < 2 * d->l->size;
  if (!*bad) return PETSC_SUCCESS;
  lowest %= d->l->size;
  ip_text_clear(&f->what);
  PetscCallMPI(MPI_Bcast(words, sizeof words, MPI_CHAR, lowest, d->l->comm));
  f->verdict = UNFIT;
  if (d->l->size > 1) PetscCall(ip_text_add(&f->what, "rank %d: ", lowest));
  return ip_text_add(&f->what, "%s", words);
}

static PetscErrorCode same_everywhere(const doctor *d, uint64_t value, bool *same)
{
  uint64_t least = 0, most = 0;

  PetscCallMPI(MPI_Allreduce(&value, &least, 1, MPI_UINT64_T, MPI_MIN, d->l->comm));
  PetscCallMPI(MPI_Allreduce(&value, &most, 1, MPI_UINT64_T, MPI_MAX, d->l->comm));
  *same = least == most;
  return PETSC_SUCCESS;
}

/* ---- launcher and libraries ----------------------------------------------------------------------- */

static PetscErrorCode look_at_launcher(doctor *d, finding *f)
{
  const char *name = getenv("OMPI_COMM_WORLD_SIZE")   ? "mpirun"
                     : getenv("SLURM_STEP_NUM_TASKS") ? "srun"
                                                      : "no launcher";
  const long cores = sysconf(_SC_NPROCESSORS_ONLN);
  MPI_Comm host = MPI_COMM_NULL;
  int place = 0, first = 0;

  PetscCallMPI(MPI_Comm_split_type(d->l->comm, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &host));
  PetscCallMPI(MPI_Comm_rank(host, &place));
  PetscCallMPI(MPI_Comm_size(host, &d->on_host));
  PetscCallMPI(MPI_Comm_free(&host));
  first = place == 0;
  PetscCallMPI(MPI_Allreduce(&first, &d->hosts, 1, MPI_INT, MPI_SUM, d->l->comm));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &d->on_host, 1, MPI_INT, MPI_MAX, d->l->comm));
  PetscCall(ip_text_add(&f->what, "%s: %d rank%s on %d host%s", name, d->l->size,
                        d->l->size == 1 ? "" : "s", d->hosts, d->hosts == 1 ? "" : "s"));
  if (cores <= 0 || d->on_host <= cores) return PETSC_SUCCESS;
  f->verdict = NOTE;
  PetscCall(ip_text_add(&f->what, ", up to %d of them on %ld cores", d->on_host, cores));
  return ip_text_add(&f->fix, "start at most %ld ranks on a host", cores);
}

/* open-mpi/ompi#12718: ompio loses data silently before 4.1.7. */
static PetscErrorCode look_at_mpi_io(doctor *d, finding *f)
{
  const char *io = getenv("OMPI_MCA_io"), *first = NULL;
  char library[MPI_MAX_LIBRARY_VERSION_STRING] = "";
  int length = 0;

  (void)d;
  PetscCallMPI(MPI_Get_library_version(library, &length));
  library[strcspn(library, ",\n")] = '\0';
  const bool open_mpi = strncmp(library, "Open MPI v", strlen("Open MPI v")) == 0;

  if (open_mpi) first = library + strlen("Open MPI v");
  const long major = first ? strtol(first, (char **)&first, 10) : 0,
             minor = first && *first ? strtol(first + 1, (char **)&first, 10) : 0,
             patch = first && *first ? strtol(first + 1, NULL, 10) : 0;
  const bool old =
      open_mpi && (major < 4 || (major == 4 && (minor < 1 || (minor == 1 && patch < 7))));
  const bool romio = io && strncmp(io, "romio", 5) == 0;

  PetscCall(
      ip_text_add(&f->what, "%s, %s", library, open_mpi ? io ? io : "its default" : "its own"));
  if (!old || romio)
    return old ? ip_text_add(&f->what, ": not ompio, which corrupts files before 4.1.7")
               : PETSC_SUCCESS;
  f->verdict = UNFIT;
  PetscCall(ip_text_add(&f->what, ": ompio corrupts files silently before 4.1.7"));
  return ip_text_add(&f->fix, "unset OMPI_MCA_io, or set it to romio321");
}

static PetscErrorCode look_at_processor(doctor *d, finding *f)
{
  static const char *const width[IP_ISAS] = {"no AVX2", "AVX2", "AVX-512"};
  const ip_isa isa = ip_isa_best();
  bool same = true;

  PetscCall(same_everywhere(d, (uint64_t)isa, &same));
  PetscCall(ip_text_add(&f->what, "%s, OpenBLAS kernel %s", width[isa], ip_blas_kernel()));
  if (!same) {
    f->verdict = NOTE;
    PetscCall(
        ip_text_add(&f->what, "; hosts differ, so some are slower (numbers are the same)"));
  }
  if (isa != IP_ISA_BASELINE) return PETSC_SUCCESS;
  f->verdict = NOTE;
  return ip_text_add(&f->fix, "with AVX2 measuring is several times faster; %s",
                     getenv("INFOPLANE_ISA") ? "INFOPLANE_ISA forbids it here"
                                             : "this processor has none");
}

static PetscErrorCode look_at_gnuplot(doctor *d, finding *f)
{
  const char *path = getenv("PATH");
  bool found = false;

  (void)d;
  while (path && *path && !found) {
    const int length = (int)strcspn(path, ":");
    char name[4096];

    snprintf(name, sizeof name, "%.*s/gnuplot", length, path);
    found = access(name, X_OK) == 0;
    path += length + (path[length] == ':');
  }
  if (found) return ip_text_add(&f->what, "gnuplot is there");
  f->verdict = NOTE;
  PetscCall(ip_text_add(&f->what, "no gnuplot on the PATH: infoplane figures needs it"));
  return ip_text_add(&f->fix, "apt-get install gnuplot-nox, on the machine that draws");
}

/* ---- the folder -------------------------------------------------------------------------------------- */

static PetscErrorCode make_scratch(doctor *d)
{
  const int length =
      snprintf(d->scratch, sizeof d->scratch, "%s/.infoplane-doctor-XXXXXX", d->folder);
  const bool made = length < (int)sizeof d->scratch && mkdtemp(d->scratch) != NULL;

  if (!made) d->scratch[0] = '\0';
  IP_CHECK(made, IP_ERR_CREATE, "%s: no folder can be made in it: %s", d->folder,
           strerror(errno));
  return PETSC_SUCCESS;
}

static void remove_scratch(const doctor *d)
{
  DIR *listing = d->l->rank == 0 && d->scratch[0] ? opendir(d->scratch) : NULL;

  for (const struct dirent *e; listing && (e = readdir(listing));)
    (void)unlinkat(dirfd(listing), e->d_name, 0);
  if (!listing) return;
  closedir(listing);
  rmdir(d->scratch);
}

/* What statfs says, and what is known of it. */
static const struct {
  unsigned long magic;
  const char *name, *note; /* NULL: nothing */
} systems[] = {
    {0xef53,     "ext4",    NULL                                                               },
    {0x58465342, "XFS",     NULL                                                               },
    {0x9123683e, "Btrfs",   NULL                                                               },
    {0x2fc12fc1, "ZFS",     NULL                                                               },
    {0x794c7630, "overlay", NULL                                                               },
    {0x0bd00bd0, "Lustre",  NULL                                                               },
    {0x47504653, "GPFS",    NULL                                                               },
    {0x19830326, "BeeGFS",  NULL                                                               },
    {0x00c36400, "Ceph",    NULL                                                               },
    {0x01021994, "tmpfs",   "what is in memory is gone after a restart: copy results elsewhere"},
    {0x6969,     "NFS",
     "neighbors in a page may overwrite each other, which costs recomputing: a "
     "local or parallel file system is better"                                                 },
    {0xff534d42, "CIFS",    "made for offices: use a local or parallel file system"            },
    {0xfe534d42, "SMB",     "made for offices: use a local or parallel file system"            },
    {0x01021997, "9P",      "of a virtual machine's host: its promises are unknown"            },
    {0x65735546, "FUSE",    "what stands behind it is unknown: it may be slow, or sync nothing"},
};

static PetscErrorCode look_at_file_system(doctor *d, finding *f)
{
  struct statfs about = {0};
  bool bad = false;
  PetscErrorCode code = PETSC_SUCCESS;

  if (statfs(d->folder, &about) != 0)
    code = ip_error_raise(IP_ERR_CREATE, __func__, "%s: %s", d->folder, strerror(errno));
  PetscCall(collect(d, code, f, &bad));
  if (bad)
    return ip_text_add(&f->fix, "name a folder that %s: infoplane doctor FOLDER",
                       d->hosts > 1 ? "every host has" : "exists");
  const unsigned long magic = (unsigned long)about.f_type & 0xffffffffUL;

  for (size_t i = 0; i < sizeof systems / sizeof systems[0]; i++) {
    if (systems[i].magic != magic) continue;
    if (systems[i].note) f->verdict = NOTE;
    if (systems[i].note) PetscCall(ip_text_add(&f->fix, "%s", systems[i].note));
    return ip_text_add(&f->what, "%s is on %s", d->folder, systems[i].name);
  }
  return ip_text_add(&f->what, "%s is on a file system of type %#lx", d->folder, magic);
}

static PetscErrorCode look_at_room(doctor *d, finding *f)
{
  const double little = 1e9, none = 1e7;
  struct rlimit limit = {.rlim_cur = RLIM_INFINITY};
  uint64_t bytes = 0;
  char words[32];
  ip_text inside = {0};
  PetscErrorCode code = ip_text_add(&inside, "%s/x", d->folder);

  if (!code) code = ip_store_free_space(inside.text, &bytes);
  ip_text_clear(&inside);
  PetscCall(code);
  ip_bytes_format((double)bytes, words);
  PetscCall(ip_text_add(&f->what, "%s free", words));
  if ((double)bytes < little) {
    f->verdict = (double)bytes < none ? UNFIT : NOTE;
    PetscCall(ip_text_add(&f->fix, "infoplane plan INPUT says how much a study needs"));
  }
  if (getrlimit(RLIMIT_FSIZE, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
    return PETSC_SUCCESS;
  if (f->verdict == FIT) f->verdict = NOTE;
  ip_bytes_format((double)limit.rlim_cur, words);
  PetscCall(ip_text_add(&f->what, ", but files of at most %s", words));
  return ip_text_add(&f->fix, "%sulimit -f unlimited", f->fix.length ? "; " : "");
}

/* A second job on the same file must be refused. */
static PetscErrorCode try_locks(const doctor *d)
{
  ip_lock *lock = NULL, *second = NULL;
  ip_text path = {0};
  PetscErrorCode code = ip_text_add(&path, "%s/lock.h5", d->scratch);

  if (!code) code = ip_lock_take(path.text, false, 0.0, &lock);
  if (!code) {
    const PetscErrorCode again = ip_lock_take(path.text, false, 0.0, &second);

    ip_error_clear();
    if (again != (PetscErrorCode)IP_ERR_LOCKED)
      code = ip_error_raise(IP_ERR_ENVIRONMENT, __func__,
                            "a lock that is held was given away a second time");
  }
  if (second) ip_lock_release(&second);
  if (lock) ip_lock_release(&lock);
  ip_text_clear(&path);
  return code;
}

static PetscErrorCode look_at_locks(doctor *d, finding *f)
{
  PetscErrorCode code = PETSC_SUCCESS;
  bool bad = false;

  if (d->l->rank == 0) code = make_scratch(d);
  if (d->l->rank == 0 && !code) code = try_locks(d);
  PetscCall(collect(d, code, f, &bad));
  PetscCallMPI(MPI_Bcast(d->scratch, sizeof d->scratch, MPI_CHAR, 0, d->l->comm));
  if (!bad) return ip_text_add(&f->what, "a second job on one file is refused");
  return ip_text_add(&f->fix,
                     "choose a folder on a file system that you may write and that has "
                     "locks or links");
}

/* ---- numbers -------------------------------------------------------------------------------------------- */

/* The small study, with a run for each rank that writes. */
static PetscErrorCode make_study(doctor *d)
{
  char repeat[32];
  const char *setting[] = {repeat};
  const int writers = d->l->size < MOST_WRITERS ? d->l->size : MOST_WRITERS;

  snprintf(repeat, sizeof repeat, "repeat=%d", writers);
  PetscCall(ip_options_read("doctor", study, strlen(study), 1, setting, &d->options));
  PetscCall(ip_data_create(d->options, &d->data));
  PetscCall(ip_data_load(d->data));
  PetscCall(ip_plan_create(d->options, d->data, &d->plan));
  return ip_record_create(d->plan, &d->record);
}

static PetscErrorCode train_and_hash(doctor *d, size_t run, uint64_t *hash)
{
  bool stopped = false;

  PetscCall(ip_run_train(d->plan, run, NULL, d->record, &stopped));
  *hash = 0;
  for (size_t i = 0; i < IP_FIELDS; i++)
    *hash = XXH3_64bits_withSeed(
        d->record->array[i],
        ip_field_length(d->plan, i) * ip_number_size(ip_field_row(i)->type), *hash);
  return PETSC_SUCCESS;
}

static PetscErrorCode look_at_numbers(doctor *d, finding *f)
{
  uint64_t hash = 0;
  bool bad = false, same = false;
  PetscErrorCode code = make_study(d);

  if (!code) code = train_and_hash(d, 0, &hash);
  PetscCall(collect(d, code, f, &bad));
  if (bad) return PETSC_SUCCESS;
  PetscCall(same_everywhere(d, hash, &same));
  PetscCall(ip_text_add(&f->what, "one run gives %016" PRIx64, hash));
  if (!same) {
    f->verdict = UNFIT;
    PetscCall(ip_text_add(&f->what, ", but other bits on some ranks"));
    return ip_text_add(&f->fix,
                       "a host computes wrongly, or has another build of infoplane: find "
                       "it by infoplane doctor on each");
  }
  if (hash == fingerprint)
    return ip_text_add(&f->what, d->l->size > 1
                                     ? " on every rank, to the last bit as it must be"
                                     : ", to the last bit as it must be");
  f->verdict = UNFIT;
  PetscCall(ip_text_add(&f->what, ", not %016" PRIx64, fingerprint));
  return ip_text_add(&f->fix,
                     "flags such as -ffast-math, or sources that were changed: build with "
                     "jobs/build.sh");
}

/* ---- one file, written by all ------------------------------------------------------------------------ */

static PetscErrorCode put_own(doctor *d, ip_store *store)
{
  uint64_t hash;

  if ((size_t)d->l->rank >= d->plan->n_runs) return PETSC_SUCCESS;
  PetscCall(train_and_hash(d, (size_t)d->l->rank, &hash));
  return ip_store_put(store, d->record);
}

/* Each run is read back by another rank than wrote it. */
static PetscErrorCode read_back(doctor *d, ip_store *store)
{
  size_t damaged = 0, done = 0;
  int8_t *status = NULL;

  PetscCall(IP_ALLOCATE(d->plan->n_runs, &status));
  PetscErrorCode code = ip_store_verify_all(store, status, &damaged);

  for (size_t r = 0; r < d->plan->n_runs && !code; r++) done += status[r] == IP_STATUS_DONE;
  ip_release(&status);
  PetscCall(code);
  IP_CHECK(damaged == 0 && done == d->plan->n_runs, IP_ERR_IO,
           "%zu of %zu runs read back other than they were written", d->plan->n_runs - done,
           d->plan->n_runs);
  return PETSC_SUCCESS;
}

static PetscErrorCode write_together(doctor *d, finding *f, const char *path, bool *bad)
{
  const ip_store_origin origin = {.version = IP_VERSION,
                                  .commit = IP_COMMIT,
                                  .build = IP_BUILD,
                                  .launch_json = "{}",
                                  .provenance_yaml = "",
                                  .reproducible = true};
  ip_store *store = NULL;
  bool created = false;
  PetscErrorCode code = PETSC_SUCCESS;

  if (d->l->rank == 0) code = ip_store_prepare(path, d->plan, &origin, &created);
  PetscCall(collect(d, code, f, bad));
  if (*bad) return PETSC_SUCCESS;
  code = ip_store_open(d->l->comm, path, d->plan, &origin, &store);
  PetscCall(collect(d, code, f, bad));
  if (*bad) return PETSC_SUCCESS;
  PetscCall(collect(d, put_own(d, store), f, bad));
  if (!*bad) PetscCall(collect(d, read_back(d, store), f, bad));
  code = ip_store_close(&store);
  return *bad ? PETSC_SUCCESS : collect(d, code, f, bad);
}

static PetscErrorCode look_at_file(doctor *d, finding *f)
{
  const double started = seconds_now();
  bool bad = false;
  ip_text path = {0};

  if (!d->scratch[0] || !d->record) {
    f->verdict = UNFIT;
    return ip_text_add(&f->what, "not tried: see above");
  }
  PetscErrorCode code = ip_text_add(&path, "%s/together.h5", d->scratch);

  if (!code) code = write_together(d, f, path.text, &bad);
  ip_text_clear(&path);
  PetscCall(code);
  if (bad)
    return ip_text_add(&f->fix, d->hosts > 1 ? "the folder must be the same one on every host"
                                             : "choose another folder");
  return ip_text_add(&f->what, "%zu run%s written together and read back in %.1f s",
                     d->plan->n_runs, d->plan->n_runs == 1 ? "" : "s", seconds_now() - started);
}

/* ---- the rounds --------------------------------------------------------------------------------------- */

static const struct {
  const char *name;
  PetscErrorCode (*look)(doctor *d, finding *f);
} looks[] = {
    {"launcher",    look_at_launcher   },
    {"MPI-IO",      look_at_mpi_io     },
    {"processor",   look_at_processor  },
    {"numbers",     look_at_numbers    },
    {"file system", look_at_file_system},
    {"room",        look_at_room       },
    {"locks",       look_at_locks      },
    {"one file",    look_at_file       },
    {"figures",     look_at_gnuplot    },
};

static void show(const char *name, const finding *f)
{
  static const char *const word[VERDICTS] = {"ok", "note", "fail"};
  ip_text line = {0};

  if (ip_text_add(&line, "  %-5s %-12s ", word[f->verdict], name)) return;
  ip_text text = {0};

  (void)ip_text_wrap(&text, (int)line.length, line.text, f->what.text ? f->what.text : "");
  if (f->fix.text) (void)ip_text_wrap(&text, (int)line.length, "", f->fix.text);
  fputs(text.text, stdout);
  fflush(stdout); /* the next look may take a while */
  ip_text_clear(&text);
  ip_text_clear(&line);
}

/* The look at work, its line already in words; only rank 0 has one. */
static struct {
  char words[128];
  volatile sig_atomic_t length;
} hanging;

/* What is said if this look never ends. */
static void prepare_to_give_up(const char *name)
{
  hanging.length = 0;
  const int n =
      snprintf(hanging.words, sizeof hanging.words,
               "  fail  %-12s no answer within %d s: it hangs there\n", name, SECONDS);

  hanging.length = n < (int)sizeof hanging.words ? n : 0;
}

static void give_up(int number)
{
  (void)number;
  (void)!write(STDOUT_FILENO, hanging.words, (size_t)hanging.length);
  _exit(1);
}

static PetscErrorCode examine(doctor *d, bool quiet, int *worst)
{
  for (size_t i = 0; i < sizeof looks / sizeof looks[0]; i++) {
    finding f = {0};
    bool bad = false;

    if (d->l->rank == 0) prepare_to_give_up(looks[i].name);
    PetscErrorCode code = collect(d, looks[i].look(d, &f), &f, &bad);
    int of_all = (int)f.verdict;

    PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &of_all, 1, MPI_INT, MPI_MAX, d->l->comm));
    f.verdict = (verdict)of_all;
    if (!code && d->l->rank == 0 && (!quiet || of_all == UNFIT)) show(looks[i].name, &f);
    if (of_all > *worst) *worst = of_all;
    ip_text_clear(&f.what);
    ip_text_clear(&f.fix);
    PetscCall(code);
  }
  return PETSC_SUCCESS;
}

static void clear(doctor *d)
{
  remove_scratch(d);
  ip_record_destroy(&d->record);
  ip_plan_destroy(&d->plan);
  ip_data_destroy(&d->data);
  ip_options_destroy(&d->options);
}

static PetscErrorCode begin(const arguments *a, launch *l)
{
  ip_text line = {0};

  IP_CHECK(a->n_settings == 0 && !a->output, IP_ERR_USAGE,
           "doctor needs a folder or nothing: infoplane doctor FOLDER");
  PetscCall(launch_begin(a, l));
  PetscCall(versions_line(&line));
  if (l->rank == 0 && !a->quiet) puts(line.text);
  ip_text_clear(&line);
  return PETSC_SUCCESS;
}

int verb_doctor(const arguments *a)
{
  launch l = {0};
  doctor d = {.l = &l, .folder = a->operand ? a->operand : "."};
  int worst = FIT, rank, size;

  launcher_place(&rank, &size);
  if (rank == 0) prepare_to_give_up(looks[0].name);
  signal(SIGALRM, give_up);
  alarm(SECONDS);
  PetscErrorCode code = begin(a, &l);

  if (code == (PetscErrorCode)IP_ERR_ENVIRONMENT) { /* of the launcher; each task is alone */
    finding f = {.verdict = UNFIT};

    code = ip_text_add(&f.what, "%s", ip_error_message());
    if (rank == 0) show(looks[0].name, &f);
    ip_text_clear(&f.what);
    return launch_end(&l, a, code, 1);
  }
  signals_catch(); /* what was made is removed, also when a person grows impatient */
  if (!code) code = examine(&d, a->quiet, &worst);
  clear(&d);
  alarm(0);
  if (!code && l.rank == 0 && !a->quiet)
    puts(worst == UNFIT  ? "not fit: see the lines that fail"
         : worst == NOTE ? "fit, with notes"
                         : "fit");
  const int stopped = signals_noted();

  return launch_end(&l, a, code, worst == UNFIT ? 1 : stopped ? 128 + stopped : 0);
}
