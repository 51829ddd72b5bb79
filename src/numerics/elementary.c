/* Elementary functions in double from exactly rounded operations alone: same bits everywhere.

   e^x: x = n ln 2 + r, |r| <= ln 2 / 2, Taylor series of degree 13 in r.
   ln x: x = 2^e m, 1/sqrt 2 <= m < sqrt 2, s = (m - 1)/(m + 1), 2 (s + s^3/3 + s^5/5 + ...). */

#include <infoplane/numerics.h>
#include <math.h>
#include <string.h>

static const double ln2_high = 0x1.62e42fee00000p-1, /* 33 bits: n ln2_high is exact */
    ln2_low = 0x1.a39ef35793c76p-33, log2_e = 0x1.71547652b82fep0,
                    magic = 0x1.8p52; /* adding it rounds to a whole number */

static uint64_t bits_of(double x)
{
  uint64_t bits;

  memcpy(&bits, &x, sizeof bits);
  return bits;
}

static double from_bits(uint64_t bits)
{
  double x;

  memcpy(&x, &bits, sizeof x);
  return x;
}

/* 2^n, -1022 <= n <= 1023. */
static double power_of_two(int n)
{
  return from_bits((uint64_t)(n + 1023) << 52);
}

enum { DEGREE = 18, TERMS = 12 };

/* 1 / i!, to the last bit: the factorials are exact. */
static const double inverse_factorial[DEGREE + 1] = {
    1.0,
    1.0,
    1.0 / 2,
    1.0 / 6,
    1.0 / 24,
    1.0 / 120,
    1.0 / 720,
    1.0 / 5040,
    1.0 / 40320,
    1.0 / 362880,
    1.0 / 3628800,
    1.0 / 39916800,
    1.0 / 479001600,
    1.0 / 6227020800,
    1.0 / 87178291200,
    1.0 / 1307674368000,
    1.0 / 20922789888000,
    1.0 / 355687428096000,
    1.0 / 6402373705728000,
};

/* e^r - 1 by Taylor series: degree 13 for |r| <= ln 2 / 2, all 18 up to 0.7. */
static inline double expm1_small(double r, int degree)
{
  double sum = inverse_factorial[degree];

  for (int i = degree - 1; i >= 2; i--) sum = sum * r + inverse_factorial[i];
  return r + r * r * sum;
}

double ip_exp(double x)
{
  if (isnan(x)) return x;
  if (x > 709.79) return (double)INFINITY;
  if (x < -745.2) return 0.0;

  const double n = (x * log2_e + magic) - magic, r = (x - n * ln2_high) - n * ln2_low;
  const int whole = (int)n, half = whole / 2;

  return (1.0 + expm1_small(r, 13)) * power_of_two(half) * power_of_two(whole - half);
}

/* m in [1/sqrt 2, sqrt 2) and e with x = 2^e m; x > 0 and finite. */
static double split(double x, int *exponent)
{
  int e = 0;

  if (x < 0x1p-1022) x *= 0x1p54, e = -54;

  const uint64_t bits = bits_of(x);
  double m = from_bits((bits & 0xfffffffffffffU) | (uint64_t)1022 << 52);

  e += (int)(bits >> 52) - 1022;
  if (m < 0x1.6a09e667f3bcdp-1) m *= 2.0, e--;
  *exponent = e;
  return m;
}

/* ln m near 1. */
static double log_near_one(double m)
{
  static const double odd[TERMS] = {1.0 / 3,  1.0 / 5,  1.0 / 7,  1.0 / 9,  1.0 / 11, 1.0 / 13,
                                    1.0 / 15, 1.0 / 17, 1.0 / 19, 1.0 / 21, 1.0 / 23, 1.0 / 25};
  const double s = (m - 1.0) / (m + 1.0), z = s * s;
  double sum = 0.0;

  for (int i = TERMS - 1; i >= 0; i--) sum = z * (sum + odd[i]);
  return 2.0 * (s + s * sum);
}

/* Logarithm where there is no mantissa to look at. */
static double outside(double x)
{
  if (x == 0.0) return (double)-INFINITY;
  return x > 0.0 ? x : (double)NAN;
}

double ip_log(double x)
{
  int e;

  if (!(x > 0.0) || isinf(x)) return outside(x);

  const double part = log_near_one(split(x, &e));

  return (double)e * ln2_high + (part + (double)e * ln2_low);
}

double ip_log2(double x)
{
  int e;

  if (!(x > 0.0) || isinf(x)) return outside(x);

  const double part = log_near_one(split(x, &e));

  return (double)e + part * log2_e;
}

double ip_log1p_exp(double x)
{
  if (isnan(x)) return x;

  /* ln(1 + u) with the rounding of 1 + u put right. */
  const double u = ip_exp(-fabs(x)), w = 1.0 + u;

  return (x > 0.0 ? x : 0.0) + (ip_log(w) - ((w - 1.0) - u) / w);
}

double ip_tanh(double x)
{
  const double a = fabs(x);
  double t;

  if (isnan(x)) return x;
  if (a < 0.35) {
    t = expm1_small(2.0 * a, DEGREE);
    t = t / (t + 2.0);
  } else
    t = 1.0 - 2.0 / (ip_exp(2.0 * a) + 1.0);
  return copysign(t, x);
}

double ip_logistic(double x)
{
  const double e = ip_exp(-fabs(x));

  return x < 0.0 ? e / (1.0 + e) : 1.0 / (1.0 + e);
}
