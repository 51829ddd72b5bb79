/* The plan: grids, their union, replicates, and what is measured of whom. */

#include "study.h"

static const char grid[] = "network: {hidden: [[4, 3], [5]], activation: [tanh, relu]}\n"
                           "train: {fraction: [5%, 85%], epochs: 3}\n"
                           "estimate: [{kind: binning, width: 0.07}]\n"
                           "repeat: 3\n";

static void a_grid_is_spanned(void **state)
{
  study s = study_of(grid);

  (void)state;
  assert_int_equal(s.plan->n_runs, 2 * 2 * 2 * 3);
  assert_int_equal(s.plan->n_architectures, 2);
  assert_string_equal(s.plan->architecture[0].label, "12-4-3-2");
  assert_string_equal(s.plan->architecture[1].label, "12-5-2");
  assert_int_equal(s.plan->n_layers, 3);
  for (size_t r = 0; r < s.plan->n_runs; r++) {
    assert_int_equal(s.plan->run[r].replicate, r / 8);               /* slowest */
    assert_int_equal(s.plan->run[r].train_size, r % 2 ? 3482 : 205); /* fastest */
  }
  study_clear(&s);
}

static void more_replicates_append(void **state)
{
  study four = study_of("train: {fraction: [5%, 45%], epochs: 2}\nrepeat: 4\n"),
        six = study_of("train: {fraction: [5%, 45%], epochs: 2}\nrepeat: 6\n");

  (void)state;
  assert_int_equal(four.plan->n_runs, 8);
  assert_int_equal(six.plan->n_runs, 12);
  for (size_t r = 0; r < 8; r++) {
    ip_text a = {0}, b = {0};

    OK(ip_plan_identity(four.plan, r, &a));
    OK(ip_plan_identity(six.plan, r, &b));
    assert_string_equal(a.text, b.text);
    ip_text_clear(&a);
    ip_text_clear(&b);
  }
  study_clear(&four);
  study_clear(&six);
}

static const char blocks[] = "train: {fraction: 85%, epochs: 4}\n"
                             "look: [2]\n"
                             "estimate: [{kind: binning, bins: 30}]\n"
                             "repeat: 2\n"
                             "studies:\n"
                             "  - {name: one, train: {fraction: [5%, 85%]}}\n"
                             "  - {name: two, look: [3], repeat: 3,\n"
                             "     estimate: [{kind: binning, bins: 8}]}\n";

static void equal_runs_are_planned_once(void **state)
{
  study s = study_of(blocks);

  (void)state;
  /* one: 5 %, 85 % twice each; two: 85 % three times, of which two are shared. */
  assert_int_equal(s.plan->n_runs, 5);
  assert_int_equal(s.plan->n_studies, 2);

  static const int8_t in_study[5][2] = {
      {1, 0},
      {1, 1},
      {1, 0},
      {1, 1},
      {0, 1}
  };

  assert_memory_equal(s.plan->in_study, in_study, sizeof in_study);
  study_clear(&s);
}

/* 205 patterns fit into a batch of 256: the same network as with the full batch. */
static void a_batch_of_everything_is_full(void **state)
{
  study s = study_of("train: {fraction: [5%, 85%], batch: [256, full], epochs: 2}\n");

  (void)state;
  assert_int_equal(s.plan->n_runs, 3);
  assert_int_equal(s.plan->run[0].batch, 205);
  assert_int_equal(s.plan->run[0].value[IP_KEY_TRAIN_BATCH]->word, IP_BATCH_FULL);
  assert_int_equal(s.plan->run[1].batch, 256);
  assert_int_equal(s.plan->run[2].batch, 3482);
  study_clear(&s);
}

static void a_run_is_measured_for_its_own_blocks(void **state)
{
  study s = study_of(blocks);
  static const size_t looks[5] = {3, 4, 3, 4, 3}, columns[5] = {1, 2, 1, 2, 1};

  (void)state;
  assert_int_equal(s.plan->n_epochs, 4); /* 0, 2, 3, 4 */
  assert_int_equal(s.plan->n_columns, 2);
  for (size_t r = 0; r < 5; r++) {
    const ip_measure *m = &s.plan->measure[s.plan->run[r].measure];

    assert_int_equal(m->n_looks, looks[r]);
    assert_int_equal(m->n_columns, columns[r]);
    assert_int_equal(s.plan->epoch[m->look[m->n_looks - 1]], 4);
  }
  assert_string_equal(s.plan->column[s.plan->measure[s.plan->run[4].measure].column[0]].name,
                      "bin8");
  study_clear(&s);
}

static void updates_become_whole_passes(void **state)
{
  study s = study_of("train: {fraction: [5%, 85%], batch: 256, updates: 100}\n");

  (void)state;
  assert_int_equal(s.plan->run[0].epochs, 100); /* 1 batch an epoch    */
  assert_int_equal(s.plan->run[1].epochs, 8);   /* 14 batches an epoch */
  study_clear(&s);
}

static void keys_without_meaning_do_not_multiply(void **state)
{
  study s = study_of("train: {optimizer: [sgd, momentum], momentum: [0.5, 0.9], epochs: 1}\n"
                     "dataset: {labels: [deterministic, stochastic], gamma: [10, 54.492]}\n");

  (void)state;
  assert_int_equal(s.plan->n_runs, (1 + 2) * (1 + 2));
  assert_int_equal(s.data->n, 3);
  study_clear(&s);
}

static PetscErrorCode plan_fails(const char *yaml)
{
  ip_options *options = NULL;
  ip_data *data = NULL;
  ip_plan *plan = NULL;

  OK(ip_options_read("test.yaml", yaml, strlen(yaml), 0, NULL, &options));
  OK(ip_data_create(options, &data));
  OK(ip_data_load(data));

  const PetscErrorCode code = ip_plan_create(options, data, &plan);

  assert_null(plan);
  ip_data_destroy(&data);
  ip_options_destroy(&options);
  return code;
}

static void what_cannot_be_trained_is_refused(void **state)
{
  (void)state;
  FAILS(plan_fails("train: {fraction: 0.0001}\n"), IP_ERR_CONFIG, "train.fraction");
  FAILS(
      plan_fails("train: {epochs: 1}\nstudies: [{gradient_batch: 16}, {gradient_batch: 32}]\n"),
      IP_ERR_CONFIG, "gradient_batch");
}

static void replicates_that_end_early_change_the_measure(void **state)
{
  study s = study_of("train: {epochs: 4}\nestimate: [{kind: binning, bins: 30}]\n"
                     "studies: [{look: [1], repeat: 1}, {look: [2], repeat: 2}]\n");

  (void)state;
  assert_int_equal(s.plan->n_runs, 2);
  assert_int_equal(s.plan->n_measures, 2);
  assert_int_equal(s.plan->measure[s.plan->run[0].measure].n_looks, 4);
  assert_int_equal(s.plan->measure[s.plan->run[1].measure].n_looks, 3);
  study_clear(&s);
}

/* A path beside the generator is that of the other data set of the list. */
static void the_generator_has_no_path(void **state)
{
  static const char two[] = "train: {epochs: 1}\n"
                            "studies:\n"
                            "  - {name: one}\n"
                            "  - {name: two, dataset: {name: [symmetric, hdf5], path: x.h5}}\n";
  ip_options *options = NULL;
  ip_data *data = NULL;

  (void)state;
  OK(ip_options_read("test.yaml", two, strlen(two), 0, NULL, &options));
  OK(ip_data_create(options, &data));
  assert_int_equal(data->n, 2);
  assert_null(data->spec[0].path);
  assert_string_equal(data->spec[1].path, "x.h5");
  ip_data_destroy(&data);
  ip_options_destroy(&options);
}

/* Seven runs of 1 to 64 epochs, dealt by hand: 64 32 16, then back 8 4 2, then 1. */
static void shares_are_dealt_to_and_fro(void **state)
{
  static const int32_t want[3][4] = {
      {0, 1, 3, -1}, /* 1, 64, 2 epochs */
      {4, 5,  -1 }, /* 32, 4           */
      {2, 6,  -1}, /* 8, 16           */
  };
  static const char *const part[] = {"1/3", "2/3", "3/3"};

  (void)state;
  for (size_t i = 0; i < 3; i++) {
    ip_text yaml = {0};
    char name[IP_SHARE_TEXT];
    size_t r = 0;

    OK(ip_text_add(&yaml,
                   "dataset.samples: 64\nnetwork.hidden: [2]\nlook: [1]\n"
                   "estimate: [{kind: binning, bins: 8}]\n"
                   "train.epochs: [1, 64, 8, 2, 32, 4, 16]\nshare: %s\n",
                   part[i]));
    study s = study_of(yaml.text);

    for (; want[i][r] >= 0; r++) {
      assert_true(r < s.plan->n_runs);
      assert_int_equal(s.plan->run[r].number, want[i][r]);
    }
    assert_int_equal(s.plan->n_runs, r);
    assert_int_equal(s.plan->n_complete, 7);
    ip_share_name(s.plan, name);
    assert_string_equal(name, part[i]);
    study_clear(&s);
    ip_text_clear(&yaml);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_grid_is_spanned),
      cmocka_unit_test(more_replicates_append),
      cmocka_unit_test(equal_runs_are_planned_once),
      cmocka_unit_test(a_batch_of_everything_is_full),
      cmocka_unit_test(a_run_is_measured_for_its_own_blocks),
      cmocka_unit_test(updates_become_whole_passes),
      cmocka_unit_test(keys_without_meaning_do_not_multiply),
      cmocka_unit_test(what_cannot_be_trained_is_refused),
      cmocka_unit_test(replicates_that_end_early_change_the_measure),
      cmocka_unit_test(the_generator_has_no_path),
      cmocka_unit_test(shares_are_dealt_to_and_fro),
  };

  return RUN_TESTS(tests);
}
