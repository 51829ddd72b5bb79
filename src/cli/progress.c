/* One line that says how far it is; the heartbeat of the lock; reasons to stop. */

#include "cli.h"
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { BAR = 30, LINE = 160 };
static const double piped_seconds = 120, terminal_seconds = 0.5; /* between two lines    */
static const double beat_seconds = 5, look_seconds = 1;          /* lock; the stop file  */

double seconds_now(void)
{
  struct timespec now;

  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* ---- the terminal ---------------------------------------------------------------------------------- */

/* Columns of a terminal, 80 where it does not say; 0: it is none. */
static int columns_of(int file)
{
  struct winsize size = {0};

  if (isatty(file) != 1) return 0;
  return ioctl(file, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

/* mpirun gives ranks a terminal of its own making: what counts is where its own output goes. */
static int columns_of_stdout(void)
{
  const char *kind = getenv("TERM");
  char path[64];

  if (!kind || !*kind || strcmp(kind, "dumb") == 0) return 0;
  if (!getenv("OMPI_COMM_WORLD_SIZE")) return columns_of(STDOUT_FILENO);
  snprintf(path, sizeof path, "/proc/%ld/fd/1", (long)getppid());

  const int file = ip_file_open(path, O_WRONLY | O_NOCTTY | O_NONBLOCK);
  const int columns = file < 0 ? 0 : columns_of(file);

  if (file >= 0) close(file);
  return columns;
}

/* ---- the line -------------------------------------------------------------------------------------- */

static double share_of(const ip_progress *seen)
{
  const double share = seen->work > 0.0 ? seen->work_done / seen->work : 1.0;

  return share < 1.0 ? share : 1.0;
}

/* Seconds left, NaN where nothing can be said yet. */
static double seconds_left(const progress *p, const ip_progress *seen)
{
  const double share = share_of(seen);

  return share > 0.0 ? (seconds_now() - p->trained) * (1.0 - share) / share : (double)NAN;
}

/* "4/36 runs   12 m   ETA 26 m   0 diverged" */
static void format_numbers(const progress *p, const ip_progress *seen, char text[LINE])
{
  char spent[32], rest[32], eta[40] = "", failed[40] = "";

  ip_seconds_format(progress_seconds(p), spent);
  ip_seconds_format(seconds_left(p, seen), rest);
  if (!p->ended) snprintf(eta, sizeof eta, "   ETA %s", rest);
  if (seen->failed) snprintf(failed, sizeof failed, "   %zu failed", seen->failed);
  snprintf(text, LINE, "%zu/%zu %ss   %s%s   %zu diverged%s", seen->done, seen->runs, p->noun,
           spent, eta, seen->diverged, failed);
}

static void show(progress *p, const ip_progress *seen)
{
  char numbers[LINE], bar[BAR + 1];

  format_numbers(p, seen, numbers);

  /* a line that wraps could not be rewritten: the bar shrinks, then the numbers are cut */
  const int columns = p->columns > 0 ? p->columns : LINE;
  const int room = columns - (int)strlen(numbers) - 5, width = room < BAR ? room : BAR;
  const int filled = (int)(width * share_of(seen));

  p->shown = seconds_now();
  if (p->columns > 0) fputs("\r", p->to);
  if (width > 0) {
    memset(bar, '-', (size_t)width);
    memset(bar, '#', (size_t)filled);
    fprintf(p->to, " [%s%.*s%s]", p->color ? "\033[36m" : "", width, bar,
            p->color ? "\033[0m" : "");
  }
  fprintf(p->to, " %.*s", columns > 2 ? columns - 2 : 1, numbers);
  fputs(p->columns > 0 ? "\033[K" : "\n", p->to);
  fflush(p->to);
}

/* A line of its own, above the one that is rewritten. */
static void say(const progress *p, FILE *to, const char *text)
{
  if (p->columns > 0 && p->to) {
    fputs("\r\033[K", p->to);
    fflush(p->to);
  }
  fprintf(to, "%s\n", text);
  fflush(to);
}

static void say_failure(const progress *p, const ip_progress *seen)
{
  ip_text line = {0};

  if (seen->notice && ip_text_add(&line, "%s %d failed: %s", p->noun, (int)seen->notice_run,
                                  seen->notice) == PETSC_SUCCESS)
    say(p, stderr, line.text);
  ip_text_clear(&line);
}

/* ---- reasons to stop ------------------------------------------------------------------------------- */

typedef struct {
  int signal, exit_code;
  const char *name;
} asked;

static const asked *asked_by(int signal)
{
  static const asked row[] = {
      {SIGUSR1, 75,  "SIGUSR1"},
      {SIGINT,  130, "SIGINT" },
      {SIGTERM, 143, "SIGTERM"},
  };

  for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
    if (row[i].signal == signal) return &row[i];
  return NULL;
}

static void stop_for(progress *p, int exit_code, const char *cause)
{
  ip_text line = {0};

  p->exit_code = exit_code;
  if (p->to && ip_text_add(&line, "stopping: %s", cause) == PETSC_SUCCESS)
    say(p, p->to, line.text);
  ip_text_clear(&line);
}

/* Anything of that name but a folder, which could not be taken away after it had its effect. */
static bool stop_file_stands(const progress *p)
{
  struct stat about;

  return lstat(p->stop_file, &about) == 0 && !S_ISDIR(about.st_mode);
}

static void consider_stopping(progress *p, const ip_progress *seen)
{
  const double now = seconds_now();
  const asked *by = asked_by(signals_noted());

  if (!by) by = asked_by(seen->signal);
  if (p->exit_code) return;
  if (by)
    stop_for(p, by->exit_code, by->name);
  else if (p->limit > 0.0 && progress_seconds(p) >= p->limit)
    stop_for(p, 75, "max_time is over");
  else if (now - p->looked >= look_seconds) {
    p->looked = now;
    if (stop_file_stands(p)) stop_for(p, 75, p->stop_file);
  }
}

/* ---- front door ------------------------------------------------------------------------------------ */

PetscErrorCode progress_begin(const progress_of *of, progress *p)
{
  ip_text stop_file = {0};

  PetscCall(ip_text_add(&stop_file, "%s.stop", of->path));
  *p = (progress){.to = of->quiet ? NULL : stdout,
                  .noun = of->noun,
                  .columns = columns_of_stdout(),
                  .started = of->started,
                  .trained = seconds_now(),
                  .limit = of->limit,
                  .lock = of->lock,
                  .n = of->n,
                  .stop_file = stop_file.text};
  p->color = p->columns > 0 && !getenv("NO_COLOR");
  p->beaten = p->looked = (double)-INFINITY;
  p->shown = p->columns > 0 ? (double)-INFINITY : p->trained;
  return PETSC_SUCCESS;
}

double progress_seconds(const progress *p)
{
  return seconds_now() - p->started;
}

/* What `status` shows. */
static PetscErrorCode beat(progress *p, const ip_progress *seen)
{
  const double now = seconds_now(), hours = (now - p->trained) / 3600.0;

  if (!p->lock || now - p->beaten < beat_seconds) return PETSC_SUCCESS;
  p->beaten = now;
  return ip_lock_beat(p->lock, seen, hours > 0.0 ? (double)p->n * share_of(seen) / hours : 0.0,
                      seconds_left(p, seen));
}

PetscErrorCode progress_watch(void *context, const ip_progress *seen, bool *stop)
{
  progress *p = context;

  p->last = *seen;
  p->last.notice = NULL; /* the caller's */
  say_failure(p, seen);
  consider_stopping(p, seen);
  if (p->to && seconds_now() - p->shown > (p->columns > 0 ? terminal_seconds : piped_seconds))
    show(p, seen);
  *stop = p->exit_code != 0;
  return beat(p, seen);
}

void progress_end(progress *p)
{
  p->ended = true;
  if (p->to && p->n > 0) {
    show(p, &p->last);
    if (p->columns > 0) fputs("\n", p->to);
  }
  if (p->stop_file) unlink(p->stop_file); /* heeded, or too late: not for the next start */
  ip_release(&p->stop_file);
}
