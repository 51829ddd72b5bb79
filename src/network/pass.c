/* One batch through the network and back:

       z_l = W_l a_{l-1} + b_l,  a_l = phi(z_l);   delta_L = (a_L - target) / m,
       delta_{l-1} = phi'(z_{l-1}) W_l^T delta_l;  dW_l = delta_l a_{l-1}^T,  db_l = sum delta_l.

   The delta of the last layer is the gradient of both losses: cross-entropy over softmax, and
   binary cross-entropies over sigmoids. */

#include "inside.h"
#include <cblas.h>
#include <string.h>

/* From this width on both sides, the products may go to a library. */
enum { WIDE = 128 };

/* An odd number of cache lines: rows do not fall on each other in the cache. */
static size_t stride_of(size_t samples)
{
  return ip_round_up(samples) | 16;
}

/* Floats needed by one pass; false if they cannot be counted. */
static bool count_room(const ip_network *network, size_t stride, bool backward, size_t *floats)
{
  size_t rows = 2 + ip_units(network, network->layers); /* share, label; z */

  for (size_t l = 0; l <= network->layers; l++)
    rows += ip_units(network, l) * (backward && l > 0 ? 2 : 1);
  return !__builtin_mul_overflow(rows, stride, floats);
}

static float *take(float **room, size_t floats)
{
  float *taken = *room;

  *room += floats;
  return taken;
}

static PetscErrorCode fill(const ip_network *network, size_t samples, bool backward,
                           ip_pass *pass)
{
  const size_t layers = network->layers;
  size_t floats;

  pass->stride = stride_of(samples);
  IP_CHECK(count_room(network, pass->stride, backward, &floats), IP_ERR_CONFIG,
           "no memory for activations of %zu samples at once: use a smaller batch", samples);
  PetscCall(IP_ALLOCATE(layers + 1, &pass->a));
  PetscCall(IP_ALLOCATE(layers + 1, &pass->delta));
  PetscCall(IP_ALLOCATE(floats, &pass->room));

  float *room = pass->room;

  for (size_t l = 0; l <= layers; l++) {
    pass->a[l] = take(&room, ip_units(network, l) * pass->stride);
    if (backward && l > 0) pass->delta[l] = take(&room, ip_units(network, l) * pass->stride);
  }
  pass->z = take(&room, ip_units(network, layers) * pass->stride);
  pass->share = take(&room, pass->stride);
  pass->label = (int32_t *)(void *)take(&room, pass->stride);
  return PETSC_SUCCESS;
}

PetscErrorCode ip_pass_create(const ip_network *network, size_t samples, bool backward,
                              ip_pass *pass)
{
  ip_pass made = {0};
  const PetscErrorCode code = fill(network, samples, backward, &made);

  if (code) {
    ip_pass_destroy(&made);
    return code;
  }
  *pass = made;
  return PETSC_SUCCESS;
}

void ip_pass_destroy(ip_pass *pass)
{
  ip_release(&pass->a);
  ip_release(&pass->delta);
  ip_release(&pass->room);
}

void ip_pass_load(const ip_network *network, size_t m, const uint32_t index[], const float x[],
                  ip_pass *pass)
{
  pass->m = m;
  pass->lanes = ip_round_up(m);
  network->products->gather(m, index, ip_units(network, 0), x, pass->stride, pass->a[0]);
}

void ip_pass_label(size_t m, const uint32_t index[], const int32_t y[], float share,
                   ip_pass *pass)
{
  for (size_t s = 0; s < m; s++) pass->label[s] = y[index[s]];
  for (size_t s = 0; s < m; s++) pass->share[s] = share;
  for (size_t s = m; s < pass->lanes; s++) {
    pass->label[s] = 0;
    pass->share[s] = 0.0F;
  }
}

/* ---- one layer --------------------------------------------------------------------------- */

static bool by_library(const ip_network *network, size_t layer)
{
  return network->blas == IP_BLAS_OPENBLAS && network->width[layer] >= WIDE &&
         network->width[layer - 1] >= WIDE;
}

/* z = W a + b */
static void multiply(const ip_network *network, size_t layer, const ip_pass *pass, float *z)
{
  const size_t units = ip_units(network, layer), inputs = ip_units(network, layer - 1);
  const float *w = network->parameter + network->offset[layer], *b = w + units * inputs;

  if (by_library(network, layer)) {
    for (size_t u = 0; u < units; u++)
      for (size_t s = 0; s < pass->lanes; s++) z[u * pass->stride + s] = b[u];
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, (blasint)units, (blasint)pass->lanes,
                (blasint)inputs, 1.0F, w, (blasint)inputs, pass->a[layer - 1],
                (blasint)pass->stride, 1.0F, z, (blasint)pass->stride);
    return;
  }
  network->products->product(&(ip_product){.rows = units,
                                           .terms = inputs,
                                           .row_step = inputs,
                                           .term_step = 1,
                                           .stride = pass->stride,
                                           .lanes = pass->lanes,
                                           .weight = w,
                                           .start = b,
                                           .in = pass->a[layer - 1],
                                           .out = z});
}

/* delta_{l-1} = W^T delta_l */
static void multiply_back(const ip_network *network, size_t layer, const ip_pass *pass)
{
  const size_t units = ip_units(network, layer), inputs = ip_units(network, layer - 1);
  const float *w = network->parameter + network->offset[layer];

  if (by_library(network, layer)) {
    cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, (blasint)inputs, (blasint)pass->lanes,
                (blasint)units, 1.0F, w, (blasint)inputs, pass->delta[layer],
                (blasint)pass->stride, 0.0F, pass->delta[layer - 1], (blasint)pass->stride);
    return;
  }
  network->products->product(&(ip_product){.rows = inputs,
                                           .terms = units,
                                           .row_step = 1,
                                           .term_step = inputs,
                                           .stride = pass->stride,
                                           .lanes = pass->lanes,
                                           .weight = w,
                                           .in = pass->delta[layer],
                                           .out = pass->delta[layer - 1]});
}

static ip_outputs outputs_of(const ip_network *network, const ip_pass *pass)
{
  return (ip_outputs){.units = ip_units(network, network->layers),
                      .stride = pass->stride,
                      .lanes = pass->lanes,
                      .kind = network->output,
                      .z = pass->z,
                      .label = pass->label,
                      .share = pass->share,
                      .a = pass->a[network->layers],
                      .delta = pass->delta[network->layers]};
}

/* ---- all layers -------------------------------------------------------------------------- */

void ip_pass_forward(const ip_network *network, ip_pass *pass)
{
  const ip_outputs last = outputs_of(network, pass);

  for (size_t l = 1; l < network->layers; l++) {
    multiply(network, l, pass, pass->a[l]);
    network->activations->apply(network->activation, ip_units(network, l), pass->stride,
                                pass->lanes, pass->a[l]);
  }
  multiply(network, network->layers, pass, pass->z);
  network->activations->output(&last);
}

void ip_pass_backward(const ip_network *network, ip_pass *pass)
{
  const ip_outputs last = outputs_of(network, pass);

  network->activations->output_delta(&last);
  for (size_t l = network->layers; l > 1; l--) {
    multiply_back(network, l, pass);
    network->activations->slope(network->activation, ip_units(network, l - 1), pass->stride,
                                pass->lanes, pass->a[l - 1], pass->delta[l - 1]);
  }
}

void ip_pass_gradient(const ip_network *network, const ip_pass *pass, float gradient[])
{
  for (size_t l = 1; l <= network->layers; l++) {
    const size_t units = ip_units(network, l), inputs = ip_units(network, l - 1);
    float *weight = gradient + network->offset[l];
    ip_outer p = {.units = units,
                  .inputs = inputs,
                  .stride = pass->stride,
                  .lanes = pass->lanes,
                  .delta = pass->delta[l],
                  .a = pass->a[l - 1],
                  .weight = weight,
                  .bias = weight + units * inputs};

    if (by_library(network, l)) {
      cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, (blasint)units, (blasint)inputs,
                  (blasint)pass->lanes, 1.0F, p.delta, (blasint)pass->stride, p.a,
                  (blasint)pass->stride, 0.0F, weight, (blasint)inputs);
      p.inputs = 0; /* the biases are left */
    }
    network->products->outer(&p);
  }
}
