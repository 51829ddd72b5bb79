/* One message, kept until the program prints it; one table from error codes to exit codes. */

#include <infoplane/core.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The message of the first error of a chain. A program state by nature: there is one chain. */
static _Thread_local char kept[16384];
static _Thread_local const char *kept_function = "";

static const struct {
  const char *name, *meaning;
  int exit_code;
} table[] = {
#define ROW(name_, exit_, meaning_) {.name = #name_, .meaning = meaning_, .exit_code = exit_},
    IP_ERROR_TABLE(ROW)
#undef ROW
};

PetscErrorCode ip_error_raise(PetscErrorCode code, const char *function, const char *format,
                              ...)
{
  va_list arguments;

  if (kept[0]) return code;
  kept_function = function;
  va_start(arguments, format);
  vsnprintf(kept, sizeof kept, format, arguments);
  va_end(arguments);
  return code;
}

const char *ip_error_message(void)
{
  return kept;
}

const char *ip_error_function(void)
{
  return kept[0] ? kept_function : "";
}

void ip_error_clear(void)
{
  kept[0] = '\0';
}

int ip_error_exit_code(PetscErrorCode code)
{
  if (code == PETSC_SUCCESS) return 0;
  for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
    if ((int)code == IP_ERROR_BASE + table[i].exit_code) return table[i].exit_code;
  return 70;
}

bool ip_error_row(size_t i, const char **name, int *exit_code, const char **meaning)
{
  if (i >= sizeof table / sizeof table[0]) return false;
  *name = table[i].name;
  *exit_code = table[i].exit_code;
  *meaning = table[i].meaning;
  return true;
}

/* NOLINTNEXTLINE(readability-function-size): PETSc prescribes the eight parameters */
PetscErrorCode ip_error_handler(MPI_Comm comm, int line, const char *function, const char *file,
                                PetscErrorCode code, PetscErrorType type, const char *message,
                                void *verbose)
{
  (void)comm;
  if (type == PETSC_ERROR_INITIAL && message) ip_error_raise(code, function, "%s", message);
  if (verbose) {
    const char *slash = strrchr(file, '/');

    fprintf(stderr, "  at %s() %s:%d\n", function, slash ? slash + 1 : file, line);
  }
  return code;
}
