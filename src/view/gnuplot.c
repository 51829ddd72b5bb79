/* gnuplot as a child process: in the folder of the pictures, with its default settings, its words
   kept for our message.  No shell stands between. */

#include "plot.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
  WORDS = 2048,
  MOST_ARGUMENTS = 4,
  NOT_FOUND = 127 /* exit status of a child without its program, where spawning cannot tell */
};

/* The environment of the child: ours, with the C locale and without a terminal of the user's. */
static PetscErrorCode make_environment(char ***made)
{
  static char locale[] = "LC_ALL=C";
  static const char *const drop[] = {"LC_ALL=", "LANGUAGE=", "GNUTERM="};
  size_t n = 0, kept = 0;

  while (environ[n]) n++;
  PetscCall(IP_ALLOCATE(n + 2, made));
  for (size_t i = 0; i < n; i++) {
    bool keep = true;

    for (size_t d = 0; d < sizeof drop / sizeof drop[0]; d++)
      keep = keep && strncmp(environ[i], drop[d], strlen(drop[d])) != 0;
    if (keep) (*made)[kept++] = environ[i];
  }
  (*made)[kept] = locale;
  return PETSC_SUCCESS;
}

/* Read to the end; keep the first words. */
static void listen(int from, char words[WORDS])
{
  char rest[WORDS];
  size_t n = 0;

  for (;;) {
    const bool full = n == WORDS - 1;
    const ssize_t got = read(from, full ? rest : words + n, full ? WORDS : WORDS - 1 - n);

    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    if (!full) n += (size_t)got;
  }
  words[n] = '\0';
}

/* Several lines of gnuplot as one. */
static void join_lines(char words[WORDS])
{
  size_t n = 0;

  for (size_t i = 0; words[i]; i++) {
    const bool space = isspace((unsigned char)words[i]) != 0;

    if (!space)
      words[n++] = words[i];
    else if (n > 0 && words[n - 1] != ' ')
      words[n++] = ' ';
  }
  while (n > 0 && words[n - 1] == ' ') n--;
  words[n] = '\0';
}

/* Start it; what it says goes to fd `says`.  An errno, 0 for success. */
static int spawn(int folder, char *const argument[], char *const environment[], int says,
                 pid_t *child)
{
  posix_spawn_file_actions_t actions;

  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, says, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, says, STDERR_FILENO);
  if (folder >= 0) posix_spawn_file_actions_addfchdir_np(&actions, folder);

  const int error = posix_spawnp(child, argument[0], &actions, NULL, argument, environment);

  posix_spawn_file_actions_destroy(&actions);
  return error;
}

static PetscErrorCode run(int folder, char *const argument[], char *const environment[],
                          int *status, char words[WORDS])
{
  int pipes[2];
  pid_t child = -1, ended = -1;

  IP_CHECK(pipe2(pipes, O_CLOEXEC) == 0, IP_ERR_ENVIRONMENT, "no pipe to gnuplot: %s",
           strerror(errno));
  int error = spawn(folder, argument, environment, pipes[1], &child);

  close(pipes[1]);
  if (error == 0) listen(pipes[0], words);
  close(pipes[0]);
  if (error == 0) {
    do ended = waitpid(child, status, 0);
    while (ended < 0 && errno == EINTR);
    IP_CHECK(ended == child, IP_ERR_ENVIRONMENT, "gnuplot was lost: %s", strerror(errno));
    if (WIFEXITED(*status) && WEXITSTATUS(*status) == NOT_FOUND) error = ENOENT;
  }
  IP_CHECK(error != ENOENT, IP_ERR_ENVIRONMENT,
           "gnuplot was not found on the PATH; it draws the figures. Debian: apt-get install "
           "gnuplot-nox");
  IP_CHECK(error == 0, IP_ERR_ENVIRONMENT, "gnuplot cannot be started: %s", strerror(error));
  return PETSC_SUCCESS;
}

PetscErrorCode plot_run_gnuplot(int folder, const char *what, const char *const argument[])
{
  char program[] = "gnuplot", defaults[] = "-d", words[WORDS] = "", **environment = NULL;
  char *all[MOST_ARGUMENTS + 3] = {program, defaults};
  int status = 0;
  PetscErrorCode code = PETSC_SUCCESS;

  for (size_t i = 0; i < MOST_ARGUMENTS && argument[i] && !code; i++)
    code = ip_text_copy(argument[i], &all[2 + i]);
  if (code == PETSC_SUCCESS) code = make_environment(&environment);
  if (code == PETSC_SUCCESS) code = run(folder, all, environment, &status, words);
  for (size_t i = 2; all[i]; i++) ip_release(&all[i]);
  ip_release(&environment);
  if (code != PETSC_SUCCESS) return code;
  join_lines(words);
  IP_CHECK(WIFEXITED(status), IP_ERR_ENVIRONMENT, "gnuplot died of signal %d on %s: %s",
           WTERMSIG(status), what, words);
  IP_CHECK(WEXITSTATUS(status) == 0, IP_ERR_ENVIRONMENT, "gnuplot failed on %s: %s", what,
           words);
  return PETSC_SUCCESS;
}

PetscErrorCode plot_check_gnuplot(void)
{
  return plot_run_gnuplot(-1, "--version", (const char *const[]){"--version", NULL});
}
