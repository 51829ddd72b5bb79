/* Drift and diffusion (arXiv:1703.00810, Fig. 4), a row of panels for every group.  Left, per layer: the
   norms of the mean and of the standard deviation of the batch gradients, both divided by the norm of
   the layer's weights.  Right: the former over the latter, the signal-to-noise ratio; below 1 noise
   drives the weights.  Geometric means over networks, with 95 % intervals of the mean (1.96 standard
   errors of the logarithm). */

#include "figure.h"
#include <math.h>

enum { RATIOS = 3 }; /* mean / weights, deviation / weights, mean / deviation */

static const char *const over[RATIOS] = {"gradient_mean_norm", "gradient_std_norm",
                                         "gradient_mean_norm"},
                         *const under[RATIOS] = {"weight_norm", "weight_norm",
                                                 "gradient_std_norm"};

/* log10 of a ratio, streamed over networks (Welford 1962), each of shape (n_epochs, n_layers). */
typedef struct {
  double *mean, *squares, *over, *under;
} logs;

static PetscErrorCode stream_ratio(const figure *f, const sweep_group *g, size_t k, logs *to)
{
  const size_t cells = f->s->n_epochs * f->s->n_layers;

  PetscCall(IP_ALLOCATE(cells, &to->mean));
  PetscCall(IP_ALLOCATE(cells, &to->squares));
  PetscCall(IP_ALLOCATE(cells, &to->over));
  PetscCall(IP_ALLOCATE(cells, &to->under));
  for (size_t r = 0; r < g->n; r++) {
    PetscCall(sweep_curve(f->s, over[k], g->run[r], 0, to->over));
    PetscCall(sweep_curve(f->s, under[k], g->run[r], 0, to->under));
    for (size_t i = 0; i < cells; i++) {
      const double value = log10(to->over[i] / to->under[i]), step = value - to->mean[i];

      to->mean[i] += step / (double)(r + 1);
      to->squares[i] += step * (value - to->mean[i]);
    }
  }
  return PETSC_SUCCESS;
}

static void logs_clear(logs *l)
{
  ip_release(&l->mean);
  ip_release(&l->squares);
  ip_release(&l->over);
  ip_release(&l->under);
}

static PetscErrorCode write_ratios(const figure *f, const sweep_group *g,
                                   const logs ratio[RATIOS], plot *p)
{
  const double n = (double)g->n;

  PetscCall(plot_block(p, figure_title(f, g),
                       "epoch update layer | |mean gradient| / |weights|: geometric mean over "
                       "networks, 95 % interval | |standard deviation| / |weights|: the same | "
                       "|mean| / |standard deviation|: the same"));
  for (size_t layer = 0; layer < g->layers; layer++) {
    for (size_t l = 0; l < g->n_looks; l++) {
      const size_t c = figure_cell(f, g, l, layer);
      double row[3 + 3 * RATIOS] = {figure_epoch(f, g, l), g->updates[l], (double)layer + 1};

      for (size_t k = 0; k < RATIOS; k++) {
        const double mean = ratio[k].mean[c],
                     error = n > 1.0 ? 1.96 * sqrt(ratio[k].squares[c] / (n - 1.0) / n) : 0.0;

        row[3 + 3 * k] = pow(10.0, mean);
        row[4 + 3 * k] = pow(10.0, mean - error);
        row[5 + 3 * k] = pow(10.0, mean + error);
      }
      PetscCall(plot_row(p, 3 + 3 * RATIOS, row));
    }
    PetscCall(plot_gap(p));
  }
  return PETSC_SUCCESS;
}

static PetscErrorCode write_onsets(const figure *f, const sweep_group *g, plot *p)
{
  double *epoch = NULL;
  PetscErrorCode code =
      plot_block(p, "onset of diffusion",
                 "epoch update: median | layer | networks that have it | networks");

  if (code == PETSC_SUCCESS) code = IP_ALLOCATE(g->n * f->s->n_layers, &epoch);
  if (code == PETSC_SUCCESS) code = figure_events(f, g, "onset_epoch", epoch);
  for (size_t layer = 0; layer < g->layers && code == PETSC_SUCCESS; layer++) {
    size_t seen = 0;
    const double median = figure_median_event(f, g, epoch, layer, &seen);

    code = plot_row(p, 5,
                    (const double[]){median, sweep_updates_at(f->s, g, median),
                                     (double)layer + 1, (double)seen, (double)g->n});
  }
  ip_release(&epoch);
  return code;
}

static PetscErrorCode write_group(const figure *f, const sweep_group *g, plot *p)
{
  logs ratio[RATIOS] = {0};
  PetscErrorCode code = PETSC_SUCCESS;

  for (size_t k = 0; k < RATIOS && code == PETSC_SUCCESS; k++)
    code = stream_ratio(f, g, k, &ratio[k]);
  if (code == PETSC_SUCCESS) code = write_ratios(f, g, ratio, p);
  if (code == PETSC_SUCCESS) code = write_onsets(f, g, p);
  for (size_t k = 0; k < RATIOS; k++) logs_clear(&ratio[k]);
  return code;
}

/* All layers of one ratio: bands, then curves. */
static PetscErrorCode draw_ratio(const sweep_group *g, plot *p, size_t index, size_t k)
{
  const size_t column = 4 + 3 * k;

  for (size_t layer = 0; layer < g->layers; layer++) {
    PetscCall(ip_text_add(
        &p->body,
        ", \\\n    data index %zu every :::%zu::%zu using (t($1)):%zu:%zu with "
        "filledcurves linetype %zu fillstyle transparent solid 0.15 noborder "
        "notitle",
        index, layer, layer, column + 1, column + 2, page_linetype(layer, g->layers)));
    PetscCall(ip_text_add(&p->body,
                          ", \\\n    data index %zu every :::%zu::%zu using (t($1)):%zu with "
                          "lines linetype %zu linewidth 1.5%s notitle",
                          index, layer, layer, column, page_linetype(layer, g->layers),
                          k == 1 ? " " PAGE_DASHES : ""));
  }
  return PETSC_SUCCESS;
}

static PetscErrorCode draw_onsets(const sweep_group *g, plot *p, size_t index)
{
  for (size_t layer = 0; layer < g->layers; layer++)
    PetscCall(
        ip_text_add(&p->body,
                    ", \\\n    data index %zu using ($3 == %zu ? t($1) : NaN):(1) with "
                    "points linetype %zu linewidth 1.5 pointtype 8 pointsize 1.9*P notitle",
                    index, layer + 1, page_linetype(layer, g->layers)));
  return PETSC_SUCCESS;
}

static PetscErrorCode add_panel(const figure *f, const page *sheet, plot *p, size_t i)
{
  const sweep_group *g = f->group[i / 2];
  const bool norms = i % 2 == 0;

  if (norms)
    PetscCall(figure_panel(f, sheet, p, i, g));
  else
    PetscCall(page_panel(sheet, p, i, "", " "));
  PetscCall(page_axes(sheet, p, i, page_is_lowest(sheet, i) ? "epoch" : "",
                      norms ? "gradient / |{/:Italic W}|" : "mean / standard deviation"));
  PetscCall(page_log_axis(p, "x", figure_last_epoch(f)));
  PetscCall(ip_text_add(&p->body,
                        "  set logscale y; set format y '10^{%%T}'; set yrange [%s:*]\n"
                        "  plot %s",
                        norms ? "1e-5<*" : "1e-2<*",
                        norms ? "1e-2 " PAGE_NOTHING
                              : "1 with lines linewidth 1 " PAGE_GRAY " notitle"));
  PetscCall(draw_ratio(g, p, i / 2 * 2, norms ? 0 : 2));
  PetscCall(norms ? draw_ratio(g, p, i / 2 * 2, 1) : draw_onsets(g, p, i / 2 * 2 + 1));
  return ip_text_add(&p->body, "\n");
}

PetscErrorCode figure_fill_gradients(const figure *f, plot *p)
{
  page g = page_of_pairs(f->n);

  PetscCall(figure_begin(f, &g, p, "geometric mean over networks; bands: its 95 % interval"));
  PetscCall(page_layers(p, figure_layers(f), PAGE_LINE, false));
  PetscCall(page_entry(p, PAGE_LINE, "linewidth 2 " PAGE_GRAY, "mean"));
  PetscCall(page_entry(p, PAGE_LINE, "linewidth 2 " PAGE_DASHES " " PAGE_DASHED_GRAY,
                       "standard deviation"));
  if (sweep_has(f->s, "onset_epoch"))
    PetscCall(page_entry(p, PAGE_POINT, "pointtype 8 pointsize 1.9*P " PAGE_GRAY,
                         "onset of diffusion (median)"));
  PetscCall(page_panels(&g, p));
  for (size_t i = 0; i < f->n; i++) PetscCall(write_group(f, f->group[i], p));
  for (size_t i = 0; i < g.n; i++) PetscCall(add_panel(f, &g, p, i));
  return page_end(p);
}
