/* Training one run: what is recorded, against theory, published numbers and a second way. */

#include "study.h"

static ip_record *train(const study *s, size_t run)
{
  ip_record *record = NULL;
  bool stopped = true;

  OK(ip_record_create(s->plan, &record));
  OK(ip_run_train(s->plan, run, NULL, record, &stopped));
  assert_false(stopped);
  return record;
}

static double cell(const ip_record *r, ip_field_index field, size_t column, size_t e,
                   size_t layer)
{
  const ip_plan *p = r->plan;

  return (
      (const double *)r->array[field])[(column * p->n_epochs + e) * p->n_layers + layer - 1];
}

/* Sanitizers slow kernels down a hundredfold; the error bars know how many replicates there are. */
#if defined __SANITIZE_ADDRESS__
#define REPEAT "6"
enum { REPLICATES = 6 };
#else
#define REPEAT "50"
enum { REPLICATES = 50 };
#endif

/* Untrained networks 10-7-5-4-3-2 with fan_in: means over 50 replicates, bits.  Numbers made
   outside the project; within 5 standard errors. */
static void start_of_training(void **state)
{
  static const double bin[6] = {12.00, 11.997, 11.58, 9.3, 6.4, 1.05},
                      bin_sd[6] = {0.0005, .004, .35, 1.0, 1.0, .75},
                      kde[6] = {12, 11.99, 11.13, 8.4, 5.65, 1.2},
                      kde_sd[6] = {0.0005, .01, .5, 1.0, .9, .75};
  study s = study_of("train: {epochs: 0}\nrepeat: " REPEAT "\n"
                     "estimate: [{kind: binning, bins: 30}, {kind: kde, noise_variance: 1e-3, "
                     "bound: upper}]\n");
  double mean[2][6] = {{0}};

  (void)state;
  assert_int_equal(s.plan->n_runs, REPLICATES);
  for (size_t r = 0; r < REPLICATES; r++) {
    ip_record *record = train(&s, r);

    for (size_t c = 0; c < 2; c++)
      for (size_t l = 1; l <= 6; l++)
        mean[c][l - 1] += cell(record, IP_FIELD_i_xt, c, 0, l) / REPLICATES;
    ip_record_destroy(&record);
  }
  for (size_t l = 0; l < 6; l++) {
    /* Published means have two or three digits: half a unit of the last beside the error. */
    NEAR(mean[0][l], bin[l], 5 * bin_sd[l] / sqrt(REPLICATES) + 0.005, "bin30, layer %zu",
         l + 1);
    NEAR(mean[1][l], kde[l], 5 * kde_sd[l] / sqrt(REPLICATES) + 0.005, "kde upper, layer %zu",
         l + 1);
  }
  study_clear(&s);
}

static const char small[] =
    "network: {hidden: [6, 4]}\n"
    "train: {fraction: 50%, epochs: 6, batch: 128, learning_rate: 0.01}\n"
    "look: [0, 3]\n"
    "estimate:\n"
    "  - {kind: binning, bins: 30}\n"
    "  - {kind: binning, bins: 30, on: [train, test]}\n"
    "  - {kind: binning, bins: 30, range: run}\n"
    "  - {kind: kde, noise_variance: 0.1, bound: upper}\n";

static bool is_beta(size_t field)
{
  return strncmp(ip_field_row(field)->name, "beta_", 5) == 0;
}

/* Cells of the binning columns have a best beta where labels are drawn, at the last look. */
static void drawn_labels_have_a_beta(void **state)
{
  study s = study_of("dataset: {labels: stochastic}\nnetwork: {hidden: [6, 4]}\n"
                     "train: {epochs: 2}\nlook: [1]\n"
                     "estimate:\n"
                     "  - {kind: binning, bins: 30, on: [full, train]}\n"
                     "  - {kind: binning, bins: 30, range: run}\n"
                     "  - {kind: kde, noise_variance: 0.1, bound: upper}\n");
  ip_record *r = train(&s, 0);
  const double *best = r->array[IP_FIELD_beta_best], *low = r->array[IP_FIELD_beta_low],
               *high = r->array[IP_FIELD_beta_high], *misfit = r->array[IP_FIELD_beta_misfit];
  const int8_t *edge = r->array[IP_FIELD_beta_edge];

  (void)state;
  for (size_t c = 0; c < 3; c++)
    for (size_t l = 0; l < 3; l++) {
      const size_t i = c * 3 + l;

      assert_true(IP_BETA_LOWEST <= low[i] && low[i] <= best[i] && best[i] <= high[i] &&
                  high[i] <= IP_BETA_HIGHEST);
      assert_true(misfit[i] >= 0 && misfit[i] < 12);
      assert_in_range(edge[i], IP_EDGE_NONE, IP_EDGE_HIGH);
    }
  for (size_t i = 9; i < 12; i++) assert_true(isnan(best[i]) && edge[i] == -1);
  ip_record_destroy(&r);
  study_clear(&s);
}

static void rows_and_clocks(void **state)
{
  study s = study_of(small);
  ip_record *r = train(&s, 0);
  const int64_t *updates = r->array[IP_FIELD_updates];
  const double *loss = r->array[IP_FIELD_loss_train];

  (void)state;
  assert_int_equal(s.plan->n_epochs, 3); /* 0, 3, 6 */
  assert_int_equal(updates[0], 0);
  assert_int_equal(updates[1], 3 * 16);
  assert_int_equal(updates[2], 6 * 16);
  assert_true(loss[2] < loss[0]);
  assert_int_equal(r->status, IP_STATUS_DONE);
  assert_int_equal(((int32_t *)r->array[IP_FIELD_diverged_epoch])[0], -1);
  assert_int_equal(((int32_t *)r->array[IP_FIELD_train_test_overlap])[0], 0);
  /* Two hidden layers and the output: no empty cell; certain labels have no beta. */
  for (size_t f = 0; f < IP_FIELDS; f++)
    for (size_t i = 0; ip_field_row(f)->type == IP_FLOAT64 && i < ip_field_length(s.plan, f);
         i++)
      if (isnan(((double *)r->array[f])[i]) != is_beta(f))
        fail_msg("%s: cell %zu is %g", ip_field_row(f)->name, i, ((double *)r->array[f])[i]);
  ip_record_destroy(&r);
  study_clear(&s);
}

static void entropies_by_part(void **state)
{
  study s = study_of(small);
  ip_record *r = train(&s, 0);
  const double *h_x = r->array[IP_FIELD_h_x], *h_y = r->array[IP_FIELD_h_y],
               *i_xy = r->array[IP_FIELD_i_xy];

  (void)state;
  assert_string_equal(s.plan->column[1].name, "bin30_train");
  assert_string_equal(s.plan->column[2].name, "bin30_test");
  NEAR(h_x[0], 12, 1e-12, "H(X) of all");
  NEAR(h_x[1], 11, 1e-12, "H(X) of the 2048 training patterns");
  NEAR(h_x[2], 11, 1e-12, "H(X) of the 2048 test patterns");
  NEAR(h_y[0], 0.999157120850, 1e-9, "H(Y)");
  NEAR(i_xy[0], h_y[0], 1e-12, "certain labels: I(X;Y) = H(Y)");
  for (size_t e = 0; e < 3; e++)
    for (size_t l = 1; l <= 3; l++)
      for (size_t c = 0; c < 4; c++) {
        assert_true(cell(r, IP_FIELD_i_xt, c, e, l) <= h_x[c] + 1e-12);
        assert_true(cell(r, IP_FIELD_i_ty, c, e, l) <= i_xy[c] + 1e-12);
      }
  ip_record_destroy(&r);
  study_clear(&s);
}

/* The range of the run is the widest of the ranges of its looks. */
static void range_of_the_run(void **state)
{
  study s = study_of("network: {hidden: [6, 4], activation: relu}\n"
                     "train: {epochs: 6, learning_rate: 0.01}\nlook: [0, 3]\n"
                     "estimate: [{kind: binning, bins: 30, range: [snapshot, run]}]\n");
  ip_record *r = train(&s, 0);
  const float *low = r->array[IP_FIELD_bin_low], *high = r->array[IP_FIELD_bin_high];

  (void)state;
  for (size_t l = 0; l < 3; l++) {
    float least = INFINITY, most = -INFINITY;

    for (size_t e = 0; e < 3; e++) {
      least = fminf(least, low[e * 3 + l]);
      most = fmaxf(most, high[e * 3 + l]);
    }
    for (size_t e = 0; e < 3; e++) {
      assert_true(low[(3 + e) * 3 + l] == least);
      assert_true(high[(3 + e) * 3 + l] == most);
    }
  }
  ip_record_destroy(&r);
  study_clear(&s);
}

static void saved_weights_are_those_of_the_look(void **state)
{
  study s = study_of("network: {hidden: [5]}\ntrain: {epochs: 2}\nlook: [1]\n"
                     "save: {weights: looked}\nestimate: [{kind: binning, bins: 30}]\n");
  ip_record *r = train(&s, 0);
  const float *weights = r->array[IP_FIELD_weights];
  const double *norm = r->array[IP_FIELD_weight_norm];
  const size_t n = 77U; /* 12 x 5 + 5 and 5 x 2 + 2 */

  (void)state;
  assert_int_equal(ip_field_length(s.plan, IP_FIELD_weights), 3 * n);
  for (size_t e = 0; e < 3; e++) {
    double squares = 0;

    for (size_t i = 0; i < 60; i++)
      squares += (double)weights[e * n + i] * (double)weights[e * n + i];
    NEAR(norm[e * 2], sqrt(squares), 1e-6, "norm of layer 1 at look %zu", e);
  }
  ip_record_destroy(&r);
  study_clear(&s);
}

static void a_diverged_run_says_when(void **state)
{
  study s =
      study_of("network: {hidden: [20, 20], activation: relu}\n"
               "train: {optimizer: sgd, learning_rate: 1e6, epochs: 50}\n"
               "look: [0]\nestimate: [{kind: binning, bins: 30, range: [snapshot, run]}]\n");
  ip_record *r = train(&s, 0);
  const int32_t epoch = ((int32_t *)r->array[IP_FIELD_diverged_epoch])[0];

  (void)state;
  assert_int_equal(r->status, IP_STATUS_DIVERGED);
  assert_true(epoch >= 1 && epoch <= 50);
  for (size_t column = 0; column < 2; column++) { /* what was seen before stays, twice over */
    assert_true(isfinite(cell(r, IP_FIELD_i_xt, column, 0, 1)) != 0);
    assert_true(isnan(cell(r, IP_FIELD_i_xt, column, 1, 1)) != 0);
  }
  ip_record_destroy(&r);
  study_clear(&s);
}

/* Full-batch gradient statistics need nothing of the batch that trains. */
static void gradients_do_not_depend_on_the_batch(void **state)
{
  study s = study_of("network: {hidden: [5]}\n"
                     "train: {epochs: 0, batch: [full, 32]}\n"
                     "estimate: [{kind: binning, bins: 30}]\n");
  ip_record *a = train(&s, 0), *b = train(&s, 1);

  (void)state;
  assert_memory_equal(a->array[IP_FIELD_gradient_std_norm],
                      b->array[IP_FIELD_gradient_std_norm], 2 * sizeof(double));
  assert_true(((double *)a->array[IP_FIELD_gradient_std_norm])[0] > 0);
  ip_record_destroy(&a);
  ip_record_destroy(&b);
  study_clear(&s);
}

static PetscErrorCode stop_at_half(void *context, double progress, bool *stop)
{
  (void)context;
  *stop = progress > 0.5;
  return PETSC_SUCCESS;
}

static void a_stop_gives_the_run_up(void **state)
{
  study s = study_of(small);
  ip_record *r = NULL;
  bool stopped = false;

  (void)state;
  OK(ip_record_create(s.plan, &r));
  OK(ip_run_train(s.plan, 0, &(ip_company){.pause = stop_at_half}, r, &stopped));
  assert_true(stopped);
  ip_record_destroy(&r);
  study_clear(&s);
}

/* Same replicate, same bits, whatever else the grid holds. */
static void a_run_does_not_see_the_grid(void **state)
{
  study alone = study_of("train: {fraction: 45%, epochs: 3}\nlook: [1]\n"),
        among =
            study_of("train: {fraction: [5%, 45%, 85%], epochs: 3}\nlook: [1]\nrepeat: 2\n");
  ip_record *a = train(&alone, 0), *b = train(&among, 1);

  (void)state;
  for (size_t f = 0; f < IP_FIELDS; f++) {
    const size_t bytes = ip_field_length(alone.plan, f) * ip_number_size(ip_field_row(f)->type);

    if (bytes && memcmp(a->array[f], b->array[f], bytes) != 0)
      fail_msg("%s differs", ip_field_row(f)->name);
  }
  ip_record_destroy(&a);
  ip_record_destroy(&b);
  study_clear(&alone);
  study_clear(&among);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(start_of_training),
      cmocka_unit_test(rows_and_clocks),
      cmocka_unit_test(drawn_labels_have_a_beta),
      cmocka_unit_test(entropies_by_part),
      cmocka_unit_test(range_of_the_run),
      cmocka_unit_test(saved_weights_are_those_of_the_look),
      cmocka_unit_test(a_diverged_run_says_when),
      cmocka_unit_test(gradients_do_not_depend_on_the_batch),
      cmocka_unit_test(a_stop_gives_the_run_up),
      cmocka_unit_test(a_run_does_not_see_the_grid),
  };

  return RUN_TESTS(tests);
}
