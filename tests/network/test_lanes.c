/* The sixteen lanes: exactly rounded arithmetic, the one tree, and e^x against libm. */

#include "fixture.h"
#include <infoplane/lanes.h>

static void exponential(void **state)
{
  float x[IP_LANES] __attribute__((aligned(64))), e[IP_LANES] __attribute__((aligned(64)));
  double worst = 0;

  (void)state;
  for (int at = -87300; at < 88300; at += IP_LANES) {
    for (int i = 0; i < IP_LANES; i++) x[i] = (float)(at + i) * 1e-3F;
    ip_store_lanes(e, ip_exp_lanes(ip_load(x)));
    for (int i = 0; i < IP_LANES; i++) {
      const double want = exp((double)x[i]);

      worst = fmax(worst, fabs((double)e[i] - want) / ldexp(1, ilogb(want) - 23));
    }
  }
  print_message("exp: %.2f ulp\n", worst);
  assert_true(worst < 1.5);
}

static void exponential_at_its_ends(void **state)
{
  static const float x[IP_LANES] __attribute__((aligned(64))) = {
      0, 88.72F, 88.73F, 1e30F, INFINITY, -87.2F, -88, -1e30F, -INFINITY, NAN};
  float e[IP_LANES] __attribute__((aligned(64)));

  (void)state;
  ip_store_lanes(e, ip_exp_lanes(ip_load(x)));
  assert_true(e[0] == 1.0F);
  assert_true(isfinite(e[1]) && e[1] > 3.3e38F);
  for (int i = 2; i < 5; i++) assert_true(e[i] == INFINITY);
  assert_true(e[5] > 1.1754944e-38F);
  for (int i = 6; i < 9; i++) assert_true(e[i] == 0.0F);
  assert_true(isnan(e[9]));
}

/* 1 + 2^-24 rounds to 1: the tree shows in which order the lanes were added. */
static void sums_in_one_tree(void **state)
{
  float v[IP_LANES] __attribute__((aligned(64))) = {1};
  float want[IP_LANES];

  (void)state;
  for (int i = 1; i < IP_LANES; i++) v[i] = 0x1p-24F * (float)(1 + i % 3);
  memcpy(want, v, sizeof v);
  for (int half = 8; half > 0; half /= 2)
    for (int i = 0; i < half; i++) want[i] += want[i + half];
  assert_true(ip_sum_lanes(ip_load(v)) == want[0]);
}

static void four_sums_in_the_same_tree(void **state)
{
  float v[4 * IP_LANES] __attribute__((aligned(64)));
  ip_four sum;

  (void)state;
  for (uint64_t i = 0; i < COUNT(v); i++) v[i] = (float)exp(10 * draw(6, i));
  sum = ip_sum_four(v);
  for (size_t i = 0; i < 4; i++) assert_true(sum[i] == ip_sum_lanes(ip_load(v + i * IP_LANES)));
}

static void fma_rounds_once(void **state)
{
  float r[IP_LANES] __attribute__((aligned(64)));

  (void)state;
  /* (1 + 2^-12)^2 - 1 = 2^-11 + 2^-24 */
  ip_store_lanes(r, ip_fma(ip_all(1 + 0x1p-12F), ip_all(1 + 0x1p-12F), ip_all(-1)));
  for (int i = 0; i < IP_LANES; i++) assert_true(r[i] == 0x1p-11F + 0x1p-24F);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(exponential),      cmocka_unit_test(exponential_at_its_ends),
      cmocka_unit_test(sums_in_one_tree), cmocka_unit_test(four_sums_in_the_same_tree),
      cmocka_unit_test(fma_rounds_once),
  };

  return RUN_TESTS(tests);
}
