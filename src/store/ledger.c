/* The plan of a file, made again from the file alone. */

#include "ledger.h"
#include "fit.h"
#include <string.h>

/* One number of every data set; it must have as many as config names. */
static PetscErrorCode read_of_data(const ledger *l, const char *name, hid_t type, void *value)
{
  hid_t dataset = -1;

  PetscCall(ip_h5_open_array(l->file, l->path, name, &dataset));
  const hid_t space = H5Dget_space(dataset);
  const bool fits = H5Sget_simple_extent_ndims(space) == 1 &&
                    H5Sget_simple_extent_npoints(space) == (hssize_t)l->data->n;
  const PetscErrorCode code =
      fits ? IP_H5(H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, value), IP_ERR_DATA,
                   "cannot read %s", name)
           : ip_error_raise(IP_ERR_DATA, __func__,
                            "%s is not of the %zu data sets that config names", name,
                            l->data->n);

  ip_h5_close(space);
  ip_h5_close(dataset);
  return code;
}

/* The curve of a data set, where the file has one of these betas. */
static PetscErrorCode read_curve(const ledger *l, size_t i, size_t n, ip_bound_point point[])
{
  hid_t x = -1, y = -1;
  PetscErrorCode code = ip_h5_open_array(l->file, l->path, "curve_i_xt", &x);

  if (!code) code = ip_h5_open_array(l->file, l->path, "curve_i_ty", &y);
  for (size_t b = 0; b < n && !code; b++) {
    const ip_cells cell = {
        .n_axes = 2, .start = {i, b},
             .count = {1, 1}
    };

    point[b].beta = ip_bottleneck_beta(b);
    code = ip_h5_read(x, H5T_NATIVE_DOUBLE, &cell, &point[b].i_xt);
    if (!code) code = ip_h5_read(y, H5T_NATIVE_DOUBLE, &cell, &point[b].i_ty);
  }
  ip_h5_close(x);
  ip_h5_close(y);
  return code;
}

static PetscErrorCode assume(const ledger *l, size_t i, ip_data_shape *shape)
{
  ip_bound_point *curve = NULL;
  PetscErrorCode code = PETSC_SUCCESS;

  while (!shape->certain && ip_bottleneck_beta(shape->n_curve) > 0.0) shape->n_curve++;
  PetscCall(IP_ALLOCATE(shape->n_curve, &curve));
  if (curve) code = read_curve(l, i, shape->n_curve, curve);
  shape->curve = curve;
  if (!code) code = ip_data_assume(l->data, i, shape);
  ip_release(&curve);
  return code;
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
    PetscCall(assume(l, i, &shape[i]));
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

static PetscErrorCode plan_again(ledger *l)
{
  ip_text setting = {0};
  char *share = NULL;
  PetscErrorCode code = ip_h5_read_text(l->file, "config", &l->config);

  if (!code) code = ip_fit_share(l->file, &share);
  if (!code) code = ip_text_add(&setting, "share=%s", share);
  if (!code) {
    const char *argument[] = {setting.text};

    code = ip_options_read("config", l->config, strlen(l->config), 1, argument, &l->options);
  }
  ip_text_clear(&setting);
  ip_release(&share);
  PetscCall(code);
  PetscCall(ip_data_create(l->options, &l->data));
  PetscCall(shape_data(l));
  PetscCall(ip_plan_create(l->options, l->data, &l->plan));
  return ip_layout_create(l->plan, &l->layout);
}

/* A file of ours that no plan can be made from is damaged, whatever the plan says is wrong; unless the
   system did not let it be read. */
static PetscErrorCode blame_file(const ledger *l, PetscErrorCode code)
{
  const bool read = code != (PetscErrorCode)IP_ERR_IO;
  ip_text why = {0};

  if (code == IP_ERR_INTERNAL) return code;
  PetscCall(ip_text_add(&why, "%s", ip_error_message()));
  ip_error_clear();
  code =
      ip_error_raise(read ? IP_ERR_DATA : code, __func__,
                     "%s %s its study cannot be read from the attribute config and the shapes "
                     "of its data:\n%s",
                     l->path, read ? "is damaged:" : "may be whole, but", why.text);
  ip_text_clear(&why);
  return code;
}

PetscErrorCode ledger_open(const char *path, ledger *l)
{
  *l = (ledger){.path = path, .file = -1};
  PetscCall(ip_h5_open_ours(path, &l->file));
  const PetscErrorCode code = plan_again(l);

  if (code) return blame_file(l, code);
  return ip_fit_shapes(path, l->file, l->layout);
}

PetscErrorCode ledger_derive(const ledger *from, size_t n, const char *const setting[],
                             ledger *l)
{
  *l = (ledger){.path = from->path, .file = -1};
  PetscCall(
      ip_options_read("config", from->config, strlen(from->config), n, setting, &l->options));
  PetscCall(ip_data_create(l->options, &l->data));
  PetscCall(ip_data_adopt(l->data, from->data));
  PetscCall(ip_data_load(l->data));
  PetscCall(ip_plan_create(l->options, l->data, &l->plan));
  return ip_layout_create(l->plan, &l->layout);
}

void ledger_close(ledger *l)
{
  ip_layout_destroy(&l->layout);
  ip_plan_destroy(&l->plan);
  ip_data_destroy(&l->data);
  ip_options_destroy(&l->options);
  ip_release(&l->config);
  ip_h5_close(l->file);
  l->file = -1;
}
