#pragma once

/** @file
 *  Sixteen virtual lanes: what every vector kernel is written in.
 *
 *  A kernel file is compiled once for each width of ip_isa (see numerics.h); the sixteen floats
 *  are then one, two or four registers.  Every operation is per lane and exactly rounded, every
 *  reduction ends in the same tree, so all widths give the same bits.  FMA is one instruction of
 *  the wide registers; the baseline calls libm's exactly rounded fmaf.
 *
 *  Header only, for kernels (src/<room>/<name>_kernels.c) and nothing else.
 */

#include <stddef.h>
#include <stdint.h>
#include <string.h>
#if defined __AVX2__
#include <immintrin.h>
#endif

enum { IP_LANES = 16 };

#if defined __AVX512F__
enum { IP_WIDTH = 16 };
#elif defined __AVX2__
enum { IP_WIDTH = 8 };
#else
enum { IP_WIDTH = 4 };
#endif
enum { IP_REGISTERS = IP_LANES / IP_WIDTH };

typedef float ip_register __attribute__((vector_size(4 * IP_WIDTH)));
typedef int32_t ip_register_int __attribute__((vector_size(4 * IP_WIDTH)));

/** Sixteen floats. */
typedef struct {
  ip_register r[IP_REGISTERS];
} ip_lanes;

#define IP_INLINE static inline __attribute__((always_inline, unused))

/** Unrolled, or else the registers go through memory. */
#define IP_EACH(i) _Pragma("GCC unroll 4") for (int i = 0; i < IP_REGISTERS; i++)

/** Pointers are 64-byte aligned. */
IP_INLINE ip_lanes ip_load(const float *from)
{
  ip_lanes a;

  IP_EACH(i) a.r[i] = *(const ip_register *)(const void *)(from + (size_t)i * IP_WIDTH);
  return a;
}

IP_INLINE void ip_store_lanes(float *to, ip_lanes a)
{
  IP_EACH(i) * (ip_register *)(void *)(to + (size_t)i * IP_WIDTH) = a.r[i];
}

IP_INLINE ip_lanes ip_all(float value)
{
  ip_lanes a;

  IP_EACH(i) a.r[i] = value - (ip_register){0};
  return a;
}

IP_INLINE ip_lanes ip_add(ip_lanes a, ip_lanes b)
{
  IP_EACH(i) a.r[i] += b.r[i];
  return a;
}

IP_INLINE ip_lanes ip_sub(ip_lanes a, ip_lanes b)
{
  IP_EACH(i) a.r[i] -= b.r[i];
  return a;
}

IP_INLINE ip_lanes ip_mul(ip_lanes a, ip_lanes b)
{
  IP_EACH(i) a.r[i] *= b.r[i];
  return a;
}

IP_INLINE ip_lanes ip_div(ip_lanes a, ip_lanes b)
{
  IP_EACH(i) a.r[i] /= b.r[i];
  return a;
}

/** a b + c, rounded once. */
IP_INLINE ip_register ip_fma_register(ip_register a, ip_register b, ip_register c)
{
#if defined __AVX512F__
  return (ip_register)_mm512_fmadd_ps((__m512)a, (__m512)b, (__m512)c);
#elif defined __AVX2__
  return (ip_register)_mm256_fmadd_ps((__m256)a, (__m256)b, (__m256)c);
#else
  for (int i = 0; i < IP_WIDTH; i++) c[i] = __builtin_fmaf(a[i], b[i], c[i]);
  return c;
#endif
}

IP_INLINE ip_lanes ip_fma(ip_lanes a, ip_lanes b, ip_lanes c)
{
  IP_EACH(i) c.r[i] = ip_fma_register(a.r[i], b.r[i], c.r[i]);
  return c;
}

/** Sum of the lanes: halves added, then quarters, eighths, pairs. The one tree of the project. */
IP_INLINE float ip_sum_lanes(ip_lanes a)
{
  float v[IP_LANES];

  memcpy(v, &a, sizeof v);
  for (int half = IP_LANES / 2; half > 0; half /= 2)
    for (int i = 0; i < half; i++) v[i] += v[i + half];
  return v[0];
}

/** Four floats, and any four of the eight in two of them. */
typedef float ip_four __attribute__((vector_size(16)));
#if defined __clang__
#define IP_CHOOSE(a, b, i, j, k, l) __builtin_shufflevector(a, b, i, j, k, l)
#else
typedef int32_t ip_four_int __attribute__((vector_size(16)));
#define IP_CHOOSE(a, b, i, j, k, l) __builtin_shuffle(a, b, (ip_four_int){i, j, k, l})
#endif

/** Rows become columns. */
IP_INLINE void ip_transpose_four(ip_four v[4])
{
  const ip_four a = IP_CHOOSE(v[0], v[1], 0, 4, 1, 5), b = IP_CHOOSE(v[2], v[3], 0, 4, 1, 5),
                c = IP_CHOOSE(v[0], v[1], 2, 6, 3, 7), d = IP_CHOOSE(v[2], v[3], 2, 6, 3, 7);

  v[0] = IP_CHOOSE(a, b, 0, 1, 4, 5), v[1] = IP_CHOOSE(a, b, 2, 3, 6, 7);
  v[2] = IP_CHOOSE(c, d, 0, 1, 4, 5), v[3] = IP_CHOOSE(c, d, 2, 3, 6, 7);
}

/** ip_sum_lanes of four times sixteen floats that lie one after the other: same tree, same bits. */
IP_INLINE ip_four ip_sum_four(const float *from)
{
  ip_four v[4];

  for (size_t i = 0; i < 4; i++) {
    const ip_four *a = (const ip_four *)(const void *)(from + i * IP_LANES);

    v[i] = (a[0] + a[2]) + (a[1] + a[3]);
  }
  ip_transpose_four(v);
  return (v[0] + v[2]) + (v[1] + v[3]);
}

/** e^x, at most 1.5 ulp for -87.3 <= x <= 88.3; exactly 0 below, so that no denormal appears;
 *  inf above 88.72; NaN for NaN.  x = n ln 2 + r, |r| <= ln 2 / 2, degree 7 in r. */
IP_INLINE ip_register ip_exp_register(ip_register x)
{
  const ip_register zero = {0};
  const ip_register magic =
      12582912.0F - zero; /* 1.5 2^23: adding it rounds to a whole number */
  /* Clamp so that n stays within the exponents; NaN passes both comparisons unchanged. */
  ip_register_int under = x<-87.3F - zero, over = x> 88.72F - zero;
  ip_register c = (ip_register)(((ip_register_int)x & ~(under | over)));
  ip_register n = ip_fma_register(c, 1.44269504F - zero, magic) - magic;
  ip_register r = ip_fma_register(n, -0.693145752F - zero, c);
  ip_register p = 1.98412698e-4F - zero;

  r = ip_fma_register(n, -1.42860677e-6F - zero, r);
  p = ip_fma_register(p, r, 1.38888889e-3F - zero);
  p = ip_fma_register(p, r, 8.33333333e-3F - zero);
  p = ip_fma_register(p, r, 4.16666667e-2F - zero);
  p = ip_fma_register(p, r, 0.166666667F - zero);
  p = ip_fma_register(p, r, 0.5F - zero);
  p = ip_fma_register(p, r * r, r);
  p += 1.0F - zero;

  /* 2^n in two factors, since n = 128 alone would overflow. */
  ip_register_int whole = __builtin_convertvector(n, ip_register_int);
  ip_register_int half = whole >> 1;
  ip_register low = (ip_register)((half + 127) << 23);
  ip_register high = (ip_register)((whole - half + 127) << 23);

  p = p * low * high;
  p = (ip_register)(((ip_register_int)p & ~under));
  return (ip_register)(((ip_register_int)p & ~over) |
                       ((ip_register_int)(__builtin_inff() - zero) & over));
}

IP_INLINE ip_lanes ip_exp_lanes(ip_lanes x)
{
  IP_EACH(i) x.r[i] = ip_exp_register(x.r[i]);
  return x;
}
