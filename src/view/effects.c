/* What the claims measure of a run; their definitions stand in claims.def. */

#include "effects.h"
#include <math.h>

/* A quantity of the column in the last hidden layer. */
static double deep(const subject *x, size_t group, size_t run, quantity q)
{
  const digest *d = &x->of[group];

  return digest_at(d, run, q, digest_last_hidden(d));
}

static double last_layer(const subject *x, size_t group, size_t run, quantity q)
{
  const digest *d = &x->of[group];

  return digest_at(d, run, q, digest_output(d));
}

double label_gained(const subject *x, size_t group, size_t run)
{
  return deep(x, group, run, TY_BEFORE) - deep(x, group, run, TY_START);
}

double input_gained(const subject *x, size_t group, size_t run)
{
  return deep(x, group, run, XT_MAX) - deep(x, group, run, XT_START);
}

double fall(const subject *x, size_t group, size_t run)
{
  return deep(x, group, run, XT_MAX) - deep(x, group, run, XT_END);
}

double label_lost(const subject *x, size_t group, size_t run)
{
  if (isnan(deep(x, group, run, PEAK_AFTER))) return (double)NAN;
  return deep(x, group, run, TY_AT) - deep(x, group, run, TY_END);
}

double label_fall_of_output(const subject *x, size_t group, size_t run)
{
  return last_layer(x, group, run, TY_MAX) - last_layer(x, group, run, TY_END);
}

/* ---- times ------------------------------------------------------------------------------- */

static double updates_at(const subject *x, size_t group, double epoch)
{
  return sweep_updates_at(x->s, &x->study->group[group], epoch);
}

double updates_to_peak(const subject *x, size_t group, size_t run)
{
  return updates_at(x, group, deep(x, group, run, PEAK_AFTER));
}

double updates_to_fallen(const subject *x, size_t group, size_t run)
{
  return updates_at(x, group, deep(x, group, run, FALLEN_AFTER));
}

double updates_to_learned(const subject *x, size_t group, size_t run)
{
  return updates_at(x, group, last_layer(x, group, run, LEARNED_AFTER));
}

static double onset(const subject *x, size_t group, size_t run)
{
  const digest *d = &x->common[group];

  return digest_at(d, run, ONSET_AFTER, digest_last_hidden(d));
}

double updates_to_onset(const subject *x, size_t group, size_t run)
{
  return updates_at(x, group, onset(x, group, run));
}

double has_onset(const subject *x, size_t group, size_t run)
{
  enum { LOOKS = 9 }; /* medians over 5 looks, 5 of them: fewer cannot have an onset */
  const digest *d = &x->common[group];

  if (x->study->group[group].n_looks < LOOKS) return (double)NAN;
  if (isnan(digest_at(d, run, NOISE_END, digest_last_hidden(d)))) return (double)NAN;
  return isnan(onset(x, group, run)) ? 0.0 : 1.0;
}

/* ---- at the end -------------------------------------------------------------------------- */

double accuracy(const subject *x, size_t group, size_t run)
{
  return digest_at(&x->common[group], run, ACCURACY, 0);
}

static double mean_of_hidden(const subject *x, size_t group, size_t run, quantity q)
{
  const digest *d = &x->of[group];
  double sum = 0.0;

  for (size_t l = 0; l + 1 < d->layers; l++) sum += digest_at(d, run, q, l);
  return d->layers > 1 ? sum / (double)(d->layers - 1) : (double)NAN;
}

double distance(const subject *x, size_t group, size_t run)
{
  return mean_of_hidden(x, group, run, DISTANCE);
}

double misfit(const subject *x, size_t group, size_t run)
{
  return mean_of_hidden(x, group, run, BETA_MISFIT);
}

bool neurons_compare(const subject *x, size_t group, size_t layer)
{
  const sweep_group *g = &x->study->group[group];
  const bool pair = layer + 1 == g->layers && g->width[layer] == 2;

  return g->width[layer] > 1 && !(pair && contrast_is(x->s, g, "output", "softmax"));
}

double correlation_of_neurons(const subject *x, size_t group, size_t run)
{
  const sweep_group *g = &x->study->group[group];
  double sum = 0.0, n = 0.0;

  for (size_t l = 0; l < g->layers; l++) {
    const size_t inputs = l > 0 ? (size_t)g->width[l - 1] : g->features;
    const double r = digest_at(&x->common[group], run, CORRELATION_END, l);

    if (!neurons_compare(x, group, l) || isnan(r)) continue;
    sum += r / weights_expected(inputs) - 1.0;
    n += 1.0;
  }
  return n > 0.0 ? sum / n : (double)NAN;
}

double rises(const subject *x, size_t group, size_t run)
{
  const digest *d = &x->of[group];
  double sum = 0.0;

  for (size_t l = 1; l < d->layers; l++) sum += digest_at(d, run, RISES, l);
  return d->layers > 1 ? sum / (double)(d->layers - 1) : (double)NAN;
}
