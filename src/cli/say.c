/* What a sweep says before its first run and after its last. */

#include "cli.h"

enum { MOST_LISTED = 20 };

static const char *plural(size_t n)
{
  return n == 1 ? "" : "s";
}

size_t count_status(const standing *s, ip_status status)
{
  size_t n = 0;

  for (size_t r = 0; r < s->in->plan->n_runs; r++)
    n += (size_t)(s->status[r] == (int8_t)status);
  return n;
}

/* ---- before ---------------------------------------------------------------------------------------- */

/* Whether all runs have this in common with the first. */
typedef struct {
  bool size, activation, end;
} common;

static common find_common(const ip_plan *plan)
{
  const ip_run *first = &plan->run[0];
  common same = {true, true, true};

  for (size_t r = 1; r < plan->n_runs; r++) {
    const ip_run *run = &plan->run[r];

    same.size = same.size && run->train_size == first->train_size;
    same.end = same.end && run->epochs == first->epochs;
    same.activation = same.activation && run->value[IP_KEY_NETWORK_ACTIVATION]->word ==
                                             first->value[IP_KEY_NETWORK_ACTIVATION]->word;
  }
  same.size = same.size && plan->data->n == 1;
  return same;
}

PetscErrorCode describe_plan(const ip_plan *plan, ip_text *text)
{
  const ip_run *run = &plan->run[0];
  const common same = find_common(plan);

  PetscCall(ip_text_add(text, "%zu network%s", plan->n_runs, plural(plan->n_runs)));
  if (plan->n_architectures == 1)
    PetscCall(ip_text_add(text, " %s", plan->architecture[0].label));
  else
    PetscCall(ip_text_add(text, " of %zu shapes", plan->n_architectures));
  if (same.activation)
    PetscCall(ip_text_add(
        text, ", %s", ip_activation_name((size_t)run->value[IP_KEY_NETWORK_ACTIVATION]->word)));
  if (same.size)
    PetscCall(ip_text_add(text, ", %.4g %% of %zu patterns",
                          100.0 * run->value[IP_KEY_TRAIN_FRACTION]->real,
                          plan->data->set[run->data]->n));
  if (same.end) PetscCall(ip_text_add(text, ", %d epochs", (int)run->epochs));
  return PETSC_SUCCESS;
}

PetscErrorCode say_beginning(const standing *s)
{
  const size_t runs = s->in->plan->n_runs;
  ip_text line = {0};

  PetscCall(versions_line(&line));
  puts(line.text);
  ip_text_clear(&line);
  const PetscErrorCode code = describe_plan(s->in->plan, &line);

  if (!code) printf("%s: %s -> %s\n", s->in->name, line.text, s->path);
  ip_text_clear(&line);
  PetscCall(code);
  if (s->damaged > 0)
    printf("%zu run%s did not fit the checksum and will be computed again.\n", s->damaged,
           plural(s->damaged));
  if (!s->created) {
    printf("continuing: %zu of %zu runs are done", runs - count_status(s, IP_STATUS_PENDING),
           runs);
    if (s->begun > 0)
      printf(", %zu %s up from %s.ckpt", s->begun, s->begun == 1 ? "is taken" : "are taken",
             s->path);
    puts("");
  }
  if (s->named_and_done > 0)
    printf("only: %zu of the runs named %s done and stay%s as %s\n", s->named_and_done,
           s->named_and_done == 1 ? "is" : "are", s->named_and_done == 1 ? "s" : "",
           s->named_and_done == 1 ? "it is" : "they are");
  fflush(stdout);
  return PETSC_SUCCESS;
}

/* ---- after ----------------------------------------------------------------------------------------- */

void say_stopped(const standing *s, size_t given_up)
{
  const size_t runs = s->in->plan->n_runs;

  if (given_up > 0 && s->keeps)
    printf("%zu run%s in progress %s kept in %s.ckpt.\n", given_up, plural(given_up),
           given_up == 1 ? "is" : "are", s->path);
  else if (given_up > 0)
    printf("%zu run%s in progress %s given up and will begin anew.\n", given_up,
           plural(given_up), given_up == 1 ? "was" : "were");
  printf("stopped: %zu of %zu runs are done and safe in %s. The same command continues.\n",
         runs - count_status(s, IP_STATUS_PENDING), runs, s->path);
}

void list_runs(FILE *to, size_t n, const int8_t status[], int8_t which)
{
  size_t found = 0;

  for (size_t r = 0; r < n; r++)
    if (status[r] == which && found++ < MOST_LISTED) fprintf(to, " %zu", r);
  if (found > MOST_LISTED) fprintf(to, " and %zu more", found - MOST_LISTED);
}

static void say_bad_runs(FILE *to, const standing *s)
{
  const size_t runs = s->in->plan->n_runs, diverged = count_status(s, IP_STATUS_DIVERGED),
               failed = count_status(s, IP_STATUS_FAILED);

  if (diverged > 0) {
    fprintf(to, " %zu run%s diverged:", diverged, plural(diverged));
    list_runs(to, runs, s->status, IP_STATUS_DIVERGED);
    fputs("   (again: only=[...])\n", to);
  }
  if (failed > 0) {
    fprintf(to, " %zu run%s failed:", failed, plural(failed));
    list_runs(to, runs, s->status, IP_STATUS_FAILED);
    fputs("   (the same command tries again)\n", to);
  }
}

/* Where this machine is calibrated. */
static void say_prediction(const standing *s, double seconds)
{
  char predicted[32], took[32];

  if (!(s->predicted > 0.0)) return;
  format_duration(s->predicted, predicted);
  format_duration(seconds, took);
  printf(" predicted %s, took %s.\n", predicted, took);
}

PetscErrorCode say_end(const standing *s, bool quiet, double seconds)
{
  const size_t runs = s->in->plan->n_runs, pending = count_status(s, IP_STATUS_PENDING);
  char spent[32];

  if (!quiet) PetscCall(summary_print(stdout, s->in->plan, s->path));
  say_bad_runs(quiet ? stderr : stdout, s);
  if (quiet) return PETSC_SUCCESS;
  ip_seconds_format(seconds, spent);
  if (pending > 0)
    printf(" %zu of %zu runs are left, which only= does not name.\n", pending, runs);
  if (s->n_todo > 0)
    printf(" done in %s.\n", spent);
  else if (pending == 0)
    printf(" all %zu runs were done before; nothing was left to do.\n", runs);
  else
    puts(" nothing was left to do.");
  say_prediction(s, seconds);
  if (pending == 0) printf(" Next:  infoplane figures %s\n", s->path);
  return PETSC_SUCCESS;
}
