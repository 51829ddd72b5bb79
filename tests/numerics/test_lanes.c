/* Sixteen lanes: e^x against libm in double, the edges, and the same bits for every width. */

#include "check.h"
#include "lanes_width.h"
#include <float.h>
#include <infoplane/numerics.h>

enum { LANES = 16 };

static const lanes_width *const width[] = {&lanes_width_baseline,
#ifndef IP_ONLY_BASELINE
                                           &lanes_width_avx2, &lanes_width_avx512
#endif
};

/* e^x of one number by the baseline. */
static float exp_of(float x)
{
  _Alignas(64) float lanes[LANES];

  for (int i = 0; i < LANES; i++) lanes[i] = x;
  width[0]->exp(lanes, lanes);
  for (int i = 1; i < LANES; i++) assert_memory_equal(&lanes[i], lanes, sizeof *lanes);
  return lanes[0];
}

/* Distance in units of the last place of a float at want; libm's exp in double is exact to 1e-8
   of such a unit. */
static double ulps(float have, double want)
{
  int exponent;

  frexp(want, &exponent);
  if (exponent < FLT_MIN_EXP) exponent = FLT_MIN_EXP;
  return fabs((double)have - want) / ldexp(1.0, exponent - FLT_MANT_DIG);
}

static void exp_agrees_with_libm(void **state)
{
  double worst = 0.0, at = 0.0;

  (void)state;
  for (int i = 0; i <= 88184; i++) { /* -87.3 ... 88.3 */
    const float x = -87.3F + (float)i * 0x1.05p-9F;
    const double error = ulps(exp_of(x), exp((double)x));

    if (error > worst) worst = error, at = (double)x;
  }
  for (int e = -149; e <= 6; e++)
    for (int sign = -1; sign <= 1; sign += 2) {
      const float p = (float)sign * ldexpf(1.0F, e);
      const double error = ulps(exp_of(p), exp((double)p));

      if (error > worst) worst = error, at = (double)p;
    }
  NEAR(worst, 0.0, 1.5, "ulp at %.9g", at);
}

static void exp_at_the_edges(void **state)
{
  const float most = __builtin_inff();

  (void)state;
  assert_true(exp_of(0.0F) == 1.0F && exp_of(-0.0F) == 1.0F);
  assert_true(exp_of(-87.4F) == 0.0F && exp_of(-1e30F) == 0.0F && exp_of(-most) == 0.0F);
  assert_true(exp_of(88.73F) == most && exp_of(1e30F) == most && exp_of(most) == most);
  assert_true(isfinite(exp_of(88.72F)) && exp_of(-87.3F) >= FLT_MIN);
  assert_true(isnan(exp_of(__builtin_nanf(""))));
}

static void widths_agree_to_the_last_bit(void **state)
{
  uint32_t bits = 1;

  (void)state;
  if (ip_isa_best() == IP_ISA_BASELINE) skip();
  for (int round = 0; round < 20000; round++) {
    _Alignas(64) float x[LANES], e[IP_ISAS][LANES];

    for (int i = 0; i < LANES; i++) {
      bits = bits * 1664525U + 1013904223U; /* Numerical Recipes' generator */
      x[i] = (float)((double)bits * 0x1p-32 * 180.0 - 90.0);
    }
    for (int isa = 0; isa <= (int)ip_isa_best(); isa++) {
      const float sum = width[isa]->sum(x), first = width[0]->sum(x);

      width[isa]->exp(x, e[isa]);
      assert_memory_equal(e[isa], e[0], sizeof e[0]);
      assert_memory_equal(&sum, &first, sizeof sum);
    }
  }
}

/* 2^24 swallows a 1 added to it alone, but not a 2: so what is added first shows in the sum. */
static float sum_of(int one, int other)
{
  _Alignas(64) float x[LANES] = {0x1p24F};

  x[one] += 1.0F, x[other] += 1.0F;
  return width[0]->sum(x);
}

static void sum_is_the_tree(void **state)
{
  (void)state;
  for (int half = LANES / 2; half > 1; half /= 2)
    assert_true(sum_of(half / 2, half / 2 + half) == 0x1p24F + 2.0F);
  assert_true(sum_of(8, 4) == 0x1p24F); /* 4 meets 12 first, and 0 then */
  assert_true(sum_of(4, 5) == 0x1p24F); /* neighbors meet last          */
}

/* Rows of all sizes and signs: each of sixteen sums is the one that a row has alone. */
static void sixteen_sums_are_those_of_each_row(void **state)
{
  _Alignas(64) float x[LANES * LANES], sum[LANES];

  (void)state;
  for (int i = 0; i < LANES * LANES; i++) x[i] = (float)ldexp(i % 7 - 3.1, i * 37 % 41 - 20);
  for (int isa = 0; isa <= (int)ip_isa_best(); isa++) {
    width[isa]->sums(x, sum);
    for (int i = 0; i < LANES; i++) assert_true(sum[i] == width[0]->sum(x + i * LANES));
  }
}

static void an_entry_is_told_by_three_bits(void **state)
{
  _Alignas(64) float table[LANES], entry[LANES];
  _Alignas(64) int index[LANES];

  (void)state;
  for (int i = 0; i < LANES; i++) table[i] = (float)(i % 8), index[i] = 5 * i - 40;
  for (int isa = 0; isa <= (int)ip_isa_best(); isa++) {
    width[isa]->entries(table, index, entry);
    for (int i = 0; i < LANES; i++) assert_true(entry[i] == (float)(index[i] & 7));
  }
}

/* What the headers say of NaN: the second one. */
static void comparisons(void **state)
{
  static const struct {
    float a, b, smaller, larger, where_from;
  } row[] = {
      {1,        2,      1,      2,        2},
      {2,        1,      1,      2,        1},
      {1,        1,      1,      1,        1},
      {-3,       2,      -3,     2,        2},
      {NAN,      1,      1,      1,        2},
      {1,        NAN,    NAN,    NAN,      2},
      {0,        -1e30F, -1e30F, 0,        1},
      {INFINITY, 1,      1,      INFINITY, 1},
  };
  const size_t rows = sizeof row / sizeof *row;
  _Alignas(64) float a[LANES], b[LANES], c[3][LANES];

  (void)state;
  for (size_t i = 0; i < LANES; i++) a[i] = row[i % rows].a, b[i] = row[i % rows].b;
  for (int isa = 0; isa <= (int)ip_isa_best(); isa++) {
    width[isa]->smaller(a, b, c[0]);
    width[isa]->larger(a, b, c[1]);
    width[isa]->where_from(a, b, c[2]);
    for (size_t i = 0; i < LANES; i++) {
      const float want[3] = {row[i % rows].smaller, row[i % rows].larger,
                             row[i % rows].where_from};

      for (int k = 0; k < 3; k++)
        assert_true(isnan(want[k]) ? isnan(c[k][i]) : c[k][i] == want[k]);
    }
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(exp_agrees_with_libm),
      cmocka_unit_test(exp_at_the_edges),
      cmocka_unit_test(widths_agree_to_the_last_bit),
      cmocka_unit_test(sum_is_the_tree),
      cmocka_unit_test(sixteen_sums_are_those_of_each_row),
      cmocka_unit_test(an_entry_is_told_by_three_bits),
      cmocka_unit_test(comparisons),
  };

  return RUN_TESTS(tests);
}
