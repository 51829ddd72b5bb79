/* Binning the slow way: every edge asked, every pair of samples compared.

     H(T) = -sum_t p_t log2 p_t,    I(T;Y) = H(T) - sum_y p_y H(T|Y=y). */

#include "binning.h"
#include <infoplane/numerics.h>
#include <math.h>

typedef struct {
  double *cell;  /* shape (n, d)                                    */
  size_t *first; /* shape (n): first sample with the same cells     */
  double *joint; /* shape (n, k): n_ty of the cell of a first one   */
} tables;

/* The number of edges at or below t, less one; the lowest and the highest cell take the rest. */
static double cell_of(const ip_bins *bins, double t)
{
  uint32_t reached = 0;

  for (uint32_t i = 1; i < bins->cells; i++) reached += ip_bins_edge(bins, i) <= t;
  return (double)reached;
}

static void snapshot_of(const ip_layer *layer, double snapshot[2])
{
  snapshot[0] = (double)INFINITY, snapshot[1] = -(double)INFINITY;
  for (size_t u = 0; u < layer->d; u++)
    for (size_t i = 0; i < layer->n; i++) {
      const double t = (double)layer->t[u * layer->stride + i];

      snapshot[0] = fmin(snapshot[0], t);
      snapshot[1] = fmax(snapshot[1], t);
    }
}

static PetscErrorCode digitize(const ip_layer *layer, const ip_column *column, double cell[],
                               ip_information *out)
{
  const bool fixed = column->given[IP_BINNING_WIDTH];
  size_t clipped = 0;
  double snapshot[2];
  ip_bins bins = {0};

  snapshot_of(layer, snapshot);
  if (!fixed) PetscCall(ip_bins_of(layer, column, snapshot, &bins));
  for (size_t i = 0; i < layer->n; i++)
    for (size_t u = 0; u < layer->d; u++) {
      const double t = (double)layer->t[u * layer->stride + i];

      clipped += t < bins.low || t > bins.high;
      cell[i * layer->d + u] =
          fixed ? floor(t / column->value[IP_BINNING_WIDTH].real) : cell_of(&bins, t);
    }
  out->clipped_fraction =
      fixed ? NAN : (float)((double)clipped / ((double)layer->n * (double)layer->d));
  out->bin_low = fixed ? NAN : (float)bins.low;
  out->bin_high = fixed ? NAN : (float)bins.high;
  return PETSC_SUCCESS;
}

static bool same(size_t d, const double a[], const double b[])
{
  for (size_t u = 0; u < d; u++)
    if (a[u] != b[u]) return false;
  return true;
}

static void join(const ip_layer *layer, const tables *t)
{
  const size_t d = layer->d, k = (size_t)layer->k;

  for (size_t i = 0; i < layer->n; i++) {
    size_t j = 0;

    while (!same(d, t->cell + i * d, t->cell + j * d)) j++;
    t->first[i] = j;
    for (size_t y = 0; y < k; y++)
      t->joint[j * k + y] +=
          layer->p ? layer->p[i * k + y] : (double)(layer->y[i] == (int32_t)y);
  }
}

/* -p log2 p, 0 at 0. */
static double surprise(double p)
{
  return p > 0.0 ? -p * ip_log2(p) : 0.0;
}

static void entropies(const ip_layer *layer, const tables *t, ip_information *out)
{
  const size_t n = layer->n, k = (size_t)layer->k;
  double h_t = 0.0, h_t_y = 0.0, cells = 0.0;

  for (size_t i = 0; i < n; i++) {
    double samples = 0.0;

    for (size_t j = 0; j < n; j++) samples += t->first[j] == i;
    cells += samples > 0.0;
    h_t += surprise(samples / (double)n);
  }
  for (size_t y = 0; y < k; y++) {
    double n_y = 0.0, h = 0.0;

    for (size_t i = 0; i < n; i++) n_y += t->joint[i * k + y];
    for (size_t i = 0; i < n && n_y > 0.0; i++) h += surprise(t->joint[i * k + y] / n_y);
    h_t_y += n_y / (double)n * h;
  }
  out->h_t = out->i_xt = h_t;
  out->i_ty = h_t - h_t_y;
  out->i_ty_bias = (float)ip_plugin_bias(cells, (double)k, (double)n);
}

static PetscErrorCode measure(const ip_layer *layer, const ip_column *column, const tables *t,
                              ip_information *out)
{
  PetscCall(digitize(layer, column, t->cell, out));
  join(layer, t);
  entropies(layer, t, out);
  return PETSC_SUCCESS;
}

PetscErrorCode ip_binning_reference(const ip_layer *layer, const ip_column *column,
                                    ip_information *out)
{
  tables t = {0};
  PetscErrorCode code = IP_ALLOCATE(layer->n * layer->d, &t.cell);

  if (!code) code = IP_ALLOCATE(layer->n, &t.first);
  if (!code) code = IP_ALLOCATE(layer->n * (size_t)layer->k, &t.joint);
  if (!code) code = measure(layer, column, &t, out);
  ip_release(&t.cell);
  ip_release(&t.first);
  ip_release(&t.joint);
  return code;
}
