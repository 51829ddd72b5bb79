/* What a file proves of itself, without its input and without its data.

   The plan is made again from what the file holds: the attribute config, and shapes and checksums of
   the data sets.  With it come the identities of the runs, which their checksums cover. */

#include "fit.h"
#include "seal.h"
#include <infoplane/store.h>
#include <string.h>
#include <time.h>

enum { LOOKS = 3 }; /* at a run that does not fit, while a job writes the file */
static const double pause_seconds = 0.5;

/* A file, and the plan that it was written after. */
typedef struct {
  const char *path;
  hid_t file;
  ip_options *options;
  ip_data *data;
  ip_plan *plan;
  ip_layout *layout;
} ledger;

/* ---- the plan of a file ----------------------------------------------------------------------------- */

/* One number of every data set; it must have as many as config names. */
static PetscErrorCode read_of_data(const ledger *l, const char *name, hid_t type, void *value)
{
  const hid_t dataset = H5Dopen2(l->file, name, H5P_DEFAULT), space = H5Dget_space(dataset);
  const bool fits = H5Sget_simple_extent_ndims(space) == 1 &&
                    H5Sget_simple_extent_npoints(space) == (hssize_t)l->data->n;
  const bool read = fits && H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, value) >= 0;

  ip_h5_close(space);
  ip_h5_close(dataset);
  IP_CHECK(read, IP_ERR_DATA, "%s is missing, or not of the %zu data sets that config names",
           name, l->data->n);
  return PETSC_SUCCESS;
}

static PetscErrorCode assume_data(const ledger *l, ip_data_shape shape[], int64_t number[],
                                  uint64_t checksum[])
{
  const size_t n = l->data->n;

  PetscCall(read_of_data(l, "data_patterns", H5T_NATIVE_INT64, number));
  for (size_t i = 0; i < n; i++) shape[i].n = number[i];
  PetscCall(read_of_data(l, "data_features", H5T_NATIVE_INT64, number));
  for (size_t i = 0; i < n; i++) shape[i].d = number[i];
  PetscCall(read_of_data(l, "data_classes", H5T_NATIVE_INT64, number));
  for (size_t i = 0; i < n; i++) shape[i].k = number[i];
  PetscCall(read_of_data(l, "data_certain", H5T_NATIVE_INT64, number));
  for (size_t i = 0; i < n; i++) shape[i].certain = number[i] != 0;
  PetscCall(read_of_data(l, "data_checksum", H5T_NATIVE_UINT64, checksum));
  for (size_t i = 0; i < n; i++) {
    shape[i].checksum = checksum[i];
    PetscCall(ip_data_assume(l->data, i, &shape[i]));
  }
  return PETSC_SUCCESS;
}

static PetscErrorCode shape_data(const ledger *l)
{
  ip_data_shape *shape = NULL;
  int64_t *number = NULL;
  uint64_t *checksum = NULL;
  PetscErrorCode code = IP_ALLOCATE(l->data->n, &shape);

  if (!code) code = IP_ALLOCATE(l->data->n, &number);
  if (!code) code = IP_ALLOCATE(l->data->n, &checksum);
  if (!code) code = assume_data(l, shape, number, checksum);
  ip_release(&shape);
  ip_release(&number);
  ip_release(&checksum);
  return code;
}

static PetscErrorCode plan_again(ledger *l, const char *config)
{
  PetscCall(ip_options_read("config", config, strlen(config), 0, NULL, &l->options));
  PetscCall(ip_data_create(l->options, &l->data));
  PetscCall(shape_data(l));
  PetscCall(ip_plan_create(l->options, l->data, &l->plan));
  return ip_layout_create(l->plan, &l->layout);
}

/* A file of ours that no plan can be made from is damaged, whatever the plan says is wrong. */
static PetscErrorCode blame_file(const ledger *l, PetscErrorCode code)
{
  ip_text why = {0};

  if (code == IP_ERR_INTERNAL) return code;
  PetscCall(ip_text_add(&why, "%s", ip_error_message()));
  ip_error_clear();
  code = ip_error_raise(IP_ERR_DATA, __func__,
                        "%s is damaged: its study cannot be read from the attribute config and "
                        "the shapes of its data:\n%s",
                        l->path, why.text);
  ip_text_clear(&why);
  return code;
}

static PetscErrorCode open_ledger(ledger *l)
{
  char *config = NULL;

  PetscCall(ip_h5_open_ours(l->path, &l->file));
  PetscErrorCode code = ip_h5_read_text(l->file, "config", &config);

  if (!code) code = plan_again(l, config);
  ip_release(&config);
  if (code) return blame_file(l, code);
  return ip_fit_shapes(l->path, l->file, l->layout);
}

static void close_ledger(ledger *l)
{
  ip_layout_destroy(&l->layout);
  ip_plan_destroy(&l->plan);
  ip_data_destroy(&l->data);
  ip_options_destroy(&l->options);
  ip_h5_close(l->file);
}

/* ---- the runs ------------------------------------------------------------------------------------------ */

static PetscErrorCode prove(const ip_seals *seals, ip_record *buffer, int8_t *status)
{
  ip_status held = IP_STATUS_PENDING;
  bool damaged = false;

  PetscCall(ip_seals_prove(seals, buffer, &held, &damaged));
  *status = (int8_t)(damaged ? (int)IP_FOUND_DAMAGED : (int)held);
  return PETSC_SUCCESS;
}

/* Look at the runs that are not proved yet.  Arrays are opened anew each time: HDF5 keeps what it
   has read of an open one. */
static PetscErrorCode look(const ledger *l, ip_record *buffer, ip_findings *found)
{
  ip_seals seals;

  ip_seals_begin(l->plan, &seals);
  PetscErrorCode code = ip_seals_open(l->file, l->path, &seals);

  for (size_t run = 0; run < found->n_runs && !code; run++) {
    if (found->status[run] != IP_FOUND_DAMAGED) continue;
    buffer->run = run;
    code = prove(&seals, buffer, &found->status[run]);
  }
  ip_seals_close(&seals);
  return code;
}

static bool any_damaged(const ip_findings *found)
{
  return memchr(found->status, IP_FOUND_DAMAGED, found->n_runs) != NULL;
}

/* Somebody may be writing the file: what he is in the middle of does not fit for a moment. */
static bool is_held(const char *path)
{
  ip_text words = {0};
  const bool held = ip_lock_describe(path, &words) == PETSC_SUCCESS && words.length > 0;

  if (!held) ip_error_clear();
  ip_text_clear(&words);
  return held;
}

static PetscErrorCode look_at_runs(const ledger *l, ip_findings *found)
{
  const struct timespec pause = {.tv_nsec = (long)(1e9 * pause_seconds)};
  ip_record *buffer = NULL;

  memset(found->status, IP_FOUND_DAMAGED, found->n_runs);
  PetscCall(ip_record_create(l->plan, &buffer));
  PetscErrorCode code = look(l, buffer, found);

  for (int i = 1; i < LOOKS && !code && any_damaged(found) && is_held(l->path); i++) {
    nanosleep(&pause, NULL);
    code = look(l, buffer, found);
  }
  ip_record_destroy(&buffer);
  return code;
}

PetscErrorCode ip_store_check(const char *path, ip_findings *found)
{
  ledger l = {.path = path, .file = -1};
  ip_findings f = {0};
  PetscErrorCode code = open_ledger(&l);

  if (!code) {
    f.n_runs = l.plan->n_runs;
    code = IP_ALLOCATE(f.n_runs, &f.status);
  }
  if (!code) code = ip_fit_values(l.file, l.plan, l.layout, &f.unfit);
  if (!code) code = look_at_runs(&l, &f);
  close_ledger(&l);
  if (code)
    ip_findings_clear(&f);
  else
    *found = f;
  return code;
}

void ip_findings_clear(ip_findings *found)
{
  ip_release(&found->status);
  ip_text_clear(&found->unfit);
  found->n_runs = 0;
}
