/* The principal axes of a layer, and its samples along them. */

#include "kde.h"
#include "kernels.h"
#include <math.h>
#include <string.h>

enum { SAMPLED = 512 };

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

void ip_kde_turn(const ip_layer *layer, double scale, ip_kde_axes *axes)
{
  const size_t d = layer->d;
  float v[IP_KDE_ORDERED][IP_KDE_ORDERED] = {{0.0F}};
  size_t axis[IP_KDE_ORDERED] = {0};
  matrix x;

  find_covariances(layer, scale, &x);
  make_diagonal(&x);
  sort_axes(&x, axis);
  for (size_t u = 0; u < d; u++)
    for (size_t a = 0; a < d; a++) v[u][a] = (float)(scale * x.v[u][axis[a]]);
  /* A coordinate is a sum of d products of numbers up to 1, each factor and step rounded. */
  *axes = (ip_kde_axes){.n = layer->n,
                        .m = d,
                        .width = ip_kde_width(d),
                        .row = axes->row,
                        .error = (float)((double)(d * (d + 4)) * 0x1p-24)};
  ip_kde_order_kernels_best()->turn(layer->t, layer->stride, v[0], axes);
}
