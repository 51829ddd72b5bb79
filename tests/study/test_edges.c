/* Odd but allowed: each case is trained and measured whole, and must keep to what theory says of
   any case; what is special about it stands in its row. */

#include "study.h"

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
  DIVERGES = 16     /* before training                          */
};

static const struct {
  const char *name, *yaml;
  size_t n;
  int32_t k, used; /* classes, and how many of them have patterns */
  feature x;
  double h_x; /* of all patterns, bits */
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
    "  - {kind: kde, noise_variance: [1e-3, 1e-1], on: [full, train, test]}\n"
    "  - {kind: kde, noise_variance: 1e-1, noise_scale: layer}\n";

/* The study of a case: its own patterns in place of those of the input. */
static study study_of_case(size_t c)
{
  char yaml[1024];
  study s = {0};
  ip_dataset *set = NULL;

  snprintf(yaml, sizeof yaml, "%s%s", table[c].yaml, measures);
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

/* What holds of one cell (column, look, layer), all in bits. */
static void check_cell(size_t c, const ip_record *r, size_t column, size_t at)
{
  const ip_column *how = &r->plan->column[column];
  const double x = doubles(r, IP_FIELD_i_xt)[at], y = doubles(r, IP_FIELD_i_ty)[at];
  const double h_x = doubles(r, IP_FIELD_h_x)[column], h_y = doubles(r, IP_FIELD_h_y)[column];
  const bool binning = strcmp(how->estimator->name, "binning") == 0;
  char what[256];

  snprintf(what, sizeof what, "%s, %s, cell %zu: I(X;T) = %g of %g, I(T;Y) = %g of %g",
           table[c].name, how->name, at, x, h_x, y, h_y);
  if (is(c, DIVERGES) || (how->on == IP_ON_TEST && is(c, NO_TEST))) {
    if (!isnan(x) || !isnan(y)) fail_msg("%s: nothing can be measured", what);
    return;
  }
  if (!(x >= -1e-6 && x <= h_x + 1e-6)) fail_msg("%s: I(X;T) out of bounds", what);
  if (binning && !(y >= -1e-9 && y <= fmin(x, h_y) + 1e-9)) fail_msg("%s: I(T;Y)", what);
  if (is(c, CONSTANT) && !(fabs(x) < 1e-9 && fabs(y) < 1e-9)) fail_msg("%s: no 0", what);
}

static void check_looks(size_t c, const ip_record *r)
{
  const ip_plan *p = r->plan;
  const size_t cells = p->n_epochs * p->n_layers, looks = p->n_epochs;

  for (size_t column = 0; column < p->n_columns; column++)
    for (size_t i = 0; i < cells; i++) check_cell(c, r, column, column * cells + i);
  for (size_t i = 0; i < cells && !is(c, DIVERGES); i++)
    if (isnan(doubles(r, IP_FIELD_gradient_std_norm)[i]) != is(c, NO_GRADIENTS))
      fail_msg("%s: gradient statistics", table[c].name);
  for (size_t e = 0; e < looks && !is(c, DIVERGES); e++) {
    assert_true(isfinite(doubles(r, IP_FIELD_loss_train)[e]));
    assert_int_equal(isnan(doubles(r, IP_FIELD_loss_test)[e]) != 0, is(c, NO_TEST));
  }
  for (size_t column = 0; column < p->n_columns && is(c, STILL); column++)
    for (size_t e = 1; e < looks; e++)
      assert_memory_equal(&doubles(r, IP_FIELD_i_xt)[column * cells],
                          &doubles(r, IP_FIELD_i_xt)[column * cells + e * p->n_layers],
                          p->n_layers * sizeof(double));
}

static void every_case(void **state)
{
  (void)state;
  for (size_t c = 0; c < CASES; c++) {
    study s = study_of_case(c);
    ip_record *r = NULL;
    bool stopped = true;

    OK(ip_record_create(s.plan, &r));
    ip_error_clear();
    if (ip_run_train(s.plan, 0, NULL, r, &stopped))
      fail_msg("%s: %s", table[c].name, ip_error_message());
    assert_int_equal(r->status, is(c, DIVERGES) ? IP_STATUS_DIVERGED : IP_STATUS_DONE);
    assert_int_equal(((int32_t *)r->array[IP_FIELD_diverged_epoch])[0],
                     is(c, DIVERGES) ? 0 : -1);
    NEAR(doubles(r, IP_FIELD_h_x)[0], table[c].h_x, 1e-12, "%s: H(X)", table[c].name);
    check_looks(c, r);
    ip_record_destroy(&r);
    study_clear(&s);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(every_case)};

  return RUN_TESTS(tests);
}
