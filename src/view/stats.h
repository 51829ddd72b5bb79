#pragma once

/** @file
 *  Error bars over replicates.  Pure functions of arrays; every resample is keyed, so the same
 *  numbers give the same interval.  Private to the view.
 */

#include <infoplane/core.h>

enum { STATS_RESAMPLES = 10000, STATS_LEAST = 8 }; /* fewer replicates decide nothing */

/** An estimate with its 95 % interval; NaN where there is none. */
typedef struct {
  size_t n;
  double value, low, high;
} interval;

/** What tells the resamples of one question from those of another: any text hashed, e.g. the
 *  id of the claim and the column. */
typedef uint64_t stats_key;
stats_key stats_key_of(const char *text);

/** Mean and its percentile bootstrap interval (10,000 keyed resamples).  NaN in value are
 *  left out and not counted in n; one value alone has no interval.  IP_ERR_INTERNAL: an
 *  infinite value. */
PetscErrorCode stats_mean(size_t n, const double value[], stats_key key, interval *out);

/** Spearman's rank correlation of pairs (midranks for ties), pairs resampled.  Pairs with a
 *  NaN are left out; NaN for fewer than 3 pairs or a constant side.  Resamples with a
 *  constant side have no correlation and are left out; more than a twentieth of them: no
 *  interval.  Infinite values are ranked last. */
PetscErrorCode stats_rank_correlation(size_t n, const double a[], const double b[],
                                      stats_key key, interval *out);

/** Times of which some are censored: the event was not seen by then. */
typedef struct {
  size_t n, censored;
  double median, low, high; /**< infinite: not reached by half; 95 % by the log-log method */
} survival;

/** Kaplan-Meier median with its interval (Brookmeyer and Crowley 1982, log-log transform).
 *  time > 0; seen[i] = false: censored at time[i].  No mean of times is ever taken.  NaN for no
 *  times at all.  IP_ERR_INTERNAL: a time that is not positive or not finite. */
PetscErrorCode stats_kaplan_meier(size_t n, const double time[], const bool seen[],
                                  survival *out);

/** How an interval stands to a margin: the effect is claimed to be at least the margin. */
typedef enum { AGREES, DISAGREES, UNDECIDED, NOT_TESTED } verdict;
const char *verdict_name(size_t i);
/** Fewer than STATS_LEAST replicates: undecided.  No value or no interval: not tested. */
verdict stats_judge(const interval *effect, double margin);
