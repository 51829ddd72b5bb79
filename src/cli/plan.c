/* infoplane plan: what run would do, how long it would take, and a job script for it. */

#include "cli.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_RANKS = 1 << 20, MOST_ROWS = 64 };

/* ---- what it is ------------------------------------------------------------------------------------- */

static PetscErrorCode print_studies(const ip_plan *plan)
{
  for (size_t s = 0; s < plan->n_studies; s++) {
    size_t runs = 0;

    for (size_t r = 0; r < plan->n_runs; r++)
      runs += (size_t)plan->in_study[r * plan->n_studies + s];
    printf("  study       %s: %zu runs\n", plan->options->block[s].name, runs);
  }
  for (size_t i = 0; i < plan->data->n; i++) {
    const ip_dataset *set = plan->data->set[i];

    printf("  data        %s: %zu patterns, %zu features, %d classes\n", plan->data->label[i],
           set->n, set->d, (int)set->k);
  }
  for (size_t a = 0; a < plan->n_architectures; a++)
    printf("  network     %s\n", plan->architecture[a].label);
  printf("  looks       %zu epochs, %d to %d\n", plan->n_epochs, (int)plan->epoch[0],
         (int)plan->epoch[plan->n_epochs - 1]);
  printf("  columns    ");
  for (size_t c = 0; c < plan->n_columns; c++) printf(" %s", plan->column[c].name);
  puts("");
  return PETSC_SUCCESS;
}

/* Cores and memory of the machine we are on. */
static size_t cores_here(void)
{
  const long cores = sysconf(_SC_NPROCESSORS_ONLN);

  return cores > 0 ? (size_t)cores : 1;
}

static void print_room(const ip_plan *plan, const char *path)
{
  const double here = (double)sysconf(_SC_PHYS_PAGES) * (double)sysconf(_SC_PAGESIZE),
               rank = memory_of_rank(plan), all = (double)cores_here() * rank;
  char text[32], all_text[32], here_text[32];

  ip_bytes_format(rank, text);
  ip_bytes_format(all, all_text);
  ip_bytes_format(here, here_text);
  printf("  memory      %s a rank%s; %zu ranks on this host: %s of %s%s\n", text,
         ranks_per_run(plan) > 1 ? " at most" : "", cores_here(), all_text, here_text,
         all > here ? ": too much, start fewer" : "");
  if (checkpointing_ranks(plan, 1) == 0) {
    puts("  checkpoints none: a run that is stopped begins anew");
    return;
  }
  ip_bytes_format((double)ip_checkpoints_size(plan, 1), text);
  ip_bytes_format((double)ip_checkpoint_bytes(plan), all_text);
  printf("  checkpoints %s a %s in %s.ckpt, while it runs: two slots of %s\n", text,
         ranks_per_run(plan) > 1 ? "group" : "rank", path, all_text);
}

static PetscErrorCode print_file(const ip_plan *plan, const char *path)
{
  uint64_t bytes, free_bytes;
  char text[32], free_text[32];

  PetscCall(ip_store_size(plan, &bytes));
  PetscCall(ip_store_free_space(path, &free_bytes));
  ip_bytes_format((double)bytes, text);
  ip_bytes_format((double)free_bytes, free_text);
  printf("  file        %s: %s of %s free%s\n", path, text, free_text,
         bytes > free_bytes ? ": it does not fit, run would refuse" : "");
  return PETSC_SUCCESS;
}

/* ---- how long it takes --------------------------------------------------------------------------------- */

/* "1,16,256": ascending in the order given. */
static PetscErrorCode read_ranks(const char *text, size_t *n, size_t ranks[MOST_ROWS])
{
  const char *at = text;

  for (*n = 0;; at++) {
    char *end = NULL;
    const unsigned long value = *at >= '0' && *at <= '9' ? strtoul(at, &end, 10) : 0;

    IP_CHECK(value >= 1 && value <= MOST_RANKS && (*end == ',' || *end == '\0'), IP_ERR_USAGE,
             "--ranks %s: wants whole numbers from 1 to %d with commas between, as in "
             "--ranks 16,256,4096",
             text, MOST_RANKS);
    IP_CHECK(*n < MOST_ROWS, IP_ERR_USAGE, "--ranks: more than %d numbers", MOST_ROWS);
    ranks[(*n)++] = value;
    at = end;
    if (*at == '\0') return PETSC_SUCCESS;
  }
}

/* One, the cores of this host, and powers of four while there are runs for them. */
static size_t usual_ranks(const ip_plan *plan, size_t ranks[MOST_ROWS])
{
  const size_t here = cores_here(), most = plan->n_runs * ranks_per_run(plan);
  size_t n = 0;

  for (size_t r = 1; r == 1 || r <= most; r *= 4) {
    if (here > r / 4 && here < r) ranks[n++] = here;
    ranks[n++] = r;
  }
  if (here > ranks[n - 1]) ranks[n++] = here;
  return n;
}

static void print_source(const calibration *c)
{
  if (c->measured) {
    printf(
        "  time        as measured on %s with %d rank%s busy (%s, %.10s), fit within %.0f %%\n",
        c->host, c->ranks, c->ranks == 1 ? "" : "s", c->cpu, c->date, 100.0 * c->error);
    if (c->remark.text) printf("              %s\n", c->remark.text);
  } else
    printf("  time        %s\n", c->remark.text);
}

static void print_row(const ip_plan *plan, size_t ranks, const ip_forecast *forecast)
{
  char wall[32];

  format_duration(forecast->wall, wall);
  printf("            %10zu", ranks);
  if (ranks_per_run(plan) > 1) printf(" %8zu", groups_of(plan, ranks));
  printf("  %12s        %3.0f %%%s\n", wall, 100.0 * forecast->efficiency,
         forecast->longest > 0.9 * forecast->wall && ranks > 1 ? "   as long as its longest run"
                                                               : "");
}

static PetscErrorCode print_times(const arguments *a, const input *in, const calibration *c)
{
  const ip_times_of of = forecast_all(in->plan, &c->rates);
  ip_forecast forecast[MOST_ROWS];
  size_t ranks[MOST_ROWS], n = 0, most = 0;

  if (a->option[OPTION_RANKS])
    PetscCall(read_ranks(a->option[OPTION_RANKS], &n, ranks));
  else
    n = usual_ranks(in->plan, ranks);
  PetscCall(forecast_launches(&of, n, ranks, forecast));
  print_source(c);
  for (size_t i = 0; i < n; i++)
    if (ranks[i] > most) most = ranks[i];
  print_groups(in->plan, most, "  groups      ");
  printf("                 ranks%s          wall   efficiency\n",
         ranks_per_run(in->plan) > 1 ? "   groups" : "");
  for (size_t i = 0; i < n; i++) print_row(in->plan, ranks[i], &forecast[i]);
  return PETSC_SUCCESS;
}

/* ---- front door ----------------------------------------------------------------------------------------- */

static PetscErrorCode print_plan(const arguments *a, const input *in, const char *path,
                                 const calibration *c)
{
  ip_text line = {0};
  PetscErrorCode code = describe_plan(in->plan, &line);

  if (!code) printf("%s: %s\n", in->name, line.text);
  ip_text_clear(&line);
  PetscCall(code);
  PetscCall(print_studies(in->plan));
  PetscCall(print_file(in->plan, path));
  print_room(in->plan, path);
  PetscCall(print_times(a, in, c));
  puts("Nothing was started.");
  return PETSC_SUCCESS;
}

/* Options that go together; before anything is read. */
static PetscErrorCode check_options(const arguments *a)
{
  const char *const *option = a->option;
  const bool job = option[OPTION_FOR];
  size_t n, ranks[MOST_ROWS];

  if (option[OPTION_RANKS]) PetscCall(read_ranks(option[OPTION_RANKS], &n, ranks));
  IP_CHECK(!job || strcmp(option[OPTION_FOR], "slurm") == 0, IP_ERR_USAGE,
           "--for: \"%s\" is not one of: slurm", option[OPTION_FOR]);
  for (size_t o = OPTION_NODES; o <= OPTION_TIME; o++)
    IP_CHECK(job || !option[o], IP_ERR_USAGE, "%s is part of --for slurm", option_of(o)->name);
  IP_CHECK(!job || (option[OPTION_NODES] && option[OPTION_TIME]), IP_ERR_USAGE,
           "--for slurm needs --nodes N and --time T");
  IP_CHECK(!job || !option[OPTION_RANKS], IP_ERR_USAGE,
           "--ranks and --for slurm are two questions: ask one");
  return PETSC_SUCCESS;
}

static PetscErrorCode plan_input(const arguments *a, input *in, char **path, calibration *c)
{
  PetscCall(check_options(a));
  PetscCall(input_read(a, in));
  PetscCall(input_plan(in));
  PetscCall(output_path(a, in->options, path));
  PetscCall(calibration_read(a->option[OPTION_RATES], c));
  return a->option[OPTION_FOR] ? print_slurm(a, in, *path, c) : print_plan(a, in, *path, c);
}

static int verb_calibrate(const arguments *a)
{
  const double started = seconds_now();
  launch l = {0};
  PetscErrorCode code = launch_begin(a, &l);

  if (!code) code = calibrate(a, &l, started);
  return launch_end(&l, a, code, 0);
}

int verb_plan(const arguments *a)
{
  input in = {0};
  calibration c = {0};
  char *path = NULL;
  int rank, size;

  if (a->option[OPTION_CALIBRATE]) return verb_calibrate(a);
  launcher_place(&rank, &size);
  if (rank != 0) return 0;

  const PetscErrorCode code = plan_input(a, &in, &path, &c);

  input_clear(&in);
  calibration_clear(&c);
  ip_release(&path);
  return code == PETSC_SUCCESS ? 0 : report_error(a, code);
}
