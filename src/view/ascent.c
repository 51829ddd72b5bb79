/* Projected gradient ascent on an input.

   Of a single sample the gradient of the loss by the biases of the first layer is delta_1, so that by
   the input it is W_1^T delta_1: what the reference network gives is enough. */

#include "ascent.h"
#include <math.h>
#include <string.h>

enum { STEPS = 200 };
static const double first_step =
    1.0; /* length; the cube of 784 pixels has a half diagonal of 14 */

/* down: shape (d), the gradient of the loss by x. */
static PetscErrorCode by_input(ip_reference *network, const ip_network_shape *shape,
                               const ip_reference_set *one, double gradient[], double down[])
{
  const size_t d = (size_t)shape->width[0], units = (size_t)shape->width[1];
  const double *w = ip_reference_parameters(network), *delta = gradient + units * d;
  double loss;

  PetscCall(ip_reference_loss(network, one, &loss, gradient, NULL));
  memset(down, 0, d * sizeof *down);
  for (size_t u = 0; u < units; u++)
    for (size_t i = 0; i < d; i++) down[i] += w[u * d + i] * delta[u];
  return PETSC_SUCCESS;
}

static void step_down(size_t d, double length, const double down[], double x[])
{
  double norm = 0.0;

  for (size_t i = 0; i < d; i++) norm += down[i] * down[i];
  norm = sqrt(norm);
  if (!(norm > 0.0)) return;
  for (size_t i = 0; i < d; i++) x[i] = fmin(1.0, fmax(0.0, x[i] - length * down[i] / norm));
}

static PetscErrorCode climb(ip_reference *network, const ip_network_shape *shape,
                            const ip_reference_set *one, double x[], double *probability)
{
  const size_t d = (size_t)shape->width[0];
  double *gradient = NULL, *down = NULL, loss = 0.0;
  size_t n = 0;

  for (size_t l = 1; l <= shape->layers; l++)
    n += (size_t)shape->width[l] * ((size_t)shape->width[l - 1] + 1);

  PetscErrorCode code = IP_ALLOCATE(n, &gradient);

  if (code == PETSC_SUCCESS) code = IP_ALLOCATE(d, &down);
  for (int s = 0; s < STEPS && code == PETSC_SUCCESS; s++) {
    code = by_input(network, shape, one, gradient, down);
    if (code == PETSC_SUCCESS) step_down(d, first_step * (1.0 - (double)s / STEPS), down, x);
  }
  if (code == PETSC_SUCCESS) code = ip_reference_loss(network, one, &loss, NULL, NULL);
  if (code == PETSC_SUCCESS) *probability = exp(-loss);
  ip_release(&gradient);
  ip_release(&down);
  return code;
}

PetscErrorCode ascent_maximize(const ip_network_shape *shape, const double parameter[],
                               int32_t class, double x[], double *probability)
{
  const ip_reference_set one = {.m = 1, .x = x, .y = &class};
  ip_reference *network = NULL;
  size_t n = 0;

  PetscCall(ip_reference_create(shape, &network));
  for (size_t l = 1; l <= shape->layers; l++)
    n += (size_t)shape->width[l] * ((size_t)shape->width[l - 1] + 1);
  memcpy(ip_reference_parameters(network), parameter, n * sizeof *parameter);
  for (int32_t i = 0; i < shape->width[0]; i++) x[i] = 0.5;

  const PetscErrorCode code = climb(network, shape, &one, x, probability);

  ip_reference_destroy(&network);
  return code;
}
