/* How the converged layers depend on the amount of data (arXiv:1703.00810, Fig. 7): their place in the
   plane for every training fraction, and what the output and the last hidden layer know of the label at
   their peak and at the end.  Mean over networks; bars and bands: standard deviation. */

#include "figure.h"
#include <math.h>
#include <stdio.h>

enum { EVENTS = 2, COLUMNS = 9 }; /* peak and end; of a row of data */

/* Sums over networks of every layer, shape (n_layers). */
typedef struct {
  double *xt, *ty, *peak; /* one network: I(X;T), I(T;Y) at the end; most I(T;Y) of any look */
  double *mean[3], *squares[3];
} ends;

static PetscErrorCode ends_create(size_t layers, ends *e)
{
  double **const array[] = {&e->xt,         &e->ty,         &e->peak,
                            &e->mean[0],    &e->mean[1],    &e->mean[2],
                            &e->squares[0], &e->squares[1], &e->squares[2]};

  for (size_t i = 0; i < sizeof array / sizeof array[0]; i++)
    PetscCall(IP_ALLOCATE(layers, array[i]));
  return PETSC_SUCCESS;
}

static void ends_clear(ends *e)
{
  ip_release(&e->xt);
  ip_release(&e->ty);
  ip_release(&e->peak);
  for (size_t k = 0; k < 3; k++) {
    ip_release(&e->mean[k]);
    ip_release(&e->squares[k]);
  }
}

/* curve: shape (n_epochs, n_layers), scratch */
static PetscErrorCode read_network(const figure *f, const sweep_group *g, size_t run,
                                   double *curve, ends *e)
{
  PetscCall(sweep_at(f->s, "i_xt", run, f->column, g->look[g->n_looks - 1], e->xt));
  PetscCall(sweep_curve(f->s, "i_ty", run, f->column, curve));
  for (size_t layer = 0; layer < g->layers; layer++) {
    e->ty[layer] = curve[figure_cell(f, g, g->n_looks - 1, layer)];
    e->peak[layer] = curve[figure_cell(f, g, 0, layer)];
    for (size_t l = 1; l < g->n_looks; l++)
      e->peak[layer] = fmax(e->peak[layer], curve[figure_cell(f, g, l, layer)]);
  }
  return PETSC_SUCCESS;
}

static PetscErrorCode sum_networks(const figure *f, const sweep_group *g, double *curve,
                                   ends *e)
{
  for (size_t r = 0; r < g->n; r++) {
    const double *const value[3] = {e->xt, e->ty, e->peak};

    PetscCall(read_network(f, g, g->run[r], curve, e));
    for (size_t k = 0; k < 3; k++)
      for (size_t layer = 0; layer < g->layers; layer++) {
        const double step = value[k][layer] - e->mean[k][layer];

        e->mean[k][layer] += step / (double)(r + 1);
        e->squares[k][layer] += step * (value[k][layer] - e->mean[k][layer]);
      }
  }
  return PETSC_SUCCESS;
}

static double deviation(const sweep_group *g, double squares)
{
  return g->n > 1 ? sqrt(squares / (double)(g->n - 1)) : 0.0;
}

/* rows: shape (layers, COLUMNS) */
static PetscErrorCode fill_rows(const figure *f, const sweep_group *g, double rows[])
{
  const int key = sweep_key_find(f->s, "train_fraction");
  ends e = {0};
  double *curve = NULL;
  PetscErrorCode code = IP_ALLOCATE(f->s->n_epochs * f->s->n_layers, &curve);

  if (code == PETSC_SUCCESS) code = ends_create(f->s->n_layers, &e);
  if (code == PETSC_SUCCESS) code = sum_networks(f, g, curve, &e);
  for (size_t layer = 0; layer < g->layers && code == PETSC_SUCCESS; layer++) {
    double *row = rows + layer * COLUMNS;

    row[0] = 100.0 * g->key[key];
    row[1] = (double)g->train_size;
    row[2] = (double)layer + 1;
    for (size_t k = 0; k < 3; k++) {
      row[3 + 2 * k] = e.mean[k][layer];
      row[4 + 2 * k] = deviation(g, e.squares[k][layer]);
    }
  }
  ends_clear(&e);
  ip_release(&curve);
  return code;
}

/* Groups in order of their fraction. */
static void sort_groups(const figure *f, const sweep_group **group)
{
  const int key = sweep_key_find(f->s, "train_fraction");

  for (size_t i = 0; i < f->n; i++) {
    size_t j = i;

    for (; j > 0 && group[j - 1]->key[key] > f->group[i]->key[key]; j--)
      group[j] = group[j - 1];
    group[j] = f->group[i];
  }
}

/* Twice: layer by layer for each fraction, and the other way round. */
static PetscErrorCode write_rows(const figure *f, size_t layers, const double rows[], plot *p)
{
  static const char columns[] =
      "training patterns: %, number | layer | at the last look, mean and standard deviation "
      "over "
      "networks: I(X;T), I(T;Y) | most I(T;Y) of any look: the same; bit";

  PetscCall(plot_block(p, "layers of every fraction", columns));
  for (size_t i = 0; i < f->n; i++) {
    for (size_t layer = 0; layer < layers; layer++)
      PetscCall(plot_row(p, COLUMNS, rows + (i * layers + layer) * COLUMNS));
    PetscCall(plot_gap(p));
  }
  PetscCall(plot_block(p, "fractions of every layer", columns));
  for (size_t layer = 0; layer < layers; layer++) {
    for (size_t i = 0; i < f->n; i++)
      PetscCall(plot_row(p, COLUMNS, rows + (i * layers + layer) * COLUMNS));
    PetscCall(plot_gap(p));
  }
  return PETSC_SUCCESS;
}

static PetscErrorCode write_all(const figure *f, const sweep_group *const group[], plot *p)
{
  const size_t layers = group[0]->layers;
  double *rows = NULL;
  PetscErrorCode code = IP_ALLOCATE(f->n * layers * COLUMNS, &rows);

  for (size_t i = 0; i < f->n && code == PETSC_SUCCESS; i++)
    code = fill_rows(f, group[i], rows + i * layers * COLUMNS);
  if (code == PETSC_SUCCESS) code = write_rows(f, layers, rows, p);
  ip_release(&rows);
  return code;
}

static PetscErrorCode draw_ends(const figure *f, plot *p, size_t layers)
{
  char color[8];

  for (size_t i = 0; i < f->n; i++) {
    plot_shade(i, f->n, color);
    PetscCall(ip_text_add(
        &p->body,
        "%s data index 0 every :::%zu::%zu using 4:6 with lines linewidth 1 linecolor "
        "rgb '%s' notitle, \\\n    data index 0 every :::%zu::%zu using 4:6:5:7 with "
        "xyerrorbars pointtype -1 linewidth 1 linecolor rgb '%s' notitle",
        i ? ", \\\n   " : "  plot", i, i, color, i, i, color));
    for (size_t layer = 0; layer < layers; layer++)
      PetscCall(ip_text_add(
          &p->body,
          ", \\\n    data index 0 every :::%zu::%zu using ($3 == %zu ? $4 : NaN):6 with "
          "points pointtype %d pointsize 1.1*P linecolor rgb '%s' notitle",
          i, i, layer + 1, plot_shape(page_linetype(layer, layers)), color));
  }
  return ip_text_add(&p->body, "\n");
}

/* I(T;Y) of one layer against the fraction: at its peak, and at the end. */
static PetscErrorCode draw_layer(plot *p, size_t layer)
{
  static const size_t column[EVENTS] = {8, 6};
  static const char *const color[EVENTS] = {"#d55e00", "#0072b2"};

  for (size_t k = 0; k < EVENTS; k++)
    PetscCall(ip_text_add(
        &p->body,
        "%s data index 1 every :::%zu::%zu using 1:($%zu-$%zu):($%zu+$%zu) with filledcurves "
        "linecolor rgb '%s' fillstyle transparent solid 0.18 noborder notitle, \\\n"
        "    data index 1 every :::%zu::%zu using 1:%zu with linespoints linewidth 2 linecolor "
        "rgb "
        "'%s' pointtype %d pointsize 1.2*P notitle",
        k ? ", \\\n   " : "  plot", layer, layer, column[k], column[k] + 1, column[k],
        column[k] + 1, color[k], layer, layer, column[k], color[k], k ? 7 : 9));
  return ip_text_add(&p->body, "\n");
}

static PetscErrorCode add_legend(const figure *f, const sweep_group *const group[], plot *p)
{
  const int key = sweep_key_find(f->s, "train_fraction");
  char style[64], color[8], title[64];

  PetscCall(page_layers(p, figure_layers(f), PAGE_POINT, true));
  for (size_t i = 0; i < f->n; i++) {
    plot_shade(i, f->n, color);
    snprintf(style, sizeof style, "linewidth 2 linecolor rgb '%s'", color);
    sweep_key_format(f->s, group[i], (size_t)key, title);
    PetscCall(page_entry(p, PAGE_LINE, style, title));
  }
  PetscCall(
      page_entry(p, PAGE_POINT, "pointtype 9 pointsize 1.2*P linecolor rgb '#d55e00'", "peak"));
  return page_entry(p, PAGE_POINT, "pointtype 7 pointsize 1.2*P linecolor rgb '#0072b2'",
                    "end");
}

static PetscErrorCode fill(const figure *f, const sweep_group *const group[], plot *p)
{
  const size_t layers = group[0]->layers, panels = layers > 1 ? 3 : 2;
  page g = page_of_planes(panels);
  figure_caps caps = {0};

  PetscCall(figure_begin(f, &g, p, "mean over networks; bars and bands: standard deviation"));
  PetscCall(add_legend(f, group, p));
  PetscCall(page_panels(&g, p));
  PetscCall(write_all(f, group, p));
  PetscCall(page_panel(&g, p, 0, "at the end", ""));
  PetscCall(figure_plane(f, &g, p, 0, group[0]));
  PetscCall(draw_ends(f, p, layers));
  PetscCall(figure_caps_read(f, group[0], &caps));
  PetscCall(
      ip_text_add(&p->body,
                  "  set logscale x; set xrange [%.9g:105]; set xtics (1, 2, 5, 10, 20, 50, "
                  "100)\n",
                  80.0 * group[0]->key[sweep_key_find(f->s, "train_fraction")]));
  for (size_t i = 1; i < panels; i++) {
    const size_t layer = layers - (panels - i);
    char title[32];

    snprintf(title, sizeof title, layer + 1 < layers ? "layer %zu" : "output", layer + 1);
    PetscCall(page_panel(&g, p, i, title, ""));
    PetscCall(page_axes(&g, p, i, "training patterns (%)", ""));
    PetscCall(ip_text_add(&p->body, "  set yrange [0:%.9g]\n", 1.1 * fmax(0.01, caps.i_xy)));
    PetscCall(draw_layer(p, layer));
  }
  return page_end(p);
}

PetscErrorCode figure_fill_data(const figure *f, plot *p)
{
  const sweep_group **group = NULL;

  PetscCall(IP_ALLOCATE(f->n, &group));
  sort_groups(f, group);

  const PetscErrorCode code = fill(f, group, p);

  ip_release(&group);
  return code;
}

PetscErrorCode figure_lacks_fractions(const figure *f, const char **what)
{
  *what = "two training fractions or more (train.fraction)";
  return f->n < 2 ? PETSC_SUCCESS : figure_lacks_training(f, what);
}
