/* A child process goes first: its errors are ours, its death is a damaged file, and nothing of it
   reaches us. */

#include "check.h"
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

static const char path[] = "x.h5";

static PetscErrorCode succeed(void *calls)
{
  ++*(int *)calls; /* in the child's memory alone */
  return PETSC_SUCCESS;
}

static PetscErrorCode refuse(void *why)
{
  IP_CHECK(!why, IP_ERR_CONFIG, "it says %s", (const char *)why);
  return PETSC_SUCCESS;
}

static PetscErrorCode die(void *signal)
{
  raise(*(int *)signal);
  return PETSC_SUCCESS;
}

static PetscErrorCode leave(void *nothing)
{
  (void)nothing;
  _exit(3);
}

/* As a library that is told a wrong length would. */
static PetscErrorCode take_too_much(void *nothing)
{
  const size_t all = (size_t)sysconf(_SC_PHYS_PAGES) * (size_t)sysconf(_SC_PAGESIZE);
  struct rlimit time;
  void *taken = malloc(all + (64 << 20));
  const bool limited = !taken;

  (void)nothing;
  free(taken);
  IP_CHECK(getrlimit(RLIMIT_CPU, &time) == 0 && time.rlim_cur <= 60, IP_ERR_INTERNAL,
           "no limit of time");
  IP_CHECK(limited, IP_ERR_INTERNAL, "no limit of memory");
  return PETSC_SUCCESS;
}

static void children_that_answer(void **state)
{
  int calls = 0;
  char text[] = "my words";

  (void)state;
  OK(ip_file_probe(path, "HDF5", succeed, &calls));
  assert_int_equal(calls, 0);
  FAILS(ip_file_probe(path, "HDF5", refuse, text), IP_ERR_CONFIG, "it says my words");
}

static void children_that_die(void **state)
{
  int killed = SIGKILL, endless = SIGXCPU;

  (void)state;
  FAILS(ip_file_probe(path, "HDF5", die, &killed), IP_ERR_DATA,
        "x.h5 is damaged: the HDF5 library crashes (signal 9, Killed) reading it");
  FAILS(ip_file_probe(path, "HDF5", die, &endless), IP_ERR_DATA, "comes to no end");
  FAILS(ip_file_probe(path, "HDF5", leave, NULL), IP_ERR_DATA, "(exit code 3)");
}

static void children_have_limits(void **state)
{
  struct rlimit before, after;

  (void)state;
  assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
  OK(ip_file_probe(path, "HDF5", take_too_much, NULL));
  assert_int_equal(getrlimit(RLIMIT_AS, &after), 0);
  assert_true(before.rlim_cur == after.rlim_cur);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(children_that_answer),
      cmocka_unit_test(children_that_die),
      cmocka_unit_test(children_have_limits),
  };

  return RUN_TESTS(tests);
}
