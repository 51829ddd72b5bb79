/* When things happen: updates per depth, and transition epochs. */

#include "effects.h"
#include "tables.h"
#include <math.h>
#include <stdlib.h>

/* ---- depth ------------------------------------------------------------------------------- */

static void shift_back(survival *t)
{
  t->median -= 1.0;
  t->low -= 1.0;
  t->high -= 1.0;
}

/* Median updates until an event, over the runs of a group; who has not had it is censored at
   the end of its run.  Times are shifted by one update: an event at the first look is at 0. */
static PetscErrorCode median_of(const subject *x, size_t group, run_number updates,
                                survival *out)
{
  const sweep_group *g = &x->study->group[group];
  const double end = g->updates[g->n_looks - 1];
  double *time = NULL;
  bool *seen = NULL;
  PetscErrorCode code = IP_ALLOCATE(g->n, &time);

  if (!code) code = IP_ALLOCATE(g->n, &seen);
  for (size_t i = 0; !code && i < g->n; i++) {
    const double at = updates(x, group, i);

    seen[i] = !isnan(at);
    time[i] = (seen[i] ? at : end) + 1.0;
  }
  if (!code) code = stats_kaplan_meier(g->n, time, seen, out);
  if (!code) shift_back(out);
  ip_release(&seen);
  ip_release(&time);
  return code;
}

static size_t parameters(const sweep_group *g)
{
  size_t n = 0;

  for (size_t l = 0; l < g->layers; l++)
    n += (size_t)g->width[l] * ((l > 0 ? (size_t)g->width[l - 1] : g->features) + 1);
  return n;
}

static void put_survival(const survival *t, csv *table)
{
  csv_number(table, t->median);
  csv_number(table, t->low);
  csv_number(table, t->high);
  csv_count(table, t->censored);
}

static double accuracy_at_end(const subject *x, size_t group, size_t run, size_t layer)
{
  (void)layer;
  return accuracy(x, group, run);
}

static double i_ty_at_end(const subject *x, size_t group, size_t run, size_t layer)
{
  return digest_at(&x->of[group], run, TY_END, layer);
}

static double seconds(const subject *x, size_t group, size_t run, size_t layer)
{
  return digest_at(&x->common[group], run, SECONDS, layer);
}

static PetscErrorCode brief_depth(const subject *x, size_t group, const survival *learned,
                                  const survival *fallen, ip_text *brief)
{
  const sweep_group *g = &x->study->group[group];
  char of_learned[40], of_fallen[40];

  table_format(learned->median, learned->low, learned->high, of_learned);
  table_format(fallen->median, fallen->low, fallen->high, of_fallen);
  return table_brief(x, group, brief,
                     "hidden  learned (updates)        not  fallen (updates)         not",
                     "%6zu  %-24s %3zu  %-24s %3zu", g->layers - 1, of_learned,
                     learned->censored, of_fallen, fallen->censored);
}

static PetscErrorCode put_depth(const subject *x, size_t group, csv *table, ip_text *brief)
{
  const sweep_group *g = &x->study->group[group];
  survival learned, fallen;

  PetscCall(median_of(x, group, updates_to_learned, &learned));
  PetscCall(median_of(x, group, updates_to_fallen, &fallen));
  table_put_place(x, group, table);
  csv_text(table, table_word(x, group, "output"));
  csv_count(table, g->layers - 1);
  csv_text(table, x->s->architecture[g->architecture]);
  csv_count(table, parameters(g));
  csv_text(table, table_column(x));
  csv_count(table, g->n);
  put_survival(&learned, table);
  put_survival(&fallen, table);
  PetscCall(table_put_mean(x, group, 0, accuracy_at_end, table));
  PetscCall(table_put_mean(x, group, g->layers - 1, i_ty_at_end, table));
  PetscCall(table_put_mean(x, group, 0, seconds, table));
  csv_count(table, g->diverged);
  csv_count(table, g->failed);
  csv_count(table, g->pending);
  PetscCall(csv_end(table));
  return table_is_main(x) ? brief_depth(x, group, &learned, &fallen, brief) : PETSC_SUCCESS;
}

PetscErrorCode table_fill_depth(const subject *x, csv *table, ip_text *brief)
{
  bool differ = false;

  for (size_t g = 1; g < x->study->n; g++)
    differ = differ || x->study->group[g].layers != x->study->group[0].layers;
  for (size_t g = 0; differ && g < x->study->n; g++)
    if (x->of[g].measured) PetscCall(put_depth(x, g, table, brief));
  return PETSC_SUCCESS;
}

/* ---- transition epochs ------------------------------------------------------------------- */

typedef struct {
  const char *name;
  quantity before, after;
  bool of_column, of_layer;
} event;

static const event happening[] = {
    {"peak",    PEAK_BEFORE,    PEAK_AFTER,    true,  true },
    {"fallen",  FALLEN_BEFORE,  FALLEN_AFTER,  true,  true },
    {"learned", LEARNED_BEFORE, LEARNED_AFTER, true,  true },
    {"onset",   ONSET_BEFORE,   ONSET_AFTER,   false, true },
    {"error",   ERROR_BEFORE,   ERROR_AFTER,   false, false},
};
enum { EVENTS = sizeof happening / sizeof happening[0], PEAK = 0, ONSET = 3, ERROR = 4 };

/* Epoch of an event of a run; NaN: none. */
static double epoch_of(const subject *x, size_t group, const event *e, bool after, size_t run,
                       size_t layer)
{
  const digest *d = e->of_column ? &x->of[group] : &x->common[group];

  return digest_at(d, run, after ? e->after : e->before, e->of_layer ? layer : 0);
}

/* The replicates of a group that have an event, in order of its epoch. */
typedef struct {
  size_t n;
  struct occurrence {
    double before, after;
  } * at;
} occurrences;

static int by_after(const void *a, const void *b)
{
  const struct occurrence *x = a, *y = b;

  if (x->after != y->after) return x->after < y->after ? -1 : 1;
  return (x->before > y->before) - (x->before < y->before);
}

static PetscErrorCode collect(const subject *x, size_t group, size_t layer, const event *e,
                              occurrences *all)
{
  const size_t n = x->study->group[group].n;

  *all = (occurrences){0};
  PetscCall(IP_ALLOCATE(n, &all->at));
  for (size_t i = 0; i < n; i++) {
    const double after = epoch_of(x, group, e, true, i, layer);

    if (isnan(after)) continue;
    all->at[all->n].before = epoch_of(x, group, e, false, i, layer);
    all->at[all->n++].after = after;
  }
  if (all->n > 0) qsort(all->at, all->n, sizeof *all->at, by_after);
  return PETSC_SUCCESS;
}

/* Median updates to the event and its interval, over those that have it: who has none is
   counted beside, not censored. */
static PetscErrorCode find_median(const subject *x, size_t group, const occurrences *all,
                                  survival *t)
{
  double *time = NULL;
  bool *seen = NULL;
  PetscErrorCode code = IP_ALLOCATE(all->n, &time);

  if (!code) code = IP_ALLOCATE(all->n, &seen);
  for (size_t i = 0; !code && i < all->n; i++) {
    time[i] = sweep_updates_at(x->s, &x->study->group[group], all->at[i].after) + 1.0;
    seen[i] = true;
  }
  if (!code) code = stats_kaplan_meier(all->n, time, seen, t);
  if (!code) shift_back(t);
  ip_release(&seen);
  ip_release(&time);
  return code;
}

/* The looks around the event of the median replicate, the lower one of two. */
static PetscErrorCode put_median(const subject *x, size_t group, const occurrences *all,
                                 csv *table)
{
  const sweep_group *g = &x->study->group[group];
  const struct occurrence none = {(double)NAN, (double)NAN},
                          median = all->n > 0 ? all->at[(all->n - 1) / 2] : none;
  survival t;

  PetscCall(find_median(x, group, all, &t));
  csv_number(table, median.before);
  csv_number(table, median.after);
  csv_number(table, sweep_updates_at(x->s, g, median.before));
  csv_number(table, sweep_updates_at(x->s, g, median.after));
  csv_number(table, t.low);
  csv_number(table, t.high);
  return PETSC_SUCCESS;
}

/* Rank correlation over replicates of two events of a layer. */
static PetscErrorCode put_correlation(const subject *x, size_t group, size_t layer,
                                      const event *e, const event *other, csv *table)
{
  const size_t n = x->study->group[group].n;
  double *a = NULL, *b = NULL;
  interval rho;
  PetscErrorCode code = IP_ALLOCATE(n, &a);

  if (!code) code = IP_ALLOCATE(n, &b);
  for (size_t i = 0; !code && i < n; i++) {
    a[i] = epoch_of(x, group, e, true, i, layer);
    b[i] = epoch_of(x, group, other, true, i, layer);
  }
  if (!code) code = stats_rank_correlation(n, a, b, stats_key_of(e->name), &rho);
  if (!code) {
    csv_count(table, rho.n);
    csv_interval(table, &rho);
  }
  ip_release(&b);
  ip_release(&a);
  return code;
}

static PetscErrorCode put_event(const subject *x, size_t group, size_t layer, const event *e,
                                csv *table)
{
  const sweep_group *g = &x->study->group[group];
  occurrences all;
  PetscErrorCode code = collect(x, group, layer, e, &all);

  if (!code) {
    table_put_place(x, group, table);
    csv_number(table, e->of_layer ? (double)layer + 1.0 : (double)NAN);
    csv_number(table, e->of_layer ? (double)g->width[layer] : (double)NAN);
    csv_text(table, e->of_column ? table_column(x) : "");
    csv_text(table, e->name);
    csv_count(table, all.n);
    csv_count(table, g->n - all.n);
    code = put_median(x, group, &all, table);
  }
  ip_release(&all.at);
  if (!code) code = put_correlation(x, group, layer, e, &happening[ONSET], table);
  if (!code) code = put_correlation(x, group, layer, e, &happening[ERROR], table);
  return code ? code : csv_end(table);
}

/* An event of the last hidden layer in words: its median, and how many have none. */
static PetscErrorCode word_event(const subject *x, size_t group, const event *e, char text[40],
                                 size_t *without)
{
  const digest *d = &x->of[group];
  occurrences all;
  survival t;
  PetscErrorCode code = collect(x, group, digest_last_hidden(d), e, &all);

  if (!code) code = find_median(x, group, &all, &t);
  if (!code) {
    table_format(t.median, t.low, t.high, text);
    *without = x->study->group[group].n - all.n;
  }
  ip_release(&all.at);
  return code;
}

static PetscErrorCode brief_events(const subject *x, size_t group, ip_text *brief)
{
  char peak[40], onset[40];
  size_t no_peak, no_onset;

  PetscCall(word_event(x, group, &happening[PEAK], peak, &no_peak));
  PetscCall(word_event(x, group, &happening[ONSET], onset, &no_onset));
  return table_brief(x, group, brief,
                     "peak (updates)           none  onset (updates)          none",
                     "%-24s %4zu  %-24s %4zu", peak, no_peak, onset, no_onset);
}

PetscErrorCode table_fill_transitions(const subject *x, csv *table, ip_text *brief)
{
  for (size_t g = 0; g < x->study->n; g++) {
    const sweep_group *group = &x->study->group[g];

    if (!x->of[g].measured) continue;
    for (size_t i = 0; i < EVENTS; i++) {
      const event *e = &happening[i];

      if (e->of_column != (x->column != SWEEP_NONE)) continue;
      for (size_t l = 0; l < (e->of_layer ? group->layers : 1); l++)
        PetscCall(put_event(x, g, l, e, table));
    }
    if (x->column != SWEEP_NONE && table_is_main(x)) PetscCall(brief_events(x, g, brief));
  }
  return PETSC_SUCCESS;
}
