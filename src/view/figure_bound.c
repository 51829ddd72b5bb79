/* The information-bottleneck curve and the converged layers (arXiv:1703.00810, Fig. 6), of one group:
   the plane; the same near the curve, with the best beta of every layer (median over networks); and for
   every network its best betas with their intervals, and how little they explain the layer. */

#include "figure.h"
#include <math.h>
#include <stdlib.h>

enum { BETAS = 4, ROW = 10 }; /* best, low, high, misfit; columns of a row */

static const char *const field[BETAS] = {"beta_best", "beta_low", "beta_high", "beta_misfit"};

/* ---- data ----------------------------------------------------------------------------------------------- */

/* beta, i_xt, i_ty: shape (n); release them.  n = 0: the file has no curve for these labels. */
typedef struct {
  size_t n;
  double *beta, *i_xt, *i_ty;
} curve;

/* What decides how it is drawn. */
typedef struct {
  bool best;    /* some network has a best beta                */
  double least; /* I(T;Y) of a layer, less its deviation, bits */
  double end;   /* I(X;T) where the curve reaches I(X;Y), bits  */
} found;

static void curve_clear(curve *c)
{
  ip_release(&c->beta);
  ip_release(&c->i_xt);
  ip_release(&c->i_ty);
  c->n = 0;
}

static PetscErrorCode read_curve(const figure *f, const sweep_group *g, curve *c)
{
  const size_t n = ip_results_axis(f->s->file, "beta"), start[2] = {g->data, 0},
               count[2] = {1, n}, zero[1] = {0};
  PetscErrorCode code;

  if (n == 0 || !sweep_has(f->s, "curve_i_xt")) return PETSC_SUCCESS;
  code = IP_ALLOCATE(n, &c->beta);
  if (code == PETSC_SUCCESS) code = IP_ALLOCATE(n, &c->i_xt);
  if (code == PETSC_SUCCESS) code = IP_ALLOCATE(n, &c->i_ty);
  if (code == PETSC_SUCCESS) code = ip_results_block(f->s->file, "beta", 1, zero, &n, c->beta);
  if (code == PETSC_SUCCESS)
    code = ip_results_block(f->s->file, "curve_i_xt", 2, start, count, c->i_xt);
  if (code == PETSC_SUCCESS)
    code = ip_results_block(f->s->file, "curve_i_ty", 2, start, count, c->i_ty);
  if (code == PETSC_SUCCESS && isfinite(c->i_xt[n - 1]))
    c->n = n;
  else
    curve_clear(c);
  return code;
}

static PetscErrorCode write_curve(const curve *c, plot *p)
{
  PetscCall(
      plot_block(p, "information-bottleneck curve", "beta | I(X;T) I(T;Y) of the curve, bit"));
  for (size_t i = 0; i < c->n; i++)
    PetscCall(plot_row(p, 3, (const double[]){c->beta[i], c->i_xt[i], c->i_ty[i]}));
  return PETSC_SUCCESS;
}

/* One row for each network and layer, kept in rows: shape (networks, layers, ROW). */
static PetscErrorCode read_layers(const figure *f, const sweep_group *g, double *cell,
                                  double rows[])
{
  const size_t layers = f->s->n_layers, last = (size_t)g->look[g->n_looks - 1];
  double *information = cell + f->s->n_columns * layers;

  for (size_t r = 0; r < g->n; r++)
    for (size_t k = 0; k < 2 + BETAS; k++) {
      const double *from = information;

      if (k < 2) {
        PetscCall(sweep_at(f->s, k ? "i_ty" : "i_xt", g->run[r], f->column, (int32_t)last,
                           information));
      } else if (sweep_has(f->s, field[k - 2])) {
        PetscCall(sweep_cells(f->s, field[k - 2], g->run[r], cell));
        from = cell + f->column * layers;
      }
      for (size_t layer = 0; layer < g->layers; layer++) {
        double *row = rows + (r * g->layers + layer) * ROW;

        row[0] = (double)layer + 1;
        row[1] = (double)r;
        row[2 + k] = from[layer];
      }
    }
  return PETSC_SUCCESS;
}

static int by_value(const void *a, const void *b)
{
  const double x = *(const double *)a, y = *(const double *)b;

  return (x > y) - (x < y);
}

/* Mean and deviation of I(X;T) and I(T;Y); median of the best beta (scratch: shape (networks)).
   *least: of I(T;Y), less its deviation. */
static PetscErrorCode write_summary(const sweep_group *g, const double rows[], double scratch[],
                                    plot *p, double *least)
{
  for (size_t layer = 0; layer < g->layers; layer++) {
    double mean[2] = {0}, squares[2] = {0};
    const double n = (double)g->n;

    for (size_t r = 0; r < g->n; r++) {
      const double *row = rows + (r * g->layers + layer) * ROW;

      scratch[r] = row[4];
      for (size_t k = 0; k < 2; k++) {
        const double step = row[2 + k] - mean[k];

        mean[k] += step / (double)(r + 1);
        squares[k] += step * (row[2 + k] - mean[k]);
      }
    }
    qsort(scratch, g->n, sizeof *scratch, by_value);
    for (size_t k = 0; k < 2; k++) squares[k] = n > 1.0 ? sqrt(squares[k] / (n - 1.0)) : 0.0;
    if (layer == 0 || mean[1] - squares[1] < *least) *least = mean[1] - squares[1];
    PetscCall(plot_row(p, 6,
                       (const double[]){(double)layer + 1, mean[0], mean[1], squares[0],
                                        squares[1], scratch[(g->n - 1) / 2]}));
  }
  return PETSC_SUCCESS;
}

static PetscErrorCode write_networks(const sweep_group *g, const double rows[], plot *p)
{
  PetscCall(
      plot_block(p, "every network at the last look",
                 "layer network | I(X;T) I(T;Y), bit | beta: best, low, high | misfit, bit | "
                 "place of the point | best beta lies on an edge"));
  for (size_t i = 0; i < g->n * g->layers; i++) {
    double row[ROW];

    for (size_t k = 0; k < 8; k++) row[k] = rows[i * ROW + k];
    row[8] = row[0] + 0.5 * ((row[1] + 0.5) / (double)g->n - 0.5);
    row[9] = row[4] >= 1000.0 || row[4] <= 1.0;
    PetscCall(plot_row(p, ROW, row));
  }
  return PETSC_SUCCESS;
}

static PetscErrorCode write_all(const figure *f, const sweep_group *g, const curve *c, plot *p,
                                found *x)
{
  const size_t n = g->n * g->layers * ROW;
  double *cell = NULL, *rows = NULL, *scratch = NULL;
  PetscErrorCode code = write_curve(c, p);

  if (code == PETSC_SUCCESS) code = IP_ALLOCATE((f->s->n_columns + 1) * f->s->n_layers, &cell);
  if (code == PETSC_SUCCESS) code = IP_ALLOCATE(n, &rows);
  if (code == PETSC_SUCCESS) code = IP_ALLOCATE(g->n, &scratch);
  for (size_t i = 0; i < n && code == PETSC_SUCCESS; i++) rows[i] = (double)NAN;
  if (code == PETSC_SUCCESS) code = read_layers(f, g, cell, rows);
  if (code == PETSC_SUCCESS)
    code = plot_block(
        p, "layers at the last look",
        "layer | I(X;T) I(T;Y): mean; standard deviation over networks, bit | median "
        "of the best beta");
  if (code == PETSC_SUCCESS) code = write_summary(g, rows, scratch, p, &x->least);
  if (code == PETSC_SUCCESS) code = write_networks(g, rows, p);
  for (size_t i = 0; i < n && code == PETSC_SUCCESS; i += ROW)
    x->best = x->best || isfinite(rows[i + 4]);
  ip_release(&cell);
  ip_release(&rows);
  ip_release(&scratch);
  return code;
}

/* ---- panels ----------------------------------------------------------------------------------------------- */

static PetscErrorCode draw_layers(const sweep_group *g, const figure_caps *caps, const found *x,
                                  plot *p, bool labels)
{
  ip_text *b = &p->body;

  PetscCall(ip_text_add(b,
                        "  plot data index 0 using 2:3 with lines linewidth 2 " PAGE_GRAY
                        " notitle, \\\n    [%.9g:%.9g] %.9g with lines linewidth 2 " PAGE_GRAY
                        " notitle",
                        x->end, caps->h_x, caps->i_xy));
  for (size_t layer = 0; layer < g->layers; layer++)
    PetscCall(
        ip_text_add(b,
                    ", \\\n    data index 1 every ::%zu::%zu using 2:3:4:5 with xyerrorbars "
                    "linetype %zu linewidth 1 pointsize 1.2*P notitle",
                    layer, layer, page_linetype(layer, g->layers)));
  if (labels)
    PetscCall(ip_text_add(b,
                          ", \\\n    data index 1 using ($2 < %.9g ? $2 : "
                          "NaN):3:(sprintf('\316\262 = %%.3g', $6)) "
                          "with labels left offset 0.4,-0.8 font ',7' notitle",
                          0.9 * caps->h_x));
  return ip_text_add(b, "\n");
}

/* Column of the networks' block against the layer; low and high columns, or 0. */
static PetscErrorCode draw_networks(const sweep_group *g, plot *p, size_t column, size_t low)
{
  for (size_t layer = 0; layer < g->layers; layer++) {
    const size_t type = page_linetype(layer, g->layers);

    if (low)
      PetscCall(ip_text_add(&p->body,
                            "%s data index 2 using ($1 == %zu ? $9 : NaN):%zu:%zu:%zu with "
                            "yerrorbars linetype %zu pointtype -1 linewidth 1 notitle, \\\n   ",
                            layer ? ", \\\n   " : "  plot", layer + 1, column, low, low + 1,
                            type));
    else
      PetscCall(ip_text_add(&p->body, "%s", layer ? ", \\\n   " : "  plot"));
    PetscCall(
        ip_text_add(&p->body,
                    " data index 2 using ($1 == %zu ? $9 : NaN):%zu with points linetype %zu "
                    "linewidth 1 pointsize P notitle",
                    layer + 1, column, type));
  }
  return ip_text_add(&p->body, "\n");
}

static PetscErrorCode add_near(const page *sheet, const sweep_group *g, const figure_caps *caps,
                               const found *x, plot *p)
{
  const double below = fmax(0.02, caps->i_xy - x->least);

  PetscCall(page_panel(sheet, p, 1, "near the curve, log scale", " "));
  PetscCall(page_axes(sheet, p, 1, page_i_xt, page_i_ty));
  PetscCall(
      ip_text_add(&p->body,
                  "  set logscale x; set xrange [0.5:%.9g]; set xtics (0.5, 1, 2, 5, 10)\n"
                  "  set yrange [%.9g:%.9g]\n",
                  1.15 * caps->h_x, caps->i_xy - 1.3 * below, caps->i_xy + 0.15 * below));
  return draw_layers(g, caps, x, p, x->best);
}

static PetscErrorCode add_betas(const page *sheet, const sweep_group *g, plot *p)
{
  PetscCall(ip_text_add(&p->body, "  unset logscale; set xrange [0.5:%zu.5]; set xtics (",
                        g->layers));
  for (size_t layer = 0; layer < g->layers; layer++)
    PetscCall(layer + 1 < g->layers ? ip_text_add(&p->body, "'%zu' %zu, ", layer + 1, layer + 1)
                                    : ip_text_add(&p->body, "'output' %zu)\n", layer + 1));
  PetscCall(
      page_panel(sheet, p, 2, "best beta of every network", "bars: misfit within 0.01 bit"));
  PetscCall(page_axes(sheet, p, 2, "layer", "{/:Italic \316\262}"));
  PetscCall(ip_text_add(&p->body, "  set logscale y; set yrange [0.8:1300]\n"));
  PetscCall(draw_networks(g, p, 5, 6));
  PetscCall(page_panel(sheet, p, 3, "its misfit", "0: the layer solves the equations"));
  PetscCall(page_axes(sheet, p, 3, "layer", "misfit (bit)"));
  PetscCall(ip_text_add(&p->body, "  unset logscale y; set yrange [0:*]\n"));
  return draw_networks(g, p, 8, 0);
}

static PetscErrorCode fill(const figure *f, const sweep_group *g, const curve *c, plot *p)
{
  figure_caps caps = {0};
  found x = {.end = c->n > 0 ? c->i_xt[c->n - 1] : 0.0};
  page sheet;

  PetscCall(write_all(f, g, c, p, &x));
  PetscCall(figure_caps_read(f, g, &caps));
  sheet = page_of_planes(x.best ? 4 : 2);
  sheet.gap_x = 1.75;
  sheet.gap_y = 2.25;
  PetscCall(
      figure_begin(f, &sheet, p, "at the end, mean over networks and standard deviation"));
  PetscCall(page_entry(p, PAGE_LINE, "linewidth 2 " PAGE_GRAY, "bottleneck curve"));
  PetscCall(page_layers(p, g->layers, PAGE_POINT, false));
  PetscCall(page_panels(&sheet, p));
  PetscCall(figure_panel(f, &sheet, p, 0, g));
  PetscCall(figure_plane(f, &sheet, p, 0, g));
  PetscCall(page_axes(&sheet, p, 0, page_i_xt, ""));
  PetscCall(draw_layers(g, &caps, &x, p, false));
  PetscCall(add_near(&sheet, g, &caps, &x, p));
  if (x.best) PetscCall(add_betas(&sheet, g, p));
  return page_end(p);
}

PetscErrorCode figure_fill_bound(const figure *f, plot *p)
{
  curve c = {0};
  PetscErrorCode code = read_curve(f, f->group[0], &c);

  if (code == PETSC_SUCCESS && c.n == 0)
    code = ip_error_raise(IP_ERR_INTERNAL, __func__, "%s has no curve", f->s->path);
  if (code == PETSC_SUCCESS) code = fill(f, f->group[0], &c, p);
  curve_clear(&c);
  return code;
}

PetscErrorCode figure_lacks_curve(const figure *f, const char **what)
{
  curve c = {0};
  const PetscErrorCode code = read_curve(f, f->group[0], &c);

  *what = c.n > 0 ? NULL
                  : "stochastic labels (dataset.labels: stochastic); with certain ones a beta "
                    "means nothing";
  curve_clear(&c);
  return code;
}
