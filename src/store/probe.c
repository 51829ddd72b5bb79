/* What HDF5 must decode before numbers are read, decoded once in a child process: all arrays, the
   attributes that we read, the texts, and the first number of each.  What nobody here reads
   (definitions, references) may be damaged: that is no reason to refuse the numbers. */

#include "h5.h"
#include <infoplane/store.h>

enum { DEPTH = 2, MOST_LINKS = 1000 }; /* of groups; a file of ours has one, and a hundred */

/* A text attribute that may be there. */
static void touch_attribute(hid_t object, const char *name)
{
  char *text = NULL;

  if (H5Aexists(object, name) > 0 && !ip_h5_read_text(object, name, &text)) ip_release(&text);
}

static void touch_texts(hid_t array, hid_t type, hsize_t n)
{
  for (hsize_t i = 0; i < n; i++) {
    const ip_cells cells = {.n_axes = 1, .start = {i}, .count = {1}};
    char *text = NULL;

    if (ip_h5_read(array, type, &cells, &text)) return;
    if (text) H5free_memory(text);
  }
}

static void touch_array(hid_t array)
{
  const hid_t type = H5Dget_type(array), space = H5Dget_space(array);
  const H5T_class_t kind = H5Tget_class(type);
  const int axes = H5Sget_simple_extent_ndims(space);
  hsize_t length[H5S_MAX_RANK];
  ip_cells first = {.n_axes = (size_t)axes};
  double number;

  if (0 <= axes && axes <= IP_LAYOUT_RANK &&
      H5Sget_simple_extent_dims(space, length, NULL) >= 0) {
    for (int a = 0; a < axes; a++) first.count[a] = 1;
    if (kind == H5T_INTEGER || kind == H5T_FLOAT)
      (void)ip_h5_read(array, H5T_NATIVE_DOUBLE, &first, &number);
    else if (axes == 1 && H5Tis_variable_str(type) > 0)
      touch_texts(array, type, length[0]);
  }
  touch_attribute(array, "flag_meanings");
  ip_h5_close(space);
  ip_h5_close(type);
}

static void touch_group(hid_t group, int depth)
{
  for (hsize_t i = 0; i < MOST_LINKS; i++) {
    const hid_t object = H5Oopen_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, i, H5P_DEFAULT);

    if (object < 0) return;
    if (H5Iget_type(object) == H5I_DATASET) touch_array(object);
    if (H5Iget_type(object) == H5I_GROUP && depth < DEPTH) touch_group(object, depth + 1);
    ip_h5_close(object);
  }
}

/* An error of one object is not told here: who needs it meets it. */
static PetscErrorCode touch_file(void *path)
{
  hid_t file = -1;

  PetscCall(ip_h5_open_ours(path, &file));
  touch_attribute(file, "config");
  touch_group(file, 0);
  ip_error_clear();
  ip_h5_close(file);
  return PETSC_SUCCESS;
}

PetscErrorCode ip_results_probe(const char *path)
{
  return ip_file_probe(path, "HDF5", touch_file, (void *)path);
}
