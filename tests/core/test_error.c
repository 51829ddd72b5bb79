/* Errors: one message, kept to the end of the chain; one table of codes. */

#include "check.h"

#include <petscsys.h>

static PetscErrorCode refuse(int value)
{
  IP_CHECK(value < 3, IP_ERR_DATA, "%d is too many; give at most 2", value);
  return PETSC_SUCCESS;
}

static PetscErrorCode through(int value, bool *passed)
{
  PetscCall(refuse(value));
  *passed = true;
  return PETSC_SUCCESS;
}

static void message_travels_up_the_chain(void **state)
{
  bool passed = false;

  (void)state;
  FAILS(through(3, &passed), IP_ERR_DATA, "3 is too many; give at most 2");
  assert_false(passed);
  assert_string_equal(ip_error_message(), "");
  OK(through(2, &passed));
  assert_true(passed);
}

static void first_message_is_kept(void **state)
{
  (void)state;
  ip_error_clear();
  assert_int_equal(refuse(7), IP_ERR_DATA);
  assert_int_equal(ip_error_raise(IP_ERR_IO, "f", "a later one"), IP_ERR_IO);
  assert_non_null(strstr(ip_error_message(), "7 is too many"));
  ip_error_clear();
  ip_error_raise(IP_ERR_IO, "f", "a new one");
  assert_string_equal(ip_error_message(), "a new one");
  ip_error_clear();
}

/* A message longer than its room is cut, not overrun (the sanitizers watch). */
static void long_message_is_cut(void **state)
{
  (void)state;
  ip_error_clear();
  ip_error_raise(IP_ERR_IO, "f", "%050000d", 1);
  assert_in_range(strlen(ip_error_message()), 1000, 49999);
  ip_error_clear();
}

static PetscErrorCode petsc_fails(void)
{
  SETERRQ(PETSC_COMM_SELF, PETSC_ERR_ARG_SIZ, "PETSc says %d", 42);
}

/* PETSc calls its error handlers only between PetscInitialize and PetscFinalize. */
static void petsc_errors_join_the_chain(void **state)
{
  (void)state;
  FAILS(petsc_fails(), PETSC_ERR_ARG_SIZ, "PETSc says 42");
}

/* sysexits.h names them: 64 EX_USAGE, 65 EX_DATAERR, ..., 78 EX_CONFIG. */
static void exit_codes(void **state)
{
  const char *name, *meaning;
  int code, rows = 0, before = 63;

  (void)state;
  assert_int_equal(ip_error_exit_code(PETSC_SUCCESS), 0);
  assert_int_equal(ip_error_exit_code(IP_ERR_USAGE), 64);
  assert_int_equal(ip_error_exit_code(IP_ERR_STOPPED), 75);
  assert_int_equal(ip_error_exit_code(IP_ERR_CONFIG), 78);
  assert_int_equal(ip_error_exit_code(PETSC_ERR_MEM), 70);
  assert_int_equal(ip_error_exit_code((PetscErrorCode)(IP_ERROR_BASE + 1)), 70);
  for (; ip_error_row((size_t)rows, &name, &code, &meaning); rows++) {
    assert_true(name[0] && meaning[0] && code > before && code < 79);
    assert_int_equal(ip_error_exit_code((PetscErrorCode)(IP_ERROR_BASE + code)), code);
    before = code;
  }
  assert_true(rows >= 10);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(message_travels_up_the_chain),
      cmocka_unit_test(first_message_is_kept),
      cmocka_unit_test(long_message_is_cut),
      cmocka_unit_test(petsc_errors_join_the_chain),
      cmocka_unit_test(exit_codes),
  };

  if (PetscInitializeNoArguments()) return 1;

  const int failed = RUN_TESTS(tests);

  return PetscFinalize() ? 1 : failed;
}
