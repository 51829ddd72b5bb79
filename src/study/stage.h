#pragma once

/** @file
 *  Stages of PETSc's log: train, look, each estimator, store; shown by -petsc_log_view.
 *  Without PetscInitialize (unit tests), and where nobody asked for the log, they do nothing.
 *  Private to the study.
 */

#include <infoplane/core.h>

/** Name them all, in one order on every rank, so that the log can add them up.  */
PetscErrorCode stage_register(void);
/** End the stages that an error left open. */
PetscErrorCode stage_unwind(void);

PetscErrorCode stage_begin(const char *name);
PetscErrorCode stage_end(void);
