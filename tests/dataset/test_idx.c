/* IDX files, written here and Debian's Fashion-MNIST: what is read, what is refused. */

#include "files.h"
#include <zlib.h>

#define FASHION "/usr/share/datasets/fashion-mnist/"
enum { N = 5, ROWS = 2, COLUMNS = 3, D = ROWS * COLUMNS };

static const double label[N] = {3, 0, 1, 1, 2};

/* Width, type and kind of numbers. */
typedef struct {
  size_t width;
  unsigned type;
  bool floating;
} storage;

static const storage as_bytes = {1, 0x08, false};

static double pixel(size_t i)
{
  return (double)(i * 17 % 128);
}

static void put_header_idx(file_bytes *b, unsigned type, size_t rank, const uint32_t size[])
{
  b->length = 0, b->big_endian = true;
  put(b, type << 8 | rank, 4);
  for (size_t i = 0; i < rank; i++) put(b, size[i], 4);
}

static void write_bytes(const char *path, bool gzipped, const file_bytes *b)
{
  if (!gzipped) {
    write_file(path, b->length, b->at);
    return;
  }

  gzFile file = gzopen(path, "wb");

  assert_int_equal(gzwrite(file, b->at, (unsigned)b->length), b->length);
  assert_int_equal(gzclose(file), Z_OK);
}

static void write_images(const char *path, bool gzipped, storage s)
{
  static file_bytes b;

  put_header_idx(&b, s.type, 3, (uint32_t[]){N, ROWS, COLUMNS});
  for (size_t i = 0; i < (size_t)N * D; i++) put_number(&b, pixel(i), s.width, s.floating);
  write_bytes(path, gzipped, &b);
}

static void write_labels(const char *path, bool gzipped, storage s, uint32_t n)
{
  static file_bytes b;

  put_header_idx(&b, s.type, 1, &n);
  for (size_t i = 0; i < n; i++) put_number(&b, label[i % N], s.width, s.floating);
  write_bytes(path, gzipped, &b);
}

/* A pair of files under the usual names, and the spec that reads it. */
typedef struct {
  char images[PATH_ROOM], labels[PATH_ROOM];
  ip_dataset_spec spec;
} pair;

static void make_pair(pair *p, bool gzipped)
{
  scratch_path("t-images-idx3-ubyte", p->images);
  scratch_path("t-labels-idx1-ubyte", p->labels);
  p->spec = (ip_dataset_spec){.kind = (size_t)ip_names_find(ip_dataset_name, "idx"),
                              .path = p->images};
  write_images(p->images, gzipped, as_bytes);
  write_labels(p->labels, gzipped, as_bytes, N);
}

static void remove_pair(const pair *p)
{
  unlink(p->images);
  unlink(p->labels);
}

/* Every type, plain and gzipped; only bytes are pixels. */
static void every_type(void **state)
{
  static const storage row[] = {
      {1, 0x08, false},
      {1, 0x09, false},
      {2, 0x0B, false},
      {4, 0x0C, false},
      {4, 0x0D, true },
      {8, 0x0E, true },
  };
  pair p;

  (void)state;
  for (size_t i = 0; i < 2 * sizeof row / sizeof row[0]; i++) {
    const storage s = row[i / 2];
    const float scale = s.type == 0x08 ? 255.0F : 1.0F;
    ip_dataset *data = NULL;

    make_pair(&p, false);
    write_images(p.images, i & 1, s);
    write_labels(p.labels, i & 1, s, N);
    OK(ip_dataset_load(&p.spec, &data));
    assert_true(data->n == N && data->d == D && data->k == 4 && !data->p);
    for (size_t j = 0; j < (size_t)N * D; j++)
      assert_true(data->x[j] == (float)pixel(j) / scale);
    for (size_t j = 0; j < N; j++) assert_int_equal(data->y[j], (int)label[j]);
    ip_dataset_destroy(&data);
  }
  remove_pair(&p);
}

/* The number of classes is that of the file, whatever part is read. */
static void only_the_first(void **state)
{
  ip_dataset *data = NULL;
  pair p;

  (void)state;
  make_pair(&p, true);
  p.spec.samples = 2;
  OK(ip_dataset_load(&p.spec, &data));
  assert_true(data->n == 2 && data->d == D && data->k == 4);
  assert_true(data->x[2 * D - 1] == (float)pixel(2 * D - 1) / 255.0F);
  ip_dataset_destroy(&data);
  p.spec.samples = N + 1;
  FAILS(ip_dataset_load(&p.spec, &data), IP_ERR_CONFIG, "only 5");
  remove_pair(&p);
}

static void labels_file(void **state)
{
  char elsewhere[PATH_ROOM];
  ip_dataset *data = NULL;
  pair p;

  (void)state;
  make_pair(&p, false);
  rename(p.labels, scratch_path("elsewhere", elsewhere));
  FAILS(ip_dataset_load(&p.spec, &data), IP_ERR_NO_INPUT, p.labels);
  p.spec.labels_path = elsewhere;
  OK(ip_dataset_load(&p.spec, &data));
  ip_dataset_destroy(&data);
  p.spec.path = elsewhere, p.spec.labels_path = NULL;
  FAILS(ip_dataset_load(&p.spec, &data), IP_ERR_CONFIG, "dataset.labels_path");
  p.spec.labels_path = p.images;
  FAILS(ip_dataset_load(&p.spec, &data), IP_ERR_DATA, "swapped");
  p.spec.path = p.spec.labels_path = elsewhere;
  FAILS(ip_dataset_load(&p.spec, &data), IP_ERR_DATA, "swapped");
  unlink(elsewhere);
  remove_pair(&p);
}

static void refused(void **state)
{
  static file_bytes b;
  ip_dataset *data = NULL;
  pair p;

  (void)state;
  make_pair(&p, false);
  write_labels(p.labels, false, as_bytes, N + 1);
  FAILS(ip_dataset_load(&p.spec, &data), IP_ERR_DATA, "5 images, but 6 labels");
  write_labels(p.labels, false, as_bytes, N);

  put_header_idx(&b, 0x08, 3, (uint32_t[]){0xffffffff, 0xffffffff, 0xffffffff});
  write_bytes(p.images, false, &b);
  FAILS(ip_dataset_load(&p.spec, &data), IP_ERR_DATA, "more numbers than any file");
  put_header_idx(&b, 0x08, 2, (uint32_t[]){0xffffffff, 0xffffffff});
  write_bytes(p.images, false, &b);
  FAILS(ip_dataset_load(&p.spec, &data), IP_ERR_DATA, "cut short");
  put_header_idx(&b, 0x08, 3, (uint32_t[]){0, 28, 28});
  write_bytes(p.images, false, &b);
  FAILS(ip_dataset_load(&p.spec, &data), IP_ERR_DATA, "0 patterns");
  put_header_idx(&b, 0x0A, 3, (uint32_t[]){1, 1, 1});
  write_bytes(p.images, false, &b);
  FAILS(ip_dataset_load(&p.spec, &data), IP_ERR_DATA, "type 0x0a");
  put_header_idx(&b, 0x08, 5, (uint32_t[]){1, 1, 1, 1, 1});
  write_bytes(p.images, false, &b);
  FAILS(ip_dataset_load(&p.spec, &data), IP_ERR_DATA, "5 axes");
  put_header_idx(&b, 0x0D, 2, (uint32_t[]){1, 1});
  put_number(&b, INFINITY, 4, true);
  write_bytes(p.images, false, &b);
  write_labels(p.labels, false, as_bytes, 1);
  FAILS(ip_dataset_load(&p.spec, &data), IP_ERR_DATA, "feature 0 of pattern 0");
  put_number(&b, 0, 1, false);
  write_bytes(p.images, false, &b);
  FAILS(ip_dataset_load(&p.spec, &data), IP_ERR_DATA, "holds more");
  assert_null(data);
  remove_pair(&p);
}

static void damaged(void **state)
{
  pair p;

  (void)state;
  for (int gzipped = 0; gzipped < 2; gzipped++) {
    make_pair(&p, gzipped);
    cut_short(&p.spec, p.images);
    cut_short(&p.spec, p.labels);
    flip_bytes(&p.spec, p.images, 1);
    flip_bytes(&p.spec, p.labels, 1);
  }
  remove_pair(&p);
}

/* Known of Fashion-MNIST: 6000 images of each class, the first labels, and the mean 0.2860 and
   standard deviation 0.3530 that it is normalized with. */
static void fashion_mnist(void **state)
{
  static const char path[] = FASHION "train-images-idx3-ubyte.gz";
  static const int32_t first[] = {9, 0, 0, 3, 0, 2, 7, 2, 5, 5};
  ip_dataset_spec spec = {.kind = (size_t)ip_names_find(ip_dataset_name, "idx"), .path = path};
  ip_dataset *data = NULL;
  int count[10] = {0};
  double sum = 0, squares = 0;
  ip_entropies h;

  (void)state;
  if (access(path, R_OK) != 0) {
    print_message("skipped: %s is not there (Debian: dataset-fashion-mnist)\n", path);
    skip();
  }
  OK(ip_dataset_load(&spec, &data));
  assert_true(data->n == 60000 && data->d == 784 && data->k == 10);
  assert_memory_equal(data->y, first, sizeof first);
  for (size_t i = 0; i < data->n; i++) count[data->y[i]]++;
  for (int c = 0; c < 10; c++) assert_int_equal(count[c], 6000);
  for (size_t i = 0; i < data->n * data->d; i++) {
    sum += (double)data->x[i];
    squares += (double)data->x[i] * (double)data->x[i];
  }
  sum /= (double)(data->n * data->d);
  squares /= (double)(data->n * data->d);
  NEAR(sum, 0.2860, 5e-5, "mean");
  NEAR(sqrt(squares - sum * sum), 0.3530, 5e-5, "standard deviation");
  OK(ip_dataset_entropies(data, data->y, 0, NULL, &h));
  NEAR(h.h_y, log2(10), 1e-12, "H(Y)");
  NEAR(h.h_x, log2(60000), 0.01, "H(X): few images are there twice");
  assert_true(h.i_xy <= h.h_y + 1e-12 && h.i_xy > h.h_y - 0.01);
  ip_dataset_destroy(&data);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_type),  cmocka_unit_test(only_the_first),
      cmocka_unit_test(labels_file), cmocka_unit_test(refused),
      cmocka_unit_test(damaged),     cmocka_unit_test(fashion_mnist),
  };

  PetscPushErrorHandler(ip_error_handler, NULL);
  return cmocka_run_group_tests(tests, scratch_make, scratch_remove);
}
