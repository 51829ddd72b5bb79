#pragma once

/** @file  What the store asks of the lock.  Private to the store. */

#include <infoplane/core.h>

/** IP_ERR_LOCKED unless the lock of path still bears this token. */
PetscErrorCode ip_lock_check(const char *path, uint64_t token);

/** IP_ERR_LOCKED while a job holds the lock of path. */
PetscErrorCode ip_lock_refuse(const char *path);
