#pragma once

/** @file  Transition epochs of one run.  Private to the study. */

#include <infoplane/study.h>

/** Fill peak_epoch, fallen_epoch, learned_epoch, onset_epoch and error_epoch from what else stands
 *  in the record of a finished run. */
PetscErrorCode transitions_find(const ip_plan *plan, ip_record *record);
