/* Initial weights: keyed, with the moments of theory; statistics of weights (acceptance 19). */

#include "fixture.h"

/* ---- initial weights --------------------------------------------------------------------- */

/* sigma of the layer and what it leaves of the variance: truncated at two sigmas 0.7737413,
   uniform in +-1: 1/3.  Largest value: 2 sigmas, 1. */
static void moments(void **state)
{
  static const struct {
    ip_init init;
    double scale, variance, largest;
    bool biased;
  } known[] = {
      {IP_INIT_FAN_IN,  0.05,       0.7737413, 2, false}, /* 1 / sqrt(400) */
      {IP_INIT_FAN_OUT, 0.09128709, 0.7737413, 2, false}, /* 1 / sqrt(120) */
      {IP_INIT_UNIFORM, 0.05,       1 / 3.0,   1, true },
  };
  const ip_network_shape shape = {
      .layers = 2, .width = (const int32_t[]){400, 120, 2}
  };
  ip_network *network;
  const float *w;

  (void)state;
  OK(ip_network_create(&shape, &network));
  w = ip_network_parameters(network);
  for (size_t i = 0; i < COUNT(known); i++) {
    const size_t n = 48000; /* 400 x 120 */
    double sum = 0, squares = 0, largest = 0, biases = 0;

    ip_network_initialize(network, known[i].init, 42, 1);
    for (size_t j = 0; j < n; j++) {
      const double z = (double)w[j] / known[i].scale;

      sum += z, squares += z * z;
      largest = fmax(largest, fabs(z));
    }
    for (size_t j = n; j < n + 120; j++) biases = fmax(biases, fabs((double)w[j]));
    NEAR(sum / (double)n, 0, 0.016, "%s: mean", ip_init_name(i)); /* four standard errors */
    NEAR(squares / (double)n, known[i].variance, 0.015, "%s: variance", ip_init_name(i));
    NEAR(largest, known[i].largest, 0.005, "%s: largest", ip_init_name(i));
    assert_true(largest <= known[i].largest + 1e-6);
    if (known[i].biased)
      assert_true(biases > 0.8 * known[i].scale && biases <= known[i].scale);
    else
      assert_true(biases == 0);
  }
  ip_network_destroy(&network);
}

/* The same weight for (layer, unit, input) in a deeper and wider network of the same fan-in. */
static void weights_are_paired(void **state)
{
  const ip_network_shape small = {
      .layers = 2, .width = (const int32_t[]){6, 6, 2}
  };
  const ip_network_shape large = {
      .layers = 3, .width = (const int32_t[]){6, 9, 4, 2}
  };
  ip_network *a, *b;

  (void)state;
  OK(ip_network_create(&small, &a));
  OK(ip_network_create(&large, &b));
  for (ip_init init = IP_INIT_FAN_IN; init <= IP_INIT_UNIFORM; init++) {
    ip_network_initialize(a, init, 9, 3);
    ip_network_initialize(b, init, 9, 3);
    if (init != IP_INIT_FAN_OUT)
      assert_memory_equal(ip_network_parameters(a), ip_network_parameters(b),
                          36 * sizeof(float));
  }
  /* Uniform: biases too, and layer 2 differs from layer 1, replicate from replicate. */
  assert_memory_equal(ip_network_parameters(a) + 36, ip_network_parameters(b) + 54,
                      6 * sizeof(float));
  assert_true(ip_network_parameters(a)[0] != ip_network_parameters(a)[ip_network_offset(a, 2)]);
  ip_network_initialize(b, IP_INIT_UNIFORM, 9, 4);
  assert_true(ip_network_parameters(a)[0] != ip_network_parameters(b)[0]);
  ip_network_destroy(&a);
  ip_network_destroy(&b);
}

/* ---- statistics -------------------------------------------------------------------------- */

/* Two numbers from the standard normal distribution (Box and Muller). */
static double normal(uint64_t counter)
{
  const double u = 0.5 * (draw(5, 2 * counter) + 1), v = draw(5, 2 * counter + 1);

  return sqrt(-2 * log(u)) * cos(3.14159265358979 * v);
}

/* Pearson's r of two rows, as it is defined. */
static double pearson(size_t n, const float a[], const float b[])
{
  double mean_a = 0, mean_b = 0, ab = 0, aa = 0, bb = 0;

  for (size_t i = 0; i < n; i++)
    mean_a += (double)a[i] / (double)n, mean_b += (double)b[i] / (double)n;
  for (size_t i = 0; i < n; i++) {
    const double x = (double)a[i] - mean_a, y = (double)b[i] - mean_b;

    ab += x * y, aa += x * x, bb += y * y;
  }
  return ab / sqrt(aa * bb);
}

/* sqrt(N) Gamma((N-1)/2) / (sqrt(pi) Gamma(N/2)), and the mean over pairs by its definition. */
static void random_weights_correlate_by_chance(void **state)
{
  static const struct {
    int32_t inputs;
    double expected;
  } known[] = {
      {3,   1.103},
      {5,   0.949},
      {10,  0.865},
      {401, 0.799},
  };

  (void)state;
  for (size_t i = 0; i < COUNT(known); i++) {
    const ip_network_shape shape = {
        .layers = 1, .width = (const int32_t[]){known[i].inputs, 150}
    };
    ip_network *network;
    const size_t inputs = (size_t)known[i].inputs;
    double norm, correlation, squares = 0, sum = 0;
    const float *w;

    OK(ip_network_create(&shape, &network));
    for (size_t j = 0; j < inputs * 150; j++) {
      ip_network_parameters(network)[j] = (float)normal(j) + 3; /* a mean, which is no matter */
      squares += pow((double)ip_network_parameters(network)[j], 2);
    }
    w = ip_network_parameters(network);
    for (size_t u = 0; u < 150; u++)
      for (size_t v = 0; v < u; v++)
        sum += fabs(pearson(inputs, w + u * inputs, w + v * inputs));
    ip_network_weight_statistics(network, 1, &norm, &correlation);
    NEAR(correlation * sqrt((double)inputs), known[i].expected, 0.03, "%zu inputs", inputs);
    NEAR(correlation, sum / 11175, 1e-12, "%zu inputs: the 11175 pairs", inputs);
    NEAR(norm, sqrt(squares), 1e-9, "norm");
    ip_network_destroy(&network);
  }
}

/* Rows (1, 2, 3), (-2, -4, -6), (7, 7, 7), (1, 0, 1): correlation -1 of the first two, 0 of each
   with the last, the constant row left out, and so it is with a NaN in it. */
static void correlation_by_hand(void **state)
{
  const ip_network_shape shape = {
      .layers = 2, .width = (const int32_t[]){3, 4, 1},
            .output = IP_OUTPUT_SIGMOID
  };
  const float w[] = {1, 2, 3, -2, -4, -6, 7, 7, 7, 1, 0, 1};
  ip_network *network;
  double norm, correlation;

  (void)state;
  OK(ip_network_create(&shape, &network));
  memcpy(ip_network_parameters(network), w, sizeof w);
  ip_network_weight_statistics(network, 1, &norm, &correlation);
  NEAR(correlation, 1 / 3.0, 1e-12, "correlation");
  NEAR(norm, sqrt(14 + 56 + 147 + 2), 1e-12, "norm");
  ip_network_parameters(network)[7] = NAN;
  ip_network_weight_statistics(network, 1, &norm, &correlation);
  NEAR(correlation, 1 / 3.0, 1e-12, "correlation beside a NaN");
  assert_true(isnan(norm));
  ip_network_weight_statistics(network, 2, &norm, &correlation);
  assert_true(isnan(correlation) && norm == 0);
  ip_network_destroy(&network);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(moments),
      cmocka_unit_test(weights_are_paired),
      cmocka_unit_test(random_weights_correlate_by_chance),
      cmocka_unit_test(correlation_by_hand),
  };

  return RUN_TESTS(tests);
}
