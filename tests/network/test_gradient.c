/* Gradient statistics: acceptance 10, and a plain computation in double over the same partition. */

#include "fixture.h"

/* Zero weights, one sigmoid unit, label 1: the gradient of a sample is -x / 2.  Two samples are
   two batches of one: (2, 3) and (4, 5).  |mean| = |(3, 4)| = 5, sqrt(1 + 1). */
static void two_batches_by_hand(void **state)
{
  const ip_network_shape shape = {
      .layers = 1, .width = (const int32_t[]){2, 1},
            .output = IP_OUTPUT_SIGMOID
  };
  const float x[] = {-4, -6, -8, -10};
  const int32_t y[] = {1, 1};
  const uint32_t train[] = {0, 1};
  ip_training_set set = {.n = 2, .d = 2, .x = x, .y = y, .n_train = 2, .train = train};
  ip_network *network;
  ip_gradient g;

  (void)state;
  OK(ip_network_create(&shape, &network));
  OK(ip_network_gradients(network, &set, 256, 1, 0, &g));
  NEAR(g.mean_norm, 5, 1e-12, "mean");
  NEAR(g.std_norm, sqrt(2), 1e-12, "standard deviation");
  NEAR(g.sample_std_norm, sqrt(2), 1e-6, "of single samples");
  set.n_train = 1;
  OK(ip_network_gradients(network, &set, 256, 1, 0, &g));
  assert_true(isnan(g.mean_norm) && isnan(g.std_norm) && isnan(g.sample_std_norm));
  ip_network_destroy(&network);
}

enum { N = 45, BATCH = 10, BATCHES = 4, PARAMETERS = 64 };

/* Mean and spread of gradients over parts of `order`, of `size` samples each. */
static void plain(ip_reference *r, const fixture_data *data, const uint32_t order[],
                  size_t size, double mean[], double square[])
{
  const size_t parts = (size_t)BATCH * BATCHES / size, d = data->set.d;

  memset(mean, 0, PARAMETERS * sizeof *mean);
  memset(square, 0, PARAMETERS * sizeof *square);
  for (size_t b = 0; b < parts; b++) {
    double x[BATCH * 5], gradient[PARAMETERS] = {0}, loss;
    int32_t y[BATCH];

    for (size_t s = 0; s < size; s++) {
      const uint32_t at = order[b * size + s];

      memcpy(x + s * d, data->wide + at * d, d * sizeof *x);
      y[s] = data->y[at];
    }
    OK(ip_reference_loss(r, &(ip_reference_set){size, x, y}, &loss, gradient, NULL));
    for (size_t i = 0; i < PARAMETERS; i++) {
      mean[i] += gradient[i] / (double)parts;
      square[i] += gradient[i] * gradient[i] / (double)parts;
    }
  }
}

static void equal_a_plain_computation(void **state)
{
  const ip_network_shape shape = {
      .layers = 2, .width = (const int32_t[]){5, 6, 3}
  };
  const ip_stream stream = {.seed = 3, .replicate = 8, .purpose = IP_PURPOSE_GRADIENT};
  ip_network *network = network_make(&shape);
  ip_reference *r = reference_of(&shape, network);
  double mean[2][PARAMETERS], square[2][PARAMETERS];
  fixture_data data;
  ip_gradient g[2];
  uint32_t order[N];

  (void)state;
  assert_true(ip_network_n_parameters(network) <= PARAMETERS);
  data_make(50, 5, 3, &data);
  data.set.n_train = N;
  for (size_t i = 0; i < N; i++) data.train[i] = (uint32_t)(49 - i);
  OK(ip_network_gradients(network, &data.set, BATCH, 3, 8, g));
  ip_stream_permutation(&stream, 0, N, order);
  for (size_t i = 0; i < N; i++) order[i] = data.train[order[i]];
  plain(r, &data, order, BATCH, mean[0], square[0]);
  plain(r, &data, order, 1, mean[1], square[1]);
  for (size_t l = 1; l <= 2; l++) {
    const size_t at = ip_network_offset(network, l), end = at + (l == 1 ? 30 : 18);
    double norm = 0, spread[2] = {0};

    for (size_t i = at; i < end; i++) {
      norm += mean[0][i] * mean[0][i];
      for (int j = 0; j < 2; j++) spread[j] += square[j][i] - mean[j][i] * mean[j][i];
    }
    NEAR(g[l - 1].mean_norm, sqrt(norm), 1e-6, "layer %zu: mean", l);
    NEAR(g[l - 1].std_norm, sqrt(spread[0]), 1e-6, "layer %zu: over batches", l);
    NEAR(g[l - 1].sample_std_norm, sqrt(spread[1]), 1e-6, "layer %zu: over samples", l);
  }
  data_release(&data);
  ip_reference_destroy(&r);
  ip_network_destroy(&network);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(two_batches_by_hand),
      cmocka_unit_test(equal_a_plain_computation),
  };

  return RUN_TESTS(tests);
}
