#pragma once

/** @file
 *  An empty folder of its own for a test, which it works in and leaves empty: set-up and tear-down
 *  of cmocka's groups, or called by theirs.
 */

#include <stdlib.h>
#include <unistd.h>

static char folder[] = "/tmp/infoplane_test_XXXXXX"; /* mkdtemp fills it in */

static inline int folder_enter(void **state)
{
  (void)state;
  return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static inline int folder_leave(void **state)
{
  (void)state;
  return chdir("/") == 0 && rmdir(folder) == 0 ? 0 : -1;
}
