/* What neurons look at, for images: the incoming weights of units of the first layer as pictures, and
   the input that the network takes for the best example of each class (the talk's "looking at
   neurons").  Of the first network of the group that kept its weights. */

#include "ascent.h"
#include "figure.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

enum { LEAST_SIDE = 8, MOST_TILES = 64, GAP = 1, TEXT_GAP = 8 };

static size_t side_of(const sweep_group *g)
{
  return (size_t)lround(sqrt((double)g->features));
}

/* ---- the network --------------------------------------------------------------------------------------- */

/* Row of a table of names with the group's word of a key. */
static int row_of(const figure *f, const sweep_group *g, const char *key, ip_names names)
{
  const int k = sweep_key_find(f->s, key);
  char text[64] = "";

  if (k >= 0) sweep_key_format(f->s, g, (size_t)k, text);
  return ip_names_find(names, text);
}

/* Parameters at the end of training; release them.  *found = false: not kept. */
static PetscErrorCode read_weights(const figure *f, const sweep_group *g, double **parameter,
                                   bool *found)
{
  size_t n_axes = 0, length[IP_RESULTS_RANK] = {0};

  *found = false;
  if (!ip_results_shape(f->s->file, "weights", &n_axes, length)) return PETSC_SUCCESS;

  const size_t looked = length[1] == 1 ? 0 : (size_t)g->look[g->n_looks - 1],
               start[3] = {g->run[0], looked, 0}, count[3] = {1, 1, length[2]};
  double *read = NULL;

  PetscCall(IP_ALLOCATE(length[2], &read));

  const PetscErrorCode code = ip_results_block(f->s->file, "weights", 3, start, count, read);

  *found = code == PETSC_SUCCESS && isfinite(read[0]);
  if (*found)
    *parameter = read;
  else
    ip_release(&read);
  return code;
}

/* ---- tiles ------------------------------------------------------------------------------------------------ */

/* n pictures of side x side in rows of `columns`, `gap` empty pixels above each: as one matrix. */
typedef struct {
  size_t n, side, columns, rows, gap;
  double *pixel; /* shape (rows * (side + gap), columns * (side + GAP)) */
} tiles;

static PetscErrorCode tiles_create(size_t n, size_t side, size_t gap, tiles *t)
{
  *t = (tiles){.n = n, .side = side, .columns = (size_t)ceil(sqrt((double)n)), .gap = gap};
  t->rows = (n + t->columns - 1) / t->columns;
  return IP_ALLOCATE(t->rows * (side + gap) * t->columns * (side + GAP), &t->pixel);
}

static size_t top_of(const tiles *t, size_t i)
{
  return i / t->columns * (t->side + t->gap) + t->gap;
}

static size_t left_of(const tiles *t, size_t i)
{
  return i % t->columns * (t->side + GAP);
}

static void tiles_set(tiles *t, size_t i, const double picture[])
{
  const size_t stride = t->columns * (t->side + GAP);

  for (size_t y = 0; y < t->side; y++)
    memcpy(t->pixel + (top_of(t, i) + y) * stride + left_of(t, i), picture + y * t->side,
           t->side * sizeof *picture);
}

static PetscErrorCode tiles_write(const tiles *t, plot *p)
{
  const size_t stride = t->columns * (t->side + GAP);

  for (size_t y = 0; y < t->rows * (t->side + t->gap); y++)
    PetscCall(plot_row(p, stride, t->pixel + y * stride));
  return PETSC_SUCCESS;
}

/* The panel of the tiles, square: frames, then the last block of data as an image. */
static PetscErrorCode tiles_draw(const tiles *t, plot *p)
{
  const double side = (double)t->side, across = fmax((double)t->columns * (side + GAP),
                                                     (double)(t->rows * (t->side + t->gap)));

  PetscCall(ip_text_add(&p->body, "  unset object; unset border; unset xtics; unset ytics\n"));
  for (size_t i = 0; i < t->n; i++) {
    const double left = (double)left_of(t, i) - 0.5, top = (double)top_of(t, i) - 0.5;

    PetscCall(
        ip_text_add(&p->body,
                    "  set object rectangle from %.4g,%.4g to %.4g,%.4g front fillstyle empty "
                    "border linecolor rgb '#a0a0a0' linewidth 0.5\n",
                    left, top, left + side, top + side));
  }
  return ip_text_add(&p->body,
                     "  set xrange [-0.5:%.4g]; set yrange [%.4g:-0.5]\n"
                     "  plot data index %zu matrix with image notitle\n  unset object\n",
                     across - 0.5, across - 0.5, p->blocks - 1);
}

/* Colors from low to high, and their map below the panel. */
static PetscErrorCode draw_map(plot *p, const char *palette, double low, double high)
{
  return ip_text_add(
      &p->body,
      "  set palette defined (%s); set cbrange [%.9g:%.9g]\n"
      "  set cbtics (%.2g, %.2g, %.2g) scale 0.5\n"
      "  set colorbox horizontal user origin graph 0.2,-0.07 size graph 0.6,0.03 "
      "noborder\n",
      palette, low, high, low, 0.5 * (low + high), high);
}

/* ---- the two panels ---------------------------------------------------------------------------------------- */

static PetscErrorCode add_units(const sweep_group *g, const double parameter[],
                                const page *sheet, plot *p)
{
  const size_t units = (size_t)g->width[0], n = units < MOST_TILES ? units : MOST_TILES;
  double most = 0.0;
  char title[64];
  tiles t;

  PetscCall(plot_block(p, "incoming weights of units of layer 1",
                       "matrix of pixels; pictures in rows, zeros between them"));
  PetscCall(tiles_create(n, side_of(g), GAP, &t));
  for (size_t i = 0; i < n * g->features; i++) most = fmax(most, fabs(parameter[i]));
  for (size_t u = 0; u < n; u++) tiles_set(&t, u, parameter + u * g->features);
  snprintf(title, sizeof title, "incoming weights of %zu of %zu units", n, units);

  PetscErrorCode code = tiles_write(&t, p);

  if (code == PETSC_SUCCESS) code = page_panel(sheet, p, 0, title, "");
  if (code == PETSC_SUCCESS)
    code = draw_map(p, "0 '#2166ac', 1 '#92c5de', 2 '#ffffff', 3 '#f4a582', 4 '#b2182b'", -most,
                    most);
  if (code == PETSC_SUCCESS) code = tiles_draw(&t, p);
  ip_release(&t.pixel);
  return code;
}

/* The class and what the network gives it, above each tile. */
static PetscErrorCode label_classes(const tiles *t, const double probability[], plot *p)
{
  for (size_t i = 0; i < t->n; i++)
    PetscCall(ip_text_add(
        &p->body, "  set label '%zu: %.3f' at first %zu,%.4g left front font ',6.5'\n", i,
        probability[i], left_of(t, i), (double)top_of(t, i) - 0.45 * TEXT_GAP));
  return PETSC_SUCCESS;
}

static PetscErrorCode fill_classes(const figure *f, const sweep_group *g,
                                   const double parameter[], tiles *t, double probability[])
{
  const int activation = row_of(f, g, "activation", ip_activation_name),
            output = row_of(f, g, "output", ip_output_name);
  ip_network_shape shape = {.layers = g->layers,
                            .activation = (size_t)(activation > 0 ? activation : 0),
                            .output = output == IP_OUTPUT_SIGMOID ? IP_OUTPUT_SIGMOID
                                                                  : IP_OUTPUT_SOFTMAX};
  int32_t *width = NULL;
  double *x = NULL;
  PetscErrorCode code = IP_ALLOCATE(g->layers + 1, &width);

  if (code == PETSC_SUCCESS) code = IP_ALLOCATE(g->features, &x);
  if (code == PETSC_SUCCESS) {
    width[0] = (int32_t)g->features;
    memcpy(width + 1, g->width, g->layers * sizeof *width);
    shape.width = width;
  }
  for (size_t c = 0; c < t->n && code == PETSC_SUCCESS; c++) {
    code = ascent_maximize(&shape, parameter, (int32_t)c, x, &probability[c]);
    if (code == PETSC_SUCCESS) tiles_set(t, c, x);
  }
  ip_release(&width);
  ip_release(&x);
  return code;
}

static PetscErrorCode add_classes(const figure *f, const sweep_group *g,
                                  const double parameter[], const page *sheet, plot *p)
{
  const size_t outputs = (size_t)g->width[g->layers - 1], classes = outputs > 1 ? outputs : 2,
               n = classes < MOST_TILES ? classes : MOST_TILES;
  double probability[MOST_TILES];
  tiles t;

  PetscCall(plot_block(p, "inputs in [0, 1] that maximize the log-probability of each class",
                       "matrix of pixels; pictures in rows, zeros between them"));
  PetscCall(tiles_create(n, side_of(g), TEXT_GAP, &t));

  PetscErrorCode code = fill_classes(f, g, parameter, &t, probability);

  if (code == PETSC_SUCCESS) code = tiles_write(&t, p);
  if (code == PETSC_SUCCESS)
    code = page_panel(sheet, p, 1, "best input of each class: probability", "");
  if (code == PETSC_SUCCESS) code = draw_map(p, "0 '#ffffff', 1 '#000000'", 0.0, 1.0);
  if (code == PETSC_SUCCESS) code = label_classes(&t, probability, p);
  if (code == PETSC_SUCCESS) code = tiles_draw(&t, p);
  ip_release(&t.pixel);
  return code;
}

PetscErrorCode figure_fill_neurons(const figure *f, plot *p)
{
  const sweep_group *g = f->group[0];
  page sheet = page_of_pairs(1);
  double *parameter = NULL;
  bool found = false;

  sheet.height = sheet.width;
  sheet.gap_x = 0.8;
  PetscCall(figure_begin(f, &sheet, p, figure_title(f, g)));
  PetscCall(page_panels(&sheet, p));
  PetscCall(read_weights(f, g, &parameter, &found));
  IP_CHECK(found, IP_ERR_DATA, "%s: run %zu kept no weights", f->s->path, g->run[0]);

  PetscErrorCode code = add_units(g, parameter, &sheet, p);

  if (code == PETSC_SUCCESS) code = add_classes(f, g, parameter, &sheet, p);
  ip_release(&parameter);
  if (code == PETSC_SUCCESS) code = page_end(p);
  return code;
}

PetscErrorCode figure_lacks_images(const figure *f, const char **what)
{
  const sweep_group *g = f->group[0];
  const size_t side = side_of(g);
  double *parameter = NULL;
  bool found = false;

  *what = "images, so many features as a square has pixels (784 = 28 x 28)";
  if (side < LEAST_SIDE || side * side != g->features) return PETSC_SUCCESS;

  const PetscErrorCode code = read_weights(f, g, &parameter, &found);

  ip_release(&parameter);
  *what = found ? NULL : "weights in the file (save.weights: final)";
  return code;
}
