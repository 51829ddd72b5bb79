/* A look: activations against the reference, rows padded with 0, loss and accuracy. */

#include "fixture.h"

enum { N = 300 }; /* more than one block, no multiple of 16 */

static void activations(const ip_network_shape *shape, int32_t classes)
{
  ip_network *network = network_make(shape);
  ip_reference *r = reference_of(shape, network);
  ip_snapshot *snapshot;
  fixture_data data;
  double *t[4], loss, want, accuracy;

  data_make(N, 5, classes, &data);
  for (size_t l = 0; l < shape->layers; l++)
    OK(IP_ALLOCATE(N * (size_t)shape->width[l + 1], &t[l]));
  OK(ip_reference_loss(r, &(ip_reference_set){N, data.wide, data.y}, &want, NULL, t));
  OK(ip_snapshot_create(network, N, &snapshot));
  for (int again = 0; again < 2; again++) OK(ip_snapshot_take(network, data.x, snapshot));
  assert_int_equal(ip_snapshot_stride(snapshot), 304);
  for (size_t l = 1; l <= shape->layers; l++) {
    const size_t d = (size_t)shape->width[l];
    const float *layer = ip_snapshot_layer(snapshot, l);

    for (size_t u = 0; u < d; u++) {
      for (size_t i = 0; i < N; i++)
        NEAR((double)layer[u * 304 + i], t[l - 1][i * d + u], 1e-6, "layer %zu, unit %zu", l,
             u);
      for (size_t i = N; i < 304; i++) assert_true(layer[u * 304 + i] == 0.0F);
    }
    ip_release(&t[l - 1]);
  }
  ip_snapshot_score(snapshot, data.y, N, data.train, &loss, &accuracy);
  NEAR(loss, want, 1e-6, "loss");
  ip_snapshot_destroy(&snapshot);
  data_release(&data);
  ip_reference_destroy(&r);
  ip_network_destroy(&network);
}

static void equals_the_reference(void **state)
{
  const ip_network_shape shape[] = {
      {.layers = 3, .width = (const int32_t[]){5, 6, 4, 3}, .output = IP_OUTPUT_SOFTMAX},
      {.layers = 2, .width = (const int32_t[]){5, 7, 1},    .output = IP_OUTPUT_SIGMOID},
      {.layers = 2, .width = (const int32_t[]){5, 7, 3},    .output = IP_OUTPUT_SIGMOID},
  };

  (void)state;
  for (size_t i = 0; i < COUNT(shape); i++)
    activations(&shape[i], shape[i].width[shape[i].layers] == 3 ? 3 : 2);
}

/* Logits x and 0 for one feature x: right where the sign of x tells the label.
   x = (2, -1, 0.5, -3), y = (0, 1, 1, 1): three of four right; a tie goes to the first class. */
static void score_by_hand(void **state)
{
  const ip_network_shape shape = {
      .layers = 1, .width = (const int32_t[]){1, 2}
  };
  const float x[] = {2, -1, 0.5F, -3};
  const int32_t y[] = {0, 1, 1, 1};
  const uint32_t all[] = {0, 1, 2, 3}, two[] = {2, 0};
  ip_network *network;
  ip_snapshot *snapshot;
  double loss, accuracy;

  (void)state;
  OK(ip_network_create(&shape, &network));
  ip_network_parameters(network)[0] = 1;
  OK(ip_snapshot_create(network, 4, &snapshot));
  OK(ip_snapshot_take(network, x, snapshot));
  ip_snapshot_score(snapshot, y, 4, all, &loss, &accuracy);
  NEAR(loss, (log1p(exp(-2)) + log1p(exp(-1)) + log1p(exp(0.5)) + log1p(exp(-3))) / 4, 1e-12,
       "loss");
  NEAR(accuracy, 0.75, 0, "accuracy");
  ip_snapshot_score(snapshot, y, 2, two, &loss, &accuracy);
  NEAR(loss, (log1p(exp(-2)) + log1p(exp(0.5))) / 2, 1e-12, "loss of two");
  NEAR(accuracy, 0.5, 0, "accuracy of two");
  ip_snapshot_score(snapshot, y, 0, all, &loss, &accuracy);
  assert_true(isnan(loss) && isnan(accuracy));
  ip_snapshot_destroy(&snapshot);
  ip_network_destroy(&network);
}

/* A logit of 200 against the label costs 200 nats, although the float probability is 0. */
static void loss_of_certain_mistakes(void **state)
{
  const ip_network_shape shape[] = {
      {.layers = 1,                       .width = (const int32_t[]){1, 2}},
      { .layers = 1, .width = (const int32_t[]){1, 1},      .output = IP_OUTPUT_SIGMOID},
  };
  const float x[] = {200};
  const int32_t y[2][1] = {{1}, {0}};
  const uint32_t first[] = {0};

  (void)state;
  for (size_t i = 0; i < 2; i++) {
    ip_network *network;
    ip_snapshot *snapshot;
    double loss, accuracy;

    OK(ip_network_create(&shape[i], &network));
    ip_network_parameters(network)[0] = 1;
    OK(ip_snapshot_create(network, 1, &snapshot));
    OK(ip_snapshot_take(network, x, snapshot));
    ip_snapshot_score(snapshot, y[i], 1, first, &loss, &accuracy);
    NEAR(loss, 200, 1e-12, "loss");
    NEAR(accuracy, 0, 0, "accuracy");
    ip_snapshot_destroy(&snapshot);
    ip_network_destroy(&network);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(equals_the_reference),
      cmocka_unit_test(score_by_hand),
      cmocka_unit_test(loss_of_certain_mistakes),
  };

  return RUN_TESTS(tests);
}
