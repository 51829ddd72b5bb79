/* Samples in k-d order: cut at the median of the unit of widest range, and again on both sides.

   Source: Bentley, Communications of the ACM 18 (1975) 509. */

#include "kde.h"
#include "kernels.h"
#include <float.h>
#include <string.h>

enum { LEAF = 16, DEPTH = 64 };

/* Samples begin .. begin + n - 1 of the order. */
typedef struct {
  size_t begin, n;
} range;

static uint32_t sample_of(uint64_t key)
{
  return (uint32_t)(key & UINT32_MAX);
}

/* A whole number that orders as the float does. */
static uint64_t rank_of(float value)
{
  uint32_t bits;

  value += 0.0F; /* -0 is 0 */
  memcpy(&bits, &value, sizeof bits);
  return bits ^ (bits >> 31 ? UINT32_MAX : (uint32_t)1 << 31);
}

static size_t widest_unit(size_t d, size_t width, const float row[], size_t m,
                          const uint64_t key[])
{
  float low[IP_KDE_ORDERED], high[IP_KDE_ORDERED];
  size_t widest = 0;

  memcpy(low, row + sample_of(key[0]) * width, width * sizeof *low);
  memcpy(high, low, width * sizeof *high);
  for (size_t i = 1; i < m; i++) {
    const float *t = row + sample_of(key[i]) * width;

    for (size_t u = 0; u < width; u++) {
      low[u] = t[u] < low[u] ? t[u] : low[u];
      high[u] = t[u] > high[u] ? t[u] : high[u];
    }
  }
  for (size_t u = 1; u < d; u++)
    if (high[u] - low[u] > high[widest] - low[widest]) widest = u;
  return widest;
}

static uint64_t middle_of(uint64_t a, uint64_t b, uint64_t c)
{
  const uint64_t low = a < b ? a : b, high = a < b ? b : a;

  return c < low ? low : c > high ? high : c;
}

/* The smallest `first` of n different keys come first. */
static void select_first(size_t n, uint64_t key[], size_t first)
{
  size_t begin = 0, end = n;

  while (end - begin > 1) {
    const uint64_t pivot = middle_of(key[begin], key[begin + (end - begin) / 2], key[end - 1]);
    size_t below = begin;

    /* no branch depends on a key: all move, and some stay */
    for (size_t i = begin; i < end; i++) {
      const uint64_t here = key[i];

      key[i] = key[below];
      key[below] = here;
      below += here < pivot;
    }
    if (first == below && below > begin) return;
    if (first <= below) {
      if (below == begin) { /* the pivot is the smallest: take it out */
        for (size_t i = begin; i < end; i++)
          if (key[i] == pivot) key[i] = key[begin], key[begin] = pivot;
        if (first <= ++below) return;
        begin = below;
      } else {
        end = below;
      }
    } else {
      begin = below;
    }
  }
}

/* How many come first of m > 4: whole blocks, leaves or strips, about half. */
static size_t left_of(size_t m)
{
  const size_t whole = m > IP_KDE_BLOCK ? IP_KDE_BLOCK : m > LEAF ? LEAF : IP_KDE_STRIP;

  return (m / 2 + whole - 1) / whole * whole;
}

void ip_kde_order(size_t d, size_t width, const float row[], size_t m, uint64_t key[])
{
  range todo[DEPTH] = {
      {0, m}
  };
  size_t n = 1;

  while (n > 0) {
    const range at = todo[--n];
    uint64_t *mine = key + at.begin;

    if (at.n <= IP_KDE_STRIP) continue;

    const size_t unit = widest_unit(d, width, row, at.n, mine), left = left_of(at.n);

    for (size_t i = 0; i < at.n; i++) {
      const uint32_t sample = sample_of(mine[i]);

      mine[i] = rank_of(row[sample * width + unit]) << 32 | sample;
    }
    select_first(at.n, mine, left);
    todo[n++] = (range){at.begin + left, at.n - left};
    todo[n++] = (range){at.begin, left};
  }
}
