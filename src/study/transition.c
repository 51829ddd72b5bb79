/* Epochs at which a run changes its ways, found in its record and never drawn by hand.

   A look is a measured epoch; an event is given as the looks between which it lies, the one before
   and the one at which it is seen first.  v is a curve over the looks of a run.

     peak     I(X;T): first look within 0.02 bit of the maximum, where v falls by at least
              0.25 bit from its maximum to the last look
     fallen   the same curve: first look after the maximum at which 90 % of that fall is done
     learned  I(T;Y): first of three looks that all have at least 0.9 H(Y)
     onset    of diffusion: r = |mean of the gradients| / |their standard deviation|, and its
              median over 5 looks (2 before, 2 after); first of 5 looks whose medians are all
              below 1, after a median of at least 1, if there is one: at the start, before the
              drift begins, r may lie below 1 too.  A single look crosses 1 dozens of times.
     error    first look with a training error below 5 % */

#include "transition.h"
#include <math.h>

static const double near_peak = 0.02, least_fall = 0.25, most_of_fall = 0.9, /* bit, bit, 1 */
    enough = 0.9, small_error = 0.05;                                        /* of H(Y); 1  */
enum { STAYS = 3, WINDOW = 5, BELOW = 5, NEVER = -1 };

/* The looks of one run. */
typedef struct {
  const ip_plan *plan;
  const ip_measure *measure;
  ip_record *record;
  size_t layers;
  double *v; /* shape (n_looks): the curve at hand */
} looks;

/* ---- events on a curve: the number of the look, or NEVER ----------------------------------------- */

static int find_maximum(size_t n, const double v[])
{
  int best = 0;

  for (size_t i = 1; i < n; i++)
    if (v[i] > v[best]) best = (int)i;
  return best;
}

static int find_peak(size_t n, const double v[])
{
  const double most = v[find_maximum(n, v)];
  int i = 0;

  if (!(most - v[n - 1] >= least_fall)) return NEVER;
  while (v[i] < most - near_peak) i++;
  return i;
}

static int find_fallen(size_t n, const double v[])
{
  int i = find_maximum(n, v);
  const double most = v[i], fall = most - v[n - 1];

  if (!(fall >= least_fall)) return NEVER;
  while (v[i] > most - most_of_fall * fall) i++;
  return i;
}

/* First of `length` looks that all hold; NaN never does. */
static int find_lasting(size_t n, const double v[], double least, size_t length)
{
  size_t held = 0;

  for (size_t i = 0; i < n; i++) {
    held = v[i] >= least ? held + 1 : 0;
    if (held == length) return (int)(i + 1 - length);
  }
  return NEVER;
}

static double median_of_window(const double v[])
{
  double sorted[WINDOW];

  for (size_t i = 0; i < WINDOW; i++) {
    size_t j = i;

    if (isnan(v[i])) return (double)NAN;
    for (; j > 0 && sorted[j - 1] > v[i]; j--) sorted[j] = sorted[j - 1];
    sorted[j] = v[i];
  }
  return sorted[WINDOW / 2];
}

/* First of the looks from `first` on whose medians stay below 1. */
static int find_below(size_t first, size_t n, const double v[])
{
  size_t below = 0;

  for (size_t i = first; i + WINDOW / 2 < n; i++) {
    below = median_of_window(&v[i - WINDOW / 2]) < 1.0 ? below + 1 : 0;
    if (below == BELOW) return (int)(i + 1 - BELOW);
  }
  return NEVER;
}

static int find_onset(size_t n, const double v[])
{
  for (size_t i = WINDOW / 2; i + WINDOW / 2 < n; i++)
    if (median_of_window(&v[i - WINDOW / 2]) >= 1.0) return find_below(i, n, v);
  return find_below(WINDOW / 2, n, v); /* never a drift */
}

/* ---- where curves stand in the record, and where events go --------------------------------------- */

/* Every look of a field whose cells lie `stride` apart along the epochs. */
static void take(const looks *x, ip_field_index field, size_t first, size_t stride)
{
  const double *cell = x->record->array[field];

  for (size_t i = 0; i < x->measure->n_looks; i++)
    x->v[i] = cell[first + (size_t)x->measure->look[i] * stride];
}

/* place: of the pair of bounds in the field. */
static void put(const looks *x, ip_field_index field, size_t place, int look)
{
  int32_t *bound = (int32_t *)x->record->array[field] + 2 * place;

  if (look == NEVER) return; /* stays -1 */
  bound[0] = x->plan->epoch[x->measure->look[look > 0 ? look - 1 : 0]];
  bound[1] = x->plan->epoch[x->measure->look[look]];
}

static void look_at_column(const looks *x, size_t column)
{
  const size_t n = x->measure->n_looks, layers = x->plan->n_layers;
  const double *h_y = x->record->array[IP_FIELD_h_y];

  for (size_t l = 0; l < x->layers; l++) {
    const size_t first = column * x->plan->n_epochs * layers + l, place = column * layers + l;

    take(x, IP_FIELD_i_xt, first, layers);
    put(x, IP_FIELD_peak_epoch, place, find_peak(n, x->v));
    put(x, IP_FIELD_fallen_epoch, place, find_fallen(n, x->v));
    take(x, IP_FIELD_i_ty, first, layers);
    put(x, IP_FIELD_learned_epoch, place, find_lasting(n, x->v, enough * h_y[column], STAYS));
  }
}

/* Signal to noise of the gradients, layer by layer. */
static void look_at_gradients(const looks *x)
{
  const size_t layers = x->plan->n_layers;
  const double *noise = x->record->array[IP_FIELD_gradient_std_norm];

  for (size_t l = 0; l < x->layers; l++) {
    take(x, IP_FIELD_gradient_mean_norm, l, layers);
    for (size_t i = 0; i < x->measure->n_looks; i++)
      x->v[i] /= noise[(size_t)x->measure->look[i] * layers + l];
    put(x, IP_FIELD_onset_epoch, l, find_onset(x->measure->n_looks, x->v));
  }
}

static void look_at_error(const looks *x)
{
  int found = NEVER;

  take(x, IP_FIELD_accuracy_train, 0, 1);
  for (size_t i = x->measure->n_looks; i-- > 0;)
    if (1.0 - x->v[i] < small_error) found = (int)i;
  put(x, IP_FIELD_error_epoch, 0, found);
}

PetscErrorCode transitions_find(const ip_plan *plan, ip_record *record)
{
  const ip_run *run = &plan->run[record->run];
  looks x = {.plan = plan,
             .measure = &plan->measure[run->measure],
             .record = record,
             .layers = plan->architecture[run->architecture].layers};

  PetscCall(IP_ALLOCATE(x.measure->n_looks, &x.v));
  for (size_t c = 0; c < x.measure->n_columns; c++)
    look_at_column(&x, (size_t)x.measure->column[c]);
  look_at_gradients(&x);
  look_at_error(&x);
  ip_release(&x.v);
  return PETSC_SUCCESS;
}
