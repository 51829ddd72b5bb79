/* HDF5 files, written here: what is read, what is refused, and that HDF5 itself stays silent. */

#include "files.h"
#include <hdf5.h>

enum { N = 4, D = 3 };

static const double x_value[N * D] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
static const int y_value[N] = {0, 2, 1, 1};

static hid_t create(const char *path)
{
  const hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);

  assert_true(file >= 0);
  return file;
}

/* An array of the file; values NULL: announced, never written. */
static void put_array(hid_t file, const char *name, int rank, const hsize_t size[], hid_t type,
                      const double *value)
{
  const hid_t space = H5Screate_simple(rank, size, NULL),
              options = H5Pcreate(H5P_DATASET_CREATE);
  const hsize_t chunk[3] = {2, 2, 2};

  if (rank > 0 && size[0] >= 2) H5Pset_chunk(options, rank, chunk), H5Pset_deflate(options, 6);

  const hid_t id = H5Dcreate2(file, name, type, space, H5P_DEFAULT, options, H5P_DEFAULT);

  assert_true(id >= 0);
  if (value)
    assert_true(H5Dwrite(id, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, value) >= 0);
  H5Dclose(id);
  H5Pclose(options);
  H5Sclose(space);
}

static void put_labels(hid_t file, hid_t type, hsize_t n)
{
  double y[N + 1] = {0};

  for (int i = 0; i < N; i++) y[i] = y_value[i];
  put_array(file, "y", 1, &n, type, y);
}

static void write_good(const char *path, hid_t x_type, hid_t y_type)
{
  const hid_t file = create(path);

  put_array(file, "x", 2, (hsize_t[]){N, D}, x_type, x_value);
  put_labels(file, y_type, N);
  H5Fclose(file);
}

static ip_dataset_spec spec_of(const char *path)
{
  return (ip_dataset_spec){.kind = (size_t)ip_names_find(ip_dataset_name, "hdf5"),
                           .path = path};
}

static void check_read(const ip_dataset_spec *spec)
{
  ip_dataset *data = NULL;

  OK(ip_dataset_load(spec, &data));
  assert_true(data->n == N && data->d == D && data->k == 3 && !data->p);
  for (int i = 0; i < N * D; i++) NEAR((double)data->x[i], x_value[i], 0, "x[%d]", i);
  for (int i = 0; i < N; i++) assert_int_equal(data->y[i], y_value[i]);
  ip_dataset_destroy(&data);
}

static void every_type(void **state)
{
  const hid_t row[][2] = {
      {H5T_IEEE_F64LE, H5T_STD_I64LE},
      {H5T_IEEE_F32BE, H5T_STD_U8LE },
      {H5T_STD_U8LE,   H5T_STD_I32BE},
      {H5T_STD_I16BE,  H5T_STD_U64LE},
  };
  char path[PATH_ROOM];
  const ip_dataset_spec spec = spec_of(scratch_path("types.h5", path));

  (void)state;
  for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
    write_good(path, row[i][0], row[i][1]);
    check_read(&spec);
  }
  unlink(path);
}

static void only_the_first(void **state)
{
  char path[PATH_ROOM];
  ip_dataset_spec spec = spec_of(scratch_path("first.h5", path));
  ip_dataset *data = NULL;

  (void)state;
  write_good(path, H5T_IEEE_F64LE, H5T_STD_I64LE);
  spec.samples = 1;
  OK(ip_dataset_load(&spec, &data));
  assert_true(data->n == 1 && data->k == 3 && data->x[2] == 3);
  ip_dataset_destroy(&data);
  spec.samples = N + 1;
  FAILS(ip_dataset_load(&spec, &data), IP_ERR_CONFIG, "only 4");
  unlink(path);
}

/* A file of one x, and y of n labels unless n is 0. */
static void expect(int rank, const hsize_t size[], hid_t type, const double *value, hsize_t n,
                   const char *message)
{
  char path[PATH_ROOM];
  const ip_dataset_spec spec = spec_of(scratch_path("refused.h5", path));
  const hid_t file = create(path);
  ip_dataset *data = NULL;
  H5E_auto2_t before, after;
  void *context;

  put_array(file, "x", rank, size, type, value);
  if (n > 0) put_labels(file, H5T_STD_I32LE, n);
  H5Fclose(file);
  H5Eget_auto2(H5E_DEFAULT, &before, &context);
  FAILS(ip_dataset_load(&spec, &data), IP_ERR_DATA, message);
  H5Eget_auto2(H5E_DEFAULT, &after, &context);
  assert_true(before == after);
  assert_null(data);
  unlink(path);
}

static void refused(void **state)
{
  static const double broken[N * D] = {1, 1e300};
  const hsize_t good[] = {N, D}, three[] = {2, 2, D}, empty[] = {0, D},
                huge[] = {1ULL << 30, 1ULL << 29}, beyond[] = {1ULL << 40, 1ULL << 40};
  const hid_t type = H5T_IEEE_F64LE, text = H5Tcopy(H5T_C_S1);

  (void)state;
  expect(2, good, type, x_value, 0, "no data set y");
  expect(2, good, type, x_value, N + 1, "x has 4 patterns, but y 5 labels");
  expect(2, good, type, broken, N, "feature 1 of pattern 0");
  expect(2, good, text, NULL, N, "x does not hold numbers");
  expect(3, three, type, x_value, N, "x has 3 axes");
  expect(0, NULL, type, x_value, N, "x has 0 axes");
  expect(2, huge, type, NULL, N, "it was never written");
  H5Tclose(text);
  expect(2, beyond, type, NULL, N, "more numbers than any file");
  expect(2, empty, type, NULL, N, "x is empty");
}

static void labels_of_other_types(void **state)
{
  char path[PATH_ROOM];
  const ip_dataset_spec spec = spec_of(scratch_path("labels.h5", path));
  ip_dataset *data = NULL;

  (void)state;
  write_good(path, H5T_IEEE_F64LE, H5T_IEEE_F64LE);
  FAILS(ip_dataset_load(&spec, &data), IP_ERR_DATA, "y does not hold whole numbers");

  const hid_t file = create(path);

  put_labels(file, H5T_STD_I32LE, N);
  H5Fclose(file);
  FAILS(ip_dataset_load(&spec, &data), IP_ERR_DATA, "no data set x");
  write_file(path, 4, (const unsigned char *)"text");
  FAILS(ip_dataset_load(&spec, &data), IP_ERR_DATA, "not an HDF5 file");
  unlink(path);
}

static void damaged(void **state)
{
  char path[PATH_ROOM];
  const ip_dataset_spec spec = spec_of(scratch_path("damaged.h5", path));

  (void)state;
  write_good(path, H5T_IEEE_F64LE, H5T_STD_I64LE);
  cut_short(&spec, path);
  unlink(path);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_type), cmocka_unit_test(only_the_first),
      cmocka_unit_test(refused),    cmocka_unit_test(labels_of_other_types),
      cmocka_unit_test(damaged),
  };

  PetscPushErrorHandler(ip_error_handler, NULL);
  return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
