/* Entropies by hand, the bias formula, and the order in which sums are taken. */

#include "check.h"
#include <infoplane/numerics.h>
#include <stdlib.h>

static double of_counts(size_t n, const uint32_t count[])
{
  double weight[8];

  for (size_t i = 0; i < n; i++) weight[i] = (double)count[i];
  NEAR(ip_entropy_weights(n, weight), ip_entropy_counts(n, count), 1e-15, "weights = counts");
  return ip_entropy_counts(n, count);
}

static void entropies_by_hand(void **state)
{
  (void)state;
  NEAR(of_counts(2, (uint32_t[]){1, 1}), 1, 0, "a fair coin");
  NEAR(of_counts(3, (uint32_t[]){2, 0, 2}), 1, 0, "zero counts");
  NEAR(of_counts(8, (uint32_t[]){5, 5, 5, 5, 5, 5, 5, 5}), 3, 1e-15, "eight equal cells");
  NEAR(of_counts(3, (uint32_t[]){2, 1, 1}), 1.5, 1e-15, "1/2 1/4 1/4");
  NEAR(of_counts(2, (uint32_t[]){2, 1}), 0.918295834054490, 1e-14, "{0, 0, 1}");
  NEAR(of_counts(2, (uint32_t[]){2118, 1978}), 0.999157120850, 1e-12, "H(Y) of var_u.mat");
  NEAR(of_counts(1, (uint32_t[]){4096}), 0, 0, "one cell");
  NEAR(of_counts(3, (uint32_t[]){0, 0, 0}), 0, 0, "no samples");
  NEAR(of_counts(0, NULL), 0, 0, "no cells");
}

/* Counts whose sum does not fit in 32 bits. */
static void many_samples(void **state)
{
  (void)state;
  NEAR(of_counts(2, (uint32_t[]){UINT32_MAX, UINT32_MAX}), 1, 1e-14, "two full counters");
}

/* Weights need not sum to one: H(1/4, 3/4) = 2 - 3/4 log2 3. */
static void weights_of_any_scale(void **state)
{
  const double want = 2.0 - 0.75 * log2(3.0), scale[] = {1e-3, 1.0, 1e3};

  (void)state;
  for (int i = 0; i < 3; i++)
    NEAR(ip_entropy_weights(3, (double[]){0.25 * scale[i], 0.0, 0.75 * scale[i]}), want, 1e-12,
         "scale %g", scale[i]);
}

static void bias(void **state)
{
  (void)state;
  /* acceptance: 100 cells, 2 classes, 4096 samples: 99 / (8192 ln 2) */
  NEAR(ip_plugin_bias(100, 2, 4096), 0.01743, 5e-6, "100 cells");
  NEAR(ip_plugin_bias(1, 2, 4096), 0, 0, "one cell");
}

/* Pairwise: a million tenths end within a few ulp, where the plain loop is off by 1e-6; and the
   partition is ours: halves above 64 elements, in order below. */
static void sums(void **state)
{
  enum { N = 1000000 };
  double *value, want = 0.0;

  (void)state;
  OK(IP_ALLOCATE(N, &value));
  for (int i = 0; i < N; i++) value[i] = 0.1;
  NEAR(ip_sum(N, value), 1e5, 1e-10, "a million tenths");
  for (int i = 0; i < 64; i++) value[i] = ldexp(1.0 + i, i % 2 ? 40 : -40), want += value[i];
  assert_true(ip_sum(64, value) == want);
  for (int i = 64; i < 65; i++) value[i] = 0x1p-40;
  double half[2] = {0.0, 0.0};

  for (int i = 0; i < 65; i++) half[i >= 32] += value[i];
  assert_true(ip_sum(65, value) == half[0] + half[1]);
  assert_true(ip_sum(0, value) == 0.0);
  ip_release(&value);
}

static void isa_names(void **state)
{
  (void)state;
  assert_string_equal(ip_isa_name(IP_ISA_BASELINE), "baseline");
  assert_string_equal(ip_isa_name(IP_ISA_AVX512), "avx512");
  assert_null(ip_isa_name(IP_ISAS));
  assert_int_equal(setenv("INFOPLANE_ISA", "baseline", 1), 0);
  assert_int_equal(ip_isa_best(), IP_ISA_BASELINE);
  assert_int_equal(unsetenv("INFOPLANE_ISA"), 0);
  assert_true(ip_isa_best() < IP_ISAS);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(entropies_by_hand),
      cmocka_unit_test(many_samples),
      cmocka_unit_test(weights_of_any_scale),
      cmocka_unit_test(bias),
      cmocka_unit_test(sums),
      cmocka_unit_test(isa_names),
  };

  return RUN_TESTS(tests);
}
