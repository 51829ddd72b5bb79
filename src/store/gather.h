#pragma once

/** @file  Proven runs of some files, copied into a new file of a plan.  Private to the store. */

#include "ledger.h"
#include "make.h"

/** What is known of a run of the new plan. */
typedef struct {
  bool listed;    /**< a source has it, done or not                   */
  int32_t source; /**< the first that says it is finished, -1: none   */
  int8_t status;
  bool copied, damaged;
  uint64_t sum;
} claim;

typedef struct {
  uint64_t identity;
  int32_t row;
} place_of;

typedef struct {
  const ledger *target; /**< its plan, data and layout; no file    */
  size_t n;
  const char *const *path; /**< of the sources                        */
  bool accept_build;
  bool reproducible;                 /**< all sources are                      */
  char *version, *commit, *build_of; /**< of the first source                  */
  claim *claim;                      /**< shape (runs of the target)           */
  place_of *place;                   /**< the same, sorted by identity         */
  char build[IP_LAYOUT_BUILDS][IP_LAYOUT_BUILD + 1];
  int builds;
  size_t twice;
} gather;

/** Start one with target, n, path and accept_build.  Clear it all the same after an error. */
PetscErrorCode gather_begin(gather *g);
void gather_clear(gather *g);

/** Row of the target for each row of a source; IP_ERR_CONFIG names the runs that the target has not,
 *  or measures otherwise. */
PetscErrorCode gather_place(const gather *g, const ledger *l, int32_t row[]);

/** Look through source number s; status: shape (its runs), what it says, or NULL. */
PetscErrorCode gather_survey(gather *g, size_t s, const ledger *l, int8_t status[]);

/** Make the file; replace: in the place of the one that stands.  *found: how its runs stand. */
PetscErrorCode gather_write(gather *g, const char *path, bool replace, ip_findings *found);
