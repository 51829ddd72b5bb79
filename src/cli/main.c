/* infoplane: follow the layers of neural networks through the information plane. */

#include "cli.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static const verb *find_verb(const char *name)
{
  const int i = name ? ip_names_find(verb_name, name) : -1;

  return i < 0 ? NULL : verb_row((size_t)i);
}

/* Operands after the first. */
static size_t most_more(const verb *v)
{
  return v->act == verb_merge ? SIZE_MAX : v->act == verb_diff;
}

static PetscErrorCode check_verb(const arguments *a)
{
  const char *near = a->verb ? ip_names_nearest(verb_name, a->verb) : NULL;

  IP_CHECK(a->verb, IP_ERR_USAGE, "infoplane: no verb given. Try: infoplane help");
  IP_CHECK(find_verb(a->verb), IP_ERR_USAGE, "infoplane: unknown verb \"%s\".%s%s%s", a->verb,
           near ? " Did you mean \"" : " Try: infoplane help", near ? near : "",
           near ? "\"?" : "");
  const size_t most = most_more(find_verb(a->verb));

  IP_CHECK(
      a->n_more <= most, IP_ERR_USAGE,
      "\"%s\" is one argument too many: \"%s\" was given before it; settings are key=value",
      a->more[most], most > 0 ? a->more[most - 1] : a->operand);
  return PETSC_SUCCESS;
}

/* Who is started with descriptors 0 to 2 closed would open its files there, and print into them. */
static bool fill_standard_descriptors(void)
{
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
    if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd) /* children may inherit it */
      return false;
  return true;
}

/* What was printed has arrived, or that is the error. */
static int end_output(const arguments *a, int exit_code)
{
  if ((fflush(stdout) == 0 && !ferror(stdout)) || exit_code != 0) return exit_code;
  ip_error_clear();
  return report_error(a, ip_error_raise(IP_ERR_IO, __func__, "the output cannot be written: %s",
                                        strerror(errno)));
}

int main(int argc, char **argv)
{
  arguments a = {0};
  int exit_code;

  if (!fill_standard_descriptors()) return ip_error_exit_code(IP_ERR_ENVIRONMENT);
  signal(SIGXFSZ, SIG_IGN); /* ulimit -f: an error of write, not the end */
  PetscPushErrorHandler(ip_error_handler, NULL);

  PetscErrorCode code = arguments_read(argc, argv, &a);

  if (a.verbose) PetscPushErrorHandler(ip_error_handler, &a);
  if (code == PETSC_SUCCESS && !a.help && !a.version) code = check_verb(&a);
  if (code != PETSC_SUCCESS)
    exit_code = report_error(&a, code);
  else if (a.help || a.version)
    exit_code = answer(&a);
  else
    exit_code = find_verb(a.verb)->act(&a);
  exit_code = end_output(&a, exit_code);
  arguments_clear(&a);
  return exit_code;
}
