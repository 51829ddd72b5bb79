/* Activations in .npy and .npz files, written here by the letter of the formats: what is read, what is
   refused, and that no length of a file is believed. */

#include "files.h"
#include <math.h>
#include <sys/stat.h>
#include <zlib.h>

enum { E = 2, N = 3, D = 2, LOCAL = 30, ENTRY = 46 };

/* An array as it is to be written. */
typedef struct {
  const char *name, *type, *shape;
  size_t n;
  const double *value;
} sample;

static const double layer[E * N * D] = {0.5, -1, 0.25, 2, 3, -4, 5, 6, 7, 8, 9, 10},
                                  label[N] = {0, 1, 0}, epoch[E] = {3, 9},
                                  hot[N * 2] = {1, 0, 0, 1, 1, 0};
static const sample good[] = {
    {"layer_1", "<f4", "(2, 3, 2)", E *N *D, layer},
    {"y",       "<i8", "(3,)",      N,       label},
    {"epoch",   "|u1", "(2,)",      E,       epoch},
};
enum { GOOD = sizeof good / sizeof good[0] };

static void put_npy(const sample *s, file_bytes *b)
{
  const char kind = s->type[1];
  const size_t width = (size_t)(s->type[2] - '0');
  char header[128];
  const int length =
      snprintf(header, sizeof header,
               "{'descr': '%s', 'fortran_order': False, 'shape': %s, }\n", s->type, s->shape);

  b->length = 0;
  b->big_endian = false;
  put_bytes(b, "\x93NUMPY\1\0", 8);
  put(b, (uint64_t)length, 2);
  put_bytes(b, header, (size_t)length);
  b->big_endian = s->type[0] == '>';
  for (size_t i = 0; i < s->n; i++) put_number(b, s->value[i], width, kind == 'f');
  b->big_endian = false;
}

static void pack(const file_bytes *plain, file_bytes *packed)
{
  z_stream z = {0};

  assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
  z.next_in = (unsigned char *)plain->at;
  z.avail_in = (unsigned)plain->length;
  z.next_out = packed->at;
  z.avail_out = FILE_ROOM;
  assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
  packed->length = FILE_ROOM - z.avail_out;
  deflateEnd(&z);
}

/* Places of the directory that tests damage. */
typedef struct {
  size_t entry, end;
} places;

/* zip64: the lengths stand in the extra field, as for files above 4 GiB. */
static places put_zip(size_t n, const sample s[], bool packed, bool zip64, file_bytes *zip)
{
  static file_bytes npy, body, directory;
  places at = {0};

  zip->length = directory.length = 0;
  zip->big_endian = directory.big_endian = false;
  for (size_t i = 0; i < n; i++) {
    char name[64];
    const size_t length = (size_t)snprintf(name, sizeof name, "%s.npy", s[i].name);

    put_npy(&s[i], &npy);
    if (packed)
      pack(&npy, &body);
    else
      body = npy;

    const uint64_t crc = crc32(0, npy.at, (unsigned)npy.length), ones = UINT32_MAX,
                   method = packed ? 8 : 0, local = zip->length;

    put_bytes(zip, "PK\3\4\24\0\0\0", 8), put(zip, method, 2), put(zip, 0, 4), put(zip, crc, 4);
    put(zip, body.length, 4), put(zip, npy.length, 4), put(zip, length, 2), put(zip, 0, 2);
    put_bytes(zip, name, length), put_bytes(zip, body.at, body.length);
    put_bytes(&directory, "PK\1\2\24\0\24\0\0\0", 10), put(&directory, method, 2);
    put(&directory, 0, 4), put(&directory, crc, 4);
    put(&directory, zip64 ? ones : body.length, 4),
        put(&directory, zip64 ? ones : npy.length, 4);
    put(&directory, length, 2), put(&directory, zip64 ? 28 : 0, 2), put(&directory, 0, 2);
    put(&directory, 0, 8), put(&directory, zip64 ? ones : local, 4);
    put_bytes(&directory, name, length);
    if (zip64) {
      put(&directory, 1, 2), put(&directory, 24, 2), put(&directory, npy.length, 8);
      put(&directory, body.length, 8), put(&directory, local, 8);
    }
  }
  at.entry = zip->length;
  put_bytes(zip, directory.at, directory.length);
  if (zip64) {
    const size_t end64 = zip->length;

    put_bytes(zip, "PK\6\6", 4), put(zip, 44, 8), put(zip, 0, 4), put(zip, 0, 8);
    put(zip, n, 8), put(zip, n, 8), put(zip, directory.length, 8), put(zip, at.entry, 8);
    put_bytes(zip, "PK\6\7", 4), put(zip, 0, 4), put(zip, end64, 8), put(zip, 1, 4);
  }
  at.end = zip->length;
  put_bytes(zip, "PK\5\6", 4), put(zip, 0, 4), put(zip, n, 2), put(zip, n, 2);
  put(zip, zip64 ? UINT32_MAX : directory.length, 4),
      put(zip, zip64 ? UINT32_MAX : at.entry, 4);
  put(zip, 0, 2);
  return at;
}

static ip_dataset_spec spec_of(const char *path)
{
  return (ip_dataset_spec){.kind = (size_t)ip_names_find(ip_dataset_name, "activations"),
                           .path = path};
}

/* The numbers of `good`, twice in a row, and backwards. */
static void check_good(const char *path)
{
  enum { STRIDE = 16 };
  static const size_t order[] = {0, 1, 1, 0};
  const ip_dataset_spec spec = spec_of(path);
  ip_activations *a = NULL;
  ip_dataset *data = NULL;
  float t[D * STRIDE];
  bool finite = false;

  OK(ip_dataset_load(&spec, &data));
  assert_int_equal(data->n, N);
  assert_int_equal(data->k, 2);
  assert_null(data->p);
  for (size_t i = 0; i < N; i++) assert_int_equal(data->y[i], (int)label[i]);
  OK(ip_activations_open(path, &a));
  assert_int_equal(a->n_epochs, E);
  assert_int_equal(a->n_layers, 1);
  assert_int_equal(a->width[0], D);
  for (size_t e = 0; e < E; e++) assert_int_equal(a->epoch[e], (int)epoch[e]);
  for (size_t o = 0; o < sizeof order / sizeof order[0]; o++) {
    OK(ip_activations_read(a, order[o], 1, STRIDE, t, &finite));
    assert_true(finite);
    for (size_t u = 0; u < D; u++)
      for (size_t i = 0; i < STRIDE; i++)
        NEAR((double)t[u * STRIDE + i], i < N ? layer[(order[o] * N + i) * D + u] : 0.0, 0,
             "look %zu, unit %zu, sample %zu", order[o], u, i);
  }
  ip_activations_close(&a);
  ip_dataset_destroy(&data);
}

static void every_packing(void **state)
{
  static file_bytes zip;
  char path[PATH_ROOM];

  (void)state;
  scratch_path("a.npz", path);
  for (int how = 0; how < 4; how++) {
    put_zip(GOOD, good, how % 2 == 1, how / 2 == 1, &zip);
    write_file(path, zip.length, zip.at);
    check_good(path);
  }
  unlink(path);
}

static void every_type(void **state)
{
  static const char *const type[] = {"<f4", ">f4", "<f8", ">f8", "=f8"};
  static file_bytes zip;
  char path[PATH_ROOM];

  (void)state;
  scratch_path("t.npz", path);
  for (size_t i = 0; i < sizeof type / sizeof type[0]; i++) {
    sample s[GOOD] = {good[0], good[1], good[2]};

    s[0].type = type[i];
    s[1] = i % 2 ? (sample){"y", "<f8", "(3, 2)", 2 * N, hot}
                 : (sample){"y", ">u2", "(3, 1)", N, label};
    put_zip(GOOD, s, true, false, &zip);
    write_file(path, zip.length, zip.at);
    check_good(path);
  }
  unlink(path);
}

static void a_folder(void **state)
{
  static file_bytes npy;
  char folder[PATH_ROOM], path[PATH_ROOM + 32];

  (void)state;
  scratch_path("folder", folder);
  assert_int_equal(mkdir(folder, 0700), 0);
  for (size_t i = 0; i < GOOD; i++) {
    put_npy(&good[i], &npy);
    snprintf(path, sizeof path, "%s/%s.npy", folder, good[i].name);
    write_file(path, npy.length, npy.at);
  }
  check_good(folder);
  for (size_t i = 0; i < GOOD; i++) {
    snprintf(path, sizeof path, "%s/%s.npy", folder, good[i].name);
    unlink(path);
  }
  rmdir(folder);
}

static void refuse(const char *path, const file_bytes *file, const char *words)
{
  const ip_dataset_spec spec = spec_of(path);
  ip_dataset *data = NULL;

  write_file(path, file->length, file->at);
  FAILS(ip_dataset_load(&spec, &data), IP_ERR_DATA, words);
  assert_null(data);
}

/* Shapes and types that a header may claim. */
static void hostile_headers(void **state)
{
  static const struct {
    const char *type, *shape, *words;
  } bad[] = {
      {"<f4", "(2, 3, 200000000)",            "another number of bytes"},
      {"<f4", "(4294967296, 4294967296, 4)",  "another number of bytes"},
      {"<f4", "(2, 3, 99999999999999999999)", "axes"                   },
      {"<f4", "(2, 3, 0)",                    "is empty"               },
      {"<f4", "(2, -3, 2)",                   "axes"                   },
      {"<f4", "()",                           "axes"                   },
      {"<f4", "(1, 2, 3, 2)",                 "axes"                   },
      {"<f4", "(12,)",                        "has one axis"           },
      {"<f4", "12",                           "axes"                   },
      {"|O8", "(2, 3, 2)",                    "pickle"                 },
      {"<f2", "(2, 3, 2)",                    "float32"                },
      {"<c8", "(2, 3, 2)",                    "float32"                },
      {"<f4", "(2, 3, 1)",                    "another number of bytes"},
  };
  static file_bytes zip;
  char path[PATH_ROOM];

  (void)state;
  scratch_path("h.npz", path);
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    sample s[GOOD] = {good[0], good[1], good[2]};

    s[0].type = bad[i].type;
    s[0].shape = bad[i].shape;
    put_zip(GOOD, s, i % 2, false, &zip);
    refuse(path, &zip, bad[i].words);
  }
  unlink(path);
}

/* Lengths and places that a directory may claim. */
static void hostile_directory(void **state)
{
  static const struct {
    size_t at, width; /* in the first entry */
    uint64_t value;
    const char *words;
  } bad[] = {
      {10, 2, 99,         "packed in a way"          },
      {8,  2, 1,          "encrypted"                },
      {16, 4, 0x12345678, "does not fit its checksum"},
      {20, 4, 0x7fffffff, "past its end"             },
      {24, 4, 0x7fffffff, "packed in a way"          },
      {28, 2, 0xffff,     "its directory is damaged" },
      {42, 4, 0x7fffffff, "past its end"             },
      {42, 4, 1,          "past its end"             },
  };
  static file_bytes zip;
  char path[PATH_ROOM];

  (void)state;
  scratch_path("d.npz", path);
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    const places at = put_zip(GOOD, good, false, false, &zip);
    const size_t whole = zip.length;

    zip.length = at.entry + bad[i].at;
    put(&zip, bad[i].value, bad[i].width);
    zip.length = whole;
    refuse(path, &zip, bad[i].words);
  }

  const places at = put_zip(GOOD, good, true, false, &zip);
  const size_t whole = zip.length;

  zip.length = at.entry + 24; /* deflated, and claimed to be 2 GB */
  put(&zip, 0x7fffffff, 4);
  zip.length = whole;
  refuse(path, &zip, "more than its");
  put_zip(GOOD, good, true, false, &zip);
  zip.length = at.end + 16; /* the directory past the end */
  put(&zip, 0x7fffffff, 4);
  zip.length = whole;
  refuse(path, &zip, "the directory at the end");
  unlink(path);
}

static void labels(void **state)
{
  static const double half[N * 2] = {0.5, 0.5, 0.25, 0.75, 1, 0},
                               low[N * 2] = {0.5, 0.4, 0, 1, 1, 0}, odd[N] = {0, 1.5, 0},
                               lists[2] = {0, 2}, beyond[2] = {0, 3};
  static file_bytes zip;
  char path[PATH_ROOM];
  sample s[GOOD + 1] = {
      good[0], good[1], good[2], {"train", "<i4", "(2,)", 2, lists}
  };
  ip_dataset *data = NULL;
  ip_activations *a = NULL;

  (void)state;
  scratch_path("l.npz", path);
  const ip_dataset_spec spec = spec_of(path);

  s[1] = (sample){"y", "<f8", "(3, 2)", 2 * N, half};
  put_zip(GOOD + 1, s, false, false, &zip);
  write_file(path, zip.length, zip.at);
  OK(ip_dataset_load(&spec, &data));
  assert_non_null(data->p);
  for (size_t i = 0; i < (size_t)2 * N; i++) NEAR(data->p[i], half[i], 0, "p %zu", i);
  ip_dataset_destroy(&data);
  OK(ip_activations_open(path, &a));
  assert_int_equal(a->split.n_train, 2);
  assert_int_equal(a->split.train[1], 2);
  assert_int_equal(a->split.n_test, 0);
  ip_activations_close(&a);
  s[1].value = low;
  put_zip(GOOD, s, false, false, &zip);
  refuse(path, &zip, "the row of sample 0 has the sum 0.9");
  s[1] = (sample){"y", "<f8", "(3,)", N, odd};
  put_zip(GOOD, s, false, false, &zip);
  refuse(path, &zip, "element 1 is 1.5, not a whole number");
  s[1] = good[1];
  s[3].value = beyond;
  put_zip(GOOD + 1, s, false, false, &zip);
  refuse(path, &zip, "train: element 1 is 3");
  unlink(path);
}

static void not_finite(void **state)
{
  static const double nan_layer[E * N * D] = {0, 0, 0, 0, 0, 0, 0, 0, (double)NAN, 0, 0, 0},
                                        large_layer[E * N * D] = {0, 0, 0, 1e39};
  static file_bytes zip;
  char path[PATH_ROOM];
  sample s[GOOD] = {good[0], good[1], good[2]};
  ip_activations *a = NULL;
  float t[D * N];
  bool finite = true;

  (void)state;
  scratch_path("n.npz", path);
  for (int large = 0; large < 2; large++) {
    s[0].type = "<f8";
    s[0].value = large ? large_layer : nan_layer;
    put_zip(GOOD, s, true, false, &zip);
    write_file(path, zip.length, zip.at);
    OK(ip_activations_open(path, &a));
    if (large)
      FAILS(ip_activations_read(a, 0, 1, N, t, &finite), IP_ERR_DATA,
            "layer_1, place 0 of its first axis, sample 1, unit 1 is 1e+39");
    else {
      OK(ip_activations_read(a, 0, 1, N, t, &finite));
      assert_true(finite);
      OK(ip_activations_read(a, 1, 1, N, t, &finite));
      assert_false(finite);
    }
    ip_activations_close(&a);
  }
  unlink(path);
}

static void damaged(void **state)
{
  static file_bytes zip;
  char path[PATH_ROOM];

  (void)state;
  scratch_path("x.npz", path);
  const ip_dataset_spec spec = spec_of(path);

  for (int packed = 0; packed < 2; packed++) {
    put_zip(GOOD, good, packed, packed, &zip);
    write_file(path, zip.length, zip.at);
    cut_short(&spec, path);
    flip_bytes(&spec, path, 1);
  }
  unlink(path);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_packing),     cmocka_unit_test(every_type),
      cmocka_unit_test(a_folder),          cmocka_unit_test(hostile_headers),
      cmocka_unit_test(hostile_directory), cmocka_unit_test(labels),
      cmocka_unit_test(not_finite),        cmocka_unit_test(damaged),
  };

  PetscPushErrorHandler(ip_error_handler, NULL);
  return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
