/* Samples in k-d order along the principal axes of a layer: cut at the median of the axis of widest
   range, and again on both sides.  Keys are whole numbers, all different: a coordinate, ordered as
   the float is, above the number of the sample.  Every vector width moves them alike.

   Sources: Bentley, Communications of the ACM 18 (1975) 509; Hoare, Communications of the ACM 4
   (1961) 321. */

#include "kernels.h"
#include <infoplane/lanes.h>

enum { LEAF = 16, DEPTH = 64, FEW = 32, KEYS = 8 /* in a vector */, ROWS = 4 };

/* Samples begin .. begin + n - 1 of the order. */
typedef struct {
  size_t begin, n;
} range;

/* Samples, and the axes they are turned to. */
typedef struct {
  const float *t; /* shape (units, stride) */
  size_t stride;
  const float *v; /* shape (units, IP_KDE_ORDERED): columns are axes */
} turning;

static uint32_t sample_of(uint64_t key)
{
  return (uint32_t)(key & UINT32_MAX);
}

/* ---- axes ---- */

/* Coordinates of samples i .. i + n - 1 along axes a .. a + IP_WIDTH - 1. Past the last axis stands the
   next row, which comes later. */
IP_INLINE void turn_rows(size_t n, size_t i, const turning *x, size_t a,
                         const ip_kde_axes *axes)
{
  ip_register sum[ROWS] = {{0}};

  for (size_t u = 0; u < axes->m; u++) {
    const float *t = x->t + u * x->stride + i;
    ip_register along;

    memcpy(&along, x->v + u * IP_KDE_ORDERED + a, sizeof along);
    for (size_t r = 0; r < n; r++) sum[r] += along * (t[r] - (ip_register){0});
  }
  for (size_t r = 0; r < n; r++)
    memcpy(axes->row + (i + r) * axes->width + a, &sum[r], sizeof sum[r]);
}

static void turn(const float t[], size_t stride, const float v[], const ip_kde_axes *axes)
{
  const turning x = {t, stride, v};

  for (size_t a = 0; a < axes->width; a += IP_WIDTH) {
    size_t i = 0;

    for (; i + ROWS <= axes->n; i += ROWS) turn_rows(ROWS, i, &x, a, axes);
    for (; i < axes->n; i++) turn_rows(1, i, &x, a, axes);
  }
}

/* Smallest and largest coordinates, axes a .. a + IP_WIDTH - 1, of every step-th sample. */
IP_INLINE void find_range(const ip_kde_axes *axes, size_t a, const size_t n_step[2],
                          const uint64_t key[], ip_register low_high[2])
{
  ip_register low, high;

  memcpy(&low, axes->row + sample_of(key[0]) * axes->width + a, sizeof low);
  high = low;
  for (size_t i = n_step[1]; i < n_step[0]; i += n_step[1]) {
    ip_register t;

    memcpy(&t, axes->row + sample_of(key[i]) * axes->width + a, sizeof t);
    low = ip_smaller(low, t);
    high = ip_larger(high, t);
  }
  low_high[0] = low, low_high[1] = high;
}

/* Where a range is large, of some of its samples. */
static size_t widest_axis(const ip_kde_axes *axes, size_t n, const uint64_t key[])
{
  const size_t n_step[2] = {n, n / 32 + 1};
  float reach[IP_KDE_ORDERED + IP_LANES];
  size_t widest = 0;

  for (size_t a = 0; a < axes->m; a += IP_WIDTH) {
    ip_register low_high[2];

    find_range(axes, a, n_step, key, low_high);
    low_high[1] -= low_high[0];
    memcpy(reach + a, &low_high[1], sizeof low_high[1]);
  }
  for (size_t a = 1; a < axes->m; a++) widest = reach[a] > reach[widest] ? a : widest;
  return widest;
}

/* ---- keys ---- */

/* Above the number of each sample, a whole number that orders as its coordinate does. */
static void take_coordinates(const ip_kde_axes *axes, size_t axis, size_t n, uint64_t key[])
{
  const float *row = axes->row + axis;
  size_t i = 0;

#if defined __AVX512F__
  for (; i + KEYS <= n; i += KEYS) {
    const __m512i sample =
        _mm512_and_si512(_mm512_loadu_si512(key + i), _mm512_set1_epi64(UINT32_MAX));
    const __m512i at = _mm512_mul_epu32(sample, _mm512_set1_epi64((long long)axes->width));
    const __m256 value =
        _mm256_add_ps(_mm512_i64gather_ps(at, row, sizeof *row), _mm256_setzero_ps());
    const __m256i turn = _mm256_or_si256(_mm256_srai_epi32(_mm256_castps_si256(value), 31),
                                         _mm256_set1_epi32(INT32_MIN)),
                  bits = _mm256_xor_si256(_mm256_castps_si256(value), turn);

    _mm512_storeu_si512(
        key + i, _mm512_or_si512(_mm512_slli_epi64(_mm512_cvtepu32_epi64(bits), 32), sample));
  }
#endif
  for (; i < n; i++) {
    const uint32_t sample = sample_of(key[i]);
    const float value = row[sample * axes->width] + 0.0F; /* -0 is 0 */
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    /* all bits turn where it is negative, else the sign */
    bits ^= -(bits >> 31) | (uint32_t)1 << 31;
    key[i] = (uint64_t)bits << 32 | sample;
  }
}

#if defined __AVX512F__
/* n <= KEYS keys: those below the pivot go to *below, the others to *above, and both move on. */
IP_INLINE void part_vector(size_t n, const uint64_t key[], __m512i pivot, uint64_t **below,
                           uint64_t **above)
{
  const __mmask8 all = (__mmask8)((1U << n) - 1);
  const __m512i here = n == KEYS ? _mm512_loadu_si512(key) : _mm512_maskz_loadu_epi64(all, key);
  const __mmask8 low = _mm512_mask_cmplt_epu64_mask(all, here, pivot);
  const size_t n_low = (size_t)__builtin_popcount(low);
  const __m512i first = _mm512_maskz_compress_epi64(low, here);

  if (n == KEYS)
    _mm512_storeu_si512(*below, first); /* what is past them has been read */
  else
    _mm512_mask_storeu_epi64(*below, (__mmask8)((1U << n_low) - 1), first);
  _mm512_storeu_si512(*above, _mm512_maskz_compress_epi64((__mmask8)(all & ~low), here));
  *below += n_low;
  *above += n - n_low;
}
#endif

/* Keys below the pivot come first, then the others, each in the order they had; how many are
   below.  room: for n + KEYS keys. */
static size_t part(size_t n, uint64_t key[], uint64_t pivot, uint64_t room[])
{
  uint64_t *below = key, *above = room;

#if defined __AVX512F__
  const __m512i pivots = _mm512_set1_epi64((long long)pivot);
  size_t i = 0;

  for (; i + KEYS <= n; i += KEYS) part_vector(KEYS, key + i, pivots, &below, &above);
  if (i < n) part_vector(n - i, key + i, pivots, &below, &above);
#else
  for (size_t i = 0; i < n; i++) { /* no branch depends on a key: all are written twice */
    const uint64_t here = key[i];

    *below = *above = here;
    below += here < pivot;
    above += here >= pivot;
  }
#endif
  memcpy(below, room, (size_t)(above - room) * sizeof *room);
  return (size_t)(below - key);
}

/* One of three keys, whose place is about `first` of n. */
static uint64_t pivot_of(size_t n, const uint64_t key[], size_t first)
{
  const uint64_t a = key[0], b = key[n / 2], c = key[n - 1], low = a < b ? a : b,
                 high = a < b ? b : a, least = c < low ? c : low, most = c > high ? c : high,
                 middle = c < low    ? low
                          : c > high ? high
                                     : c;

  return 8 * first < 3 * n ? least : 8 * first > 5 * n ? most : middle;
}

/* The smallest `first` of n different keys come first. */
static void select_first(size_t n, uint64_t key[], size_t first, uint64_t room[])
{
  size_t begin = 0, end = n;

  while (end - begin > 1) {
    const uint64_t pivot = pivot_of(end - begin, key + begin, first - begin);
    size_t below = begin + part(end - begin, key + begin, pivot, room);

    if (below == begin) { /* the pivot is the smallest: take it out */
      for (size_t i = begin; i < end; i++)
        if (key[i] == pivot) key[i] = key[begin], key[begin] = pivot;
      below++;
    }
    if (first == below) return;
    if (first < below)
      end = below;
    else
      begin = below;
  }
}

#if defined __AVX512F__
/* Each of n keys goes to the place that says how many are below it; all: they, in so many vectors. */
IP_INLINE void place_keys(size_t vectors, const __m512i all[], size_t n, const uint64_t key[],
                          uint64_t sorted[])
{
  for (size_t j = 0; j < n; j++) {
    const __m512i here = _mm512_set1_epi64((long long)key[j]);
    unsigned below = 0;

    for (size_t v = 0; v < vectors; v++)
      below |= (unsigned)_mm512_cmplt_epu64_mask(all[v], here) << KEYS * v;
    sorted[__builtin_popcount(below)] = key[j];
  }
}
#endif

/* n <= FEW different keys: each goes to the place that says how many are below it. */
static void sort_keys(size_t n, const uint64_t key[], uint64_t sorted[])
{
#if defined __AVX512F__
  enum { MOST = FEW / KEYS };
  __m512i all[MOST];

  for (size_t v = 0; v < MOST; v++) { /* past the end nothing is below a key */
    const size_t at = v * KEYS < n ? v * KEYS : n, left = n - at < KEYS ? n - at : KEYS;

    all[v] =
        _mm512_mask_loadu_epi64(_mm512_set1_epi64(-1), (__mmask8)((1U << left) - 1), key + at);
  }
  if (n <= KEYS)
    place_keys(1, all, n, key, sorted);
  else if (n <= (size_t)2 * KEYS)
    place_keys(2, all, n, key, sorted);
  else
    place_keys(MOST, all, n, key, sorted);
#else
  for (size_t j = 0; j < n; j++) {
    size_t below = 0;

    for (size_t i = 0; i < n; i++) below += key[i] < key[j];
    sorted[below] = key[j];
  }
#endif
}

/* n <= FEW different keys in order: no branch depends on one. */
static void sort_few(size_t n, uint64_t key[])
{
  uint64_t sorted[FEW];

  sort_keys(n, key, sorted);
  memcpy(key, sorted, n * sizeof *key);
}

/* ---- order ---- */

/* How many come first of m > 4: whole blocks, leaves or strips, about half. */
static size_t left_of(size_t m)
{
  const size_t whole = m > IP_KDE_BLOCK ? IP_KDE_BLOCK : m > LEAF ? LEAF : IP_KDE_STRIP;

  return (m / 2 + whole - 1) / whole * whole;
}

static void order(const ip_kde_axes *axes, size_t m, uint64_t key[], uint64_t room[])
{
  range todo[DEPTH] = {
      {0, m}
  };
  size_t n = 1;

  while (n > 0) {
    const range at = todo[--n];
    uint64_t *mine = key + at.begin;

    if (at.n <= IP_KDE_STRIP) continue;

    const size_t left = left_of(at.n);

    take_coordinates(axes, widest_axis(axes, at.n, mine), at.n, mine);
    if (at.n <= FEW)
      sort_few(at.n, mine);
    else
      select_first(at.n, mine, left, room);
    todo[n++] = (range){at.begin + left, at.n - left};
    todo[n++] = (range){at.begin, left};
  }
}

const ip_kde_order_kernels IP_OF_WIDTH(ip_kde_order_kernels) = {.turn = turn, .order = order};
