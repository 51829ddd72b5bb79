/* How fast runs are stored: every rank puts the records of many runs as `infoplane run` does, with
   the look at the lock and both syncs, but without training.  Then all of them are proved.

       bench_store FOLDER RUNS [INPUT]        INPUT: a study whose runs have the size wanted

   What it says of speed is for people; it fails where a run is not proved, where a run costs more
   writes than it has arrays, and where an array of a page or more does not begin on one. */

#include "h5.h"
#include <infoplane/store.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PAGE = 4096, SEALS = 2 }; /* checksum, status */

static const char tiny[] = "network: {hidden: [6, 4]}\n"
                           "train: {epochs: 1}\n"
                           "look: [1]\n"
                           "estimate: [{kind: binning, bins: 30}]\n";

/* What one rank did, summed over ranks afterwards. */
enum { PUT_SECONDS, SYNC_SECONDS, SYNCS, WRITES, PUTS, SUMS };
static double sum[SUMS];

typedef struct {
  ip_options *options;
  ip_data *data;
  ip_plan *plan;
  ip_store *store;
  ip_lock *lock;
  uint64_t token;
  double created, opened, put, proved; /* seconds, of the slowest rank */
  size_t arrays, bytes;                /* of a run */
} bench;

/* The only call that waits for the disk; the linker puts ours before it. */
int __real_fdatasync(int fd); // NOLINT(bugprone-reserved-identifier)
int __wrap_fdatasync(int fd); // NOLINT(bugprone-reserved-identifier)
int __wrap_fdatasync(int fd)  // NOLINT(bugprone-reserved-identifier)
{
  const double begun = MPI_Wtime();
  const int failed = __real_fdatasync(fd);

  sum[SYNC_SECONDS] += MPI_Wtime() - begun;
  sum[SYNCS]++;
  return failed;
}

/* Writes of this thread so far; -1: the kernel does not count them. */
static double count_writes(void)
{
  FILE *file = fopen("/proc/thread-self/io", "re");
  char line[128];
  double writes = -1;

  while (file && fgets(line, sizeof line, file))
    if (strncmp(line, "syscw:", 6) == 0) writes = strtod(line + 6, NULL);
  if (file) fclose(file);
  return writes;
}

/* Seconds since the last call, of the slowest rank. */
static double lap(void)
{
  static double last = 0.0;

  MPI_Barrier(MPI_COMM_WORLD);
  const double now = MPI_Wtime(), seconds = now - last;

  last = now;
  return seconds;
}

/* ---- the study ------------------------------------------------------------------------------------- */

static PetscErrorCode read_text(const char *path, ip_text *text)
{
  char line[512];
  FILE *file = fopen(path, "re");
  PetscErrorCode code = PETSC_SUCCESS;

  IP_CHECK(file, IP_ERR_NO_INPUT, "%s cannot be read", path);
  while (!code && fgets(line, sizeof line, file)) code = ip_text_add(text, "%s", line);
  fclose(file);
  return code;
}

static PetscErrorCode make_plan(bench *b, const char *runs, const char *input)
{
  char repeat[64];
  const char *argument[] = {repeat, "reproducible=yes"};
  ip_text text = {0};
  PetscErrorCode code = input ? read_text(input, &text) : ip_text_add(&text, "%s", tiny);

  snprintf(repeat, sizeof repeat, "repeat=%s", runs);
  if (!code)
    code = ip_options_read("bench.yaml", text.text, text.length, 2, argument, &b->options);
  ip_text_clear(&text);
  PetscCall(code);
  PetscCall(ip_data_create(b->options, &b->data));
  PetscCall(ip_data_load(b->data));
  PetscCall(ip_plan_create(b->options, b->data, &b->plan));
  for (size_t f = 0; f < IP_FIELDS; f++) {
    b->arrays += ip_field_length(b->plan, f) > 0;
    b->bytes += ip_field_length(b->plan, f) * ip_number_size(ip_field_row(f)->type);
  }
  return PETSC_SUCCESS;
}

/* ---- the file -------------------------------------------------------------------------------------- */

static PetscErrorCode open_file(bench *b, const char *path, int rank)
{
  const ip_store_origin origin = {.version = "bench",
                                  .commit = "",
                                  .build = "bench",
                                  .launch_json = "",
                                  .reproducible = true};
  bool created = false;

  lap();
  if (rank == 0) {
    unlink(path);
    PetscCall(ip_lock_take(path, false, 0.0, &b->lock));
    PetscCall(ip_store_prepare(path, b->plan, &origin, &created));
    b->token = ip_lock_token(b->lock);
  }
  PetscCallMPI(MPI_Bcast(&b->token, 1, MPI_UINT64_T, 0, MPI_COMM_WORLD));
  b->created = lap();
  PetscCall(ip_store_open(MPI_COMM_WORLD, path, b->plan, &origin, &b->store));
  PetscCall(ip_store_guard(b->store, b->token));
  b->opened = lap();
  return PETSC_SUCCESS;
}

/* Every byte of a run tells of it, so that a run in another's place is seen. */
static void fill(ip_record *record, size_t run)
{
  ip_record_reset(record, run);
  record->status = IP_STATUS_DONE;
  for (size_t f = 0; f < IP_FIELDS; f++)
    if (record->array[f])
      memset(record->array[f], (int)(1 + (run + f) % 100),
             ip_field_length(record->plan, f) * ip_number_size(ip_field_row(f)->type));
}

static PetscErrorCode put_runs(bench *b, int rank, int size)
{
  ip_record *record = NULL;
  PetscErrorCode code = ip_record_create(b->plan, &record);
  const double before = count_writes();

  memset(sum, 0, sizeof sum);
  for (size_t run = (size_t)rank; run < b->plan->n_runs && !code; run += (size_t)size) {
    fill(record, run);
    const double begun = MPI_Wtime();

    code = ip_store_put(b->store, record);
    sum[PUT_SECONDS] += MPI_Wtime() - begun;
    sum[PUTS]++;
  }
  sum[WRITES] = count_writes() - before;
  ip_record_destroy(&record);
  PetscCall(code);
  b->put = lap();
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sum, SUMS, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD));
  return PETSC_SUCCESS;
}

static PetscErrorCode prove(bench *b)
{
  int8_t *status = NULL;
  size_t damaged = 0, done = 0;

  PetscCall(IP_ALLOCATE(b->plan->n_runs, &status));
  lap();
  const PetscErrorCode code = ip_store_verify_all(b->store, status, &damaged);

  b->proved = lap();
  for (size_t run = 0; run < b->plan->n_runs; run++) done += status[run] == IP_STATUS_DONE;
  ip_release(&status);
  PetscCall(code);
  IP_CHECK(done == b->plan->n_runs && damaged == 0, IP_ERR_DATA,
           "%zu of %zu runs are proved, %zu are damaged", done, b->plan->n_runs, damaged);
  return PETSC_SUCCESS;
}

static PetscErrorCode check_writes(const bench *b)
{
  const double extra = 1 + SEALS; /* build_index; timing is constant in a reproducible file */

  IP_CHECK(count_writes() < 0 || sum[WRITES] == ((double)b->arrays + extra) * sum[PUTS],
           IP_ERR_INTERNAL, "%.0f writes for %.0f runs of %zu arrays", sum[WRITES], sum[PUTS],
           b->arrays);
  return PETSC_SUCCESS;
}

static PetscErrorCode check_alignment(const bench *b, const char *path)
{
  hid_t file = -1;

  PetscCall(ip_h5_open_ours(path, &file));
  for (size_t f = 0; f < IP_FIELDS; f++) {
    const char *name = ip_field_row(f)->name;
    const size_t bytes =
        b->plan->n_runs * ip_field_length(b->plan, f) * ip_number_size(ip_field_row(f)->type);

    if (bytes < PAGE) continue;
    const hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT);
    const haddr_t place = H5Dget_offset(dataset);

    ip_h5_close(dataset);
    IP_CHECK(place != HADDR_UNDEF && place % PAGE == 0, IP_ERR_INTERNAL,
             "%s begins at byte %llu, on no page", name, (unsigned long long)place);
  }
  ip_h5_close(file);
  return PETSC_SUCCESS;
}

/* ---- the report ------------------------------------------------------------------------------------ */

static void report(const bench *b, int size)
{
  const double n = (double)b->plan->n_runs;

  printf("%.0f runs of %zu bytes in %zu arrays, %d ranks\n", n, b->bytes, b->arrays, size);
  printf("  made in %.2f s, opened in %.3f s\n", b->created, b->opened);
  printf("  stored in %.2f s: %.0f runs/s, %.1f MB/s\n", b->put, n / b->put,
         1e-6 * n * (double)b->bytes / b->put);
  printf("  a run takes its rank %.3f ms, %.0f %% of them in %.0f calls of fdatasync\n",
         1e3 * sum[PUT_SECONDS] / n, 1e2 * sum[SYNC_SECONDS] / sum[PUT_SECONDS],
         sum[SYNCS] / n);
  printf("  proved in %.2f s: %.0f runs/s\n", b->proved, n / b->proved);
}

static PetscErrorCode measure(bench *b, const char *folder, const char *runs, const char *input)
{
  int rank = 0, size = 1;
  char path[4096];

  PetscCallMPI(MPI_Comm_rank(MPI_COMM_WORLD, &rank));
  PetscCallMPI(MPI_Comm_size(MPI_COMM_WORLD, &size));
  snprintf(path, sizeof path, "%s/bench_store.h5", folder);
  PetscCall(make_plan(b, runs, input));
  PetscCall(open_file(b, path, rank));
  PetscCall(put_runs(b, rank, size));
  PetscCall(prove(b));
  PetscCall(ip_store_close(&b->store));
  if (rank == 0) {
    report(b, size);
    PetscCall(check_writes(b));
    PetscCall(check_alignment(b, path));
    unlink(path);
  }
  ip_lock_release(&b->lock);
  return PETSC_SUCCESS;
}

int main(int argc, char **argv)
{
  bench b = {0};

  if (argc < 3) {
    fprintf(stderr, "usage: bench_store FOLDER RUNS [INPUT]\n");
    return 64;
  }
  setenv("OMPI_MCA_io", "romio321", 0);
  MPI_Init(&argc, &argv);
  PetscPushErrorHandler(ip_error_handler, NULL);
  const PetscErrorCode code = measure(&b, argv[1], argv[2], argc > 3 ? argv[3] : NULL);

  if (code) {
    fprintf(stderr, "FAILED: %s\n", ip_error_message());
    MPI_Abort(MPI_COMM_WORLD, 1);
  }
  ip_plan_destroy(&b.plan);
  ip_data_destroy(&b.data);
  ip_options_destroy(&b.options);
  return MPI_Finalize();
}
