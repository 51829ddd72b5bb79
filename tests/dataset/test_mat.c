/* MATLAB 5 files, written here by the letter of the format: what is read, what is refused. */

#include "files.h"
#include <zlib.h>

enum { CLASS_STRUCT = 2, CLASS_SPARSE = 5, CLASS_DOUBLE = 6, CLASS_UINT8 = 9 };
enum { INT8 = 1, UINT8, INT16, UINT16, INT32, UINT32, SINGLE, DOUBLE = 9, INT64 = 12, UINT64 };
enum { MATRIX = 14, COMPRESSED = 15 };

static const struct {
  size_t width;
  uint32_t type;
  bool floating;
} storage[] = {
    {1, INT8,   false},
    {1, UINT8,  false},
    {2, INT16,  false},
    {2, UINT16, false},
    {4, INT32,  false},
    {4, UINT32, false},
    {4, SINGLE, true },
    {8, DOUBLE, true },
    {8, INT64,  false},
    {8, UINT64, false},
};
enum {
  STORAGES = sizeof storage / sizeof storage[0],
  AS_UINT8 = 1,
  AS_INT16 = 2,
  AS_DOUBLE = 7
};

/* How a variable is to be written. */
typedef struct {
  const char *name;
  uint32_t flags; /* class and flags */
  uint32_t rows, columns;
  const double *value;
  size_t row; /* of storage */
} sample;

static const double f_value[] = {1, 3, 5, 2, 4, 6}, y_value[] = {0, 2, 1};
static const sample f_good = {"F", CLASS_DOUBLE, 3, 2, f_value, AS_DOUBLE},
                    y_good = {"y", CLASS_DOUBLE, 1, 3, y_value, AS_UINT8};

/* Small ones in 8 bytes together with their tag, as MATLAB does. */
static void put_element(file_bytes *b, uint32_t type, const file_bytes *body)
{
  const size_t start = b->length, length = body->length;

  if (length <= 4 && type != COMPRESSED)
    put(b, (uint64_t)length << 16 | type, 4);
  else
    put(b, type, 4), put(b, length, 4);
  put_bytes(b, body->at, length);
  while (type != COMPRESSED && (b->length - start) % 8 != 0) put(b, 0, 1);
}

static void put_matrix(file_bytes *b, const sample *s)
{
  static file_bytes all, part;

  all.length = 0, all.big_endian = part.big_endian = b->big_endian;
  part.length = 0, put(&part, s->flags, 4), put(&part, 0, 4);
  put_element(&all, UINT32, &part);
  part.length = 0, put(&part, s->rows, 4), put(&part, s->columns, 4);
  put_element(&all, INT32, &part);
  part.length = 0, put_bytes(&part, s->name, strlen(s->name));
  put_element(&all, INT8, &part);
  part.length = 0;
  for (size_t i = 0; s->value && i < (size_t)s->rows * s->columns; i++)
    put_number(&part, s->value[i], storage[s->row].width, storage[s->row].floating);
  put_element(&all, storage[s->row].type, &part);
  put_element(b, MATRIX, &all);
}

static void put_compressed(file_bytes *b, const sample *s)
{
  static file_bytes plain, packed;
  uLongf length = FILE_ROOM;

  plain.length = 0, plain.big_endian = b->big_endian;
  put_matrix(&plain, s);
  assert_int_equal(compress(packed.at, &length, plain.at, plain.length), Z_OK);
  packed.length = length;
  put_element(b, COMPRESSED, &packed);
}

static void put_header(file_bytes *b, bool big_endian, unsigned version)
{
  char text[125]; /* the NUL is not written */

  snprintf(text, sizeof text, "%-124s", "MATLAB 5.0 MAT-file");
  b->length = 0, b->big_endian = big_endian;
  put_bytes(b, text, sizeof text - 1);
  put(b, version << 8, 2), put(b, 'M' << 8 | 'I', 2);
}

/* A file of these variables. */
static void write_mat(const char *path, bool big_endian, bool packed, size_t count,
                      const sample variable[])
{
  static file_bytes b;

  put_header(&b, big_endian, 1);
  for (size_t i = 0; i < count; i++)
    if (packed)
      put_compressed(&b, &variable[i]);
    else
      put_matrix(&b, &variable[i]);
  write_file(path, b.length, b.at);
}

static ip_dataset_spec spec_of(const char *path)
{
  return (ip_dataset_spec){.kind = (size_t)ip_names_find(ip_dataset_name, "mat"), .path = path};
}

static void check_read(const char *path)
{
  const ip_dataset_spec spec = spec_of(path);
  ip_dataset *data = NULL;

  OK(ip_dataset_load(&spec, &data));
  assert_true(data->n == 3 && data->d == 2 && data->k == 3 && !data->p);
  for (int i = 0; i < 6; i++) NEAR((double)data->x[i], i + 1, 0, "x[%d]", i);
  for (int i = 0; i < 3; i++) assert_int_equal(data->y[i], (int)y_value[i]);
  ip_dataset_destroy(&data);
}

/* Every storage of numbers, both byte orders, deflated or not, y as row or column. */
static void every_storage(void **state)
{
  static const double other[] = {7, 7, 7};
  char path[PATH_ROOM];

  (void)state;
  scratch_path("types.mat", path);
  for (size_t i = 0; i < 4 * (size_t)STORAGES; i++) {
    sample list[] = {
        y_good, {"other", CLASS_DOUBLE, 3, 1, other, AS_DOUBLE},
         f_good
    };

    list[0].row = list[2].row = i / 4;
    if (i % 3 == 0) list[0].rows = 3, list[0].columns = 1;
    write_mat(path, i & 1, i & 2, 3, list);
    check_read(path);
  }
  unlink(path);
}

static void negative_and_broken_numbers(void **state)
{
  static const double f[] = {-1, 3, -300, 2, 4, 6};
  char path[PATH_ROOM];
  ip_dataset *data = NULL;
  sample list[] = {f_good, y_good};

  (void)state;
  scratch_path("negative.mat", path);

  const ip_dataset_spec spec = spec_of(path);

  list[0].value = f, list[0].row = AS_INT16;
  write_mat(path, true, false, 2, list);
  OK(ip_dataset_load(&spec, &data));
  NEAR((double)data->x[0], -1, 0, "x[0]");
  NEAR((double)data->x[4], -300, 0, "x[4]");
  ip_dataset_destroy(&data);
  unlink(path);
}

static void expect(const sample *f, const sample *y, const char *message)
{
  char path[PATH_ROOM];
  ip_dataset *data = NULL;
  const sample list[] = {*f, *y};
  const ip_dataset_spec spec = spec_of(scratch_path("refused.mat", path));

  write_mat(path, false, true, 2, list);
  FAILS(ip_dataset_load(&spec, &data), IP_ERR_DATA, message);
  assert_null(data);
  write_mat(path, true, false, 2, list);
  FAILS(ip_dataset_load(&spec, &data), IP_ERR_DATA, path);
  unlink(path);
}

#define F_WITH(...) (&(sample){"F", CLASS_DOUBLE, __VA_ARGS__})
#define Y_WITH(...) (&(sample){"y", CLASS_DOUBLE, __VA_ARGS__})

static void refused(void **state)
{
  static const double nan_[] = {NAN, 1, 1, 1, 1, 1}, large[] = {1, 1e300, 1, 1, 1, 1},
                      half[] = {0, 0.5, 1}, minus[] = {-1, 0, 1}, many[] = {0, 1, 70000};

  (void)state;
  expect(F_WITH(3, 2, nan_, AS_DOUBLE), &y_good, "feature 0 of pattern 0");
  expect(F_WITH(3, 2, large, AS_DOUBLE), &y_good, "feature 0 of pattern 1");
  expect(F_WITH(2, 3, f_value, AS_DOUBLE), &y_good, "F has 2 patterns (rows), but y 3 labels");
  expect(F_WITH(0, 2, f_value, AS_DOUBLE), &y_good, "F is empty");
  expect(F_WITH(3, 2, NULL, AS_DOUBLE), &y_good, "announced as 3 x 2");
  expect(F_WITH(0x7fffffff, 0x7fffffff, NULL, AS_DOUBLE), &y_good, "2147483647 x 2147483647");
  expect(F_WITH(0xffffffff, 0xffffffff, NULL, AS_DOUBLE), &y_good, "4294967295 x 4294967295");
  expect(&f_good, Y_WITH(1, 3, half, AS_DOUBLE), "label 0.5 of pattern 1");
  expect(&f_good, Y_WITH(1, 3, minus, AS_DOUBLE), "number the classes from 0");
  expect(&f_good, Y_WITH(1, 3, many, AS_DOUBLE), "label 70000 of pattern 2");
  expect(&f_good, Y_WITH(1, 3, nan_, AS_DOUBLE), "label nan");
  expect(&f_good, Y_WITH(3, 2, f_value, AS_DOUBLE), "y is 3 x 2");
  expect(&f_good, &(sample){"F", CLASS_DOUBLE, 3, 2, f_value, AS_DOUBLE}, "F twice");
  expect(&y_good, &y_good, "y twice");
  expect(&f_good, &(sample){"Y", CLASS_DOUBLE, 1, 3, y_value, AS_UINT8}, "no variable y");
  expect(&(sample){"G", CLASS_DOUBLE, 1, 3, y_value, AS_UINT8}, &y_good, "no variable F");
  expect(&(sample){"F", CLASS_SPARSE, 3, 2, f_value, AS_DOUBLE}, &y_good, "full(real(F))");
  expect(&(sample){"F", CLASS_STRUCT, 3, 2, f_value, AS_DOUBLE}, &y_good, "full(real(F))");
  expect(&(sample){"F", CLASS_DOUBLE | 0x800, 3, 2, f_value, AS_DOUBLE}, &y_good, "full(real");
}

static void other_formats(void **state)
{
  static file_bytes b;
  char path[PATH_ROOM];
  ip_dataset *data = NULL;
  const ip_dataset_spec spec = spec_of(scratch_path("other.mat", path));

  (void)state;
  put_header(&b, false, 2);
  write_file(path, b.length, b.at);
  FAILS(ip_dataset_load(&spec, &data), IP_ERR_DATA, "MATLAB 7.3 file, that is HDF5");
  put_header(&b, true, 3);
  write_file(path, b.length, b.at);
  FAILS(ip_dataset_load(&spec, &data), IP_ERR_DATA, "version 3");
  b.at[126] = 'X';
  write_file(path, b.length, b.at);
  FAILS(ip_dataset_load(&spec, &data), IP_ERR_DATA, "byte order");
  b.at[0] = 'm';
  write_file(path, b.length, b.at);
  FAILS(ip_dataset_load(&spec, &data), IP_ERR_DATA, "not a MATLAB 5 file");

  gzFile file = gzopen(path, "wb"); /* deflated twice: no limit to what a byte becomes */

  assert_int_equal(gzwrite(file, b.at, (unsigned)b.length), b.length);
  assert_int_equal(gzclose(file), Z_OK);
  FAILS(ip_dataset_load(&spec, &data), IP_ERR_DATA, "gunzip it");
  unlink(path);
}

static void damaged(void **state)
{
  const sample list[] = {f_good, y_good};
  char path[PATH_ROOM];
  const ip_dataset_spec spec = spec_of(scratch_path("damaged.mat", path));

  (void)state;
  for (int i = 0; i < 4; i++) {
    write_mat(path, i & 1, i & 2, 2, list);
    cut_short(&spec, path);
    flip_bytes(&spec, path, 1);
    check_read(path);
  }
  unlink(path);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_storage), cmocka_unit_test(negative_and_broken_numbers),
      cmocka_unit_test(refused),       cmocka_unit_test(other_formats),
      cmocka_unit_test(damaged),
  };

  PetscPushErrorHandler(ip_error_handler, NULL);
  return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
