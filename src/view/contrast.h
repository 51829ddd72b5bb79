#pragma once

/** @file
 *  Two groups of a study that differ in exactly one key: what a paired effect compares.
 *  Private to the view.
 *
 *  Where updates were fixed instead of epochs, epochs differ with batch and training size,
 *  while the clock of updates agrees; that is no second difference.
 */

#include "sweep.h"

/** The key under test. */
typedef enum {
  BY_BATCH,      /**< smallest batch against the full one; only at equal updates     */
  BY_SIZE,       /**< smallest training set against the largest                      */
  BY_DEPTH,      /**< most hidden layers against fewest, at least one                */
  BY_ACTIVATION, /**< tanh against relu                                              */
  BY_DECAY,      /**< largest weight decay against none                              */
  BY_LABELS      /**< shuffled labels against true ones                              */
} contrast_key;

/** a against b, as the key under test says. */
typedef struct {
  size_t a, b;      /**< groups of the study                                        */
  bool equal_clock; /**< as many updates, within one epoch                          */
  ip_text setting;  /**< what the study varies and both share, or empty             */
  ip_text compared; /**< "batch 32 - full batch"                                    */
} contrast;

/** The name of the key under test, for words. */
const char *contrast_name(contrast_key key);

/** All pairs of groups with finished runs that lie at the two ends of the key and agree in all
 *  else; *found: shape (*n), release with contrast_clear. */
PetscErrorCode contrast_find(const sweep *s, const sweep_study *study, contrast_key key,
                             size_t *n, contrast **found);
void contrast_clear(size_t n, contrast **found);

/** The option `name` of the group is this word. */
bool contrast_is(const sweep *s, const sweep_group *g, const char *name, const char *word);

/** Append what the study varies and this group has, but for the keys that a and b differ in. */
PetscErrorCode contrast_setting(const sweep *s, const sweep_study *study, const sweep_group *a,
                                const sweep_group *b, ip_text *text);

/** `column` has bins of a fixed range, and `other` as many, by the same rule and on the same
 *  patterns, over the range of each look. */
PetscErrorCode contrast_twin(const sweep *s, size_t column, size_t other, bool *twin);
