#pragma once

/** @file
 *  Networks and data that the tests of this room share: drawn at random, by counter.
 */

#include "check.h"
#include <infoplane/network.h>
#include <infoplane/rng.h>
#include <stdlib.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/** Uniform in [-1, 1]. */
static inline double draw(uint32_t stream, uint64_t counter)
{
  const ip_stream s = {.seed = 11, .replicate = stream, .purpose = IP_PURPOSE_TEST};

  return 2.0 * ip_stream_uniform(&s, counter) - 1.0;
}

/** n patterns of d features in [-1, 1] and labels below k; all of them train. */
typedef struct {
  float *x;
  double *wide; /**< x in double */
  int32_t *y;
  uint32_t *train;
  ip_training_set set;
} fixture_data;

static inline void data_make(size_t n, size_t d, int32_t k, fixture_data *data)
{
  OK(IP_ALLOCATE(n * d, &data->x));
  OK(IP_ALLOCATE(n * d, &data->wide));
  OK(IP_ALLOCATE(n, &data->y));
  OK(IP_ALLOCATE(n, &data->train));
  for (size_t i = 0; i < n * d; i++) data->wide[i] = data->x[i] = (float)draw(1, i);
  for (size_t i = 0; i < n; i++) {
    data->y[i] = (int32_t)(0.5 * (draw(2, i) + 1.0) * k);
    data->train[i] = (uint32_t)i;
  }
  data->set = (ip_training_set){
      .n = n, .d = d, .x = data->x, .y = data->y, .n_train = n, .train = data->train};
}

static inline void data_release(fixture_data *data)
{
  ip_release(&data->x);
  ip_release(&data->wide);
  ip_release(&data->y);
  ip_release(&data->train);
}

/** Weights in +-2/sqrt(inputs), biases in +-0.5. */
static inline ip_network *network_make(const ip_network_shape *shape)
{
  ip_network *network;
  float *p;
  uint64_t counter = 0;

  OK(ip_network_create(shape, &network));
  p = ip_network_parameters(network);
  for (size_t l = 1; l <= shape->layers; l++) {
    const size_t units = (size_t)shape->width[l], inputs = (size_t)shape->width[l - 1];

    for (size_t i = 0; i < units * inputs; i++)
      *p++ = (float)(draw(3, counter++) * 2.0 / sqrt((double)inputs));
    for (size_t i = 0; i < units; i++) *p++ = (float)(0.5 * draw(3, counter++));
  }
  return network;
}

/** A reference with the parameters of the network. */
static inline ip_reference *reference_of(const ip_network_shape *shape, ip_network *network)
{
  ip_reference *reference;

  OK(ip_reference_create(shape, &reference));
  for (size_t i = 0; i < ip_network_n_parameters(network); i++)
    ip_reference_parameters(reference)[i] = (double)ip_network_parameters(network)[i];
  return reference;
}

/** Index of a name that exists. */
static inline size_t named(ip_names names, const char *name)
{
  const int i = ip_names_find(names, name);

  assert_true(i >= 0);
  return (size_t)i;
}
