/* The way of the layers through the plane of information, played: a frame for each of up to 108 looks,
   evenly in the logarithm of the epoch; the last one stays for a second.  Large points are means over
   networks, small ones networks.  A panel for every group; frames are looks of the group that was
   trained longest. */

#include "figure.h"
#include <math.h>

enum { MOST_FRAMES = 108, HOLD = 12, MOST_NETWORKS = 100 }; /* HOLD: of the last frame */

/* Frames and what every network shows in them. */
typedef struct {
  size_t n, networks; /* frames; networks of the group shown              */
  double *epoch;      /* shape (n)                                        */
  double *xt, *ty;    /* of one group, shape (n, n_layers, 1 + networks): the mean first */
} frames;

/* Looks of the group that was trained longest, thinned. */
static PetscErrorCode choose_frames(const figure *f, frames *x)
{
  const sweep_group *g = f->group[0];

  for (size_t i = 1; i < f->n; i++)
    if (figure_epoch(f, f->group[i], f->group[i]->n_looks - 1) >
        figure_epoch(f, g, g->n_looks - 1))
      g = f->group[i];

  const double last = log1p(figure_epoch(f, g, g->n_looks - 1));
  double next = 0.0;

  PetscCall(IP_ALLOCATE(g->n_looks + HOLD, &x->epoch));
  for (size_t l = 0; l < g->n_looks; l++) {
    const double at = log1p(figure_epoch(f, g, l));

    if (at < next && l + 1 < g->n_looks) continue;
    x->epoch[x->n++] = figure_epoch(f, g, l);
    next = fmax(next + last / MOST_FRAMES, at);
  }
  for (size_t i = 0; i < HOLD; i++, x->n++) x->epoch[x->n] = x->epoch[x->n - 1];
  return PETSC_SUCCESS;
}

/* Look of the group that a frame shows: the last one up to its epoch. */
static size_t look_at(const figure *f, const sweep_group *g, double epoch)
{
  size_t l = 0;

  while (l + 1 < g->n_looks && figure_epoch(f, g, l + 1) <= epoch) l++;
  return l;
}

/* to: shape (n, n_layers, 1 + networks); place 0 is the mean. */
static void put(const figure *f, const sweep_group *g, const frames *x, const double value[],
                double to[], size_t place)
{
  for (size_t i = 0; i < x->n; i++)
    for (size_t layer = 0; layer < g->layers; layer++)
      to[(i * f->s->n_layers + layer) * (1 + x->networks) + place] =
          value[figure_cell(f, g, look_at(f, g, x->epoch[i]), layer)];
}

static PetscErrorCode read_field(const figure *f, const sweep_group *g, const frames *x,
                                 const char *field, double to[])
{
  figure_band band = {0};
  PetscErrorCode code = figure_band_read(f, g, field, &band);

  if (code == PETSC_SUCCESS) put(f, g, x, band.mean, to, 0);
  for (size_t r = 0; r < x->networks && code == PETSC_SUCCESS; r++) {
    code = sweep_curve(f->s, field, g->run[r], f->column, band.mean);
    if (code == PETSC_SUCCESS) put(f, g, x, band.mean, to, 1 + r);
  }
  figure_band_clear(&band);
  return code;
}

/* A block of data for each frame: networks, then means, which are drawn over them. */
static PetscErrorCode write_frames(const figure *f, const sweep_group *g, const frames *x,
                                   plot *p)
{
  const size_t points = 1 + x->networks;

  for (size_t i = 0; i < x->n; i++) {
    const size_t l = look_at(f, g, x->epoch[i]);

    PetscCall(
        plot_block(p, figure_title(f, g),
                   "epoch update layer network (0: mean) | I(X;T) I(T;Y), bit | linetype"));
    for (size_t k = points; k-- > 0;)
      for (size_t layer = 0; layer < g->layers; layer++) {
        const size_t c = (i * f->s->n_layers + layer) * points + k;

        PetscCall(plot_row(p, 7,
                           (const double[]){figure_epoch(f, g, l), g->updates[l],
                                            (double)layer + 1, (double)k, x->xt[c], x->ty[c],
                                            (double)page_linetype(layer, g->layers)}));
      }
  }
  return PETSC_SUCCESS;
}

static PetscErrorCode write_group(const figure *f, const sweep_group *g, frames *x, plot *p)
{
  PetscErrorCode code;

  x->networks = g->n < MOST_NETWORKS ? g->n : MOST_NETWORKS;

  const size_t cells = x->n * f->s->n_layers * (1 + x->networks);

  code = IP_ALLOCATE(cells, &x->xt);
  if (code == PETSC_SUCCESS) code = IP_ALLOCATE(cells, &x->ty);
  if (code == PETSC_SUCCESS) code = read_field(f, g, x, "i_xt", x->xt);
  if (code == PETSC_SUCCESS) code = read_field(f, g, x, "i_ty", x->ty);
  if (code == PETSC_SUCCESS) code = write_frames(f, g, x, p);
  ip_release(&x->xt);
  ip_release(&x->ty);
  return code;
}

/* Words of a list of gnuplot: what each frame of the group shows. */
static PetscErrorCode add_list(const figure *f, const frames *x, plot *p, size_t i, bool epochs)
{
  const sweep_group *g = f->group[i];

  PetscCall(ip_text_add(&p->body, "  %s_%zu = '", epochs ? "epochs" : "updates", i));
  for (size_t k = 0; k < x->n; k++) {
    const size_t l = look_at(f, g, x->epoch[k]);

    PetscCall(ip_text_add(&p->body, "%s%.0f", k ? " " : "",
                          epochs ? figure_epoch(f, g, l) : g->updates[l]));
  }
  return ip_text_add(&p->body, "'\n");
}

/* Lists of the shapes and of the light colors of all linetypes. */
static PetscErrorCode add_looks(plot *p)
{
  enum { TYPES = 15 };

  PetscCall(ip_text_add(&p->body, "  shapes = '"));
  for (size_t type = 1; type <= TYPES; type++)
    PetscCall(ip_text_add(&p->body, "%d%s", plot_shape(type), type < TYPES ? " " : "'\n"));
  PetscCall(ip_text_add(&p->body, "  lights = '"));
  for (size_t type = 1; type <= TYPES; type++)
    PetscCall(ip_text_add(&p->body, "%d%s", plot_light(type), type < TYPES ? " " : "'\n"));
  return ip_text_add(&p->body, "  shape(type) = int(word(shapes, int(type)))\n"
                               "  light(type) = int(word(lights, int(type)))\n");
}

/* A speck in every other frame, hardly not white: libgd leaves out a frame that is equal to the one
   before it, and the last one would not stay. */
static PetscErrorCode add_speck(plot *p)
{
  return ip_text_add(
      &p->body,
      "  set object rectangle center screen 0.5,0.5 size screen 0.04/W,0.04/H behind \\\n"
      "    fillstyle solid noborder fillcolor rgb (frame %% 2 ? '#ffffff' : "
      "'#fefefe')\n");
}

/* Panel i of a frame: networks, then means with an outline.  Its data are block i * n + frame. */
static PetscErrorCode draw_group(const frames *x, plot *p, size_t i)
{
  static const char *const layer[] = {
      "($4 > 0 ? $5 : NaN):6:(0.6*P):(shape($7)):(light($7)) with points linecolor rgb "
      "variable",
      "($4 == 0 ? $5 : NaN):6:(2.1*P):(shape($7)) with points linecolor rgb '#202020'",
      "($4 == 0 ? $5 : NaN):6:(1.5*P):(shape($7)):7 with points linecolor variable"};

  PetscCall(ip_text_add(&p->body,
                        "  set label 'epoch '.word(epochs_%zu, frame + 1).', update "
                        "'.word(updates_%zu, frame + 1) at graph 0.93,0.13 right\n",
                        i, i));
  for (size_t k = 0; k < 3; k++)
    PetscCall(ip_text_add(&p->body,
                          "%sdata index (%zu + frame) using %s pointtype variable pointsize "
                          "variable linewidth 2 notitle",
                          k ? ", \\\n    " : "  plot ", i * x->n, layer[k]));
  return ip_text_add(&p->body, "\n");
}

PetscErrorCode figure_fill_animation(const figure *f, plot *p)
{
  page g = page_of_planes(f->n);
  frames x = {0};

  PetscCall(figure_begin(f, &g, p, "large points: mean over networks"));
  PetscCall(page_layers(p, figure_layers(f), PAGE_POINT, false));
  PetscCall(page_panels(&g, p));

  PetscErrorCode code = choose_frames(f, &x);

  for (size_t i = 0; i < f->n && code == PETSC_SUCCESS; i++)
    code = write_group(f, f->group[i], &x, p);
  p->frames = x.n;
  if (code == PETSC_SUCCESS) code = add_looks(p);
  if (code == PETSC_SUCCESS) code = add_speck(p);
  for (size_t i = 0; i < f->n && code == PETSC_SUCCESS; i++) {
    const sweep_group *group = f->group[i];

    code = add_list(f, &x, p, i, true);
    if (code == PETSC_SUCCESS) code = add_list(f, &x, p, i, false);
    if (code == PETSC_SUCCESS) code = figure_panel(f, &g, p, i, group);
    if (code == PETSC_SUCCESS) code = figure_plane(f, &g, p, i, group);
    if (code == PETSC_SUCCESS) code = draw_group(&x, p, i);
  }
  ip_release(&x.epoch);
  if (code == PETSC_SUCCESS) code = page_end(p);
  return code;
}
