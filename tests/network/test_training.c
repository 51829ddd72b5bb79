/* Training: optimizers by hand, whole epochs against a plain trainer in double, and a run that is
   interrupted, diverges or learns. */

#include "fixture.h"

static ip_trainer *trainer_of(ip_network *network, const ip_training *training,
                              const fixture_data *data)
{
  ip_trainer *trainer;

  OK(ip_trainer_create(network, training, &data->set, &trainer));
  return trainer;
}

static void epochs(ip_trainer *trainer, uint64_t from, uint64_t to)
{
  bool finite;

  for (uint64_t e = from; e < to; e++) {
    OK(ip_trainer_epoch(trainer, e, &finite));
    assert_true(finite);
  }
}

/* ---- one parameter by hand --------------------------------------------------------------- */

/* One sigmoid unit without input: x = 0, so the bias alone moves, from 0, label 1, and its
   gradient is s(b) - 1.  learning rate 0.1, momentum 0.9, decay 0.01; b after steps 1, 2, 3 of
   PyTorch's formulas in double.

     sgd       g = s(b) - 1 + 0.01 b;  b -= 0.1 g
     momentum  v = 0.9 v + g;  b -= 0.1 v
     adam      m = 0.9 m + 0.1 g;  v = 0.999 v + 0.001 g^2;
               b -= 0.1 (m / (1 - 0.9^t)) / (sqrt(v / (1 - 0.999^t)) + 1e-8) */
static const struct {
  ip_optimizer optimizer;
  double b[3];
} by_hand[] = {
    {IP_OPTIMIZER_SGD,      {0.050000000000, 0.098700260352, 0.146136054784}},
    {IP_OPTIMIZER_MOMENTUM, {0.050000000000, 0.143700260352, 0.274300457194}},
    {IP_OPTIMIZER_ADAM,     {0.099999998000, 0.199825446258, 0.299347214004}},
};

static void steps_by_hand(void **state)
{
  const ip_network_shape shape = {
      .layers = 1, .width = (const int32_t[]){1, 1},
            .output = IP_OUTPUT_SIGMOID
  };
  fixture_data data;

  (void)state;
  data_make(1, 1, 2, &data);
  data.x[0] = 0, data.y[0] = 1;
  for (size_t i = 0; i < COUNT(by_hand); i++) {
    const ip_training training = {.optimizer = by_hand[i].optimizer,
                                  .learning_rate = 0.1,
                                  .momentum = 0.9,
                                  .weight_decay = 0.01,
                                  .batch = 1};
    ip_network *network;
    ip_trainer *trainer;

    OK(ip_network_create(&shape, &network));
    trainer = trainer_of(network, &training, &data);
    for (size_t t = 0; t < 3; t++) {
      epochs(trainer, t, t + 1);
      NEAR((double)ip_network_parameters(network)[1], by_hand[i].b[t], 1e-7, "%s, step %zu",
           ip_optimizer_name(i), t + 1);
      assert_true(ip_network_parameters(network)[0] == 0.0F);
    }
    assert_int_equal(ip_trainer_updates(trainer), 3);
    ip_trainer_destroy(&trainer);
    ip_network_destroy(&network);
  }
  data_release(&data);
}

/* ---- whole epochs against a plain trainer ------------------------------------------------ */

typedef struct {
  double *first, *second, *gradient, *x;
  int32_t *y;
  uint32_t *order;
  int updates;
} plain;

static void plain_make(size_t n, size_t d, size_t parameters, plain *p)
{
  *p = (plain){0};
  OK(IP_ALLOCATE(parameters, &p->first));
  OK(IP_ALLOCATE(parameters, &p->second));
  OK(IP_ALLOCATE(parameters, &p->gradient));
  OK(IP_ALLOCATE(n * d, &p->x));
  OK(IP_ALLOCATE(n, &p->y));
  OK(IP_ALLOCATE(n, &p->order));
}

static void plain_release(plain *p)
{
  ip_release(&p->first);
  ip_release(&p->second);
  ip_release(&p->gradient);
  ip_release(&p->x);
  ip_release(&p->y);
  ip_release(&p->order);
}

static void plain_step(const ip_training *t, size_t n, double parameter[], plain *p)
{
  p->updates++;
  for (size_t i = 0; i < n; i++) {
    const double g = p->gradient[i] + t->weight_decay * parameter[i];
    double *v = &p->first[i], *s = &p->second[i];

    if (t->optimizer == IP_OPTIMIZER_SGD) parameter[i] -= t->learning_rate * g;
    if (t->optimizer == IP_OPTIMIZER_MOMENTUM) {
      *v = t->momentum * *v + g;
      parameter[i] -= t->learning_rate * *v;
    }
    if (t->optimizer == IP_OPTIMIZER_ADAM) {
      *v = 0.9 * *v + 0.1 * g, *s = 0.999 * *s + 0.001 * g * g;
      parameter[i] -= t->learning_rate * (*v / (1 - pow(0.9, p->updates))) /
                      (sqrt(*s / (1 - pow(0.999, p->updates))) + 1e-8);
    }
  }
}

/* The epoch as the header describes it. */
static void plain_epoch(const ip_training *t, const fixture_data *data, uint64_t epoch,
                        ip_reference *r, plain *p, size_t parameters)
{
  const ip_stream stream = {t->seed, t->replicate, IP_PURPOSE_SHUFFLE};
  const size_t n = data->set.n_train, d = data->set.d;
  double loss;

  ip_stream_permutation(&stream, epoch, n, p->order);
  for (size_t at = 0; at < n; at += t->batch) {
    const size_t m = t->batch < n - at ? t->batch : n - at;

    for (size_t s = 0; s < m; s++) {
      const uint32_t pattern = data->set.train[p->order[at + s]];

      memcpy(p->x + s * d, data->wide + pattern * d, d * sizeof(double));
      p->y[s] = data->y[pattern];
    }
    OK(ip_reference_loss(r, &(ip_reference_set){m, p->x, p->y}, &loss, p->gradient, NULL));
    plain_step(t, parameters, ip_reference_parameters(r), p);
  }
}

/* 50 of 60 patterns train, in batches of 16: the last one has 2. */
static void epochs_equal_the_plain_trainer(void **state)
{
  const ip_network_shape shape = {
      .layers = 3, .width = (const int32_t[]){5, 6, 4, 3}
  };
  fixture_data data;

  (void)state;
  data_make(60, 5, 3, &data);
  data.set.n_train = 50;
  for (size_t i = 0; i < 50; i++) data.train[i] = (uint32_t)(59 - i);
  for (ip_optimizer o = IP_OPTIMIZER_SGD; o <= IP_OPTIMIZER_ADAM; o++) {
    const ip_training training = {.optimizer = o,
                                  .learning_rate = 0.02,
                                  .momentum = 0.8,
                                  .weight_decay = 0.003,
                                  .batch = 16,
                                  .seed = 5,
                                  .replicate = 2};
    ip_network *network = network_make(&shape);
    ip_reference *r = reference_of(&shape, network);
    ip_trainer *trainer = trainer_of(network, &training, &data);
    const size_t n = ip_network_n_parameters(network);
    plain p;

    plain_make(60, 5, n, &p);
    for (uint64_t e = 0; e < 3; e++) plain_epoch(&training, &data, e, r, &p, n);
    epochs(trainer, 0, 3);
    for (size_t i = 0; i < n; i++)
      NEAR((double)ip_network_parameters(network)[i], ip_reference_parameters(r)[i], 3e-6,
           "%s: parameter %zu", ip_optimizer_name(o), i);
    assert_int_equal(ip_trainer_updates(trainer), 12);
    plain_release(&p);
    ip_trainer_destroy(&trainer);
    ip_reference_destroy(&r);
    ip_network_destroy(&network);
  }
  data_release(&data);
}

/* ---- a run's life ------------------------------------------------------------------------ */

static const ip_network_shape small = {
    .layers = 3, .width = (const int32_t[]){5, 6, 4, 2}
};

static void full_batch_is_one_batch(void **state)
{
  ip_training training = {.optimizer = IP_OPTIMIZER_ADAM, .learning_rate = 0.01, .batch = 40};
  fixture_data data;
  ip_network *network[2];

  (void)state;
  data_make(40, 5, 2, &data);
  for (int i = 0; i < 2; i++) {
    ip_trainer *trainer;

    network[i] = network_make(&small);
    trainer = trainer_of(network[i], &training, &data);
    epochs(trainer, 0, 5);
    assert_int_equal(ip_trainer_updates(trainer), 5);
    ip_trainer_destroy(&trainer);
    training.batch = SIZE_MAX;
  }
  assert_memory_equal(ip_network_parameters(network[0]), ip_network_parameters(network[1]),
                      ip_network_n_parameters(network[0]) * sizeof(float));
  ip_network_destroy(&network[0]);
  ip_network_destroy(&network[1]);
  data_release(&data);
}

/* Parameters, state and updates put into fresh objects continue to the same bits. */
static void continues_to_the_same_bits(void **state)
{
  const ip_training training = {
      .optimizer = IP_OPTIMIZER_ADAM, .learning_rate = 0.01, .weight_decay = 0.01, .batch = 16};
  fixture_data data;
  ip_network *network = network_make(&small), *fresh;
  ip_trainer *trainer, *second;
  const size_t n = ip_network_n_parameters(network);
  size_t have, want;
  float *from, *to;

  (void)state;
  data_make(40, 5, 2, &data);
  trainer = trainer_of(network, &training, &data);
  OK(ip_network_create(&small, &fresh));
  second = trainer_of(fresh, &training, &data);
  epochs(trainer, 0, 5);
  memcpy(ip_network_parameters(fresh), ip_network_parameters(network), n * sizeof(float));
  to = ip_trainer_state(second, &have);
  from = ip_trainer_state(trainer, &want);
  assert_int_equal(have, want);
  memcpy(to, from, want * sizeof(float));
  ip_trainer_set_updates(second, ip_trainer_updates(trainer));
  epochs(trainer, 5, 10);
  epochs(second, 5, 10);
  assert_memory_equal(ip_network_parameters(fresh), ip_network_parameters(network),
                      n * sizeof(float));
  ip_trainer_destroy(&trainer);
  ip_trainer_destroy(&second);
  ip_network_destroy(&network);
  ip_network_destroy(&fresh);
  data_release(&data);
}

static void divergence_is_seen(void **state)
{
  const ip_network_shape shape = {
      .layers = 2,
      .width = (const int32_t[]){5, 6, 2},
      .activation = named(ip_activation_name, "linear")
  };
  const ip_training training = {.learning_rate = 1e30, .batch = 8};
  fixture_data data;
  ip_network *network = network_make(&shape);
  ip_trainer *trainer;
  bool finite = true;

  (void)state;
  data_make(40, 5, 2, &data);
  trainer = trainer_of(network, &training, &data);
  for (uint64_t e = 0; e < 5 && finite; e++) OK(ip_trainer_epoch(trainer, e, &finite));
  assert_false(finite);
  ip_trainer_destroy(&trainer);
  ip_network_destroy(&network);
  data_release(&data);
}

/* One step so large that parameters overflow, with no time yet to become NaN. */
static void infinity_is_seen(void **state)
{
  const ip_training training = {.learning_rate = 3e38, .batch = 40};
  fixture_data data;
  ip_network *network = network_make(&small);
  ip_trainer *trainer;
  bool finite = true;

  (void)state;
  data_make(40, 5, 2, &data);
  for (size_t i = 0; i < 40; i++) data.x[5 * i] = 1e4F, data.y[i] = 0;
  trainer = trainer_of(network, &training, &data);
  for (size_t i = 0; i < 30; i++) ip_network_parameters(network)[i] *= 1e-4F;
  OK(ip_trainer_epoch(trainer, 0, &finite));
  assert_false(finite);
  for (size_t i = 0; i < ip_network_n_parameters(network); i++)
    assert_true(!isnan(ip_network_parameters(network)[i]));
  ip_trainer_destroy(&trainer);
  ip_network_destroy(&network);
  data_release(&data);
}

/* Parity of two signs is no sum of parts: without its hidden layer the network could not. */
static void learns_a_rule(void **state)
{
  const ip_network_shape shape = {
      .layers = 2, .width = (const int32_t[]){2, 8, 2}
  };
  const ip_training training = {
      .optimizer = IP_OPTIMIZER_ADAM, .learning_rate = 0.02, .batch = 32};
  fixture_data data;
  ip_network *network;
  ip_trainer *trainer;
  ip_snapshot *snapshot;
  double loss, accuracy;

  (void)state;
  data_make(200, 2, 2, &data);
  for (size_t i = 0; i < 200; i++) data.y[i] = data.x[2 * i] * data.x[2 * i + 1] > 0 ? 1 : 0;
  OK(ip_network_create(&shape, &network));
  ip_network_initialize(network, IP_INIT_FAN_IN, 1, 0);
  trainer = trainer_of(network, &training, &data);
  epochs(trainer, 0, 200);
  OK(ip_snapshot_create(network, 200, &snapshot));
  OK(ip_snapshot_take(network, data.x, snapshot));
  ip_snapshot_score(snapshot, data.y, 200, data.train, &loss, &accuracy);
  assert_true(accuracy > 0.97 && loss < 0.15);
  ip_snapshot_destroy(&snapshot);
  ip_trainer_destroy(&trainer);
  ip_network_destroy(&network);
  data_release(&data);
}

static void refuses_labels_it_has_no_unit_for(void **state)
{
  const ip_training training = {.learning_rate = 0.1, .batch = 8};
  fixture_data data;
  ip_network *network = network_make(&small);
  ip_trainer *trainer;

  (void)state;
  data_make(40, 5, 2, &data);
  data.y[7] = 2;
  FAILS(ip_trainer_create(network, &training, &data.set, &trainer), IP_ERR_DATA,
        "label 2 of pattern 7");
  ip_network_destroy(&network);
  data_release(&data);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(steps_by_hand),
      cmocka_unit_test(epochs_equal_the_plain_trainer),
      cmocka_unit_test(full_batch_is_one_batch),
      cmocka_unit_test(continues_to_the_same_bits),
      cmocka_unit_test(divergence_is_seen),
      cmocka_unit_test(infinity_is_seen),
      cmocka_unit_test(learns_a_rule),
      cmocka_unit_test(refuses_labels_it_has_no_unit_for),
  };

  return RUN_TESTS(tests);
}
