/* The mean path of every layer through the plane of information (arXiv:1703.00810, Fig. 3 and 5).

   A panel for every group.  Color tells the epoch, shape the layer; a thin line joins the layers of
   one epoch.  At the end stand outlines with the standard deviation over the networks. */

#include "figure.h"

enum { MOST_LINES = 64 };

static PetscErrorCode write_path(const figure *f, const sweep_group *g, const figure_band *xt,
                                 const figure_band *ty, plot *p)
{
  for (size_t l = 0; l < g->n_looks; l++) {
    for (size_t layer = 0; layer < g->layers; layer++) {
      const size_t c = figure_cell(f, g, l, layer);

      PetscCall(plot_row(p, 7,
                         (const double[]){figure_epoch(f, g, l), g->updates[l],
                                          (double)layer + 1, xt->mean[c], ty->mean[c],
                                          xt->deviation[c], ty->deviation[c]}));
    }
    PetscCall(plot_gap(p));
  }
  return PETSC_SUCCESS;
}

static PetscErrorCode write_group(const figure *f, const sweep_group *g, plot *p)
{
  figure_band xt = {0}, ty = {0};
  PetscErrorCode code = plot_block(p, figure_title(f, g),
                                   "epoch update layer | I(X;T) I(T;Y): mean, bit | the same: "
                                   "standard deviation over networks, bit");

  if (code == PETSC_SUCCESS) code = figure_band_read(f, g, "i_xt", &xt);
  if (code == PETSC_SUCCESS) code = figure_band_read(f, g, "i_ty", &ty);
  if (code == PETSC_SUCCESS) code = write_path(f, g, &xt, &ty, p);
  figure_band_clear(&xt);
  figure_band_clear(&ty);
  return code;
}

/* index: of the group's block of data */
static PetscErrorCode draw_group(const figure *f, const sweep_group *g, plot *p, size_t index)
{
  const size_t step = (g->n_looks + MOST_LINES - 1) / MOST_LINES;
  const double last = figure_epoch(f, g, g->n_looks - 1);
  ip_text *b = &p->body;

  PetscCall(
      ip_text_add(b,
                  "  plot data index %zu every :%zu using 4:5:(t($1)) with lines linewidth "
                  "0.4 linecolor palette notitle",
                  index, step));
  PetscCall(ip_text_add(b,
                        ", \\\n    data index %zu using ($1 == %.9g ? $4 : NaN):5:6:7 with "
                        "xyerrorbars pointtype -1 linewidth 1 linecolor rgb '#606060' notitle",
                        index, last));
  for (size_t layer = 0; layer < g->layers; layer++) {
    const size_t type = page_linetype(layer, g->layers);

    PetscCall(
        ip_text_add(b,
                    ", \\\n    data index %zu using ($3 == %zu ? $4 : NaN):5:(t($1)) with "
                    "points pointtype %d pointsize 0.65*P linecolor palette notitle",
                    index, layer + 1, plot_shape(type)));
    PetscCall(
        ip_text_add(b,
                    ", \\\n    data index %zu using ($3 == %zu && $1 == %.9g ? $4 : NaN):5 "
                    "with points pointtype %d pointsize 1.5*P linecolor rgb '#202020' notitle",
                    index, layer + 1, last, plot_shape(type)));
    PetscCall(ip_text_add(b,
                          ", \\\n    data index %zu using ($3 == %zu && $1 == %.9g ? $4 : "
                          "NaN):5:(t($1)) with points pointtype %d pointsize 1.1*P linecolor "
                          "palette notitle",
                          index, layer + 1, last, plot_shape(type)));
  }
  return ip_text_add(b, "\n");
}

PetscErrorCode figure_fill_plane(const figure *f, plot *p)
{
  const double last = figure_last_epoch(f);
  page g = page_of_planes(f->n);

  g.right = 1.65;
  PetscCall(figure_begin(f, &g, p, "mean over networks; bars: standard deviation at the end"));
  PetscCall(page_layers(p, figure_layers(f), PAGE_POINT, true));
  PetscCall(page_panels(&g, p));
  for (size_t i = 0; i < f->n; i++) {
    PetscCall(write_group(f, f->group[i], p));
    PetscCall(figure_panel(f, &g, p, i, f->group[i]));
    PetscCall(figure_plane(f, &g, p, i, f->group[i]));
    PetscCall(page_color_by_epoch(p, last));
    PetscCall(draw_group(f, f->group[i], p, i));
  }
  PetscCall(page_end(p));
  return page_epochs(&g, p, last);
}
