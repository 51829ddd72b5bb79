#pragma once

/** @file  The list of builds that trained runs of a file.  Private to the store. */

#include "h5.h"

/** Look a build up in provenance/build_text.  *found: its row or -1; *n: rows in use; last: the
 *  newest of them. */
PetscErrorCode ip_builds_find(hid_t dataset, const char *build, int *found, int *n,
                              char last[IP_LAYOUT_BUILD + 1]);

/** Write row i. */
PetscErrorCode ip_builds_write(hid_t dataset, int i, const char *build);
