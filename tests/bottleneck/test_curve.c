/* The curve: known points, closed forms, no better point anywhere, one solver against the other. */

#include "joints.h"

#include <petscsys.h>

enum { POINTS = 56 };

static void grid(double beta[POINTS])
{
  for (size_t i = 0; i < POINTS; i++) beta[i] = ip_bottleneck_beta(i);
}

static ip_bound_point at(const made_joint *j, ip_bottleneck_solver solver, double beta)
{
  ip_bound_point point;

  OK(ip_bottleneck_curve(&j->view, solver, 1, &beta, &point));
  assert_true(point.beta == beta && point.converged);
  return point;
}

/* ---- known points ---- */

/* Acceptance number 5. */
static void rule_of_the_paper(void **state)
{
  static const double beta[3] =
      {
          1.1, 2, 100
  },
                      want[3][2] = {{0.98040, 0.96920}, {0.99911, 0.98482}, {1.26987, 0.98966}};
  made_joint rule = joint_of_rule(54.492, true);
  ip_bound_point point[3];
  double critical = 0;

  (void)state;
  OK(ip_bottleneck_critical(&rule.view, &critical));
  NEAR(critical, 1.005218, 5e-7, "critical beta");
  OK(ip_bottleneck_curve(&rule.view, IP_BOTTLENECK_SNES, 3, beta, point));
  for (int i = 0; i < 3; i++) {
    assert_true(point[i].converged);
    NEAR(point[i].i_xt, want[i][0], 1e-5, "I(X;T) at beta %g", beta[i]);
    NEAR(point[i].i_ty, want[i][1], 1e-5, "I(T;Y) at beta %g", beta[i]);
  }
  joint_free(&rule);
}

/* What a cluster of no mass at p(y=1|t) = r is multiplied by, where T is constant: above 1
   somewhere exactly if another T is better. */
static double growth_from_constant(const made_joint *j, double beta, double r)
{
  double one = 0, sum = 0;

  for (size_t x = 0; x < j->view.n; x++) one += j->weight[x] * j->p[2 * x + 1];
  for (size_t x = 0; x < j->view.n; x++) {
    const double *p = j->p + 2 * x;

    sum += j->weight[x] * exp(beta * (p[0] * log((1 - r) / (1 - one)) + p[1] * log(r / one)));
  }
  return sum;
}

/* The constant stops being the best before it is unstable: a rare cluster far from p(y) pays. */
static void first_transition(void **state)
{
  static const double beta[4] = {0.5, 1.0049, 1.0051, 1.0052};
  made_joint rule = joint_of_rule(54.492, true);
  ip_bound_point point[4];

  (void)state;
  OK(ip_bottleneck_curve(&rule.view, IP_BOTTLENECK_SNES, 4, beta, point));
  for (int b = 1; b < 4; b++) {
    double most = 0;

    for (int i = 1; i < 10000; i++)
      most = fmax(most, growth_from_constant(&rule, beta[b], i / 10000.0));
    assert_true(b == 1 ? most < 1 + 1e-9 : most > 1 + 1e-6);
  }
  for (int b = 0; b < 4; b++) {
    const double gain = beta[b] * point[b].i_ty - point[b].i_xt;

    assert_true(point[b].converged);
    assert_true(b < 2 ? point[b].i_xt == 0 && point[b].i_ty == 0 : gain > 1e-6);
  }
  joint_free(&rule);
}

/* X uniform on two values, Y its noisy copy, wrong with probability p: T is a noisy copy too,
   wrong with a, I(X;T) = 1 - h(a), I(T;Y) = 1 - h(a (1 - p) + (1 - a) p) (Wyner and Ziv 1973). */
static void symmetric_channel(void **state)
{
  static const double wrong[3] = {0.01, 0.11, 0.3}, a[5] = {0.45, 0.3, 0.1, 0.01, 1e-3};

  (void)state;
  for (int i = 0; i < 3; i++) {
    const double p = wrong[i];
    made_joint j = joint_of(2, (const double[]){p, 1 - p});
    double critical = 0;

    OK(ip_bottleneck_critical(&j.view, &critical));
    NEAR(critical, 1 / (1 - 2 * p) / (1 - 2 * p), 1e-11, "critical beta at p = %g", p);
    for (int s = 0; s < 10; s++) {
      const double b = a[s / 2] * (1 - p) + (1 - a[s / 2]) * p,
                   beta = log(1 / a[s / 2] - 1) / (log(1 / b - 1) * (1 - 2 * p));
      const ip_bound_point point = at(&j, (ip_bottleneck_solver)(s % 2), beta);

      NEAR(point.i_xt, 1 - entropy2(a[s / 2]), 2e-7, "I(X;T) at p = %g, beta %g", p, beta);
      NEAR(point.i_ty, 1 - entropy2(b), 2e-7, "I(T;Y) at p = %g, beta %g", p, beta);
    }
    assert_true(at(&j, IP_BOTTLENECK_SNES, critical * 0.999).i_xt == 0);
    joint_free(&j);
  }
}

/* Y is one of `k` with certainty where x is below the last, and no more is to be had than Y. */
static void certain_labels(void **state)
{
  static const double beta[3] = {0.9, 1.01, 50};
  made_joint j = joint_new(9, 3);
  ip_bound_point point[3];

  (void)state;
  for (size_t x = 0; x < 9; x++) j.p[3 * x + x % 3] = 1;
  for (int s = 0; s < 2; s++) {
    OK(ip_bottleneck_curve(&j.view, (ip_bottleneck_solver)s, 3, beta, point));
    assert_true(point[0].i_xt == 0 && point[0].i_ty == 0);
    for (int b = 1; b < 3; b++) {
      NEAR(point[b].i_xt, log2(3), 1e-9, "I(X;T)");
      NEAR(point[b].i_ty, log2(3), 1e-9, "I(T;Y)");
    }
  }
  joint_free(&j);
}

/* Three values of x, two of them with the same p(y|x): T = p(y|x) at infinite beta. */
static void end_of_the_curve(void **state)
{
  static const double beta[2] = {1e5, (double)INFINITY};
  made_joint j = joint_of(3, (const double[]){0.25, 0.75, 0.25});
  ip_bound_point point[2];
  const double h = entropy2(1.0 / 3),
               i_xy = entropy2((0.25 + 0.75 + 0.25) / 3) - entropy2(0.25);

  (void)state;
  OK(ip_bottleneck_curve(&j.view, IP_BOTTLENECK_SNES, 2, beta, point));
  for (int b = 0; b < 2; b++) {
    NEAR(point[b].i_xt, h, 1e-9, "I(X;T) at beta %g", beta[b]);
    NEAR(point[b].i_ty, i_xy, 1e-9, "I(T;Y) at beta %g", beta[b]);
  }
  joint_free(&j);
}

/* ---- the shape ---- */

/* No point of the curve is better at the beta of another: concave, monotone, slope 1/beta. */
static void best_of_all(size_t n, const ip_bound_point point[], const char *what)
{
  for (size_t i = 0; i < n; i++) {
    const double least = point[i].i_xt - point[i].beta * point[i].i_ty;

    if (!point[i].converged || point[i].gap > 1e-6)
      fail_msg("%s, beta %g: residual %g, gap %g", what, point[i].beta, point[i].residual,
               point[i].gap);
    for (size_t j = 0; j < n; j++)
      if (point[j].i_xt - point[i].beta * point[j].i_ty < least - 1e-8)
        fail_msg("%s: at beta %g the point of beta %g is better by %g", what, point[i].beta,
                 point[j].beta, least - point[j].i_xt + point[i].beta * point[j].i_ty);
    assert_true(i == 0 || (point[i].i_xt >= point[i - 1].i_xt - 1e-9 &&
                           point[i].i_ty >= point[i - 1].i_ty - 1e-9));
  }
}

static void concave(void **state)
{
  static const double gamma[4] = {3, 10, 30, 54.492};
  double beta[POINTS];
  ip_bound_point point[POINTS];

  (void)state;
  grid(beta);
  for (int g = 0; g < 4; g++) {
    made_joint rule = joint_of_rule(gamma[g], true);
    char what[32];

    snprintf(what, sizeof what, "gamma %g", gamma[g]);
    OK(ip_bottleneck_curve(&rule.view, IP_BOTTLENECK_SNES, POINTS, beta, point));
    best_of_all(POINTS, point, what);
    joint_free(&rule);
  }
}

/* Branches that end suddenly, several classes, zeros. */
static void arbitrary(void **state)
{
  double beta[POINTS];
  ip_bound_point point[POINTS];

  (void)state;
  grid(beta);
  for (uint32_t key = 0; key < 24; key++) {
    const size_t n = 2 + 3 * (key % 5);
    const int32_t k = 2 + (int32_t)(key % 3);
    made_joint j = joint_random(n, k, key);
    char what[64];

    snprintf(what, sizeof what, "n = %zu, k = %d, number %u", n, k, key);
    OK(ip_bottleneck_curve(&j.view, IP_BOTTLENECK_SNES, POINTS, beta, point));
    best_of_all(POINTS, point, what);
    joint_free(&j);
  }
}

/* What the search for missing clusters misses is found out by the other points, and said. */
static void beaten_points_say_so(void **state)
{
  static const uint32_t key[3] = {254, 121, 229};
  double beta[POINTS];
  ip_bound_point point[POINTS];

  (void)state;
  grid(beta);
  for (int t = 0; t < 3; t++) {
    made_joint j = joint_random(2 + key[t] % 12, 2 + (int32_t)(key[t] / 12 % 4), key[t]);

    OK(ip_bottleneck_curve(&j.view, IP_BOTTLENECK_SNES, POINTS, beta, point));
    for (int a = 0; a < POINTS; a++)
      for (int b = 0; b < POINTS; b++) {
        const double better =
            point[a].i_xt - point[b].i_xt + beta[a] * (point[b].i_ty - point[a].i_ty);

        assert_true(point[a].gap >= better);
        assert_true(better <= 1e-6 || !point[a].converged);
      }
    joint_free(&j);
  }
}

/* Slope 1/beta: between two betas the chord's lies between theirs. */
static void slope(void **state)
{
  static const double beta[4] = {1.02, 1.1, 1.5, 80};
  made_joint rule = joint_of_rule(54.492, true);

  (void)state;
  for (int b = 0; b < 4; b++) {
    const double two[2] = {beta[b] * (1 - 1e-4), beta[b] * (1 + 1e-4)};
    ip_bound_point point[2];

    OK(ip_bottleneck_curve(&rule.view, IP_BOTTLENECK_SNES, 2, two, point));

    const double chord = (point[1].i_ty - point[0].i_ty) / (point[1].i_xt - point[0].i_xt);

    if (!(1 / two[1] < chord && chord < 1 / two[0]))
      fail_msg("beta %g: 1 / slope = %.9g", beta[b], 1 / chord);
  }
  joint_free(&rule);
}

/* ---- the solvers ---- */

/* From i = 3 on: below its critical beta the plain iteration does not arrive. */
static void snes_against_plain(void **state)
{
  made_joint rule = joint_of_rule(54.492, true);
  double beta[POINTS];
  ip_bound_point fast[POINTS], slow[POINTS];
  int64_t few = 0, many = 0;

  (void)state;
  grid(beta);
  OK(ip_bottleneck_curve(&rule.view, IP_BOTTLENECK_SNES, POINTS - 3, beta + 3, fast));
  OK(ip_bottleneck_curve(&rule.view, IP_BOTTLENECK_PLAIN, POINTS - 3, beta + 3, slow));
  for (size_t i = 0; i < POINTS - 3; i++) {
    NEAR(fast[i].i_xt, slow[i].i_xt, 1e-7, "I(X;T) at beta %g", fast[i].beta);
    NEAR(fast[i].i_ty, slow[i].i_ty, 1e-7, "I(T;Y) at beta %g", fast[i].beta);
    assert_true(slow[i].converged && slow[i].residual <= 1e-10 && fast[i].residual <= 1e-10);
    few += fast[i].iterations;
    many += slow[i].iterations;
  }
  print_message("evaluations: SNES %lld, plain %lld\n", (long long)few, (long long)many);
  assert_true(5 * few < many);
  joint_free(&rule);
}

static void does_not_arrive(void **state)
{
  const double beta = ip_bottleneck_beta(2);
  made_joint rule = joint_of_rule(54.492, true);
  ip_bound_point point;

  (void)state;
  OK(ip_bottleneck_curve(&rule.view, IP_BOTTLENECK_PLAIN, 1, &beta, &point));
  assert_true(!point.converged && point.residual > 1e-10);
  assert_in_range(point.iterations, 200000, 200002);
  joint_free(&rule);
}

static void same_bits(void **state)
{
  made_joint rule = joint_of_rule(5, true);
  double beta[POINTS];
  ip_bound_point one[POINTS], two[POINTS];

  (void)state;
  grid(beta);
  memset(one, 0, sizeof one), memset(two, 0xff, sizeof two);
  OK(ip_bottleneck_curve(&rule.view, IP_BOTTLENECK_SNES, POINTS, beta, one));
  OK(ip_bottleneck_curve(&rule.view, IP_BOTTLENECK_SNES, POINTS, beta, two));
  for (size_t i = 0; i < POINTS; i++) {
    assert_memory_equal(&one[i].i_xt, &two[i].i_xt, 4 * sizeof(double));
    assert_int_equal(one[i].iterations, two[i].iterations);
  }
  joint_free(&rule);
}

/* PETSc's options reach the solver: one step of SNES is too few to help. */
static void options_of_petsc(void **state)
{
  made_joint rule = joint_of_rule(54.492, true);
  const int64_t few = at(&rule, IP_BOTTLENECK_SNES, 1.01).iterations;

  (void)state;
  OK(PetscOptionsSetValue(NULL, "-bottleneck_snes_max_it", "1"));
  assert_true(at(&rule, IP_BOTTLENECK_SNES, 1.01).iterations > 2 * few);
  OK(PetscOptionsClearValue(NULL, "-bottleneck_snes_max_it"));
  assert_int_equal(at(&rule, IP_BOTTLENECK_SNES, 1.01).iterations, few);
  joint_free(&rule);
}

/* ---- refused ---- */

static void refused(void **state)
{
  static const double falling[2] = {2, 1.5}, zero = 0, two = 2;
  made_joint j = joint_of(2, (const double[]){0.2, 0.9});
  ip_bound_point point = {.beta = 7};

  (void)state;
  FAILS(ip_bottleneck_curve(&j.view, IP_BOTTLENECK_PLAIN, 2, falling, &point), IP_ERR_INTERNAL,
        "1.5 after 2");
  FAILS(ip_bottleneck_curve(&j.view, IP_BOTTLENECK_PLAIN, 1, &zero, &point), IP_ERR_INTERNAL,
        "is 0");
  FAILS(ip_bottleneck_curve(&j.view, (ip_bottleneck_solver)2, 1, &two, &point), IP_ERR_INTERNAL,
        "solver 2");
  j.p[3] = 0.95;
  FAILS(ip_bottleneck_curve(&j.view, IP_BOTTLENECK_PLAIN, 1, &two, &point), IP_ERR_INTERNAL,
        "row 1 adds to 1.05");
  j.p[3] = 1.1, j.p[2] = -0.1;
  FAILS(ip_bottleneck_curve(&j.view, IP_BOTTLENECK_PLAIN, 1, &two, &point), IP_ERR_INTERNAL,
        "class 0, is -0.1");
  j.p[3] = 0.9, j.p[2] = 0.1, j.weight[0] = 0.4;
  FAILS(ip_bottleneck_curve(&j.view, IP_BOTTLENECK_PLAIN, 1, &two, &point), IP_ERR_INTERNAL,
        "p(x) adds to 0.9");
  j.weight[0] = 0, j.weight[1] = 1;
  FAILS(ip_bottleneck_curve(&j.view, IP_BOTTLENECK_PLAIN, 1, &two, &point), IP_ERR_INTERNAL,
        "p(x) of row 0 is 0");
  assert_true(point.beta == 7);
  joint_free(&j);
}

static void needs_petsc(void **state)
{
  static const double beta = 2;
  made_joint j = joint_of(2, (const double[]){0.2, 0.9});
  ip_bound_point point = {.beta = 7};

  (void)state;
  FAILS(ip_bottleneck_curve(&j.view, IP_BOTTLENECK_SNES, 1, &beta, &point), IP_ERR_INTERNAL,
        "PETSc");
  assert_true(point.beta == 7);
  OK(ip_bottleneck_curve(&j.view, IP_BOTTLENECK_PLAIN, 1, &beta, &point));
  joint_free(&j);
}

int main(void)
{
  const struct CMUnitTest before[] = {cmocka_unit_test(needs_petsc)};
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rule_of_the_paper),
      cmocka_unit_test(first_transition),
      cmocka_unit_test(symmetric_channel),
      cmocka_unit_test(certain_labels),
      cmocka_unit_test(end_of_the_curve),
      cmocka_unit_test(concave),
      cmocka_unit_test(arbitrary),
      cmocka_unit_test(beaten_points_say_so),
      cmocka_unit_test(slope),
      cmocka_unit_test(snes_against_plain),
      cmocka_unit_test(does_not_arrive),
      cmocka_unit_test(same_bits),
      cmocka_unit_test(options_of_petsc),
      cmocka_unit_test(refused),
  };
  int failed = RUN_TESTS(before);

  if (PetscInitializeNoArguments()) return 1;
  failed += RUN_TESTS(tests);
  return PetscFinalize() ? 1 : failed;
}
