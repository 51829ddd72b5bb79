#pragma once

/** @file
 *  What the benchmarks of kernels share: the clock, the limit of the arithmetic, quantiles, columns.
 */

#include <infoplane/estimator.h>
#include <infoplane/numerics.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#if defined __x86_64__
#include <immintrin.h>
#endif

enum { BENCH_MOST = 101 }; /**< values of a quantile, at most */

/** Seconds of this thread: others may be at work on the machine. */
static inline double bench_now(void)
{
  struct timespec t;

  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* What the units of this width need for a multiply-add of eight floats: chains of them, as many as
   hide their latency. */
#define BENCH_PROBE(width, isa, vector, set, fma, first)                                       \
  __attribute__((target(isa))) static inline double bench_probe_##width(void)                  \
  {                                                                                            \
    enum { LOOPS = 40000, CHAINS = 10 };                                                       \
    const vector b = set(0.999F), c = set(1e-3F);                                              \
    vector a[CHAINS];                                                                          \
    float sum = 0.0F;                                                                          \
                                                                                               \
    for (int k = 0; k < CHAINS; k++) a[k] = set((float)(k + 1));                               \
                                                                                               \
    const double begun = bench_now();                                                          \
                                                                                               \
    for (int i = 0; i < LOOPS; i++) {                                                          \
      _Pragma("GCC unroll 10") for (int k = 0; k < CHAINS; k++) a[k] = fma(a[k], b, c);        \
    }                                                                                          \
    const double took = bench_now() - begun;                                                   \
                                                                                               \
    for (int k = 0; k < CHAINS; k++) sum += first(a[k]);                                       \
    if (sum == 12345.0F) puts("");                                                             \
    return took / LOOPS / CHAINS / ((width) / 8.0);                                            \
  }

#if defined __x86_64__
BENCH_PROBE(8, "avx2,fma", __m256, _mm256_set1_ps, _mm256_fmadd_ps, _mm256_cvtss_f32)
BENCH_PROBE(16, "avx512f", __m512, _mm512_set1_ps, _mm512_fmadd_ps, _mm512_cvtss_f32)
#endif

/** Seconds of one multiply-add of eight floats, at the width that the kernels use; NaN where there
 *  is no probe for it. */
static inline double bench_probe(void)
{
#if defined __x86_64__
  switch (ip_isa_best()) {
  case IP_ISA_AVX2:
    return bench_probe_8();
  case IP_ISA_AVX512:
    return bench_probe_16();
  default:
    break;
  }
#endif
  return (double)NAN;
}

/** Seconds of counting up one word of a table that the nearest cache holds, at a place known in
 *  advance: a load, an addition, a store. */
static inline double bench_probe_count(void)
{
  enum { WORDS = 2048, LOOPS = 100 };
  static uint32_t table[WORDS], place[WORDS];
  uint32_t sum = 0;

  for (uint32_t i = 0; i < WORDS; i++) place[i] = i * 1103U % WORDS; /* odd: each place once */

  const double begun = bench_now();

  for (int k = 0; k < LOOPS; k++) {
    for (int i = 0; i < WORDS; i++) table[place[i]]++;
    __asm__ volatile("" ::: "memory");
  }
  const double took = bench_now() - begun;

  for (int i = 0; i < WORDS; i++) sum += table[i];
  if (sum == 12345) puts("");
  return took / LOOPS / WORDS;
}

/** Multiply-adds of eight floats that KDE needs of n samples of d units: (d + 8) / 2 clocks of two
 *  of them for 8 pairs, each pair once. */
static inline double bench_kde_issues(size_t n, size_t d)
{
  return (double)n * ((double)n + 1.0) / 16.0 * ((double)d + 8.0);
}

static inline int bench_ascending(const void *a, const void *b)
{
  const double x = *(const double *)a, y = *(const double *)b;

  return (x > y) - (x < y);
}

/** The q-quantile of n <= BENCH_MOST values. */
static inline double bench_quantile(size_t n, const double value[], double q)
{
  double sorted[BENCH_MOST];

  memcpy(sorted, value, n * sizeof *value);
  qsort(sorted, n, sizeof *sorted, bench_ascending);
  return sorted[(size_t)(q * (double)(n - 1) + 0.5)];
}

/** Both bounds of KDE. */
static inline PetscErrorCode bench_kde_columns(double variance, double tolerance,
                                               ip_column column[2])
{
  for (int bound = 0; bound < 2; bound++) {
    const ip_estimator *kde = ip_estimator_row((size_t)ip_names_find(ip_estimator_name, "kde"));

    PetscCall(ip_column_default(kde, &column[bound]));
    for (size_t p = 0; kde->parameter[p].key; p++) {
      if (!strcmp(kde->parameter[p].key, "noise_variance"))
        column[bound].value[p].real = variance;
      if (!strcmp(kde->parameter[p].key, "kde_tolerance"))
        column[bound].value[p].real = tolerance;
      if (!strcmp(kde->parameter[p].key, "bound")) column[bound].value[p].word = bound;
    }
  }
  return PETSC_SUCCESS;
}
