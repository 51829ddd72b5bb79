/* Numbers of a joint distribution by hand: information, critical beta, distance to a curve. */

#include "joints.h"

static void information(void **state)
{
  made_joint j = joint_of(2, (const double[]){0.11, 0.89}), rule = joint_of_rule(54.492, false),
             grouped = joint_of_rule(54.492, true),
             same = joint_of(3, (const double[]){0.3, 0.3, 0.3});

  (void)state;
  NEAR(ip_joint_information(&j.view), 1 - entropy2(0.11), 1e-14, "symmetric channel");
  j.weight[0] = 0.75, j.weight[1] = 0.25; /* P(y=1) = 0.305 */
  NEAR(ip_joint_information(&j.view), entropy2(0.305) - entropy2(0.11), 1e-14, "unequal");
  NEAR(ip_joint_information(&rule.view), 0.990000, 1e-6, "acceptance 4");
  NEAR(ip_joint_information(&grouped.view), ip_joint_information(&rule.view), 1e-13, "grouped");
  NEAR(ip_joint_information(&same.view), 0, 1e-15, "X says nothing");
  joint_free(&j), joint_free(&rule), joint_free(&grouped), joint_free(&same);
}

static void critical_beta(void **state)
{
  made_joint three = joint_new(3, 3), same = joint_of(3, (const double[]){0.3, 0.3, 0.3});
  double beta = 0;

  (void)state;
  /* y is x with probability 1/2 + 1/6, else one of the others: eigenvalues 1, 1/4, 1/4 */
  for (size_t i = 0; i < 9; i++) three.p[i] = 1.0 / 6 + (i % 4 == 0 ? 0.5 : 0);
  OK(ip_bottleneck_critical(&three.view, &beta));
  NEAR(beta, 4, 1e-13, "two equal eigenvalues");
  /* 1/3 + 0.5 v v' + 0.4 w w', v = (1, -1, 0)/sqrt 2, w = (1, 1, -2)/sqrt 6: eigenvalues 0.25, 0.16 */
  for (size_t i = 0; i < 9; i++) {
    static const double v[3] = {1, -1, 0}, w[3] = {1, 1, -2};

    three.p[i] = 1.0 / 3 + 0.25 * v[i / 3] * v[i % 3] + 0.4 / 6 * w[i / 3] * w[i % 3];
  }
  OK(ip_bottleneck_critical(&three.view, &beta));
  NEAR(beta, 4, 1e-13, "the larger of two eigenvalues");
  OK(ip_bottleneck_critical(&same.view, &beta));
  assert_true(isinf(beta));
  /* a class that never occurs; x = 0 and 1 differ by 0.6 and 0.6: lambda = 0.36 */
  for (size_t i = 0; i < 9; i++) three.p[i] = 0;
  three.p[0] = three.p[4] = 0.8, three.p[1] = three.p[3] = 0.2;
  three.view.n = 2;
  three.weight[0] = three.weight[1] = 0.5;
  OK(ip_bottleneck_critical(&three.view, &beta));
  NEAR(beta, 1 / 0.36, 1e-12, "an empty class");
  three.weight[0] = 0.6;
  FAILS(ip_bottleneck_critical(&three.view, &beta), IP_ERR_INTERNAL, "adds to 1.1");
  NEAR(beta, 1 / 0.36, 1e-12, "unchanged on error");
  joint_free(&three), joint_free(&same);
}

static void grid_of_beta(void **state)
{
  (void)state;
  assert_true(ip_bottleneck_beta(5) == 1.01 && ip_bottleneck_beta(25) == 2);
  assert_true(ip_bottleneck_beta(35) == 11 && ip_bottleneck_beta(55) == 1001);
  for (size_t i = 0; i < 56; i++)
    NEAR(ip_bottleneck_beta(i) / (1 + pow(10, (double)i / 10 - 2.5)), 1, 1e-14, "beta %zu", i);
  assert_true(isnan(ip_bottleneck_beta(56)) && isnan(ip_bottleneck_beta((size_t)-1)));
}

static void same(double have, double want, const char *what, size_t i)
{
  assert_int_equal(isnan(have), isnan(want));
  if (!isnan(want)) NEAR(have, want, 1e-6, "%s of place %zu", what, i);
}

/* The curve (0,0) (0,0) (1,0.5) (3,0.75): places, and their distances. */
static void distances(void **state)
{
  static const double x[3] = {0, 1, 3}, y[3] = {0, 0.5, 0.75};
  static const struct {
    double i_xt, i_ty, horizontal, vertical;
  } place[] = {
      {1,           0.5,          0,           0          },
      {2,           0.5,          1,           0.125      },
      {0.5,         0.1,          0.3,         0.15       },
      {2,           0.7,          -0.6,        -0.075     },
      {5,           0.625,        3,           (double)NAN},
      {3,           0.75,         0,           0          },
      {3.5,         0.8,          (double)NAN, (double)NAN},
      {2,           0.8,          (double)NAN, -0.175     },
      {2,           -0.1,         2,           0.725      },
      {-0.2,        0,            -0.2,        0          },
      {0,           0,            0,           0          },
      {4,           0.75 + 1e-10, 1,           (double)NAN},
      {(double)NAN, 0.5,          (double)NAN, (double)NAN},
  };

  (void)state;
  for (size_t i = 0; i < sizeof place / sizeof place[0]; i++) {
    const ip_bound_distance d = ip_bottleneck_distance(3, x, y, place[i].i_xt, place[i].i_ty);

    same(d.horizontal, place[i].horizontal, "horizontal", i);
    same(d.vertical, place[i].vertical, "vertical", i);
  }
}

/* A flat end: the least I(X;T); no point but (0, 0). */
static void odd_curves(void **state)
{
  static const double x[3] = {1, 2, 3}, y[3] = {1, 1, 1};
  ip_bound_distance d = ip_bottleneck_distance(3, x, y, 2.5, 1);

  (void)state;
  NEAR(d.horizontal, 1.5, 1e-15, "horizontal");
  NEAR(d.vertical, 0, 1e-15, "vertical");
  d = ip_bottleneck_distance(0, NULL, NULL, 2, 0);
  assert_true(d.horizontal == 2 && isnan(d.vertical));
}

/* Acceptance number 3 at gamma 54.492: T = X costs 12 bits where the entropy of f would do. */
static void beyond_the_end(void **state)
{
  static const double beta[3] = {2, 100, (double)INFINITY};
  made_joint rule = joint_of_rule(54.492, true);
  const double i_xy = ip_joint_information(&rule.view);
  ip_bound_point point[3];
  double x[3], y[3];

  (void)state;
  OK(ip_bottleneck_curve(&rule.view, IP_BOTTLENECK_PLAIN, 3, beta, point));
  for (int i = 0; i < 3; i++) x[i] = point[i].i_xt, y[i] = point[i].i_ty;
  same(ip_bottleneck_distance(3, x, y, 12, i_xy).horizontal, 12 - 5.347023, "T = X", 0);
  same(ip_bottleneck_distance(3, x, y, 12, i_xy).vertical, (double)NAN, "T = X", 0);
  same(ip_bottleneck_distance(2, x, y, 12, i_xy).horizontal, (double)NAN, "without the end", 0);
  joint_free(&rule);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(information),  cmocka_unit_test(critical_beta),
      cmocka_unit_test(grid_of_beta), cmocka_unit_test(distances),
      cmocka_unit_test(odd_curves),   cmocka_unit_test(beyond_the_end),
  };

  return RUN_TESTS(tests);
}
