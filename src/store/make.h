#pragma once

/** @file  A new file: complete and synced before it has its name.  Private to the store. */

#include "layout.h"
#include <infoplane/store.h>

typedef struct {
  const char *path; /**< it is `<path>.partial` until then */
  const ip_plan *plan;
  const ip_layout *layout;
  const ip_store_origin *origin;
  /** What goes into it beside its skeleton, or NULL. */
  PetscErrorCode (*fill)(void *context, const char *partial);
  void *context;
  bool replace; /**< the file that stands, which stays whole until then */
} ip_make;

/** IP_ERR_IO: disk full; IP_ERR_CREATE; those of fill.  Nothing is left behind after an error. */
PetscErrorCode ip_make_file(const ip_make *m);
