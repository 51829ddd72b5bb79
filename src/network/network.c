/* Shapes, parameters, initial weights and what can be said of weights alone. */

#include "inside.h"
#include <cblas.h>
#include <math.h>
#include <string.h>

/* Bits of a weight's counter: layer, unit, input; all ones in place of the input is the bias. */
enum { LAYER_BITS = 8, UNIT_BITS = 24, INPUT_BITS = 24 };

static const uint64_t bias_input = (1U << INPUT_BITS) - 1;

static PetscErrorCode check_shape(const ip_network_shape *shape)
{
  const int32_t widest = (1 << UNIT_BITS) - 1;

  IP_CHECK(shape->layers >= 1 && shape->layers < 1U << LAYER_BITS, IP_ERR_CONFIG,
           "a network of %zu layers: it must have 1 to %u", shape->layers,
           (1U << LAYER_BITS) - 1);
  for (size_t l = 0; l <= shape->layers; l++)
    IP_CHECK(shape->width[l] >= 1 && shape->width[l] < widest, IP_ERR_CONFIG,
             "layer %zu is %d units wide: it must have 1 to %d", l, (int)shape->width[l],
             (int)widest - 1);
  IP_CHECK(shape->output == IP_OUTPUT_SIGMOID || shape->width[shape->layers] >= 2,
           IP_ERR_CONFIG, "a softmax over one unit is always 1: use output sigmoid");
  IP_CHECK(ip_activation_row(shape->activation), IP_ERR_INTERNAL, "no activation number %zu",
           shape->activation);
  return PETSC_SUCCESS;
}

static void choose_kernels(ip_network *network)
{
  network->products = &ip_product_kernels_baseline;
  network->activations = &ip_activation_kernels_baseline;
#ifndef IP_ONLY_BASELINE
  if (ip_isa_best() == IP_ISA_AVX2) {
    network->products = &ip_product_kernels_avx2;
    network->activations = &ip_activation_kernels_avx2;
  } else if (ip_isa_best() == IP_ISA_AVX512) {
    network->products = &ip_product_kernels_avx512;
    network->activations = &ip_activation_kernels_avx512;
  }
#endif
}

static PetscErrorCode fill(const ip_network_shape *shape, ip_network *network)
{
  size_t widest = (size_t)shape->width[0];

  network->layers = shape->layers;
  network->activation = shape->activation;
  network->output = shape->output;
  network->blas = shape->blas;
  PetscCall(IP_ALLOCATE(shape->layers + 1, &network->width));
  PetscCall(IP_ALLOCATE(shape->layers + 1, &network->offset));
  memcpy(network->width, shape->width, (shape->layers + 1) * sizeof *shape->width);
  for (size_t l = 1; l <= shape->layers; l++) {
    network->offset[l] = network->n; /* below 2^56 a layer */
    network->n += ip_units(network, l) * (ip_units(network, l - 1) + 1);
    if (ip_units(network, l) > widest) widest = ip_units(network, l);
  }
  PetscCall(IP_ALLOCATE(ip_round_up(network->n), &network->parameter));
  PetscCall(IP_ALLOCATE((2 + IP_TILE) * widest, &network->row));
  choose_kernels(network);
  return PETSC_SUCCESS;
}

PetscErrorCode ip_network_create(const ip_network_shape *shape, ip_network **network)
{
  ip_network *made;

  PetscCall(check_shape(shape));
  PetscCall(IP_ALLOCATE(1, &made));

  const PetscErrorCode code = fill(shape, made);

  if (code) {
    ip_network_destroy(&made);
    return code;
  }
  if (made->blas == IP_BLAS_OPENBLAS) (void)ip_blas_kernel();
  *network = made;
  return PETSC_SUCCESS;
}

void ip_network_destroy(ip_network **network)
{
  if (!*network) return;
  ip_release(&(*network)->width);
  ip_release(&(*network)->offset);
  ip_release(&(*network)->parameter);
  ip_release(&(*network)->row);
  ip_release(network);
}

const char *ip_blas_kernel(void)
{
  openblas_set_num_threads(1);
  return openblas_get_corename();
}

/* ---- initial weights --------------------------------------------------------------------- */

typedef struct {
  ip_stream stream;
  ip_init init;
  double scale; /* of the layer: sigma, or half the width of the interval */
} drawer;

static float draw(const drawer *from, size_t layer, size_t unit, uint64_t input)
{
  const uint64_t counter =
      (uint64_t)layer << (UNIT_BITS + INPUT_BITS) | (uint64_t)unit << INPUT_BITS | input;

  if (from->init == IP_INIT_UNIFORM)
    return (float)(from->scale * (2.0 * ip_stream_uniform(&from->stream, counter) - 1.0));
  return (float)(from->scale * ip_stream_truncated_normal(&from->stream, counter));
}

void ip_network_initialize(ip_network *network, ip_init init, uint64_t seed, uint32_t replicate)
{
  drawer from = {
      .stream = {.seed = seed, .replicate = replicate, .purpose = IP_PURPOSE_WEIGHT},
      .init = init
  };

  for (size_t l = 1; l <= network->layers; l++) {
    const size_t units = ip_units(network, l), inputs = ip_units(network, l - 1);
    float *w = network->parameter + network->offset[l], *b = w + units * inputs;

    from.scale = 1.0 / sqrt((double)(init == IP_INIT_FAN_OUT ? units : inputs));
    for (size_t u = 0; u < units; u++) {
      for (size_t i = 0; i < inputs; i++) w[u * inputs + i] = draw(&from, l, u, i);
      b[u] = init == IP_INIT_UNIFORM ? draw(&from, l, u, bias_input) : 0.0F;
    }
  }
}

/* ---- what it is -------------------------------------------------------------------------- */

size_t ip_network_layers(const ip_network *network)
{
  return network->layers;
}

int32_t ip_network_width(const ip_network *network, size_t layer)
{
  return network->width[layer];
}

float *ip_network_parameters(ip_network *network)
{
  return network->parameter;
}

size_t ip_network_n_parameters(const ip_network *network)
{
  return network->n;
}

size_t ip_network_offset(const ip_network *network, size_t layer)
{
  return network->offset[layer];
}

/* ---- weights alone ----------------------------------------------------------------------- */

/* What takes a row to mean 0 and length 1: minus the mean, times the scale, 0 for a row
   that is constant or not finite. */
static void describe(size_t n, const float row[], double *mean, double *scale)
{
  double sum = 0.0, squares = 0.0;

  for (size_t i = 0; i < n; i++) sum += (double)row[i];
  *mean = sum / (double)n;
  for (size_t i = 0; i < n; i++) squares += ((double)row[i] - *mean) * ((double)row[i] - *mean);
  *scale = squares > 0.0 ? 1.0 / sqrt(squares) : 0.0;
}

/* Products of a row and the rows of a tile, shape (n, IP_TILE), which stay in registers. */
static void multiply(size_t n, const float row[], const double tile[], double product[IP_TILE])
{
  double sum[IP_TILE] = {0};

  for (size_t i = 0; i < n; i++)
    for (size_t r = 0; r < IP_TILE; r++) sum[r] += (double)row[i] * tile[i * IP_TILE + r];
  memcpy(product, sum, sizeof sum);
}

/* The rows of a tile have mean 0, so that the mean of a row adds nothing to their product. */
void ip_network_weight_statistics(const ip_network *network, size_t layer, double *norm,
                                  double *correlation)
{
  const size_t units = ip_units(network, layer), inputs = ip_units(network, layer - 1);
  const float *w = network->parameter + network->offset[layer];
  double *mean = network->row, *scale = mean + units, *tile = scale + units;
  double squares = 0.0, sum = 0.0, varying = 0.0;

  for (size_t i = 0; i < units * inputs; i++) squares += (double)w[i] * (double)w[i];
  for (size_t u = 0; u < units; u++) {
    describe(inputs, w + u * inputs, &mean[u], &scale[u]);
    if (scale[u] > 0.0) varying += 1.0;
  }
  for (size_t first = 0; first < units; first += IP_TILE) {
    const size_t rows = units - first < IP_TILE ? units - first : IP_TILE;

    memset(tile, 0, inputs * IP_TILE * sizeof *tile);
    for (size_t r = 0; r < rows; r++)
      for (size_t i = 0; i < inputs && scale[first + r] > 0.0; i++)
        tile[i * IP_TILE + r] =
            ((double)w[(first + r) * inputs + i] - mean[first + r]) * scale[first + r];
    for (size_t u = first + 1; u < units; u++) {
      double product[IP_TILE], of_row = 0.0;

      if (!(scale[u] > 0.0)) continue;
      multiply(inputs, w + u * inputs, tile, product);
      for (size_t r = 0; r < rows && first + r < u; r++) of_row += fabs(product[r]);
      sum += of_row * scale[u];
    }
  }
  *norm = sqrt(squares);
  *correlation = varying > 1.0 ? sum / (0.5 * varying * (varying - 1.0)) : (double)NAN;
}
