/* What every estimator promises, asked of every row of the table. */

#include "layers.h"
#include <infoplane/numerics.h>

enum { N = 8, D = 2 };

static const float cloud[N][D] = {
    {0.1F, 0.9F},
    {0.2F, 0.8F},
    {0.7F, 0.1F},
    {0.9F, 0.4F},
    {0.5F, 0.5F},
    {0.3F, 0.2F},
    {0.8F, 0.6F},
    {0.6F, 0.3F}
};
static const int32_t label[N] = {0, 1, 0, 1, 1, 0, 0, 1};

/* The default column on the cloud, in reverse order if asked, with labels below k. */
static ip_information apply(const ip_estimator *e, bool reversed, int32_t k, float scale)
{
  made_layer layer = layer_new(N, D, k);
  ip_column column;

  for (size_t i = 0; i < N; i++) {
    const size_t from = reversed ? N - 1 - i : i;

    for (size_t u = 0; u < D; u++) unit_of(&layer, u)[i] = scale * cloud[from][u];
    layer.y[i] = k == 1 ? 0 : label[from];
  }
  OK(ip_column_default(e, &column));
  OK(ip_column_set_name(&column));
  OK(e->check_column(&column, NULL));

  const ip_information fast = measured(&layer, column);

  same_information(fast, by_reference(&layer, column), 1e-6, e->name);
  layer_free(&layer);
  return fast;
}

static void parameters_are_described(const ip_estimator *e)
{
  size_t n = 0;

  for (const ip_parameter *row = e->parameter; row->key; row++, n++) {
    assert_true(row->sentence && row->unit && row->coordinate);
    assert_int_equal(row->scope, IP_SCOPE_MEASURE);
    assert_int_equal(strncmp(row->coordinate, "column_", 7), 0);
    assert_true(row->type != IP_CHOICE || row->choice);
  }
  assert_true(n <= IP_MAX_PARAMETERS);
}

static void promises(const ip_estimator *e)
{
  const ip_information p = apply(e, false, 2, 1), q = apply(e, true, 2, 1);

  parameters_are_described(e);
  assert_true(e->sentence && e->reference);
  assert_true(e->cost(1000, 5, 2) > e->cost(1000, 2, 2) && e->cost(10, 2, 1) > 0);
  assert_true(p.i_xt <= 3 + 1e-6 && p.i_xt > 0);
  NEAR(q.i_xt, p.i_xt, 1e-12, "%s: I(X;T) does not depend on the order", e->name);
  NEAR(q.i_ty, p.i_ty, 1e-12, "%s: I(T;Y) does not depend on the order", e->name);
  NEAR(apply(e, false, 2, 0).i_xt, 0, 1e-12, "%s: a constant layer knows nothing", e->name);
  NEAR(apply(e, false, 1, 1).i_ty, 0, 1e-12, "%s: one class leaves nothing", e->name);
}

static void contract(void **state)
{
  size_t row = 0;

  (void)state;
  for (; ip_estimator_row(row); row++) {
    assert_string_equal(ip_estimator_name(row), ip_estimator_row(row)->name);
    promises(ip_estimator_row(row));
  }
  assert_true(row >= 2);
  assert_null(ip_estimator_name(row));
}

/* Several columns in one call are what each is alone. */
static void columns_are_alone(void **state)
{
  const ip_column made[3] = {binning(30), binning_width(0.07), binning(5)}, *const list[3] = {
                                                                                &made[0],
                                                                                &made[1],
                                                                                &made[2]};
  const ip_column noise[3] = {kde("lower", 0.1, NULL), kde("upper", 1e-3, NULL),
                              kde("upper", 0.1, NULL)},
                  *const noises[3] = {&noise[0], &noise[1], &noise[2]};
  made_layer layer = layer_random(500, 3, 2, 7);
  ip_workspace *work = NULL;
  ip_information out[3];

  (void)state;
  OK(ip_workspace_create(&work));
  OK(ip_estimate(&layer.view, 3, list, work, out));
  for (int c = 0; c < 3; c++)
    same_information(out[c], measured(&layer, made[c]), 0, made[c].name);
  OK(ip_estimate(&layer.view, 3, noises, work, out));
  for (int c = 0; c < 3; c++)
    same_information(out[c], measured(&layer, noise[c]), 0, noise[c].name);
  ip_workspace_destroy(&work);
  layer_free(&layer);
}

/* Entropy of the cells' counts, bits. */
static double entropy_of_cells(size_t n, size_t n_cells, const uint32_t cell[])
{
  uint32_t *count = NULL;

  OK(IP_ALLOCATE(n_cells, &count));
  for (size_t i = 0; i < n; i++) {
    assert_true(cell[i] < n_cells);
    count[cell[i]]++;
  }
  for (size_t t = 0; t < n_cells; t++) assert_true(count[t] > 0);

  const double h = ip_entropy_counts(n_cells, count);

  ip_release(&count);
  return h;
}

/* Who has cells gives those whose entropy is its H(T); who has none says so. */
static void cells_are_those_measured(void **state)
{
  enum { MADE = 500 };
  const ip_column column[3] = {binning(30), binning_width(0.07),
                               binning_word(5, "range", "snapshot")},
                  noise = kde("upper", 0.1, NULL);
  made_layer layer = layer_random(MADE, 3, 2, 7);
  ip_workspace *work = NULL;
  uint32_t cell[MADE];
  size_t n_cells = 0;

  (void)state;
  OK(ip_workspace_create(&work));
  for (int c = 0; c < 3; c++) {
    OK(ip_estimate_cells(&layer.view, &column[c], work, &n_cells, cell));
    NEAR(entropy_of_cells(MADE, n_cells, cell), measured(&layer, column[c]).h_t, 1e-12,
         "H(T) of column %d", c);
  }
  FAILS(ip_estimate_cells(&layer.view, &noise, work, &n_cells, cell), IP_ERR_CONFIG,
        "has no cells");
  ip_workspace_destroy(&work);
  layer_free(&layer);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(contract),
      cmocka_unit_test(columns_are_alone),
      cmocka_unit_test(cells_are_those_measured),
  };

  return RUN_TESTS(tests);
}
