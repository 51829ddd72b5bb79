/* What a launch will take, from the plan and the speeds of a machine. */

#include "cli.h"
#include <math.h>

static const double libraries =
    60e6; /* bytes of a rank that has MPI, PETSc and HDF5 up and no work */

PetscErrorCode forecast_start(const ip_plan *plan, const ip_rates *rates, double *seconds)
{
  uint64_t bytes;

  PetscCall(ip_store_size(plan, &bytes));
  *seconds = rates->second[IP_COST_launch] + rates->second[IP_COST_file] +
             (double)bytes * rates->second[IP_COST_file_byte] +
             ip_cost_curves(plan) * rates->second[IP_COST_curve];
  return PETSC_SUCCESS;
}

ip_times_of forecast_all(const ip_plan *plan, const ip_rates *rates)
{
  const ip_value *together = ip_options_value(plan->options, 0, IP_KEY_RANKS_PER_RUN);

  return (ip_times_of){.plan = plan,
                       .rates = rates,
                       .n = plan->n_runs,
                       .ranks_per_run = (size_t)together->integer};
}

PetscErrorCode forecast_launches(const ip_times_of *of, size_t n, const size_t ranks[],
                                 ip_forecast forecast[])
{
  const double *second = of->rates->second;
  ip_launch start = {.n = of->n,
                     .ranks_per_run = of->ranks_per_run,
                     .message = second[IP_COST_message],
                     .handing = second[IP_COST_handing]};
  ip_run_time *time = NULL;
  PetscErrorCode code = IP_ALLOCATE(of->n, &time);

  start.time = time;
  if (!code) code = forecast_start(of->plan, of->rates, &start.before);
  if (!code) code = ip_run_times(of, time);
  for (size_t i = 0; i < n && !code; i++) {
    start.ranks = ranks[i];
    code = ip_launch_simulate(&start, &forecast[i]);
  }
  ip_release(&time);
  return code;
}

PetscErrorCode forecast_runs(const ip_plan *plan, const ip_rates *rates, double seconds[])
{
  ip_times_of one = forecast_all(plan, rates);

  one.n = 1;
  for (size_t r = 0; r < plan->n_runs; r++) {
    const int32_t run = (int32_t)r;
    ip_run_time time;

    one.todo = &run;
    PetscCall(ip_run_times(&one, &time));
    seconds[r] = time.seconds;
  }
  return PETSC_SUCCESS;
}

double memory_of_rank(const ip_plan *plan)
{
  double bytes = libraries + (double)ip_plan_memory(plan);

  for (size_t i = 0; i < plan->data->n; i++) {
    const ip_dataset *set = plan->data->set[i];
    const size_t sample = set->d * sizeof *set->x + sizeof *set->y +
                          (set->p ? (size_t)set->k * sizeof *set->p : 0);

    bytes += (double)(set->n * sample);
  }
  return bytes;
}

void format_duration(double seconds, char text[32])
{
  const double rounded = floor(seconds + 0.5);

  if (seconds >= 0.0 && seconds < 10.0)
    snprintf(text, 32, "%.1f s", seconds);
  else if (seconds >= 120.0 && rounded < 7200.0)
    snprintf(text, 32, "%.0f m %02.0f s", floor(rounded / 60.0), fmod(rounded, 60.0));
  else
    ip_seconds_format(seconds, text);
}
