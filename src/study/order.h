#pragma once

/** @file
 *  In which order runs are handed out.  Private to the study.
 */

#include <infoplane/study.h>

/** Those that an earlier launch has begun first, then the longest by what is left of their predicted
 *  cost; equal ones by number.  done: shape (plan->n_runs), share 0 .. 1, or NULL; todo: shape (n), or
 *  NULL: runs 0 .. n-1; order: shape (n). */
PetscErrorCode order_runs(const ip_plan *plan, const double done[], size_t n,
                          const int32_t todo[], int32_t order[]);
