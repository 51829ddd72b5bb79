/* Samples in k-d order along the principal axes of a layer: cut at the median of the axis of widest
   range, and again on both sides.

   Source: Bentley, Communications of the ACM 18 (1975) 509. */

#include "kde.h"
#include "kernels.h"
#include <math.h>
#include <string.h>

enum { LEAF = 16, DEPTH = 64, SAMPLED = 512 };

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
  return bits ^ (-(bits >> 31) | (uint32_t)1 << 31); /* all bits turn, or the sign; no branch */
}

/* Where a range is large, of some of its samples. */
static size_t widest_axis(const ip_kde_axes *axes, size_t n, const uint64_t key[])
{
  const size_t width = axes->width, step = n / 32 + 1;
  float low[IP_KDE_ORDERED], high[IP_KDE_ORDERED];
  size_t widest = 0;

  memcpy(low, axes->row + sample_of(key[0]) * width, width * sizeof *low);
  memcpy(high, low, width * sizeof *high);
  for (size_t i = step; i < n; i += step) {
    const float *t = axes->row + sample_of(key[i]) * width;

    for (size_t a = 0; a < width; a++) {
      low[a] = t[a] < low[a] ? t[a] : low[a];
      high[a] = t[a] > high[a] ? t[a] : high[a];
    }
  }
  for (size_t a = 1; a < axes->m; a++)
    if (high[a] - low[a] > high[widest] - low[widest]) widest = a;
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

void ip_kde_order(const ip_kde_axes *axes, size_t m, uint64_t key[])
{
  range todo[DEPTH] = {
      {0, m}
  };
  size_t n = 1;

  while (n > 0) {
    const range at = todo[--n];
    uint64_t *mine = key + at.begin;

    if (at.n <= IP_KDE_STRIP) continue;

    const size_t axis = widest_axis(axes, at.n, mine), left = left_of(at.n);

    for (size_t i = 0; i < at.n; i++) {
      const uint32_t sample = sample_of(mine[i]);

      mine[i] = rank_of(axes->row[sample * axes->width + axis]) << 32 | sample;
    }
    select_first(at.n, mine, left);
    todo[n++] = (range){at.begin + left, at.n - left};
    todo[n++] = (range){at.begin, left};
  }
}

/* ---- axes ---- */

/* A symmetric matrix and the vectors that make it diagonal. */
typedef struct {
  size_t d;
  double a[IP_KDE_ORDERED][IP_KDE_ORDERED], v[IP_KDE_ORDERED][IP_KDE_ORDERED];
} matrix;

/* Covariances of some samples: the axes need not be exact, only at right angles. */
static void find_covariances(const ip_layer *layer, double scale, matrix *x)
{
  const size_t step = layer->n / SAMPLED + 1;
  double mean[IP_KDE_ORDERED] = {0.0}, gap[IP_KDE_ORDERED];
  size_t seen = 0;

  *x = (matrix){.d = layer->d};
  for (size_t i = 0; i < layer->n; i += step, seen++)
    for (size_t u = 0; u < x->d; u++) mean[u] += (double)layer->t[u * layer->stride + i];
  for (size_t i = 0; i < layer->n; i += step) {
    for (size_t u = 0; u < x->d; u++)
      gap[u] = scale * ((double)layer->t[u * layer->stride + i] - mean[u] / (double)seen);
    for (size_t u = 0; u < x->d; u++)
      for (size_t v = 0; v <= u; v++) x->a[u][v] += gap[u] * gap[v];
  }
  for (size_t u = 0; u < x->d; u++) {
    x->v[u][u] = 1.0;
    for (size_t v = 0; v < u; v++) x->a[v][u] = x->a[u][v];
  }
}

/* Turn so that a[p][q] becomes 0. */
static void turn_plane(matrix *x, size_t p, size_t q)
{
  const double theta = (x->a[q][q] - x->a[p][p]) / (2.0 * x->a[p][q]),
               t = copysign(1.0, theta) / (fabs(theta) + sqrt(1.0 + theta * theta)),
               c = 1.0 / sqrt(1.0 + t * t), s = t * c;

  for (size_t k = 0; k < x->d; k++) {
    const double kp = x->a[k][p], kq = x->a[k][q];

    x->a[k][p] = c * kp - s * kq, x->a[k][q] = s * kp + c * kq;
  }
  for (size_t k = 0; k < x->d; k++) {
    const double pk = x->a[p][k], qk = x->a[q][k], vp = x->v[k][p], vq = x->v[k][q];

    x->a[p][k] = c * pk - s * qk, x->a[q][k] = s * pk + c * qk;
    x->v[k][p] = c * vp - s * vq, x->v[k][q] = s * vp + c * vq;
  }
}

/* Jacobi's turns, until what is off the diagonal does not matter. */
static void make_diagonal(matrix *x)
{
  enum { SWEEPS = 12 };

  for (int sweep = 0; sweep < SWEEPS; sweep++) {
    bool done = true;

    for (size_t p = 0; p < x->d; p++)
      for (size_t q = p + 1; q < x->d; q++) {
        if (!(fabs(x->a[p][q]) > 1e-7 * sqrt(fabs(x->a[p][p] * x->a[q][q])) + 1e-12)) continue;
        turn_plane(x, p, q);
        done = false;
      }
    if (done) return;
  }
}

/* The axes in order of their variances. */
static void sort_axes(const matrix *x, size_t axis[])
{
  for (size_t a = 0; a < x->d; a++) {
    size_t at = a;

    for (; at > 0 && x->a[axis[at - 1]][axis[at - 1]] < x->a[a][a]; at--)
      axis[at] = axis[at - 1];
    axis[at] = a;
  }
}

void ip_kde_turn(const ip_layer *layer, double scale, float row[], ip_kde_axes *axes)
{
  const size_t d = layer->d, width = (d + 3) / 4 * 4;
  float v[IP_KDE_ORDERED][IP_KDE_ORDERED] = {{0.0F}};
  size_t axis[IP_KDE_ORDERED] = {0};
  matrix x;

  find_covariances(layer, scale, &x);
  make_diagonal(&x);
  sort_axes(&x, axis);
  for (size_t u = 0; u < d; u++)
    for (size_t a = 0; a < d; a++) v[u][a] = (float)(scale * x.v[u][axis[a]]);
  for (size_t i = 0; i < layer->n; i++) {
    float sum[IP_KDE_ORDERED] = {0.0F};

    for (size_t u = 0; u < d; u++) {
      const float t = layer->t[u * layer->stride + i];

      for (size_t a = 0; a < width; a++) sum[a] += v[u][a] * t;
    }
    memcpy(row + i * width, sum, width * sizeof *sum);
  }
  /* A coordinate is a sum of d products of numbers up to 1, each factor and step rounded. */
  *axes = (ip_kde_axes){.n = layer->n,
                        .m = d,
                        .width = width,
                        .row = row,
                        .error = (float)((double)(d * (d + 4)) * 0x1p-24)};
}
