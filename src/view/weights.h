#pragma once

/** @file  How alike the weights of neurons are, of one network and of two.  Private to the view. */

#include "sweep.h"

/** Expected |r| of two vectors of n independent Gaussian weights; NaN for n < 2. */
double weights_expected(size_t n);

/** The file keeps the weights of this group's runs. */
PetscErrorCode weights_kept(const sweep *s, const sweep_group *g, bool *kept);

/** Mean |r| over all pairs of a neuron of run 2i with one of run 2i + 1, at the end: shape
 *  (g->n / 2, layers); NaN for layers of one input. */
PetscErrorCode weights_between(const sweep *s, const sweep_group *g, double value[]);

/** The same over its expectation less 1, mean over the layers: shape (g->n / 2). */
PetscErrorCode weights_excess(const sweep *s, const sweep_group *g, double value[]);
