/* Error bars over replicates: the percentile bootstrap.

   A resample draws n of the n replicates with replacement; the interval runs from the 2.5 to
   the 97.5 percentile of what 10,000 resamples give, between order statistics linearly.  It
   needs no normal distribution; with few replicates it is too short (n = 20: about 93 of 100
   intervals hold the true mean, n = 8: about 88), which is why fewer than 8 decide nothing.
   Sources: Efron and Tibshirani, An Introduction to the Bootstrap (1993), chapter 13;
   Spearman, American Journal of Psychology 15 (1904) 72. */

#include "stats.h"
#include <infoplane/numerics.h>
#include <infoplane/rng.h>
#include <math.h>
#include <stdlib.h>

/* FNV-1a, 64 bits (Fowler, Noll and Vo). */
stats_key stats_key_of(const char *text)
{
  uint64_t hash = 14695981039346656037U;

  for (; *text; text++) hash = (hash ^ (unsigned char)*text) * 1099511628211U;
  return hash;
}

/* ---- resampling -------------------------------------------------------------------------- */

/* The statistic of a resample; NaN where it has none. */
typedef double (*statistic)(void *data, size_t n, const uint32_t index[]);

/* n places of 0 .. n-1, uniform without bias (Lemire, ACM TOMACS 29 (2019) 3). */
static void draw_places(stats_key key, uint32_t resample, uint32_t n, uint32_t index[])
{
  const ip_stream stream = {.seed = key, .purpose = IP_PURPOSE_BOOTSTRAP};
  const uint32_t threshold = -n % n;
  uint64_t counter = (uint64_t)resample << 32;
  uint32_t word[4];

  for (uint32_t i = 0, used = 4; i < n;) {
    if (used == 4) {
      ip_stream_words(&stream, counter++, word);
      used = 0;
    }
    const uint64_t product = (uint64_t)word[used++] * n;

    if ((uint32_t)product >= threshold) index[i++] = (uint32_t)(product >> 32);
  }
}

static int by_value(const void *a, const void *b)
{
  const double x = *(const double *)a, y = *(const double *)b;

  return (x > y) - (x < y);
}

/* Quantile of ascending values, linear between them. */
static double quantile(size_t n, const double ascending[], double q)
{
  const double place = q * (double)(n - 1);
  const size_t i = (size_t)place;
  const double part = place - (double)i;

  return i + 1 < n ? ascending[i] + part * (ascending[i + 1] - ascending[i]) : ascending[n - 1];
}

/* 95 % interval of the statistic of n >= 2 replicates; unchanged where more than a twentieth of
   the resamples has none: what is left would be too good. */
static PetscErrorCode resample(size_t n, statistic f, void *data, stats_key key, interval *out)
{
  uint32_t *index = NULL;
  double *value = NULL;
  size_t kept = 0;
  PetscErrorCode code = IP_ALLOCATE(n, &index);

  if (!code) code = IP_ALLOCATE(STATS_RESAMPLES, &value);
  for (uint32_t r = 0; !code && r < STATS_RESAMPLES; r++) {
    draw_places(key, r, (uint32_t)n, index);
    value[kept] = f(data, n, index);
    if (!isnan(value[kept])) kept++;
  }
  if (!code && kept >= STATS_RESAMPLES - STATS_RESAMPLES / 20) {
    qsort(value, kept, sizeof *value, by_value);
    out->low = quantile(kept, value, 0.025);
    out->high = quantile(kept, value, 0.975);
  }
  ip_release(&value);
  ip_release(&index);
  return code;
}

/* ---- mean -------------------------------------------------------------------------------- */

typedef struct {
  double *value, *drawn; /* shape (n) */
} sample;

static double mean_of(void *data, size_t n, const uint32_t index[])
{
  const sample *s = data;

  for (size_t i = 0; i < n; i++) s->drawn[i] = s->value[index[i]];
  return ip_sum(n, s->drawn) / (double)n;
}

PetscErrorCode stats_mean(size_t n, const double value[], stats_key key, interval *out)
{
  interval made = {.value = NAN, .low = NAN, .high = NAN};
  sample s = {0};

  for (size_t i = 0; i < n; i++)
    IP_CHECK(!isinf(value[i]), IP_ERR_INTERNAL, "no mean of an infinite value (place %zu)", i);
  PetscErrorCode code = IP_ALLOCATE(n, &s.value);

  if (!code) code = IP_ALLOCATE(n, &s.drawn);
  for (size_t i = 0; !code && i < n; i++)
    if (!isnan(value[i])) s.value[made.n++] = value[i];
  if (!code && made.n > 0) made.value = ip_sum(made.n, s.value) / (double)made.n;
  if (!code && made.n > 1) code = resample(made.n, mean_of, &s, key, &made);
  if (!code) *out = made;
  ip_release(&s.drawn);
  ip_release(&s.value);
  return code;
}

/* ---- rank correlation -------------------------------------------------------------------- */

/* One side of the pairs: equal values share a level, levels ascend with the value. */
typedef struct {
  size_t n_levels;
  uint32_t *level; /* shape (n)                                       */
  double *rank;    /* shape (n_levels): of the resample, see set_ranks */
  uint32_t *count; /* shape (n_levels)                                */
} side;

typedef struct {
  side a, b;
} ranked;

/* Twice the midrank, less n + 1: whole numbers that add to 0, so every sum below is exact. */
static void set_ranks(side *s, size_t n, const uint32_t index[])
{
  double before = 0.0;

  for (size_t l = 0; l < s->n_levels; l++) s->count[l] = 0;
  for (size_t i = 0; i < n; i++) s->count[s->level[index[i]]]++;
  for (size_t l = 0; l < s->n_levels; l++) {
    s->rank[l] = 2.0 * before + (double)s->count[l] - (double)n;
    before += (double)s->count[l];
  }
}

static double correlation_of(void *data, size_t n, const uint32_t index[])
{
  ranked *r = data;
  double aa = 0.0, bb = 0.0, ab = 0.0;

  set_ranks(&r->a, n, index);
  set_ranks(&r->b, n, index);
  for (size_t i = 0; i < n; i++) {
    const double a = r->a.rank[r->a.level[index[i]]], b = r->b.rank[r->b.level[index[i]]];

    aa += a * a;
    bb += b * b;
    ab += a * b;
  }
  return aa > 0.0 && bb > 0.0 ? ab / sqrt(aa * bb) : (double)NAN;
}

/* Levels of n values, none of them NaN. */
static PetscErrorCode side_create(size_t n, const double value[], side *s)
{
  double *sorted = NULL;
  PetscErrorCode code = IP_ALLOCATE(n, &sorted);

  if (!code) code = IP_ALLOCATE(n, &s->level);
  if (!code) code = IP_ALLOCATE(n, &s->rank);
  if (!code) code = IP_ALLOCATE(n, &s->count);
  if (!code) {
    for (size_t i = 0; i < n; i++) sorted[i] = value[i];
    qsort(sorted, n, sizeof *sorted, by_value);
    for (size_t i = 0; i < n; i++)
      if (i == 0 || sorted[i] > sorted[s->n_levels - 1]) sorted[s->n_levels++] = sorted[i];
    for (size_t i = 0; i < n; i++) {
      const double *found = bsearch(&value[i], sorted, s->n_levels, sizeof *sorted, by_value);

      s->level[i] = (uint32_t)(found - sorted);
    }
  }
  ip_release(&sorted);
  return code;
}

static void side_clear(side *s)
{
  ip_release(&s->level);
  ip_release(&s->rank);
  ip_release(&s->count);
}

/* The pairs without NaN; returns how many. */
static size_t keep_pairs(size_t n, const double a[], const double b[], double kept_a[],
                         double kept_b[])
{
  size_t kept = 0;

  for (size_t i = 0; i < n; i++) {
    if (isnan(a[i]) || isnan(b[i])) continue;
    kept_a[kept] = a[i];
    kept_b[kept++] = b[i];
  }
  return kept;
}

/* Correlation and interval of n pairs without NaN. */
static PetscErrorCode correlate(size_t n, const double a[], const double b[], stats_key key,
                                interval *out)
{
  ranked r = {0};
  uint32_t *all = NULL;
  PetscErrorCode code = side_create(n, a, &r.a);

  if (!code) code = side_create(n, b, &r.b);
  if (!code) code = IP_ALLOCATE(n, &all);
  for (uint32_t i = 0; !code && i < n; i++) all[i] = i;
  if (!code) out->value = correlation_of(&r, n, all);
  if (!code && !isnan(out->value)) code = resample(n, correlation_of, &r, key, out);
  ip_release(&all);
  side_clear(&r.a);
  side_clear(&r.b);
  return code;
}

PetscErrorCode stats_rank_correlation(size_t n, const double a[], const double b[],
                                      stats_key key, interval *out)
{
  interval made = {.value = NAN, .low = NAN, .high = NAN};
  double *kept_a = NULL, *kept_b = NULL;
  PetscErrorCode code = IP_ALLOCATE(n, &kept_a);

  if (!code) code = IP_ALLOCATE(n, &kept_b);
  if (!code) made.n = keep_pairs(n, a, b, kept_a, kept_b);
  if (!code && made.n > 2) code = correlate(made.n, kept_a, kept_b, key, &made);
  if (!code) *out = made;
  ip_release(&kept_b);
  ip_release(&kept_a);
  return code;
}

/* ---- verdict ----------------------------------------------------------------------------- */

const char *verdict_name(size_t i)
{
  static const char *const name[] = {"agrees", "disagrees", "undecided", "not tested"};

  return i < sizeof name / sizeof name[0] ? name[i] : NULL;
}

verdict stats_judge(const interval *effect, double margin)
{
  if (isnan(effect->value)) return NOT_TESTED;
  if (effect->n < STATS_LEAST) return UNDECIDED;
  if (isnan(effect->low) || isnan(effect->high)) return NOT_TESTED;
  if (effect->low >= margin) return AGREES;
  return effect->high < margin ? DISAGREES : UNDECIDED;
}
