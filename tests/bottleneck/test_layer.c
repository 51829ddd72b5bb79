/* The best beta of a layer: against the definition, written out, and by hand. */

#include "joints.h"

enum { MOST = 64 };

/* D_KL[p || r], nats. */
static double divergence(size_t k, const double p[], const double r[])
{
  double sum = 0;

  for (size_t y = 0; y < k; y++)
    if (p[y] > 0) sum += p[y] * log(p[y] / r[y]);
  return sum;
}

/* mean_x D_KL[p(t|x) || p_beta(t|x)] in bits, as the definition has it. */
static double mean_divergence(const ip_joint *joint, size_t n_cells, const uint32_t cell[],
                              double beta)
{
  const size_t k = (size_t)joint->k;
  double p_t[MOST] = {0}, p_ty[MOST * 4] = {0}, mean = 0;

  assert_true(n_cells <= MOST && k <= 4);
  for (size_t x = 0; x < joint->n; x++) {
    p_t[cell[x]] += joint->weight[x];
    for (size_t y = 0; y < k; y++)
      p_ty[cell[x] * k + y] += joint->weight[x] * joint->p[x * k + y];
  }
  for (size_t i = 0; i < n_cells * k; i++) p_ty[i] /= p_t[i / k];
  for (size_t x = 0; x < joint->n; x++) {
    double z = 0;
    const double own = divergence(k, joint->p + x * k, p_ty + cell[x] * k);

    for (size_t t = 0; t < n_cells; t++)
      z += p_t[t] * exp(-beta * (divergence(k, joint->p + x * k, p_ty + t * k) - own));
    mean -= joint->weight[x] * log2(p_t[cell[x]] / z);
  }
  return mean;
}

/* The answer against a fine grid of beta. */
static ip_best_beta checked(const made_joint *j, size_t n_cells, const uint32_t cell[])
{
  enum { STEPS = 3000 };
  const ip_joint *joint = &j->view;
  double least = INFINITY, least_at = 0;
  ip_best_beta got;

  OK(ip_bottleneck_layer(joint, n_cells, cell, &got));
  for (int i = 0; i <= STEPS; i++) {
    const double beta = pow(1000, (double)i / STEPS),
                 mean = mean_divergence(joint, n_cells, cell, beta);

    if (mean < least) least = mean, least_at = beta;
    assert_true(mean > got.misfit - 1e-10);
    if (mean < got.misfit + 0.01 - 1e-9)
      assert_true(got.low <= beta * (1 + 1e-12) && beta <= got.high * (1 + 1e-12));
    if (mean > got.misfit + 0.01 + 1e-9) assert_true(beta < got.low || beta > got.high);
  }
  NEAR(got.misfit, mean_divergence(joint, n_cells, cell, got.best), 1e-10, "misfit");
  NEAR(got.misfit, least, 1e-4, "minimum on the grid, at beta %g", least_at);
  assert_int_equal(got.edge, got.best == 1      ? IP_EDGE_LOW
                             : got.best == 1000 ? IP_EDGE_HIGH
                                                : IP_EDGE_NONE);
  assert_true(1 <= got.low && got.low <= got.best && got.best <= got.high && got.high <= 1000);
  return got;
}

/* ---- against the definition ---- */

/* By the likelier of two classes, with mistakes; for odd keys, four cells. */
static size_t divide(const made_joint *j, uint32_t key, uint32_t cell[])
{
  const size_t k = (size_t)j->view.k;

  for (size_t x = 0; x < j->view.n; x++) {
    cell[x] = j->p[x * k] > j->p[x * k + 1];
    if (x % (3 + key) == 0) cell[x] = 1 - cell[x];
    if (key % 2 && x % 5 == 1) cell[x] += 2;
  }
  cell[0] = 0, cell[2] = 1;
  if (key % 2) cell[3] = 2, cell[4] = 3;
  return key % 2 ? 4 : 2;
}

static void arbitrary(void **state)
{
  int inside = 0;

  (void)state;
  for (uint32_t key = 0; key < 12; key++) {
    made_joint j = joint_random(10 + 4 * key, 2 + (int32_t)(key % 3), 100 + key);
    uint32_t cell[MOST];
    const size_t n_cells = divide(&j, key, cell);

    inside += checked(&j, n_cells, cell).edge == IP_EDGE_NONE;
    joint_free(&j);
  }
  assert_true(inside >= 6);
}

/* ---- by hand ---- */

/* Two cells, each the mirror of the other, of p(y=1|x) = 0.1 and 0.55: the second is misplaced.
   D = mean over both of log2(1 + exp(-beta d)), d = 0.8 L and -0.1 L, L = ln(0.675 / 0.325). */
static void misplaced(void **state)
{
  static const uint32_t cell[4] = {0, 0, 1, 1};
  made_joint j = joint_of(4, (const double[]){0.1, 0.55, 0.45, 0.9});
  const double l = log(0.675 / 0.325);
  double low = 0.1, high = 100; /* of beta L, where 0.8/(1 + e^0.8u) = 0.1/(1 + e^-0.1u) */

  (void)state;
  for (int i = 0; i < 100; i++) {
    const double u = (low + high) / 2;

    if (0.8 / (1 + exp(0.8 * u)) > 0.1 / (1 + exp(-0.1 * u)))
      low = u;
    else
      high = u;
  }
  const ip_best_beta got = checked(&j, 2, cell);

  NEAR(got.best, low / l, 1e-8, "best beta");
  NEAR(got.misfit, (log2(1 + exp(-0.8 * low)) + log2(1 + exp(0.1 * low))) / 2, 1e-12, "misfit");
  assert_int_equal(got.edge, IP_EDGE_NONE);
  joint_free(&j);
}

/* T = X of two values: D = log2(1 + exp(-beta d)) falls for ever, d = 0.8 ln 9. */
static void all_of_x(void **state)
{
  static const uint32_t cell[2] = {0, 1};
  made_joint j = joint_of(2, (const double[]){0.1, 0.9});
  const ip_best_beta got = checked(&j, 2, cell);

  (void)state;
  assert_true(got.best == 1000 && got.edge == IP_EDGE_HIGH && got.high == 1000);
  NEAR(got.misfit, 0, 1e-15, "misfit");
  NEAR(got.low, -log(exp2(0.01) - 1) / (0.8 * log(9)), 1e-8, "low");
  joint_free(&j);
}

/* A constant satisfies the equations at every beta: the lowest is named, whatever rounding makes of
   the slope. */
static void constant(void **state)
{
  static const double gamma[4] = {3, 20, 54.492, 100};
  static uint32_t cell[4096];

  (void)state;
  for (int g = 0; g < 4; g++) {
    made_joint all = joint_of_rule(gamma[g], false);
    ip_best_beta got;

    OK(ip_bottleneck_layer(&all.view, 1, cell, &got));
    assert_true(got.best == 1 && got.edge == IP_EDGE_LOW && got.low == 1 && got.high == 1000);
    NEAR(got.misfit, 0, 1e-12, "misfit at gamma %g", gamma[g]);
    joint_free(&all);
  }
}

/* Three cells of one p(y|t): Z = 1, D = H(T) whatever beta is. */
static void nothing_to_tell(void **state)
{
  static const uint32_t cell[4] = {0, 1, 2, 2};
  made_joint j = joint_of(4, (const double[]){0.5, 0.5, 0.5, 0.5});
  const ip_best_beta got = checked(&j, 3, cell);

  (void)state;
  NEAR(got.misfit, 1.5, 1e-14, "H(T)");
  assert_int_equal(got.edge, IP_EDGE_LOW);
  joint_free(&j);
}

/* Certain labels, and T by chance from Y: p_beta(t|x) at beta 1 is p(t|y), which nothing beats.
   h(1/4) is left, since T tells equal x apart. */
static void chance(void **state)
{
  static const uint32_t cell[8] = {0, 0, 0, 1, 1, 1, 1, 0};
  made_joint j = joint_of(8, (const double[]){0, 0, 0, 0, 1, 1, 1, 1});
  const ip_best_beta got = checked(&j, 2, cell);

  (void)state;
  assert_true(got.best == 1 && got.edge == IP_EDGE_LOW && got.low == 1);
  assert_true(got.high < 2);
  NEAR(got.misfit, entropy2(0.25), 1e-14, "H(T|Y)");
  joint_free(&j);
}

/* p(y|t) without a class that x may have: weight 0.  D = log2(1 + 2^-beta) / 2. */
static void infinite_divergence(void **state)
{
  static const uint32_t cell[2] = {0, 1};
  made_joint j = joint_of(2, (const double[]){0, 0.5});
  ip_best_beta got;

  (void)state;
  OK(ip_bottleneck_layer(&j.view, 2, cell, &got));
  assert_true(got.best == 1000 && got.edge == IP_EDGE_HIGH);
  NEAR(got.misfit, 0, 1e-15, "misfit");
  NEAR(got.low, -log2(exp2(0.02) - 1), 1e-8, "low");
  j.p[2] = 0, j.p[3] = 1; /* certain labels: 0 at every beta */
  OK(ip_bottleneck_layer(&j.view, 2, cell, &got));
  assert_true(got.misfit == 0 && got.low == 1 && got.high == 1000);
  joint_free(&j);
}

/* ---- the patterns of the paper ---- */

/* T = k (set bits) of 4096 patterns, and of the joint distribution grouped by (k, f). */
static void patterns(void **state)
{
  enum { PATTERNS = 4096, GROUPS = 64 };
  made_joint all = joint_of_rule(54.492, false), few = joint_new(GROUPS, 2);
  static uint32_t cell[PATTERNS];
  uint32_t cell_of_group[GROUPS];
  double f[GROUPS];
  size_t groups = 0;
  ip_best_beta one, two;

  (void)state;
  memset(few.weight, 0, GROUPS * sizeof *few.weight);
  for (uint32_t i = 0; i < PATTERNS; i++) {
    size_t g = 0;

    cell[i] = (uint32_t)__builtin_popcount(i);
    while (g < groups && (cell_of_group[g] != cell[i] || fabs(f[g] - ip_symmetric_f(i)) > 1e-9))
      g++;
    if (g == groups) {
      assert_true(groups < GROUPS);
      cell_of_group[g] = cell[i], f[g] = ip_symmetric_f(i), groups++;
      memcpy(few.p + 2 * g, all.p + (size_t)2 * i, 2 * sizeof(double));
    }
    few.weight[g] += 1.0 / PATTERNS;
  }
  assert_int_equal(groups, GROUPS);
  OK(ip_bottleneck_layer(&all.view, 13, cell, &one));
  two = checked(&few, 13, cell_of_group);
  NEAR(one.best, two.best, 1e-7 * two.best, "best beta");
  NEAR(one.low, two.low, 1e-7 * two.low, "low");
  NEAR(one.high, two.high, 1e-7 * two.high, "high");
  NEAR(one.misfit, two.misfit, 1e-10, "misfit");
  assert_int_equal(one.edge, IP_EDGE_NONE);
  joint_free(&all), joint_free(&few);
}

/* T = X: D falls to 12 bits less the entropy of f, and is far from it: no solution. */
static void inputs_themselves(void **state)
{
  made_joint all = joint_of_rule(54.492, false);
  static uint32_t cell[4096];
  ip_best_beta one, two;

  (void)state;
  for (uint32_t i = 0; i < 4096; i++) cell[i] = i;
  OK(ip_bottleneck_layer(&all.view, 4096, cell, &one));
  assert_true(one.edge == IP_EDGE_HIGH && one.misfit > 12 - 5.347023);
  for (uint32_t i = 0; i < 4096; i++) cell[i] = 4095 - i; /* names of cells do not matter */
  memset(&two, 0xff, sizeof two);
  OK(ip_bottleneck_layer(&all.view, 4096, cell, &two));
  NEAR(one.misfit, two.misfit, 1e-11, "misfit");
  NEAR(one.low, two.low, 1e-6, "low");
  joint_free(&all);
}

static void refused(void **state)
{
  made_joint j = joint_of(3, (const double[]){0.1, 0.2, 0.7});
  ip_best_beta got = {.best = 7};

  (void)state;
  FAILS(ip_bottleneck_layer(&j.view, 2, (const uint32_t[]){0, 1, 2}, &got), IP_ERR_INTERNAL,
        "cell 2 of 2");
  FAILS(ip_bottleneck_layer(&j.view, 3, (const uint32_t[]){0, 2, 2}, &got), IP_ERR_INTERNAL,
        "cell 1 of 3 is empty");
  FAILS(ip_bottleneck_layer(&j.view, 0, (const uint32_t[]){0, 0, 0}, &got), IP_ERR_INTERNAL,
        "0 cells");
  j.weight[0] = 1;
  FAILS(ip_bottleneck_layer(&j.view, 1, (const uint32_t[]){0, 0, 0}, &got), IP_ERR_INTERNAL,
        "adds to 1.6");
  assert_true(got.best == 7);
  joint_free(&j);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(arbitrary),
      cmocka_unit_test(misplaced),
      cmocka_unit_test(all_of_x),
      cmocka_unit_test(constant),
      cmocka_unit_test(nothing_to_tell),
      cmocka_unit_test(chance),
      cmocka_unit_test(infinite_divergence),
      cmocka_unit_test(patterns),
      cmocka_unit_test(inputs_themselves),
      cmocka_unit_test(refused),
  };

  return RUN_TESTS(tests);
}
