/* A file that stands, compared with the plan it should belong to. */

#include "fit.h"
#include <string.h>

PetscErrorCode ip_fit_share(hid_t file, char **share)
{
  const htri_t there = H5Aexists_by_name(file, "provenance", "share", H5P_DEFAULT);

  PetscCall(IP_H5(there, IP_ERR_DATA, "cannot read the attributes of provenance"));
  if (there == 0) return ip_text_copy("1/1", share);
  const hid_t group = H5Gopen2(file, "provenance", H5P_DEFAULT);
  const PetscErrorCode code = ip_h5_read_text(group, "share", share);

  ip_h5_close(group);
  return code;
}

/* The array stands in the file with this shape. */
static PetscErrorCode compare_shape(const char *path, hid_t file, const ip_variable *v)
{
  char name[256];
  hsize_t length[H5S_MAX_RANK];
  hid_t dataset = -1;

  snprintf(name, sizeof name, "%s/%s", v->group, v->name);
  PetscCall(ip_h5_open_array(file, path, name, &dataset));
  const hid_t space = H5Dget_space(dataset);
  bool fits = H5Sget_simple_extent_ndims(space) == (int)v->n_axes &&
              H5Sget_simple_extent_dims(space, length, NULL) >= 0;

  for (size_t a = 0; a < v->n_axes && fits; a++) fits = length[a] == v->length[a];
  ip_h5_close(space);
  ip_h5_close(dataset);
  IP_CHECK(
      fits, IP_ERR_DATA,
      "%s: %s has another shape than this study gives it: the file is damaged, or its data "
      "set has changed",
      path, name);
  return PETSC_SUCCESS;
}

PetscErrorCode ip_fit_shapes(const char *path, hid_t file, const ip_layout *layout)
{
  for (size_t i = 0; i < layout->n; i++)
    PetscCall(compare_shape(path, file, &layout->variable[i]));
  return PETSC_SUCCESS;
}

/* ---- values that stay as the skeleton has them ---------------------------------------------------- */

static void release_texts(const ip_variable *v, void *values)
{
  const size_t n = v->type == IP_TEXT && values ? ip_variable_elements(v) : 0;

  for (size_t i = 0; i < n; i++) ip_release(&((char **)values)[i]);
}

static bool same_values(const ip_variable *v, const void *a, const void *b)
{
  const size_t n = ip_variable_elements(v);

  if (v->type != IP_TEXT) return memcmp(a, b, n * ip_h5_size(v->type)) == 0;
  for (size_t i = 0; i < n; i++) {
    const char *held = ((char *const *)b)[i]; /* NULL: never written */

    if (strcmp(((char *const *)a)[i], held ? held : "") != 0) return false;
  }
  return true;
}

/* *same: the file holds these values; what is no such array does not, and what the system does not let
   HDF5 read is an error. */
static PetscErrorCode compare_values(hid_t dataset, const ip_variable *v, const void *wanted,
                                     void *held, bool *same)
{
  const hid_t type = ip_h5_memory_type(v->type), space = H5Dget_space(dataset);
  PetscErrorCode code = IP_H5(H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, held),
                              IP_ERR_DATA, "cannot read %s", v->name);

  *same = !code && same_values(v, wanted, held);
  if (code == (PetscErrorCode)IP_ERR_DATA) {
    ip_error_clear();
    code = PETSC_SUCCESS;
  }
  if (v->type == IP_TEXT) H5Dvlen_reclaim(type, space, H5P_DEFAULT, held);
  ip_h5_close(space);
  ip_h5_close(type);
  return code;
}

/* The variable holds what the plan gives it. */
static PetscErrorCode fits(hid_t file, const ip_plan *plan, const ip_variable *v, bool *same)
{
  const size_t n = ip_variable_elements(v);
  void *wanted = NULL, *held = NULL;
  char path[256];

  snprintf(path, sizeof path, "%s/%s", v->group, v->name);
  const hid_t dataset = H5Dopen2(file, path, H5P_DEFAULT);
  PetscErrorCode code = ip_allocate_bytes(n, ip_h5_size(v->type), &wanted);

  if (!code) code = ip_allocate_bytes(n, ip_h5_size(v->type), &held);
  if (!code) code = v->values(plan, v, wanted);
  if (!code) code = compare_values(dataset, v, wanted, held, same);
  release_texts(v, wanted);
  ip_release(&wanted);
  ip_release(&held);
  ip_h5_close(dataset);
  return code;
}

PetscErrorCode ip_fit_values(hid_t file, const ip_plan *plan, const ip_layout *layout,
                             ip_text *unfit)
{
  for (size_t i = 0; i < layout->n; i++) {
    const ip_variable *v = &layout->variable[i];
    char path[IP_VARIABLE_PATH];
    bool same = true;

    ip_variable_path(v, path);
    if (ip_variable_fixed(v)) PetscCall(fits(file, plan, v, &same));
    if (!same) PetscCall(ip_text_add(unfit, "%s%s", unfit->length ? " " : "", path));
  }
  return PETSC_SUCCESS;
}
