/* What a sweep says before its first run and after its last. */

#include "cli.h"

enum { MOST_LISTED = 20 };

static const char *plural(size_t n)
{
  return n == 1 ? "" : "s";
}

const char *row_noun(const ip_plan *plan)
{
  return ip_plan_is_given(plan) ? "part" : "run";
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

  if (ip_plan_is_given(plan))
    return ip_text_add(text, "layers %s, %zu samples, %zu epoch%s", plan->architecture[0].label,
                       plan->data->set[run->data]->n, plan->n_epochs, plural(plan->n_epochs));

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
  if (plan->shares > 1)
    PetscCall(ip_text_add(text, ", share %zu/%zu of %zu runs", plan->share, plan->shares,
                          plan->n_complete));
  return PETSC_SUCCESS;
}

/* Ranks that work on one run together, or could. */
static void say_groups(const standing *s)
{
  const size_t ranks = (size_t)s->ranks,
               leaders = (size_t)ip_study_leaders(s->ranks, s->ranks_per_run);

  if (s->ranks_per_run > ranks)
    printf("ranks_per_run is %zu, and %s\n", s->ranks_per_run,
           ranks == 1 ? "there is one rank: it works alone" : "all ranks work on one run");
  if (s->ranks_per_run > 1 && leaders > IP_RANK_0_TRAINS) print_idle(s->ranks_per_run);
  if (s->n_todo > 0 && s->n_todo < leaders)
    printf("%zu of %zu ranks have nothing to do; with ranks_per_run=%zu they assist in "
           "measuring\n",
           ranks - ranks * s->n_todo / leaders, ranks, ranks / s->n_todo);
}

PetscErrorCode say_beginning(const standing *s)
{
  const size_t runs = s->in->plan->n_runs;
  const char *noun = row_noun(s->in->plan);
  ip_text line = {0};

  PetscCall(versions_line(&line));
  puts(line.text);
  ip_text_clear(&line);
  const PetscErrorCode code = describe_plan(s->in->plan, &line);

  if (!code) printf("%s: %s -> %s\n", s->in->name, line.text, s->path);
  ip_text_clear(&line);
  PetscCall(code);
  if (s->damaged > 0)
    printf("%zu %s%s did not fit the checksum and will be computed again.\n", s->damaged, noun,
           plural(s->damaged));
  if (!s->created) {
    printf("continuing: %zu of %zu %ss are done", runs - count_status(s, IP_STATUS_PENDING),
           runs, noun);
    if (s->begun > 0)
      printf(", %zu %s up from %s.ckpt", s->begun, s->begun == 1 ? "is taken" : "are taken",
             s->path);
    puts("");
  }
  if (s->named_and_done > 0)
    printf("only: %zu of the %ss named %s done and stay%s as %s\n", s->named_and_done, noun,
           s->named_and_done == 1 ? "is" : "are", s->named_and_done == 1 ? "s" : "",
           s->named_and_done == 1 ? "it is" : "they are");
  say_groups(s);
  fflush(stdout);
  return PETSC_SUCCESS;
}

/* ---- after ----------------------------------------------------------------------------------------- */

void say_stopped(const standing *s, size_t given_up)
{
  const size_t runs = s->in->plan->n_runs;
  const char *noun = row_noun(s->in->plan);

  if (given_up > 0 && s->keeps)
    printf("%zu run%s in progress %s kept in %s.ckpt.\n", given_up, plural(given_up),
           given_up == 1 ? "is" : "are", s->path);
  else if (given_up > 0)
    printf("%zu %s%s in progress %s given up and will begin anew.\n", given_up, noun,
           plural(given_up), given_up == 1 ? "was" : "were");
  printf("stopped: %zu of %zu %ss are done and safe in %s. The same command continues.\n",
         runs - count_status(s, IP_STATUS_PENDING), runs, noun, s->path);
}

void list_runs(FILE *to, const ip_findings *found, int8_t which)
{
  size_t n = 0;

  for (size_t r = 0; r < found->n_runs; r++)
    if (found->status[r] == which && n++ < MOST_LISTED) {
      if (found->number[r] >= 0)
        fprintf(to, " %d", (int)found->number[r]);
      else
        fputs(" end", to); /* of infoplane estimate: what follows from all epochs */
    }
  if (n > MOST_LISTED) fprintf(to, " and %zu more", n - MOST_LISTED);
}

/* The runs of a sweep by their status. */
static PetscErrorCode list_bad(FILE *to, const standing *s, ip_status which)
{
  const ip_plan *plan = s->in->plan;
  ip_findings found = {.n_runs = plan->n_runs, .status = (int8_t *)s->status};

  PetscCall(IP_ALLOCATE(plan->n_runs, &found.number));
  for (size_t r = 0; r < plan->n_runs; r++) found.number[r] = plan->run[r].number;
  list_runs(to, &found, (int8_t)which);
  ip_release(&found.number);
  return PETSC_SUCCESS;
}

static PetscErrorCode say_bad_runs(FILE *to, const standing *s)
{
  const size_t diverged = count_status(s, IP_STATUS_DIVERGED),
               failed = count_status(s, IP_STATUS_FAILED);

  if (diverged > 0) {
    fprintf(to, " %zu %s%s diverged:", diverged, row_noun(s->in->plan), plural(diverged));
    PetscCall(list_bad(to, s, IP_STATUS_DIVERGED));
    fputs(ip_plan_is_given(s->in->plan) ? "   (not all is finite there)\n"
                                        : "   (again: only=[...])\n",
          to);
  }
  if (failed > 0) {
    fprintf(to, " %zu %s%s failed:", failed, row_noun(s->in->plan), plural(failed));
    PetscCall(list_bad(to, s, IP_STATUS_FAILED));
    fputs("   (the same command tries again)\n", to);
  }
  return PETSC_SUCCESS;
}

/* ---- how busy ranks were ------------------------------------------------------------------------ */

PetscErrorCode busy_json(const ip_busy busy[2], ip_text *text)
{
  static const char *const name[2] = {"busy", "assistants_busy"};

  for (int i = 0; i < 2; i++)
    if (busy[i].ranks > 0)
      PetscCall(ip_text_add(text, ", \"%s\": [%.3f, %.3f, %.3f]", name[i], busy[i].least,
                            busy[i].mean, busy[i].most));
  return PETSC_SUCCESS;
}

/* ", 4 ranks busy 97-100 %, mean 98 %": shares of the time in which they trained, measured and
   stored. */
static void say_busy(const ip_busy *busy, const char *who)
{
  const double least = 100.0 * busy->least, mean = 100.0 * busy->mean,
               most = 100.0 * busy->most;

  if (busy->ranks == 0) return;
  printf(", %zu %s%s busy ", busy->ranks, who, plural(busy->ranks));
  if (busy->ranks == 1)
    printf("%.0f %%", mean);
  else
    printf("%.0f-%.0f %%, mean %.0f %%", least, most, mean);
}

static void say_done(const standing *s, const char *spent)
{
  printf(" done in %s", spent);
  say_busy(&s->busy[0], "rank");
  say_busy(&s->busy[1], "assistant");
  puts(".");
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
  const char *noun = row_noun(s->in->plan);
  char spent[32];

  if (!quiet) PetscCall(summary_print(stdout, s->in->plan, s->path));
  PetscCall(say_bad_runs(quiet ? stderr : stdout, s));
  if (quiet) return PETSC_SUCCESS;
  ip_seconds_format(seconds, spent);
  if (pending > s->missing)
    printf(" %zu of %zu %ss are left, which only= does not name.\n", pending - s->missing, runs,
           noun);
  if (s->missing > 0)
    printf(" %zu run%s cannot be measured again: the same command takes %s up once %s done "
           "there.\n",
           s->missing, plural(s->missing), s->missing == 1 ? "it" : "them",
           s->missing == 1 ? "it is" : "they are");
  if (s->n_todo > 0)
    say_done(s, spent);
  else if (pending == 0)
    printf(" all %zu %ss were done before; nothing was left to do.\n", runs, noun);
  else
    puts(" nothing was left to do.");
  say_prediction(s, seconds);
  if (pending == 0) printf(" Next:  infoplane figures %s\n", s->path);
  return PETSC_SUCCESS;
}
