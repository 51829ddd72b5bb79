/* Activations of a run in a file of its own, in the layout that infoplane estimate reads: layer_1, ...
   (epoch, sample, unit), layer_0 the inputs, y, classes, epoch, train, test.

   No time, host or rank enters it.  So a run that is done again makes the same bytes, and a file that
   has its name and others is not ours. */

#include "h5.h"
#include "lock.h"
#include "room.h"
#include <errno.h>
#include <fcntl.h>
#include <infoplane/store.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct ip_archives {
  char *path; /* of the results */
  uint64_t token;
  ip_text name, partial;
  ip_archived what;
  const ip_architecture *shape;
  int fd; /* of the partial file */
  hid_t file;
  hid_t *layer; /* shape (layers) */
  float
      *row; /* shape (patterns, units of the widest): one look of a layer as the file has it */
};

/* ---- names ---------------------------------------------------------------------------------------- */

static PetscErrorCode name_file(const char *path, const ip_plan *plan, size_t run,
                                ip_text *name)
{
  size_t length = strlen(path);

  if (length > 3 && strcmp(path + length - 3, ".h5") == 0) length -= 3;
  return ip_text_add(name, "%.*s.run%d.activations.h5", (int)length, path,
                     (int)plan->run[run].number);
}

PetscErrorCode ip_archives_check(const char *path, const ip_plan *plan)
{
  for (size_t r = 0; r < plan->n_runs; r++) {
    ip_text name = {0};
    struct stat about;

    if (!plan->measure[plan->run[r].measure].activations) continue;
    PetscErrorCode code = name_file(path, plan, r, &name);

    if (!code && lstat(name.text, &about) == 0)
      code = ip_error_raise(IP_ERR_CREATE, __func__,
                            "%s stands, but %s, whose run %d would write it, does not: choose "
                            "another output file, or remove it",
                            name.text, path, (int)plan->run[r].number);
    ip_text_clear(&name);
    PetscCall(code);
  }
  return PETSC_SUCCESS;
}

PetscErrorCode ip_archives_create(const char *path, uint64_t token, ip_archives **archives)
{
  ip_archives *a = NULL;

  PetscCall(IP_ALLOCATE(1, &a));
  *a = (ip_archives){.token = token, .fd = -1, .file = -1};
  const PetscErrorCode code = ip_text_copy(path, &a->path);

  if (code)
    ip_archives_destroy(&a);
  else
    *archives = a;
  return code;
}

/* Give up what is open; the partial file goes too. */
static void forget(ip_archives *a)
{
  for (size_t l = 0; a->layer && l < a->shape->layers; l++) ip_h5_close(a->layer[l]);
  if (a->file >= 0) ip_h5_divert(a->file);
  ip_h5_close(a->file);
  if (a->fd >= 0) {
    unlink(a->partial.text);
    close(a->fd);
  }
  a->file = -1;
  a->fd = -1;
  ip_release(&a->layer);
  ip_release(&a->row);
  ip_text_clear(&a->name);
  ip_text_clear(&a->partial);
}

void ip_archives_destroy(ip_archives **archives)
{
  if (!*archives) return;
  forget(*archives);
  ip_release(&(*archives)->path);
  ip_release(archives);
}

/* ---- arrays ----------------------------------------------------------------------------------------- */

static PetscErrorCode create_array(const ip_archives *a, const char *name, ip_number type,
                                   const ip_cells *shape, hid_t *dataset)
{
  const hid_t list = H5Pcreate(H5P_DATASET_CREATE);
  const hid_t timeless = ip_h5_only(H5Pset_obj_track_times(list, false) >= 0, list);
  const hid_t space = H5Screate_simple((int)shape->n_axes, shape->count, NULL),
              file_type = ip_h5_file_type(type);

  *dataset = H5Dcreate2(a->file, name, file_type, space, H5P_DEFAULT, timeless, H5P_DEFAULT);
  const PetscErrorCode code =
      IP_H5(*dataset, IP_ERR_IO, "%s: cannot create %s", a->partial.text, name);

  ip_h5_close(file_type);
  ip_h5_close(space);
  ip_h5_close(timeless);
  return code;
}

/* A whole array, of at most two axes; none where it has no elements. */
static PetscErrorCode write_array(const ip_archives *a, const char *name, ip_number type,
                                  const ip_cells *shape, const void *value)
{
  hid_t dataset = -1;

  for (size_t i = 0; i < shape->n_axes; i++)
    if (shape->count[i] == 0) return PETSC_SUCCESS;
  PetscErrorCode code = create_array(a, name, type, shape, &dataset);
  const hid_t memory = ip_h5_memory_type(type);

  if (!code) code = ip_h5_write(dataset, memory, shape, value);
  ip_h5_close(memory);
  ip_h5_close(dataset);
  return code;
}

static PetscErrorCode write_list(const ip_archives *a, const char *name, ip_number type,
                                 size_t n, const void *value)
{
  const ip_cells shape = {.n_axes = 1, .count = {n}};

  return write_array(a, name, type, &shape, value);
}

static PetscErrorCode write_labels(const ip_archives *a)
{
  const ip_dataset *data = a->what.data;
  const ip_cells rows = {
      .n_axes = 2, .count = {data->n, (hsize_t)data->k}
  };

  PetscCall(write_list(a, "classes", IP_INT32, 1, &data->k));
  if (data->p) return write_array(a, "y", IP_FLOAT64, &rows, data->p);
  return write_list(a, "y", IP_INT32, data->n, a->what.y);
}

static PetscErrorCode write_epochs(const ip_archives *a)
{
  const ip_plan *plan = a->what.plan;
  const ip_measure *m = &plan->measure[plan->run[a->what.run].measure];
  int32_t *epoch = NULL;

  PetscCall(IP_ALLOCATE(a->what.n_looks, &epoch));
  for (size_t i = 0; i < a->what.n_looks; i++) epoch[i] = plan->epoch[m->look[i]];
  const PetscErrorCode code = write_list(a, "epoch", IP_INT32, a->what.n_looks, epoch);

  ip_release(&epoch);
  return code;
}

static PetscErrorCode create_layers(ip_archives *a)
{
  int32_t widest = 1;

  PetscCall(IP_ALLOCATE(a->shape->layers, &a->layer));
  for (size_t l = 0; l < a->shape->layers; l++) a->layer[l] = -1;
  for (size_t l = 0; l < a->shape->layers; l++) {
    const int32_t width = a->shape->width[l + 1];
    const ip_cells shape = {
        .n_axes = 3, .count = {a->what.n_looks, a->what.data->n, (hsize_t)width}
    };
    char name[32];

    snprintf(name, sizeof name, "layer_%zu", l + 1);
    PetscCall(create_array(a, name, IP_FLOAT32, &shape, &a->layer[l]));
    if (width > widest) widest = width;
  }
  return IP_ALLOCATE(a->what.data->n * (size_t)widest, &a->row);
}

static PetscErrorCode write_all(ip_archives *a)
{
  const ip_archived *w = &a->what;
  const ip_cells inputs = {
      .n_axes = 2, .count = {w->data->n, w->data->d}
  };

  PetscCall(ip_h5_write_text(
      a->file, "title", "Activations of one network at every look, for infoplane estimate"));
  PetscCall(write_epochs(a));
  PetscCall(write_labels(a));
  /* numbers of samples are below 2^31, and so the same as int32 */
  PetscCall(write_list(a, "train", IP_INT32, w->split->n_train, w->split->train));
  PetscCall(write_list(a, "test", IP_INT32, w->split->n_test, w->split->test));
  PetscCall(write_array(a, "layer_0", IP_FLOAT32, &inputs, w->data->x));
  return create_layers(a);
}

/* ---- begin, put, end ----------------------------------------------------------------------------------- */

static uint64_t bytes_of(const ip_archives *a)
{
  const uint64_t n = a->what.data->n, page = 4096;
  uint64_t units = 0;

  for (size_t l = 1; l <= a->shape->layers; l++) units += (uint64_t)a->shape->width[l];
  return n * sizeof(float) * (units * a->what.n_looks + (uint64_t)a->shape->width[0]) +
         n * (uint64_t)a->what.data->k * sizeof(double) + (20 + a->shape->layers) * page;
}

static PetscErrorCode open_partial(ip_archives *a)
{
  const char *partial = a->partial.text;

  PetscCall(room_check(a->name.text, bytes_of(a), 0));
  IP_CHECK(unlink(partial) == 0 || errno == ENOENT, IP_ERR_CREATE,
           "%s, left over from an earlier start, cannot be removed: %s", partial,
           strerror(errno));
  a->fd = ip_file_open(partial, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW);
  IP_CHECK(a->fd >= 0, IP_ERR_CREATE, "%s cannot be created: %s", partial, strerror(errno));
  const hid_t list = H5Pcreate(H5P_FILE_CREATE), access = ip_h5_access(),
              timeless = ip_h5_only(H5Pset_obj_track_times(list, false) >= 0, list);

  a->file = H5Fcreate(partial, H5F_ACC_TRUNC, timeless, access);
  ip_h5_close(timeless);
  ip_h5_close(access);
  return IP_H5(a->file, IP_ERR_CREATE, "cannot create %s", partial);
}

PetscErrorCode ip_archives_begin(void *context, const ip_archived *what)
{
  ip_archives *a = context;
  const ip_plan *plan = what->plan;

  forget(a);
  a->what = *what;
  a->shape = &plan->architecture[plan->run[what->run].architecture];
  PetscErrorCode code = name_file(a->path, plan, what->run, &a->name);

  if (!code) code = ip_text_add(&a->partial, "%s.partial", a->name.text);
  if (!code) code = open_partial(a);
  if (!code) code = write_all(a);
  if (code) forget(a);
  return code;
}

PetscErrorCode ip_archives_put(void *context, size_t look, size_t layer, size_t stride,
                               const float *t)
{
  ip_archives *a = context;
  const size_t n = a->what.data->n, d = (size_t)a->shape->width[layer];
  const ip_cells cells = {
      .n_axes = 3, .start = {look, 0, 0},
           .count = {1,    n, d}
  };

  for (size_t i = 0; i < n; i++)
    for (size_t u = 0; u < d; u++) a->row[i * d + u] = t[u * stride + i];
  return ip_h5_write(a->layer[layer - 1], H5T_NATIVE_FLOAT, &cells, a->row);
}

/* *same: the file of this name has the bytes of ours. */
static PetscErrorCode compare(const ip_archives *a, int other, bool *same)
{
  enum { PIECE = 1 << 16 };
  struct stat mine, theirs;
  char *bytes = NULL;
  PetscErrorCode code = PETSC_SUCCESS;

  *same = fstat(a->fd, &mine) == 0 && fstat(other, &theirs) == 0 && S_ISREG(theirs.st_mode) &&
          mine.st_size == theirs.st_size;
  PetscCall(IP_ALLOCATE((size_t)2 * PIECE, &bytes));
  for (uint64_t at = 0; *same && !code && at < (uint64_t)mine.st_size; at += PIECE) {
    const uint64_t left = (uint64_t)mine.st_size - at;
    const size_t n = left < PIECE ? (size_t)left : PIECE;

    code = ip_file_read(a->fd, a->partial.text, bytes, n, at);
    if (!code) code = ip_file_read(other, a->name.text, bytes + PIECE, n, at);
    *same = !code && memcmp(bytes, bytes + PIECE, n) == 0;
  }
  ip_release(&bytes);
  return code;
}

static PetscErrorCode publish(ip_archives *a)
{
  bool same = false;
  PetscErrorCode code = PETSC_SUCCESS;

  PetscCall(ip_file_sync(a->fd, a->partial.text));
  if (a->token) PetscCall(ip_lock_check(a->path, a->token));
  const int other = ip_file_open(a->name.text, O_RDONLY | O_NONBLOCK);

  if (other < 0 && errno == ENOENT)
    return ip_file_publish(a->partial.text, a->name.text, false);
  if (other >= 0) {
    code = compare(a, other, &same);
    close(other);
  }
  PetscCall(code);
  IP_CHECK(same, IP_ERR_CREATE,
           "%s stands and holds something else than the activations of run %d; it is not "
           "overwritten: remove it, or choose another output file",
           a->name.text, (int)a->what.plan->run[a->what.run].number);
  return PETSC_SUCCESS; /* forget() removes ours */
}

/* All handles first: the file is whole only then. */
static PetscErrorCode close_file(ip_archives *a)
{
  for (size_t l = 0; l < a->shape->layers; l++) {
    ip_h5_close(a->layer[l]);
    a->layer[l] = -1;
  }
  PetscCall(
      IP_H5(H5Fflush(a->file, H5F_SCOPE_LOCAL), IP_ERR_IO, "cannot write %s", a->partial.text));
  const hid_t file = a->file;

  a->file = -1;
  return IP_H5(H5Fclose(file), IP_ERR_IO, "cannot close %s", a->partial.text);
}

PetscErrorCode ip_archives_end(void *context, bool whole)
{
  ip_archives *a = context;
  PetscErrorCode code = whole ? close_file(a) : PETSC_SUCCESS;

  if (!code && whole) code = publish(a);
  forget(a);
  return code;
}
