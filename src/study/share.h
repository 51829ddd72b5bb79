#pragma once

/** @file  A share of a plan.  Private to the study. */

#include <infoplane/study.h>

/** Keep the runs of share i of n of a complete plan, 1 <= i <= n.  IP_ERR_CONFIG: n is more than the
 *  runs. */
PetscErrorCode share_keep(ip_plan *plan, size_t i, size_t n);
