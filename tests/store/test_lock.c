/* One job at a time: the second is refused, the dead one's lock is taken, the silent one's on a word. */

#include "check.h"
#include "folder.h"
#include <fcntl.h>
#include <infoplane/store.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void be_no_job(void)
{
  unsetenv("SLURM_JOB_ID"), unsetenv("SLURM_RESTART_COUNT");
  unsetenv("SLURM_ARRAY_JOB_ID"), unsetenv("SLURM_ARRAY_TASK_ID");
}

static int enter(void **state)
{
  be_no_job();
  return folder_enter(state);
}

/* A lock of somebody else, as old as this. */
static void leave_lock(const char *text, int seconds_old)
{
  FILE *file = fopen("x.h5.lock", "w");
  struct timespec when[2] = {{.tv_sec = time(NULL) - seconds_old}};

  assert_non_null(file);
  fputs(text, file);
  fclose(file);
  when[1] = when[0];
  assert_int_equal(utimensat(AT_FDCWD, "x.h5.lock", when, 0), 0);
}

static void refused(bool break_lock, const char *text)
{
  ip_lock *lock = NULL;

  FAILS(ip_lock_take("x.h5", break_lock, 0, &lock), IP_ERR_LOCKED, text);
  assert_null(lock);
}

static void taken(bool break_lock)
{
  ip_lock *lock = NULL;

  OK(ip_lock_take("x.h5", break_lock, 0, &lock));
  ip_lock_release(&lock);
  assert_null(lock);
  assert_int_not_equal(access("x.h5.lock", F_OK), 0);
}

static void second_job_is_refused(void **state)
{
  ip_lock *lock = NULL;
  ip_text words = {0};
  char pid[64];
  const ip_progress progress = {.runs = 40, .done = 3, .running = 2};

  (void)state;
  OK(ip_lock_take("x.h5", false, 0, &lock));
  assert_true(ip_lock_token(lock) != 0);
  snprintf(pid, sizeof pid, "process %d", (int)getpid());
  refused(false, pid);
  refused(true, pid); /* alive: break_lock does not help */
  OK(ip_lock_beat(lock, &progress, 0.5, 720));
  OK(ip_lock_describe("x.h5", &words));
  assert_non_null(
      strstr(words.text, "3 of 40 runs done, 2 running, 0.5 runs per hour, 12 m left"));
  ip_text_clear(&words);
  ip_lock_release(&lock);
  OK(ip_lock_describe("x.h5", &words));
  assert_int_equal(words.length, 0);
  taken(false);
}

static void lock_of_a_killed_job_is_taken(void **state)
{
  int pipes[2];
  char word = 0;
  ip_text words = {0};

  (void)state;
  assert_int_equal(pipe(pipes), 0);
  const pid_t child = fork();

  if (child == 0) {
    ip_lock *lock = NULL;
    const bool took = ip_lock_take("x.h5", false, 0, &lock) == PETSC_SUCCESS;

    _exit(write(pipes[1], took ? "y" : "n", 1) == 1 && pause() ? 0 : 1);
  }
  assert_int_equal(read(pipes[0], &word, 1), 1);
  assert_int_equal(word, 'y');
  refused(true, "in use by process");
  kill(child, SIGKILL);
  assert_int_equal(waitpid(child, NULL, 0), child);
  OK(ip_lock_describe("x.h5", &words)); /* nobody holds it */
  assert_int_equal(words.length, 0);
  taken(false);
  close(pipes[0]), close(pipes[1]);
}

/* The child takes the lock, says so, and ends by itself 300 ms later. */
static pid_t dying_holder(void)
{
  int pipes[2];
  char word = 0;

  assert_int_equal(pipe(pipes), 0);
  const pid_t child = fork();

  if (child == 0) {
    ip_lock *lock = NULL;
    const bool took = ip_lock_take("x.h5", false, 0, &lock) == PETSC_SUCCESS;
    const bool said = write(pipes[1], took ? "y" : "n", 1) == 1;

    nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL);
    _exit(said ? 0 : 1);
  }
  assert_int_equal(read(pipes[0], &word, 1), 1);
  assert_int_equal(word, 'y');
  close(pipes[0]), close(pipes[1]);
  return child;
}

/* Nobody has waited for the child when it ends: it stays in /proc as a zombie, and is gone. */
static void a_dying_neighbor_is_waited_for(void **state)
{
  ip_lock *lock = NULL;
  const pid_t child = dying_holder();

  (void)state;
  refused(false, "in use by process");
  OK(ip_lock_take("x.h5", false, 20, &lock));
  ip_lock_release(&lock);
  assert_int_equal(waitpid(child, NULL, 0), child);
}

/* The process number was given to another process since: not the holder. */
static void same_number_is_not_same_process(void **state)
{
  char host[256], text[512];

  (void)state;
  assert_int_equal(gethostname(host, sizeof host), 0);
  snprintf(text, sizeof text, "token: 1\nhost: %s\npid: %d\nstarted: 12\n", host,
           (int)getpid());
  leave_lock(text, 0);
  taken(false);
}

static void another_host_needs_silence_and_a_word(void **state)
{
  static const char text[] = "token: 1\nhost: elsewhere\npid: 12\nstarted: 34\n";

  (void)state;
  leave_lock(text, 0);
  refused(true, "host elsewhere");
  leave_lock(text, 590);
  refused(true, "break_lock=yes");
  leave_lock(text, 610);
  refused(false, "process 12 on host elsewhere");
  taken(true);
}

/* Slurm in our place: a squeue that prints this and returns that. */
static void fake_squeue(const char *prints, int returns)
{
  FILE *file = fopen("squeue", "w");

  assert_non_null(file);
  fprintf(file, "#!/bin/sh\necho \"$@\" >arguments\n%s\nexit %d\n", prints, returns);
  fclose(file);
  assert_int_equal(chmod("squeue", 0755), 0);
}

/* It lies in our folder; the path as it was. */
static char *find_squeue_here(void)
{
  const char *before = getenv("PATH");
  char *path = strdup(before ? before : ""), ours[128];

  snprintf(ours, sizeof ours, "%s:/usr/bin:/bin", folder);
  setenv("PATH", ours, 1);
  return path;
}

static void find_squeue_as_before(char *path)
{
  setenv("PATH", path, 1);
  free(path);
  unlink("arguments");
}

/* What it was asked last, which is forgotten; NULL: whether it was asked. */
static bool asked_squeue(const char *arguments)
{
  FILE *file = fopen("arguments", "r");
  char text[128] = "";

  if (!file) return false;
  assert_non_null(fgets(text, sizeof text, file));
  fclose(file);
  unlink("arguments");
  return !arguments || strcmp(text, arguments) == 0;
}

static void a_job_that_slurm_forgot_is_gone(void **state)
{
  static const char text[] =
      "token: 1\nhost: elsewhere\npid: 12\nstarted: 34\njob: 77\nrestart: 1\n";
  char *path = find_squeue_here();

  (void)state;
  leave_lock(text, 0);
  fake_squeue("echo 77 batch train", 0);
  refused(false, "of job 77 on host elsewhere");
  fake_squeue("echo slurm_load_jobs error: Unable to contact slurm controller >&2", 1);
  refused(false, "of job 77");
  fake_squeue("echo slurm_load_jobs error: Invalid job id specified >&2", 1);
  taken(false);
  leave_lock(text, 0);
  fake_squeue("kill -9 $$", 0);
  refused(false, "of job 77");
  fake_squeue("head -c 5000 /dev/zero | tr '\\0' x", 0); /* more than we read */
  refused(false, "of job 77");
  setenv("SLURM_JOB_ID", "78", 1); /* ours is another one */
  fake_squeue("", 0);
  taken(false);
  unsetenv("SLURM_JOB_ID");

  /* the same job in its next life has no other living one */
  unlink("squeue");
  leave_lock(text, 0);
  refused(false, "of job 77"); /* there is nobody to ask */
  setenv("SLURM_JOB_ID", "77", 1);
  refused(false, "of job 77");
  setenv("SLURM_RESTART_COUNT", "1", 1);
  refused(false, "of job 77");
  setenv("SLURM_RESTART_COUNT", "2", 1);
  taken(false);
  setenv("SLURM_RESTART_COUNT", "0", 1); /* its first life inherited a count */
  leave_lock(text, 0);
  taken(false);
  unsetenv("SLURM_JOB_ID"), unsetenv("SLURM_RESTART_COUNT");
  find_squeue_as_before(path);
}

/* The job of the environment: its number, and array and task. */
static void be_job(const char *id, const char *array, const char *task)
{
  setenv("SLURM_JOB_ID", id, 1);
  setenv("SLURM_ARRAY_JOB_ID", array, 1);
  setenv("SLURM_ARRAY_TASK_ID", task, 1);
}

/* Task 2 of array 77, whose number is 77, is over; task 1, whose number is 78, still runs: to Slurm 77
   is both of them. */
static void a_task_of_an_array_has_a_name_of_its_own(void **state)
{
  static const char text[] =
      "token: 1\nhost: elsewhere\npid: 12\nstarted: 34\njob: 77_2\nrestart: 1\n";
  static const char *const no_job[] = {"77_", "_2", "77_2_3", "77_x", "77_2;reboot", "7-7"};
  char *path = find_squeue_here();

  (void)state;
  leave_lock(text, 0);
  fake_squeue("echo 77_2 batch train", 0);
  refused(false, "of job 77_2 on host elsewhere");
  fake_squeue("[ \"$3\" = 77_2 ] || echo 77_1 batch train", 0);
  taken(false);
  assert_true(asked_squeue("--noheader --jobs 77_2\n"));
  setenv("SLURM_RESTART_COUNT", "2", 1);
  be_job("78", "77", "1");
  leave_lock(text, 0);
  fake_squeue("echo 77_2 batch train", 0);
  refused(false, "of job 77_2"); /* another task, whatever our life is */
  assert_true(asked_squeue("--noheader --jobs 77_2\n"));
  be_job("77", "77", "2");
  taken(false); /* ours, in its next life */
  for (size_t i = 0; i < sizeof no_job / sizeof no_job[0]; i++) {
    char lock[128];

    snprintf(lock, sizeof lock, "token: 1\nhost: elsewhere\njob: %s\n", no_job[i]);
    leave_lock(lock, 0);
    fake_squeue("", 0);
    refused(false, "process 0 on host elsewhere"); /* of no job, and nobody is asked */
    assert_false(asked_squeue(NULL));
  }
  unlink("x.h5.lock"), unlink("squeue");
  be_no_job();
  find_squeue_as_before(path);
}

/* The lock of a job with this number, array and task is said to be of this one. */
static void names_itself(const char *name)
{
  ip_lock *lock = NULL;
  ip_text words = {0};
  char refusal[64], description[64];

  snprintf(refusal, sizeof refusal, " of %s on host", name);
  snprintf(description, sizeof description, ", %s", name);
  OK(ip_lock_take("x.h5", false, 0, &lock));
  refused(false, refusal);
  OK(ip_lock_describe("x.h5", &words));
  assert_non_null(strstr(words.text, description));
  ip_text_clear(&words);
  ip_lock_release(&lock);
}

/* What squeue shows is 77_2 and 77_1; 77_1 is also what a job says that task 1 has submitted, and its
   number alone is true then. */
static void a_task_names_itself(void **state)
{
  (void)state;
  be_job("77", "77", "2");
  names_itself("job 77_2");
  be_job("78", "77", "1");
  names_itself("job 78 (77_1)");
  be_job("78", "77", "; ls");
  names_itself("job 78");
  be_no_job();
  setenv("SLURM_JOB_ID", "77", 1);
  names_itself("job 77");
  be_no_job();
}

/* What an editor or a broken disk leaves is nobody's word: refused, and never obeyed. */
static void rubbish_is_not_trusted(void **state)
{
  ip_text words = {0};
  char text[512] = "", lines[sizeof text + sizeof "token: 1\nhost: "];

  (void)state;
  leave_lock("", 0);
  refused(false, "host unknown");
  leave_lock("pid: 99999999999999999999\nhost:\njob: 7; rm -rf /\nleft: 1e999\nruns: x", 0);
  refused(true, "host unknown");
  OK(ip_lock_describe("x.h5", &words));
  ip_text_clear(&words);
  memset(text + snprintf(text, sizeof text, "token: 1\nhost: "), 'x', 300);
  leave_lock(text, 0); /* a word without end is cut */
  refused(false, "xxx (last sign");
  leave_lock("tokens: 1\nruns: 3 4", 0);
  refused(false, "host unknown");
  leave_lock("", 610);
  taken(true);
  assert_int_equal(gethostname(text, sizeof text), 0); /* our host, but no process */
  snprintf(lines, sizeof lines, "token: 1\nhost: %s", text);
  leave_lock(lines, 590);
  refused(true, "process 0 on host");
  leave_lock(lines, 610);
  taken(true);

  /* somebody's link is not followed */
  assert_int_equal(symlink("elsewhere", "x.h5.lock"), 0);
  refused(true, "x.h5.lock: ");
  FAILS(ip_lock_describe("x.h5", &words), IP_ERR_LOCKED, "x.h5.lock: ");
  assert_int_equal(unlink("x.h5.lock"), 0);
}

/* A file of this name with this text. */
static void leave_attempt(const char *name, const char *text, int seconds_old)
{
  unlink("x.h5.lock");
  leave_lock(text, seconds_old);
  assert_int_equal(rename("x.h5.lock", name), 0);
}

/* Killed while they took the lock: on this host, on another one long ago; and one that is at it. */
static void attempts_of_the_dead_are_removed(void **state)
{
  static const char *const stays[] = {
      "x.h5.lock.00000000000000c3", "x.h5.lock.00000000000000d4.old",
      "x.h5.lock.00000000000000d4", "x.h5.lock.notes", "y.h5.lock.00000000000000e5"};
  char host[256], dead[512], alive[512];

  (void)state;
  assert_int_equal(gethostname(host, sizeof host), 0);
  snprintf(dead, sizeof dead, "token: a1\nhost: %s\npid: %d\nstarted: 12\n", host,
           (int)getpid());
  snprintf(alive, sizeof alive, "token: c3\nhost: %s\npid: %d\n", host, (int)getpid());
  leave_attempt("x.h5.lock.00000000000000a1", dead, 0);
  leave_attempt("x.h5.lock.00000000000000b2", "host: elsewhere\npid: 12\n", 610);
  leave_attempt(stays[0], alive, 610);
  leave_attempt(stays[1], dead, 610);
  leave_attempt(stays[2], "", 0); /* not yet written */
  leave_attempt(stays[3], dead, 610);
  leave_attempt(stays[4], dead, 610);
  taken(false);
  assert_int_not_equal(access("x.h5.lock.00000000000000a1", F_OK), 0);
  assert_int_not_equal(access("x.h5.lock.00000000000000b2", F_OK), 0);
  for (size_t i = 0; i < sizeof stays / sizeof stays[0]; i++)
    assert_int_equal(unlink(stays[i]), 0);
}

static void holder_notices_a_replaced_lock(void **state)
{
  ip_lock *lock = NULL;
  const ip_progress progress = {.runs = 1};

  (void)state;
  OK(ip_lock_take("x.h5", false, 0, &lock));
  unlink("x.h5.lock");
  leave_lock("token: 1\nhost: elsewhere\n", 0);
  FAILS(ip_lock_beat(lock, &progress, 0, 0), IP_ERR_LOCKED, "another job");
  unlink("x.h5.lock");
  assert_int_equal(symlink("/proc/version", "x.h5.lock"), 0); /* of another device */
  FAILS(ip_lock_beat(lock, &progress, 0, 0), IP_ERR_LOCKED, "another job");
  ip_lock_release(&lock);
  assert_int_equal(access("x.h5.lock", F_OK), 0); /* the other's stays */
  unlink("x.h5.lock");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(second_job_is_refused),
      cmocka_unit_test(lock_of_a_killed_job_is_taken),
      cmocka_unit_test(a_dying_neighbor_is_waited_for),
      cmocka_unit_test(same_number_is_not_same_process),
      cmocka_unit_test(another_host_needs_silence_and_a_word),
      cmocka_unit_test(a_job_that_slurm_forgot_is_gone),
      cmocka_unit_test(a_task_of_an_array_has_a_name_of_its_own),
      cmocka_unit_test(a_task_names_itself),
      cmocka_unit_test(rubbish_is_not_trusted),
      cmocka_unit_test(attempts_of_the_dead_are_removed),
      cmocka_unit_test(holder_notices_a_replaced_lock),
  };

  PetscPushErrorHandler(ip_error_handler, NULL);
  return cmocka_run_group_tests(tests, enter, folder_leave);
}
