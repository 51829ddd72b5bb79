/* A job script for Slurm: the #SBATCH lines of jobs/run.sbatch with another shape, and then that script.

   Slurm reads #SBATCH lines of the script that is submitted alone, hence they are copied; what the job does
   stands in jobs/run.sbatch only, which is looked for beside the program. */

#include "cli.h"
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LONGEST = 4096, MOST_NODES = 1 << 20, MOST_PER_NODE = 1 << 14, EARLY = 60 };
static const double poor = 0.5, good = 0.8; /* efficiencies */

/* What was asked for, and what it means. */
typedef struct {
  size_t nodes, per_node;
  double limit;  /* wall time, seconds                                        */
  double margin; /* seconds before it when the job is told to stop            */
  char program[LONGEST], body[LONGEST], folder[LONGEST];
  char *text; /* of the body                                               */
  const input *in;
  const calibration *speeds;
  ip_forecast forecast;
  double start; /* seconds until the first run, in every life                */
} job;

/* ---- what was asked for --------------------------------------------------------------------------------- */

static PetscErrorCode read_count(const char *text, option_index which, size_t most,
                                 size_t *count)
{
  char *end = NULL;
  const unsigned long value = *text >= '0' && *text <= '9' ? strtoul(text, &end, 10) : 0;

  IP_CHECK(value >= 1 && value <= most && *end == '\0', IP_ERR_USAGE,
           "%s %s: wants a whole number from 1 to %zu", option_of(which)->name, text, most);
  *count = value;
  return PETSC_SUCCESS;
}

/* "12h", "90m": a number with its unit; -1: it is none. */
static double with_unit(const char *text)
{
  static const struct {
    char letter;
    double seconds;
  } unit[] = {
      {'s', 1.0    },
      {'m', 60.0   },
      {'h', 3600.0 },
      {'d', 86400.0}
  };
  char *end = NULL;

  if (*text < '0' || *text > '9') return -1.0;

  const double value = strtod(text, &end);

  for (size_t u = 0; u < sizeof unit / sizeof unit[0]; u++)
    if (value > 0.0 && end[0] == unit[u].letter && end[1] == '\0')
      return value * unit[u].seconds;
  return -1.0;
}

/* A whole number below `limit` at *text, and this sign behind it ('\0': the end); NAN: it is not there. */
static double take_number(const char **text, char sign, double limit)
{
  const size_t n = strspn(*text, "0123456789");
  const double value = n > 0 ? strtod(*text, NULL) : (double)NAN;

  *text += n;
  if (**text != sign || !(value < limit)) return (double)NAN;
  *text += sign != '\0';
  return value;
}

/* "12:00:00", "2-00:00:00"; NAN: it is none. */
static double with_colons(const char *text)
{
  const double days = strchr(text, '-') ? take_number(&text, '-', 1e6) : 0.0,
               hours = take_number(&text, ':', 1e6), minutes = take_number(&text, ':', 60.0),
               seconds = take_number(&text, '\0', 60.0);

  return 86400.0 * days + 3600.0 * hours + 60.0 * minutes + seconds;
}

static PetscErrorCode read_time(const char *text, double *seconds)
{
  const double most = 366 * 86400.0, value = fmax(with_unit(text), with_colons(text));

  IP_CHECK(value > 0.0, IP_ERR_USAGE,
           "--time %s: wants a time with its unit, as 12h, 90m, 12:00:00 or 2-00:00:00", text);
  IP_CHECK(value <= most, IP_ERR_USAGE, "--time %s is more than a year", text);
  *seconds = value;
  return PETSC_SUCCESS;
}

/* ---- jobs/run.sbatch ---------------------------------------------------------------------------------------- */

static PetscErrorCode find_program(job *j)
{
  const ssize_t n = readlink("/proc/self/exe", j->program, sizeof j->program - 1);

  IP_CHECK(n > 0, IP_ERR_ENVIRONMENT, "the program does not find itself: %s", strerror(errno));
  j->program[n] = '\0';
  IP_CHECK(getcwd(j->folder, sizeof j->folder), IP_ERR_ENVIRONMENT,
           "the current folder has no name: %s", strerror(errno));
  return PETSC_SUCCESS;
}

/* Below the folder above the program's: of the sources, or where it was installed. */
static PetscErrorCode find_body(job *j)
{
  static const char *const place[] = {"jobs/run.sbatch", "share/infoplane/jobs/run.sbatch"};
  char top[LONGEST];

  snprintf(top, sizeof top, "%s", j->program);
  for (int up = 0; up < 2 && strrchr(top, '/'); up++) *strrchr(top, '/') = '\0';
  for (size_t i = 0; i < sizeof place / sizeof place[0]; i++) {
    const int n = snprintf(j->body, sizeof j->body, "%s/%s", top, place[i]);

    if (n < LONGEST && access(j->body, R_OK) == 0) return PETSC_SUCCESS;
  }
  return ip_error_raise(IP_ERR_NO_INPUT, __func__,
                        "there is no %s and no %s below %s: the script runs it", place[0],
                        place[1], top);
}

static PetscErrorCode read_body(job *j)
{
  const int file = ip_file_open(j->body, O_RDONLY);
  const off_t length = file < 0 ? -1 : lseek(file, 0, SEEK_END);
  PetscErrorCode code = PETSC_SUCCESS;

  if (length < 0)
    code = ip_error_raise(IP_ERR_NO_INPUT, __func__, "%s: %s", j->body, strerror(errno));
  if (!code) code = IP_ALLOCATE((size_t)length + 1, &j->text);
  if (!code) code = ip_file_read(file, j->body, j->text, (size_t)length, 0);
  if (file >= 0) close(file);
  return code;
}

/* The next line of text that begins with this; its length. */
static const char *next_line(const char *text, const char *start, size_t *length)
{
  const size_t n = strlen(start);

  for (const char *at = text; at; at = strchr(at, '\n')) {
    at += *at == '\n';
    if (strncmp(at, start, n) != 0) continue;
    *length = strcspn(at, "\n");
    return at;
  }
  return NULL;
}

/* When the job is told to stop before its time is over; the signal may come a minute early. */
static void find_margin(job *j)
{
  static const char signal[] = "#SBATCH --signal=";
  size_t length = 0;
  const char *line = next_line(j->text, signal, &length),
             *at = line ? memchr(line, '@', length) : NULL;

  j->margin = at ? EARLY + strtod(at + 1, NULL) : 0.0;
}

/* ---- what it will take --------------------------------------------------------------------------------------- */

static PetscErrorCode forecast_nodes(const job *j, size_t nodes, ip_forecast *forecast)
{
  const ip_times_of of = forecast_all(j->in->plan, &j->speeds->rates);
  const size_t ranks = nodes * j->per_node;

  return forecast_launches(&of, 1, &ranks, forecast);
}

/* The largest shape below this one that is efficient: half the nodes, and so on, then fewer ranks. */
static PetscErrorCode advise(const job *j, ip_text *advice)
{
  job less = *j;

  while (less.nodes * less.per_node > 1 && less.forecast.efficiency < good) {
    if (less.nodes > 1)
      less.nodes /= 2;
    else
      less.per_node /= 2;
    PetscCall(forecast_nodes(&less, less.nodes, &less.forecast));
  }

  char wall[32];

  format_duration(less.forecast.wall, wall);
  return ip_text_add(
      advice,
      "poor: %.0f %% of the time is waiting; --nodes %zu --ranks-per-node %zu takes "
      "%s at %.0f %%",
      100.0 * (1.0 - j->forecast.efficiency), less.nodes, less.per_node, wall,
      100.0 * less.forecast.efficiency);
}

static PetscErrorCode count_lives(const job *j, size_t *lives)
{
  const double usable = j->limit - j->margin - j->start;
  char margin[32];

  format_duration(j->margin, margin);
  IP_CHECK(usable > 0.0, IP_ERR_USAGE,
           "--time: the job is told to stop %s before its time is over, and nothing is left to "
           "train in; ask for more",
           margin);
  *lives = (size_t)fmin(1e9, fmax(1.0, ceil((j->forecast.wall - j->start) / usable)));
  return PETSC_SUCCESS;
}

/* ---- printing --------------------------------------------------------------------------------------------------- */

/* A word for sh: in single quotes. */
static void print_word(const char *text)
{
  putchar('\'');
  for (const char *c = text; *c; c++) fputs(*c == '\'' ? "'\\''" : (char[]){*c, '\0'}, stdout);
  putchar('\'');
}

/* In a comment a new line would be a command. */
static void print_comment(const char *text)
{
  for (const unsigned char *c = (const unsigned char *)text; *c; c++)
    putchar(*c < 0x20 || *c == 0x7f ? '?' : *c);
}

static void print_command(const job *j, const arguments *a)
{
  fputs("# Written by: infoplane", stdout);
  for (int i = 1; i < a->count; i++) {
    putchar(' ');
    print_comment(a->text[i]);
  }
  printf("\n# It runs    ");
  print_comment(j->body);
  putchar('\n');
}

static PetscErrorCode print_prediction(const job *j, ip_text *advice)
{
  char wall[32];
  size_t lives;

  PetscCall(count_lives(j, &lives));
  format_duration(j->forecast.wall, wall);
  printf("# Predicted  %s on %zu x %zu ranks", wall, j->nodes, j->per_node);
  if (ranks_per_run(j->in->plan) > 1)
    printf(" in %zu groups", groups_of(j->in->plan, j->nodes * j->per_node));
  printf(", efficiency %.0f %%; ", 100.0 * j->forecast.efficiency);
  if (lives == 1)
    puts("done in one life of this job");
  else
    printf("%zu lives of this job\n", lives);
  if (j->speeds->measured)
    printf("#            by speeds measured on %s (%s, %.10s); nodes may differ\n",
           j->speeds->host, j->speeds->cpu, j->speeds->date);
  if (j->speeds->remark.text) printf("#            %s\n", j->speeds->remark.text);
  if (j->forecast.efficiency < poor && j->nodes * j->per_node > 1) PetscCall(advise(j, advice));
  if (advice->text) printf("# Efficiency %s\n", advice->text);
  return PETSC_SUCCESS;
}

static PetscErrorCode print_needs(const job *j, const char *path)
{
  const ip_plan *plan = j->in->plan;
  const double rank = memory_of_rank(plan);
  const int keeping = checkpointing_ranks(plan, j->nodes * j->per_node);
  char file[32], kept[32], rank_text[32], node_text[32];
  uint64_t bytes;

  PetscCall(ip_store_size(plan, &bytes));
  ip_bytes_format((double)bytes, file);
  ip_bytes_format(keeping > 0 ? (double)ip_checkpoints_size(plan, keeping) : 0.0, kept);
  ip_bytes_format(rank, rank_text);
  ip_bytes_format(rank * (double)j->per_node, node_text);
  printf("# Results    ");
  print_comment(path);
  printf(": %s, and %s of checkpoints while it runs\n", file, kept);
  printf("# Memory     %s a rank, %s a node%s\n", rank_text, node_text,
         ranks_per_run(plan) > 1 ? " at most" : "");
  return PETSC_SUCCESS;
}

/* Who works with whom: ranks are numbered node by node. */
static void print_who(const job *j)
{
  const ip_plan *plan = j->in->plan;
  const size_t each = ranks_per_run(plan), ranks = j->nodes * j->per_node;

  if (each <= 1) return;
  print_groups(plan, ranks, "# Groups     ");
  if (j->nodes > 1 && j->per_node % each > 0)
    printf("#            some lie on two nodes: --ranks-per-node may be a multiple of %zu\n",
           each);
}

/* The name of the study where it makes a name of a job. */
static void print_name(const char *path)
{
  static const char plain[] =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
  const char *slash = strrchr(path, '/'), *base = slash ? slash + 1 : path,
             *dot = strrchr(base, '.');
  const size_t length = dot && dot > base ? (size_t)(dot - base) : strlen(base);

  for (size_t i = 0; i < length; i++) putchar(strchr(plain, base[i]) ? base[i] : '_');
}

/* Those of the body, but for what this shape says itself. */
static void print_directives(const job *j)
{
  static const char *const own[] = {"job-name", "nodes", "ntasks", "ntasks-per-node", "time"};
  static const char start[] = "#SBATCH --";
  const long minutes = (long)ceil(j->limit / 60.0);
  size_t length = 0;

  printf("#SBATCH --job-name=");
  print_name(j->in->name);
  printf("\n#SBATCH --nodes=%zu\n#SBATCH --ntasks-per-node=%zu\n", j->nodes, j->per_node);
  printf("#SBATCH --time=%ld:%02ld:00\n", minutes / 60, minutes % 60);
  for (const char *line = next_line(j->text, start, &length); line;
       line = next_line(line + length, start, &length)) {
    const char *name = line + sizeof start - 1;
    bool ours = false;

    for (size_t i = 0; i < sizeof own / sizeof own[0]; i++)
      ours =
          ours || (strncmp(name, own[i], strlen(own[i])) == 0 && name[strlen(own[i])] == '=');
    if (!ours) printf("%.*s\n", (int)length, line);
  }
}

/* In the folder that relative names mean. */
static void print_body(const job *j, const arguments *a, const char *path)
{
  printf("set -eu\ncd ");
  print_word(j->folder);
  printf("\nexport SLURM_SUBMIT_DIR=\"$PWD\" # names below mean this folder, wherever it is "
         "submitted\n");
  printf("export INFOPLANE=");
  print_word(j->program);
  printf("\nexec bash ");
  print_word(j->body);
  putchar(' ');
  print_word(a->operand);
  fputs(" -o ", stdout);
  print_word(path);
  for (size_t i = 0; i < a->n_settings; i++) {
    putchar(' ');
    print_word(a->setting[i]);
  }
  putchar('\n');
}

static PetscErrorCode print_script(const job *j, const arguments *a, const char *path)
{
  ip_text advice = {0}, line = {0};
  PetscErrorCode code = describe_plan(j->in->plan, &line);

  if (!code) {
    fputs("#!/bin/bash\n# ", stdout);
    print_comment(j->in->name);
    printf(": %s\n", line.text);
    print_command(j, a);
    code = print_prediction(j, &advice);
  }
  if (!code) code = print_needs(j, path);
  if (!code) {
    print_who(j);
    print_directives(j);
    print_body(j, a, path);
  }
  if (!code && advice.text && !a->quiet)
    fprintf(stderr, "warning: efficiency is %s\n", advice.text);
  ip_text_clear(&advice);
  ip_text_clear(&line);
  return code;
}

/* ---- front door ---------------------------------------------------------------------------------------------------- */

static PetscErrorCode fill(const arguments *a, job *j)
{
  const char *const *option = a->option;
  const long cores = sysconf(_SC_NPROCESSORS_ONLN);
  size_t lives;

  j->per_node = cores > 0 ? (size_t)cores : 1;
  PetscCall(read_count(option[OPTION_NODES], OPTION_NODES, MOST_NODES, &j->nodes));
  if (option[OPTION_RANKS_PER_NODE])
    PetscCall(read_count(option[OPTION_RANKS_PER_NODE], OPTION_RANKS_PER_NODE, MOST_PER_NODE,
                         &j->per_node));
  PetscCall(read_time(option[OPTION_TIME], &j->limit));
  IP_CHECK(j->nodes * j->per_node <= MOST_NODES, IP_ERR_USAGE,
           "%zu nodes x %zu ranks are more than %d ranks", j->nodes, j->per_node, MOST_NODES);
  PetscCall(find_program(j));
  PetscCall(find_body(j));
  PetscCall(read_body(j));
  find_margin(j);
  PetscCall(forecast_start(j->in->plan, &j->speeds->rates, &j->start));
  PetscCall(forecast_nodes(j, j->nodes, &j->forecast));
  return count_lives(j, &lives); /* refused before a line is printed */
}

PetscErrorCode print_slurm(const arguments *a, const input *in, const char *path,
                           const calibration *c)
{
  job *j = NULL;

  PetscCall(IP_ALLOCATE(1, &j));
  j->in = in;
  j->speeds = c;

  PetscErrorCode code = fill(a, j);

  if (!code) code = print_script(j, a, path);
  ip_release(&j->text);
  ip_release(&j);
  return code;
}
