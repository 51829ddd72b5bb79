/* The front door: every row of the table, what is refused, which samples are chosen. */

#include "check.h"
#include <infoplane/dataset.h>
#include <infoplane/rng.h>

enum { N = 4096, D = 12 };

static size_t kind(const char *name)
{
  return (size_t)ip_names_find(ip_dataset_name, name);
}

static void rows_are_complete(void **state)
{
  const ip_dataset_kind *row;
  size_t rows = 0;

  (void)state;
  for (; (row = ip_dataset_row(rows)) != NULL; rows++) {
    assert_int_equal(kind(row->name), rows); /* names differ */
    assert_true(strlen(row->sentence) > 20 && row->reference && row->load);
  }
  assert_int_equal(rows, 5);
  assert_null(ip_dataset_name(rows));
  assert_string_equal(ip_labels_name(IP_LABELS_SHUFFLED), "shuffled");
  assert_null(ip_labels_name(3));
}

/* Every row that reads a file: none given, none there, a folder, stochastic labels. */
static void files_are_needed(void **state)
{
  ip_dataset *data = NULL;
  const ip_dataset_kind *row;

  (void)state;
  for (size_t i = 0; (row = ip_dataset_row(i)) != NULL; i++) {
    ip_dataset_spec spec = {.kind = i};

    if (!row->needs_path) continue;
    FAILS(ip_dataset_load(&spec, &data), IP_ERR_CONFIG, "dataset.path");
    spec.path = "";
    FAILS(ip_dataset_load(&spec, &data), IP_ERR_CONFIG, "dataset.path");
    spec.path = "no/such/images-idx3";
    FAILS(ip_dataset_load(&spec, &data), IP_ERR_NO_INPUT, "no/such/images-idx3: No such file");
    spec.labels = IP_LABELS_STOCHASTIC, spec.gamma = 1;
    FAILS(ip_dataset_load(&spec, &data), IP_ERR_CONFIG, "stochastic");
    spec.labels = IP_LABELS_DETERMINISTIC, spec.path = spec.labels_path = "/";
    ip_error_clear();
    assert_true(ip_dataset_load(&spec, &data) >= IP_ERR_DATA);
    assert_non_null(strstr(ip_error_message(), "/: "));
  }
  assert_null(data);
}

static void refused(void **state)
{
  ip_dataset *data = NULL;
  ip_dataset_spec spec = {.kind = kind("symmetric"), .samples = N + 1};

  (void)state;
  FAILS(ip_dataset_load(&spec, &data), IP_ERR_CONFIG, "dataset.samples: 4097");
  spec.keyed_choice = true;
  FAILS(ip_dataset_load(&spec, &data), IP_ERR_CONFIG, "only 4096");
  spec.samples = -1;
  FAILS(ip_dataset_load(&spec, &data), IP_ERR_CONFIG, "dataset.samples: -1");
  spec.samples = 0, spec.labels = IP_LABELS_STOCHASTIC;
  FAILS(ip_dataset_load(&spec, &data), IP_ERR_CONFIG, "dataset.gamma");
  spec.gamma = NAN;
  FAILS(ip_dataset_load(&spec, &data), IP_ERR_CONFIG, "dataset.gamma");
  spec = (ip_dataset_spec){.kind = 99};
  FAILS(ip_dataset_load(&spec, &data), IP_ERR_CONFIG, "99");
  FAILS(ip_dataset_allocate(SIZE_MAX / 2, 16, 2, true, &data), IP_ERR_INTERNAL, "16 features");
  FAILS(ip_dataset_allocate(4, 4, 1, true, &data), IP_ERR_INTERNAL, "1 classes");
  assert_null(data);
  ip_dataset_destroy(&data);
}

static void first_samples(void **state)
{
  ip_dataset *data = NULL;

  (void)state;
  OK(ip_dataset_load(&(ip_dataset_spec){.kind = kind("symmetric"), .samples = 100}, &data));
  assert_int_equal(data->n, 100);
  for (uint32_t i = 0; i < 100; i++) {
    assert_int_equal(data->y[i], ip_symmetric_f(i) > 7.632);
    assert_true(data->x[i * D + D - 1] == (float)(i & 1));
  }
  ip_dataset_destroy(&data);
}

/* The first m of the permutation by seed alone, in ascending order: a sequential check. */
static void keyed_samples(void **state)
{
  const ip_stream stream = {.seed = 9, .replicate = 0, .purpose = IP_PURPOSE_SAMPLES};
  ip_dataset_spec spec = {.kind = kind("symmetric"),
                          .labels = IP_LABELS_STOCHASTIC,
                          .gamma = 1,
                          .samples = 1000,
                          .keyed_choice = true,
                          .seed = 9};
  ip_dataset *data = NULL, *all = NULL;
  static uint32_t order[N];
  int last = -1;

  (void)state;
  ip_stream_permutation(&stream, 0, N, order);
  OK(ip_dataset_load(&spec, &data));
  spec.samples = 0;
  OK(ip_dataset_load(&spec, &all));
  assert_int_equal(data->n, 1000);
  for (size_t i = 0; i < 1000; i++) {
    int pattern = 0;
    bool among = false;

    for (size_t j = 0; j < D; j++) pattern = 2 * pattern + (data->x[i * D + j] > 0);
    for (int j = 0; j < 1000; j++) among |= order[j] == (uint32_t)pattern;
    assert_true(pattern > last && among);
    assert_int_equal(data->y[i], all->y[pattern]);
    assert_memory_equal(data->p + 2 * i, all->p + 2 * (size_t)pattern, 2 * sizeof(double));
    last = pattern;
  }
  ip_dataset_destroy(&data);
  ip_dataset_destroy(&all);
}

static void empty_ones(void **state)
{
  ip_dataset *data = NULL;

  (void)state;
  OK(ip_dataset_allocate(3, 2, 5, false, &data));
  assert_true(data->n == 3 && data->d == 2 && data->k == 5);
  data->x[5] = 1, data->y[2] = 4, data->p[14] = 1; /* the last ones: ASan looks */
  ip_dataset_destroy(&data);
  OK(ip_dataset_allocate(3, 2, 5, true, &data));
  assert_null(data->p);
  ip_dataset_destroy(&data);
  ip_dataset_destroy(&data);
}

static void labels_name_it(void **state)
{
  const struct {
    ip_dataset_spec spec;
    const char *want;
  } row[] = {
      {{.kind = kind("symmetric")},                                                        "symmetric"},
      {{.kind = kind("symmetric"), .labels = IP_LABELS_STOCHASTIC, .gamma = 54.492},
       "symmetric, stochastic, gamma 54.492"                                                          },
      {{.kind = kind("idx"), .path = "/a/b/train-images-idx3-ubyte.gz", .samples = 10000},
       "idx train-images-idx3-ubyte.gz, 10000 samples"                                                },
      {{.kind = kind("mat"),
        .path = "var_u.mat",
        .labels = IP_LABELS_SHUFFLED,
        .samples = 7,
        .keyed_choice = true},
       "mat var_u.mat, shuffled, 7 random samples"                                                    },
  };

  (void)state;
  for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
    ip_text text = {0};

    OK(ip_dataset_label(&row[i].spec, &text));
    assert_string_equal(text.text, row[i].want);
    ip_text_clear(&text);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rows_are_complete), cmocka_unit_test(files_are_needed),
      cmocka_unit_test(refused),           cmocka_unit_test(first_samples),
      cmocka_unit_test(keyed_samples),     cmocka_unit_test(empty_ones),
      cmocka_unit_test(labels_name_it),
  };

  return RUN_TESTS(tests);
}
