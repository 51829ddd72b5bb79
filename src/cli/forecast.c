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

static size_t ranks_per_run(const ip_plan *plan)
{
  const int key = ip_names_find(ip_option_name, "ranks_per_run");

  return key < 0 ? 1 : (size_t)ip_options_value(plan->options, 0, (ip_key)key)->integer;
}

static PetscErrorCode simulate_all(const ip_times_of *times, size_t n, const size_t ranks[],
                                   ip_run_time time[], ip_forecast forecast[])
{
  const double *second = times->rates->second;
  ip_launch start = {.n = times->n,
                     .time = time,
                     .ranks_per_run = times->ranks_per_run,
                     .message = second[IP_COST_message],
                     .handing = second[IP_COST_handing]};

  PetscCall(forecast_start(times->plan, times->rates, &start.before));
  PetscCall(ip_run_times(times, time));
  for (size_t i = 0; i < n; i++) {
    start.ranks = ranks[i];
    PetscCall(ip_launch_simulate(&start, &forecast[i]));
  }
  return PETSC_SUCCESS;
}

/* All runs of the plan. */
static PetscErrorCode list_all(size_t n, int32_t **todo)
{
  PetscCall(IP_ALLOCATE(n, todo));
  for (size_t r = 0; r < n; r++) (*todo)[r] = (int32_t)r;
  return PETSC_SUCCESS;
}

PetscErrorCode forecast_launches(const forecast_of *of, size_t n, const size_t ranks[],
                                 ip_forecast forecast[])
{
  ip_times_of times = {.plan = of->plan,
                       .rates = of->rates,
                       .n = of->todo ? of->n : of->plan->n_runs,
                       .todo = of->todo,
                       .done = of->done,
                       .ranks_per_run = ranks_per_run(of->plan)};
  ip_run_time *time = NULL;
  int32_t *all = NULL;
  PetscErrorCode code = of->todo ? PETSC_SUCCESS : list_all(times.n, &all);

  if (!of->todo) times.todo = all;
  if (!code) code = IP_ALLOCATE(times.n, &time);
  if (!code) code = simulate_all(&times, n, ranks, time, forecast);
  ip_release(&time);
  ip_release(&all);
  return code;
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
