/* What may be left out of the kernel sums, and what error that and single precision make.

   With a tolerance, the samples of a class stand in k-d order along the principal axes of the layer,
   and a strip of 4 meets a leaf of 16 only where their boxes, and with many units some pair of their
   samples, are nearer than a limit: D / (8 s) < X.  Each of the n sums is at least 1 and lacks less
   than n exp(-X), so that M(all), and sum_y p(y) M(S_y), come out too large by

     error <= n exp(-X) / ln 2   bits,

   and their difference is off by no more; for c = 2, whose kernels are the fourth powers, by far less.
   With p(y|x) the sum of sample i and class y is at least w_i and lacks less than sum_j w_j exp(-X);
   since the weights of all samples and classes add up to n, the bound is the same.  X is such that
   it and ip_kde_arithmetic_error, for single precision, make the tolerance. */

#include "kde_pairs.h"
#include <math.h>
#include <string.h>

enum {
  FEW = 512, /* samples: to prune them gains nothing     */
  SOME = 32  /* samples of which all pairs are looked at */
};

/* Error of any noise through single precision, bits, at most.  With every sum at least 1, an error of
   exp(-X) counts at most (n-1)/n of it, and one of X at most w = W((n-1)/e) times.  What does not
   average out: that of a power (see kernels), four times for its fourth power; and 4 units of what
   equal kernels round alike.  Other roundings are taken as independent (Higham and Mary, SIAM J.
   Sci. Comput. 41 (2019) A2815), four standard deviations, over n samples: of d differences and
   their squares, of a power and its fourth power, of sums. */
double ip_kde_arithmetic_error(const ip_layer *layer)
{
  const double log2_e = 1.4426950408889634, u = 0x1p-24, n = (double)layer->n,
               d = (double)layer->d, power = 4.0 * 5.9e-8, alike = 4.0 * u;
  double w = fmax(1.0, ip_log(n));

  for (int i = 0; i < 8; i++) { /* w e^w = (n - 1) / e, from above by Newton's steps */
    const double e = ip_exp(w);

    w -= (w * e - (n - 1.0) / 2.718281828459045) / (e * (w + 1.0));
  }
  return log2_e * (n - 1.0) / n *
         (power + alike + 4.0 * u * sqrt((w * w * (d + 4.0) / 3.0 + 32.0) / n));
}

/* The nearest limit, in bits of the exponent, that keeps an estimate within its tolerance; infinite if
   none does.  At least where kernels are below 2^-11, so that the upper bound, whose kernel is the
   fourth power, has a smaller error than the lower. */
static double limit_of(const ip_layer *layer, double tolerance)
{
  const double ln_2 = 0.6931471805599453,
               allowed = 0.9999 * tolerance - ip_kde_arithmetic_error(layer);

  if (!(allowed > 0.0)) return (double)INFINITY;
  return fmax(ip_log2((double)layer->n / (ln_2 * allowed)), 11.0);
}

/* Some sample: neither the first ones nor every so many, which may have something in common. */
static size_t some_sample(size_t i, size_t n)
{
  return (size_t)(((uint64_t)(i + 1) * 0x9e3779b97f4a7c15U >> 32) * n >> 32);
}

/* Share of the pairs of some samples that are nearer than the limit. */
static double share_of_near(const ip_layer *layer, double s, double tolerance)
{
  const double ln_2 = 0.6931471805599453, limit = 8.0 * s * ln_2 * limit_of(layer, tolerance);
  const size_t m = layer->n < SOME ? layer->n : SOME;
  size_t near = 0;

  for (size_t i = 0; i < m; i++)
    for (size_t j = 0; j < i; j++) {
      const size_t a = some_sample(i, layer->n), b = some_sample(j, layer->n);
      double distance = 0.0;

      for (size_t u = 0; u < layer->d; u++) {
        const double gap =
            (double)layer->t[u * layer->stride + a] - (double)layer->t[u * layer->stride + b];

        distance += gap * gap;
      }
      near += distance < limit;
    }
  return (double)near / (0.5 * (double)m * (double)(m - 1));
}

ip_kde_kind ip_kde_kind_of(const ip_layer *layer, const ip_kde_line *line, double s,
                           double tolerance)
{
  const double n = (double)layer->n, all = n * n / 32.0 * ((double)layer->d + 11.0);

  if (tolerance == 0.0) return IP_KDE_ALL_PAIRS;
  if (ip_kde_line_cost(layer, line, s) < fmax(0.5 * all, 1e6) &&
      ip_kde_line_error(layer, line, s) <= 0.5 * tolerance)
    return IP_KDE_LINE;
  if (layer->n < FEW || layer->d > IP_KDE_ORDERED) return IP_KDE_ALL_PAIRS;
  return share_of_near(layer, s, tolerance) > 0.6 ? IP_KDE_ALL_PAIRS : IP_KDE_NEAR_PAIRS;
}

/* The box of n samples, a little larger: shape (2, m). */
static void find_box(const ip_kde_axes *axes, size_t n, const uint64_t key[], float box[])
{
  float low[IP_KDE_ORDERED] = {0.0F}, high[IP_KDE_ORDERED];

  memcpy(low, axes->row + (key[0] & UINT32_MAX) * axes->width, axes->width * sizeof *low);
  memcpy(high, low, sizeof low);
  for (size_t i = 1; i < n; i++) {
    const float *t = axes->row + (key[i] & UINT32_MAX) * axes->width;

    for (size_t a = 0; a < axes->width; a++) {
      low[a] = t[a] < low[a] ? t[a] : low[a];
      high[a] = t[a] > high[a] ? t[a] : high[a];
    }
  }
  for (size_t a = 0; a < axes->m; a++) {
    box[a] = low[a] - axes->error;
    box[axes->m + a] = high[a] + axes->error;
  }
}

/* Boxes of all leaves and strips that hold samples. */
static PetscErrorCode make_boxes(ip_kde_pairs *p)
{
  const size_t m = p->axes.m, leaves = p->stride / 16 + 16,
               floats = 2 * m * leaves + 2 * m * 4 * leaves;
  const uint64_t *key = NULL;
  void *room = NULL;

  PetscCall(
      ip_workspace_room(p->work, IP_KDE_SLOT_KEYS, p->layer->n * sizeof(uint64_t), &room));
  key = room;
  PetscCall(ip_workspace_room(p->work, IP_KDE_SLOT_BOXES, floats * sizeof(float), &room));
  memset(room, 0, floats * sizeof(float));

  float *low = room, *high = low + m * leaves, *strip = high + m * leaves;

  for (size_t g = 0; g < p->groups; key += p->size[g++])
    for (size_t i = 0; i < p->size[g]; i += 4) {
      const size_t s = (p->begin[g] + i) / 4, left = p->size[g] - i;
      float *box = strip + s * 2 * m;

      find_box(&p->axes, left < 4 ? left : 4, key + i, box);
      for (size_t a = 0; a < m; a++) {
        const size_t leaf = a * leaves + s / 4;

        low[leaf] = s % 4 == 0 || box[a] < low[leaf] ? box[a] : low[leaf];
        high[leaf] = s % 4 == 0 || box[m + a] > high[leaf] ? box[m + a] : high[leaf];
      }
    }
  p->boxes = (ip_kde_boxes){.m = m, .leaves = leaves, .low = low, .high = high, .strip = strip};
  return PETSC_SUCCESS;
}

/* How near pairs of a noise are that must not be left out. */
static void find_limit(const ip_layer *layer, ip_kde_noise *at, double steepness)
{
  const double ln_2 = 0.6931471805599453, bits = limit_of(layer, at->tolerance);

  at->near = (float)(1.0001 * bits / steepness); /* distances are rounded */
  at->left_out = (double)layer->n / ln_2 * ip_exp(-ln_2 * bits);
}

PetscErrorCode ip_kde_find_limits(ip_kde_pairs *p)
{
  if (p->kind != IP_KDE_NEAR_PAIRS) return PETSC_SUCCESS;
  for (size_t q = 0; q < p->n_noise; q++)
    find_limit(p->layer, &p->noise[q], ip_kde_steepness(p, q));
  return make_boxes(p);
}
