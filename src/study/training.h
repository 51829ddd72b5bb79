#pragma once

/** @file
 *  One network being trained and looked at, and how far it is.  Private to the study.
 */

#include "measure.h"

/** How far a run is. Together with what it points to, this is all that a checkpoint keeps. */
typedef struct {
  int64_t epoch;   /**< complete passes                                        */
  int64_t updates; /**< optimizer steps, set when it is saved                  */
  int64_t looks;   /**< taken in the first pass                                */
  int64_t layers;  /**< measured of the look that is being taken               */
  int64_t again;   /**< taken once more in the second pass                     */
  int64_t trained; /**< 1: the last epoch is over, or the run diverged         */
  int64_t finite;  /**< 0: it diverged                                         */
  double seconds;  /**< worked on it in earlier launches; when saved: until now */
} place;

typedef struct {
  const ip_plan *plan;
  const ip_run *run;
  const ip_measure *measure;
  const ip_dataset *data;
  int32_t *y; /**< labels of this replicate */
  ip_split *split;
  ip_network *network;
  ip_trainer *trainer;
  ip_training_set set;
  measurement *measurement;
  float *kept; /**< weights of each look, where a column needs a second pass */
  place at;
  double begun, saved; /**< seconds_now when this launch began, when last saved */
  const ip_company *company;
  ip_record *record;
  bool stopped;
  bool assisted; /**< assistants are at work on this look */
} training;

/** All that measuring needs: labels, split, network and measurement. */
PetscErrorCode training_prepare(training *t);
void training_clear(training *t);

/** Monotonic clock, seconds. */
double training_clock(void);

/** Hand all of it to the keeper; share: of the run's cost that is done. */
PetscErrorCode training_save(training *t, double share);

/** The keeper has a checkpoint of this run. */
bool training_was_begun(const training *t);

/** Take it up where that checkpoint left it.  *found = false: it does not fit after all, and the
 *  training may hold anything: prepare it anew. */
PetscErrorCode training_load(training *t, bool *found);
