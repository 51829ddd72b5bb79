#pragma once

/** @file  A file that stands, compared with the plan it should belong to.  Private to the store. */

#include "h5.h"

/** The share that the file holds: "2/8", "1/1" where it holds a complete plan. */
PetscErrorCode ip_fit_share(hid_t file, char **share);

/** Every array stands there with the shape that the plan gives it; IP_ERR_DATA names the first
 *  that does not. */
PetscErrorCode ip_fit_shapes(const char *path, hid_t file, const ip_layout *layout);

/** Names of the fixed variables (ip_variable_fixed) that hold something else than the plan gives
 *  them, with a space between; shapes must fit. */
PetscErrorCode ip_fit_values(hid_t file, const ip_plan *plan, const ip_layout *layout,
                             ip_text *unfit);
