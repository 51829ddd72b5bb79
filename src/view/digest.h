#pragma once

/** @file
 *  What claims and tables ask of a run, as single numbers: a digest of the runs of one group,
 *  read run by run.  Private to the view.
 *
 *  Looks are the epochs at which layers were measured; start is the first, end the last.
 */

#include "sweep.h"

/** Numbers of a run for each layer; those marked (run) stand at layer 0 alone. */
typedef enum {
  /* of an estimator column: bits */
  XT_START,
  XT_MAX,
  XT_END,
  TY_START,
  TY_MAX,
  TY_END,
  TY_BEFORE, /**< largest I(T;Y) up to the look of the largest I(X;T)      */
  TY_AT,     /**< I(T;Y) at that look                                      */
  /* of an estimator column: epochs of the looks before and after; NaN: none */
  PEAK_BEFORE,
  PEAK_AFTER,
  FALLEN_BEFORE,
  FALLEN_AFTER,
  LEARNED_BEFORE,
  LEARNED_AFTER,
  /* of an estimator column */
  RISES,     /**< share of the looks at which I(X;T) lies above that of the layer before by more
                   than 1e-6 bit; NaN in the first layer                   */
  RISE_MOST, /**< the largest such rise, bits; 0 if there is none         */
  I_XY,      /**< (run) caps, bits                                        */
  BIAS,      /**< plug-in bias of TY_END, bits                            */
  DISTANCE,  /**< to the information-bottleneck curve at the end: along I(X;T), bits */
  VERTICAL,  /**< along I(T;Y), bits; NaN for certain labels */
  BETA_BEST, /**< NaN: certain labels, or no binning                      */
  BETA_MISFIT,
  BETA_EDGE,
  /* of no column */
  ONSET_BEFORE,
  ONSET_AFTER,
  ERROR_BEFORE, /**< (run) */
  ERROR_AFTER,  /**< (run) */
  ACCURACY,     /**< (run) share of test patterns labeled right, at the end */
  SECONDS,      /**< (run) wall time                                  */
  NOISE_END,    /**< gradient_std_norm; NaN: fewer than two batches */
  NORM_START,   /**< Frobenius norm of the weights                    */
  NORM_END,
  CORRELATION_START, /**< mean |r| of the neurons' incoming weights        */
  CORRELATION_END,
  QUANTITIES
} quantity;

/** Runs of a group; NaN: not measured, or not of this kind of digest. */
typedef struct {
  const sweep_group *group;
  size_t layers;
  bool measured; /**< some run has numbers here */
  double *value; /**< shape (n, QUANTITIES, layers) */
} digest;

/** Begin with {0}. */
PetscErrorCode digest_column(const sweep *s, const sweep_group *g, size_t column, digest *d);
PetscErrorCode digest_runs(const sweep *s, const sweep_group *g, digest *d);
void digest_clear(digest *d);

double digest_at(const digest *d, size_t run, quantity q, size_t layer);
/** Place of the last hidden layer; NaN is read there by digest_at where a network has none. */
size_t digest_last_hidden(const digest *d);
size_t digest_output(const digest *d);

/** Labels of this data set are certain: its curve is I(T;Y) = I(X;T) up to H(Y). */
PetscErrorCode digest_certain(const sweep *s, const sweep_group *g, bool *certain);
