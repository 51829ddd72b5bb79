/* Loss and accuracy of the training and the test patterns against updates: mean over the networks of a
   group, a color for every group. */

#include "figure.h"
#include <math.h>
#include <stdio.h>

enum { FIELDS = 4, BANDED = 3 };

static const char *const field[FIELDS] = {"loss_train", "loss_test", "accuracy_train",
                                          "accuracy_test"};

static PetscErrorCode write_group(const figure *f, const sweep_group *g, plot *p)
{
  figure_band band[FIELDS] = {0};
  PetscErrorCode code = plot_block(
      p, figure_title(f, g),
      "epoch update | mean and standard deviation over networks of: loss of training "
      "patterns, loss of test patterns (nat), accuracy of both");

  for (size_t k = 0; k < FIELDS && code == PETSC_SUCCESS; k++)
    code = figure_band_read(f, g, field[k], &band[k]);
  for (size_t l = 0; l < g->n_looks && code == PETSC_SUCCESS; l++) {
    double row[2 + 2 * FIELDS] = {figure_epoch(f, g, l), g->updates[l]};

    for (size_t k = 0; k < FIELDS; k++) {
      row[2 + 2 * k] = band[k].mean[g->look[l]];
      row[3 + 2 * k] = band[k].deviation[g->look[l]];
    }
    code = plot_row(p, 2 + 2 * FIELDS, row);
  }
  for (size_t k = 0; k < FIELDS; k++) figure_band_clear(&band[k]);
  return code;
}

/* First column of the panel's training patterns; those of the test patterns stand two further. */
static PetscErrorCode draw_groups(const figure *f, plot *p, size_t column)
{
  char color[8];

  for (size_t i = 0; i < f->n && f->n <= BANDED; i++) {
    plot_shade(i, f->n, color);
    PetscCall(ip_text_add(&p->body,
                          "%s data index %zu using (t($2)):($%zu-$%zu > 0 ? $%zu-$%zu : "
                          "NaN):($%zu+$%zu) with filledcurves linecolor rgb '%s' fillstyle "
                          "transparent solid 0.15 noborder notitle",
                          i ? ", \\\n   " : "  plot", i, column, column + 1, column, column + 1,
                          column, column + 1, color));
  }
  for (size_t i = 0; i < f->n; i++) {
    plot_shade(i, f->n, color);
    PetscCall(ip_text_add(
        &p->body,
        "%s data index %zu using (t($2)):%zu with lines linewidth 2 linecolor "
        "rgb '%s' notitle, \\\n    data index %zu using (t($2)):%zu with lines "
        "linewidth 2 " PAGE_DASHES " linecolor rgb '%s' notitle",
        i || f->n <= BANDED ? ", \\\n   " : "  plot", i, column, color, i, column + 2, color));
  }
  return ip_text_add(&p->body, ", 1 " PAGE_NOTHING "\n");
}

static PetscErrorCode add_legend(const figure *f, plot *p)
{
  char style[64], color[8];

  PetscCall(page_entry(p, PAGE_LINE, "linewidth 2 " PAGE_GRAY, "training patterns"));
  PetscCall(page_entry(p, PAGE_LINE, "linewidth 2 " PAGE_DASHES " " PAGE_DASHED_GRAY,
                       "test patterns"));
  for (size_t i = 0; i < f->n && f->n > 1; i++) {
    plot_shade(i, f->n, color);
    snprintf(style, sizeof style, "linewidth 2 linecolor rgb '%s'", color);
    PetscCall(page_entry(p, PAGE_LINE, style, figure_title(f, f->group[i])));
  }
  return PETSC_SUCCESS;
}

PetscErrorCode figure_fill_training(const figure *f, plot *p)
{
  page g = page_of_pairs(1);
  double last = 1.0;

  for (size_t i = 0; i < f->n; i++)
    last = fmax(last, f->group[i]->updates[f->group[i]->n_looks - 1]);
  g.height = 5.0;
  PetscCall(figure_begin(f, &g, p,
                         f->n > BANDED ? "mean over networks"
                                       : "mean over networks; bands: standard deviation"));
  PetscCall(add_legend(f, p));
  PetscCall(page_panels(&g, p));
  for (size_t i = 0; i < f->n; i++) PetscCall(write_group(f, f->group[i], p));
  for (size_t i = 0; i < 2; i++) {
    PetscCall(page_panel(&g, p, i, i ? "accuracy" : "loss", ""));
    PetscCall(page_axes(&g, p, i, "update",
                        i ? "share of patterns labeled right" : "cross-entropy (nat)"));
    PetscCall(page_log_axis(p, "x", last));
    PetscCall(ip_text_add(&p->body, i ? "  unset logscale y; set yrange [*:1]\n"
                                      : "  set logscale y; set yrange [*:*]\n"));
    PetscCall(draw_groups(f, p, i ? 7 : 3));
  }
  return page_end(p);
}
