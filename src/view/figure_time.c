/* I(X;T) and I(T;Y) of every layer against epochs, on a log axis that begins with the untrained network:
   mean and standard deviation over the networks of a group.  A row of panels for every group. */

#include "figure.h"
#include <math.h>

static const char *const mark[] = {"peak_epoch", "onset_epoch"};

/* Marks on the curves of I(X;T): when half of the networks have reached the peak, and the onset of
   diffusion. */
static PetscErrorCode write_marks(const figure *f, const sweep_group *g, const figure_band *xt,
                                  const char *field, plot *p)
{
  double *epoch = NULL;
  PetscErrorCode code = IP_ALLOCATE(g->n * f->s->n_layers, &epoch);

  if (code == PETSC_SUCCESS) code = figure_events(f, g, field, epoch);
  for (size_t layer = 0; layer < g->layers && code == PETSC_SUCCESS; layer++) {
    size_t seen = 0;
    const double median = figure_median_event(f, g, epoch, layer, &seen);
    const size_t l = figure_look_of(f, g, median);
    const bool any = l < g->n_looks;

    code = plot_row(p, 6,
                    (const double[]){any ? median : (double)NAN,
                                     any ? g->updates[l] : (double)NAN, (double)layer + 1,
                                     any ? xt->mean[figure_cell(f, g, l, layer)] : (double)NAN,
                                     (double)seen, (double)g->n});
  }
  ip_release(&epoch);
  return code;
}

static PetscErrorCode write_group(const figure *f, const sweep_group *g, plot *p)
{
  figure_band xt = {0}, ty = {0};
  PetscErrorCode code = figure_band_read(f, g, "i_xt", &xt);

  if (code == PETSC_SUCCESS) code = figure_band_read(f, g, "i_ty", &ty);
  if (code == PETSC_SUCCESS)
    code = plot_block(p, figure_title(f, g),
                      "epoch update layer | I(X;T): mean, standard deviation over networks | "
                      "I(T;Y): the same; bit");
  for (size_t layer = 0; layer < g->layers && code == PETSC_SUCCESS; layer++) {
    for (size_t l = 0; l < g->n_looks && code == PETSC_SUCCESS; l++) {
      const size_t c = figure_cell(f, g, l, layer);

      code =
          plot_row(p, 7,
                   (const double[]){figure_epoch(f, g, l), g->updates[l], (double)layer + 1,
                                    xt.mean[c], xt.deviation[c], ty.mean[c], ty.deviation[c]});
    }
    if (code == PETSC_SUCCESS) code = plot_gap(p);
  }
  for (size_t i = 0; i < 2 && code == PETSC_SUCCESS; i++) {
    code = plot_block(p, mark[i],
                      "epoch update: median | layer | mean I(X;T) there, bit | networks that "
                      "have it | networks");
    if (code == PETSC_SUCCESS) code = write_marks(f, g, &xt, mark[i], p);
  }
  figure_band_clear(&xt);
  figure_band_clear(&ty);
  return code;
}

/* Points on the curves: peak and onset, the two blocks from index on. */
static PetscErrorCode draw_marks(const sweep_group *g, plot *p, size_t index)
{
  static const char *const point[] = {"pointtype 7 pointsize 1.2*P",
                                      "pointtype 8 pointsize 1.8*P linewidth 1.5"};

  for (size_t i = 0; i < 2; i++)
    for (size_t layer = 0; layer < g->layers; layer++)
      PetscCall(ip_text_add(&p->body,
                            ", \\\n    data index %zu using ($3 == %zu ? t($1) : NaN):4 with "
                            "points linetype %zu %s notitle",
                            index + i, layer + 1, page_linetype(layer, g->layers), point[i]));
  return PETSC_SUCCESS;
}

static PetscErrorCode add_panel(const figure *f, const page *sheet, plot *p, size_t i)
{
  const sweep_group *g = f->group[i / 2];
  const bool x = i % 2 == 0;
  figure_caps caps = {0};

  PetscCall(figure_caps_read(f, g, &caps));
  if (x)
    PetscCall(figure_panel(f, sheet, p, i, g));
  else
    PetscCall(page_panel(sheet, p, i, "", " "));
  PetscCall(page_axes(sheet, p, i, page_is_lowest(sheet, i) ? "epoch" : "",
                      x ? page_i_xt : page_i_ty));
  PetscCall(page_log_axis(p, "x", figure_last_epoch(f)));
  PetscCall(ip_text_add(&p->body, "  set yrange [0:%.9g]\n",
                        1.06 * fmax(0.01, x ? caps.h_x : caps.i_xy)));
  PetscCall(figure_draw_curves(g, p, i / 2 * 3, x ? 4 : 6));
  if (x) PetscCall(draw_marks(g, p, i / 2 * 3 + 1));
  return ip_text_add(&p->body, "\n");
}

PetscErrorCode figure_fill_time(const figure *f, plot *p)
{
  page g = page_of_pairs(f->n);

  PetscCall(figure_begin(f, &g, p, "mean over networks; bands: standard deviation"));
  PetscCall(page_layers(p, figure_layers(f), PAGE_LINE, false));
  if (sweep_has(f->s, mark[0])) {
    PetscCall(
        page_entry(p, PAGE_POINT, "pointtype 7 pointsize 1.2*P " PAGE_GRAY, "peak (median)"));
    PetscCall(page_entry(p, PAGE_POINT, "pointtype 8 pointsize 1.8*P " PAGE_GRAY,
                         "onset of diffusion (median)"));
  }
  PetscCall(page_panels(&g, p));
  for (size_t i = 0; i < f->n; i++) PetscCall(write_group(f, f->group[i], p));
  for (size_t i = 0; i < g.n; i++) PetscCall(add_panel(f, &g, p, i));
  return page_end(p);
}
