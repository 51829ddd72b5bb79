#pragma once

/** @file  A record of one plan as a record of another.  Private to the store. */

#include <infoplane/study.h>

/** Which cells of one plan's records are which of the other's. */
typedef struct mover mover;

PetscErrorCode mover_create(const ip_plan *from, const ip_plan *to, mover **m);
void mover_destroy(mover **m);

/** What one record holds at an epoch, column, layer the other holds there too; all else NaN or -1.
 *  Both name their runs. */
void mover_move(const mover *m, const ip_record *from, ip_record *to);
