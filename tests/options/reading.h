#pragma once

/** @file
 *  What the tests of the options share: reading a text in one line, and comparing what it says.
 */

#include "check.h"
#include <infoplane/options.h>

/** Read a text with up to three key=value, NULL ends them; must succeed. */
static inline ip_options *reading(const char *text, const char *a, const char *b)
{
  const char *const argument[] = {a, b};
  ip_options *options = NULL;

  OK(ip_options_read("my.yaml", text, strlen(text), a ? b ? 2 : 1 : 0, argument, &options));
  return options;
}

/** The whole message of a text that must be refused. */
static inline void refused(const char *text, size_t length, size_t n,
                           const char *const argument[], const char *message)
{
  ip_options *options = NULL;

  ip_error_clear();
  const PetscErrorCode code = ip_options_read("my.yaml", text, length, n, argument, &options);

  if (code != (PetscErrorCode)IP_ERR_CONFIG)
    fail_msg("\"%s\": code %d: %s", text, (int)code, ip_error_message());
  assert_null(options);
  if (message) assert_string_equal(ip_error_message(), message);
  ip_error_clear();
}

/** One error at this place of the file (line and column as text), and that text. */
static inline void refused_once(const char *text, const char *place, const char *error)
{
  char message[4096];

  snprintf(message, sizeof message, "my.yaml:%s: error: %s\n1 error, nothing was started.",
           place, error);
  refused(text, strlen(text), 0, NULL, message);
}
