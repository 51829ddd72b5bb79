/* KDE the slow way, in double: the formula of kde.c as it stands, O(k n^2 d).

     M_y = -sum_i w_i log2 sum_j w_j exp(-|t_i - t_j|^2 / (c s))

   with w_i = p(y|x_i) / sum_j p(y|x_j); w_i = 1/n for all samples. */

#include "kde.h"
#include <infoplane/numerics.h>
#include <math.h>

enum { EVERYONE = -1 };

/* The weight of sample i in class y, not normalized. */
static double weight(const ip_layer *layer, size_t i, int32_t y)
{
  if (y == EVERYONE) return 1.0;
  if (layer->p) return layer->p[i * (size_t)layer->k + (size_t)y];
  return layer->y[i] == y ? 1.0 : 0.0;
}

static double squared_distance(const ip_layer *layer, size_t i, size_t j)
{
  double sum = 0.0;

  for (size_t u = 0; u < layer->d; u++) {
    const float *t = layer->t + u * layer->stride;
    const double gap = (double)t[i] - (double)t[j];

    sum += gap * gap;
  }
  return sum;
}

/* M_y in bits; *total = sum of the weights. */
static double mixture_information(const ip_layer *layer, int32_t y, double cs, double *total)
{
  double bits = 0.0;

  *total = 0.0;
  for (size_t i = 0; i < layer->n; i++) *total += weight(layer, i, y);
  for (size_t i = 0; i < layer->n; i++) {
    const double w = weight(layer, i, y);
    double kernel = 0.0;

    if (w == 0.0) continue;
    for (size_t j = 0; j < layer->n; j++) {
      const double w_j = weight(layer, j, y);

      if (w_j > 0.0) kernel += w_j * ip_exp(-squared_distance(layer, i, j) / cs);
    }
    bits -= w / *total * ip_log2(kernel / *total);
  }
  return bits;
}

PetscErrorCode ip_kde_reference(const ip_layer *layer, const ip_column *column,
                                ip_information *out)
{
  const double s = ip_kde_noise_variance(column, ip_kde_layer_variance(layer)),
               c = column->value[IP_KDE_BOUND].word == IP_BOUND_UPPER ? 2.0 : 8.0;
  double total;

  *out = (ip_information){.h_t = NAN,
                          .i_ty_bias = NAN,
                          .clipped_fraction = NAN,
                          .bin_low = NAN,
                          .bin_high = NAN,
                          .error_bound = NAN};
  if (!(s > 0.0)) return PETSC_SUCCESS;
  out->i_xt = mixture_information(layer, EVERYONE, c * s, &total);
  out->i_ty = out->i_xt;
  for (int32_t y = 0; y < layer->k; y++) {
    const double within = mixture_information(layer, y, c * s, &total);

    out->i_ty -= total / (double)layer->n * within;
  }
  out->h_t = ip_kde_entropy(out->i_xt, layer->d, s);
  return PETSC_SUCCESS;
}
