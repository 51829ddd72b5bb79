/* Reading results without their plan: serially, also while a job writes.

   Metadata of a file of ours never changes once it has its name, so a reader needs no lock; a run
   that is being written shows as what its status says. */

#include "h5.h"
#include "layout.h"
#include <infoplane/store.h>
#include <math.h>
#include <string.h>

/* A variable of our layout. */
typedef struct {
  ip_variable variable;
  char path[IP_VARIABLE_PATH];
} known;

struct ip_results {
  char *path;
  hid_t file;
  size_t length[ALONG_COUNT]; /* of the axes; 0: not there         */
  size_t n_known;
  known *known; /* shape (n_known)                          */
};

/* Shape of an array as it is; false if there is none, or with too many axes. */
static bool read_shape(hid_t file, const char *name, size_t *n_axes,
                       size_t length[IP_RESULTS_RANK])
{
  hsize_t extent[H5S_MAX_RANK];
  const hid_t dataset = H5Dopen2(file, name, H5P_DEFAULT);
  const hid_t space = H5Dget_space(dataset);
  const int rank = H5Sget_simple_extent_dims(space, extent, NULL);

  for (int a = 0; a < rank && a < IP_RESULTS_RANK; a++) length[a] = (size_t)extent[a];
  ip_h5_close(space);
  ip_h5_close(dataset);
  if (rank < 0 || rank > IP_RESULTS_RANK) return false;
  *n_axes = (size_t)rank;
  return true;
}

/* The variables that a file may have, and the lengths of its axes. */
static PetscErrorCode know_layout(ip_results *r)
{
  ip_variable v;

  while (ip_layout_row(r->n_known, &v)) r->n_known++;
  PetscCall(IP_ALLOCATE(r->n_known, &r->known));
  for (size_t i = 0; i < r->n_known; i++) {
    (void)ip_layout_row(i, &r->known[i].variable);
    ip_variable_path(&r->known[i].variable, r->known[i].path);
  }
  for (size_t i = 0; i < ALONG_COUNT; i++) { /* axes are the first rows */
    size_t n_axes, length[IP_RESULTS_RANK];

    if (read_shape(r->file, r->known[i].path, &n_axes, length) && n_axes == 1)
      r->length[i] = length[0];
  }
  return PETSC_SUCCESS;
}

PetscErrorCode ip_results_open(const char *path, ip_results **results)
{
  ip_results *r = NULL;

  PetscCall(IP_ALLOCATE(1, &r));
  r->file = -1;
  PetscErrorCode code = ip_text_copy(path, &r->path);

  if (!code) code = ip_h5_open_ours(path, &r->file);
  if (!code) code = know_layout(r);
  if (code)
    ip_results_close(&r);
  else
    *results = r;
  return code;
}

void ip_results_close(ip_results **results)
{
  if (!*results) return;
  ip_h5_close((*results)->file);
  ip_release(&(*results)->known);
  ip_release(&(*results)->path);
  ip_release(results);
}

/* A variable of ours lies along its axes. */
static bool fits(const ip_results *r, const ip_variable *v, size_t n_axes,
                 const size_t length[])
{
  if (n_axes != v->n_axes) return false;
  for (size_t a = 0; a < n_axes; a++)
    if (length[a] != r->length[v->along[a]]) return false;
  return true;
}

const char *ip_results_unfit(const ip_results *results)
{
  size_t n_axes, length[IP_RESULTS_RANK];

  for (size_t i = 0; i < results->n_known; i++) {
    const known *v = &results->known[i];

    if (H5Lexists(results->file, v->path, H5P_DEFAULT) > 0 &&
        !(read_shape(results->file, v->path, &n_axes, length) &&
          fits(results, &v->variable, n_axes, length)))
      return v->path;
  }
  return NULL;
}

bool ip_results_shape(const ip_results *results, const char *name, size_t *n_axes,
                      size_t length[IP_RESULTS_RANK])
{
  const known *v = results->known, *end = v + results->n_known;
  size_t axes;

  while (v < end && strcmp(v->path, name) != 0) v++;
  if (!read_shape(results->file, name, &axes, length)) return false;
  if (v < end && !fits(results, &v->variable, axes, length)) return false;
  *n_axes = axes;
  return true;
}

size_t ip_results_axis(const ip_results *results, const char *name)
{
  size_t n_axes = 0, length[IP_RESULTS_RANK];

  return ip_results_shape(results, name, &n_axes, length) && n_axes == 1 ? length[0] : 0;
}

/* The block lies inside the variable. */
static bool inside(size_t n_axes, const size_t length[], const size_t start[],
                   const size_t count[])
{
  for (size_t a = 0; a < n_axes; a++)
    if (start[a] > length[a] || count[a] > length[a] - start[a]) return false;
  return true;
}

PetscErrorCode ip_results_block(const ip_results *results, const char *name, size_t n_axes,
                                const size_t start[], const size_t count[], double value[])
{
  size_t axes = 0, length[IP_RESULTS_RANK];
  ip_cells cells = {.n_axes = n_axes};

  IP_CHECK(ip_results_shape(results, name, &axes, length), IP_ERR_DATA, "%s has no variable %s",
           results->path, name);
  IP_CHECK(axes == n_axes, IP_ERR_DATA, "%s: %s has %zu axes, not %zu", results->path, name,
           axes, n_axes);
  IP_CHECK(inside(n_axes, length, start, count), IP_ERR_DATA,
           "%s: a block beyond the ends of %s", results->path, name);
  for (size_t a = 0; a < n_axes; a++) {
    cells.start[a] = start[a];
    cells.count[a] = count[a];
  }
  const hid_t dataset = H5Dopen2(results->file, name, H5P_DEFAULT);
  const hid_t type = H5Dget_type(dataset);
  const H5T_class_t kind = H5Tget_class(type);
  const PetscErrorCode code =
      kind == H5T_INTEGER || kind == H5T_FLOAT
          ? ip_h5_read(dataset, H5T_NATIVE_DOUBLE, &cells, value)
          : ip_error_raise(IP_ERR_DATA, __func__, "%s: %s holds no numbers", results->path,
                           name);

  ip_h5_close(type);
  ip_h5_close(dataset);
  return code;
}

/* Row i of bytes, up to its first 0. */
static PetscErrorCode read_bytes(hid_t dataset, size_t i, size_t length, char **text)
{
  const ip_cells cells = {
      .n_axes = 2, .start = {i, 0     },
           .count = {1, length}
  };
  char *bytes = NULL;

  PetscCall(IP_ALLOCATE(length + 1, &bytes));
  const PetscErrorCode code = ip_h5_read(dataset, H5T_NATIVE_UINT8, &cells, bytes);

  if (code)
    ip_release(&bytes);
  else
    *text = bytes;
  return code;
}

static PetscErrorCode read_string(hid_t dataset, hid_t type, size_t i, char **text)
{
  const ip_cells cells = {.n_axes = 1, .start = {i}, .count = {1}};
  char *string = NULL;

  PetscCall(ip_h5_read(dataset, type, &cells, &string));
  const PetscErrorCode code = ip_text_copy(string ? string : "", text);

  if (string) H5free_memory(string);
  return code;
}

PetscErrorCode ip_results_text(const ip_results *results, const char *name, size_t i,
                               char **text)
{
  size_t axes = 0, length[IP_RESULTS_RANK];
  PetscErrorCode code;

  IP_CHECK(ip_results_shape(results, name, &axes, length), IP_ERR_DATA, "%s has no variable %s",
           results->path, name);
  IP_CHECK(axes > 0 && i < length[0], IP_ERR_DATA, "%s: %s has no element %zu", results->path,
           name, i);
  const hid_t dataset = H5Dopen2(results->file, name, H5P_DEFAULT);
  const hid_t type = H5Dget_type(dataset);

  if (axes == 1 && H5Tis_variable_str(type) > 0)
    code = read_string(dataset, type, i, text);
  else if (axes == 2 && H5Tget_class(type) == H5T_INTEGER && H5Tget_size(type) == 1)
    code = read_bytes(dataset, i, length[1], text);
  else
    code = ip_error_raise(IP_ERR_DATA, __func__, "%s: %s holds no texts", results->path, name);
  ip_h5_close(type);
  ip_h5_close(dataset);
  return code;
}

PetscErrorCode ip_results_attribute(const ip_results *results, const char *name,
                                    const char *attribute, char **text)
{
  const hid_t object = H5Oopen(results->file, name ? name : "/", H5P_DEFAULT);
  PetscErrorCode code =
      IP_H5(object, IP_ERR_DATA, "%s has no %s", results->path, name ? name : "root");

  if (!code) code = ip_h5_read_text(object, attribute, text);
  ip_h5_close(object);
  return code;
}
