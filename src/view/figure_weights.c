/* The weights of every layer against epochs (arXiv:1703.00810, Fig. 8): their norm, and the mean absolute
   correlation of the incoming weights of two units times sqrt(N), N the inputs of the layer.

   For independent Gaussian weights the latter is expected to be

       sqrt(N) Gamma((N - 1)/2) / (sqrt(pi) Gamma(N/2)),

   the mean of |r| over its density (1 - r^2)^((N - 4)/2) on [-1, 1] (Fisher 1915): 1.103 for N = 3,
   0.949 for 5, 0.865 for 10.  The two units of a softmax are left out: opposite by construction. */

#include "figure.h"
#include "weights.h"
#include <math.h>
#include <string.h>

static size_t inputs_of(const sweep_group *g, size_t layer)
{
  return layer == 0 ? g->features : (size_t)g->width[layer - 1];
}

static double expected_correlation(double n)
{
  return n < 3.0 ? (double)NAN : sqrt(n) * weights_expected((size_t)n);
}

/* Both units say the same: one is 1 minus the other. */
static bool is_mirrored(const figure *f, const sweep_group *g, size_t layer)
{
  const int key = sweep_key_find(f->s, "output");
  char text[64] = "softmax";

  if (layer + 1 < g->layers || g->width[layer] != 2) return false;
  if (key >= 0) sweep_key_format(f->s, g, (size_t)key, text);
  return strcmp(text, "softmax") == 0;
}

static PetscErrorCode write_layer(const figure *f, const sweep_group *g, size_t layer,
                                  const figure_band band[2], plot *p)
{
  const double n = (double)inputs_of(g, layer),
               scale = is_mirrored(f, g, layer) ? (double)NAN : sqrt(n);

  for (size_t l = 0; l < g->n_looks; l++) {
    const size_t c = figure_cell(f, g, l, layer);

    PetscCall(plot_row(p, 8,
                       (const double[]){figure_epoch(f, g, l), g->updates[l], (double)layer + 1,
                                        band[0].mean[c], band[0].deviation[c],
                                        scale * band[1].mean[c], scale * band[1].deviation[c],
                                        0.0 * scale + expected_correlation(n)}));
  }
  return plot_gap(p);
}

static PetscErrorCode write_group(const figure *f, const sweep_group *g, plot *p)
{
  figure_band band[2] = {0};
  PetscErrorCode code = figure_band_read(f, g, "weight_norm", &band[0]);

  if (code == PETSC_SUCCESS) code = figure_band_read(f, g, "weight_correlation", &band[1]);
  if (code == PETSC_SUCCESS)
    code = plot_block(p, figure_title(f, g),
                      "epoch update layer | norm of the weights: mean, standard deviation over "
                      "networks | mean absolute correlation of units times sqrt(inputs): the "
                      "same | expected of independent Gaussian weights");
  for (size_t layer = 0; layer < g->layers && code == PETSC_SUCCESS; layer++)
    code = write_layer(f, g, layer, band, p);
  for (size_t k = 0; k < 2; k++) figure_band_clear(&band[k]);
  return code;
}

static PetscErrorCode draw_expected(const sweep_group *g, plot *p, size_t index)
{
  PetscCall(ip_text_add(&p->body, ", 1 " PAGE_NOTHING));
  for (size_t layer = 0; layer < g->layers; layer++)
    PetscCall(
        ip_text_add(&p->body,
                    ", \\\n    data index %zu every :::%zu::%zu using (t($1)):8 with lines "
                    "linetype %zu linewidth 1 " PAGE_THIN_DASHES " notitle",
                    index, layer, layer, page_linetype(layer, g->layers)));
  return PETSC_SUCCESS;
}

static PetscErrorCode add_panel(const figure *f, const page *sheet, plot *p, size_t i)
{
  const sweep_group *g = f->group[i / 2];
  const bool norm = i % 2 == 0;

  if (norm)
    PetscCall(figure_panel(f, sheet, p, i, g));
  else
    PetscCall(page_panel(sheet, p, i, "", " "));
  PetscCall(page_axes(sheet, p, i, page_is_lowest(sheet, i) ? "epoch" : "",
                      norm ? "norm of the weights"
                           : "mean |{/:Italic r}| of units \303\227 "
                             "\342\210\232{/:Italic N}"));
  PetscCall(page_log_axis(p, "x", figure_last_epoch(f)));
  PetscCall(ip_text_add(&p->body, "  set yrange [0:*]\n"));
  PetscCall(figure_draw_curves(g, p, i / 2, norm ? 4 : 6));
  if (!norm) PetscCall(draw_expected(g, p, i / 2));
  return ip_text_add(&p->body, "\n");
}

PetscErrorCode figure_fill_weights(const figure *f, plot *p)
{
  page g = page_of_pairs(f->n);

  PetscCall(figure_begin(f, &g, p, "mean over networks; bands: standard deviation"));
  PetscCall(page_layers(p, figure_layers(f), PAGE_LINE, false));
  PetscCall(page_entry(p, PAGE_LINE, PAGE_THIN_DASHES " " PAGE_DASHED_GRAY,
                       "expected of independent Gaussian weights"));
  PetscCall(page_panels(&g, p));
  for (size_t i = 0; i < f->n; i++) PetscCall(write_group(f, f->group[i], p));
  for (size_t i = 0; i < g.n; i++) PetscCall(add_panel(f, &g, p, i));
  return page_end(p);
}
