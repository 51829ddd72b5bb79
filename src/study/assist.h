#pragma once

/** @file
 *  Assisting in the measuring of looks at a network that another rank trains.  Private to the study.
 */

#include <infoplane/study.h>

enum { ASSIST_KEPT_BYTES = 1 << 25 }; /**< made and not yet fetched by who trains, at most */

typedef struct assistance assistance;

PetscErrorCode assistance_create(const ip_plan *plan, assistance **result);
void assistance_destroy(assistance **result);

/** Our share of a look, as this member of its crew; nothing where the network has diverged.
 *  Errors of the crew's functions, and of memory. */
PetscErrorCode assistance_look(assistance *a, const ip_shared_look *look, const ip_crew *crew);
