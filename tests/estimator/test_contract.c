/* What every estimator promises, asked of every row of the table. */

#include "layers.h"

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

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(contract),
      cmocka_unit_test(columns_are_alone),
  };

  return RUN_TESTS(tests);
}
