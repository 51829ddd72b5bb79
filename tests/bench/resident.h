#pragma once

/** @file
 *  What of this process is in memory, as Linux counts it.
 */

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/** KiB; 0 where the kernel does not tell. */
typedef struct {
  long resident, most; /**< now, and at most so far: VmRSS, VmHWM, with pages of libraries */
  long private;        /**< what it alone wrote: Private_Dirty                             */
} resident;

/* The number behind a name in a file of /proc; without an allocation, which would count too. */
static inline long resident_read(const char *path, const char *name)
{
  static char text[8192];
  const int file = open(path, O_RDONLY | O_CLOEXEC);
  ssize_t length = 0, got = 1;

  while (file >= 0 && got > 0 && length < (ssize_t)sizeof text - 1) {
    got = read(file, text + length, sizeof text - 1 - (size_t)length);
    if (got > 0) length += got;
  }
  if (file >= 0) close(file);
  text[length] = 0;

  const char *at = strstr(text, name);

  return at ? strtol(at + strlen(name), NULL, 10) : 0;
}

static inline resident resident_now(void)
{
  return (resident){.resident = resident_read("/proc/self/status", "VmRSS:"),
                    .most = resident_read("/proc/self/status", "VmHWM:"),
                    .private = resident_read("/proc/self/smaps_rollup", "Private_Dirty:")};
}
