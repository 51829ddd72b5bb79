#pragma once

/** @file
 *  Memory that runs out at every possible place: call number n of aligned_alloc, XXH3_createState
 *  and newlocale fails, for n = 1, 2, 3, ... until the work is done without reaching it.  The calls
 *  are wrapped by the linker (see CMakeLists.txt), so that what is not released is seen too.
 *
 *  After each failure: an error with a message, outputs unchanged, nothing kept of memory, HDF5
 *  handles and descriptors. */

#include "check.h"
#include <fcntl.h>
#include <hdf5.h>
#include <locale.h>
#include <petscsys.h>
#include <stdlib.h>
#include <xxhash.h>

static struct {
  long calls, fail_at, live;
} memory;

/* One more call, and it fails. */
static inline bool runs_out(void)
{
  return ++memory.calls == memory.fail_at;
}

void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size)
{
  void *room = runs_out() ? NULL : __real_aligned_alloc(alignment, size);

  memory.live += room != NULL;
  return room;
}

void __real_free(void *room);
void __wrap_free(void *room);
void __wrap_free(void *room)
{
  memory.live -= room != NULL;
  __real_free(room);
}

XXH3_state_t *__real_XXH3_createState(void);
XXH3_state_t *__wrap_XXH3_createState(void);
XXH3_state_t *__wrap_XXH3_createState(void)
{
  XXH3_state_t *state = runs_out() ? NULL : __real_XXH3_createState();

  memory.live += state != NULL;
  return state;
}

XXH_errorcode __real_XXH3_freeState(XXH3_state_t *state);
XXH_errorcode __wrap_XXH3_freeState(XXH3_state_t *state);
XXH_errorcode __wrap_XXH3_freeState(XXH3_state_t *state)
{
  memory.live -= state != NULL;
  return __real_XXH3_freeState(state);
}

locale_t __real_newlocale(int mask, const char *name, locale_t base);
locale_t __wrap_newlocale(int mask, const char *name, locale_t base);
locale_t __wrap_newlocale(int mask, const char *name, locale_t base)
{
  return runs_out() ? (locale_t)0 : __real_newlocale(mask, name, base);
}

/* ---- what is held ---------------------------------------------------------------------------- */

/** What this process holds. */
typedef struct {
  long memory, handles, descriptors;
} held;

static inline held count_held(void)
{
  enum { MOST_DESCRIPTORS = 256 };
  held h = {.memory = memory.live,
            .handles = (long)H5Fget_obj_count((hid_t)H5F_OBJ_ALL, H5F_OBJ_ALL)};

  for (int fd = 0; fd < MOST_DESCRIPTORS; fd++) h.descriptors += fcntl(fd, F_GETFD) >= 0;
  return h;
}

static inline bool expect_held(const held *want, const char *name, long n)
{
  const held have = count_held();

  if (have.memory == want->memory && have.handles == want->handles &&
      have.descriptors == want->descriptors)
    return true;
  print_error(
      "%s: allocation %ld failed, and this is left: %ld of memory, %ld HDF5 handles, %ld "
      "descriptors\n",
      name, n, have.memory - want->memory, have.handles - want->handles,
      have.descriptors - want->descriptors);
  return false;
}

/* ---- outputs --------------------------------------------------------------------------------- */

static char nothing_made;

/** What an output holds before a call. */
#define UNTOUCHED ((void *)&nothing_made)

/** True after an error, when the output must hold what it held before. */
static inline bool failed(PetscErrorCode code, const void *output)
{
  if (code != PETSC_SUCCESS && output != UNTOUCHED)
    fail_msg("the output was changed by a call that failed: %s", ip_error_message());
  return code != PETSC_SUCCESS;
}

/* ---- every n --------------------------------------------------------------------------------- */

/** Some work that leaves nothing behind, whether it fails or not. */
typedef PetscErrorCode (*task)(const void *context);

/** The work with its allocation number n failing; *reached = false: it has not so many. */
static inline bool fail_one(const char *name, task act, const void *context, long n,
                            bool *reached)
{
  const held before = count_held();

  ip_error_clear();
  memory.calls = 0;
  memory.fail_at = n;
  const PetscErrorCode code = act(context);
  const bool told = code == IP_ERR_INTERNAL && strstr(ip_error_message(), "no memory");

  *reached = memory.calls >= n;
  memory.fail_at = 0;

  const bool right = *reached ? told : code == PETSC_SUCCESS;

  if (!right)
    print_error("%s: allocation %ld failed: code %d, \"%s\"\n", name, n, (int)code,
                ip_error_message());
  ip_error_clear();
  return expect_held(&before, name, n) && right;
}

enum { EACH = INT32_MAX };

/** Do the work, its allocation number n failing: for the first `most` n, and as many at equal
 *  distances after them; most is what IP_FAULTS in the environment says, if it says a number. */
static inline void fail_each(const char *name, task act, const void *context, long most)
{
  const char *wanted = getenv("IP_FAULTS");
  const long first = wanted ? strtol(wanted, NULL, 10) : most;
  long tried = 0, bad = 0;
  bool reached = true;

  OK(act(context)); /* once in peace, for what libraries keep for good */
  memory.calls = 0;
  OK(act(context));
  const long stride = 1 + memory.calls / first;

  for (long n = 1; reached; n += tried < first ? 1 : stride) {
    bad += !fail_one(name, act, context, n, &reached);
    tried += reached;
  }
  print_message("%s: %ld allocations, %ld of them failed once each\n", name, memory.calls,
                tried);
  if (bad > 0 || tried == 0) fail_msg("%s: %ld of %ld failures went wrong", name, bad, tried);
}
