/* infoplane plan --calibrate: short runs trained, measured and stored by the program's own functions, and the
   rates of the cost model fitted to what they took.

   Under mpirun all ranks work at the same time, as they will, and a time is their mean.  Every run is timed
   several times, in turns, and its median counts: other users of the machine come and go. */

#include "cli.h"
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PASSES = 3, MOST = 64, FILES = 3, PUTS = 4, MESSAGES = 200, MESSAGE = 264 };

/* Each block stresses something else; no two have equal runs, which would be planned once. */
static const char trained[] =
    "look: [0]\n"
    "estimate: [{kind: binning, bins: 30}]\n"
    "studies:\n"
    "  - {name: tanh, train.epochs: 400}\n"
    "  - {name: relu, network.activation: relu, train.epochs: 401,\n"
    "     estimate: [{kind: binning, bins: 30, range: snapshot}]}\n"
    "  - {name: small batches, train: {batch: 16, epochs: 60}}\n"
    "  - {name: full batch, train: {batch: full, optimizer: sgd, epochs: 402}}\n"
    "  - {name: narrow, network.hidden: [32, 32, 32], train.epochs: 60}\n"
    "  - {name: own, network: {hidden: [256, 256], blas: own}, train.epochs: 3}\n"
    "  - {name: library, network: {hidden: [256, 256], blas: openblas}, train.epochs: 8}\n"
    "  - {name: updates, network: {hidden: [256, 256], blas: openblas},\n"
    "     train: {batch: 16, epochs: 2}}\n"
    "  - {name: plain updates, network: {hidden: [256, 256], blas: openblas},\n"
    "     train: {batch: 16, epochs: 3, optimizer: sgd}}\n"
    "  - {name: looks, train.epochs: 24,\n"
    "     look: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, "
    "22]}\n"
    "  - {name: bins, train.epochs: 23, estimate: [{kind: binning, bins: [8, 20, 30, 40, "
    "60]}],\n"
    "     look: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, "
    "22]}\n"
    "  - {name: wide bins, network.hidden: [64, 64], train.epochs: 8, look: [1, 2, 3, 4, 5, "
    "6],\n"
    "     estimate: [{kind: binning, bins: [8, 20, 30, 40, 60]}]}\n"
    "  - {name: wide looks, network: {hidden: [256, 256], blas: openblas}, train.epochs: 4,\n"
    "     look: [1, 2, 3]}\n"
    "  - {name: pairs, train.epochs: 5, look: [1, 2, 3, 4],\n"
    "     estimate: [{kind: kde, noise_variance: 1e-3}]}\n"
    "  - {name: noises, train.epochs: 6, look: [1, 2],\n"
    "     estimate: [{kind: kde, noise_variance: [1e-3, 1e-2, 1e-1]}]}\n"
    "  - {name: wide pairs, network.hidden: [64, 64], train.epochs: 7, look: [1, 2],\n"
    "     estimate: [{kind: kde, noise_variance: 1e-3}]}\n"
    "  - {name: uncertain, dataset.labels: stochastic, train.epochs: 1}\n"
    "  - {name: tiny, dataset.samples: 64, network.hidden: [2], train.epochs: 1}\n";

/* Large records; never trained. */
static const char stored[] = "network.hidden: [256, 256]\n"
                             "train.epochs: 9\n"
                             "look: [1, 2, 3, 4, 5, 6, 7, 8]\n"
                             "estimate: [{kind: binning, bins: 30}]\n"
                             "save: {weights: looked}\n"
                             "repeat: 4\n";

typedef struct {
  size_t n;
  ip_timing timing[MOST];
  const char *name[MOST];
} sheet;

/* ---- helpers ------------------------------------------------------------------------------------------------ */

static PetscErrorCode make_study(const char *yaml, input *in)
{
  PetscCall(ip_text_copy("calibration", &in->name));
  PetscCall(ip_options_read(in->name, yaml, strlen(yaml), 0, NULL, &in->options));
  return input_plan(in);
}

static int ascending(const void *a, const void *b)
{
  const double *x = a, *y = b;

  return (*x > *y) - (*x < *y);
}

static double median(size_t n, double value[])
{
  qsort(value, n, sizeof *value, ascending);
  return value[n / 2];
}

/* ---- training and measuring ------------------------------------------------------------------------------------ */

/* All that a run has, but for what the store does with it. */
static void count_all(const ip_plan *plan, size_t run, double count[IP_COSTS])
{
  const double times[IP_PARTS] = {[IP_PART_EPOCH] = plan->run[run].epochs,
                                  [IP_PART_LOOK] =
                                      (double)plan->measure[plan->run[run].measure].n_looks,
                                  [IP_PART_RUN] = 1.0};

  for (size_t i = 0; i < IP_COSTS; i++) count[i] = 0.0;
  for (int part = 0; part < IP_PARTS; part++) {
    double some[IP_COSTS];

    ip_cost_count(plan, run, (ip_part)part, some);
    for (size_t i = 0; i < IP_COSTS; i++) count[i] += times[part] * some[i];
  }
  count[IP_COST_record] = count[IP_COST_record_byte] = 0.0;
}

static PetscErrorCode time_runs(const ip_plan *plan, ip_record *record, double seconds[])
{
  double(*passes)[PASSES] = NULL;
  PetscErrorCode code = IP_ALLOCATE(plan->n_runs, &passes);
  bool stopped;

  for (size_t i = 0; i < PASSES && !code; i++)
    for (size_t r = 0; r < plan->n_runs && !code; r++) {
      code = ip_run_train(plan, r, NULL, record, &stopped);
      passes[r][i] = record->seconds;
    }
  for (size_t r = 0; r < plan->n_runs && !code; r++) seconds[r] = median(PASSES, passes[r]);
  ip_release(&passes);
  return code;
}

/* The first block that a run belongs to. */
static const char *block_of(const ip_plan *plan, size_t run)
{
  size_t s = 0;

  while (!plan->in_study[run * plan->n_studies + s]) s++;
  return plan->options->block[s].name;
}

static PetscErrorCode measure_runs(const launch *l, const ip_plan *plan, sheet *s)
{
  ip_record *record = NULL;
  double seconds[MOST] = {0};

  IP_CHECK(s->n + plan->n_runs <= MOST, IP_ERR_INTERNAL, "%zu timings", plan->n_runs);
  PetscCall(ip_record_create(plan, &record));

  const PetscErrorCode code = time_runs(plan, record, seconds);

  ip_record_destroy(&record);
  PetscCall(code);
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, seconds, MOST, MPI_DOUBLE, MPI_SUM, l->comm));
  for (size_t r = 0; r < plan->n_runs; r++) {
    ip_timing *t = &s->timing[s->n];

    count_all(plan, r, t->count);
    t->seconds = seconds[r] / l->size;
    s->name[s->n++] = block_of(plan, r);
  }
  return PETSC_SUCCESS;
}

/* ---- storing ------------------------------------------------------------------------------------------------------- */

/* Of one plan, file by file. */
typedef struct {
  const ip_plan *plan;
  size_t n;
  double file[FILES], put[FILES * PUTS];
} stored_in;

static PetscErrorCode put_all(ip_store *store, ip_record *record, double seconds[PUTS])
{
  ip_status status;

  for (size_t i = 0; i < PUTS; i++) {
    const double begun = seconds_now();

    ip_record_reset(record, i % record->plan->n_runs);
    record->status = IP_STATUS_DONE;
    PetscCall(ip_store_put(store, record));
    PetscCall(ip_store_verify(store, record->run, &status));
    seconds[i] = seconds_now() - begun;
  }
  return PETSC_SUCCESS;
}

/* A file made, opened, filled and closed. */
static PetscErrorCode use_file(const char *path, ip_record *record, stored_in *times)
{
  const ip_store_origin origin = {
      .version = "", .commit = "", .build = "", .launch_json = "", .provenance_yaml = ""};
  const double begun = seconds_now();
  ip_store *store = NULL;
  bool created;

  PetscCall(ip_store_prepare(path, times->plan, &origin, &created));
  PetscCall(ip_store_open(PETSC_COMM_SELF, path, times->plan, &origin, &store));

  const double opened = seconds_now();
  PetscErrorCode code = put_all(store, record, &times->put[PUTS * times->n]);
  const double filled = seconds_now();

  if (code)
    ip_store_close(&store);
  else
    code = ip_store_close(&store);
  times->file[times->n++] = opened - begun + seconds_now() - filled;
  return code;
}

static PetscErrorCode use_files(const char *path, stored_in *times)
{
  ip_record *record = NULL;

  PetscCall(ip_record_create(times->plan, &record));

  const PetscErrorCode code = use_file(path, record, times);

  ip_record_destroy(&record);
  unlink(path);
  return code;
}

static PetscErrorCode note_store(stored_in *times, sheet *s)
{
  ip_timing *file = &s->timing[s->n], *put = &s->timing[s->n + 1];
  double count[IP_COSTS];
  uint64_t bytes;

  IP_CHECK(s->n + 2 <= MOST, IP_ERR_INTERNAL, "%zu timings", s->n);
  PetscCall(ip_store_size(times->plan, &bytes));
  ip_cost_count(times->plan, 0, IP_PART_RUN, count);
  file->count[IP_COST_file] = 1.0;
  file->count[IP_COST_file_byte] = (double)bytes;
  file->count[IP_COST_curve] = ip_cost_curves(times->plan);
  file->seconds = median(times->n, times->file);
  put->count[IP_COST_record] = 1.0;
  put->count[IP_COST_record_byte] = count[IP_COST_record_byte];
  put->seconds = median(PUTS * times->n, times->put);
  s->name[s->n++] = "file";
  s->name[s->n++] = "record";
  return PETSC_SUCCESS;
}

static PetscErrorCode measure_store(const ip_plan *small, const ip_plan *large, sheet *s)
{
  char folder[] = "infoplane-calibrate-XXXXXX";
  stored_in times[] = {{.plan = small}, {.plan = large}};
  ip_text path = {0};

  IP_CHECK(mkdtemp(folder), IP_ERR_CREATE,
           "no file can be made in the current folder: %s; calibrate where results will stand",
           strerror(errno));

  PetscErrorCode code = ip_text_add(&path, "%s/results.h5", folder);

  for (int i = 0; i < 2 * FILES && !code; i++) code = use_files(path.text, &times[i % 2]);
  for (int i = 0; i < 2 && !code; i++) code = note_store(&times[i], s);
  ip_text_clear(&path);
  rmdir(folder);
  return code;
}

/* ---- messages ---------------------------------------------------------------------------------------------------------- */

/* From rank 0 to the last and back. */
static PetscErrorCode measure_message(const launch *l, ip_rates *rates)
{
  char letter[MESSAGE] = {0};
  const int last = l->size - 1;

  if (last == 0) return PETSC_SUCCESS;
  PetscCallMPI(MPI_Barrier(l->comm));

  const double begun = seconds_now();

  for (int i = 0; i < MESSAGES && (l->rank == 0 || l->rank == last); i++) {
    if (l->rank == 0) PetscCallMPI(MPI_Send(letter, MESSAGE, MPI_BYTE, last, 0, l->comm));
    PetscCallMPI(
        MPI_Recv(letter, MESSAGE, MPI_BYTE, last - l->rank, 0, l->comm, MPI_STATUS_IGNORE));
    if (l->rank == last) PetscCallMPI(MPI_Send(letter, MESSAGE, MPI_BYTE, 0, 0, l->comm));
  }
  rates->second[IP_COST_message] = (seconds_now() - begun) / (2.0 * MESSAGES);
  return PETSC_SUCCESS;
}

/* A message to oneself, noticed and taken as rank 0 does it. */
static PetscErrorCode take_one(int tag)
{
  char sent[MESSAGE] = {0}, got[MESSAGE];
  MPI_Request request;
  int there = 0;

  PetscCallMPI(MPI_Isend(sent, MESSAGE, MPI_BYTE, 0, tag, MPI_COMM_SELF, &request));
  while (!there) PetscCallMPI(MPI_Iprobe(0, tag, MPI_COMM_SELF, &there, MPI_STATUS_IGNORE));
  PetscCallMPI(MPI_Recv(got, MESSAGE, MPI_BYTE, 0, tag, MPI_COMM_SELF, MPI_STATUS_IGNORE));
  PetscCallMPI(MPI_Wait(&request, MPI_STATUS_IGNORE));
  return PETSC_SUCCESS;
}

static PetscErrorCode measure_handing(ip_rates *rates)
{
  enum { OF_ONE = 3 }; /* question, answer, report */
  const double begun = seconds_now();

  for (int i = 0; i < MESSAGES * OF_ONE; i++) PetscCall(take_one(i % OF_ONE));
  rates->second[IP_COST_handing] = (seconds_now() - begun) / MESSAGES;
  return PETSC_SUCCESS;
}

/* ---- front door ------------------------------------------------------------------------------------------------------------ */

/* What the model says of a timing, in per cent of what it took. */
static double miss(const ip_timing *t, const ip_rates *rates)
{
  double sum = 0.0;

  for (size_t i = 0; i < IP_COSTS; i++) sum += t->count[i] * rates->second[i];
  return 100.0 * (sum / t->seconds - 1.0);
}

static void print_sheet(const sheet *s, const calibration *c)
{
  for (size_t i = 0; i < IP_COSTS; i++)
    printf("  %-18s %9.3g s   %s%s\n", ip_cost_name(i), c->rates.second[i], ip_cost_sentence(i),
           i == IP_COST_message && c->ranks == 1 ? " (not measured: needs two ranks)" : "");
  puts("  timed                 seconds   predicted");
  for (size_t t = 0; t < s->n; t++)
    printf("  %-18s %10.4g   %+8.0f %%\n", s->name[t], s->timing[t].seconds,
           miss(&s->timing[t], &c->rates));
}

static PetscErrorCode keep(const arguments *a, const sheet *s, const char *path,
                           const calibration *c)
{
  PetscCall(calibration_write(c, path));
  if (a->quiet) return PETSC_SUCCESS;
  print_sheet(s, c);
  printf("%s, %s, %d rank%s busy: the fit is right within %.0f %% (root mean square of %zu "
         "timings).\nKept in %s\n",
         c->host, c->cpu, c->ranks, c->ranks == 1 ? "" : "s", 100.0 * c->error, s->n, path);
  return PETSC_SUCCESS;
}

static PetscErrorCode measure_all(launch *l, sheet *s, calibration *c)
{
  input in = {0}, large = {0};
  PetscErrorCode code = make_study(trained, &in);

  if (!code) code = make_study(stored, &large);
  if (!code) code = measure_message(l, &c->rates);
  if (!code) code = measure_runs(l, in.plan, s);
  if (!code && l->rank == 0) code = measure_store(in.plan, large.plan, s);
  if (!code) code = measure_handing(&c->rates);
  input_clear(&in);
  input_clear(&large);
  return code;
}

/* Rank 0, before anything is measured. */
static PetscErrorCode check(const arguments *a, const calibration *c, char **path)
{
  IP_CHECK(!a->operand, IP_ERR_USAGE,
           "--calibrate measures this machine, whatever the study: infoplane plan --calibrate");
  for (size_t o = 0; o < OPTIONS; o++)
    IP_CHECK(o == OPTION_CALIBRATE || !a->option[o], IP_ERR_USAGE,
             "--calibrate and %s are two questions: ask one", option_of(o)->name);
  return calibration_place(c, path);
}

PetscErrorCode calibrate(const arguments *a, launch *l, double started)
{
  calibration c;
  sheet s = {0};
  char *path = NULL;
  PetscErrorCode code = PETSC_SUCCESS;

  calibration_begin(&c);
  c.ranks = l->size;
  c.rates.second[IP_COST_launch] = seconds_now() - started;
  if (l->rank == 0) code = check(a, &c, &path);
  PetscCall(launch_agree(l, code));
  code = measure_all(l, &s, &c);
  if (!code && l->rank == 0) code = ip_rates_fit(s.n, s.timing, &c.rates, &c.error);
  if (!code && l->rank == 0) code = keep(a, &s, path, &c);
  ip_release(&path);
  return code;
}
