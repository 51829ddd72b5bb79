/* What kinds of figures share: bands over replicates, caps of the plane, titles. */

#include "figure.h"
#include <math.h>
#include <string.h>

/* ---- bands over replicates ------------------------------------------------------------------------ */

PetscErrorCode figure_band_read(const figure *f, const sweep_group *g, const char *field,
                                figure_band *band)
{
  const size_t cells = f->s->n_epochs * f->s->n_layers;

  PetscCall(IP_ALLOCATE(cells, &band->mean));
  PetscCall(IP_ALLOCATE(cells, &band->deviation));
  return sweep_mean(f->s, g, field, f->column, band->mean, band->deviation);
}

void figure_band_clear(figure_band *band)
{
  ip_release(&band->mean);
  ip_release(&band->deviation);
}

size_t figure_cell(const figure *f, const sweep_group *g, size_t l, size_t layer)
{
  return (size_t)g->look[l] * f->s->n_layers + layer;
}

double figure_epoch(const figure *f, const sweep_group *g, size_t l)
{
  return (double)f->s->epoch[g->look[l]];
}

double figure_last_epoch(const figure *f)
{
  double last = 0.0;

  for (size_t i = 0; i < f->n; i++)
    last = fmax(last, figure_epoch(f, f->group[i], f->group[i]->n_looks - 1));
  return last;
}

size_t figure_layers(const figure *f)
{
  size_t layers = 0;

  for (size_t i = 0; i < f->n; i++)
    if (f->group[i]->layers > layers) layers = f->group[i]->layers;
  return layers;
}

PetscErrorCode figure_draw_curves(const sweep_group *g, plot *p, size_t index, size_t column)
{
  for (size_t layer = 0; layer < g->layers; layer++)
    PetscCall(
        ip_text_add(&p->body,
                    "%s data index %zu every :::%zu::%zu using (t($1)):($%zu-$%zu):($%zu+$%zu) "
                    "with filledcurves linetype %zu fillstyle transparent solid 0.18 "
                    "noborder notitle",
                    layer ? ", \\\n   " : "  plot", index, layer, layer, column, column + 1,
                    column, column + 1, page_linetype(layer, g->layers)));
  for (size_t layer = 0; layer < g->layers; layer++)
    PetscCall(ip_text_add(&p->body,
                          ", \\\n    data index %zu every :::%zu::%zu using (t($1)):%zu with "
                          "lines linetype %zu notitle",
                          index, layer, layer, column, page_linetype(layer, g->layers)));
  return PETSC_SUCCESS;
}

/* ---- events ------------------------------------------------------------------------------------------- */

PetscErrorCode figure_events(const figure *f, const sweep_group *g, const char *field,
                             double epoch[])
{
  const size_t layers = f->s->n_layers;
  size_t n_axes = 0, length[IP_RESULTS_RANK] = {0}, first = 0;
  double *cell = NULL;
  PetscErrorCode code = PETSC_SUCCESS;

  for (size_t i = 0; i < g->n * layers; i++) epoch[i] = (double)NAN;
  if (!ip_results_shape(f->s->file, field, &n_axes, length)) return PETSC_SUCCESS;
  if (n_axes == 4) first = f->column * layers; /* (run, column, layer, bound) */
  PetscCall(IP_ALLOCATE((n_axes == 4 ? length[1] : 1) * layers * 2, &cell));
  for (size_t r = 0; r < g->n && code == PETSC_SUCCESS; r++) {
    code = sweep_cells(f->s, field, g->run[r], cell);
    for (size_t l = 0; l < g->layers && code == PETSC_SUCCESS; l++)
      if (cell[2 * (first + l) + 1] >= 0.0) epoch[r * layers + l] = cell[2 * (first + l) + 1];
  }
  ip_release(&cell);
  return code;
}

double figure_median_event(const figure *f, const sweep_group *g, const double epoch[],
                           size_t layer, size_t *seen)
{
  const double *first = epoch + layer;
  const size_t stride = f->s->n_layers, half = (g->n + 1) / 2;
  double median = (double)NAN;

  *seen = 0;
  for (size_t r = 0; r < g->n; r++) *seen += first[r * stride] >= 0.0;
  if (*seen < half || g->n == 0) return median;
  for (size_t r = 0; r < g->n; r++) { /* the one that half of them do not exceed */
    size_t up_to = 0;

    for (size_t q = 0; q < g->n; q++) up_to += first[q * stride] <= first[r * stride];
    if (up_to >= half && !(first[r * stride] >= median)) median = first[r * stride];
  }
  return median;
}

size_t figure_look_of(const figure *f, const sweep_group *g, double epoch)
{
  size_t l = 0;

  while (l < g->n_looks && figure_epoch(f, g, l) != epoch) l++;
  return l;
}

/* ---- the plane ---------------------------------------------------------------------------------------- */

/* Bits that an axis covers at least, where X or Y is constant. */
static const double least_axis = 0.01;

PetscErrorCode figure_caps_read(const figure *f, const sweep_group *g, figure_caps *caps)
{
  const char *const field[] = {"h_x", "h_y", "i_xy"};
  double *const to[] = {&caps->h_x, &caps->h_y, &caps->i_xy}, *cell = NULL;
  PetscErrorCode code = PETSC_SUCCESS;

  *caps = (figure_caps){0};
  PetscCall(IP_ALLOCATE(f->s->n_columns, &cell));
  for (size_t i = 0; i < 3 * g->n && code == PETSC_SUCCESS; i++) {
    code = sweep_cells(f->s, field[i % 3], g->run[i / 3], cell);
    if (code == PETSC_SUCCESS) *to[i % 3] += cell[f->column] / (double)g->n;
  }
  ip_release(&cell);
  return code;
}

/* A dashed line across the panel and its name. */
static PetscErrorCode draw_cap(plot *p, bool vertical, double at, const char *name)
{
  static const char look[] =
      "nohead linewidth 1 " PAGE_THIN_DASHES " linecolor rgb '#909090' back";

  if (vertical) {
    PetscCall(ip_text_add(&p->body, "  set arrow from %.9g, graph 0 to %.9g, graph 1 %s\n", at,
                          at, look));
    return ip_text_add(&p->body,
                       "  set label '%s' at %.9g, graph 0.04 right offset -0.4,0 font ',7' "
                       "textcolor rgb '#707070'\n",
                       name, at);
  }
  PetscCall(ip_text_add(&p->body,
                        "  set arrow from graph 0, first %.9g to graph 1, first %.9g %s\n", at,
                        at, look));
  return ip_text_add(&p->body,
                     "  set label '%s' at graph 0.02, first %.9g left offset 0,0.5 font ',7' "
                     "textcolor rgb '#707070'\n",
                     name, at);
}

PetscErrorCode figure_plane(const figure *f, const page *g, plot *p, size_t i,
                            const sweep_group *group)
{
  figure_caps caps = {0};

  PetscCall(figure_caps_read(f, group, &caps));
  PetscCall(page_axes(g, p, i, page_is_lowest(g, i) ? page_i_xt : "",
                      page_is_left(g, i) ? page_i_ty : ""));
  PetscCall(ip_text_add(&p->body, "  set xrange [0:%.9g]; set yrange [0:%.9g]\n",
                        1.04 * fmax(least_axis, caps.h_x), 1.1 * fmax(least_axis, caps.i_xy)));

  const double inputs = exp2(caps.h_x); /* a whole number where all are equally likely */

  PetscCall(draw_cap(p, true, caps.h_x,
                     fabs(inputs - rint(inputs)) < 1e-6 * inputs
                         ? "log_2{/:Italic N}"
                         : "{/:Italic H}({/:Italic X})"));
  return draw_cap(p, false, caps.i_xy,
                  fabs(caps.i_xy - caps.h_y) < 1e-9
                      ? "{/:Italic H}({/:Italic Y})"
                      : "{/:Italic I}({/:Italic X};{/:Italic Y})");
}

/* ---- words --------------------------------------------------------------------------------------------- */

const char *figure_title(const figure *f, const sweep_group *group)
{
  return group->label[0] ? group->label : f->s->architecture[group->architecture];
}

PetscErrorCode figure_panel(const figure *f, const page *g, plot *p, size_t i,
                            const sweep_group *group)
{
  const size_t last = group->n_looks - 1;
  const double epochs = figure_epoch(f, group, last), each = group->updates[last] / epochs;

  ip_text_clear(&p->words);
  PetscCall(ip_text_add(&p->words, "%zu network%s", group->n, group->n == 1 ? "" : "s"));
  if (epochs > 0.0)
    PetscCall(ip_text_add(&p->words, ", %.4g update%s an epoch", each, each == 1.0 ? "" : "s"));
  return page_panel(g, p, i, figure_title(f, group), p->words.text);
}

PetscErrorCode figure_begin(const figure *f, const page *g, plot *p, const char *what)
{
  ip_text_clear(&p->words);
  PetscCall(ip_text_add(&p->words, "%s: %s", f->study->name, what));
  if (f->has_column)
    PetscCall(ip_text_add(&p->words, "; estimator %s", f->s->column[f->column]));
  return page_begin(g, p, p->words.text);
}

PetscErrorCode figure_lacks_optimizer(const figure *f, const char **what)
{
  PetscCall(figure_lacks_training(f, what));
  if (f->s->given) *what = "a network trained here: of this one only activations are known";
  return PETSC_SUCCESS;
}

PetscErrorCode figure_lacks_training(const figure *f, const char **what)
{
  *what = NULL;
  for (size_t i = 0; i < f->n; i++)
    if (f->group[i]->n_looks < 2) *what = "looks during training";
  return PETSC_SUCCESS;
}
