/* From digests to findings: the effect of every claim in every study, setting and column. */

#include "effects.h"
#include <math.h>
#include <string.h>

/* One claim on one subject, and where its findings go. */
typedef struct {
  const subject *x;
  const claim *c;
  size_t claim;
  findings *all;
} judging;

/* ---- a finding --------------------------------------------------------------------------- */

/* The next finding, of groups a and b (equal where one is enough); valid until the one
   after. */
static PetscErrorCode begin(const judging *j, size_t a, size_t b, finding **made)
{
  const sweep_group *g = &j->x->study->group[a], *h = &j->x->study->group[b];
  finding *f = NULL;

  PetscCall(claims_add(j->all, &f));
  f->claim = j->claim;
  f->study = j->x->study;
  f->a = a;
  f->b = b;
  f->column = j->x->column;
  f->diverged = g->diverged + (a != b ? h->diverged : 0);
  f->failed = g->failed + (a != b ? h->failed : 0);
  f->pending = g->pending + (a != b ? h->pending : 0);
  *made = f;
  return PETSC_SUCCESS;
}

static const char *column_name(const judging *j)
{
  return j->x->column == SWEEP_NONE ? "" : j->x->s->column[j->x->column];
}

/* Resamples of a finding are its own: keyed by all that tells it from others. */
static PetscErrorCode key_of(const judging *j, const finding *f, stats_key *key)
{
  ip_text text = {0};
  const PetscErrorCode code =
      ip_text_add(&text, "%s|%s|%s|%s|%s", j->c->id, j->x->study->name,
                  f->setting.text ? f->setting.text : "",
                  f->compared.text ? f->compared.text : "", column_name(j));

  if (!code) *key = stats_key_of(text.text);
  ip_text_clear(&text);
  return code;
}

/* Verdict of an effect that is known, out of n replicates. */
static PetscErrorCode judge(const judging *j, size_t n, finding *f)
{
  f->left_out += n - f->effect.n;
  f->verdict = claim_judge(j->c, &f->effect);
  if (f->verdict != NOT_TESTED) return PETSC_SUCCESS;
  return ip_text_add(&f->note, "%s%s", f->note.length > 0 ? "; " : "",
                     j->c->empty ? j->c->empty : "no replicate has a value");
}

/* The effect is the mean of these values. */
static PetscErrorCode judge_mean(const judging *j, size_t n, const double value[], finding *f)
{
  stats_key key = 0;

  PetscCall(key_of(j, f, &key));
  PetscCall(stats_mean(n, value, key, &f->effect));
  return judge(j, n, f);
}

/* ---- one group --------------------------------------------------------------------------- */

static PetscErrorCode values_of(const judging *j, run_number number, size_t group,
                                double **value)
{
  const size_t n = j->x->study->group[group].n;

  PetscCall(IP_ALLOCATE(n, value));
  for (size_t i = 0; i < n; i++) (*value)[i] = number(j->x, group, i);
  return PETSC_SUCCESS;
}

static PetscErrorCode judge_runs(const judging *j, size_t group)
{
  const size_t n = j->x->study->group[group].n;
  double *value = NULL;
  finding *f = NULL;

  PetscCall(begin(j, group, group, &f));
  PetscCall(ip_text_add(&f->setting, "%s", j->x->study->group[group].label));
  PetscErrorCode code = values_of(j, j->c->f, group, &value);

  if (!code) code = judge_mean(j, n, value, f);
  ip_release(&value);
  return code;
}

static PetscErrorCode judge_ranks(const judging *j, size_t group)
{
  const size_t n = j->x->study->group[group].n;
  double *a = NULL, *b = NULL;
  stats_key key = 0;
  finding *f = NULL;

  PetscCall(begin(j, group, group, &f));
  PetscCall(ip_text_add(&f->setting, "%s", j->x->study->group[group].label));
  PetscCall(key_of(j, f, &key));
  PetscErrorCode code = values_of(j, j->c->f, group, &a);

  if (!code) code = values_of(j, j->c->g, group, &b);
  if (!code) code = stats_rank_correlation(n, a, b, key, &f->effect);
  if (!code) code = judge(j, n, f);
  ip_release(&b);
  ip_release(&a);
  return code;
}

/* Pairs of networks, two replicates each. */
static PetscErrorCode judge_networks(const judging *j, size_t group)
{
  const sweep_group *g = &j->x->study->group[group];
  const size_t n = g->n / 2;
  double *value = NULL;
  finding *f = NULL;
  bool kept = false;

  PetscCall(weights_kept(j->x->s, g, &kept));
  if (!kept) return PETSC_SUCCESS;
  PetscCall(begin(j, group, group, &f));
  PetscCall(ip_text_add(&f->setting, "%s", g->label));
  PetscErrorCode code = IP_ALLOCATE(n, &value);

  if (!code) code = weights_excess(j->x->s, g, value);
  f->left_out = g->n % 2;
  if (!code) code = judge_mean(j, n, value, f);
  ip_release(&value);
  return code;
}

static bool is_full(const sweep_group *g)
{
  return g->batch == g->train_size;
}

static PetscErrorCode judge_group(const judging *j, size_t group)
{
  const sweep_group *g = &j->x->study->group[group];

  if (j->c->only == ONLY_FULL_BATCHES && !is_full(g)) return PETSC_SUCCESS;
  if (j->c->how == RANKS) return judge_ranks(j, group);
  return j->c->how == NETWORKS ? judge_networks(j, group) : judge_runs(j, group);
}

/* ---- two groups -------------------------------------------------------------------------- */

static double last_updates(const sweep_group *g)
{
  return g->updates[g->n_looks - 1];
}

/* Of updates to an event, NaN: not seen.  1: a comes sooner, -1: later, 0: at one look; NaN
   where that is not known: neither was seen.  Who was followed to the end of its run without
   the event has it later than that. */
static double sooner(const judging *j, const finding *f, double a, double b)
{
  const double end_a = last_updates(&j->x->study->group[f->a]);
  const double end_b = last_updates(&j->x->study->group[f->b]);

  if (isnan(a) && isnan(b)) return (double)NAN;
  if (isnan(b)) return a <= end_b ? 1.0 : (double)NAN;
  if (isnan(a)) return b <= end_a ? -1.0 : (double)NAN;
  return (double)((a < b) - (a > b));
}

static bool both_measured(const judging *j, const finding *f)
{
  return j->x->of[f->a].measured && j->x->of[f->b].measured;
}

/* Effects of n pairs of runs. */
static void compare_pairs(const judging *j, finding *f, size_t n, size_t *const run[2],
                          double value[])
{
  f->has_censored = j->c->how == SOONER;
  for (size_t i = 0; i < n; i++) {
    const double a = j->c->f(j->x, f->a, run[0][i]), b = j->c->f(j->x, f->b, run[1][i]);

    if (j->c->how == SOONER) {
      value[i] = sooner(j, f, a, b);
      f->censored += (size_t)isnan(a) + (size_t)isnan(b);
    } else {
      value[i] = a - b;
    }
  }
}

static PetscErrorCode judge_pairs(const judging *j, finding *f)
{
  const sweep_group *g = &j->x->study->group[f->a], *h = &j->x->study->group[f->b];
  const size_t room = g->n < h->n ? g->n : h->n;
  size_t *run[2] = {NULL, NULL};
  double *value = NULL;
  PetscErrorCode code = IP_ALLOCATE(room, &run[0]);

  if (!code) code = IP_ALLOCATE(room, &run[1]);
  if (!code) code = IP_ALLOCATE(room, &value);
  if (!code) {
    const size_t n = sweep_pairs(g, h, run[0], run[1]);

    f->left_out = (g->n - n) + (h->n - n);
    if (both_measured(j, f)) {
      compare_pairs(j, f, n, run, value);
      code = judge_mean(j, n, value, f);
    } else {
      f->left_out += n;
      code = ip_text_add(&f->note, "%smeasured in one of the two alone",
                         f->note.length > 0 ? "; " : "");
    }
  }
  ip_release(&value);
  ip_release(&run[1]);
  ip_release(&run[0]);
  return code;
}

/* At unequal clocks batches cannot be compared; elsewhere the reader is told. */
static PetscErrorCode judge_contrast(const judging *j, contrast *c)
{
  const sweep_group *g = &j->x->study->group[c->a], *h = &j->x->study->group[c->b];
  finding *f = NULL;

  if (!j->x->of[c->a].measured && !j->x->of[c->b].measured) return PETSC_SUCCESS;
  PetscCall(begin(j, c->a, c->b, &f));
  f->setting = c->setting;
  f->compared = c->compared;
  c->setting = c->compared = (ip_text){0}; /* they are the finding's now */
  if (!c->equal_clock)
    PetscCall(
        ip_text_add(&f->note, "%.0f against %.0f updates", last_updates(g), last_updates(h)));
  if (!c->equal_clock && j->c->by == BY_BATCH)
    return ip_text_add(&f->note, ": equal epochs are no equal training");
  return judge_pairs(j, f);
}

static PetscErrorCode judge_contrasts(const judging *j)
{
  contrast *pair = NULL;
  size_t n = 0;
  PetscErrorCode code = contrast_find(j->x->s, j->x->study, j->c->by, &n, &pair);

  for (size_t i = 0; !code && i < n; i++) code = judge_contrast(j, &pair[i]);
  contrast_clear(n, &pair);
  return code;
}

/* ---- two columns ------------------------------------------------------------------------- */

static PetscErrorCode judge_twin(const judging *j, size_t group, size_t other)
{
  const sweep_group *g = &j->x->study->group[group];
  digest *adaptive = NULL;
  double *value = NULL;
  finding *f = NULL;
  PetscErrorCode code = IP_ALLOCATE(j->x->study->n, &adaptive);
  const subject y = {.s = j->x->s, .study = j->x->study, .of = adaptive};

  if (!code) code = IP_ALLOCATE(g->n, &value);
  if (!code) code = digest_column(j->x->s, g, other, &adaptive[group]);
  if (!code && adaptive[group].measured) {
    for (size_t i = 0; i < g->n; i++)
      value[i] = j->c->f(j->x, group, i) - j->c->f(&y, group, i);
    code = begin(j, group, group, &f);
    if (!code) f->other = (int)other;
    if (!code) code = ip_text_add(&f->setting, "%s", g->label);
    if (!code) code = ip_text_add(&f->compared, "%s - %s", column_name(j), y.s->column[other]);
    if (!code) code = judge_mean(j, g->n, value, f);
  }
  if (adaptive) digest_clear(&adaptive[group]);
  ip_release(&value);
  ip_release(&adaptive);
  return code;
}

static PetscErrorCode judge_bins(const judging *j, size_t group)
{
  for (size_t other = 0; other < j->x->s->n_columns; other++) {
    bool twin;

    PetscCall(contrast_twin(j->x->s, (size_t)j->x->column, other, &twin));
    if (twin) PetscCall(judge_twin(j, group, other));
  }
  return PETSC_SUCCESS;
}

/* ---- all claims -------------------------------------------------------------------------- */

static bool concerns(const subject *x, const claim *c)
{
  if (c->how == SHOWN || c->no_column != (x->column == SWEEP_NONE)) return false;
  if (c->no_column) return true;
  if (strcmp(x->s->column_on[x->column], "full") != 0) return false;
  return !c->binned || strcmp(x->s->column_kind[x->column], "binning") == 0;
}

static PetscErrorCode judge_groups(const judging *j)
{
  for (size_t g = 0; g < j->x->study->n; g++) {
    if (!j->x->of[g].measured) continue;
    PetscCall(j->c->how == BINS ? judge_bins(j, g) : judge_group(j, g));
  }
  return PETSC_SUCCESS;
}

/* Groups that have no finished run: they are not tested, and said to be. */
static PetscErrorCode name_unfinished(const judging *j)
{
  for (size_t g = 0; g < j->x->study->n; g++) {
    finding *f = NULL;

    if (j->x->study->group[g].n > 0) continue;
    if (j->c->only == ONLY_FULL_BATCHES && !is_full(&j->x->study->group[g])) continue;
    PetscCall(begin(j, g, g, &f));
    PetscCall(ip_text_add(&f->setting, "%s", j->x->study->group[g].label));
    PetscCall(ip_text_add(&f->note, "no finished run: %zu diverged, %zu failed, %zu pending",
                          f->diverged, f->failed, f->pending));
  }
  return PETSC_SUCCESS;
}

PetscErrorCode claims_judge(const subject *x, findings *all)
{
  for (size_t i = 0; claim_row(i); i++) {
    const judging j = {.x = x, .c = claim_row(i), .claim = i, .all = all};
    const bool paired = j.c->how == PAIRED || j.c->how == SOONER;
    const bool of_groups = !paired && j.c->how != SHOWN;

    if (x->column == SWEEP_NONE && of_groups) PetscCall(name_unfinished(&j));
    if (!concerns(x, j.c)) continue;
    PetscCall(paired ? judge_contrasts(&j) : judge_groups(&j));
  }
  return PETSC_SUCCESS;
}
