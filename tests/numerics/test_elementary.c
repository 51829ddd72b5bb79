/* Elementary functions against libm in long double: at most 4 ulp, and exact where promised. */

#include "check.h"
#include <float.h>
#include <infoplane/numerics.h>

/* Distance of have from want in units of the last place of a double at want. */
static double ulps(double have, long double want)
{
  if (isnan(have) || isnan(want)) return isnan(have) && isnan(want) ? 0.0 : (double)INFINITY;
  if (isinf(have) || fabsl(want) > DBL_MAX)
    return have == (double)want ? 0.0 : (double)INFINITY;
  int exponent;

  frexpl(want, &exponent);
  if (exponent < DBL_MIN_EXP) exponent = DBL_MIN_EXP;
  return (double)fabsl(((long double)have - want) / ldexpl(1.0L, exponent - DBL_MANT_DIG));
}

static void agree(const char *name, double x, double have, long double want)
{
  if (!(ulps(have, want) <= 4.0))
    fail_msg("%s(%.17g [%a]) = %.17g, want %.17Lg: %.3g ulp", name, x, x, have, want,
             ulps(have, want));
}

static long double log1p_exp(long double x)
{
  return (x > 0.0L ? x : 0.0L) + log1pl(expl(-fabsl(x)));
}

static long double logistic(long double x)
{
  return x < 0.0L ? expl(x) / (1.0L + expl(x)) : 1.0L / (1.0L + expl(-x));
}

static const struct {
  const char *name;
  double (*have)(double);
  long double (*want)(long double);
  bool positive; /* defined for x > 0 only */
} table[] = {
    {"exp",      ip_exp,       expl,      false},
    {"log",      ip_log,       logl,      true },
    {"log2",     ip_log2,      log2l,     true },
    {"log1pexp", ip_log1p_exp, log1p_exp, false},
    {"tanh",     ip_tanh,      tanhl,     false},
    {"logistic", ip_logistic,  logistic,  false},
};

enum { FUNCTIONS = sizeof table / sizeof table[0] };

static void all_at(double x)
{
  for (int f = 0; f < FUNCTIONS; f++) {
    if (!table[f].positive || x > 0.0)
      agree(table[f].name, x, table[f].have(x), table[f].want((long double)x));
  }
}

/* Every power of two and both its neighbors, of both signs, subnormals included. */
static void powers_of_two_and_their_neighbors(void **state)
{
  (void)state;
  for (int e = -1074; e <= 1023; e++) {
    const double x = ldexp(1.0, e);

    all_at(x), all_at(nextafter(x, 0.0)), all_at(nextafter(x, INFINITY));
    all_at(-x), all_at(-nextafter(x, 0.0)), all_at(-nextafter(x, INFINITY));
  }
}

/* Even steps over where the functions bend, and over all that exp can take. */
static void sweeps(void **state)
{
  (void)state;
  for (int i = -20000; i <= 20000; i++) {
    all_at(i * 0x1.0624dd2f1a9fcp-10);        /* -20 .. 20 by 0.001   */
    all_at(i * 0x1.2a305532617c2p-5);         /* -728 .. 728          */
    all_at(1.0 + i * 0x1.4f8b588e368f1p-17);  /* 0.8 .. 1.2           */
    all_at(0.35 + i * 0x1.a36e2eb1c432dp-24); /* around tanh's branch */
  }
}

static void mantissas_of_a_hash(void **state)
{
  uint64_t x = 88172645463325252ULL; /* xorshift64, Marsaglia 2003 */

  (void)state;
  for (int i = 0; i < 200000; i++) {
    double number;

    x ^= x << 13, x ^= x >> 7, x ^= x << 17;
    memcpy(&number, &x, sizeof number);
    if (isfinite(number)) all_at(number);
  }
}

static void edges(void **state)
{
  const double no = (double)NAN, most = (double)INFINITY;

  (void)state;
  for (int f = 0; f < FUNCTIONS; f++) assert_true(isnan(table[f].have(no)));
  assert_true(ip_exp(0.0) == 1.0 && ip_exp(-0.0) == 1.0);
  assert_true(ip_exp(most) == most && ip_exp(-most) == 0.0);
  assert_true(ip_exp(709.8) == most && ip_exp(-745.2) == 0.0);
  assert_true(isfinite(ip_exp(709.78)) && ip_exp(-745.1) == 0x1p-1074);
  assert_true(ip_log(0.0) == -most && ip_log(-0.0) == -most && ip_log(most) == most);
  assert_true(isnan(ip_log(-1.0)) && isnan(ip_log(-most)) && isnan(ip_log2(-0x1p-1074)));
  assert_true(ip_log2(0.0) == -most && ip_log2(most) == most);
  assert_true(ip_log(1.0) == 0.0 && ip_log2(1.0) == 0.0);
  assert_true(ip_log1p_exp(most) == most && ip_log1p_exp(-most) == 0.0);
  assert_true(ip_tanh(most) == 1.0 && ip_tanh(-most) == -1.0 && ip_tanh(0.0) == 0.0);
  assert_true(signbit(ip_tanh(-0.0)) && !signbit(ip_tanh(0.0)));
  assert_true(ip_logistic(0.0) == 0.5 && ip_logistic(most) == 1.0 && ip_logistic(-most) == 0.0);
}

static void log2_is_exact_at_powers_of_two(void **state)
{
  (void)state;
  for (int e = -1074; e <= 1023; e++) assert_true(ip_log2(ldexp(1.0, e)) == e);
}

static void tanh_is_odd(void **state)
{
  (void)state;
  for (int i = 0; i < 100000; i++) {
    const double x = i * 0x1.a36e2eb1c432dp-13;

    assert_true(ip_tanh(-x) == -ip_tanh(x));
    assert_true(fabs(ip_tanh(x)) <= 1.0);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(edges),
      cmocka_unit_test(powers_of_two_and_their_neighbors),
      cmocka_unit_test(sweeps),
      cmocka_unit_test(mantissas_of_a_hash),
      cmocka_unit_test(log2_is_exact_at_powers_of_two),
      cmocka_unit_test(tanh_is_odd),
  };

  return RUN_TESTS(tests);
}
