/* Median of times of which some are censored.

     S(t) = prod over event times u <= t of (1 - d(u) / n(u))
     v(t) = sum over the same of d(u) / (n(u) (n(u) - d(u))), the variance of ln S
     band = exp(-exp(g +- 1.96 sqrt(v) / |ln S|)), g = ln(-ln S)

   d(u) events among the n(u) still followed just before u; who is censored at u is still
   followed.  The median is the smallest t with S(t) <= 1/2; its interval runs from where the
   lower band reaches 1/2 to where the upper one does.
   Sources: Kaplan and Meier, JASA 53 (1958) 457; v: Greenwood 1926; interval: Brookmeyer and
   Crowley, Biometrics 38 (1982) 29, with the log-log transform.

   Events at one time are taken one after the other.  Neither S nor v after the last of them
   changes by that, but the bands are then defined also where all who are left have the event at
   once and S falls to 0. */

#include "stats.h"
#include <infoplane/numerics.h>
#include <math.h>
#include <stdlib.h>

typedef struct {
  double time;
  bool seen;
} moment;

/* By time; events before those censored at the same time. */
static int by_time(const void *a, const void *b)
{
  const moment *x = a, *y = b;

  if (x->time != y->time) return x->time < y->time ? -1 : 1;
  return (int)y->seen - (int)x->seen;
}

/* S as a product of rounded factors: 1/2 within this is 1/2. */
static bool reached_half(double s)
{
  return s <= 0.5 + 1e-12;
}

/* One of the bands of S; side -1: lower, +1: upper. */
static double band(double s, double variance, double side)
{
  const double z = 1.9599639845400542; /* the normal's 97.5 percentile */
  const double log_s = ip_log(s);

  return ip_exp(-ip_exp(ip_log(-log_s) - side * z * sqrt(variance) / -log_s));
}

static void follow(size_t n, const moment at[], survival *out)
{
  double s = 1.0, variance = 0.0;

  for (size_t i = 0; i < n; i++) {
    const double followed = (double)(n - i);

    if (!at[i].seen) continue;
    s *= 1.0 - 1.0 / followed;
    if (isinf(out->median) && reached_half(s)) out->median = at[i].time;
    if (i + 1 == n) { /* S = 0: the variance is infinite */
      if (isinf(out->low)) out->low = at[i].time;
      return;
    }
    variance += 1.0 / (followed * (followed - 1.0));
    if (isinf(out->low) && band(s, variance, -1.0) <= 0.5) out->low = at[i].time;
    if (isinf(out->high) && band(s, variance, 1.0) <= 0.5) out->high = at[i].time;
  }
}

PetscErrorCode stats_kaplan_meier(size_t n, const double time[], const bool seen[],
                                  survival *out)
{
  survival made = {.n = n, .median = INFINITY, .low = INFINITY, .high = INFINITY};
  moment *at = NULL;

  for (size_t i = 0; i < n; i++)
    IP_CHECK(time[i] > 0.0 && isfinite(time[i]), IP_ERR_INTERNAL,
             "a time of %g (place %zu) cannot be followed", time[i], i);
  PetscCall(IP_ALLOCATE(n, &at));
  for (size_t i = 0; i < n; i++) {
    at[i] = (moment){.time = time[i], .seen = seen[i]};
    if (!seen[i]) made.censored++;
  }
  if (n > 0) qsort(at, n, sizeof *at, by_time);
  follow(n, at, &made);
  if (n == 0) made.median = made.low = made.high = NAN;
  *out = made;
  ip_release(&at);
  return PETSC_SUCCESS;
}
