/* The cost model: counts worked out by hand, and rates found again from timings made with them. */

#include "study.h"

/* ---- counts ----------------------------------------------------------------------------------- */

static const char small[] = "network: {hidden: [3], activation: tanh, output: softmax}\n"
                            "train: {fraction: 50%, batch: 256, optimizer: adam, epochs: 7}\n"
                            "look: [1, 2]\n"
                            "gradient_batch: 256\n"
                            "estimate:\n"
                            "  - {kind: binning, bins: 30, on: [full, test]}\n"
                            "  - {kind: kde, noise_variance: [1e-3, 1e-1]}\n";

static void one_epoch(void **state)
{
  study s = study_of(small);
  double count[IP_COSTS];

  (void)state;
  ip_cost_count(s.plan, 0, IP_PART_EPOCH, count);
  /* 12-3-2: forward 36 + 6, gradient 36 + 6, back 6 */
  NEAR(count[IP_COST_multiply_add], 2048.0 * 90, 0.0, "multiply-adds");
  NEAR(count[IP_COST_multiply_add_wide], 0.0, 0.0, "none is wide");
  NEAR(count[IP_COST_value], 2048.0 * 17, 0.0, "values");
  NEAR(count[IP_COST_activation], 2048.0 * (3 + 2 * 2), 0.0, "activations");
  NEAR(count[IP_COST_step], 8.0, 0.0, "steps");
  NEAR(count[IP_COST_parameter], 8.0 * 3 * 47, 0.0, "47 parameters with two moments each");
  NEAR(count[IP_COST_bin] + count[IP_COST_kde_exponential] + count[IP_COST_record], 0.0, 0.0,
       "of a look, of a run");
  study_clear(&s);
}

static void one_look(void **state)
{
  study s = study_of(small);
  double count[IP_COSTS];

  (void)state;
  ip_cost_count(s.plan, 0, IP_PART_LOOK, count);
  NEAR(count[IP_COST_multiply_add], 2048.0 * 90 + 4096 * 42, 0.0, "gradients and forward");
  NEAR(count[IP_COST_sample], 2048.0 + 4096, 0.0, "gradients and scores");
  NEAR(count[IP_COST_bin], (4096.0 + 2048) * 5, 0.0, "units of two layers, two columns");
  NEAR(count[IP_COST_cell], (4096.0 + 2048) * 2, 0.0, "layers of two columns");
  NEAR(count[IP_COST_kde_difference], 4096.0 * 2048 * 5, 0.0, "once for all noises");
  NEAR(count[IP_COST_kde_exponential], 4096.0 * 2048 * 2 * 2, 0.0, "two noises, two layers");
  NEAR(count[IP_COST_correlation], 3.0 * 12 + 3, 0.0, "3 pairs of 12 inputs, 1 of 3");
  study_clear(&s);
}

static void wide_layers_are_the_librarys(void **state)
{
  study s = study_of("network: {hidden: [128, 127], blas: openblas}\ntrain.epochs: 1\n"
                     "studies: [{name: a}, {name: b, network.hidden: [128, 128]},\n"
                     "          {name: c, network: {hidden: [128, 128], blas: own}}]\n");
  double count[3][IP_COSTS];

  (void)state;
  for (size_t r = 0; r < 3; r++) ip_cost_count(s.plan, r, IP_PART_EPOCH, count[r]);
  NEAR(count[0][IP_COST_multiply_add_wide], 0.0, 0.0, "127 is narrow");
  NEAR(count[1][IP_COST_multiply_add_wide], 3482.0 * 128 * 128 * 3, 0.0, "128 is wide");
  NEAR(count[2][IP_COST_multiply_add_wide], 0.0, 0.0, "own");
  NEAR(count[2][IP_COST_multiply_add],
       count[1][IP_COST_multiply_add] + count[1][IP_COST_multiply_add_wide], 0.0,
       "the same sum");
  study_clear(&s);
}

/* ---- times ------------------------------------------------------------------------------------ */

static void times_are_counts_by_rates(void **state)
{
  study s = study_of(small);
  ip_rates rates = {{0}};
  ip_run_time time[1], half[1], pair[1];
  const int32_t todo[] = {0};
  const double done[] = {0.5};
  ip_times_of of = {.plan = s.plan, .rates = &rates, .n = 1, .todo = todo};

  (void)state;
  rates.second[IP_COST_step] = 1.0;            /* 8 an epoch, 8 a look */
  rates.second[IP_COST_kde_difference] = 1e-6; /* 41.94304 s a look    */
  rates.second[IP_COST_run] = 3.0;
  OK(ip_run_times(&of, time));
  of.done = done;
  OK(ip_run_times(&of, half));
  of.done = NULL;
  of.ranks_per_run = 2;
  OK(ip_run_times(&of, pair));

  const double look = 8 + 41.94304; /* at 0, 1, 2 and 7 */

  NEAR(time->seconds, 7 * 8 + 4 * look + 3, 1e-9, "alone");
  NEAR(time->alone, time->seconds, 0.0, "alone");
  NEAR(time->ahead, 8 + look, 1e-9, "one epoch and one look ahead");
  NEAR(time->pause, (7 * 64 + 8 * look * look / 4) / (7 * 8 + 4 * look), 1e-9, "pause");
  NEAR(half->seconds, (7 * 8 + 4 * look) / 2 + 3, 1e-9, "half of it is done");
  NEAR(pair->seconds, 7 * 8 + 4 * (8 + 41.94304) / 2 + 3, 1e-9, "KDE is cut to size");
  NEAR(pair->alone, time->seconds, 1e-9, "the work is the same");
  study_clear(&s);
}

/* Activations cost 1 ms: 2048 x 7 of training, as many of a look's gradients and 4096 x 7 of its forward
   pass, which each assistant makes too. */
static void groups_share_looks(void **state)
{
  study s = study_of(small);
  ip_rates rates = {{0}};
  ip_run_time time[1];
  const int32_t todo[] = {0};
  ip_times_of of = {.plan = s.plan, .rates = &rates, .n = 1, .todo = todo};
  const double forward = 28.672, epoch = 8 + 14.336, rest = epoch + forward, kde = 41.94304;

  (void)state;
  rates.second[IP_COST_step] = 1.0;
  rates.second[IP_COST_activation] = 1e-3;
  rates.second[IP_COST_kde_difference] = 1e-6;
  of.ranks_per_run = 2;
  OK(ip_run_times(&of, time));
  NEAR(time->seconds, 7 * epoch + 4 * (rest + kde + forward) / 2, 1e-9, "two are busy alike");
  NEAR(time->ahead, epoch + (rest + kde + forward) / 2, 1e-9, "one epoch and one look ahead");
  of.ranks_per_run = 16;
  OK(ip_run_times(&of, time));
  NEAR(time->seconds, 7 * epoch + 4 * rest, 1e-9, "the rest of a look is not shared");
  NEAR(time->alone, 7 * epoch + 4 * (rest + kde), 1e-9, "work");
  study_clear(&s);
}

/* n^2 (3 + 8 + 2 + 8) / 2 operations for one noise: 5e7 are reached at 2183. */
static void small_looks_are_not_shared(void **state)
{
  static const size_t items = 1 << 24, kept = 1 << 25;
  static const char *const what[] = {
      "dataset.samples: 2182\nestimate: [{kind: kde, noise_variance: 0.1}]\n",
      "dataset.samples: 2183\nestimate: [{kind: kde, noise_variance: 0.1}]\n",
      "estimate: [{kind: binning, bins: [30, 40, 50]}]\n",
      "train.fraction: 50%\nestimate: [{kind: kde, noise_variance: 0.1, on: [train, test]}]\n",
      "train.fraction: 50%\nestimate: [{kind: kde, noise_variance: 0.1, on: train}]\n"};
  /* 2048 of train, 2048 of test: 44 million operations each */
  static const bool shared[] = {false, true, false, true, false};

  (void)state;
  for (size_t i = 0; i < sizeof what / sizeof what[0]; i++) {
    ip_text yaml = {0};

    OK(ip_text_add(&yaml, "network.hidden: [3]\nlook: [1]\n%s", what[i]));
    study s = study_of(yaml.text);
    const ip_rates rates = ip_rates_default();
    const int32_t todo[] = {0};
    ip_run_time one[1], two[1];
    ip_times_of of = {.plan = s.plan, .rates = &rates, .n = 1, .todo = todo};

    OK(ip_run_times(&of, one));
    of.ranks_per_run = 2;
    OK(ip_run_times(&of, two));
    assert_int_equal(ip_run_is_shared(s.plan, 0), shared[i]);
    assert_int_equal(two->seconds < one->seconds, shared[i]);
    assert_int_equal(ip_plan_memory(s.plan, 2) - ip_plan_memory(s.plan, 1),
                     shared[i] ? items + kept : 0);
    study_clear(&s);
    ip_text_clear(&yaml);
  }
}

static void the_longest_comes_first(void **state)
{
  study s = study_of("train: {epochs: [2, 9, 5]}\n");
  const ip_rates rates = ip_rates_default();
  const int32_t todo[] = {0, 1, 2};
  const double done[] = {0.5, 0.0, 0.0};
  ip_run_time time[3];
  ip_times_of of = {.plan = s.plan, .rates = &rates, .n = 3, .todo = todo};

  (void)state;
  OK(ip_run_times(&of, time));
  assert_true(time[0].seconds > time[1].seconds && time[1].seconds > time[2].seconds);
  of.done = done; /* what was begun goes before all */
  OK(ip_run_times(&of, time));
  assert_true(time[0].seconds < time[2].seconds && time[2].seconds < time[1].seconds);
  of.todo = NULL; /* all of them */
  of.done = NULL;
  OK(ip_run_times(&of, time));
  assert_true(time[0].seconds > time[1].seconds && time[1].seconds > time[2].seconds);
  study_clear(&s);
}

/* ---- the fit ---------------------------------------------------------------------------------- */

enum { TIMINGS = 40 };

/* Numbers from 0 to 1, always the same. */
static double drawn(unsigned *seed)
{
  *seed = *seed * 1103515245U + 12345U;
  return (double)(*seed >> 16 & 4095U) / 4096.0;
}

/* Counts and rates of a dozen magnitudes, as those of runs are; noise: relative, of each time. */
static void make(ip_timing timing[TIMINGS], ip_rates *truth, double noise)
{
  unsigned seed = 2024;

  memset(timing, 0, TIMINGS * sizeof *timing);
  for (size_t i = 0; i < IP_COSTS; i++) truth->second[i] = exp(-20.0 * drawn(&seed));
  for (size_t t = 0; t < TIMINGS; t++) {
    for (size_t i = 0; i < IP_COSTS; i++) {
      const double part = drawn(&seed) < 0.6 ? 0.0 : drawn(&seed);

      if (i == IP_COST_message) continue; /* never occurs */
      timing[t].count[i] = part / truth->second[i];
      timing[t].seconds += part;
    }
    timing[t].seconds *= 1.0 + noise * (2.0 * drawn(&seed) - 1.0);
  }
}

static void known_rates_are_found_again(void **state)
{
  ip_timing timing[TIMINGS];
  ip_rates truth, found = ip_rates_default();
  double error = -1.0;

  (void)state;
  make(timing, &truth, 0.0);
  OK(ip_rates_fit(TIMINGS, timing, &found, &error));
  NEAR(error, 0.0, 1e-6, "error");
  for (size_t i = 0; i < IP_COSTS; i++)
    if (i != IP_COST_message)
      NEAR(found.second[i] / truth.second[i], 1.0, 1e-6, "%s", ip_cost_name(i));
  NEAR(found.second[IP_COST_message], ip_rates_default().second[IP_COST_message], 0.0,
       "what does not occur stays");
}

static void noise_stays_in_the_error(void **state)
{
  ip_timing timing[TIMINGS];
  ip_rates truth, found = ip_rates_default();
  double error = -1.0;

  (void)state;
  make(timing, &truth, 0.1);
  OK(ip_rates_fit(TIMINGS, timing, &found, &error));
  /* uniform within 10 %: 0.058, less what 20 rates of 40 timings explain */
  assert_true(error > 0.02 && error < 0.058);
}

/* 1 alone takes 1 s, with 2 beside it half of that: 2 must not be negative, so that
   (r - 1)^2 + (2 r - 1)^2 is least, at r = 0.6. */
static void no_rate_is_negative(void **state)
{
  ip_timing timing[2] = {{.seconds = 1.0}, {.seconds = 0.5}};
  ip_rates found = ip_rates_default();
  double error = -1.0;

  (void)state;
  timing[0].count[IP_COST_run] = timing[1].count[IP_COST_run] = 1.0;
  timing[1].count[IP_COST_step] = 1.0;
  OK(ip_rates_fit(2, timing, &found, &error));
  NEAR(found.second[IP_COST_run], 0.6, 1e-9, "run");
  NEAR(found.second[IP_COST_step], 0.0, 0.0, "step");
  NEAR(error, sqrt((0.16 + 0.04) / 2), 1e-9, "error");
  timing[1].seconds = 0.0;
  FAILS(ip_rates_fit(2, timing, &found, &error), IP_ERR_INTERNAL, "timing 1");
  NEAR(found.second[IP_COST_run], 0.6, 1e-9, "unchanged");
}

/* ---- the table -------------------------------------------------------------------------------- */

static void every_term_is_described(void **state)
{
  (void)state;
  for (size_t i = 0; i < IP_COSTS; i++) {
    assert_true(strlen(ip_cost_sentence(i)) > 5);
    assert_int_equal(ip_names_find(ip_cost_name, ip_cost_name(i)), i);
    assert_true(ip_rates_default().second[i] > 0.0);
  }
  assert_null(ip_cost_name(IP_COSTS));
  assert_null(ip_cost_sentence(IP_COSTS));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(one_epoch),
      cmocka_unit_test(one_look),
      cmocka_unit_test(wide_layers_are_the_librarys),
      cmocka_unit_test(times_are_counts_by_rates),
      cmocka_unit_test(groups_share_looks),
      cmocka_unit_test(small_looks_are_not_shared),
      cmocka_unit_test(the_longest_comes_first),
      cmocka_unit_test(known_rates_are_found_again),
      cmocka_unit_test(noise_stays_in_the_error),
      cmocka_unit_test(no_rate_is_negative),
      cmocka_unit_test(every_term_is_described),
  };

  return RUN_TESTS(tests);
}
