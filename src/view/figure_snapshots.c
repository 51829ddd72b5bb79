/* The layers of every network at three moments (arXiv:1703.00810, Fig. 2): untrained, near epoch 400,
   and near epoch 9000 or at the end.  A row of panels for every group. */

#include "figure.h"
#include <math.h>
#include <stdio.h>

enum { MOMENTS = 3, MOST_NETWORKS = 400 };

/* Training that ends early has its middle moment where the logarithm of the epoch is halfway. */
static int32_t moment(const figure *f, const sweep_group *g, size_t i)
{
  const double last = figure_epoch(f, g, g->n_looks - 1);

  if (i != 1) return i == 0 ? 0 : 9000;
  return last > 800.0 ? 400 : (int32_t)sqrt(last);
}

/* A look of every network: all layers. */
static PetscErrorCode write_look(const figure *f, const sweep_group *g, size_t l, plot *p)
{
  const size_t n = g->n < MOST_NETWORKS ? g->n : MOST_NETWORKS;
  double *xt = NULL, *ty = NULL;
  PetscErrorCode code = IP_ALLOCATE(f->s->n_layers, &xt);

  if (code == PETSC_SUCCESS) code = IP_ALLOCATE(f->s->n_layers, &ty);
  for (size_t r = 0; r < n && code == PETSC_SUCCESS; r++) {
    code = sweep_at(f->s, "i_xt", g->run[r], f->column, g->look[l], xt);
    if (code == PETSC_SUCCESS)
      code = sweep_at(f->s, "i_ty", g->run[r], f->column, g->look[l], ty);
    for (size_t layer = 0; layer < g->layers && code == PETSC_SUCCESS; layer++)
      code = plot_row(p, 6,
                      (const double[]){figure_epoch(f, g, l), g->updates[l], (double)r,
                                       (double)layer + 1, xt[layer], ty[layer]});
  }
  ip_release(&xt);
  ip_release(&ty);
  return code;
}

static PetscErrorCode draw_look(const sweep_group *g, plot *p)
{
  for (size_t layer = 0; layer < g->layers; layer++)
    PetscCall(ip_text_add(&p->body,
                          "%s data index %zu using ($4 == %zu ? $5 : NaN):6 with points "
                          "linetype %zu linewidth 1 pointsize 0.9*P notitle",
                          layer ? ", \\\n   " : "  plot", p->blocks - 1, layer + 1,
                          page_linetype(layer, g->layers)));
  return ip_text_add(&p->body, "\n");
}

/* Panel i: a moment of a group. */
static PetscErrorCode add_panel(const figure *f, const page *sheet, plot *p, size_t i)
{
  const sweep_group *g = f->group[i / MOMENTS];
  const size_t l = sweep_look_near(f->s, g, moment(f, g, i % MOMENTS));
  char title[128], small[128];

  if (i % MOMENTS == 0)
    snprintf(title, sizeof title, "%s", figure_title(f, g));
  else
    title[0] = '\0';
  if (figure_epoch(f, g, l) > 0.0)
    snprintf(small, sizeof small, "epoch %.0f, update %.0f", figure_epoch(f, g, l),
             g->updates[l]);
  else
    snprintf(small, sizeof small, "untrained");
  PetscCall(
      plot_block(p, figure_title(f, g), "epoch update network layer | I(X;T) I(T;Y), bit"));
  PetscCall(write_look(f, g, l, p));
  PetscCall(page_panel(sheet, p, i, title, small));
  PetscCall(figure_plane(f, sheet, p, i, g));
  return draw_look(g, p);
}

PetscErrorCode figure_fill_snapshots(const figure *f, plot *p)
{
  page g = page_of_planes(MOMENTS * f->n);

  PetscCall(figure_begin(f, &g, p, "every point a layer of one network"));
  PetscCall(page_layers(p, figure_layers(f), PAGE_POINT, false));
  PetscCall(page_panels(&g, p));
  for (size_t i = 0; i < MOMENTS * f->n; i++) PetscCall(add_panel(f, &g, p, i));
  return page_end(p);
}
