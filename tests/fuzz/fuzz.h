#pragma once

/** @file
 *  What the fuzz targets share.  A target is one function that reads any bytes and must neither
 *  crash nor break a promise; libFuzzer calls it (IP_FUZZ), or replay.c with the files kept here.
 */

#include <fcntl.h>
#include <infoplane/core.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t length);

/** A promise: what breaks it is a finding like a crash. */
#define MUST(condition)                                                                        \
  do {                                                                                         \
    if (!(condition)) {                                                                        \
      fprintf(stderr, "%s:%d: broken promise: %s\nlast message: %s\n", __FILE__, __LINE__,     \
              #condition, ip_error_message());                                                 \
      abort();                                                                                 \
    }                                                                                          \
  } while (0)

/** Errors are silent, and the last one is forgotten. */
static inline void begin(void)
{
  static bool begun;

  if (!begun) PetscPushErrorHandler(ip_error_handler, NULL);
  begun = true;
  ip_error_clear();
}

/** A path in a folder of this process, in memory, which is removed at the end if it is empty. */
typedef struct {
  char at[128];
} fuzz_path;

static char fuzz_folder[64];

static inline void remove_folder(void)
{
  rmdir(fuzz_folder);
}

static inline fuzz_path path_of(const char *name)
{
  const char *above = getenv("TMPDIR");
  fuzz_path path;

  if (!fuzz_folder[0]) {
    snprintf(fuzz_folder, sizeof fuzz_folder, "%.32s/infoplane_fuzz_XXXXXX",
             above ? above : "/dev/shm");
    MUST(mkdtemp(fuzz_folder));
    atexit(remove_folder);
  }
  snprintf(path.at, sizeof path.at, "%s/%s", fuzz_folder, name);
  return path;
}

static inline void write_bytes(const char *path, const uint8_t *bytes, size_t length)
{
  const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

  MUST(fd >= 0 && write(fd, bytes, length) == (ssize_t)length);
  close(fd);
}

/** The file holds these bytes and no more. */
static inline void must_hold(const char *path, const uint8_t *bytes, size_t length)
{
  uint8_t *now = malloc(length + 1);
  const int fd = open(path, O_RDONLY | O_CLOEXEC);

  MUST(fd >= 0 && now && read(fd, now, length + 1) == (ssize_t)length);
  MUST(length == 0 || memcmp(now, bytes, length) == 0);
  close(fd);
  free(now);
}
