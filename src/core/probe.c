/* A child process reads a file first: a library that damaged files crash takes only it along. */

#include <errno.h>
#include <infoplane/core.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef IP_COVERAGE
void __gcov_dump(void);
#endif

enum { MINUTE = 60, BYTES_A_SECOND = 100000 };

/* What the child leaves behind, in memory shared with it. */
typedef struct {
  bool finished;
  PetscErrorCode code;
  char message[4096];
} answer;

static void lower(unsigned resource, rlim_t most)
{
  struct rlimit limit;

  if (getrlimit(resource, &limit) != 0 || limit.rlim_cur <= most) return;
  limit.rlim_cur = most;
  (void)setrlimit(resource, &limit);
}

/* Memory: what the process has, and all of the machine's besides. */
static void limit_memory(void)
{
  const long page = sysconf(_SC_PAGESIZE), machine = sysconf(_SC_PHYS_PAGES);
  char text[32] = "";
  FILE *file = fopen("/proc/self/statm", "re"); /* begins with the pages it has */

  if (!file) return;
  if (fgets(text, sizeof text, file) && page > 0 && machine > 0)
    lower(RLIMIT_AS, (rlim_t)page * (strtoull(text, NULL, 10) + (rlim_t)machine));
  fclose(file);
}

static void be_child(const char *path, answer *out, PetscErrorCode (*read)(void *context),
                     void *context)
{
  struct stat about = {0};

  (void)stat(path, &about);
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  prctl(PR_SET_DUMPABLE, 0); /* no core, whatever the machine does with them */
  limit_memory();
  lower(RLIMIT_CPU, MINUTE + (rlim_t)about.st_size / BYTES_A_SECOND);
  out->code = read(context);
  snprintf(out->message, sizeof out->message, "%s", ip_error_message());
  out->finished = true;
#ifdef IP_COVERAGE
  __gcov_dump(); /* _exit does not */
#endif
  _exit(0);
}

/* How it ended, in words. */
static PetscErrorCode conclude(const char *path, const char *library, int status,
                               const answer *out)
{
  const int number = WIFSIGNALED(status) ? WTERMSIG(status) : 0;

  IP_CHECK(
      number != SIGXCPU, IP_ERR_DATA,
      "%s is damaged: the %s library comes to no end reading it; replace it by a good copy",
      path, library);
  IP_CHECK(number == 0, IP_ERR_DATA,
           "%s is damaged: the %s library crashes (signal %d, %s) reading it; replace it "
           "by a good copy",
           path, library, number, strsignal(number));
  IP_CHECK(
      out->finished, IP_ERR_DATA,
      "%s is damaged: the %s library ends the process (exit code %d) reading it; replace it "
      "by a good copy",
      path, library, WEXITSTATUS(status));
  IP_CHECK(out->code == PETSC_SUCCESS, out->code, "%s", out->message);
  return PETSC_SUCCESS;
}

PetscErrorCode ip_file_probe(const char *path, const char *library,
                             PetscErrorCode (*read)(void *context), void *context)
{
  int status = 0;
  answer *out =
      mmap(NULL, sizeof *out, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

  IP_CHECK(out != MAP_FAILED, IP_ERR_INTERNAL, "no memory left to read %s", path);
  const pid_t child = fork();
  const int why = errno;

  if (child == 0) be_child(path, out, read, context);
  while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR) continue;

  const PetscErrorCode code =
      child > 0
          ? conclude(path, library, status, out)
          : ip_error_raise(IP_ERR_ENVIRONMENT, __func__,
                           "%s: no process can be started to read it: %s", path, strerror(why));

  munmap(out, sizeof *out);
  return code;
}
