/* Numbers of a run that claims and tables ask for, taken from its curves one run at a time. */

#include "digest.h"
#include <infoplane/bottleneck.h>
#include <math.h>

static const double rise =
    1e-6; /* bit: what counts as more information than the layer before */
static const double beyond =
    0.01; /* bit: so far above the end of the curve is at its end       */

/* Room for reading one run, and where its numbers go. */
typedef struct {
  const sweep *s;
  const sweep_group *g;
  size_t column;
  double *xt, *ty;             /* shape (n_epochs, n_layers)                  */
  double *cell;                /* shape (n_layers, 2)                         */
  size_t n_beta;               /* 0: certain labels                           */
  double *curve_xt, *curve_ty; /* shape (n_beta)                              */
  double *out;                 /* shape (QUANTITIES, layers): of the run at hand */
} reader;

static void set(const reader *r, quantity q, size_t layer, double value)
{
  r->out[(size_t)q * r->g->layers + layer] = value;
}

static double got(const reader *r, quantity q, size_t layer)
{
  return r->out[(size_t)q * r->g->layers + layer];
}

double digest_at(const digest *d, size_t run, quantity q, size_t layer)
{
  if (layer >= d->layers) return (double)NAN;
  return d->value[(run * QUANTITIES + (size_t)q) * d->layers + layer];
}

size_t digest_last_hidden(const digest *d)
{
  return d->layers > 1 ? d->layers - 2 : d->layers;
}

size_t digest_output(const digest *d)
{
  return d->layers - 1;
}

/* ---- reading ----------------------------------------------------------------------------- */

/* Cells of a field of the column, from (run, column) on: the last axes whole. */
static PetscErrorCode read_cells(const reader *r, const char *field, size_t run)
{
  size_t n_axes = 0, length[IP_RESULTS_RANK], start[IP_RESULTS_RANK] = {run, r->column};
  size_t count[IP_RESULTS_RANK] = {1, 1};

  IP_CHECK(ip_results_shape(r->s->file, field, &n_axes, length), IP_ERR_DATA,
           "%s has no variable %s", r->s->path, field);
  for (size_t a = 2; a < n_axes; a++) count[a] = length[a];
  return ip_results_block(r->s->file, field, n_axes, start, count, r->cell);
}

/* An event of the column in every layer. */
static PetscErrorCode read_event(const reader *r, const char *field, size_t run,
                                 quantity before)
{
  PetscCall(read_cells(r, field, run));
  for (size_t l = 0; l < r->g->layers; l++)
    for (size_t bound = 0; bound < 2; bound++) {
      const double epoch = r->cell[2 * l + bound];

      set(r, (quantity)(before + bound), l, epoch >= 0.0 ? epoch : (double)NAN);
    }
  return PETSC_SUCCESS;
}

/* A number of the column, in every layer where the field has layers. */
static PetscErrorCode read_number(const reader *r, const char *field, size_t run, quantity q,
                                  size_t layers)
{
  if (!sweep_has(r->s, field)) return PETSC_SUCCESS; /* stays NaN */
  PetscCall(read_cells(r, field, run));
  for (size_t l = 0; l < layers; l++) set(r, q, l, r->cell[l]);
  return PETSC_SUCCESS;
}

/* ---- a column ---------------------------------------------------------------------------- */

static double at(const reader *r, const double curve[], size_t look, size_t layer)
{
  return curve[(size_t)r->g->look[look] * r->s->n_layers + layer];
}

static void follow_layer(const reader *r, size_t l)
{
  const size_t n = r->g->n_looks;
  size_t top = 0;
  double before = at(r, r->ty, 0, l), most = before;

  for (size_t i = 0; i < n; i++) {
    const double ty = at(r, r->ty, i, l);

    if (ty > most) most = ty;
    if (at(r, r->xt, i, l) > at(r, r->xt, top, l)) {
      top = i;
      before = most;
    }
  }
  set(r, XT_START, l, at(r, r->xt, 0, l));
  set(r, XT_MAX, l, at(r, r->xt, top, l));
  set(r, XT_END, l, at(r, r->xt, n - 1, l));
  set(r, TY_START, l, at(r, r->ty, 0, l));
  set(r, TY_MAX, l, most);
  set(r, TY_END, l, at(r, r->ty, n - 1, l));
  set(r, TY_BEFORE, l, before);
  set(r, TY_AT, l, at(r, r->ty, top, l));
}

/* Where a layer knows more of the input than the one before. */
static void compare_layers(const reader *r, size_t l)
{
  const size_t n = r->g->n_looks;
  size_t rises = 0;
  double most = 0.0;

  for (size_t i = 0; i < n; i++) {
    const double more = at(r, r->xt, i, l) - at(r, r->xt, i, l - 1);

    if (isnan(more)) return;
    if (more > rise) rises++;
    if (more > rise && more > most) most = more;
  }
  set(r, RISES, l, (double)rises / (double)n);
  set(r, RISE_MOST, l, most);
}

/* Distance of the layer at the end to the curve of its data set, for certain labels along
   I(X;T) alone.  I(T;Y) at the end of the curve or a little above (its last beta is finite)
   is measured from its last point, which makes the distance too large, if at all. */
static void find_distance(const reader *r, size_t l)
{
  const double i_xt = got(r, XT_END, l), i_ty = got(r, TY_END, l);
  ip_bound_distance d = {i_xt - i_ty, (double)NAN};

  if (r->n_beta > 0) {
    const double last = r->curve_ty[r->n_beta - 1];
    const bool above = i_ty > last && i_ty <= last + beyond;

    d = ip_bottleneck_distance(r->n_beta, r->curve_xt, r->curve_ty, i_xt, above ? last : i_ty);
    if (above) d.vertical += last - i_ty;
  }
  set(r, DISTANCE, l, d.horizontal);
  set(r, VERTICAL, l, d.vertical);
}

static PetscErrorCode digest_one(const reader *r, size_t run)
{
  const size_t layers = r->g->layers;

  PetscCall(sweep_curve(r->s, "i_xt", run, r->column, r->xt));
  PetscCall(sweep_curve(r->s, "i_ty", run, r->column, r->ty));
  PetscCall(read_event(r, "peak_epoch", run, PEAK_BEFORE));
  PetscCall(read_event(r, "fallen_epoch", run, FALLEN_BEFORE));
  PetscCall(read_event(r, "learned_epoch", run, LEARNED_BEFORE));
  PetscCall(read_number(r, "i_xy", run, I_XY, 1));
  PetscCall(read_number(r, "beta_best", run, BETA_BEST, layers));
  PetscCall(read_number(r, "beta_misfit", run, BETA_MISFIT, layers));
  PetscCall(read_number(r, "beta_edge", run, BETA_EDGE, layers));
  PetscCall(
      sweep_at(r->s, "i_ty_bias", run, r->column, r->g->look[r->g->n_looks - 1], r->cell));
  for (size_t l = 0; l < layers; l++) {
    set(r, BIAS, l, r->cell[l]);
    follow_layer(r, l);
    if (l > 0) compare_layers(r, l);
    find_distance(r, l);
  }
  return PETSC_SUCCESS;
}

/* ---- of no column ------------------------------------------------------------------------ */

static PetscErrorCode read_pair(const reader *r, const char *field, size_t run, quantity before,
                                size_t layers)
{
  PetscCall(sweep_cells(r->s, field, run, r->cell));
  for (size_t i = 0; i < 2 * layers; i++)
    set(r, before + i % 2, i / 2, r->cell[i] >= 0.0 ? r->cell[i] : (double)NAN);
  return PETSC_SUCCESS;
}

static PetscErrorCode read_look(const reader *r, const char *field, size_t run, size_t look,
                                quantity q)
{
  const bool one = q == ACCURACY;

  PetscCall(sweep_at(r->s, field, run, 0, r->g->look[look], r->cell));
  for (size_t l = 0; l < (one ? 1 : r->g->layers); l++) set(r, q, l, r->cell[l]);
  return PETSC_SUCCESS;
}

static PetscErrorCode digest_common(const reader *r, size_t run)
{
  const size_t last = r->g->n_looks - 1;

  PetscCall(read_pair(r, "onset_epoch", run, ONSET_BEFORE, r->g->layers));
  PetscCall(read_pair(r, "error_epoch", run, ERROR_BEFORE, 1));
  PetscCall(read_look(r, "accuracy_test", run, last, ACCURACY));
  PetscCall(read_look(r, "gradient_std_norm", run, last, NOISE_END));
  PetscCall(read_look(r, "weight_norm", run, 0, NORM_START));
  PetscCall(read_look(r, "weight_norm", run, last, NORM_END));
  PetscCall(read_look(r, "weight_correlation", run, 0, CORRELATION_START));
  PetscCall(read_look(r, "weight_correlation", run, last, CORRELATION_END));
  PetscCall(sweep_cells(r->s, "timing/seconds", run, r->cell));
  set(r, SECONDS, 0, r->cell[0]);
  return PETSC_SUCCESS;
}

/* ---- the curve --------------------------------------------------------------------------- */

static PetscErrorCode read_curve(reader *r)
{
  const size_t n = ip_results_axis(r->s->file, "beta"), start[2] = {r->g->data, 0};
  const size_t count[2] = {1, n};

  if (n == 0 || !sweep_has(r->s, "curve_i_xt")) return PETSC_SUCCESS;
  PetscCall(IP_ALLOCATE(n, &r->curve_xt));
  PetscCall(IP_ALLOCATE(n, &r->curve_ty));
  PetscCall(ip_results_block(r->s->file, "curve_i_xt", 2, start, count, r->curve_xt));
  PetscCall(ip_results_block(r->s->file, "curve_i_ty", 2, start, count, r->curve_ty));
  if (!isnan(r->curve_ty[n - 1])) r->n_beta = n;
  return PETSC_SUCCESS;
}

PetscErrorCode digest_certain(const sweep *s, const sweep_group *g, bool *certain)
{
  reader r = {.s = s, .g = g};
  const PetscErrorCode code = read_curve(&r);

  if (!code) *certain = r.n_beta == 0;
  ip_release(&r.curve_xt);
  ip_release(&r.curve_ty);
  return code;
}

/* ---- a group ----------------------------------------------------------------------------- */

static PetscErrorCode reader_open(reader *r, digest *d)
{
  const size_t cells = r->s->n_epochs * r->s->n_layers, room = QUANTITIES * r->g->layers;

  *d = (digest){.group = r->g, .layers = r->g->layers};
  PetscCall(IP_ALLOCATE(cells, &r->xt));
  PetscCall(IP_ALLOCATE(cells, &r->ty));
  PetscCall(IP_ALLOCATE(2 * r->s->n_layers, &r->cell));
  PetscCall(IP_ALLOCATE(r->g->n * room, &d->value));
  for (size_t i = 0; i < r->g->n * room; i++) d->value[i] = (double)NAN;
  return PETSC_SUCCESS;
}

static void reader_close(reader *r)
{
  ip_release(&r->xt);
  ip_release(&r->ty);
  ip_release(&r->cell);
  ip_release(&r->curve_xt);
  ip_release(&r->curve_ty);
}

static PetscErrorCode digest_all(reader *r, PetscErrorCode (*one)(const reader *r, size_t run),
                                 digest *d)
{
  PetscErrorCode code = reader_open(r, d);

  if (!code) code = read_curve(r);
  for (size_t i = 0; !code && i < r->g->n; i++) {
    r->out = &d->value[i * QUANTITIES * d->layers];
    code = one(r, r->g->run[i]);
  }
  reader_close(r);
  if (code) digest_clear(d);
  return code;
}

PetscErrorCode digest_column(const sweep *s, const sweep_group *g, size_t column, digest *d)
{
  reader r = {.s = s, .g = g, .column = column};

  PetscCall(digest_all(&r, digest_one, d));
  for (size_t i = 0; i < g->n; i++)
    if (!isnan(digest_at(d, i, XT_END, digest_output(d)))) d->measured = true;
  return PETSC_SUCCESS;
}

PetscErrorCode digest_runs(const sweep *s, const sweep_group *g, digest *d)
{
  reader r = {.s = s, .g = g};

  PetscCall(digest_all(&r, digest_common, d));
  d->measured = g->n > 0;
  return PETSC_SUCCESS;
}

void digest_clear(digest *d)
{
  ip_release(&d->value);
  *d = (digest){0};
}
