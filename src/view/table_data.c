/* Too little data: what layers know of the label for each training size, and whether more data
   or a better network would help.

     training gap        I(X;Y) - I(T;Y) on the patterns that train   a better network closes it
     generalization gap  I(T;Y) on those - I(T;Y) on all              more data closes it

   at the end, T the output.  On few patterns I(T;Y) is biased upwards, to first order by what
   stands beside it. */

#include "tables.h"
#include <math.h>
#include <string.h>

/* ---- I(T;Y): peak, end and fall ---------------------------------------------------------- */

static double peak(const subject *x, size_t group, size_t run, size_t layer)
{
  return digest_at(&x->of[group], run, TY_MAX, layer);
}

static double end(const subject *x, size_t group, size_t run, size_t layer)
{
  return digest_at(&x->of[group], run, TY_END, layer);
}

static double lost(const subject *x, size_t group, size_t run, size_t layer)
{
  return peak(x, group, run, layer) - end(x, group, run, layer);
}

static PetscErrorCode put_layer(const subject *x, size_t group, size_t layer, csv *table)
{
  const sweep_group *g = &x->study->group[group];

  table_put_place(x, group, table);
  csv_text(table, table_word(x, group, "output"));
  csv_number(table, table_option(x, group, "train_fraction"));
  csv_count(table, g->train_size);
  csv_count(table, g->batch);
  csv_number(table, g->updates[g->n_looks - 1]);
  csv_count(table, layer + 1);
  csv_count(table, (size_t)g->width[layer]);
  csv_text(table, table_column(x));
  csv_count(table, g->n);
  PetscCall(table_put_mean(x, group, layer, peak, table));
  PetscCall(table_put_mean(x, group, layer, end, table));
  PetscCall(table_put_mean(x, group, layer, lost, table));
  return csv_end(table);
}

static PetscErrorCode brief_output(const subject *x, size_t group, ip_text *brief)
{
  const sweep_group *g = &x->study->group[group];
  interval at_peak, at_end;
  char of_peak[40], of_end[40];

  PetscCall(table_mean(x, group, g->layers - 1, peak, "table", &at_peak));
  PetscCall(table_mean(x, group, g->layers - 1, end, "table", &at_end));
  table_format(at_peak.value, at_peak.low, at_peak.high, of_peak);
  table_format(at_end.value, at_end.low, at_end.high, of_end);
  return table_brief(x, group, brief, "I(T;Y) of the output: peak     end", "%-30s %s", of_peak,
                     of_end);
}

PetscErrorCode table_fill_too_little_data(const subject *x, csv *table, ip_text *brief)
{
  if (!table_varies(x, "train_fraction")) return PETSC_SUCCESS;
  for (size_t g = 0; g < x->study->n; g++) {
    if (!x->of[g].measured) continue;
    for (size_t l = 0; l < x->study->group[g].layers; l++) PetscCall(put_layer(x, g, l, table));
    if (table_is_main(x)) PetscCall(brief_output(x, g, brief));
  }
  return PETSC_SUCCESS;
}

/* ---- advice ------------------------------------------------------------------------------ */

/* A column on all patterns beside the same one on those that train. */
typedef struct {
  interval training, generalization, bias;
  const char *advice;
} gaps;

static double training_gap(const subject *train, size_t group, size_t run, size_t layer)
{
  /* I(X;Y) of the task, which is that on all patterns: it travels in common */
  return digest_at(&train->common[group], run, I_XY, 0) - end(train, group, run, layer);
}

static double generalization_gap(const subject *train, size_t group, size_t run, size_t layer)
{
  return end(train, group, run, layer) - digest_at(&train->common[group], run, TY_END, layer);
}

static double bias(const subject *train, size_t group, size_t run, size_t layer)
{
  return digest_at(&train->of[group], run, BIAS, layer);
}

static const char *advise(const gaps *g)
{
  if (g->training.n < STATS_LEAST) return "undecided";
  if (g->generalization.low > g->training.high) return "more data";
  return g->training.low > g->generalization.high ? "a better network" : "undecided";
}

/* pair: of = the column on training patterns, common = the one on all. */
static PetscErrorCode find_gaps(const subject *pair, size_t group, gaps *g)
{
  const size_t output = pair->study->group[group].layers - 1;

  PetscCall(table_mean(pair, group, output, training_gap, "table", &g->training));
  PetscCall(table_mean(pair, group, output, generalization_gap, "table", &g->generalization));
  PetscCall(table_mean(pair, group, output, bias, "table", &g->bias));
  g->advice = advise(g);
  return PETSC_SUCCESS;
}

static PetscErrorCode put_gaps(const subject *x, size_t group, const gaps *g, csv *table)
{
  const sweep_group *runs = &x->study->group[group];

  table_put_place(x, group, table);
  csv_text(table, table_word(x, group, "output"));
  csv_text(table, x->s->architecture[runs->architecture]);
  csv_number(table, table_option(x, group, "train_fraction"));
  csv_count(table, runs->train_size);
  csv_text(table, table_column(x));
  csv_count(table, g->training.n);
  csv_interval(table, &g->training);
  csv_interval(table, &g->generalization);
  csv_number(table, g->bias.value);
  csv_text(table, g->advice);
  return csv_end(table);
}

static PetscErrorCode advise_group(const subject *x, size_t group, int on_train, csv *table,
                                   ip_text *brief)
{
  digest *of = NULL;
  gaps g;
  PetscErrorCode code = IP_ALLOCATE(x->study->n, &of);
  const subject pair = {
      .s = x->s, .study = x->study, .column = on_train, .of = of, .common = x->of};

  if (!code) code = digest_column(x->s, &x->study->group[group], (size_t)on_train, &of[group]);
  if (!code && of[group].measured) {
    code = find_gaps(&pair, group, &g);
    if (!code) code = put_gaps(x, group, &g, table);
    if (!code && table_is_main(x))
      code = table_brief(x, group, brief, "training gap  generalization gap  (bit)  advice",
                         "%12.3f  %18.3f         %s", g.training.value, g.generalization.value,
                         g.advice);
  }
  if (of) digest_clear(&of[group]);
  ip_release(&of);
  return code;
}

/* The same estimator on the patterns that train: its column has "_train" behind its name. */
static PetscErrorCode find_on_train(const subject *x, int *column)
{
  ip_text name = {0};
  const PetscErrorCode code = ip_text_add(&name, "%s_train", table_column(x));

  if (!code) *column = sweep_column(x->s, name.text);
  ip_text_clear(&name);
  return code;
}

PetscErrorCode table_fill_advice(const subject *x, csv *table, ip_text *brief)
{
  int on_train = SWEEP_NONE;

  if (strcmp(x->s->column_on[x->column], "full") != 0) return PETSC_SUCCESS;
  PetscCall(find_on_train(x, &on_train));
  for (size_t g = 0; on_train != SWEEP_NONE && g < x->study->n; g++)
    if (x->of[g].measured) PetscCall(advise_group(x, g, on_train, table, brief));
  return PETSC_SUCCESS;
}
