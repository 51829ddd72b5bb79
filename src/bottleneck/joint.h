#pragma once

/** @file
 *  What the files of this room ask of a joint distribution.
 */

#include <infoplane/bottleneck.h>

/** IP_ERR_INTERNAL where it is no distribution, naming the row. */
PetscErrorCode ip_joint_check(const ip_joint *joint);

/** id[i]: number of row i of `value`, shape (n, k), among those that differ in any bit, by first
 *  appearance; *different: how many those are.  id: shape (n).  IP_ERR_INTERNAL: no memory. */
PetscErrorCode ip_rows_number(size_t n, size_t k, const double value[], uint32_t id[],
                              size_t *different);
