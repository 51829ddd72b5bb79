#pragma once

/** @file
 *  What unit tests share: cmocka with its headers, and checks that say numbers.
 *
 *  Main of a test:  return RUN_TESTS(tests);
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <infoplane/core.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SKIPPED = 77 }; /* CTest's skip code */

/* Whether valgrind.sh runs the test: some arithmetic is emulated, and what libraries lose when they
   are made to fail is reported. */
static inline bool under_valgrind(void)
{
  return getenv("INFOPLANE_VALGRIND") != NULL;
}

/* The checks are functions, so that one is no branch and no nesting where it stands. */

static inline void check_ok(PetscErrorCode code, const char *call, const char *file, int line)
{
  if (code == PETSC_SUCCESS) return;
  print_error("%s: code %d: %s\n", call, (int)code, ip_error_message());
  _fail(file, line);
}

static inline void check_fails(PetscErrorCode code, PetscErrorCode want, const char *text,
                               const char *call, const char *file, int line)
{
  if (code != want) {
    print_error("%s: code %d, wanted %d\n", call, (int)code, (int)want);
    _fail(file, line);
  }
  if (!strstr(ip_error_message(), text)) {
    print_error("%s: message \"%s\" does not say \"%s\"\n", call, ip_error_message(), text);
    _fail(file, line);
  }
  ip_error_clear();
}

static inline void check_near(double have, double want, double tolerance, const char *file,
                              int line, const char *what, ...)
    __attribute__((format(printf, 6, 7)));
static inline void check_near(double have, double want, double tolerance, const char *file,
                              int line, const char *what, ...)
{
  va_list values;

  if (fabs(have - want) <= tolerance) return;
  va_start(values, what);
  vprint_error(what, values);
  va_end(values);
  print_error(": have %.17g, want %.17g, tolerance %g\n", have, want, tolerance);
  _fail(file, line);
}

/** The call succeeds; else its message is shown. */
#define OK(call) (ip_error_clear(), check_ok((call), #call, __FILE__, __LINE__))

/** The call fails with this code and a message that contains this text. */
#define FAILS(call, want, text)                                                                \
  (ip_error_clear(), check_fails((call), (want), (text), #call, __FILE__, __LINE__))

/** |have - want| <= tolerance, saying both; then a printf format and its arguments. */
#define NEAR(have, want, tolerance, ...)                                                       \
  check_near((have), (want), (tolerance), __FILE__, __LINE__, __VA_ARGS__)

/** Run a table of cmocka tests with our error handler in place. */
#define RUN_TESTS(tests)                                                                       \
  (PetscPushErrorHandler(ip_error_handler, NULL), cmocka_run_group_tests(tests, NULL, NULL))
