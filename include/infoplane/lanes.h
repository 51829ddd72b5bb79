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

/** Name with the suffix of this vector width, in a kernel file. */
#define IP_OF_WIDTH(name)        IP_OF_WIDTH_(name, IP_ISA_SUFFIX)
#define IP_OF_WIDTH_(name, isa)  IP_OF_WIDTH__(name, isa)
#define IP_OF_WIDTH__(name, isa) name##_##isa

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

/** a < b ? a : b in each lane: b where one is NaN.  Said in the words of the wide registers, since
 *  gcc 12 makes three instructions of the masks of vector types. */
IP_INLINE ip_register ip_smaller(ip_register a, ip_register b)
{
#if defined __AVX512F__
  return (ip_register)_mm512_min_ps((__m512)a, (__m512)b);
#elif defined __AVX2__
  return (ip_register)_mm256_min_ps((__m256)a, (__m256)b);
#else
  const ip_register_int first = (ip_register_int)(a < b);

  return (ip_register)(((ip_register_int)a & first) | ((ip_register_int)b & ~first));
#endif
}

/** a > b ? a : b in each lane: b where one is NaN. */
IP_INLINE ip_register ip_larger(ip_register a, ip_register b)
{
#if defined __AVX512F__
  return (ip_register)_mm512_max_ps((__m512)a, (__m512)b);
#elif defined __AVX2__
  return (ip_register)_mm256_max_ps((__m256)a, (__m256)b);
#else
  const ip_register_int first = (ip_register_int)(a > b);

  return (ip_register)(((ip_register_int)a & first) | ((ip_register_int)b & ~first));
#endif
}

/** a where x >= y, b elsewhere and where one of these is NaN. */
IP_INLINE ip_register ip_where_from(ip_register x, ip_register y, ip_register a, ip_register b)
{
#if defined __AVX512F__
  return (ip_register)_mm512_mask_blend_ps(_mm512_cmp_ps_mask((__m512)x, (__m512)y, _CMP_GE_OQ),
                                           (__m512)b, (__m512)a);
#elif defined __AVX2__
  return (ip_register)_mm256_blendv_ps((__m256)b, (__m256)a,
                                       _mm256_cmp_ps((__m256)x, (__m256)y, _CMP_GE_OQ));
#else
  const ip_register_int from = (ip_register_int)(x >= y);

  return (ip_register)(((ip_register_int)a & from) | ((ip_register_int)b & ~from));
#endif
}

/** One of eight numbers in each lane, told by the lowest three bits of its index.  table: the eight
 *  numbers twice, 64-byte aligned. */
IP_INLINE ip_register ip_entry(const float table[IP_LANES], ip_register_int index)
{
#if defined __AVX512F__
  return (ip_register)_mm512_permutexvar_ps((__m512i)index, _mm512_load_ps(table));
#elif defined __AVX2__
  return (ip_register)_mm256_permutevar8x32_ps(_mm256_load_ps(table), (__m256i)index);
#else
  ip_register entry;

  for (int i = 0; i < IP_WIDTH; i++) entry[i] = table[index[i] & 7];
  return entry;
#endif
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

/** ip_sum_lanes of sixteen times sixteen floats, 64-byte aligned: same tree, same bits. */
IP_INLINE void ip_sum_sixteen(const float *from, float *to)
{
#if defined __AVX512F__
  __m512 part[4];

#pragma GCC unroll 4
  for (size_t i = 0; i < 4; i++) { /* rows i, i + 4, i + 8, i + 12, of each a quarter */
    const __m512 a = _mm512_load_ps(from + i * IP_LANES),
                 b = _mm512_load_ps(from + (i + 4) * IP_LANES),
                 c = _mm512_load_ps(from + (i + 8) * IP_LANES),
                 d = _mm512_load_ps(from + (i + 12) * IP_LANES);
    const __m512 ab = _mm512_shuffle_f32x4(a, b, 0x44) + _mm512_shuffle_f32x4(a, b, 0xee),
                 cd = _mm512_shuffle_f32x4(c, d, 0x44) + _mm512_shuffle_f32x4(c, d, 0xee);

    part[i] = _mm512_shuffle_f32x4(ab, cd, 0x88) + _mm512_shuffle_f32x4(ab, cd, 0xdd);
  }

  const __m512 first = _mm512_shuffle_ps(part[0], part[1], 0x44) +
                       _mm512_shuffle_ps(part[0], part[1], 0xee),
               second = _mm512_shuffle_ps(part[2], part[3], 0x44) +
                        _mm512_shuffle_ps(part[2], part[3], 0xee);

  _mm512_storeu_ps(to, _mm512_shuffle_ps(first, second, 0x88) +
                           _mm512_shuffle_ps(first, second, 0xdd));
#else
  for (size_t i = 0; i < IP_LANES; i += 4) {
    const ip_four sum = ip_sum_four(from + i * IP_LANES);

    memcpy(to + i, &sum, sizeof sum);
  }
#endif
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
