/* What one replicate trains with: splits, drawn and shuffled labels; entropies of a subset. */

#include "check.h"
#include <infoplane/dataset.h>
#include <infoplane/rng.h>

enum { N = 4096 };

static ip_split *make(ip_split_rule rule, double fraction, uint32_t replicate)
{
  ip_split *split = NULL;

  OK(ip_split_create(rule, fraction, N, 11, replicate, &split));
  return split;
}

static void sizes(void **state)
{
  (void)state;
  assert_int_equal(ip_split_train_size(0.05, N), 205);
  assert_int_equal(ip_split_train_size(0.85, N), 3482);
  assert_int_equal(ip_split_train_size(0.5, 5), 2); /* halves go to the even number */
  assert_int_equal(ip_split_train_size(0.5, 7), 4);
  assert_int_equal(ip_split_train_size(1, N), N);
}

static void random_is_nested(void **state)
{
  static const double fraction[] = {0.05, 0.45, 0.85, 1};
  ip_split *small = make(IP_SPLIT_RANDOM, 0.03, 4);

  (void)state;
  for (size_t i = 0; i < sizeof fraction / sizeof fraction[0]; i++) {
    ip_split *large = make(IP_SPLIT_RANDOM, fraction[i], 4);
    bool seen[N] = {false};

    assert_int_equal(large->n_train + large->n_test, N);
    assert_int_equal(large->overlap, 0);
    assert_memory_equal(large->train, small->train, small->n_train * sizeof *small->train);
    for (size_t j = 0; j < N; j++) {
      const uint32_t at =
          j < large->n_train ? large->train[j] : large->test[j - large->n_train];

      assert_true(at < N && !seen[at]);
      seen[at] = true;
    }
    ip_split_destroy(&small);
    small = large;
  }
  ip_split_destroy(&small);
  assert_null(small);
}

static void replicates_differ(void **state)
{
  ip_split *a = make(IP_SPLIT_RANDOM, 0.5, 0), *again = make(IP_SPLIT_RANDOM, 0.5, 0),
           *b = make(IP_SPLIT_RANDOM, 0.5, 1);

  (void)state;
  assert_memory_equal(a->train, again->train, a->n_train * sizeof *a->train);
  assert_memory_not_equal(a->train, b->train, a->n_train * sizeof *a->train);
  ip_split_destroy(&a);
  ip_split_destroy(&again);
  ip_split_destroy(&b);
}

/* The authors' code: test rows from 80 % on, rint(0.8 4096) = 3277. */
static void idnns_prefix(void **state)
{
  static const struct {
    double fraction;
    size_t n_train, overlap;
  } row[] = {
      {0.05, 205,  0  },
      {0.8,  3277, 0  },
      {0.85, 3482, 205},
      {1,    4096, 819},
  };

  (void)state;
  for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
    ip_split *s = make(IP_SPLIT_IDNNS_PREFIX, row[i].fraction, 3);

    assert_int_equal(s->n_train, row[i].n_train);
    assert_int_equal(s->overlap, row[i].overlap);
    assert_int_equal(s->n_test, 819);
    for (size_t j = 0; j < s->n_train; j++) assert_int_equal(s->train[j], j);
    for (size_t j = 0; j < s->n_test; j++) assert_int_equal(s->test[j], 3277 + j);
    ip_split_destroy(&s);
  }
}

static void refused_splits(void **state)
{
  static const double fraction[] = {0, -0.1, 1.01, 0.0001, NAN, INFINITY};
  ip_split *split = NULL;

  (void)state;
  for (size_t i = 0; i < sizeof fraction / sizeof fraction[0]; i++)
    FAILS(ip_split_create(IP_SPLIT_RANDOM, fraction[i], N, 0, 0, &split), IP_ERR_CONFIG,
          "train.fraction");
  assert_null(split);
  assert_string_equal(ip_split_rule_name(IP_SPLIT_IDNNS_PREFIX), "idnns-prefix");
  assert_null(ip_split_rule_name(2));
}

static ip_dataset *symmetric(ip_labels labels, double gamma)
{
  const ip_dataset_spec spec = {.kind = (size_t)ip_names_find(ip_dataset_name, "symmetric"),
                                .labels = labels,
                                .gamma = gamma};
  ip_dataset *data = NULL;

  OK(ip_dataset_load(&spec, &data));
  return data;
}

/* Draws of every pattern follow its p: chi-square of 4096 terms, each of mean 1, variance 2. */
static void drawn_labels_follow_p(void **state)
{
  enum { DRAWS = 400 };
  ip_dataset *data = symmetric(IP_LABELS_STOCHASTIC, 0.5);
  static int32_t y[N], ones[N];
  double chi = 0;

  (void)state;
  memset(ones, 0, sizeof ones);
  for (uint32_t r = 0; r < DRAWS; r++) {
    OK(ip_labels_draw(data, IP_LABELS_STOCHASTIC, 5, r, y));
    for (int i = 0; i < N; i++) ones[i] += y[i];
  }
  for (int i = 0; i < N; i++) {
    const double p = data->p[2 * i + 1], e = ones[i] - DRAWS * p;

    chi += e * e / (DRAWS * p * (1 - p));
  }
  NEAR(chi, N, 5 * sqrt(2.0 * N), "chi-square of drawn labels");
  ip_dataset_destroy(&data);
}

/* Pattern i is drawn by counter i: its label does not depend on the patterns around it. */
static void drawn_labels_are_keyed(void **state)
{
  ip_dataset *data = symmetric(IP_LABELS_STOCHASTIC, 1);
  const ip_stream stream = {.seed = 5, .replicate = 2, .purpose = IP_PURPOSE_LABEL};
  static int32_t y[N], again[N], other[N];

  (void)state;
  OK(ip_labels_draw(data, IP_LABELS_STOCHASTIC, 5, 2, y));
  OK(ip_labels_draw(data, IP_LABELS_STOCHASTIC, 5, 2, again));
  OK(ip_labels_draw(data, IP_LABELS_STOCHASTIC, 5, 3, other));
  assert_memory_equal(y, again, sizeof y);
  assert_memory_not_equal(y, other, sizeof y);
  for (uint64_t i = 0; i < N; i++)
    assert_int_equal(y[i], ip_stream_uniform(&stream, i) >= data->p[2 * i]);
  ip_dataset_destroy(&data);
}

static void shuffled_labels_keep_counts(void **state)
{
  ip_dataset *data = symmetric(IP_LABELS_SHUFFLED, 0);
  static int32_t y[N], again[N], other[N];
  int ones = 0, agree = 0;

  (void)state;
  OK(ip_labels_draw(data, IP_LABELS_SHUFFLED, 5, 2, y));
  OK(ip_labels_draw(data, IP_LABELS_SHUFFLED, 5, 2, again));
  OK(ip_labels_draw(data, IP_LABELS_SHUFFLED, 5, 3, other));
  assert_memory_equal(y, again, sizeof y);
  assert_memory_not_equal(y, other, sizeof y);
  for (int i = 0; i < N; i++) ones += y[i], agree += y[i] == data->y[i];
  assert_int_equal(ones, 2118);
  NEAR((double)agree / N, 0.5006, 0.04, "agreement by chance"); /* p^2 + q^2; s.d. 0.008 */
  OK(ip_labels_draw(data, IP_LABELS_DETERMINISTIC, 5, 2, y));
  assert_memory_equal(y, data->y, sizeof y);
  FAILS(ip_labels_draw(data, IP_LABELS_STOCHASTIC, 5, 2, y), IP_ERR_CONFIG, "p(y|x)");
  ip_dataset_destroy(&data);
}

/* By hand: inputs a, a, b, c. */
static void entropies_by_hand(void **state)
{
  float x[] = {1, 2, 1, 2, 3, 2, 1, 3};
  int32_t y[] = {0, 1, 1, 1};
  double p[] = {1, 0, 0, 1, 0.5, 0.5, 0, 1};
  static const uint32_t subset[] = {3, 0, 2};
  ip_dataset data = {.n = 4, .d = 2, .k = 2, .x = x, .y = y};
  ip_entropies h = {0};

  (void)state;
  OK(ip_dataset_entropies(&data, y, 0, NULL, &h));
  NEAR(h.h_x, 1.5, 1e-15, "H(X)");
  NEAR(h.h_y, 2 - 0.75 * log2(3), 1e-15, "H(Y)");
  NEAR(h.i_xy, 1.5 - 0.75 * log2(3), 1e-15, "I(X;Y)"); /* H(Y|X) = 1/2: the two a differ */
  OK(ip_dataset_entropies(&data, y, 3, subset, &h));
  NEAR(h.h_x, log2(3), 1e-15, "H(X) of three");
  NEAR(h.i_xy, log2(3) - 2.0 / 3, 1e-15, "I(X;Y) of three");
  data.p = p; /* sums over a: 1, 1; b: 1/2, 1/2; c: 0, 1; so H(Y|X) = 3/4 */
  OK(ip_dataset_entropies(&data, NULL, 0, NULL, &h));
  NEAR(h.h_y, 3 - 0.375 * log2(3) - 0.625 * log2(5), 1e-15, "H(Y), weighed");
  NEAR(h.i_xy, h.h_y - 0.75, 1e-15, "I(X;Y), weighed");
  h = (ip_entropies){-1, -1, -1};
  FAILS(ip_dataset_entropies(&data, NULL, 1, &(uint32_t){4}, &h), IP_ERR_INTERNAL, "pattern 4");
  assert_true(h.h_x == -1 && h.h_y == -1 && h.i_xy == -1);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(sizes),
      cmocka_unit_test(random_is_nested),
      cmocka_unit_test(replicates_differ),
      cmocka_unit_test(idnns_prefix),
      cmocka_unit_test(refused_splits),
      cmocka_unit_test(drawn_labels_follow_p),
      cmocka_unit_test(drawn_labels_are_keyed),
      cmocka_unit_test(shuffled_labels_keep_counts),
      cmocka_unit_test(entropies_by_hand),
  };

  return RUN_TESTS(tests);
}
