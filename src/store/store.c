/* Writing runs: every rank its own slabs, sealed by a checksum that proves them.

       slabs -> fdatasync -> checksum, status -> fdatasync

   Only raw data is written, independently, into arrays that exist: a kill at any moment leaves a
   file that opens, and a run that is sealed or pending. */

#include "builds.h"
#include "lock.h"
#include "seal.h"
#include <errno.h>
#include <fcntl.h>
#include <infoplane/store.h>
#include <string.h>
#include <unistd.h>

struct ip_store {
  MPI_Comm comm;
  int rank;
  const ip_plan *plan;
  char *path;
  hid_t file;
  int fd; /* our own descriptor: fdatasync needs one, HDF5's flush would be collective */
  uint64_t token;
  bool reproducible;
  ip_seals seals;
  hid_t seconds, trained_by, build_index, build_text, launch_json;
  int build;
  int launch;       /* row of this launch; -1: none */
  char *start_json; /* rank 0 */
  int32_t *writer;  /* shape (n_runs): 1 + the rank that put the run in this launch, 0 = none */
};

/* ---- open and close ------------------------------------------------------------------------------ */

/* The worst code of all ranks, so that all of them go on or stop together. */
static PetscErrorCode agree(MPI_Comm comm, PetscErrorCode code)
{
  int mine = (int)code, worst = 0;

  PetscCallMPI(MPI_Allreduce(&mine, &worst, 1, MPI_INT, MPI_MAX, comm));
  if (worst && !mine)
    return ip_error_raise((PetscErrorCode)worst, __func__, "another rank reports the error");
  return code;
}

static PetscErrorCode open_array(ip_store *s, const char *name, hid_t *dataset)
{
  return ip_h5_open_array(s->file, s->path, name, dataset);
}

static PetscErrorCode open_arrays(ip_store *s)
{
  PetscCall(ip_seals_open(s->file, s->path, &s->seals));
  PetscCall(open_array(s, "timing/seconds", &s->seconds));
  PetscCall(open_array(s, "timing/rank", &s->trained_by));
  PetscCall(open_array(s, "provenance/build_index", &s->build_index));
  PetscCall(open_array(s, "provenance/build_text", &s->build_text));
  return open_array(s, "provenance/launch_json", &s->launch_json);
}

static PetscErrorCode open_descriptor(ip_store *s)
{
  s->fd = ip_file_open(s->path, O_RDWR);
  IP_CHECK(s->fd >= 0, IP_ERR_IO, "%s: %s", s->path, strerror(errno));
  return PETSC_SUCCESS;
}

/* Every rank for itself: nothing after it is collective, and in a collective open the error of one
   rank leaves the others in HDF5 for ever. */
static PetscErrorCode open_file(ip_store *s)
{
  const hid_t plain = ip_h5_access();
  const hid_t access =
      ip_h5_only(H5Pset_fapl_mpio(plain, MPI_COMM_SELF, MPI_INFO_NULL) >= 0, plain);

  s->file = H5Fopen(s->path, H5F_ACC_RDWR, access);
  const PetscErrorCode code =
      IP_H5(s->file, IP_ERR_ENVIRONMENT, "%s cannot be opened through MPI-IO", s->path);

  ip_h5_close(access);
  return code;
}

/* ---- what a launch says of itself ----------------------------------------------------------------- */

/* {"start": ..., "end": ...} of JSON; what does not fit is left out, so that the row stays JSON. */
static PetscErrorCode write_launch(ip_store *s, const char *end)
{
  char row[IP_LAYOUT_LAUNCH] = "";
  const ip_cells cells = {
      .n_axes = 2, .start = {(hsize_t)s->launch, 0               },
           .count = {1,                  IP_LAYOUT_LAUNCH}
  };
  const char *start = s->start_json, *last = end;
  const size_t frame = sizeof "{\"start\": , \"end\": }";

  if (frame + strlen(start) + strlen(last) > sizeof row) start = "\"too long\"";
  if (frame + strlen(start) + strlen(last) > sizeof row) last = "\"too long\"";
  snprintf(row, sizeof row, "{\"start\": %s, \"end\": %s}", start, last);
  return ip_h5_write(s->launch_json, H5T_NATIVE_UINT8, &cells, row);
}

/* The first free row, or the last. */
static PetscErrorCode begin_launch(ip_store *s, const ip_store_origin *origin)
{
  uint8_t first[IP_LAYOUT_LAUNCHES];
  const ip_cells cells = {
      .n_axes = 2, .count = {IP_LAYOUT_LAUNCHES, 1}
  };

  if (s->reproducible) return PETSC_SUCCESS;
  PetscCall(ip_h5_read(s->launch_json, H5T_NATIVE_UINT8, &cells, first));
  s->launch = 0;
  while (s->launch < IP_LAYOUT_LAUNCHES - 1 && first[s->launch]) s->launch++;
  PetscCall(ip_text_copy(origin->launch_json ? origin->launch_json : "null", &s->start_json));
  return write_launch(s, "null");
}

static PetscErrorCode begin_build(ip_store *s, const ip_store_origin *origin)
{
  int found = -1, n = 0;
  char last[IP_LAYOUT_BUILD + 1];

  PetscCall(ip_builds_find(s->build_text, origin->build, &found, &n, last));
  IP_CHECK(found >= 0 || n < IP_LAYOUT_BUILDS, IP_ERR_CONFIG,
           "%s was continued by %d builds of infoplane, which is all it can name", s->path, n);
  s->build = found >= 0 ? found : n;
  return found >= 0 ? PETSC_SUCCESS : ip_builds_write(s->build_text, n, origin->build);
}

/* Rank 0 names build and launch; all learn the row of the build. */
static PetscErrorCode begin(ip_store *s, const ip_store_origin *origin)
{
  PetscErrorCode code = PETSC_SUCCESS;

  if (s->rank == 0) code = begin_build(s, origin);
  if (s->rank == 0 && !code) code = begin_launch(s, origin);
  PetscCall(agree(s->comm, code));
  PetscCallMPI(MPI_Bcast(&s->build, 1, MPI_INT, 0, s->comm));
  return PETSC_SUCCESS;
}

PetscErrorCode ip_store_end_launch(ip_store *store, const char *json)
{
  if (store->launch < 0) return PETSC_SUCCESS;
  PetscCall(write_launch(store, json));
  return ip_file_sync(store->fd, store->path);
}

/* ---- the handle ------------------------------------------------------------------------------------ */

/* Hosts may have different installations, and numbers of two builds may differ in the last bits.  All
   ranks say the same. */
static PetscErrorCode compare_builds(const ip_store *s, const char *build)
{
  char first[IP_LAYOUT_BUILD + 1], other[IP_LAYOUT_BUILD + 1];
  int size = 1, odd;

  snprintf(first, sizeof first, "%s", build);
  snprintf(other, sizeof other, "%s", build);
  PetscCallMPI(MPI_Comm_size(s->comm, &size));
  PetscCallMPI(MPI_Bcast(first, sizeof first, MPI_CHAR, 0, s->comm));
  odd = strcmp(first, other) == 0 ? size : s->rank;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &odd, 1, MPI_INT, MPI_MIN, s->comm));
  if (odd == size) return PETSC_SUCCESS;
  PetscCallMPI(MPI_Bcast(other, sizeof other, MPI_CHAR, odd, s->comm));
  return ip_error_raise(IP_ERR_CONFIG, __func__,
                        "rank %d runs another build of infoplane (%s) than rank 0 (%s), and "
                        "their numbers may differ in the last bits: start the same program on "
                        "every host",
                        odd, other, first);
}

static PetscErrorCode open_all(ip_store *s, const ip_store_origin *origin)
{
  PetscCall(compare_builds(s, origin->build));
  PetscCall(agree(s->comm, open_descriptor(s)));
  PetscCall(agree(s->comm, open_file(s)));
  PetscCall(agree(s->comm, open_arrays(s)));
  return begin(s, origin);
}

PetscErrorCode ip_store_open(MPI_Comm comm, const char *path, const ip_plan *plan,
                             const ip_store_origin *origin, ip_store **store)
{
  ip_store *s = NULL;

  ip_h5_begin();
  PetscCall(IP_ALLOCATE(1, &s));
  *s = (ip_store){.comm = comm,
                  .plan = plan,
                  .file = -1,
                  .fd = -1,
                  .launch = -1,
                  .reproducible = origin->reproducible,
                  .seconds = -1,
                  .trained_by = -1,
                  .build_index = -1,
                  .build_text = -1,
                  .launch_json = -1};
  ip_seals_begin(plan, &s->seals);
  PetscErrorCode code = ip_text_copy(path, &s->path);

  if (!code) code = IP_ALLOCATE(plan->n_runs, &s->writer);
  MPI_Comm_rank(comm, &s->rank);
  code = agree(comm, code);
  if (!code) code = open_all(s, origin);
  if (code)
    ip_store_close(&s);
  else
    *store = s;
  return code;
}

PetscErrorCode ip_store_close(ip_store **store)
{
  ip_store *s = *store;
  PetscErrorCode code = PETSC_SUCCESS;

  if (!s) return PETSC_SUCCESS;
  ip_seals_close(&s->seals);
  const hid_t other[] = {s->seconds, s->trained_by, s->build_index, s->build_text,
                         s->launch_json};

  for (size_t i = 0; i < sizeof other / sizeof other[0]; i++) ip_h5_close(other[i]);
  if (s->file >= 0) code = IP_H5(H5Fclose(s->file), IP_ERR_IO, "%s cannot be closed", s->path);
  if (s->fd >= 0 && close(s->fd) != 0)
    code = ip_error_raise(IP_ERR_IO, __func__, "%s: %s", s->path, strerror(errno));
  ip_release(&s->writer);
  ip_release(&s->start_json);
  ip_release(&s->path);
  ip_release(store);
  return code;
}

PetscErrorCode ip_store_guard(ip_store *store, uint64_t token)
{
  store->token = token;
  return PETSC_SUCCESS;
}

/* ---- one run ---------------------------------------------------------------------------------------- */

static PetscErrorCode write_timing(ip_store *s, const ip_record *record)
{
  const ip_cells cells = {.n_axes = 1, .start = {record->run / s->plan->parts}, .count = {1}};
  const int8_t build = (int8_t)s->build;

  PetscCall(ip_h5_write(s->build_index, H5T_NATIVE_INT8, &cells, &build));
  if (s->reproducible || ip_plan_is_given(s->plan)) return PETSC_SUCCESS;
  PetscCall(ip_h5_write(s->seconds, H5T_NATIVE_DOUBLE, &cells, &record->seconds));
  return ip_h5_write(s->trained_by, H5T_NATIVE_INT, &cells, &s->rank);
}

PetscErrorCode ip_store_put(void *store, const ip_record *record)
{
  ip_store *s = store;

  IP_CHECK(record->run < s->plan->n_runs, IP_ERR_INTERNAL, "run %zu is not one of %zu",
           record->run, s->plan->n_runs);
  IP_CHECK(record->status > IP_STATUS_PENDING && record->status <= IP_STATUS_FAILED,
           IP_ERR_INTERNAL, "run %zu: status %d is not that of a finished run", record->run,
           (int)record->status);
  if (s->token) PetscCall(ip_lock_check(s->path, s->token));
  PetscCall(ip_seals_write(&s->seals, record));
  PetscCall(write_timing(s, record));
  PetscCall(ip_file_sync(s->fd, s->path));
  PetscCall(ip_seals_seal(&s->seals, record));
  s->writer[record->run] = s->rank + 1;
  return ip_file_sync(s->fd, s->path);
}

/* ---- proof ------------------------------------------------------------------------------------------- */

PetscErrorCode ip_store_verify(ip_store *store, size_t run, ip_status *status)
{
  ip_record *buffer = NULL;
  bool damaged = false;

  IP_CHECK(run < store->plan->n_runs, IP_ERR_INTERNAL, "run %zu is not one of %zu", run,
           store->plan->n_runs);
  PetscCall(ip_record_create(store->plan, &buffer));
  buffer->run = run;
  const PetscErrorCode code = ip_seals_prove(&store->seals, buffer, status, &damaged);

  ip_record_destroy(&buffer);
  return code;
}

PetscErrorCode ip_store_get(ip_store *store, ip_record *record, ip_status *status)
{
  bool damaged = false;

  IP_CHECK(record->run < store->plan->n_runs, IP_ERR_INTERNAL, "run %zu is not one of %zu",
           record->run, store->plan->n_runs);
  return ip_seals_prove(&store->seals, record, status, &damaged);
}

/* The runs of this rank's share, all or those put in this launch; others keep what they have.  Who wrote a run in this launch does
   not verify it: the next rank does, so that it comes from another host's view of the file. */
static PetscErrorCode verify_share(const ip_store *s, bool put_now, int8_t status[],
                                   size_t *damaged)
{
  ip_record *buffer = NULL;
  PetscErrorCode code = PETSC_SUCCESS;
  int size = 1;

  PetscCallMPI(MPI_Comm_size(s->comm, &size));
  PetscCall(ip_record_create(s->plan, &buffer));
  for (size_t run = 0; run < s->plan->n_runs && !code; run++) {
    const size_t turn = s->writer[run] > 0 ? (size_t)s->writer[run] : run;
    ip_status proved = IP_STATUS_PENDING;
    bool lies = false;

    if (put_now && s->writer[run] == 0) continue;
    if ((int)(turn % (size_t)size) != s->rank) continue;
    buffer->run = run;
    code = ip_seals_prove(&s->seals, buffer, &proved, &lies);
    status[run] = (int8_t)proved;
    *damaged += lies;
  }
  ip_record_destroy(&buffer);
  return code;
}

/* What is not verified keeps the status that rank 0 knows; all ranks end with the same. */
static PetscErrorCode verify(ip_store *store, bool put_now, int8_t status[], size_t *damaged)
{
  const int runs = (int)store->plan->n_runs;
  size_t mine = 0;
  uint64_t sum = 0;

  PetscCallMPI(
      MPI_Allreduce(MPI_IN_PLACE, store->writer, runs, MPI_INT32_T, MPI_MAX, store->comm));
  for (int run = 0; run < runs; run++)
    if (!put_now || store->rank != 0 || store->writer[run] > 0) status[run] = IP_STATUS_PENDING;
  PetscCall(agree(store->comm, verify_share(store, put_now, status, &mine)));
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, status, runs, MPI_INT8_T, MPI_MAX, store->comm));
  sum = mine;
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &sum, 1, MPI_UINT64_T, MPI_SUM, store->comm));
  *damaged = (size_t)sum;
  return PETSC_SUCCESS;
}

PetscErrorCode ip_store_verify_all(ip_store *store, int8_t status[], size_t *damaged)
{
  return verify(store, false, status, damaged);
}

PetscErrorCode ip_store_verify_put(ip_store *store, int8_t status[], size_t *damaged)
{
  return verify(store, true, status, damaged);
}
