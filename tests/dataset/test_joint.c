/* The joint distribution of the symmetric rule: groups of f, all patterns and some. */

#include "check.h"
#include <infoplane/dataset.h>

enum { PATTERNS = 4096 };

static const ip_dataset_spec stochastic = {.labels = IP_LABELS_STOCHASTIC, .gamma = 54.492};

/* What ip_dataset_joint made of a data set. */
typedef struct {
  ip_dataset *data;
  size_t n;
  double *weight, *p;
} joint;

static joint joint_of(const ip_dataset_spec *spec)
{
  joint j = {0};

  OK(ip_dataset_load(spec, &j.data));
  OK(ip_dataset_joint(spec, j.data, &j.n, &j.weight, &j.p));
  return j;
}

static void joint_free(joint *j)
{
  ip_dataset_destroy(&j->data);
  ip_release(&j->weight);
  ip_release(&j->p);
}

static double f_of_row(const ip_dataset *data, size_t i)
{
  uint32_t pattern = 0;

  for (size_t b = 0; b < 12; b++) pattern = 2 * pattern + (data->x[12 * i + b] != 0);
  return ip_symmetric_f(pattern);
}

/* Every pattern in one group: that of its log odds, which tell f, and grow with it. */
static void check_groups(const joint *j, double gamma)
{
  size_t *members = NULL;

  OK(IP_ALLOCATE(j->n, &members));
  for (size_t g = 1; g < j->n; g++)
    assert_true(log(j->p[2 * g + 1]) - log(j->p[2 * g]) >
                log(j->p[2 * g - 1]) - log(j->p[2 * g - 2]) + 0.02 * gamma);
  for (size_t i = 0; i < j->data->n; i++) {
    const double odds = gamma * (f_of_row(j->data, i) - 7.63204);
    size_t groups = 0;

    for (size_t g = 0; g < j->n; g++) {
      if (fabs(log(j->p[2 * g + 1]) - log(j->p[2 * g]) - odds) > 1e-7 * gamma) continue;
      groups++, members[g]++;
      NEAR(j->p[2 * g + 1], j->data->p[2 * i + 1], 1e-12, "p(y=1|x) of pattern %zu", i);
    }
    assert_int_equal(groups, 1);
  }
  for (size_t g = 0; g < j->n; g++)
    NEAR(j->weight[g], (double)members[g] / (double)j->data->n, 1e-15, "p(x) of group %zu", g);
  ip_release(&members);
}

/* Acceptance number 5: 53 values of 5.347023 bit. */
static void all_patterns(void **state)
{
  joint j = joint_of(&stochastic);
  double entropy = 0;

  (void)state;
  assert_int_equal(j.n, 53);
  for (size_t g = 0; g < j.n; g++) entropy -= j.weight[g] * log2(j.weight[g]);
  NEAR(entropy, 5.347023, 5e-7, "entropy of f");
  NEAR(j.weight[0], 1.0 / PATTERNS, 0, "no bit is set once");
  NEAR(j.weight[52], 13.0 / PATTERNS, 0, "f = 12: all bits, or all but one");
  check_groups(&j, stochastic.gamma);
  joint_free(&j);
}

/* The first, and some by chance: f comes from the patterns, not from their place. */
static void some_patterns(void **state)
{
  ip_dataset_spec spec = stochastic;

  (void)state;
  for (int t = 0; t < 4; t++) {
    spec.samples = t < 2 ? 100 : 1 + 500 * (t - 2);
    spec.keyed_choice = t > 0;
    spec.seed = (uint64_t)t;
    spec.gamma = 10;

    joint j = joint_of(&spec);

    check_groups(&j, 10);
    if (spec.samples == 1) assert_true(j.n == 1 && j.weight[0] == 1);
    joint_free(&j);
  }
}

/* Groups go by f: where p is 0 or 1 to the last bit, they stay apart. */
static void steep(void **state)
{
  ip_dataset_spec spec = stochastic;

  (void)state;
  spec.gamma = 1e6;

  joint j = joint_of(&spec);
  size_t certain = 0;

  for (size_t g = 0; g < j.n; g++) certain += j.p[2 * g] == 0 || j.p[2 * g + 1] == 0;
  assert_int_equal(j.n, 53);
  assert_int_equal(certain, 53);
  joint_free(&j);
}

static void refused(void **state)
{
  ip_dataset_spec spec = {.labels = IP_LABELS_DETERMINISTIC};
  joint j = {.n = 7};

  (void)state;
  OK(ip_dataset_load(&spec, &j.data));
  FAILS(ip_dataset_joint(&spec, j.data, &j.n, &j.weight, &j.p), IP_ERR_CONFIG,
        "dataset.labels: deterministic; with certain labels");
  spec.labels = IP_LABELS_SHUFFLED;
  FAILS(ip_dataset_joint(&spec, j.data, &j.n, &j.weight, &j.p), IP_ERR_CONFIG, "shuffled");
  ip_dataset_destroy(&j.data);
  spec = stochastic;
  OK(ip_dataset_load(&spec, &j.data));
  spec.kind = (size_t)ip_names_find(ip_dataset_name, "mat");
  FAILS(ip_dataset_joint(&spec, j.data, &j.n, &j.weight, &j.p), IP_ERR_CONFIG,
        "dataset.name: mat of 12");
  spec.kind = 99;
  FAILS(ip_dataset_joint(&spec, j.data, &j.n, &j.weight, &j.p), IP_ERR_CONFIG, "row 99");
  assert_true(j.n == 7 && !j.weight && !j.p);
  joint_free(&j);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(all_patterns),
      cmocka_unit_test(some_patterns),
      cmocka_unit_test(steep),
      cmocka_unit_test(refused),
  };

  return RUN_TESTS(tests);
}
