/* Who holds a lock, as text, and whether it still lives.

   The reader trusts nothing: a lock may come from another host, another year, or an editor. */

#include "holder.h"
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { STALE_SECONDS = 600 };

/* ---- text ------------------------------------------------------------------------------------------ */

void holder_write(const holder *h, char block[HOLDER_BLOCK])
{
  memset(block, '\n', HOLDER_BLOCK);
  snprintf(block, HOLDER_BLOCK,
           "token: %016" PRIx64 "\nhost: %s\npid: %" PRId64 "\nstarted: %" PRId64
           "\njob: %s\nrestart: %" PRId64 "\nheartbeat: %" PRId64 "\nruns: %" PRId64
           "\ndone: %" PRId64 "\ndiverged: %" PRId64 "\nfailed: %" PRId64 "\nrunning: %" PRId64
           "\nrate: %.6g\nleft: %.6g\ntask: %s\n",
           h->token, h->host, h->pid, h->started, h->job, h->restart, h->heartbeat, h->runs,
           h->done, h->diverged, h->failed, h->running, h->rate, h->left, h->task);
  block[strlen(block)] = '\n';
}

/* The value of a key, printable characters only; "" when it is not there. */
static void find_word(const char *block, const char *key, char word[HOLDER_WORD])
{
  const size_t length = strlen(key);
  size_t n = 0;

  word[0] = '\0';
  for (const char *line = block; line && *line; line = strchr(line, '\n')) {
    while (*line == '\n') line++;
    if (strncmp(line, key, length) != 0 || line[length] != ':') continue;
    for (const char *c = line + length + 1; *c && *c != '\n' && n < HOLDER_WORD - 1; c++)
      if (isgraph((unsigned char)*c)) word[n++] = *c;
    word[n] = '\0';
    return;
  }
}

static int64_t find_number(const char *block, const char *key)
{
  char word[HOLDER_WORD];

  find_word(block, key, word);
  return strtoll(word, NULL, 10);
}

static double find_real(const char *block, const char *key)
{
  char word[HOLDER_WORD];

  find_word(block, key, word);
  return strtod(word, NULL);
}

/* What Slurm is asked about: a job, "77", or a task of an array, "77_2". */
static bool is_job(const char *name)
{
  static const char digits[] = "0123456789";
  const size_t job = strspn(name, digits),
               task = name[job] == '_' ? strspn(name + job + 1, digits) : 0;

  return job > 0 && name[task > 0 ? job + 1 + task : job] == '\0';
}

static void parse_block(const char block[HOLDER_BLOCK + 1], holder *h)
{
  char word[HOLDER_WORD];

  *h = (holder){0};
  find_word(block, "token", word);
  h->token = strtoull(word, NULL, 16);
  find_word(block, "host", h->host);
  find_word(block, "job", h->job);
  find_word(block, "task", h->task);
  if (!is_job(h->job)) h->job[0] = '\0';
  if (!is_job(h->task)) h->task[0] = '\0';
  h->restart = find_number(block, "restart");
  h->pid = find_number(block, "pid");
  h->started = find_number(block, "started");
  h->heartbeat = find_number(block, "heartbeat");
  h->runs = find_number(block, "runs");
  h->done = find_number(block, "done");
  h->diverged = find_number(block, "diverged");
  h->failed = find_number(block, "failed");
  h->running = find_number(block, "running");
  h->rate = find_real(block, "rate");
  h->left = find_real(block, "left");
}

bool holder_read(int fd, holder *h)
{
  char block[HOLDER_BLOCK + 1];
  ssize_t n;

  do n = pread(fd, block, HOLDER_BLOCK, 0);
  while (n < 0 && errno == EINTR);
  if (n < 0) return false;
  block[n] = '\0';
  parse_block(block, h);
  return true;
}

PetscErrorCode holder_add_job(const holder *h, const char *before, ip_text *words)
{
  if (!h->job[0]) return PETSC_SUCCESS;
  PetscCall(ip_text_add(words, "%sjob %s", before, h->job));
  return h->task[0] ? ip_text_add(words, " (%s)", h->task) : PETSC_SUCCESS;
}

/* ---- who we are, and who still lives ----------------------------------------------------------------- */

/* Start of a process in clock ticks since boot: field 22 of its stat; 0 if there is no such process,
   or only what its parent has not yet waited for (state Z or X, field 3). */
static int64_t process_start(int64_t pid)
{
  char path[64], text[1024];

  snprintf(path, sizeof path, "/proc/%" PRId64 "/stat", pid);
  FILE *file = fopen(path, "re");

  if (!file) return 0;
  const size_t n = fread(text, 1, sizeof text - 1, file);

  fclose(file);
  text[n] = '\0';
  const char *field = strrchr(text, ')'); /* the name before it may hold anything */

  if (!field || strspn(field, ") ZX") > 2) return 0;
  for (int i = 2; field && i < 22; i++) field = strchr(field + 1, ' ');
  return field ? strtoll(field, NULL, 10) : 0;
}

static void own_host(char host[HOLDER_WORD])
{
  if (gethostname(host, HOLDER_WORD) != 0) snprintf(host, HOLDER_WORD, "unknown");
  host[HOLDER_WORD - 1] = '\0';
}

/* One task of an array has the number of the whole array: to ask about it alone is to ask for ARRAY_TASK.
   Not so where the numbers differ: then its own means this task alone, and what is said of an array may
   be inherited from a job that submitted this one.  "": not in a job of Slurm. */
static void own_job(char job[HOLDER_WORD], char task[HOLDER_WORD])
{
  const char *id = getenv("SLURM_JOB_ID"), *array = getenv("SLURM_ARRAY_JOB_ID"),
             *index = getenv("SLURM_ARRAY_TASK_ID");

  snprintf(job, HOLDER_WORD, "%s", id ? id : "");
  task[0] = '\0';
  if (id && array && index)
    snprintf(strcmp(id, array) == 0 ? job : task, HOLDER_WORD, "%s_%s", array, index);
  if (!is_job(job)) job[0] = '\0';
  if (!is_job(task)) task[0] = '\0';
}

/* How often Slurm started this job again. It says so from the second life on; in the first the count may
   be inherited from a job that submitted this one, and be larger. */
static int64_t own_restarts(void)
{
  const char *restart = getenv("SLURM_RESTART_COUNT");

  return restart ? strtoll(restart, NULL, 10) : 0;
}

static bool in_another_life(const holder *h)
{
  return getenv("SLURM_RESTART_COUNT") && own_restarts() != h->restart;
}

PetscErrorCode holder_introduce(holder *me)
{
  *me = (holder){.pid = getpid(), .heartbeat = time(NULL)};
  while (me->token == 0)
    IP_CHECK(getrandom(&me->token, sizeof me->token, 0) == sizeof me->token, IP_ERR_ENVIRONMENT,
             "no random numbers from the system: %s", strerror(errno));
  me->started = process_start(me->pid);
  own_host(me->host);
  own_job(me->job, me->task);
  me->restart = own_restarts();
  return PETSC_SUCCESS;
}

/* All that a command prints, at most size - 1 bytes; its exit status, or -1. */
static int run_command(char *const argument[], char *output, size_t size)
{
  posix_spawn_file_actions_t actions;
  int pipes[2], status = -1;
  pid_t child = -1, ended;
  size_t n = 0;

  output[0] = '\0';
  if (pipe2(pipes, O_CLOEXEC) != 0) return -1;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, pipes[1], STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, pipes[1], STDERR_FILENO);
  const bool spawned =
      posix_spawnp(&child, argument[0], &actions, NULL, argument, environ) == 0;

  posix_spawn_file_actions_destroy(&actions);
  close(pipes[1]);
  for (ssize_t got = 1; spawned && got != 0 && n < size - 1;) {
    got = read(pipes[0], output + n, size - 1 - n);
    if (got < 0 && errno != EINTR) break;
    n += got > 0 ? (size_t)got : 0;
  }
  output[n] = '\0';
  close(pipes[0]);
  if (!spawned) return -1;
  do ended = waitpid(child, &status, 0);
  while (ended < 0 && errno == EINTR);
  return ended == child && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* Slurm says that the job is over: it does not list it, or does not know it any more. */
static bool job_gone(const holder *h)
{
  char output[HOLDER_WORD], id[HOLDER_WORD], own[HOLDER_WORD], task[HOLDER_WORD];
  char squeue[] = "squeue", header[] = "--noheader", jobs[] = "--jobs";
  char *argument[] = {squeue, header, jobs, id, NULL};

  if (h->job[0] == '\0') return false;
  own_job(own, task);
  if (strcmp(own, h->job) == 0) return in_another_life(h);
  memcpy(id, h->job, sizeof id);
  const int status = run_command(argument, output, sizeof output);

  return (status == 0 && output[0] == '\0') || strstr(output, "Invalid job id") != NULL;
}

static bool process_gone(const holder *h)
{
  const int64_t start = process_start(h->pid);

  return start == 0 || (h->started != 0 && start != h->started);
}

bool holder_here(const holder *h)
{
  char host[HOLDER_WORD];

  own_host(host);
  return strcmp(host, h->host) == 0;
}

bool holder_gone(const holder *h)
{
  return holder_here(h) && process_gone(h);
}

bool holder_stale(const holder *h, double silent, bool break_lock)
{
  if (holder_here(h) && h->pid > 0) return process_gone(h);
  return job_gone(h) || (break_lock && silent >= STALE_SECONDS);
}
