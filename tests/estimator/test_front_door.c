/* ip_estimate: what is refused never reaches an estimator, and never touches the output. */

#include "layers.h"

static int calls;
static ip_information answer;

/* An estimator that only counts how often it is called. */
static PetscErrorCode spy(const ip_layer *layer, size_t n, const ip_column *const column[],
                          ip_workspace *work, ip_information out[])
{
  (void)layer, (void)column, (void)work;
  calls++;
  for (size_t c = 0; c < n; c++) out[c] = answer;
  return PETSC_SUCCESS;
}

static PetscErrorCode slow_spy(const ip_layer *layer, const ip_column *column,
                               ip_information *out)
{
  (void)layer, (void)column;
  calls++;
  *out = answer;
  return PETSC_SUCCESS;
}

static const ip_estimator e = {.name = "spy", .measure = spy, .measure_reference = slow_spy};
static const ip_column c = {.estimator = &e, .name = "spied"};

static void visit(const ip_layer *layer, PetscErrorCode want, int reached, const char *text)
{
  const ip_column *const list[1] = {&c};
  ip_workspace *work = NULL;
  ip_information out = {.i_xt = 7, .i_ty = 7};

  OK(ip_workspace_create(&work));
  calls = 0;
  if (want)
    FAILS(ip_estimate(layer, 1, list, work, &out), want, text);
  else
    OK(ip_estimate(layer, 1, list, work, &out));
  assert_int_equal(calls, reached);
  if (want) assert_true(out.i_xt == 7 && out.i_ty == 7);
  if (want) FAILS(ip_estimate_reference(layer, &c, &out), want, text);
  if (want) assert_true(out.i_xt == 7 && out.i_ty == 7);
  ip_workspace_destroy(&work);
}

static void layers_refused(void **state)
{
  made_layer made = layer_new(3, 2, 2);
  ip_layer bad;

  (void)state;
  answer = (ip_information){0};
  visit(&made.view, PETSC_SUCCESS, 1, "");
  bad = made.view, bad.n = 0;
  visit(&bad, IP_ERR_INTERNAL, 0, "an empty layer");
  bad = made.view, bad.d = 0;
  visit(&bad, IP_ERR_INTERNAL, 0, "an empty layer");
  bad = made.view, bad.k = 0;
  visit(&bad, IP_ERR_INTERNAL, 0, "0 classes");
  bad = made.view, bad.stride = 3;
  visit(&bad, IP_ERR_INTERNAL, 0, "stride 3");
  bad = made.view, bad.k = 1, made.y[1] = 1;
  visit(&bad, IP_ERR_INTERNAL, 0, "label 1 of pattern 1 is outside 0 .. 0");
  made.y[1] = -1;
  visit(&made.view, IP_ERR_INTERNAL, 0, "label -1");
  made.y[1] = 0;
  unit_of(&made, 1)[2] = NAN;
  visit(&made.view, IP_ERR_INTERNAL, 0, "pattern 2, unit 1 is nan");
  unit_of(&made, 1)[2] = -INFINITY;
  visit(&made.view, IP_ERR_INTERNAL, 0, "pattern 2, unit 1 is -inf");
  layer_free(&made);
}

static void weights_refused(void **state)
{
  made_layer made = layer_new(2, 1, 2);

  (void)state;
  answer = (ip_information){0};
  layer_weigh(&made);
  for (int i = 0; i < 4; i++) made.p[i] = 0.5;
  made.y[0] = 99; /* not read where p is given */
  visit(&made.view, PETSC_SUCCESS, 1, "");
  made.p[3] = 0.6;
  visit(&made.view, IP_ERR_INTERNAL, 0, "p(y|x) of pattern 1 adds up to");
  made.p[2] = 1.5, made.p[3] = -0.5;
  visit(&made.view, IP_ERR_INTERNAL, 0, "p(y=1|x) of pattern 1 is -0.5");
  made.p[2] = NAN;
  visit(&made.view, IP_ERR_INTERNAL, 0, "p(y=0|x) of pattern 1");
  layer_free(&made);
}

static void answers_refused(void **state)
{
  made_layer made = layer_new(2, 1, 1);

  (void)state;
  answer = (ip_information){.i_xt = NAN};
  visit(&made.view, IP_ERR_INTERNAL, 1, "column spied: I(X;T) = nan");
  answer = (ip_information){.i_ty = INFINITY};
  visit(&made.view, IP_ERR_INTERNAL, 1, "column spied");
  answer = (ip_information){.h_t = NAN};
  visit(&made.view, PETSC_SUCCESS, 1, "");
  layer_free(&made);
}

static void columns_refused(void **state)
{
  const ip_column other = binning(30), *const two[2] = {&other, &c};
  made_layer made = layer_new(2, 1, 1);
  ip_workspace *work = NULL;
  ip_information out[2];

  (void)state;
  OK(ip_workspace_create(&work));
  FAILS(ip_estimate(&made.view, 2, two, work, out), IP_ERR_INTERNAL, "two estimators");
  FAILS(ip_estimate(&made.view, 0, two, work, out), IP_ERR_INTERNAL, "no columns");
  ip_workspace_destroy(&work);
  layer_free(&made);
}

static void workspace(void **state)
{
  ip_workspace *work = NULL;
  void *a, *b, *again;

  (void)state;
  OK(ip_workspace_create(&work));
  OK(ip_workspace_room(work, 0, 100, &a));
  OK(ip_workspace_room(work, 1, 100, &b));
  assert_ptr_not_equal(a, b);
  assert_int_equal((uintptr_t)a % IP_ALIGNMENT, 0);
  OK(ip_workspace_room(work, 0, 50, &again));
  assert_ptr_equal(a, again);
  FAILS(ip_workspace_room(work, IP_WORKSPACE_SLOTS, 1, &a), IP_ERR_INTERNAL, "no slot");
  ip_workspace_destroy(&work);
  ip_workspace_destroy(&work);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(layers_refused),  cmocka_unit_test(weights_refused),
      cmocka_unit_test(answers_refused), cmocka_unit_test(columns_refused),
      cmocka_unit_test(workspace),
  };

  return RUN_TESTS(tests);
}
