/* Layers: their weights, the data processing inequality, the information-bottleneck curve. */

#include "effects.h"
#include "tables.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- weights ----------------------------------------------------------------------------- */

static size_t inputs_of(const subject *x, size_t group, size_t layer)
{
  const sweep_group *g = &x->study->group[group];

  return layer > 0 ? (size_t)g->width[layer - 1] : g->features;
}

static double norm_start(const subject *x, size_t group, size_t run, size_t layer)
{
  return digest_at(&x->common[group], run, NORM_START, layer);
}

static double norm_end(const subject *x, size_t group, size_t run, size_t layer)
{
  return digest_at(&x->common[group], run, NORM_END, layer);
}

static double neurons_start(const subject *x, size_t group, size_t run, size_t layer)
{
  return digest_at(&x->common[group], run, CORRELATION_START, layer) *
         sqrt((double)inputs_of(x, group, layer));
}

static double neurons_end(const subject *x, size_t group, size_t run, size_t layer)
{
  return digest_at(&x->common[group], run, CORRELATION_END, layer) *
         sqrt((double)inputs_of(x, group, layer));
}

/* Cells of a layer's pairs of networks; r: shape (n_pairs, layers), or NULL. */
static PetscErrorCode put_networks(const subject *x, size_t group, size_t layer,
                                   const double r[], csv *table)
{
  const sweep_group *g = &x->study->group[group];
  interval mean = {.value = NAN, .low = NAN, .high = NAN};
  const size_t n = r ? g->n / 2 : 0;
  double *value = NULL;
  PetscErrorCode code = IP_ALLOCATE(n, &value);

  for (size_t i = 0; !code && i < n; i++)
    value[i] = r[i * g->layers + layer] * sqrt((double)inputs_of(x, group, layer));
  if (!code) code = stats_mean(n, value, stats_key_of("networks"), &mean);
  if (!code) {
    csv_count(table, mean.n);
    csv_interval(table, &mean);
  }
  ip_release(&value);
  return code;
}

static PetscErrorCode put_weights(const subject *x, size_t group, size_t layer,
                                  const double r[], csv *table)
{
  const sweep_group *g = &x->study->group[group];
  const size_t inputs = inputs_of(x, group, layer);

  table_put_place(x, group, table);
  csv_count(table, layer + 1);
  csv_count(table, (size_t)g->width[layer]);
  csv_count(table, inputs);
  csv_count(table, g->n);
  PetscCall(table_put_mean(x, group, layer, norm_start, table));
  PetscCall(table_put_mean(x, group, layer, norm_end, table));
  csv_number(table, weights_expected(inputs) * sqrt((double)inputs));
  PetscCall(table_put_mean(x, group, layer, neurons_start, table));
  PetscCall(table_put_mean(x, group, layer, neurons_end, table));
  csv_text(table, g->width[layer] > 1 && !neurons_compare(x, group, layer) ? "yes" : "no");
  PetscCall(put_networks(x, group, layer, r, table));
  return csv_end(table);
}

static PetscErrorCode brief_weights(const subject *x, size_t group, ip_text *brief)
{
  const sweep_group *g = &x->study->group[group];
  ip_text cells = {0};
  PetscErrorCode code = ip_text_add(&cells, "%s", "");

  for (size_t l = 0; !code && l < g->layers && l < 5; l++) {
    const size_t inputs = inputs_of(x, group, l);
    interval mean;

    if (!neurons_compare(x, group, l)) continue;
    code = table_mean(x, group, l, neurons_end, "table", &mean);
    if (!code)
      code = ip_text_add(&cells, "%s%.2f/%.2f", l > 0 ? "   " : "", mean.value,
                         weights_expected(inputs) * sqrt((double)inputs));
  }
  if (!code)
    code =
        table_brief(x, group, brief, "mean |r| x sqrt(inputs) at the end / expected, by layer",
                    "%s", cells.text);
  ip_text_clear(&cells);
  return code;
}

static PetscErrorCode fill_weights(const subject *x, size_t group, csv *table, ip_text *brief)
{
  const sweep_group *g = &x->study->group[group];
  double *r = NULL;
  bool kept = false;
  PetscErrorCode code = weights_kept(x->s, g, &kept);

  if (!code && kept) code = IP_ALLOCATE((g->n / 2) * g->layers, &r);
  if (!code && kept) code = weights_between(x->s, g, r);
  for (size_t l = 0; !code && l < g->layers; l++) code = put_weights(x, group, l, r, table);
  ip_release(&r);
  return code ? code : brief_weights(x, group, brief);
}

PetscErrorCode table_fill_weights(const subject *x, csv *table, ip_text *brief)
{
  for (size_t g = 0; g < x->study->n; g++)
    if (x->of[g].measured) PetscCall(fill_weights(x, g, table, brief));
  return PETSC_SUCCESS;
}

/* ---- data processing --------------------------------------------------------------------- */

static double share(const subject *x, size_t group, size_t run, size_t layer)
{
  return digest_at(&x->of[group], run, RISES, layer);
}

static double share_of_all(const subject *x, size_t group, size_t run, size_t layer)
{
  (void)layer;
  return rises(x, group, run);
}

static double largest_rise(const subject *x, size_t group, size_t layer)
{
  double most = (double)NAN;

  for (size_t i = 0; i < x->study->group[group].n; i++) {
    const double rise = digest_at(&x->of[group], i, RISE_MOST, layer);

    if (!(rise <= most)) most = isnan(rise) ? most : rise;
  }
  return most;
}

/* A row of a layer beside the one before; of all layers together where layer is 0. */
static PetscErrorCode put_dpi(const subject *x, size_t group, size_t layer, csv *table)
{
  const sweep_group *g = &x->study->group[group];
  char name[32] = "all";
  double most = (double)NAN;

  if (layer > 0) snprintf(name, sizeof name, "%zu", layer + 1);
  for (size_t l = layer > 0 ? layer : 1; l < (layer > 0 ? layer + 1 : g->layers); l++)
    most = fmax(most, largest_rise(x, group, l));
  table_put_place(x, group, table);
  csv_text(table, table_word(x, group, "output"));
  csv_text(table, table_column(x));
  csv_text(table, name);
  csv_count(table, g->n);
  csv_count(table, g->n_looks);
  PetscCall(table_put_mean(x, group, layer, layer > 0 ? share : share_of_all, table));
  csv_number(table, most);
  return csv_end(table);
}

PetscErrorCode table_fill_dpi(const subject *x, csv *table, ip_text *brief)
{
  for (size_t g = 0; g < x->study->n; g++) {
    const sweep_group *group = &x->study->group[g];
    interval all;
    char text[40];

    if (!x->of[g].measured || group->layers < 2) continue;
    for (size_t l = 0; l < group->layers; l++) PetscCall(put_dpi(x, g, l, table));
    if (strcmp(x->s->column_on[x->column], "full") != 0) continue;
    PetscCall(table_mean(x, g, 0, share_of_all, "table", &all));
    table_format(all.value, all.low, all.high, text);
    PetscCall(table_brief(x, g, brief, "column                    share", "%-24.24s  %s",
                          table_column(x), text));
  }
  return PETSC_SUCCESS;
}

/* ---- the curve --------------------------------------------------------------------------- */

#define IP_AT_END(name, quantity)                                                              \
  static double name(const subject *x, size_t group, size_t run, size_t layer)                 \
  {                                                                                            \
    return digest_at(&x->of[group], run, quantity, layer);                                     \
  }
IP_AT_END(i_xt, XT_END)
IP_AT_END(i_ty, TY_END)
IP_AT_END(horizontal, DISTANCE)
IP_AT_END(vertical, VERTICAL)
IP_AT_END(misfit_of_layer, BETA_MISFIT)
#undef IP_AT_END

/* Median best beta; at the upper edge it is larger than what was looked at: censored. */
static PetscErrorCode put_beta(const subject *x, size_t group, size_t layer, csv *table)
{
  enum { EDGE_LOW = 1, EDGE_HIGH = 2 }; /* beta_edge of the file */
  const size_t n = x->study->group[group].n;
  double *beta = NULL;
  bool *seen = NULL;
  size_t has = 0, at_low = 0;
  survival t;
  PetscErrorCode code = IP_ALLOCATE(n, &beta);

  if (!code) code = IP_ALLOCATE(n, &seen);
  for (size_t i = 0; !code && i < n; i++) {
    const double edge = digest_at(&x->of[group], i, BETA_EDGE, layer);

    beta[has] = digest_at(&x->of[group], i, BETA_BEST, layer);
    if (isnan(beta[has])) continue;
    at_low += edge == EDGE_LOW;
    seen[has++] = edge != EDGE_HIGH;
  }
  if (!code) code = stats_kaplan_meier(has, beta, seen, &t);
  if (!code) {
    csv_number(table, t.median);
    csv_number(table, t.low);
    csv_number(table, t.high);
    csv_count(table, at_low);
    csv_count(table, t.censored);
  }
  ip_release(&seen);
  ip_release(&beta);
  return code;
}

static PetscErrorCode put_bound(const subject *x, size_t group, size_t layer, csv *table)
{
  table_put_place(x, group, table);
  csv_count(table, layer + 1);
  csv_count(table, (size_t)x->study->group[group].width[layer]);
  csv_text(table, table_column(x));
  csv_count(table, x->study->group[group].n);
  PetscCall(table_put_mean(x, group, layer, i_xt, table));
  PetscCall(table_put_mean(x, group, layer, i_ty, table));
  PetscCall(table_put_mean(x, group, layer, horizontal, table));
  PetscCall(table_put_mean(x, group, layer, vertical, table));
  PetscCall(put_beta(x, group, layer, table));
  PetscCall(table_put_mean(x, group, layer, misfit_of_layer, table));
  return csv_end(table);
}

static PetscErrorCode brief_bound(const subject *x, size_t group, size_t layer, ip_text *brief)
{
  interval away, misfits;
  char of_distance[40], of_misfit[40];

  PetscCall(table_mean(x, group, layer, horizontal, "table", &away));
  PetscCall(table_mean(x, group, layer, misfit_of_layer, "table", &misfits));
  table_format(away.value, away.low, away.high, of_distance);
  table_format(misfits.value, misfits.low, misfits.high, of_misfit);
  return table_brief(x, group, brief, "layer  distance (bit)           misfit (bit)",
                     "%5zu  %-24s %s", layer + 1, of_distance, of_misfit);
}

PetscErrorCode table_fill_bound(const subject *x, csv *table, ip_text *brief)
{
  for (size_t g = 0; g < x->study->n; g++) {
    bool certain = true;

    if (x->of[g].measured) PetscCall(digest_certain(x->s, &x->study->group[g], &certain));
    for (size_t l = 0; !certain && l < x->study->group[g].layers; l++) {
      PetscCall(put_bound(x, g, l, table));
      if (table_is_main(x)) PetscCall(brief_bound(x, g, l, brief));
    }
  }
  return PETSC_SUCCESS;
}
