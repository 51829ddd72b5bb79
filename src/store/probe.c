/* What HDF5 must decode before numbers are read, decoded once in a child process, by the names that
   the readers use: attributes; of every array the flags, the texts, and the first number.  What
   nobody here reads (definitions, references) may be damaged: that is no reason to refuse the
   numbers. */

#include "h5.h"
#include "layout.h"
#include <infoplane/store.h>

static void touch_attribute(hid_t object, const char *name)
{
  char *text = NULL;

  if (H5Aexists(object, name) > 0 && !ip_h5_read_text(object, name, &text)) ip_release(&text);
}

static void touch_attributes(hid_t file)
{
  static const char *const row[][2] = {
      {"/",          "config"  },
      {"/",          "title"   },
      {"provenance", "version" },
      {"provenance", "commit"  },
      {"provenance", "build"   },
      {"provenance", "resolved"},
      {"provenance", "share"   },
  };

  for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
    const hid_t group = H5Gopen2(file, row[i][0], H5P_DEFAULT);

    touch_attribute(group, row[i][1]);
    ip_h5_close(group);
  }
}

/* A text that cannot be read does not hide the next one; a length of billions, where none can, is left. */
static void touch_texts(hid_t array, hid_t type, hsize_t n)
{
  enum { MOST_UNREAD = 1000 };
  int unread = 0;

  for (hsize_t i = 0; i < n && unread < MOST_UNREAD; i++) {
    const ip_cells cells = {.n_axes = 1, .start = {i}, .count = {1}};
    char *text = NULL;

    unread += ip_h5_read(array, type, &cells, &text) != PETSC_SUCCESS;
    if (text) H5free_memory(text);
  }
}

static void touch_array(hid_t file, const ip_variable *variable)
{
  char path[IP_VARIABLE_PATH];

  ip_variable_path(variable, path);
  const hid_t array = H5Dopen2(file, path, H5P_DEFAULT);

  if (array < 0) return;
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
  ip_h5_close(array);
}

/* An error of one object is not told here: who needs it meets it. */
static PetscErrorCode touch_file(void *path)
{
  ip_variable variable;
  hid_t file = -1;

  PetscCall(ip_h5_open_ours(path, &file));
  touch_attributes(file);
  for (size_t i = 0; ip_layout_row(i, &variable); i++) touch_array(file, &variable);
  ip_error_clear();
  ip_h5_close(file);
  return PETSC_SUCCESS;
}

PetscErrorCode ip_results_probe(const char *path)
{
  return ip_file_probe(path, "HDF5", touch_file, (void *)path);
}
