#pragma once

/** @file
 *  Whether another rank still lives: how long it gave no sign, in time that we were awake ourselves.
 *  Private to the study.
 */

#include <infoplane/study.h>

typedef struct {
  double looked; /**< training_clock when it was last asked for, 0 = never */
  double sum;    /**< seconds                                              */
} silence;

/** Seconds of silence that are too much in this plan; speed: seconds of an elementary operation. */
double silence_limit(const ip_plan *plan, double stall, double speed);

/** A sign was heard, or none is expected. */
void silence_end(silence *s);

/** Ask at any time; true once the silence has lasted for limit seconds.  One look adds at most a
 *  quarter of them: who has slept longer than that slept with all others. */
bool silence_too_long(silence *s, double limit);
