/* Error bars: by hand, from theory, and from published survival data. */

#include "check.h"
#include "stats.h"
#include <infoplane/rng.h>

enum { MANY = 50 };

/* Standard normal number i of a sample (Box and Muller 1958). */
static double normal(uint64_t seed, uint64_t i)
{
  const ip_stream stream = {.seed = seed, .purpose = IP_PURPOSE_TEST};
  const double r = ip_stream_uniform(&stream, 2 * i), a = ip_stream_uniform(&stream, 2 * i + 1);

  return sqrt(-2.0 * log(r)) * cos(2.0 * acos(-1.0) * a);
}

static void expect_interval(const interval *have, size_t n, double value, double low,
                            double high)
{
  assert_int_equal(have->n, n);
  NEAR(have->value, value, 1e-15, "value");
  NEAR(have->low, low, 1e-15, "low");
  NEAR(have->high, high, 1e-15, "high");
}

static void expect_none(const interval *have, size_t n)
{
  assert_int_equal(have->n, n);
  assert_true(isnan(have->low) && isnan(have->high));
}

/* ---- mean -------------------------------------------------------------------------------- */

/* One 1 among 20: how often it is drawn is binomial(20, 1/20), with P(<= 2) = 0.925 and
   P(<= 3) = 0.984, so the 97.5 percentile is 3/20 whichever place it stands at. */
static void every_place_is_drawn(void **state)
{
  (void)state;
  for (size_t place = 0; place < 20; place++) {
    double value[20] = {0};
    interval made;

    value[place] = 1.0;
    OK(stats_mean(20, value, stats_key_of("place"), &made));
    expect_interval(&made, 20, 0.05, 0.0, 0.15);
  }
}

/* The resamples of a second implementation of Philox and of the choice of places, in numpy. */
static void second_implementation(void **state)
{
  double value[12];
  interval made;

  (void)state;
  for (int i = 0; i < 12; i++) value[i] = (i * i * 7919) % 1009 / 64.0;
  OK(stats_mean(12, value, stats_key_of("second implementation"), &made));
  NEAR(made.value, 8.240885416666666, 1e-14, "mean");
  NEAR(made.low, 5.968587239583333, 1e-14, "low");
  NEAR(made.high, 10.303515624999998, 1e-14, "high");
}

static void mean_of_few(void **state)
{
  const double value[] = {NAN, 3.0, NAN, 5.0};
  interval made;

  (void)state;
  OK(stats_mean(4, value, 1, &made)); /* resamples: 3, 4, 4, 5 */
  expect_interval(&made, 2, 4.0, 3.0, 5.0);
  OK(stats_mean(2, value, 1, &made));
  NEAR(made.value, 3.0, 0, "one value");
  expect_none(&made, 1);
  OK(stats_mean(1, value, 1, &made));
  assert_true(isnan(made.value));
  expect_none(&made, 0);
  OK(stats_mean(0, NULL, 1, &made));
  expect_none(&made, 0);
}

static void infinity_is_refused(void **state)
{
  const double value[] = {1.0, -INFINITY};
  interval made = {.n = 7, .value = 1, .low = 2, .high = 3};

  (void)state;
  FAILS(stats_mean(2, value, 1, &made), IP_ERR_INTERNAL, "place 1");
  expect_interval(&made, 7, 1, 2, 3);
}

/* Large n: the interval is the mean +- 1.96 sd / sqrt n, sd with n below it. */
static void analytic_error(void **state)
{
  enum { LARGE = 400 };
  double value[LARGE], sum = 0, squares = 0;
  interval made;

  (void)state;
  for (size_t i = 0; i < LARGE; i++) {
    value[i] = 5.0 + 2.0 * normal(1, i);
    sum += value[i];
    squares += value[i] * value[i];
  }
  const double mean = sum / LARGE, error = sqrt((squares / LARGE - mean * mean) / LARGE);

  OK(stats_mean(LARGE, value, stats_key_of("normal"), &made));
  NEAR(made.value, mean, 1e-12, "mean");
  /* a percentile of 10,000 is off by sqrt(.025 .975 / 1e4) / phi(1.96) = 0.027 errors */
  NEAR(made.low, mean - 1.96 * error, 0.1 * error, "low");
  NEAR(made.high, mean + 1.96 * error, 0.1 * error, "high");
}

static void keys_and_order(void **state)
{
  double value[MANY], reversed[MANY];
  interval one, again, other, turned;

  (void)state;
  for (size_t i = 0; i < MANY; i++) value[i] = reversed[MANY - 1 - i] = normal(2, i);
  OK(stats_mean(MANY, value, stats_key_of("claim bin30"), &one));
  OK(stats_mean(MANY, value, stats_key_of("claim bin30"), &again));
  OK(stats_mean(MANY, value, stats_key_of("claim bin31"), &other));
  OK(stats_mean(MANY, reversed, stats_key_of("claim bin30"), &turned));
  assert_true(one.low == again.low && one.high == again.high);
  assert_true(one.low != other.low && one.high != other.high);
  assert_true(one.low != turned.low && one.high != turned.high);
  const double width = one.high - one.low;

  NEAR(other.low, one.low, 0.05 * width, "low of another key");
  NEAR(turned.low, one.low, 0.05 * width, "low of another order");
  NEAR(turned.high, one.high, 0.05 * width, "high of another order");
}

/* Of 300 samples of 20 about 93 % have an interval that holds the true mean. */
static void coverage(void **state)
{
  enum { SAMPLES = 300, N = 20 };
  int held = 0;

  (void)state;
  for (uint64_t s = 0; s < SAMPLES; s++) {
    double value[N];
    interval made;

    for (uint64_t i = 0; i < N; i++) value[i] = normal(1000 + s, i);
    OK(stats_mean(N, value, s, &made));
    held += made.low <= 0.0 && made.high >= 0.0;
  }
  print_message("%d of %d intervals hold the mean\n", held, SAMPLES);
  assert_in_range(held, 270, 294);
}

/* ---- rank correlation -------------------------------------------------------------------- */

static void ranks_by_hand(void **state)
{
  const double a[] = {10, 20, 20, 30}, b[] = {1, 9, 5, 100}, down[] = {4, 3, 2, 1};
  const double same[] = {7, 7, 7, 7}, holes[] = {1, NAN, 9, INFINITY};
  const double hole[] = {NAN, 1, 2, 3};
  interval made;

  (void)state;
  /* ranks 1, 2.5, 2.5, 4 and 1, 3, 2, 4: 4.5 / sqrt(4.5 x 5) */
  OK(stats_rank_correlation(4, a, b, 1, &made));
  NEAR(made.value, sqrt(0.9), 1e-15, "ties");
  expect_none(&made, 4); /* 729 of 10,000 resamples have a constant side */
  OK(stats_rank_correlation(4, b, a, 1, &made));
  NEAR(made.value, sqrt(0.9), 1e-15, "sides exchanged");
  OK(stats_rank_correlation(4, b, down, 1, &made));
  NEAR(made.value, -0.8, 1e-15, "1 - 6 sum d^2 / n (n^2 - 1), d = 3, 0, 0, 3");
  OK(stats_rank_correlation(4, holes, b, 1, &made));
  assert_int_equal(made.n, 3);
  NEAR(made.value, 1.0, 0, "a pair left out, infinity is the last");
  expect_none(&made, 3);
  OK(stats_rank_correlation(4, b, hole, 1, &made));
  assert_int_equal(made.n, 3);
  OK(stats_rank_correlation(4, a, same, 1, &made));
  assert_true(isnan(made.value));
  expect_none(&made, 4);
  OK(stats_rank_correlation(2, a, b, 1, &made));
  assert_true(isnan(made.value));
  expect_none(&made, 2);
}

/* By a second implementation in numpy; 193 of the 10,000 resamples have no correlation. */
static void ranks_resampled(void **state)
{
  const double a[] = {1, 1, 1, 2, 3, 4}, b[] = {1, 5, 3, 4, 4, 6};
  const double most[] = {0, 0, 0, 0, 0, 0, 1, 2};
  interval made;

  (void)state;
  OK(stats_rank_correlation(6, a, b, 1, &made));
  NEAR(made.value, 0.6160411036336975, 1e-15, "value");
  NEAR(made.low, -0.43817804600413285, 1e-15, "low");
  NEAR(made.high, 1.0, 1e-15, "high");
  OK(stats_rank_correlation(8, most, most, 1, &made)); /* a tenth has none */
  NEAR(made.value, 1.0, 0, "nearly constant");
  expect_none(&made, 8);
}

/* Spearman's of a binormal pair: 6/pi asin(rho/2); error about 1.03 (1 - rho^2) / sqrt(n -
   1). */
static void ranks_of_normal_pairs(void **state)
{
  enum { LARGE = 1000 };
  double a[LARGE], b[LARGE];
  interval made;

  (void)state;
  for (size_t i = 0; i < LARGE; i++) {
    a[i] = normal(3, i);
    b[i] = exp(0.6 * a[i] + 0.8 * normal(4, i));
  }
  OK(stats_rank_correlation(LARGE, a, b, 1, &made));
  NEAR(made.value, 6 / acos(-1.0) * asin(0.3), 0.06, "correlation of 0.6");
  NEAR((made.high - made.low) / (2 * 1.96), 0.0215, 0.003, "its error");
}

/* ---- survival ---------------------------------------------------------------------------- */

static void expect_survival(const survival *have, size_t censored, double median, double low,
                            double high)
{
  assert_int_equal(have->censored, censored);
  assert_true(have->median == median && have->low == low && have->high == high);
}

/* Freireich et al., Blood 21 (1963) 699: weeks in remission of leukemia, 21 with 6-MP and 21
   without.  The medians are those of every textbook; the intervals those of SAS
   (conftype=loglog). */
static void leukemia(void **state)
{
  const double with[] = {6,  6,  6,  6,  7,  9,  10, 10, 11, 13, 16,
                         17, 19, 20, 22, 23, 25, 32, 32, 34, 35};
  const bool seen[] = {true,  true,  true,  false, true, false, true,  false, false, true, true,
                       false, false, false, true,  true, false, false, false, false, false};
  const double without[] = {22, 1, 1, 2,  2,  3,  4,  4,  5,  5, 8,
                            8,  8, 8, 11, 11, 12, 12, 15, 17, 23};
  bool all[21];
  survival made;

  (void)state;
  for (size_t i = 0; i < 21; i++) all[i] = true;
  OK(stats_kaplan_meier(21, with, seen, &made));
  expect_survival(&made, 12, 23, 13, INFINITY);
  OK(stats_kaplan_meier(21, without, all, &made));
  expect_survival(&made, 0, 8, 4, 11);
}

/* Nobody censored, one event at each of 1 .. n; intervals by a second implementation. */
static void survival_of_ramps(void **state)
{
  const struct {
    size_t n;
    double median, low, high;
  } row[] = {
      {5,  3,  1,  INFINITY},
      {9,  5,  1,  8       },
      {12, 6,  2,  10      },
      {20, 10, 5,  15      },
      {30, 15, 10, 21      }
  };
  double time[30];
  bool seen[30];
  survival made;

  (void)state;
  for (int i = 0; i < 30; i++) {
    time[i] = i + 1;
    seen[i] = true;
  }
  for (size_t r = 0; r < sizeof row / sizeof row[0]; r++) {
    OK(stats_kaplan_meier(row[r].n, time, seen, &made));
    expect_survival(&made, 0, row[r].median, row[r].low, row[r].high);
  }
}

static void survival_by_hand(void **state)
{
  const double time[] = {4, 1, 3, 2}, same[] = {5, 5, 5, 5, 5, 5, 5, 5, 5, 5};
  bool seen[10] = {true, true, true, true};
  survival made;

  (void)state;
  OK(stats_kaplan_meier(4, time, seen, &made)); /* S(2) = 1/2 exactly */
  NEAR(made.median, 2, 0, "median");
  seen[3] = false; /* 2 is censored: S = 3/4, 3/8 at 3 */
  OK(stats_kaplan_meier(4, time, seen, &made));
  expect_survival(&made, 1, 3, 1, INFINITY);
  seen[0] = seen[2] = false;
  OK(stats_kaplan_meier(4, time, seen, &made));
  expect_survival(&made, 3, INFINITY, 1, INFINITY);
  for (size_t i = 0; i < 10; i++) seen[i] = true;
  OK(stats_kaplan_meier(10, same, seen, &made)); /* all at one look */
  expect_survival(&made, 0, 5, 5, 5);
  seen[0] = seen[1] = seen[2] =
      false; /* censored at a time counts as followed at it: S = 0.3 */
  OK(stats_kaplan_meier(10, same, seen, &made));
  NEAR(made.median, 5, 0, "median with ties");
  OK(stats_kaplan_meier(0, NULL, NULL, &made));
  assert_true(made.n == 0 && isnan(made.median) && isnan(made.low));
  made.n = 9;
  FAILS(stats_kaplan_meier(4, (double[]){1, 2, 0, 3}, seen, &made), IP_ERR_INTERNAL, "place 2");
  assert_int_equal(made.n, 9);
}

/* The median of 50 exponential times is ln 2 within its interval, in about 95 of 100
   samples. */
static void survival_coverage(void **state)
{
  enum { SAMPLES = 1000 };
  int held = 0;

  (void)state;
  for (uint64_t s = 0; s < SAMPLES; s++) {
    const ip_stream stream = {.seed = s, .purpose = IP_PURPOSE_TEST};
    double time[MANY];
    bool seen[MANY];
    survival made;

    for (uint64_t i = 0; i < MANY; i++) {
      const double event = -log(ip_stream_uniform(&stream, 2 * i));
      const double end = 3.0 * ip_stream_uniform(&stream, 2 * i + 1);

      seen[i] = event <= end;
      time[i] = seen[i] ? event : end;
    }
    OK(stats_kaplan_meier(MANY, time, seen, &made));
    held += made.low <= log(2.0) && made.high > log(2.0);
  }
  print_message("%d of %d intervals hold the median\n", held, SAMPLES);
  assert_in_range(held, 930, 970);
}

/* ---- verdict ----------------------------------------------------------------------------- */

static void verdicts(void **state)
{
  const double margin = 0.25;
  const struct {
    interval effect;
    verdict want;
  } row[] = {
      {{8, 1, 0.25, 2},     AGREES    },
      {{8, 0.5, 0.24, 2},   UNDECIDED },
      {{8, 0.1, -1, 0.25},  UNDECIDED },
      {{8, 0.1, -1, 0.249}, DISAGREES },
      {{7, 1, 0.9, 2},      UNDECIDED },
      {{7, -1, -2, -0.5},   UNDECIDED },
      {{1, 1, NAN, NAN},    UNDECIDED },
      {{9, NAN, NAN, NAN},  NOT_TESTED},
      {{9, 1, NAN, NAN},    NOT_TESTED},
      {{0, NAN, NAN, NAN},  NOT_TESTED},
  };

  (void)state;
  for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
    assert_int_equal(stats_judge(&row[i].effect, margin), row[i].want);
  assert_string_equal(verdict_name(AGREES), "agrees");
  assert_string_equal(verdict_name(DISAGREES), "disagrees");
  assert_string_equal(verdict_name(UNDECIDED), "undecided");
  assert_string_equal(verdict_name(NOT_TESTED), "not tested");
  assert_null(verdict_name(4));
}

/* Published vectors of the 64-bit FNV-1a. */
static void keys(void **state)
{
  (void)state;
  assert_true(stats_key_of("") == 0xcbf29ce484222325U);
  assert_true(stats_key_of("foobar") == 0x85944171f73967e8U);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_place_is_drawn),
      cmocka_unit_test(mean_of_few),
      cmocka_unit_test(second_implementation),
      cmocka_unit_test(survival_of_ramps),
      cmocka_unit_test(infinity_is_refused),
      cmocka_unit_test(analytic_error),
      cmocka_unit_test(keys_and_order),
      cmocka_unit_test(coverage),
      cmocka_unit_test(ranks_by_hand),
      cmocka_unit_test(ranks_resampled),
      cmocka_unit_test(ranks_of_normal_pairs),
      cmocka_unit_test(leukemia),
      cmocka_unit_test(survival_by_hand),
      cmocka_unit_test(survival_coverage),
      cmocka_unit_test(verdicts),
      cmocka_unit_test(keys),
  };

  return RUN_TESTS(tests);
}
