/* Silence of another rank, counted only while we ourselves are awake and have listened. */

#include "silence.h"
#include "training.h"
#include <math.h>

double silence_limit(const ip_plan *plan, double stall, double speed)
{
  double step = 0.0;

  if (stall > 0.0) return stall;
  for (size_t r = 0; r < plan->n_runs; r++)
    step = fmax(step, fmax(plan->run[r].cost_epoch, plan->run[r].cost_look));
  return fmax(IP_STALL_SECONDS, IP_STALL_STEPS * step * speed);
}

void silence_end(silence *s)
{
  *s = (silence){0};
}

bool silence_too_long(silence *s, double limit)
{
  const double now = training_clock();

  if (s->looked > 0.0) s->sum += fmin(now - s->looked, limit / 4.0);
  s->looked = now;
  return s->sum >= limit;
}
