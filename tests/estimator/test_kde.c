/* Pairwise-distance bounds: known numbers, what always holds, and the fast form against the slow. */

#include "layers.h"

static void two_points(void **state)
{
  made_layer layer = layer_new(2, 1, 1);

  (void)state;
  unit_of(&layer, 0)[0] = -1, unit_of(&layer, 0)[1] = 1;
  expect(&layer, kde("upper", 1, NULL), 0.816882, 0, 1e-6);
  expect(&layer, kde("lower", 1, NULL), 0.316051, 0, 1e-6);
  expect(&layer, kde("upper", 0.1, NULL), 1, 0, 1e-6);
  expect(&layer, kde("lower", 0.1, NULL), 0.990312, 0, 1e-6);
  /* differential entropy at s = 1: M + 1/2 log2(2 pi e), and that is 2.0470956 */
  NEAR(measured(&layer, kde("upper", 1, NULL)).h_t, 0.816882 + 2.0470956, 2e-6, "h_t");
  layer_free(&layer);
}

/* The kernel at many distances: M = -log2((1 + e) / 2), to what single precision can tell. */
static void two_points_at_any_distance(void **state)
{
  static const char *const bound[2] = {"upper", "lower"};
  made_layer layer = layer_new(2, 1, 1);

  (void)state;
  for (int g = 0; g <= 1500; g++)
    for (int b = 0; b < 2; b++) {
      const double gap = 0.003 * g, c = b == 0 ? 2 : 8;

      unit_of(&layer, 0)[0] = (float)gap;

      const double exact = (double)unit_of(&layer, 0)[0],
                   want = 1 - log2(1 + exp(-exact * exact / (c * 0.37)));

      NEAR(measured(&layer, kde(bound[b], 0.37, NULL)).i_xt, want, 2e-7, "%s, gap %g", bound[b],
           gap);
    }
  layer_free(&layer);
}

static void inputs_themselves(void **state)
{
  made_layer x = layer_of_inputs();

  (void)state;
  expect(&x, kde("upper", 1e-3, NULL), 12, 0.999157, 1e-6);
  expect(&x, kde("lower", 1e-3, NULL), 12, 0.999157, 1e-6);
  expect(&x, kde("upper", 0.1, NULL), 11.883742, 0.974375, 1e-6);
  expect(&x, kde("lower", 0.1, NULL), 7.638518, 0.427058, 1e-6);

  layer_weigh_by_rule(&x, 54.492);
  expect(&x, kde("upper", 1e-3, NULL), 12, 0.990000, 1e-6);
  expect(&x, kde("upper", 0.1, NULL), 11.883742, 0.967232, 1e-6);
  layer_free(&x);
}

static void limits(void **state)
{
  made_layer points = layer_new(3, 1, 1), same = layer_new(100, 4, 2);

  (void)state;
  unit_of(&points, 0)[2] = 1;
  NEAR(measured(&points, kde("upper", 1e-6, NULL)).i_xt, 0.918296, 1e-6, "{0, 0, 1}");
  NEAR(measured(&points, kde("lower", 1e-6, NULL)).i_xt, 0.918296, 1e-6, "{0, 0, 1}");
  for (size_t i = 0; i < 100; i++) {
    for (size_t u = 0; u < 4; u++) unit_of(&same, u)[i] = 0.1F * (float)(u + 1);
    same.y[i] = i % 3 == 0;
  }
  const ip_information i = measured(&same, kde("upper", 1e-3, NULL));

  NEAR(i.i_xt, 0, 1e-12, "identical points");
  NEAR(i.i_ty, 0, 1e-12, "identical points");

  const ip_information none = measured(&same, kde("upper", 1e-3, "layer"));

  assert_true(none.i_xt == 0 && none.i_ty == 0 && isnan(none.h_t));
  layer_free(&points), layer_free(&same);
}

static void ordered(void **state)
{
  static const double variance[6] = {1e-6, 1e-4, 1e-3, 1e-2, 0.1, 1};

  (void)state;
  for (uint32_t r = 0; r < 4; r++) {
    made_layer layer = layer_random(300, 1 + 2 * r, 2, r);
    double upper = INFINITY, lower = INFINITY;

    for (int v = 0; v < 6; v++) {
      const double high = measured(&layer, kde("upper", variance[v], NULL)).i_xt,
                   low = measured(&layer, kde("lower", variance[v], NULL)).i_xt;

      assert_true(low <= high + 1e-6 && high <= upper + 1e-6 && low <= lower + 1e-6);
      assert_true(low >= -1e-6 && high <= log2(300) + 1e-6);
      upper = high, lower = low;
    }
    layer_free(&layer);
  }
}

/* The same two numbers; h_t has another dimension. */
static void same_plane(ip_information a, ip_information b)
{
  NEAR(a.i_xt, b.i_xt, 1e-6, "I(X;T)");
  NEAR(a.i_ty, b.i_ty, 1e-6, "I(T;Y)");
}

/* (t, 1 - t) has twice the squared distances of t alone. */
static void softmax_is_its_first_unit(void **state)
{
  enum { N = 777 };
  made_layer two = layer_new(N, 2, 2), one = layer_new(N, 1, 2);

  (void)state;
  for (size_t i = 0; i < N; i++) {
    const float t = 1.0F / 1024 * (float)(int)(1024 * uniform(9, i)); /* 1 - t is exact */

    unit_of(&two, 0)[i] = unit_of(&one, 0)[i] = t;
    unit_of(&two, 1)[i] = 1 - t;
    two.y[i] = one.y[i] = uniform(10, i) < 0.4 * (double)t;
  }
  same_plane(measured(&two, kde("upper", 0.02, NULL)),
             measured(&one, kde("upper", 0.01, NULL)));
  same_plane(measured(&two, kde("lower", 0.02, NULL)),
             measured(&one, kde("lower", 0.01, NULL)));
  layer_free(&two), layer_free(&one);
}

/* Units of variances 1 and 3 (mean 2): noise 0.05 of the layer is 0.1. */
static void noise_of_the_layer(void **state)
{
  made_layer layer = layer_new(4, 2, 2);
  const float a = 1, b = (float)sqrt(3);

  (void)state;
  for (size_t i = 0; i < 4; i++) {
    unit_of(&layer, 0)[i] = 5 + (i % 2 ? a : -a);
    unit_of(&layer, 1)[i] = i / 2 ? b : -b;
    layer.y[i] = i == 0;
  }
  same_information(measured(&layer, kde("lower", 0.05, "layer")),
                   measured(&layer, kde("lower", 0.1, NULL)), 1e-6, "0.05 x 2 = 0.1");
  layer_free(&layer);
}

/* ---- the fast form against the slow ---- */

static const char *const isa_name[3] = {"baseline", "avx2", "avx512"};

/* Every column in one call, on every width: the same bits, and near the reference. */
static void compare(made_layer *layer, const double variance[2])
{
  const ip_column made[6] = {kde("upper", variance[0], NULL), kde("lower", variance[0], NULL),
                             kde("upper", variance[1], NULL), kde("lower", variance[1], NULL),
                             kde("upper", 0.1, "layer"),      kde("lower", 0.1, "layer")};
  const ip_column *const list[6] = {&made[0], &made[1], &made[2], &made[3], &made[4], &made[5]};
  ip_information out[3][6];
  ip_workspace *work = NULL;

  memset(out, 0, sizeof out);
  OK(ip_workspace_create(&work));
  for (int isa = 0; isa < 3; isa++) {
    setenv("INFOPLANE_ISA", isa_name[isa], 1);
    OK(ip_estimate(&layer->view, 6, list, work, out[isa]));
    assert_memory_equal(out[isa], out[0], sizeof out[0]);
  }
  unsetenv("INFOPLANE_ISA");
  ip_workspace_destroy(&work);
  for (int c = 0; c < 6; c++) {
    char what[128];

    snprintf(what, sizeof what, "%s, n = %zu, d = %zu, k = %d%s", made[c].name, layer->view.n,
             layer->view.d, layer->view.k, layer->p ? ", p" : "");
    same_information(out[0][c], by_reference(layer, made[c]), 1e-6, what);
  }
}

static void against_reference(void **state)
{
  static const size_t d[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 20, 64, 300};
  static const int32_t k[3] = {2, 3, 10};

  (void)state;
  for (size_t s = 0; s < sizeof d / sizeof d[0]; s++) {
    made_layer layer = layer_random(s == 3 ? 281 : 90 + 7 * s, d[s], k[s % 3], (uint32_t)s);
    const double variance[2] = {1e-3 * (double)d[s], 0.03 * (double)d[s]};

    compare(&layer, variance);
    layer_doubt(&layer);
    if (s % 3 == 0 || layer.view.k == 3) compare(&layer, variance);
    layer_free(&layer);
  }
}

/* Sizes around vectors, strips and blocks; classes that are missing. */
static void odd_sizes(void **state)
{
  static const size_t n[] = {1, 2, 3, 4, 5, 15, 16, 17, 255, 256, 257, 530};
  static const double variance[2] = {1e-3, 0.1};

  (void)state;
  for (size_t s = 0; s < sizeof n / sizeof n[0]; s++) {
    made_layer layer = layer_random(n[s], 3, 2, (uint32_t)s);

    layer.view.k = 5;
    compare(&layer, variance);
    layer_free(&layer);
  }
}

/* Layers far from one in size: scaled by a power of two, nothing overflows or vanishes. */
static void large_and_small(void **state)
{
  static const float factor[4] = {1e-20F, 1e-3F, 1e8F, 1e36F};
  static const double variance[4][2] = {
      {1e-12, 1   },
      {1e-12, 1e-7},
      {1e12,  1   },
      {1e12,  1   }
  };

  (void)state;
  for (int f = 0; f < 4; f++) {
    made_layer layer = layer_random(60, 3, 2, 1);

    for (size_t i = 0; i < 3 * layer.view.stride; i++) layer.t[i] *= factor[f];
    compare(&layer, variance[f]);
    layer_free(&layer);
  }
}

/* p(y|x) of zeros and ones is the certain label. */
static void certain_weights(void **state)
{
  made_layer layer = layer_random(400, 4, 3, 2);
  const ip_information want = measured(&layer, kde("lower", 0.01, NULL));

  (void)state;
  layer_weigh(&layer);
  for (size_t i = 0; i < 400; i++) layer.p[i * 3 + (size_t)layer.y[i]] = 1;
  same_information(measured(&layer, kde("lower", 0.01, NULL)), want, 1e-6, "p is 0 or 1");
  layer_free(&layer);
}

/* Labels far apart: classes without samples cost nothing, where all pairs of them would take long. */
static void empty_classes(void **state)
{
  made_layer layer = layer_new(2, 1, 50000);

  (void)state;
  unit_of(&layer, 0)[0] = -1, unit_of(&layer, 0)[1] = 1;
  layer.y[1] = 49999;
  for (int i = 0; i < 20; i++) {
    const ip_information got = measured(&layer, kde("upper", 1, NULL));

    NEAR(got.i_xt, 0.816882, 1e-6, "I(X;T)");
    NEAR(got.i_ty, 0.816882, 1e-6, "every class is one point");
  }
  layer_free(&layer);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(two_points),
      cmocka_unit_test(two_points_at_any_distance),
      cmocka_unit_test(inputs_themselves),
      cmocka_unit_test(limits),
      cmocka_unit_test(ordered),
      cmocka_unit_test(softmax_is_its_first_unit),
      cmocka_unit_test(noise_of_the_layer),
      cmocka_unit_test(against_reference),
      cmocka_unit_test(odd_sizes),
      cmocka_unit_test(large_and_small),
      cmocka_unit_test(certain_weights),
      cmocka_unit_test(empty_classes),
  };

  return RUN_TESTS(tests);
}
