/* Numbers gone wrong.  Odd but allowed: each case is trained and measured whole, and must keep to what
   theory says of any case; what is special about it stands in its row.  Not allowed: each case is
   refused before anything is trained, with its place and value in words. */

#include "folder.h"
#include "study.h"
#include <hdf5.h>
#include <stdlib.h>
#include <unistd.h>

/* Inputs by name: what a pattern's features are. */
typedef float (*feature)(size_t pattern, size_t of);

static float bits(size_t i, size_t f)
{
  return (float)(i >> f & 1U);
}

static float nothing(size_t i, size_t f)
{
  (void)i, (void)f;
  return 0.0F;
}

static float twins(size_t i, size_t f)
{
  return bits(i % 8, f);
}

static float tiny(size_t i, size_t f)
{
  return bits(i, f) * 1e-40F;
}

static float huge(size_t i, size_t f)
{
  return bits(i + 1, f) * 3e38F;
}

/* Pattern 8 alone; with a prefix split it neither trains nor tests. */
static float huge_in_the_middle(size_t i, size_t f)
{
  return i == 8 ? 3e38F : bits(i, f);
}

/* What is special about a case. */
enum {
  NO_TEST = 1,      /* all patterns train                       */
  NO_GRADIENTS = 2, /* too few training patterns for statistics */
  CONSTANT = 4,     /* no layer tells patterns apart            */
  STILL = 8,        /* every look sees the same                 */
  DIVERGES = 16,    /* before training                          */
  EXPLODES = 32,    /* in the first epoch                       */
  FADES = 64,       /* weights of the first layer: a tenth each epoch */
};

static const struct {
  const char *name, *yaml;
  size_t n;
  int32_t k, used; /* classes, and how many of them have patterns */
  feature x;       /* NULL: as the input says */
  double h_x;      /* of all patterns, bits   */
  int special;
} table[] = {
  /* clang-format off */
    {"one pattern",
     "train: {fraction: 1, epochs: 3}\n",
     1, 2, 1, bits, 0.0, CONSTANT | NO_TEST | NO_GRADIENTS},
    {"one class",
     "train: {fraction: 50%, epochs: 3}\n",
     40, 2, 1, bits, 5.321928094887363, 0},
    {"17 patterns, batch beyond them, one sigmoid",
     "network: {hidden: [3], output: sigmoid}\n"
     "train: {fraction: 80%, epochs: 3, batch: 4096}\n",
     17, 2, 2, bits, 4.087462841250339, 0},
    {"more classes than anyone uses, sigmoids",
     "network: {hidden: [4], output: sigmoid, activation: softsign}\n"
     "train: {fraction: 70%, epochs: 2, batch: full}\n",
     33, 5, 3, bits, 5.044394119358453, 0},
    {"constant inputs and neurons",
     "network: {hidden: [4, 1], activation: sigmoid}\n"
     "train: {fraction: 60%, epochs: 3}\n",
     20, 3, 3, nothing, 0.0, CONSTANT},
    {"each pattern eight times or four",
     "train: {fraction: 75%, epochs: 2}\n",
     36, 2, 2, twins, 2.991076059838222, 0},
    {"untrained, all patterns train",
     "train: {fraction: 1, epochs: 0}\n",
     48, 2, 2, bits, 5.584962500721156, NO_TEST},
    {"three training patterns",
     "train: {fraction: 10%, epochs: 2}\n"
     "gradient_batch: 1000000\n",
     30, 2, 2, bits, 4.906890595608519, 0},
    {"one training pattern",
     "train: {fraction: 4%, epochs: 2, optimizer: momentum}\n",
     30, 2, 2, bits, 4.906890595608519, NO_GRADIENTS},
    {"no hidden layer, overlapping prefix",
     "network: {hidden: []}\n"
     "train: {fraction: 90%, split: idnns-prefix, epochs: 2}\n",
     50, 2, 2, bits, 5.643856189774724, 0},
    {"a learning rate of zero",
     "train: {fraction: 50%, epochs: 4, learning_rate: 0}\n",
     64, 2, 2, bits, 6.0, STILL},
    {"denormal inputs",
     "network: {hidden: [5, 3], init: uniform}\n"
     "train: {fraction: 50%, epochs: 2}\n",
     64, 2, 2, tiny, 6.0, 0},
    {"infinite from the start",
     "network: {hidden: [8, 4], activation: linear}\n"
     "train: {fraction: 50%, epochs: 3}\n",
     24, 2, 2, huge, 4.584962500721156, DIVERGES},
    {"infinite where nothing trains or tests",
     "network: {hidden: [30], activation: linear}\n"
     "train: {fraction: 20%, split: idnns-prefix, epochs: 3}\n",
     20, 2, 2, huge_in_the_middle, 4.321928094887363, DIVERGES},
    {"a learning rate below the smallest float",
     "train: {fraction: 50%, epochs: 4, learning_rate: 1e-46}\n",
     64, 2, 2, bits, 6.0, STILL},
    {"a learning rate that is a denormal float",
     "train: {fraction: 50%, epochs: 4, learning_rate: 1.4e-45, optimizer: sgd}\n",
     64, 2, 2, bits, 6.0, STILL},
    {"a learning rate beyond all measure",
     "network: {hidden: [6, 5], activation: linear}\n"
     "train: {fraction: 50%, epochs: 3, learning_rate: 1e6, batch: 1, optimizer: sgd}\n",
     64, 2, 2, bits, 6.0, EXPLODES},
    {"weights that fade almost to denormals",
     "train: {fraction: 50%, epochs: 30, learning_rate: 1e-6, weight_decay: 9e5, batch: full,\n"
     "        optimizer: sgd}\n",
     20, 2, 2, nothing, 0.0, CONSTANT | FADES},
    {"weights that fade away and are all equal",
     "train: {fraction: 50%, epochs: 60, learning_rate: 1e-6, weight_decay: 9e5, batch: full,\n"
     "        optimizer: sgd}\n",
     20, 2, 2, nothing, 0.0, CONSTANT | FADES},
    {"drawn labels that are all of one class",
     "dataset: {labels: stochastic, samples: 3}\n"
     "train: {fraction: 100%, epochs: 2}\n",
     3, 2, 1, NULL, 1.584962500721156, NO_TEST},
    {"drawn labels of one pattern",
     "dataset: {labels: stochastic, samples: 1}\n"
     "train: {fraction: 100%, epochs: 2}\n",
     1, 2, 1, NULL, 0.0, CONSTANT | NO_TEST | NO_GRADIENTS},
  /* clang-format on */
};

enum { CASES = sizeof table / sizeof table[0], FEATURES = 7 };

static bool is(size_t c, int special)
{
  return (table[c].special & special) != 0;
}

static const char measures[] =
    "look: [1]\n"
    "estimate:\n"
    "  - {kind: binning, bins: 30, range: snapshot, on: [full, train, test]}\n"
    "  - {kind: binning, bins: 5, rule: idnns, range: run, on: [full, test]}\n"
    "  - {kind: binning, width: 0.07}\n"
    "  - {kind: binning, bins: 1, range: snapshot}\n"
    "  - {kind: kde, noise_variance: [1e-3, 1e-1], on: [full, train, test]}\n"
    "  - {kind: kde, noise_variance: [1e-12, 1e12]}\n" /* every kernel 0 or 1 */
    "  - {kind: kde, noise_variance: 1e-1, noise_scale: layer}\n";

/* The study of a case: its own patterns in place of those of the input. */
static study study_of_case(size_t c)
{
  char yaml[1024];
  study s = {0};
  ip_dataset *set = NULL;

  snprintf(yaml, sizeof yaml, "%s%s", table[c].yaml, measures);
  if (!table[c].x) return study_of(yaml);
  OK(ip_options_read("test.yaml", yaml, strlen(yaml), 0, NULL, &s.options));
  OK(ip_data_create(s.options, &s.data));
  OK(ip_dataset_allocate(table[c].n, FEATURES, table[c].k, true, &set));
  for (size_t i = 0; i < set->n; i++) {
    for (size_t f = 0; f < FEATURES; f++) set->x[i * FEATURES + f] = table[c].x(i, f);
    set->y[i] = (int32_t)(i * 7 / 3) % table[c].used;
  }
  s.data->set[0] = set;
  ip_data_seal(s.data);
  OK(ip_plan_create(s.options, s.data, &s.plan));
  return s;
}

static const double *doubles(const ip_record *r, ip_field_index field)
{
  return r->array[field];
}

/* The look is before the run's weights ceased to be numbers. */
static bool seen(size_t c, size_t look)
{
  return !is(c, DIVERGES) && (look == 0 || !is(c, EXPLODES));
}

/* What holds of one cell (column, look, layer), all in bits. */
static void check_cell(size_t c, const ip_record *r, size_t column, size_t at)
{
  const ip_plan *p = r->plan;
  const ip_column *how = &p->column[column];
  const size_t look = at / p->n_layers % p->n_epochs;
  const double x = doubles(r, IP_FIELD_i_xt)[at], y = doubles(r, IP_FIELD_i_ty)[at];
  const double h_x = doubles(r, IP_FIELD_h_x)[column], h_y = doubles(r, IP_FIELD_h_y)[column];
  const bool binning = strcmp(how->estimator->name, "binning") == 0;
  const bool one_bin = strcmp(how->name, "bin1_snapshot") == 0;
  char what[256];

  snprintf(what, sizeof what, "%s, %s, cell %zu: I(X;T) = %g of %g, I(T;Y) = %g of %g",
           table[c].name, how->name, at, x, h_x, y, h_y);
  if (!seen(c, look) || (how->on == IP_ON_TEST && is(c, NO_TEST))) {
    if (!isnan(x) || !isnan(y)) fail_msg("%s: nothing can be measured", what);
    return;
  }
  if (!(x >= -1e-6 && x <= h_x + 1e-6)) fail_msg("%s: I(X;T) out of bounds", what);
  if (binning && !(y >= -1e-9 && y <= fmin(x, h_y) + 1e-9)) fail_msg("%s: I(T;Y)", what);
  if ((one_bin || is(c, CONSTANT)) && !(fabs(x) < 1e-9 && fabs(y) < 1e-9))
    fail_msg("%s: no 0", what);
}

/* Without gradient the weights of the first layer shrink by 1 - 1e-6 9e5 = 0.1 a step, one a epoch:
   until they are denormals, below 1.2e-38, which count as 0. */
static void check_fading(const ip_record *r)
{
  const ip_plan *p = r->plan;
  const double *norm = doubles(r, IP_FIELD_weight_norm);
  const size_t last = (p->n_epochs - 1) * p->n_layers;
  const double want = pow(0.1, p->epoch[p->n_epochs - 1]);

  NEAR(norm[p->n_layers] / norm[0], 0.1, 1e-6, "after one epoch");
  NEAR(norm[last] / norm[0], want < 1e-38 ? 0.0 : want, 1e-6 * want, "after the last epoch");
  assert_true(want > 1e-38 ||
              isnan(doubles(r, IP_FIELD_weight_correlation)[last])); /* of constants */
}

static void check_looks(size_t c, const ip_record *r)
{
  const ip_plan *p = r->plan;
  const size_t cells = p->n_epochs * p->n_layers;

  for (size_t column = 0; column < p->n_columns; column++)
    for (size_t i = 0; i < cells; i++) check_cell(c, r, column, column * cells + i);
  for (size_t e = 0; e < p->n_epochs && seen(c, e); e++) {
    for (size_t l = 0; l < p->n_layers; l++)
      if (isnan(doubles(r, IP_FIELD_gradient_std_norm)[e * p->n_layers + l]) !=
          is(c, NO_GRADIENTS))
        fail_msg("%s: gradient statistics", table[c].name);
    assert_true(isfinite(doubles(r, IP_FIELD_loss_train)[e]));
    assert_int_equal(isnan(doubles(r, IP_FIELD_loss_test)[e]) != 0, is(c, NO_TEST));
  }
  for (size_t column = 0; column < p->n_columns && is(c, STILL); column++)
    for (size_t e = 1; e < p->n_epochs; e++)
      assert_memory_equal(&doubles(r, IP_FIELD_i_xt)[column * cells],
                          &doubles(r, IP_FIELD_i_xt)[column * cells + e * p->n_layers],
                          p->n_layers * sizeof(double));
  if (is(c, FADES)) check_fading(r);
}

static void every_case(void **state)
{
  (void)state;
  for (size_t c = 0; c < CASES; c++) {
    study s = study_of_case(c);
    ip_record *r = NULL;
    bool stopped = true;
    volatile float tiny_one = 0x1p-126F;
    const int32_t end = is(c, DIVERGES) ? 0 : is(c, EXPLODES) ? 1 : -1;

    OK(ip_record_create(s.plan, &r));
    ip_error_clear();
    if (ip_run_train(s.plan, 0, NULL, r, &stopped))
      fail_msg("%s: %s", table[c].name, ip_error_message());
    if (((int32_t *)r->array[IP_FIELD_diverged_epoch])[0] != end ||
        r->status != (end < 0 ? IP_STATUS_DONE : IP_STATUS_DIVERGED))
      fail_msg("%s: status %d, diverged in epoch %d", table[c].name, (int)r->status,
               (int)((int32_t *)r->array[IP_FIELD_diverged_epoch])[0]);
    assert_true(tiny_one / 2.0F > 0.0F); /* the caller has denormals, as before */
    NEAR(doubles(r, IP_FIELD_h_x)[0], table[c].h_x, 1e-12, "%s: H(X)", table[c].name);
    check_looks(c, r);
    ip_record_destroy(&r);
    study_clear(&s);
  }
}

/* ---- refused ------------------------------------------------------------------------------------------ */

/* Files whose feature 1 of pattern 2, or whose label 2, is this number. */
static const struct {
  const char *name;
  double feature, label;
} file[] = {
    {"x_nan",  NAN,      1   },
    {"x_inf",  INFINITY, 1   },
    {"x_big",  1e300,    1   },
    {"y_nan",  0,        NAN },
    {"y_half", 0,        0.5 },
    {"y_neg",  0,        -1  },
    {"y_huge", 0,        1e18},
    {"good",   0,        1   },
};
enum { FILES = sizeof file / sizeof file[0], N = 4, D = 2 };

static const char digits400[] =
    "0."
    "00040000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "0"
    "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "0"
    "000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "0";

static const struct {
  const char *yaml;
  PetscErrorCode code;
  const char *says;
} refused[] = {
  /* clang-format off */
    {"train.learning_rate: nan",     IP_ERR_CONFIG, "1:22: error: train.learning_rate: \"nan\""},
    {"train.learning_rate: -inf",    IP_ERR_CONFIG, "\"-inf\" is not a number"},
    {"train.learning_rate: .inf",    IP_ERR_CONFIG, "\".inf\" is not a number"},
    {"train.learning_rate: 1e400",   IP_ERR_CONFIG, "\"1e400\" is not a number"},
    {"train.learning_rate: 1e-400",  IP_ERR_CONFIG, "\"1e-400\" is not a number"}, /* no silent 0 */
    {"train.learning_rate: 0x1p-3",  IP_ERR_CONFIG, "\"0x1p-3\" is not a number"},
    {"train.learning_rate: 1,5",     IP_ERR_CONFIG, "\"1,5\" is not a number"},
    {"train.learning_rate: -1e-3",   IP_ERR_CONFIG, "\"-1e-3\" is not a number"},
    {"train.batch: 0",               IP_ERR_CONFIG, "train.batch: \"0\""},
    {"train.batch: 2147483648",      IP_ERR_CONFIG, "train.batch: \"2147483648\""},
    {"train.epochs: 2147483648",     IP_ERR_CONFIG, "train.epochs: \"2147483648\""},
    {"train: {updates: 9e15, batch: full}", IP_ERR_CONFIG, "9000000000000000 optimizer steps"},
    {"train.fraction: 1e-4",         IP_ERR_CONFIG, "leaves none to train"}, /* of 4096 */
    {"train.fraction: 1e-300",       IP_ERR_CONFIG, "train.fraction: \"1e-300\""},
    {"network.hidden: [0]",          IP_ERR_CONFIG, "\"0\" is not a whole number"},
    {"network.hidden: [1e99]",       IP_ERR_CONFIG, "\"1e99\" is not a whole number"},
    {"dataset.samples: 0",           IP_ERR_CONFIG, "dataset.samples: \"0\""},
    {"dataset.samples: 4097",        IP_ERR_CONFIG, "dataset.samples: 4097"},
    {"dataset: {labels: stochastic, gamma: 0}", IP_ERR_CONFIG, "dataset.gamma: \"0\""},
    {"gradient_batch: 0",            IP_ERR_CONFIG, "gradient_batch: \"0\""},
    {"look: [-1]",                   IP_ERR_CONFIG, "\"-1\" is not a whole number"},
    {"estimate: [{kind: binning, bins: 0}]",             IP_ERR_CONFIG, "bins: \"0\""},
    {"estimate: [{kind: binning, range: [1, 1]}]",       IP_ERR_CONFIG, "range"},
    {"estimate: [{kind: binning, range: [0, inf]}]",     IP_ERR_CONFIG, "\"inf\""},
    {"estimate: [{kind: binning, width: 0}]",            IP_ERR_CONFIG, "width: \"0\""},
    {"estimate: [{kind: kde, noise_variance: 0}]",       IP_ERR_CONFIG, "noise_variance: \"0\""},
    {"estimate: [{kind: kde, noise_variance: 1e-320}]",  IP_ERR_CONFIG, "noise_variance: \"1e-320\""},
    {"dataset: {name: hdf5, path: x_nan.h5}",  IP_ERR_DATA, "x_nan.h5: feature 1 of pattern 2"},
    {"dataset: {name: hdf5, path: x_inf.h5}",  IP_ERR_DATA, "x_inf.h5: feature 1 of pattern 2"},
    {"dataset: {name: hdf5, path: x_big.h5}",  IP_ERR_DATA, "x_big.h5: feature 1 of pattern 2"},
    {"dataset: {name: hdf5, path: y_nan.h5}",  IP_ERR_DATA, "y_nan.h5: y does not hold whole numbers"},
    {"dataset: {name: hdf5, path: y_half.h5}", IP_ERR_DATA, "y_half.h5: y does not hold whole numbers"},
    {"dataset: {name: hdf5, path: y_neg.h5}",  IP_ERR_DATA, "y_neg.h5: label"},
    {"dataset: {name: hdf5, path: y_huge.h5}", IP_ERR_DATA, "y_huge.h5: label"},
    {"dataset: {name: mat, path: x_nan.mat}",  IP_ERR_DATA, "x_nan.mat: feature 1 of pattern 2"},
    {"dataset: {name: mat, path: x_inf.mat}",  IP_ERR_DATA, "x_inf.mat: feature 1 of pattern 2"},
    {"dataset: {name: mat, path: x_big.mat}",  IP_ERR_DATA, "x_big.mat: feature 1 of pattern 2"},
    {"dataset: {name: mat, path: y_nan.mat}",  IP_ERR_DATA, "y_nan.mat: label"},
    {"dataset: {name: mat, path: y_half.mat}", IP_ERR_DATA, "y_half.mat: label"},
    {"dataset: {name: mat, path: y_neg.mat}",  IP_ERR_DATA, "y_neg.mat: label"},
    {"dataset: {name: mat, path: y_huge.mat}", IP_ERR_DATA, "y_huge.mat: label"},
    {"dataset: {name: hdf5, path: good.h5}",   PETSC_SUCCESS, ""},
    {"dataset: {name: mat, path: good.mat}",   PETSC_SUCCESS, ""},
  /* clang-format on */
};

static void fill_numbers(size_t f, double x[N * D], double y[N])
{
  for (size_t i = 0; i < N; i++) {
    y[i] = (double)(i % 2);
    for (size_t j = 0; j < D; j++) x[i * D + j] = (double)(i + j);
  }
  x[2 * D + 1] = file[f].feature;
  y[2] = file[f].label;
}

static void write_hdf5(size_t f)
{
  double x[N * D], y[N];
  char path[32];

  fill_numbers(f, x, y);
  snprintf(path, sizeof path, "%s.h5", file[f].name);
  const bool whole = file[f].label == floor(file[f].label);
  const hid_t out = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);

  for (int of_y = 0; of_y < 2; of_y++) {
    const hid_t space = H5Screate_simple(2 - of_y, (hsize_t[]){N, D}, NULL);
    const hid_t id =
        H5Dcreate2(out, of_y ? "y" : "x", of_y && whole ? H5T_STD_I64LE : H5T_IEEE_F64LE, space,
                   H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);

    assert_true(H5Dwrite(id, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, of_y ? y : x) >=
                0);
    H5Dclose(id);
    H5Sclose(space);
  }
  H5Fclose(out);
}

/* A matrix of doubles of a MATLAB 5 file: array flags, dimensions, name, numbers column by column. */
static void put_matrix(FILE *out, const char *name, uint32_t rows, uint32_t columns,
                       const double value[])
{
  const uint32_t bytes = 8 * rows * columns;
  const uint32_t head[] = {14, 16 + 16 + 16 + 8 + bytes, 6, 8, 6, 0, 5, 8, rows, columns, 1, 1};
  const char text[8] = {name[0]};

  fwrite(head, sizeof head, 1, out);
  fwrite(text, sizeof text, 1, out);
  fwrite((const uint32_t[]){9, bytes}, 8, 1, out);
  for (uint32_t j = 0; j < columns; j++)
    for (uint32_t i = 0; i < rows; i++) fwrite(&value[i * columns + j], 8, 1, out);
}

static void write_mat(size_t f)
{
  double x[N * D], y[N];
  char path[32], head[128] = "MATLAB 5.0 MAT-file";

  fill_numbers(f, x, y);
  snprintf(path, sizeof path, "%s.mat", file[f].name);
  FILE *out = fopen(path, "wb");

  assert_non_null(out);
  memset(head + 19, ' ', 97);
  memset(head + 116, 0, 8);
  head[124] = 0, head[125] = 1, head[126] = 'I', head[127] = 'M';
  fwrite(head, sizeof head, 1, out);
  put_matrix(out, "F", N, D, x);
  put_matrix(out, "y", N, 1, y);
  fclose(out);
}

/* What stands between an input and the first training: reading, data, plan. */
static PetscErrorCode prepare(const char *yaml, study *s)
{
  PetscCall(ip_options_read("test.yaml", yaml, strlen(yaml), 0, NULL, &s->options));
  PetscCall(ip_data_create(s->options, &s->data));
  PetscCall(ip_data_load(s->data));
  return ip_plan_create(s->options, s->data, &s->plan);
}

static int enter(void **state)
{
  if (folder_enter(state) != 0) return -1;
  for (size_t f = 0; f < FILES; f++) write_hdf5(f), write_mat(f);
  return 0;
}

static int leave(void **state)
{
  char path[32];

  for (size_t f = 0; f < 2 * FILES; f++) {
    snprintf(path, sizeof path, "%s.%s", file[f / 2].name, f % 2 ? "h5" : "mat");
    unlink(path);
  }
  return folder_leave(state);
}

static void every_refusal(void **state)
{
  int wrong = 0;

  (void)state;
  for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
    study s = {0};

    ip_error_clear();
    const PetscErrorCode code = prepare(refused[i].yaml, &s);

    if (code != refused[i].code || !strstr(ip_error_message(), refused[i].says))
      print_error("%s: code %d: %s\n", refused[i].yaml, (int)code, ip_error_message()), wrong++;
    study_clear(&s);
  }
  ip_error_clear();
  assert_int_equal(wrong, 0);
}

/* A long number is the number that it is; a batch and a gradient batch beyond the data are what there
   is; the last epoch that can be counted can be planned. */
static void every_resolution(void **state)
{
  char yaml[512];
  study s;

  (void)state;
  snprintf(yaml, sizeof yaml, "train.learning_rate: %s\nlook: [0]", digits400);
  s = study_of(yaml);
  assert_true(ip_options_value(s.options, 0, IP_KEY_TRAIN_LEARNING_RATE)->real == 4e-4);
  study_clear(&s);
  s = study_of("train: {batch: 2147483647, fraction: 0.01, epochs: 2147483646}\nlook: [0]\n"
               "gradient_batch: 2147483647\n");
  assert_int_equal(s.plan->run[0].batch, 41); /* rint(0.01 4096) */
  assert_int_equal(s.plan->run[0].epochs, 2147483646);
  assert_int_equal(s.plan->epoch[s.plan->n_epochs - 1], 2147483646);
  study_clear(&s);
}

/* No reader gives p(y|x) that is none; who makes one by hand is told. */
static void no_distribution(void **state)
{
  const double half[] = {0.5, 0.5}, negative[] = {1.5, -0.5, 0.5, 0.5},
               short_of[] = {0.5, 0.4, 0.5, 0.5}, not [] = {NAN, 1, 0.5, 0.5};
  const double *const p[] = {negative, short_of, not };
  double critical = -2;

  (void)state;
  for (size_t i = 0; i < sizeof p / sizeof p[0]; i++) {
    const ip_joint joint = {.n = 2, .k = 2, .weight = half, .p = p[i]};

    FAILS(ip_bottleneck_critical(&joint, &critical), IP_ERR_INTERNAL, "p(y|x) of row 0");
    assert_true(critical == -2);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_case),
      cmocka_unit_test_setup_teardown(every_refusal, enter, leave),
      cmocka_unit_test(every_resolution),
      cmocka_unit_test(no_distribution),
  };

  return RUN_TESTS(tests);
}
