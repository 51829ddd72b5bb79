/* Gradients at weights that do not move: mean and spread over mini-batches and samples.

   Over B equal batches of b samples, mean M = mean_b G_b; spread by Welford's update
   (Technometrics 4 (1962) 419), whose terms are never negative.  Over the N = B b samples
   mean |g_i|^2 - |M|^2, where |g_i|^2 = |delta_i|^2 |a_i|^2 since one sample's gradient is an
   outer product. */

#include "inside.h"
#include <math.h>
#include <string.h>

typedef struct {
  ip_pass pass;
  size_t batch, batches;
  uint32_t *order;
  float *gradient;   /* of one batch                                */
  double *mean;      /* of the batches so far, for every parameter  */
  double *spread;    /* shape (layers): sum of squares about mean   */
  double *squares;   /* shape (layers): sum of |g_i|^2              */
  double *delta, *a; /* shape (batch): |delta_i|^2, |a_i|^2       */
} workshop;

static PetscErrorCode open_workshop(const ip_network *network, size_t n_train, workshop *w)
{
  PetscCall(IP_ALLOCATE(n_train, &w->order));
  PetscCall(IP_ALLOCATE(ip_round_up(network->n), &w->gradient));
  PetscCall(IP_ALLOCATE(network->n, &w->mean));
  PetscCall(IP_ALLOCATE(network->layers, &w->spread));
  PetscCall(IP_ALLOCATE(network->layers, &w->squares));
  PetscCall(IP_ALLOCATE(w->batch, &w->delta));
  PetscCall(IP_ALLOCATE(w->batch, &w->a));
  PetscCall(ip_pass_create(network, w->batch, true, &w->pass));
  return PETSC_SUCCESS;
}

static void close_workshop(workshop *w)
{
  ip_release(&w->order);
  ip_release(&w->gradient);
  ip_release(&w->mean);
  ip_release(&w->spread);
  ip_release(&w->squares);
  ip_release(&w->delta);
  ip_release(&w->a);
  ip_pass_destroy(&w->pass);
}

/* Gradient of the mean loss over m patterns, into w->gradient. */
static void differentiate(const ip_network *network, const ip_training_set *set, size_t m,
                          const uint32_t index[], workshop *w)
{
  ip_pass_load(network, m, index, set->x, &w->pass);
  ip_pass_label(m, index, set->y, 1.0F / (float)m, &w->pass);
  ip_pass_forward(network, &w->pass);
  ip_pass_backward(network, &w->pass);
  ip_pass_gradient(network, &w->pass, w->gradient);
}

/* square[s] = sum over the units of value[unit][s]^2, s < pass->m. */
static void column_squares(size_t units, const ip_pass *pass, const float value[],
                           double square[])
{
  memset(square, 0, pass->m * sizeof *square);
  for (size_t u = 0; u < units; u++) {
    const float *row = value + u * pass->stride;

    for (size_t s = 0; s < pass->m; s++) square[s] += (double)row[s] * (double)row[s];
  }
}

/* Sum over the samples of |delta|^2 |a|^2. */
static double sample_squares(const ip_network *network, size_t layer, workshop *w)
{
  const double m = (double)w->pass.m; /* the deltas hold 1/m */
  double total = 0.0;

  column_squares(ip_units(network, layer), &w->pass, w->pass.delta[layer], w->delta);
  column_squares(ip_units(network, layer - 1), &w->pass, w->pass.a[layer - 1], w->a);
  for (size_t s = 0; s < w->pass.m; s++) total += w->delta[s] * w->a[s];
  return total * m * m;
}

/* Batch number b = 0, 1, ... joins the mean and the spread of a layer. */
static void join(const ip_network *network, size_t layer, size_t b, workshop *w)
{
  const size_t begin = network->offset[layer],
               end = begin + ip_units(network, layer) * ip_units(network, layer - 1);

  for (size_t i = begin; i < end; i++) {
    const double value = (double)w->gradient[i], change = value - w->mean[i];

    w->mean[i] += change / (double)(b + 1);
    w->spread[layer - 1] += change * (value - w->mean[i]);
  }
  w->squares[layer - 1] += sample_squares(network, layer, w);
}

static ip_gradient conclude(const ip_network *network, size_t layer, const workshop *w)
{
  const size_t n = ip_units(network, layer) * ip_units(network, layer - 1);
  const double *mean = w->mean + network->offset[layer];
  const double batches = (double)w->batches, samples = batches * (double)w->batch;
  double norm = 0.0, rest;

  for (size_t i = 0; i < n; i++) norm += mean[i] * mean[i];
  rest = w->squares[layer - 1] / samples - norm;
  return (ip_gradient){.mean_norm = sqrt(norm),
                       .std_norm = sqrt(w->spread[layer - 1] / batches),
                       .sample_std_norm = sqrt(rest < 0.0 ? 0.0 : rest)};
}

PetscErrorCode ip_network_gradients(const ip_network *network, const ip_training_set *set,
                                    size_t gradient_batch, uint64_t seed, uint32_t replicate,
                                    ip_gradient gradient[])
{
  const ip_stream stream = {
      .seed = seed, .replicate = replicate, .purpose = IP_PURPOSE_GRADIENT};
  const size_t quarter = set->n_train / 4;
  workshop w = {.batch = gradient_batch < quarter ? gradient_batch : quarter};

  if (w.batch < 1) w.batch = 1;
  w.batches = set->n_train / w.batch;
  if (w.batches < 2) {
    for (size_t l = 0; l < network->layers; l++)
      gradient[l] = (ip_gradient){(double)NAN, (double)NAN, (double)NAN};
    return PETSC_SUCCESS;
  }

  const PetscErrorCode code = open_workshop(network, set->n_train, &w);

  if (!code) {
    ip_stream_permutation(&stream, 0, set->n_train, w.order);
    for (size_t i = 0; i < set->n_train; i++) w.order[i] = set->train[w.order[i]];
    for (size_t b = 0; b < w.batches; b++) {
      differentiate(network, set, w.batch, w.order + b * w.batch, &w);
      for (size_t l = 1; l <= network->layers; l++) join(network, l, b, &w);
    }
    for (size_t l = 1; l <= network->layers; l++) gradient[l - 1] = conclude(network, l, &w);
  }
  close_workshop(&w);
  return code;
}

PetscErrorCode ip_network_gradient(const ip_network *network, const ip_training_set *set,
                                   float gradient[])
{
  workshop w = {.batch = set->n_train, .batches = 1};

  IP_CHECK(set->n_train >= 1, IP_ERR_INTERNAL, "the gradient over no patterns");

  const PetscErrorCode code = open_workshop(network, set->n_train, &w);

  if (!code) {
    differentiate(network, set, set->n_train, set->train, &w);
    for (size_t i = 0; i < network->n; i++) gradient[i] = w.gradient[i];
  }
  close_workshop(&w);
  return code;
}
