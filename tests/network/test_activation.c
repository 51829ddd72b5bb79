/* Activations of every vector width: their error in units of the last place against libm in
   double, where they saturate, and the same bits from all widths. */

#include "fixture.h"
#include "kernels.h"

static const ip_activation_kernels *kernels(ip_isa isa)
{
#ifndef IP_ONLY_BASELINE
  if (isa == IP_ISA_AVX2) return &ip_activation_kernels_avx2;
  if (isa == IP_ISA_AVX512) return &ip_activation_kernels_avx512;
#endif
  (void)isa;
  return &ip_activation_kernels_baseline;
}

static double true_relu(double z)
{
  return fmax(z, 0);
}

static double true_sigmoid(double z)
{
  return 1 / (1 + exp(-z));
}

static double true_softsign(double z)
{
  return z / (1 + fabs(z));
}

static double true_softplus(double z)
{
  return fmax(z, 0) + log1p(exp(-fabs(z)));
}

static double true_linear(double z)
{
  return z;
}

static double slope_tanh(double z)
{
  return 1 / (cosh(z) * cosh(z));
}

static double slope_relu(double z)
{
  return z > 0;
}

static double slope_sigmoid(double z)
{
  return true_sigmoid(z) * true_sigmoid(-z);
}

static double slope_softsign(double z)
{
  return pow(1 + fabs(z), -2);
}

static double slope_linear(double z)
{
  (void)z;
  return 1;
}

/* slope: absolute error, since 1 - a^2 and its like know no better. */
static const struct {
  const char *name;
  double (*value)(double z), (*slope)(double z);
  double ulps, slope_error;
} known[] = {
    {"tanh",     tanh,          slope_tanh,     1.2, 3e-7},
    {"relu",     true_relu,     slope_relu,     0,   0   },
    {"sigmoid",  true_sigmoid,  slope_sigmoid,  3,   1e-7},
    {"softsign", true_softsign, slope_softsign, 1.5, 2e-7},
    {"softplus", true_softplus, true_sigmoid,   3,   2e-7},
    {"linear",   true_linear,   slope_linear,   0,   0   },
};

/* Error in units of the last place of a float. */
static double ulps(float have, double want)
{
  int exponent;

  frexp(want, &exponent);
  return fabs((double)have - want) / ldexp(1, (exponent < -125 ? -125 : exponent) - 24);
}

enum { BLOCK = 4096 };

static float a[BLOCK] __attribute__((aligned(64))), b[BLOCK] __attribute__((aligned(64))),
    z[BLOCK];

/* The next block of floats with both signs, about evenly spaced in bits up to 80. */
static bool next_block(uint32_t *bits, uint32_t step)
{
  for (size_t i = 0; i < BLOCK; i++) {
    const uint32_t signed_bits = i % 2 ? *bits | 1U << 31 : *bits;

    memcpy(&z[i], &signed_bits, sizeof z[i]);
    a[i] = z[i];
    if (i % 2) *bits += step;
  }
  return *bits < 0x42a00000; /* 80 */
}

static void sweep(size_t i)
{
  const ip_activation_kernels *k = kernels(ip_isa_best());
  const size_t row = named(ip_activation_name, known[i].name);
  double worst = 0, worst_slope = 0;
  bool more = true;

  for (uint32_t bits = 0x20000000; more;) {
    more = next_block(&bits, 4001);
    k->apply(row, 1, BLOCK, BLOCK, a);
    for (size_t s = 0; s < BLOCK; s++) {
      worst = fmax(worst, ulps(a[s], known[i].value((double)z[s])));
      b[s] = 1;
    }
    k->slope(row, 1, BLOCK, BLOCK, a, b);
    for (size_t s = 0; s < BLOCK; s++)
      worst_slope = fmax(worst_slope, fabs((double)b[s] - known[i].slope((double)z[s])));
  }
  print_message("%s: %.2f ulp, slope %.1e\n", known[i].name, worst, worst_slope);
  NEAR(worst, 0, known[i].ulps, "%s: ulp", known[i].name);
  NEAR(worst_slope, 0, known[i].slope_error, "%s: slope", known[i].name);
}

static void accuracy(void **state)
{
  (void)state;
  assert_null(ip_activation_row(COUNT(known)));
  for (size_t i = 0; i < COUNT(known); i++) sweep(i);
}

/* All floats from 8.9 to 9.1: exactly 1 where the true value rounds to 1, and only there. */
static void tanh_saturates_as_the_true_one(void **state)
{
  const ip_activation_kernels *k = kernels(ip_isa_best());
  const size_t row = named(ip_activation_name, "tanh");
  float at = 8.9F;
  size_t ones = 0;

  (void)state;
  while (at < 9.1F) {
    for (size_t i = 0; i < BLOCK; i++) {
      a[i] = z[i] = i % 2 ? -at : at;
      at = nextafterf(at, 100);
    }
    k->apply(row, 1, BLOCK, BLOCK, a);
    for (size_t i = 0; i < BLOCK; i++) {
      const bool one = fabsf((float)tanh((double)z[i])) == 1.0F;

      if ((fabsf(a[i]) == 1.0F) != one)
        fail_msg("tanh(%.9g) = %.9g", (double)z[i], (double)a[i]);
      ones += one;
    }
  }
  assert_true(ones > 1000);
}

static void special_values(void **state)
{
  static const struct {
    const char *name;
    float z, value;
  } edge[] = {
      {"tanh",     0,         0       },
      {"tanh",     1e30F,     1       },
      {"tanh",     -INFINITY, -1      },
      {"tanh",     1e-40F,    1e-40F  },
      {"relu",     INFINITY,  INFINITY},
      {"relu",     -INFINITY, 0       },
      {"sigmoid",  INFINITY,  1       },
      {"sigmoid",  0,         0.5F    },
      {"softsign", 1e30F,     1       },
      {"softplus", 1e30F,     1e30F   },
  };

  (void)state;
  for (size_t i = 0; i < COUNT(edge); i++) {
    for (size_t s = 0; s < 16; s++) a[s] = edge[i].z;
    kernels(ip_isa_best())->apply(named(ip_activation_name, edge[i].name), 1, 16, 16, a);
    for (size_t s = 0; s < 16; s++)
      if (a[s] != edge[i].value)
        fail_msg("%s(%g) = %g", edge[i].name, (double)edge[i].z, (double)a[s]);
  }
  for (size_t row = 0; ip_activation_name(row); row++) {
    for (size_t s = 0; s < 16; s++) a[s] = s == 5 ? NAN : 1;
    kernels(ip_isa_best())->apply(row, 1, 16, 16, a);
    for (size_t s = 0; s < 16; s++) assert_int_equal(isnan(a[s]) != 0, s == 5);
  }
}

/* Every width, every activation and its slope, to the last bit. */
static void widths_agree(void **state)
{
  static float first[2][BLOCK];

  (void)state;
  if (under_valgrind()) skip(); /* its fused 1 - 1 1 is -0 in vectors */
  for (size_t row = 0; ip_activation_name(row); row++)
    for (int isa = 0; isa <= (int)ip_isa_best(); isa++) {
      const ip_activation_kernels *k = kernels((ip_isa)isa);
      uint32_t bits = 0x00100000;

      next_block(&bits, 540001);
      for (size_t s = 0; s < BLOCK; s++) b[s] = (float)draw(4, s);
      k->apply(row, 1, BLOCK, BLOCK, a);
      k->slope(row, 1, BLOCK, BLOCK, a, b);
      if (isa == 0) memcpy(first[0], a, sizeof a), memcpy(first[1], b, sizeof b);
      assert_memory_equal(first[0], a, sizeof a);
      assert_memory_equal(first[1], b, sizeof b);
    }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(accuracy),
      cmocka_unit_test(tanh_saturates_as_the_true_one),
      cmocka_unit_test(special_values),
      cmocka_unit_test(widths_agree),
  };

  return RUN_TESTS(tests);
}
