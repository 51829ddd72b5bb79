#pragma once

/** @file
 *  Crashes of HDF5 and crashes of ours, told apart: both kill the child process that reads a file
 *  first, but what is not HDF5's own must not pass as "the file is damaged".
 */

#include "fuzz.h"
#include <sys/mman.h>

/** What the children find, in memory shared with them. */
typedef struct {
  size_t crashes, endless; /**< of HDF5 */
  char ours[16384];        /**< the report of what is not HDF5's */
} findings;

static findings *found;

#ifdef IP_FUZZ
#include <pthread.h>
#include <sanitizer/asan_interface.h>
#include <sanitizer/common_interface_defs.h>
#include <sys/resource.h>

enum { CHILD_SECONDS = 5 };

static bool in_child;

/* Frames of HDF5 are on the stack, and memory that was overrun is its own too. */
static bool is_of_hdf5(const char *report)
{
  static const char library[] = "/libhdf5";
  const char *allocated = strstr(report, "allocated by"), *first = strstr(report, library);

  if (!first || strstr(report, "located in stack")) return false;
  return !allocated || (first < allocated && strstr(allocated, library));
}

static void on_report(const char *report)
{
  if (!in_child) return;
  if (is_of_hdf5(report))
    found->crashes++;
  else
    snprintf(found->ours, sizeof found->ours, "%s", report);
  _exit(1);
}

static void silence_child(void)
{
  const struct rlimit limit = {CHILD_SECONDS, CHILD_SECONDS + 1};

  in_child = true;
  setrlimit(RLIMIT_CPU, &limit);
  __sanitizer_set_report_fd((void *)(intptr_t)open("/dev/null", O_WRONLY | O_CLOEXEC));
}

static void count(void)
{
  fprintf(stderr, "HDF5: %zu crashes, %zu endless, all refused\n", found->crashes,
          found->endless);
}

static void watch_children(void)
{
  __asan_set_error_report_callback(on_report);
  MUST(pthread_atfork(NULL, NULL, silence_child) == 0);
  atexit(count);
}
#else
static void watch_children(void)
{
}
#endif

/** Before the first reading. */
static inline void tell_apart(void)
{
  if (found) return;
  found = mmap(NULL, sizeof *found, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  MUST(found != MAP_FAILED);
  watch_children();
}

/** After a reading: `crashes` as it was before. */
static inline void must_be_of_hdf5(size_t crashes)
{
  found->endless += strstr(ip_error_message(), "comes to no end") != NULL;
#ifdef IP_FUZZ
  if (found->ours[0]) fprintf(stderr, "%s\n", found->ours);
  MUST(!found->ours[0]);
  MUST(crashes < found->crashes || !strstr(ip_error_message(), "the HDF5 library crashes"));
  MUST(crashes < found->crashes || !strstr(ip_error_message(), "ends the process"));
#else
  (void)crashes;
#endif
}
