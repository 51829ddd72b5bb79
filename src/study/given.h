#pragma once

/** @file
 *  A run whose activations are given, part by part.  Private to the study.
 */

#include "measure.h"

typedef struct given given;

/** The activations are borrowed. */
PetscErrorCode given_create(const ip_plan *plan, ip_activations *activations, given **result);
void given_destroy(given **result);

/** Some column measures over the range of the whole run, which must be learned first. */
bool given_has_range(const given *g);
/** Widen it by this look. */
PetscErrorCode given_learn(given *g, size_t look);
/** The range, pairs of low and high; returns how many, at most MEASUREMENT_PIECES.  What no look has
 *  widened is NaN. */
size_t given_range(given *g, ip_piece piece[]);

/** Measure the look of a row of the plan, which is not the last.  company->pause is asked between
 *  layers. */
PetscErrorCode given_look(given *g, size_t row, const ip_company *company, ip_record *record,
                          bool *stopped);
